package queue

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Split takes a delivery that is too large for one proof back to Queued and
// halves it: time, captures and rows of activity go to the half they belong to.
// Totals of activity cannot be known for a part; they become unknown. It
// returns the later half. Errors: pow.ErrTooLarge when there is nothing to
// halve; pow.ErrLocked; pow.ErrUsage as Rebuild.
func (q *Queue) Split(id string) (later pow.Delivery, err error) {
	q.sealing.Lock()
	defer q.sealing.Unlock()
	other, err := pow.NewULID(q.cfg.Now(), rand.Reader)
	if err != nil {
		return later, err
	}
	old := q.index.delivery(id).sealed
	_, err = q.change(id, func(t *tx, r *record) error {
		if err := q.rebuild(t, r); err != nil {
			return err
		}
		half, err := q.halve(t, r, other)
		if err != nil {
			return err
		}
		later = half.Delivery
		return q.putRecord(t, half)
	})
	return later, errors.Join(err, q.removeUnused(old))
}

// halve cuts r to its first half and returns the second.
func (q *Queue) halve(t *tx, r *record, id string) (half record, err error) {
	i := r.Interval
	mid := i.From.Add(i.Duration() / 2).Truncate(time.Second)
	first, second := pow.Interval{From: i.From, To: mid}, pow.Interval{From: mid, To: i.To}
	if !first.Valid() || len(r.CaptureIDs) == 1 {
		return half, pow.ErrTooLarge
	}
	half = record{Delivery: r.Delivery}
	half.ID, half.Interval, half.CaptureIDs = id, second, nil
	for _, c := range slices.Clone(r.CaptureIDs) {
		var row captureRow
		if found, err := t.getJSON(tabCaptures, c, &row); err != nil {
			return half, err
		} else if !found || row.At.Before(mid) {
			continue
		}
		row.Delivery = id
		if err := q.putCaptureRow(t, c, row); err != nil {
			return half, err
		}
		half.CaptureIDs = append(half.CaptureIDs, c)
		r.CaptureIDs = slices.DeleteFunc(r.CaptureIDs, func(o string) bool { return o == c })
	}
	r.Interval = first
	half.Without, half.Kept, half.ByHand = partsIn(r.Without, second), partsIn(r.Kept, second), partsIn(r.ByHand, second)
	r.Without, r.Kept, r.ByHand = partsIn(r.Without, first), partsIn(r.Kept, first), partsIn(r.ByHand, first)
	r.Captures, half.Captures = len(r.CaptureIDs), len(half.CaptureIDs)
	if r.Action == pow.ActionStop {
		r.Action = pow.ActionExtend
	}
	if half.Action == pow.ActionStart {
		half.Action = pow.ActionExtend
	}
	consent, err := t.get(tabConsents, r.ID)
	if err == nil && consent != nil {
		err = t.put(tabConsents, id, slices.Clone(consent))
	}
	return half, errors.Join(err, q.halveActivity(t, r.ID, id, first, second))
}

// partsIn cuts intervals to a span.
func partsIn(in []pow.Interval, span pow.Interval) []pow.Interval {
	out := make([]pow.Interval, 0, len(in))
	for _, i := range in {
		out = append(out, i.Intersect(span))
	}
	return pow.Union(out)
}

func (q *Queue) halveActivity(t *tx, id, other string, first, second pow.Interval) error {
	var whole pow.Activity
	if found, err := q.getSecret(t, tabActivity, id, &whole); !found || err != nil {
		return err
	}
	return errors.Join(q.putActivity(t, id, partOf(whole, first)), q.putActivity(t, other, partOf(whole, second)))
}

func partOf(a pow.Activity, part pow.Interval) pow.Activity {
	rows := a.Rows
	a.Active, a.Away, a.Unknown, a.Rows = 0, 0, part.Duration(), nil
	for _, row := range rows {
		cut := pow.Interval{From: row.From, To: row.To}.Intersect(part)
		if cut.Valid() {
			row.From, row.To = cut.From, cut.To
			a.Rows = append(a.Rows, row)
		}
	}
	return a
}
