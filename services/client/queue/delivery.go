package queue

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"pow.do/services/pow"
)

// record is a Delivery as it is stored: without the Receipt's text, which rests
// encrypted in a table of its own.
type record struct {
	pow.Delivery
	Dropped int `json:"dropped,omitempty"` // captures that the worker took out
	Skipped int `json:"skipped,omitempty"` // moments at which none was taken
	// Kept and ByHand are the marks of its time as they were when it was made: what
	// is sealed again must be the same.
	Kept   []pow.Interval `json:"kept,omitempty"`
	ByHand []pow.Interval `json:"by_hand,omitempty"`
	Ended  bool           `json:"ended,omitempty"` // a Receipt ended the proof's life; all but the header is erased
}

func (q *Queue) record(t *tx, id string) (r record, err error) {
	found, err := t.getJSON(tabDeliveries, id, &r)
	if err != nil || !found {
		return r, orNotFound(err)
	}
	if r.Sealed != nil {
		r.Sealed.Open = q.opensSealed(r.Sealed.Hash)
	}
	return r, nil
}

func (q *Queue) opensSealed(h pow.Hash) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := os.Open(q.sealedPath(h))
		if err != nil {
			return nil, fmt.Errorf("open a sealed archive: %w", err)
		}
		return f, nil
	}
}

// putRecord stores r; a new text of its Receipt goes to where texts rest.
func (q *Queue) putRecord(t *tx, r record) error {
	r.Updated = q.cfg.Now().UTC()
	if _, reached := r.Steps[r.State]; !reached {
		r.Steps = maps.Clone(r.Steps)
		if r.Steps == nil {
			r.Steps = map[pow.State]time.Time{}
		}
		r.Steps[r.State] = r.Updated
	}
	if r.Receipt != nil && r.Receipt.Text != "" {
		ciphertext, err := q.seal([]byte(r.Receipt.Text))
		if err != nil {
			return err
		}
		if err := t.put(tabTexts, r.ID, ciphertext); err != nil {
			return err
		}
		stripped := *r.Receipt
		stripped.Text = ""
		r.Receipt = &stripped
	}
	t.then(func() { q.index.setDelivery(r) })
	return t.putJSON(tabDeliveries, r.ID, r)
}

// full adds the Receipt's text where the queue is unlocked.
func (q *Queue) full(t *tx, r record) (pow.Delivery, error) {
	ciphertext, err := t.get(tabTexts, r.ID)
	if err != nil || ciphertext == nil || r.Receipt == nil {
		return r.Delivery, err
	}
	plain, err := q.unseal(ciphertext)
	if errors.Is(err, pow.ErrLocked) {
		return r.Delivery, nil
	}
	r.Receipt.Text = string(plain)
	return r.Delivery, err
}

