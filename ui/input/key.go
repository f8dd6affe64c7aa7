package input

import (
	"strings"
	"unicode"

	"github.com/tyler-smith/go-bip39"
)

// KeyKind is what somebody typed as a key.
type KeyKind string

// The kinds of key. Sealed is an ncryptsec, which needs its passphrase.
const (
	NoKey  KeyKind = ""
	Words  KeyKind = "words"
	Secret KeyKind = "nsec"
	Sealed KeyKind = "ncryptsec"
)

// The faults of a key.
const (
	NotKey      Fault = "key"       // neither words nor nsec nor ncryptsec
	PublicKey   Fault = "npub"      // the public half
	HexKey      Fault = "hex"       // without a checksum, so a slip would make another key
	WordCount   Fault = "words"     // not 12, 15, 18, 21 or 24
	UnknownWord Fault = "word"      // Key.Wrong says which
	Checksum    Fault = "checksum"  // a wrong word, a wrong order or a slip
	NoPhrase    Fault = "no-phrase" // an ncryptsec without its passphrase
)

// maxKey bounds a pasted key, in bytes.
const maxKey = 1024

// Key is what was typed as a key, taken apart.
type Key struct {
	Kind  KeyKind
	Text  string   // as the agent takes it
	Words []string // where Kind is Words
	Wrong int      // index of the first word that is in no list, or -1
}

// ReadKey takes a typed or pasted key apart and checks its checksum. What is
// not finished yet has a Fault too, so it can be asked at every change.
func ReadKey(s string) (Key, Fault) {
	k := Key{Wrong: -1}
	if len(s) > maxKey {
		return k, Long
	}
	s = strings.TrimFunc(s, decoration)
	lower := strings.ToLower(s)
	k.Text = lower
	switch {
	case s == "":
		return k, Empty
	case strings.HasPrefix(lower, "nsec1"):
		k.Kind = Secret
		return k, bech32Fault("nsec", s)
	case strings.HasPrefix(lower, "ncryptsec1"):
		k.Kind = Sealed
		return k, bech32Fault("ncryptsec", s)
	case strings.HasPrefix(lower, "npub1"):
		return k, PublicKey
	case len(s) >= 60 && strings.Trim(lower, "0123456789abcdef") == "":
		return k, HexKey
	case strings.IndexFunc(s, unicode.IsSpace) < 0 && len(s) > 8:
		return k, NotKey // words have eight letters at most
	}
	return readWords(k, strings.Fields(lower))
}

func readWords(k Key, list []string) (Key, Fault) {
	k.Kind, k.Words, k.Text = Words, list, strings.Join(list, " ")
	for i, w := range list {
		if _, ok := bip39.GetWordIndex(w); !ok {
			k.Wrong = i
			return k, UnknownWord
		}
	}
	if n := len(list); n < 12 || n > 24 || n%3 != 0 {
		return k, WordCount
	}
	if !bip39.IsMnemonicValid(k.Text) {
		return k, Checksum
	}
	return k, Fine
}

// KnownWord tells whether a word is in the English list of BIP-39.
func KnownWord(s string) bool {
	_, ok := bip39.GetWordIndex(strings.ToLower(strings.TrimSpace(s)))
	return ok
}

// decoration tells which characters may surround a pasted key.
func decoration(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”„‘’«»\u200b\u200c\u200d\u2060\ufeff", r)
}

// bech32 letters and the length of the checksum (BIP-173).
const (
	letters  = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checkLen = 6
)

// bech32Fault checks the letters and the checksum of a bech32 text (BIP-173).
func bech32Fault(prefix, s string) Fault {
	lower := strings.ToLower(s)
	if lower != s && strings.ToUpper(s) != s {
		return Checksum // mixed case is not allowed
	}
	body := lower[len(prefix)+1:]
	if len(body) < checkLen {
		return Checksum
	}
	sum := start(prefix)
	for _, c := range []byte(body) {
		at := strings.IndexByte(letters, c)
		if at < 0 {
			return Checksum
		}
		sum = step(sum, uint32(at))
	}
	if sum != 1 {
		return Checksum
	}
	return Fine
}

// start is the checksum of the prefix.
func start(prefix string) uint32 {
	sum := uint32(1)
	for _, c := range []byte(prefix) {
		sum = step(sum, uint32(c>>5))
	}
	sum = step(sum, 0)
	for _, c := range []byte(prefix) {
		sum = step(sum, uint32(c&31))
	}
	return sum
}

// step is one round of the checksum's polynomial.
func step(sum, value uint32) uint32 {
	top := sum >> 25
	sum = sum&0x1ffffff<<5 ^ value
	for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			sum ^= g
		}
	}
	return sum
}

// Npub writes a public key as npub1… (NIP-19).
func Npub(key [32]byte) string {
	const prefix = "npub"
	var five []byte
	acc, bits := uint32(0), 0
	for _, b := range key {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			five = append(five, byte(acc>>bits)&31)
		}
	}
	five = append(five, byte(acc<<(5-bits))&31) // 256 bits leave one over
	sum := start(prefix)
	for _, v := range five {
		sum = step(sum, uint32(v))
	}
	for range checkLen {
		sum = step(sum, 0)
	}
	sum ^= 1
	text := []byte(prefix + "1")
	for _, v := range five {
		text = append(text, letters[v])
	}
	for i := range checkLen {
		text = append(text, letters[sum>>(5*(checkLen-1-i))&31])
	}
	return string(text)
}
