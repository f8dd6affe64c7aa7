package identity

import (
	"strings"
	"unicode"
)

// maxInput bounds what a person may paste as a key, and any passphrase, in bytes.
const maxInput = 1024

// Import reads a key that a person pasted: a mnemonic (NIP-06), an nsec
// (NIP-19) or an ncryptsec (NIP-49), which alone needs the passphrase. Space,
// quotes and zero-width characters around it are dropped. The error is one of
// this package's *pow.Error values and never repeats the input.
func Import(input, passphrase string) (Secret, error) {
	if len(input) > maxInput {
		return Secret{}, ErrKey
	}
	input = strings.TrimFunc(input, decoration)
	switch lower := strings.ToLower(input); {
	case strings.HasPrefix(lower, "nsec1"):
		return parseNsec(input)
	case strings.HasPrefix(lower, "ncryptsec1"):
		return openNcryptsec(input, passphrase)
	case strings.HasPrefix(lower, "npub1"):
		return Secret{}, ErrPublicKey
	case len(strings.Fields(input)) > 1:
		return FromMnemonic(input)
	case isHexLike(lower):
		return Secret{}, ErrHex
	}
	return Secret{}, ErrKey
}

// decoration tells which characters may surround a pasted key.
func decoration(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”„‘’«»\u200b\u200c\u200d\u2060\ufeff", r)
}

func isHexLike(s string) bool {
	return len(s) >= 60 && strings.Trim(s, "0123456789abcdef") == ""
}
