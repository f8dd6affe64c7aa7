package vault

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// Secrets are the three secret keys of a device. They never print: every way to
// turn them into text says "[secret]".
type Secrets struct {
	Identity [32]byte // secp256k1, signs seals and Statements
	Device   [32]byte // secp256k1, AUTH and Receipts
	Review   []byte   // secret half of the review key, in its own text form
}

const redacted = "[secret]"

// String redacts.
func (Secrets) String() string { return redacted }

// GoString redacts.
func (Secrets) GoString() string { return redacted }

// Format redacts, whatever the verb.
func (Secrets) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue redacts.
func (Secrets) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText redacts.
func (Secrets) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Wipe overwrites the keys.
func (s *Secrets) Wipe() {
	clear(s.Identity[:])
	clear(s.Device[:])
	clear(s.Review)
}

func (s *Secrets) clone() Secrets {
	return Secrets{Identity: s.Identity, Device: s.Device, Review: slices.Clone(s.Review)}
}

// document is the form in which the keys sleep.
type document struct {
	Version  int    `json:"v"`
	Identity string `json:"identity"`
	Device   string `json:"device"`
	Review   string `json:"review"`
}

// maxReview bounds the review key's text, in bytes.
const maxReview = 512

func (s *Secrets) document() ([]byte, error) {
	if s.Identity == [32]byte{} || s.Device == [32]byte{} || len(s.Review) == 0 || len(s.Review) > maxReview {
		return nil, errors.New("store the keys: one is missing")
	}
	return json.Marshal(document{1, hex.EncodeToString(s.Identity[:]), hex.EncodeToString(s.Device[:]), string(s.Review)})
}

// parseSecrets never quotes what it was given.
func parseSecrets(b []byte) (s Secrets, err error) {
	var d document
	if json.Unmarshal(b, &d) != nil || d.Version != 1 || len(d.Identity) != 64 || len(d.Device) != 64 ||
		len(d.Review) == 0 || len(d.Review) > maxReview {
		return s, errors.New("the stored keys cannot be read")
	}
	_, err1 := hex.Decode(s.Identity[:], []byte(d.Identity))
	_, err2 := hex.Decode(s.Device[:], []byte(d.Device))
	if err1 != nil || err2 != nil {
		s.Wipe()
		return Secrets{}, errors.New("the stored keys cannot be read")
	}
	s.Review = []byte(d.Review)
	return s, nil
}
