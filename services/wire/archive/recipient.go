package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"pow.do/services/pow"
)

// ParseRecipient checks a public archive key of the algorithm alg (pow.AgePQ,
// pow.AgeX25519 or pow.OpenPGP) as it is at now and returns its id: the first
// 16 hex digits of SHA-256 over the recipient string (age) or over the binary
// key (OpenPGP).
//
// An OpenPGP key must be one armored public key that is neither expired nor
// revoked and has a subkey for encryption; RSA needs 2048 bits. Errors wrap
// ErrRecipient.
func ParseRecipient(alg, key string, now time.Time) (id string, err error) {
	r, err := parseRecipient(alg, key, now)
	if err != nil {
		return "", err
	}
	return r.id, nil
}

// recipient encrypts to one archive key.
type recipient struct {
	id string
	// encrypt writes to w what comes before the payload. It returns where to
	// write the plaintext, and the size of the whole file around n bytes of it.
	encrypt func(w io.Writer) (plain io.WriteCloser, size func(n int64) int64, err error)
}

func parseRecipient(alg, key string, now time.Time) (r recipient, err error) {
	switch alg {
	case pow.AgePQ, pow.AgeX25519:
		r, err = ageRecipient(alg, key)
	case pow.OpenPGP:
		r, err = pgpRecipient(key, now)
	default:
		err = fmt.Errorf("unknown algorithm")
	}
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrRecipient, err)
	}
	return r, nil
}

func recipientID(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
