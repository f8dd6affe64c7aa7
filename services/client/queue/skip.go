package queue

import (
	"crypto/rand"
	"errors"
	"time"

	"pow.do/services/pow"
)

// skipRow is a moment at which a picture was due and none was taken.
type skipRow struct {
	Session  pow.SessionID  `json:"session"`
	At       time.Time      `json:"at"`
	Display  int            `json:"display"`
	Reason   pow.SkipReason `json:"reason"`
	Delivery string         `json:"delivery,omitempty"` // "": of no proof yet
}

// AddSkip notes that no picture of a display was taken at a moment of a session,
// and why.
func (q *Queue) AddSkip(session pow.SessionID, at time.Time, display int, reason pow.SkipReason) error {
	if !pow.IsULID(string(session)) || at.IsZero() || reason == "" {
		return errors.New("note a skipped picture: it has no session, moment or reason")
	}
	id, err := pow.NewULID(at, rand.Reader)
	if err != nil {
		return err
	}
	return q.update(func(t *tx) error {
		return t.putJSON(tabSkips, id, skipRow{Session: session, At: at.UTC(), Display: display, Reason: reason})
	})
}

// takeSkips gives the skipped moments of a delivery's interval to it and counts them.
func (q *Queue) takeSkips(t *tx, d pow.Delivery) (n int, err error) {
	taken := map[string]skipRow{}
	err = t.each(tabSkips, func(id string, payload []byte) error {
		var s skipRow
		if err := unmarshalRow(payload, &s); err != nil {
			return err
		}
		if s.Session == d.Session && s.Delivery == "" && d.Interval.Contains(s.At) {
			s.Delivery = d.ID
			taken[id] = s
		}
		return nil
	})
	for id, s := range taken {
		err = errors.Join(err, t.putJSON(tabSkips, id, s))
	}
	return len(taken), err
}

// removeSkips forgets the skipped moments that pass.
func (q *Queue) removeSkips(t *tx, pass func(skipRow) bool) (err error) {
	var gone []string
	err = t.each(tabSkips, func(id string, payload []byte) error {
		var s skipRow
		if err := unmarshalRow(payload, &s); err != nil {
			return err
		}
		if pass(s) {
			gone = append(gone, id)
		}
		return nil
	})
	for _, id := range gone {
		err = errors.Join(err, t.del(tabSkips, id))
	}
	return err
}

// moveSkips gives the skipped moments of an interval to another session.
func (q *Queue) moveSkips(t *tx, i pow.Interval, from, to pow.SessionID) error {
	moved := map[string]skipRow{}
	err := t.each(tabSkips, func(id string, payload []byte) error {
		var s skipRow
		if err := unmarshalRow(payload, &s); err != nil {
			return err
		}
		if s.Session == from && s.Delivery == "" && i.Contains(s.At) {
			s.Session = to
			moved[id] = s
		}
		return nil
	})
	for id, s := range moved {
		err = errors.Join(err, t.putJSON(tabSkips, id, s))
	}
	return err
}
