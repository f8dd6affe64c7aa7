package pow

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Hash is a SHA-256 value: of a Sealed, a Statement id, a rumor id, a Merkle
// root. In text it is 64 lower-case hex digits.
type Hash [32]byte

// ParseHash reads exactly 64 lower-case hex digits.
func ParseHash(s string) (Hash, error) {
	b, err := parseHex32(s)
	return Hash(b), err
}

// String returns 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether h is 32 zero bytes, which is also the Prev of a chain's first Statement.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// Key is a BIP-340 x-only public key. In text it is 64 lower-case hex digits;
// npub (NIP-19) is for links, configuration and screens only.
type Key [32]byte

// ParseKey reads exactly 64 lower-case hex digits. It does not check that the
// point lies on the curve; a signature check does.
func ParseKey(s string) (Key, error) {
	b, err := parseHex32(s)
	return Key(b), err
}

// String returns 64 lower-case hex digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// IsZero tells whether no key is set.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Key) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKey(string(b))
	return err
}

var errHex = errors.New("want 64 lower-case hex digits")

func parseHex32(s string) (b [32]byte, err error) {
	if len(s) != 64 {
		return b, errHex
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return b, errHex
		}
	}
	_, err = hex.Decode(b[:], []byte(s))
	return b, err
}

// OpaqueID names a project, a kind of work or a member without saying anything
// about it: 16 lower-case hex digits, issued by the DVM (protocol §0).
type OpaqueID string

// ProjectID is the opaque id of a Project.
type ProjectID = OpaqueID

// KimaiActivityID is the opaque id of a kind of work inside a project (what
// Kimai calls an activity; "activity" alone means ActivityWatch rows here).
type KimaiActivityID = OpaqueID

// ParseOpaqueID reads 16 lower-case hex digits.
func ParseOpaqueID(s string) (OpaqueID, error) {
	if len(s) != 16 {
		return "", errors.New("want 16 lower-case hex digits")
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", errors.New("want 16 lower-case hex digits")
		}
	}
	return OpaqueID(s), nil
}

// SessionID is a ULID, made by the client: one start to stop on one project.
type SessionID string

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewSessionID makes a ULID from a time (milliseconds) and 80 random bits.
func NewSessionID(now time.Time, random io.Reader) (SessionID, error) {
	id, err := NewULID(now, random)
	return SessionID(id), err
}

// NewULID makes the 26 characters of a ULID from a time and 80 random bits.
func NewULID(now time.Time, random io.Reader) (string, error) {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := 0; i < 6; i++ {
		b[i] = byte(ms >> (40 - 8*i))
	}
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	// 128 bits in 26 characters of 5 bits; the first carries 3.
	out := make([]byte, 26)
	for i := 25; i >= 0; i-- {
		bit := 128 - 5*(26-i) // of the lowest bit of this character, from the left end
		var v byte
		for j := 0; j < 5; j++ {
			p := bit + j
			v <<= 1
			if p >= 0 {
				v |= b[p/8] >> (7 - p%8) & 1
			}
		}
		out[i] = crockford[v]
	}
	return string(out), nil
}

// ParseSessionID reads ^[0-7][0-9A-HJKMNP-TV-Z]{25}$.
func ParseSessionID(s string) (SessionID, error) {
	if !IsULID(s) {
		return "", errors.New("want a session id (26 characters)")
	}
	return SessionID(s), nil
}

// IsULID tells whether s is a ULID in upper case.
func IsULID(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
		case c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U':
		default:
			return false
		}
	}
	return true
}

// ULIDTime returns the moment, in whole milliseconds, that an id was made at;
// false when it is no ULID.
func ULIDTime(s string) (time.Time, bool) {
	if !IsULID(s) {
		return time.Time{}, false
	}
	ms := int64(0)
	for _, c := range s[:10] {
		ms = ms<<5 | int64(strings.IndexRune(crockford, c))
	}
	return time.UnixMilli(ms).UTC(), true
}
