// Package consent signs and reads a member's consent to what a project asks
// for: a Nostr event of kind 25943, never published. It stays on the member's
// computer and travels inside the archives of the work that it covers, so that
// the DVM can see that the member agreed. CONSENT.md describes it byte for byte.
//
// What is signed is the demand itself in canonical JSON, not only its hash, so
// that a later reader can compare it with what is demanded then. A consent proves
// that the identity key signed, and nothing about who held the key, or why.
package consent

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/strictjson"
)

// Kind is the event kind of a consent. Such an event is never published.
const Kind = 25943

// Version is the form that this program writes and reads.
const Version = 1

// MaxBytes bounds a consent.
const MaxBytes = 4 << 10

// ErrInvalid means bytes that are no consent in this form, or whose signature is
// wrong. ErrVersion means one of a later form.
var (
	ErrInvalid = errors.New("not a valid consent")
	ErrVersion = errors.New("a consent of a later version")
)

// Signer is the member's identity key. Sign sets pubkey, id and sig.
type Signer interface {
	Public() pow.Key
	Sign(*event.Event) error
}

// content is what the event carries, its members in canonical order.
type content struct {
	Choice choice `json:"choice"`
	Terms  terms  `json:"terms"`
}

// choice is what the member chose inside the terms.
type choice struct {
	Detail   pow.Detail `json:"detail"`
	Interval int        `json:"interval"` // 0: the project's own
	Pictures bool       `json:"pictures"`
	Timer    bool       `json:"timer"`
}

// terms are a pow.Demand.
type terms struct {
	Capture   pow.Rule      `json:"capture"`
	Detail    pow.Detail    `json:"detail"`
	DVM       pow.Key       `json:"dvm"`
	Interval  int           `json:"interval"`
	Policy    pow.Hash      `json:"policy"`
	Project   pow.ProjectID `json:"project"`
	Retention int           `json:"retention"`
}

func termsOf(d pow.Demand) terms {
	return terms{d.Pictures, d.Detail, d.DVM, d.Interval, d.Policy, d.Project, d.Retention}
}

func (t terms) demand() pow.Demand {
	return pow.Demand{DVM: t.DVM, Project: t.Project, Pictures: t.Capture, Interval: t.Interval, Detail: t.Detail, Retention: t.Retention, Policy: t.Policy}
}

// Terms returns the hash of a demand: SHA-256 of its canonical JSON. It names
// all that is agreed to.
func Terms(d pow.Demand) (pow.Hash, error) {
	b, err := json.Marshal(termsOf(d))
	return sha256.Sum256(b), err
}

// Sign makes the consent to a.Demand with a.Choice and a.Catalogue; ID, Author,
// Terms and At of a are ignored. It returns the event's bytes.
func Sign(signer Signer, a pow.Agreement, now time.Time) ([]byte, error) {
	hash, err := Terms(a.Demand)
	if err != nil {
		return nil, err
	}
	c := a.Demand.Bound(a.Choice)
	body, err := json.Marshal(content{choice{c.Detail, c.Interval, c.Pictures, c.ShowTimer}, termsOf(a.Demand)})
	if err != nil {
		return nil, err
	}
	e := &event.Event{Kind: Kind, CreatedAt: event.Timestamp(now.Unix()), Content: string(body), Tags: event.Tags{
		{"p", a.Demand.DVM.String()}, {"v", strconv.Itoa(Version)}, {"project", string(a.Demand.Project)},
		{"cat", strconv.Itoa(a.Catalogue)}, {"terms", hash.String()}}}
	if err := signer.Sign(e); err != nil {
		return nil, fmt.Errorf("sign a consent: %w", err)
	}
	b := event.Marshal(e)
	if got, err := Read(b); err != nil || got.Author != signer.Public() {
		return nil, errors.Join(errors.New("sign a consent: it cannot be read back"), err)
	}
	return b, nil
}

// Read checks a consent, its form and its signature. Errors: ErrInvalid, ErrVersion.
func Read(b []byte) (a pow.Agreement, err error) {
	if len(b) > MaxBytes {
		return a, ErrInvalid
	}
	e, err := event.Parse(b)
	if err != nil {
		return a, errors.Join(ErrInvalid, err)
	}
	if !bytes.Equal(event.Marshal(e), b) || e.Kind != Kind {
		return a, fmt.Errorf("%w: not the canonical form, or another kind", ErrInvalid)
	}
	if err := event.Verify(e); err != nil {
		return a, errors.Join(ErrInvalid, err)
	}
	if v, _, err := event.Single(e, "v"); err == nil && later(v) {
		return a, ErrVersion
	}
	if a, err = read(e); err != nil {
		return pow.Agreement{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return a, nil
}

func later(v string) bool {
	n, err := decimal(v)
	return err == nil && n > Version
}

// read takes a verified event apart. Its tags are these, each once and in order.
func read(e *event.Event) (a pow.Agreement, err error) {
	c, err := readContent([]byte(e.Content))
	if err != nil {
		return a, err
	}
	a = pow.Agreement{ID: event.ID(e), Author: event.Author(e), Demand: c.Terms.demand(), At: time.Unix(int64(e.CreatedAt), 0).UTC(),
		Choice: pow.ProjectChoice{Project: c.Terms.Project, Pictures: c.Choice.Pictures, Interval: c.Choice.Interval, Detail: c.Choice.Detail, ShowTimer: c.Choice.Timer}}
	if a.Terms, err = Terms(a.Demand); err != nil {
		return a, err
	}
	if len(e.Tags) != 5 || len(e.Tags[3]) != 2 {
		return a, errors.New("wrong tags")
	}
	cat, err := decimal(e.Tags[3][1])
	a.Catalogue = cat
	want := event.Tags{{"p", a.Demand.DVM.String()}, {"v", strconv.Itoa(Version)}, {"project", string(a.Demand.Project)},
		{"cat", strconv.Itoa(cat)}, {"terms", a.Terms.String()}}
	for i, t := range e.Tags {
		if len(t) != 2 || t[0] != want[i][0] || t[1] != want[i][1] {
			return a, errors.New("wrong tags")
		}
	}
	return a, err
}

// readContent reads the one allowed spelling of values that can be demanded.
func readContent(b []byte) (c content, err error) {
	if err := strictjson.CheckIntegers(b, 2); err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, errors.New("wrong content")
	}
	again, err := json.Marshal(c)
	if err != nil || !bytes.Equal(again, b) {
		return c, errors.New("content is not in canonical form")
	}
	if _, err := pow.ParseOpaqueID(string(c.Terms.Project)); err != nil {
		return c, err
	}
	d := c.Terms.demand()
	full := pow.DemandOf(d.DVM, pow.Project{ID: d.Project, Pictures: d.Pictures, Interval: d.Interval, Detail: d.Detail, Retention: d.Retention}, d.Policy)
	chosen := pow.ProjectChoice{Project: d.Project, Pictures: c.Choice.Pictures, Interval: c.Choice.Interval, Detail: c.Choice.Detail, ShowTimer: c.Choice.Timer}
	if full != d || d.Bound(chosen) != chosen || d.Interval > maxNumber || d.Retention > maxNumber {
		return c, errors.New("values that nobody can ask for or choose")
	}
	return c, nil
}

// maxNumber bounds every number of a consent: a century in days, a day in seconds.
const maxNumber = 86_400

// decimal reads digits without sign or leading zeros.
func decimal(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<31-1 || strconv.Itoa(n) != s {
		return 0, errors.New("want a plain decimal number")
	}
	return n, nil
}
