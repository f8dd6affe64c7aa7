package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// ReviewKey opens what this device's Box sealed: the captures, notes and names
// that wait on the client. It stays on the device.
type ReviewKey struct {
	hidden
	id func() *age.X25519Identity // nil: no key
}

func reviewKey(id *age.X25519Identity) ReviewKey {
	return ReviewKey{id: func() *age.X25519Identity { return id }}
}

// NewReviewKey makes a key from crypto/rand.
func NewReviewKey() (ReviewKey, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return ReviewKey{}, fmt.Errorf("make a review key: %w", err)
	}
	return reviewKey(id), nil
}

// ParseReviewKey reads what Secret wrote.
func ParseReviewKey(secret string) (ReviewKey, error) {
	if len(secret) > maxInput {
		return ReviewKey{}, ErrArchiveKey
	}
	id, err := age.ParseX25519Identity(secret)
	if err != nil {
		return ReviewKey{}, ErrArchiveKey
	}
	return reviewKey(id), nil
}

// Secret returns the secret key as age writes it, for storing it sealed; "" of
// the zero value.
func (k ReviewKey) Secret() string {
	if k.id == nil {
		return ""
	}
	return k.id().String()
}

// Box returns the public half.
func (k ReviewKey) Box() Box {
	if k.id == nil {
		return Box{}
	}
	return Box{k.id().Recipient()}
}

// Open decrypts what Box.Seal made, all of it or nothing: damaged, cut or
// foreign bytes are ErrSealed.
func (k ReviewKey) Open(ciphertext []byte) ([]byte, error) {
	if k.id == nil {
		return nil, errors.New("open: no review key")
	}
	plain, err := open(ciphertext, k.id())
	if err != nil {
		return nil, ErrSealed.With(err)
	}
	return plain, nil
}

// Box seals for the ReviewKey it belongs to. It holds nothing secret: a program
// that has only the Box can write to the queue but not read it.
type Box struct{ to *age.X25519Recipient }

// ParseBox reads age1….
func ParseBox(s string) (Box, error) {
	if len(s) > maxInput {
		return Box{}, errors.New("not a review key's public half")
	}
	to, err := age.ParseX25519Recipient(s)
	if err != nil {
		return Box{}, errors.New("not a review key's public half")
	}
	return Box{to}, nil
}

// String returns the public key, age1…; "" of the zero value.
func (b Box) String() string {
	if b.to == nil {
		return ""
	}
	return b.to.String()
}

// Seal encrypts plain (age, X25519). The result is 200 bytes longer for up to
// 64 KiB, and 16 bytes more for each further 64 KiB.
func (b Box) Seal(plain []byte) ([]byte, error) {
	if b.to == nil {
		return nil, errors.New("seal: no box")
	}
	return seal(plain, b.to)
}

func seal(plain []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(plain) + len(plain)/4096 + 512)
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out.Bytes(), nil
}

func open(sealed []byte, with age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(len(sealed))
	if _, err := io.Copy(&out, r); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