// Enqueue turns tracked time into deliveries, all of them or none. Every held
// capture of the session whose moment lies in a delivery's interval goes along;
// CaptureIDs and Captures are filled in here. It makes final what the person
// decided: pictures as they were before their edits, and removed ones, are
// erased with what is left of their bytes in the file; only their number stays. A delivery that is there already
// (the caller was killed before it saw the answer) is left as it is. Errors:
// pow.ErrUsage when an interval is not whole seconds or is carried already.
func (q *Queue) Enqueue(ds []pow.Delivery) error {
	err := q.update(func(t *tx) error {
		if err := q.settle(t, ds); err != nil {
			return err
		}
		covered := q.index.covered()
		for _, d := range ds {
			if old, err := q.record(t, d.ID); err == nil {
				if old.Session != d.Session || old.Interval != utc(d.Interval) {
					return usage("another proof has this id")
				}
				continue
			} else if !errors.Is(err, pow.ErrNotFound) {
				return err
			}
			if err := checkNew(d, covered[d.Session]); err != nil {
				return err
			}
			if err := q.enqueue(t, d, ds); err != nil {
				return err
			}
			covered[d.Session] = append(covered[d.Session], coverage{d.Interval, pow.Queued})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.Tidy()
}

func usage(what string) error { return &pow.Error{Code: pow.ErrUsage.Code, What: what} }

func utc(i pow.Interval) pow.Interval { return pow.Interval{From: i.From.UTC(), To: i.To.UTC()} }

func checkNew(d pow.Delivery, covered []coverage) error {
	switch {
	case !pow.IsULID(d.ID) || !pow.IsULID(string(d.Session)) || d.Project == "":
		return usage("a proof needs an id, a session and a project")
	case !d.Interval.Valid() || d.Interval.From.Nanosecond() != 0 || d.Interval.To.Nanosecond() != 0:
		return usage("a proof needs an interval of whole seconds")
	}
	for _, c := range covered {
		if c.interval.Intersect(d.Interval).Valid() {
			return usage("this time is in another proof already")
		}
	}
	return nil
}

func (q *Queue) enqueue(t *tx, d pow.Delivery, batch []pow.Delivery) error {
	r := record{Delivery: d}
	r.Interval, r.State, r.CaptureIDs = utc(d.Interval), pow.Queued, nil
	if r.Created.IsZero() {
		r.Created = q.cfg.Now().UTC()
	}
	for id, h := range q.index.heldCaptures() {
		var row captureRow
		if h.Session != d.Session || h.Removed != "" {
			continue
		}
		if found, err := t.getJSON(tabCaptures, id, &row); err != nil {
			return err
		} else if !found || row.Delivery != "" || !q.belongs(row, r.Interval, batch) {
			continue
		}
		row.Delivery = d.ID
		if err := errors.Join(q.putCaptureRow(t, id, row), q.forgetOriginal(t, id, row)); err != nil {
			return err
		}
		r.CaptureIDs = append(r.CaptureIDs, id)
	}
	slices.Sort(r.CaptureIDs)
	r.Captures = len(r.CaptureIDs)
	r.Kept, r.ByHand = q.Marks(r.Session, r.Interval)
	before := r.Interval.To
	if !slices.ContainsFunc(batch, func(o pow.Delivery) bool { return o.Session == d.Session && o.Interval.From.After(d.Interval.From) }) {
		before = never // the last of its session has the rest
	}
	var err error
	if r.Dropped, err = q.takeDropped(t, d.Session, before); err != nil {
		return err
	}
	if r.Skipped, err = q.takeSkips(t, r.Delivery); err != nil {
		return err
	}
	return q.putRecord(t, r)
}

func (q *Queue) putCaptureRow(t *tx, id string, row captureRow) error {
	t.then(func() { q.index.hold(id, row) })
	return t.putJSON(tabCaptures, id, row)
}

// belongs tells whether a capture goes with an interval. One at the very end
// does when no other time of its session could take it.
func (q *Queue) belongs(row captureRow, i pow.Interval, batch []pow.Delivery) bool {
	if i.Contains(row.At) || !row.At.Equal(i.To) {
		return i.Contains(row.At)
	}
	taken := slices.ContainsFunc(q.index.allSegments(), func(s Segment) bool {
		return s.Session == row.Session && s.Interval.Contains(row.At)
	})
	return !taken && !slices.ContainsFunc(batch, func(d pow.Delivery) bool {
		return d.Session == row.Session && d.Interval.Contains(row.At)
	})
}

// takeDropped counts what was dropped of a session before a moment, once.
func (q *Queue) takeDropped(t *tx, session pow.SessionID, before time.Time) (n int, err error) {
	var taken []string
	err = t.each(tabDropped, func(key string, payload []byte) error {
		var at time.Time
		if err := json.Unmarshal(payload, &at); err != nil {
			return damaged("dropped")
		}
		if len(key) > len(session) && key[:len(session)] == string(session) && at.Before(before) {
			taken = append(taken, key)
		}
		return nil
	})
	for _, key := range taken {
		err = errors.Join(err, t.del(tabDropped, key))
	}
	return len(taken), err
}

// Deliveries returns every delivery, in order of making.
func (q *Queue) Deliveries() ([]pow.Delivery, error) {
	return q.some(func(brief) bool { return true })
}

// Pending returns the deliveries that are not done with, in order of making:
// not Booked, or not erased yet, or with a blob that the DVM could not delete.
func (q *Queue) Pending() ([]pow.Delivery, error) {
	return q.some(func(b brief) bool { return b.pending })
}

func (q *Queue) some(pass func(brief) bool) (out []pow.Delivery, err error) {
	err = q.view(func(t *tx) error {
		for _, id := range q.index.ids(pass) {
			r, err := q.record(t, id)
			if err != nil {
				return err
			}
			d, err := q.full(t, r)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b pow.Delivery) int {
		return cmp.Or(a.Created.Compare(b.Created), a.Interval.From.Compare(b.Interval.From))
	})
	return out, err
}

// Delivery returns one delivery. Errors: pow.ErrNotFound.
func (q *Queue) Delivery(id string) (d pow.Delivery, err error) {
	err = q.view(func(t *tx) error {
		r, err := q.record(t, id)
		if err != nil {
			return err
		}
		d, err = q.full(t, r)
		return err
	})
	return d, err
}

// ByNotice finds the delivery that ever issued a Notice with this rumor id.
func (q *Queue) ByNotice(notice pow.Hash) (id string, found bool) { return q.index.byNotice(notice) }

// Counts returns how many deliveries are in each state.
func (q *Queue) Counts() map[pow.State]int { return q.index.count() }

// Update changes a delivery in one transaction and returns it. fn may run on a
// delivery that has moved on since the caller saw it, and may refuse with an
// error, which leaves everything as it was.
func (q *Queue) Update(id string, fn func(*pow.Delivery) error) (pow.Delivery, error) {
	return q.Answer(id, nil, fn)
}

// Answer is Update for a Receipt: evidence, its seal as it came, is kept with
// the delivery in the same transaction; nil keeps what is there.
func (q *Queue) Answer(id string, evidence []byte, fn func(*pow.Delivery) error) (pow.Delivery, error) {
	return q.change(id, func(t *tx, r *record) error {
		if err := fn(&r.Delivery); err != nil || evidence == nil {
			return err
		}
		return t.put(tabEvidence, id, evidence)
	})
}

// change reads, changes and stores a record in one transaction.
func (q *Queue) change(id string, fn func(*tx, *record) error) (d pow.Delivery, err error) {
	err = q.update(func(t *tx) error {
		r, err := q.record(t, id)
		if err != nil {
			return err
		}
		if err := fn(t, &r); err != nil {
			return err
		}
		if err := q.putRecord(t, r); err != nil {
			return err
		}
		r, err = q.record(t, id)
		d = r.Delivery
		return err
	})
	return d, err
}

// Evidence returns the seal (kind 13) of the Receipt that ended a proof's life;
// nil when there is none yet.
func (q *Queue) Evidence(id string) (seal []byte, err error) {
	err = q.view(func(t *tx) error {
		b, err := t.get(tabEvidence, id)
		seal = slices.Clone(b)
		return err
	})
	return seal, err
}

// SetActivity stores what ActivityWatch said about a delivery's interval,
// encrypted. It may come before Enqueue, so that no proof is sealed without it.
func (q *Queue) SetActivity(id string, a pow.Activity) error {
	return q.update(func(t *tx) error { return q.putActivity(t, id, a) })
}

// SetConsent stores the signed consent that a delivery carries, encrypted. It
// may come before Enqueue, like SetActivity.
func (q *Queue) SetConsent(id string, signed []byte) error {
	ciphertext, err := q.seal(signed)
	if err != nil {
		return err
	}
	return q.update(func(t *tx) error { return t.put(tabConsents, id, ciphertext) })
}

func (q *Queue) putActivity(t *tx, id string, a pow.Activity) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("store activity: %w", err)
	}
	ciphertext, err := q.seal(plain)
	if err != nil {
		return err
	}
	return t.put(tabActivity, id, ciphertext)
}

// ProofOf puts a proof together for sealing. Errors: pow.ErrLocked,
// pow.ErrNotFound.
func (q *Queue) ProofOf(id string) (p pow.Proof, err error) {
	err = q.view(func(t *tx) error {
		r, err := q.record(t, id)
		if err != nil {
			return err
		}
		p = pow.Proof{
			Session: r.Session, Project: r.Project, KimaiActivity: r.KimaiActivity,
			Interval: r.Interval, Dropped: r.Dropped, Skipped: r.Skipped,
			Without: r.Without, Kept: r.Kept, ByHand: r.ByHand,
		}
		for _, c := range r.CaptureIDs {
			capture, found, err := q.capture(t, c)
			if err != nil {
				return err
			}
			if found {
				capture.Again = within(capture.Again, r.Interval)
				p.Captures = append(p.Captures, capture)
			}
		}
		sortCaptures(p.Captures)
		if _, err := q.getSecret(t, tabActivity, id, &p.Activity); err != nil {
			return err
		}
		ciphertext, err := t.get(tabConsents, id)
		if err != nil {
			return err
		}
		if ciphertext != nil {
			if p.Consent, err = q.unseal(ciphertext); err != nil {
				return err
			}
		}
		p.Note, err = q.proofNote(t, r)
		return err
	})
	if err == nil && !q.unlocked() {
		return pow.Proof{}, pow.ErrLocked
	}
	return p, err
}

// within keeps the moments that a proof may name, in order: those of its
// interval, the whole of its last second included.
func within(moments []time.Time, i pow.Interval) (out []time.Time) {
	i.To = i.To.Add(time.Second)
	for _, m := range moments {
		if i.Contains(m) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func (q *Queue) proofNote(t *tx, r record) (string, error) {
	var notes []string
	segments := q.index.allSegments()
	slices.SortStableFunc(segments, func(a, b Segment) int { return a.Interval.From.Compare(b.Interval.From) })
	for _, s := range segments {
		if s.Session != r.Session || !s.Interval.Intersect(r.Interval).Valid() {
			continue
		}
		n, err := q.note(t, tabNotes, s.ID)
		if err != nil {
			return "", err
		}
		notes = append(notes, n)
	}
	return joinNotes(notes), nil
}
