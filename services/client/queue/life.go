package queue

import (
	"encoding/json"
	"errors"
	"slices"

	"pow.do/services/pow"
)

// EndLife erases what a Receipt has made unnecessary: captures, activity, head,
// Sealed file, seal and Letters of a delivery. Statement, Receipt and the
// Receipt's seal stay. It is harmless to repeat. The bytes leave the file with
// the next Tidy, at the latest with the next Open. Errors: pow.ErrUsage unless
// the delivery holds a Receipt that ends its life (accepted, booked, parked)
// for one of its own Sealed.
func (q *Queue) EndLife(id string) error {
	old := q.index.delivery(id).sealed
	_, err := q.change(id, func(t *tx, r *record) error {
		if !mayEnd(r.Delivery) {
			return usage("no Receipt lets this proof be erased")
		}
		for _, c := range r.CaptureIDs {
			if err := q.removeCapture(t, c); err != nil {
				return err
			}
		}
		if err := q.removeSkips(t, func(s skipRow) bool { return s.Delivery == id }); err != nil {
			return err
		}
		r.Ended, r.CaptureIDs = true, nil
		r.Notice, r.SealEvent, r.Letter = nil, nil, nil
		return errors.Join(t.del(tabActivity, id), t.del(tabConsents, id), t.del(tabHeads, id), q.markErased(t))
	})
	return errors.Join(err, q.removeUnused(old))
}

func mayEnd(d pow.Delivery) bool {
	return d.Receipt != nil && d.Receipt.Code.EndsLife() && slices.Contains(d.SealedHashes, d.Receipt.Sealed)
}

// schema is the number of this layout.
const schema = 1

// mend makes memory and file agree after Open, and finishes what a kill
// interrupted.
func (q *Queue) mend(r *Report, first bool) error {
	err := q.commit(func(t *tx) error {
		if err := q.checkSchema(t); err != nil {
			return err
		}
		q.index.reset()
		steps := []func(*tx) error{q.loadDeliveries, q.restoreCaptures, q.loadCaptures, q.loadOrphans, q.loadGaps, q.purgeLetters}
		for _, step := range steps {
			if err := step(t); err != nil {
				return err
			}
		}
		return q.loadSegments(t, r, first)
	})
	if err != nil {
		return err
	}
	if err := q.sweepSealed(); err != nil {
		return err
	}
	return q.tidy()
}

func (q *Queue) checkSchema(t *tx) error {
	n := schema
	found, err := t.getJSON(tabMeta, metaSchema, &n)
	switch {
	case err != nil:
		return err
	case n > schema:
		return pow.ErrVersion
	case !found:
		return t.putJSON(tabMeta, metaSchema, n)
	}
	return nil
}

// loadDeliveries fills the index and lets the chain end where the deliveries
// say, should its own row have been lost.
func (q *Queue) loadDeliveries(t *tx) error {
	var end, stored chain
	if _, err := t.getJSON(tabMeta, metaChain, &stored); err != nil {
		return err
	}
	end = stored
	for _, id := range t.keys(tabDeliveries, func(string) bool { return true }) {
		r, err := q.record(t, id)
		if err != nil {
			return err
		}
		t.then(func() { q.index.setDelivery(r) })
		if s := r.Statement; s != nil && s.Seq > end.Seq {
			end = chain{s.Seq, s.ID}
		}
	}
	if end == stored {
		return nil
	}
	return t.putJSON(tabMeta, metaChain, end)
}

// restoreCaptures gives pictures back the clear row that a damaged page took.
func (q *Queue) restoreCaptures(t *tx) error {
	lost := t.keys(tabPictures, func(id string) bool { return !t.has(tabCaptures, id) })
	if len(lost) == 0 {
		return nil
	}
	owner := map[string]string{}
	for _, id := range t.keys(tabDeliveries, func(string) bool { return true }) {
		r, err := q.record(t, id)
		if err != nil {
			return err
		}
		for _, c := range r.CaptureIDs {
			owner[c] = id
		}
	}
	for _, id := range lost {
		var row captureRow
		picture, err := t.get(tabPictures, id)
		if err != nil {
			return err
		}
		if stub, _, err := cutPrefix(picture); err != nil || json.Unmarshal(stub, &row) != nil {
			continue
		}
		row.Delivery = owner[id]
		if err := t.putJSON(tabCaptures, id, row); err != nil {
			return err
		}
	}
	return nil
}

// loadCaptures fills the index and settles what a damaged file left half.
func (q *Queue) loadCaptures(t *tx) error {
	for _, id := range t.keys(tabCaptures, func(string) bool { return true }) {
		var row captureRow
		if _, err := t.getJSON(tabCaptures, id, &row); err != nil {
			return err
		}
		keep, err := q.keepsCapture(t, id, &row)
		switch {
		case err != nil:
			return err
		case keep:
			t.then(func() { q.index.hold(id, row) })
		default:
			if err := errors.Join(q.removeCapture(t, id), q.markErased(t)); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepsCapture tells whether a capture still has a reason to be here: one
// without picture or details is nothing, one that was dropped or delivered is to be
// erased, one whose delivery was lost is held again.
func (q *Queue) keepsCapture(t *tx, id string, row *captureRow) (bool, error) {
	whole := t.has(tabPictures, id) && t.has(tabDetails, id)
	if !whole || t.has(tabDropped, string(row.Session)+"/"+id) {
		return false, nil
	}
	if row.Delivery == "" {
		return true, nil
	}
	r, err := q.record(t, row.Delivery)
	if errors.Is(err, pow.ErrNotFound) {
		row.Delivery = ""
		return true, t.putJSON(tabCaptures, id, *row)
	}
	return !r.Ended, err
}

// loadOrphans erases rows whose capture, delivery or segment is gone.
func (q *Queue) loadOrphans(t *tx) error {
	for child, parent := range map[table]table{
		tabDetails: tabCaptures, tabPictures: tabCaptures, tabOriginals: tabCaptures, tabBefore: tabCaptures, tabWas: tabSegments, tabActivity: tabDeliveries,
		tabConsents: tabDeliveries, tabHeads: tabDeliveries, tabTexts: tabDeliveries, tabEvidence: tabDeliveries, tabNotes: tabSegments,
	} {
		orphans := t.keys(child, func(key string) bool { return !t.has(parent, key) })
		for _, key := range orphans {
			if err := errors.Join(t.del(child, key), q.markErased(t)); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadSegments fills the index. What was running when the last process died
// ends at its last Tick.
func (q *Queue) loadSegments(t *tx, r *Report, first bool) error {
	for _, id := range t.keys(tabSegments, func(string) bool { return true }) {
		var s Segment
		if _, err := t.getJSON(tabSegments, id, &s); err != nil {
			return err
		}
		if s.Open && first {
			s.Open = false
			r.Interrupted = &s
			if err := t.putJSON(tabSegments, id, s); err != nil {
				return err
			}
		}
		t.then(func() { q.index.setSegment(s) })
	}
	return nil
}
