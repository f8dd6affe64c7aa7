package queue

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// review is what the person decided about a held capture. Nothing of it is
// final before Enqueue: the picture as it was taken stays beside the edited one,
// and a removed one stays where it is. Enqueue makes it final and erases, in the
// same transaction that makes the proofs.
type review struct {
	Approved bool             `json:"approved,omitempty"`
	Removed  pow.PictureState `json:"removed,omitempty"` // pow.PictureRemoved, pow.TimeRemoved
	Cut      []pow.Interval   `json:"cut,omitempty"`     // the time that goes with it
	Edited   bool             `json:"edited,omitempty"`
	Areas    int              `json:"areas,omitempty"`
	Covered  int              `json:"covered,omitempty"`
	Cropped  bool             `json:"cropped,omitempty"`
}

// Edited is a picture after all its edits, exactly as it will be sealed.
type Edited struct {
	Edits   [][]pow.Edit // in order of the acts
	Picture []byte
	Thumb   []byte
	Format  string // of Picture: png or jpg
	Width   int
	Height  int
	Areas   int
	Covered int // thousandths
	Cropped bool
	Window  pow.Rect // in its own pixels; empty when there is none any more
}

// Edit puts the edited picture of a held capture into its place. The picture as
// it was taken stays, encrypted, until Enqueue. Errors: pow.ErrNotFound when it
// is not held; pow.ErrTooLarge; pow.ErrLocked.
func (q *Queue) Edit(id string, e Edited) error {
	return q.update(func(t *tx) error {
		row, err := q.heldRow(t, id)
		if err != nil {
			return err
		}
		if err := q.keepOriginal(t, id, row); err != nil {
			return err
		}
		d, _, err := q.details(t, id)
		if err != nil {
			return err
		}
		s, err := q.sealCapture(pow.Capture{ID: id, Session: row.Session, At: row.At, Again: row.Again, Display: d.Display,
			Format: e.Format, Width: e.Width, Height: e.Height, Window: e.Window}, e.Edits, e.Picture, e.Thumb)
		if err != nil {
			return err
		}
		s.row.review = review{Edited: true, Areas: e.Areas, Covered: e.Covered, Cropped: e.Cropped, Removed: row.Removed, Cut: row.Cut}
		return q.putCapture(t, id, s)
	})
}

// keepOriginal puts the picture as it was taken aside, before its first edit.
func (q *Queue) keepOriginal(t *tx, id string, row captureRow) error {
	if row.Edited {
		return nil
	}
	for from, to := range map[table]table{tabPictures: tabOriginals, tabDetails: tabBefore} {
		payload, err := t.get(from, id)
		if err != nil || payload == nil {
			return orNotFound(err)
		}
		if err := t.put(to, id, slices.Clone(payload)); err != nil {
			return err
		}
	}
	return nil
}

// Unedit brings the picture of a held capture back as it was taken. Errors:
// pow.ErrNotFound when it is not held.
func (q *Queue) Unedit(id string) error {
	return q.update(func(t *tx) error {
		row, err := q.heldRow(t, id)
		if err != nil || !row.Edited {
			return err
		}
		var before captureRow
		for from, to := range map[table]table{tabOriginals: tabPictures, tabBefore: tabDetails} {
			payload, err := t.get(from, id)
			if err != nil || payload == nil {
				return orNotFound(err)
			}
			if err := t.put(to, id, slices.Clone(payload)); err != nil {
				return err
			}
			if stub, _, err := cutPrefix(payload); from == tabOriginals && err == nil {
				if err := unmarshalRow(stub, &before); err != nil {
					return err
				}
			}
		}
		row.Size, row.review = before.Size, review{Removed: row.Removed, Cut: row.Cut}
		return errors.Join(q.putCaptureRow(t, id, row), q.removeOriginal(t, id))
	})
}

func (q *Queue) removeOriginal(t *tx, id string) error {
	return errors.Join(t.del(tabOriginals, id), t.del(tabBefore, id))
}

// heldRow reads the row of a held capture. Errors: pow.ErrNotFound.
func (q *Queue) heldRow(t *tx, id string) (row captureRow, err error) {
	found, err := t.getJSON(tabCaptures, id, &row)
	if err != nil || !found || row.Delivery != "" {
		return row, orNotFound(err)
	}
	return row, nil
}

// Original returns a capture as it was taken, with the edits that were made
// since; its Open reads the picture before them. Errors: pow.ErrLocked,
// pow.ErrNotFound.
func (q *Queue) Original(id string) (c pow.Capture, edits [][]pow.Edit, err error) {
	err = q.view(func(t *tx) error {
		var row captureRow
		if found, err := t.getJSON(tabCaptures, id, &row); err != nil || !found {
			return orNotFound(err)
		}
		now, _, err := q.details(t, id)
		if err != nil {
			return err
		}
		d, pictures := now, tabPictures
		if row.Edited && t.has(tabOriginals, id) {
			pictures = tabOriginals
			if d, _, err = q.detailsIn(t, tabBefore, id); err != nil {
				return err
			}
		}
		edits = now.Edits
		c = pow.Capture{ID: id, Session: row.Session, At: row.At, Again: row.Again, Display: d.Display, Format: d.Format,
			Width: d.Width, Height: d.Height, Hash: d.Hash, Window: d.Window,
			Open: func() (io.ReadCloser, error) { return q.openPicture(pictures, id) }}
		return nil
	})
	return c, edits, err
}

// Approve marks held captures as looked at; removed ones come back. Ids that are
// not held are skipped.
func (q *Queue) Approve(ids ...string) error {
	return q.mark(ids, func(_ string, r *review) { r.Approved, r.Removed, r.Cut = true, "", nil })
}

