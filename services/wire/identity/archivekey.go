package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"pow.do/services/pow"
)

// ArchiveKey opens the Sealeds of its DVM: an age key, hybrid post-quantum
// (X25519 with ML-KEM-768) or classic. It signs nothing and is used for nothing
// else.
type ArchiveKey struct {
	hidden
	alg, recipient string
	secret         func() string // nil: no key
}

// NewArchiveKey makes a key for pow.AgePQ or pow.AgeX25519.
func NewArchiveKey(alg string) (ArchiveKey, error) {
	switch alg {
	case pow.AgePQ:
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return ArchiveKey{}, fmt.Errorf("make an archive key: %w", err)
		}
		return hybrid(id), nil
	case pow.AgeX25519:
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return ArchiveKey{}, fmt.Errorf("make an archive key: %w", err)
		}
		return classic(id), nil
	}
	return ArchiveKey{}, fmt.Errorf("make an archive key: algorithm %q is not one of %s, %s", alg, pow.AgePQ, pow.AgeX25519)
}

// ParseArchiveKey reads AGE-SECRET-KEY-PQ-1… or AGE-SECRET-KEY-1…; anything
// else, plugin keys included, is ErrArchiveKey.
func ParseArchiveKey(secret string) (ArchiveKey, error) {
	if len(secret) > maxInput {
		return ArchiveKey{}, ErrArchiveKey
	}
	if strings.HasPrefix(secret, "AGE-SECRET-KEY-PQ-1") {
		id, err := age.ParseHybridIdentity(secret)
		if err != nil {
			return ArchiveKey{}, ErrArchiveKey
		}
		return hybrid(id), nil
	}
	id, err := age.ParseX25519Identity(secret)
	if err != nil {
		return ArchiveKey{}, ErrArchiveKey
	}
	return classic(id), nil
}

func hybrid(id *age.HybridIdentity) ArchiveKey {
	return ArchiveKey{alg: pow.AgePQ, recipient: id.Recipient().String(), secret: id.String}
}

func classic(id *age.X25519Identity) ArchiveKey {
	return ArchiveKey{alg: pow.AgeX25519, recipient: id.Recipient().String(), secret: id.String}
}

// Alg returns pow.AgePQ or pow.AgeX25519.
func (k ArchiveKey) Alg() string { return k.alg }

// Secret returns the secret key as age writes it: for storing it sealed, and
// for opening archives; "" of the zero value.
func (k ArchiveKey) Secret() string {
	if k.secret == nil {
		return ""
	}
	return k.secret()
}

// Recipient returns the public half as it is announced, valid from nbf until
// exp. Its ID is the first 16 hex digits of sha256 over the recipient string.
func (k ArchiveKey) Recipient(nbf, exp time.Time) pow.Recipient {
	sum := sha256.Sum256([]byte(k.recipient))
	return pow.Recipient{ID: hex.EncodeToString(sum[:8]), Alg: k.alg, Key: k.recipient, NotBefore: nbf, Expires: exp}
}
