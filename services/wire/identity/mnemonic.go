package identity

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/nbd-wtf/go-nostr/nip06"
	"github.com/tyler-smith/go-bip39"

	"pow.do/services/pow"
)

// NewMnemonic makes 24 English words (256 bits) and the key they stand for
// (NIP-06, account 0, no BIP-39 passphrase).
func NewMnemonic() (words string, s Secret, err error) {
	words, err = nip06.GenerateSeedWords()
	if err != nil {
		return "", Secret{}, fmt.Errorf("make a mnemonic: %w", err)
	}
	s, err = FromMnemonic(words)
	return words, s, err
}

// FromMnemonic derives the key of 12, 15, 18, 21 or 24 English words. Case and
// the space between them do not matter. Errors have the code of ErrWords and
// say at most the position of a word.
func FromMnemonic(words string) (Secret, error) {
	if len(words) > maxInput {
		return Secret{}, ErrWords
	}
	list := strings.Fields(strings.ToLower(words))
	if n := len(list); n < 12 || n > 24 || n%3 != 0 {
		return Secret{}, badWords(fmt.Sprintf("a key has 12, 15, 18, 21 or 24 words, not %d", n), "paste all of them")
	}
	for i, w := range list {
		if _, ok := bip39.GetWordIndex(w); !ok {
			return Secret{}, badWords(fmt.Sprintf("word %d is not in the English word list", i+1), "check its spelling; only English words are read")
		}
	}
	words = strings.Join(list, " ")
	if !nip06.ValidateWords(words) {
		return Secret{}, badWords("the words do not fit together", "check for a wrong word or a wrong order")
	}
	return derive(words)
}

func derive(words string) (Secret, error) {
	seed := nip06.SeedFromWords(words)
	defer clear(seed)
	text, err := nip06.PrivateKeyFromSeed(seed)
	if err != nil {
		return Secret{}, ErrWords
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return Secret{}, ErrWords
	}
	defer clear(b)
	return SecretFromBytes(b)
}

func badWords(what, mend string) error {
	return &pow.Error{Code: ErrWords.Code, What: what, Mend: mend}
}
