package identity

import (
	"errors"
	"fmt"

	"filippo.io/age"
)

// maxSealedFile bounds a passphrase-sealed file when it is read, in bytes.
const maxSealedFile = 64 << 10

// SealWithPassphrase encrypts a small secret for a file (age, scrypt with
// 2¹⁸ rounds: 256 MiB for about a second). The passphrase has 1 to 1024 bytes.
func SealWithPassphrase(plain []byte, passphrase string) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	to.SetWorkFactor(logN)
	return seal(plain, to)
}

// OpenWithPassphrase decrypts what SealWithPassphrase made, or the age program
// with a passphrase. It refuses more than 2²⁰ rounds before any work is done.
// Errors: ErrNoPhrase, ErrPassphrase, and ErrSealed for bytes that are no such
// file, are damaged, or cost too much.
func OpenWithPassphrase(sealed []byte, passphrase string) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	if len(sealed) > maxSealedFile {
		return nil, ErrSealed
	}
	with, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, ErrNoPhrase
	}
	with.SetMaxWorkFactor(maxLogN)
	plain, err := open(sealed, &firstOnly{id: with})
	switch {
	case errors.Is(err, errWrongPhrase):
		return nil, ErrPassphrase
	case err != nil:
		return nil, ErrSealed.With(err)
	}
	return plain, nil
}

var errWrongPhrase = errors.New("no stanza opened")

// firstOnly tells a wrong passphrase from a file for another kind of key, which
// age reports as the same error.
type firstOnly struct{ id *age.ScryptIdentity }

// Unwrap implements age.Identity.
func (f *firstOnly) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := f.id.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) && len(stanzas) == 1 && stanzas[0].Type == "scrypt" {
		return nil, errWrongPhrase
	}
	return key, err
}