// Remove takes pictures out of what Enqueue will take: with cut, their time too,
// which cut names by capture; nil keeps all time. Ids that are not held are
// skipped.
func (q *Queue) Remove(ids []string, cut map[string][]pow.Interval) error {
	return q.mark(ids, func(id string, r *review) {
		r.Removed, r.Cut = pow.PictureRemoved, nil
		if cut != nil {
			r.Removed, r.Cut = pow.TimeRemoved, cut[id]
		}
	})
}

// Restore takes removals back, with their time. Ids that are not held are skipped.
func (q *Queue) Restore(ids ...string) error {
	return q.mark(ids, func(_ string, r *review) { r.Removed, r.Cut = "", nil })
}

// Disapprove takes approvals back. Ids that are not held are skipped.
func (q *Queue) Disapprove(ids ...string) error {
	return q.mark(ids, func(_ string, r *review) { r.Approved = false })
}

func (q *Queue) mark(ids []string, change func(id string, r *review)) error {
	return q.update(func(t *tx) error {
		for _, id := range ids {
			row, err := q.heldRow(t, id)
			if errors.Is(err, pow.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			change(id, &row.review)
			if err := q.putCaptureRow(t, id, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Pictures returns the captures whose moment lies in a span, and the rows that
// say why there is none, in order of time. Of the project only the id is known
// here. Errors: pow.ErrLocked.
func (q *Queue) Pictures(span pow.Interval) (out []pow.Picture, err error) {
	err = q.view(func(t *tx) error {
		times := q.times()
		err := t.each(tabCaptures, func(id string, payload []byte) error {
			var row captureRow
			if err := unmarshalRow(payload, &row); err != nil || !span.Contains(row.At) {
				return err
			}
			p, err := q.picture(t, id, row, times)
			out = append(out, p)
			return err
		})
		if err != nil {
			return err
		}
		return t.each(tabSkips, func(id string, payload []byte) error {
			var s skipRow
			if err := unmarshalRow(payload, &s); err != nil || !span.Contains(s.At) {
				return err
			}
			out = append(out, pow.Picture{CaptureInfo: pow.CaptureInfo{ID: id, At: s.At, Display: s.Display}, Session: s.Session,
				Project: pow.ProjectRef{ID: times.project(s.Session, s.At)}, State: pow.PictureSkipped, Reason: s.Reason, Delivery: s.Delivery})
			return nil
		})
	})
	slices.SortFunc(out, func(a, b pow.Picture) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Display, b.Display), strings.Compare(a.ID, b.ID))
	})
	return out, err
}

func (q *Queue) picture(t *tx, id string, row captureRow, times sessionTimes) (p pow.Picture, err error) {
	p = pow.Picture{
		CaptureInfo: pow.CaptureInfo{ID: id, At: row.At, Size: row.Size, Again: len(row.Again)},
		Session:     row.Session, Project: pow.ProjectRef{ID: times.project(row.Session, row.At)},
		Areas: row.Areas, Covered: row.Covered, Cropped: row.Cropped, Delivery: row.Delivery,
		State: row.state(), Undo: row.Delivery == "" && (row.Removed != "" || row.Edited || row.Approved),
	}
	if p.State != pow.PictureSealed && row.Removed == "" && !times.holds(row) {
		p.State, p.Undo = pow.TimeRemoved, false // its time was taken out by other means
	}
	d, _, err := q.details(t, id)
	switch {
	case errors.Is(err, pow.ErrLocked):
		return p, err
	case err != nil || !t.has(tabPictures, id):
		p.Damaged = true
	}
	p.Display, p.Width, p.Height, p.Format, p.Window = d.Display, d.Width, d.Height, d.Format, d.Window
	return p, nil
}

func (r captureRow) state() pow.PictureState {
	switch {
	case r.Delivery != "":
		return pow.PictureSealed
	case r.Removed != "":
		return r.Removed
	case r.Approved:
		return pow.PictureApproved
	case r.Edited:
		return pow.PictureEdited
	}
	return pow.PictureHeld
}

// Shots returns the held moments of a session for the rule of slots: its
// captures, those that were removed too, and the moments without one.
func (q *Queue) Shots(session pow.SessionID) (out []pow.Shot, err error) {
	for id, row := range q.index.heldCaptures() {
		if row.Session == session {
			out = append(out, pow.Shot{ID: id, Moments: append(slices.Clone(row.Again), row.At), Gone: row.Removed != ""})
		}
	}
	err = q.view(func(t *tx) error {
		return t.each(tabSkips, func(_ string, payload []byte) error {
			var s skipRow
			if err := unmarshalRow(payload, &s); err != nil {
				return err
			}
			if s.Session == session && s.Delivery == "" {
				out = append(out, pow.Shot{Moments: []time.Time{s.At}})
			}
			return nil
		})
	})
	return out, err
}

// State returns where a held capture stands; held is false when it is none.
func (q *Queue) State(id string) (s pow.PictureState, session pow.SessionID, held bool) {
	row, held := q.index.heldCaptures()[id]
	if !held {
		return "", "", false
	}
	return row.state(), row.Session, true
}

// Shown returns what reads a capture as it will be sealed. Errors: pow.ErrNotFound.
func (q *Queue) Shown(id string) (open func() (io.ReadCloser, error), err error) {
	err = q.view(func(t *tx) error {
		c, found, err := q.capture(t, id)
		if err == nil && !found {
			return pow.ErrNotFound
		}
		open = c.Open
		return err
	})
	return open, err
}
