// Package event reads, checks and writes Nostr events (NIP-01): the one place
// that strangers' events pass before anything else looks at them.
//
// The order is always the same: size, shape, id recomputed, signature. The
// library's own signature check ignores the id, so an event with a forged id
// passes it; Verify checks both. Ids are used as keys only after Verify.
package event

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/strictjson"
)

// Event is a signed event, or a rumor when Sig is empty.
type Event = nostr.Event

// Tags and Tag are those of an Event.
type (
	Tags = nostr.Tags
	Tag  = nostr.Tag
)

// Timestamp is in Unix seconds.
type Timestamp = nostr.Timestamp

// Limits of any event, ours or a stranger's (threats L-EVT).
const (
	MaxBytes = 65_536
	MaxTags  = 2_000
	// maxTime is the largest created_at: 2⁵³ − 1, which every JSON reader can hold.
	maxTime = 1<<53 - 1
)

// Errors of reading and checking. Parse errors mean that the bytes are not an
// event at all; ErrID and ErrSignature that it is not what it claims to be.
var (
	ErrShape     = errors.New("not a well-formed event")
	ErrTooLarge  = errors.New("event too large")
	ErrID        = errors.New("event id is wrong")
	ErrSignature = errors.New("event signature is wrong")
)

type raw struct {
	ID        *string      `json:"id"`
	PubKey    *string      `json:"pubkey"`
	CreatedAt *int64       `json:"created_at"`
	Kind      *int         `json:"kind"`
	Tags      *[][]*string `json:"tags"`
	Content   *string      `json:"content"`
	Sig       *string      `json:"sig"`
}

// Parse reads a signed event of at most MaxBytes. It checks types, lengths and
// lower-case hex, but neither id nor signature: call Verify.
func Parse(b []byte) (*Event, error) {
	e, err := parse(b)
	if err != nil {
		return nil, err
	}
	if !isHex(e.Sig, 128) {
		return nil, ErrShape
	}
	return e, nil
}

// ParseRumor reads an unsigned event: sig must be absent or empty.
func ParseRumor(b []byte) (*Event, error) {
	e, err := parse(b)
	if err != nil {
		return nil, err
	}
	if e.Sig != "" {
		return nil, ErrShape
	}
	return e, nil
}

func parse(b []byte) (*Event, error) {
	if len(b) > MaxBytes {
		return nil, ErrTooLarge
	}
	if err := strictjson.Check(b, 4); err != nil {
		return nil, errors.Join(ErrShape, err)
	}
	var r raw
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, ErrShape // the library's text would quote a stranger's bytes
	}
	if r.ID == nil || r.PubKey == nil || r.CreatedAt == nil || r.Kind == nil || r.Tags == nil || r.Content == nil {
		return nil, ErrShape
	}
	e := &Event{ID: *r.ID, PubKey: *r.PubKey, CreatedAt: Timestamp(*r.CreatedAt), Kind: *r.Kind, Content: *r.Content}
	if r.Sig != nil {
		e.Sig = *r.Sig
	}
	if len(*r.Tags) > MaxTags {
		return nil, ErrShape
	}
	e.Tags = make(Tags, 0, len(*r.Tags))
	for _, rt := range *r.Tags {
		if len(rt) == 0 {
			return nil, ErrShape
		}
		tag := make(Tag, len(rt))
		for i, s := range rt {
			if s == nil {
				return nil, ErrShape
			}
			tag[i] = *s
		}
		e.Tags = append(e.Tags, tag)
	}
	return e, shape(e)
}

// shape checks what must hold before an id is computed: the library puts the
// public key into the hashed bytes unescaped.
func shape(e *Event) error {
	if !isHex(e.ID, 64) || !isHex(e.PubKey, 64) || e.Kind < 0 || e.Kind > 65_535 ||
		e.CreatedAt < 0 || e.CreatedAt > maxTime || e.Tags == nil {
		return ErrShape
	}
	return nil
}

// Verify recomputes the id and checks the signature, in this order.
func Verify(e *Event) error {
	if err := VerifyID(e); err != nil {
		return err
	}
	if !isHex(e.Sig, 128) {
		return ErrSignature
	}
	if ok, err := e.CheckSignature(); err != nil || !ok {
		return ErrSignature
	}
	return nil
}

// VerifyID recomputes the id; for a rumor, which has no signature, this is all there is.
func VerifyID(e *Event) error {
	if err := shape(e); err != nil {
		return err
	}
	if !e.CheckID() {
		return ErrID
	}
	return nil
}

// Marshal writes the event in the order kind, id, pubkey, created_at, tags,
// content, sig, without white space; a rumor has no sig member.
func Marshal(e *Event) []byte { return []byte(e.String()) }

// ID returns the event's id as a Hash. The event has passed Verify or VerifyID.
func ID(e *Event) pow.Hash { h, _ := pow.ParseHash(e.ID); return h }

// Author returns the event's public key. The event has passed Verify or VerifyID.
func Author(e *Event) pow.Key { k, _ := pow.ParseKey(e.PubKey); return k }

// Single returns the second element of the only tag with this name. ok is
// false when there is none; a second one is an error.
func Single(e *Event, name string) (value string, ok bool, err error) {
	for _, t := range e.Tags {
		if t[0] != name {
			continue
		}
		if ok || len(t) < 2 {
			return "", false, ErrShape
		}
		value, ok = t[1], true
	}
	return value, ok, nil
}

// HasControl tells whether any string of the event has a control character,
// for which implementations compute different ids. Line feeds and tabs are
// listed by NIP-01 and do no harm.
func HasControl(e *Event) bool {
	bad := func(r rune) bool { return r < 0x20 && !strings.ContainsRune("\n\r\t\b\f", r) || r == 0x7f }
	if strings.IndexFunc(e.Content, bad) >= 0 {
		return true
	}
	for _, t := range e.Tags {
		for _, s := range t {
			if strings.IndexFunc(s, bad) >= 0 {
				return true
			}
		}
	}
	return false
}

func isHex(s string, n int) bool {
	if len(s) != n || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
