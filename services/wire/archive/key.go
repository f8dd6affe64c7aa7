package archive

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"filippo.io/age"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"pow.do/services/pow"
)

// Key is a secret archive key. Secret is an age identity
// (AGE-SECRET-KEY-PQ-1…, AGE-SECRET-KEY-1…) or an armored OpenPGP secret key
// without passphrase. It never shows in print, in a log or in JSON.
type Key struct {
	Alg    string // pow.AgePQ, pow.AgeX25519, pow.OpenPGP
	Secret string
}

const redacted = "archive key (redacted)"

// String implements fmt.Stringer.
func (Key) String() string { return redacted }

// Format implements fmt.Formatter, for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// keyring holds parsed keys.
type keyring struct {
	age []age.Identity
	pgp openpgp.EntityList
}

var errKey = errors.New("not a usable secret archive key")

// add parses k. The libraries' errors are not wrapped: they may quote a secret.
func (r *keyring) add(k Key) error {
	secret := strings.TrimSpace(k.Secret)
	switch k.Alg {
	case pow.AgePQ:
		id, err := age.ParseHybridIdentity(secret)
		if err != nil {
			return errKey
		}
		r.age = append(r.age, id)
	case pow.AgeX25519:
		id, err := age.ParseX25519Identity(secret)
		if err != nil {
			return errKey
		}
		r.age = append(r.age, id)
	case pow.OpenPGP:
		e, err := pgpSecret(secret)
		if err != nil {
			return errKey
		}
		r.pgp = append(r.pgp, e)
	default:
		return errKey
	}
	return nil
}
