package kimai

import (
	"context"
	"errors"
	"net/url"
	"time"

	"pow.do/services/pow"
)

// widen is added to both sides of a window, so that the zone in which Kimai
// reads it decides nothing.
const widen = 26 * time.Hour

// clip returns the part of want that a server which forbids overlaps will take.
// Rounding makes sessions that follow each other collide there: what lies inside
// a neighbour of ours by at most the tolerance is given to the neighbour. id is
// the run's own record. A timer of the member's own that runs inside the span
// could not be stopped any more after our record is in its way.
func (b *booking) clip(ctx context.Context, want pow.Interval, id int64) (pow.Interval, error) {
	rows, err := b.neighbours(ctx, want, id)
	if err != nil {
		return want, err
	}
	for _, r := range rows {
		if r.running() && r.span.From.Before(want.To) {
			return want, overlap(pow.ParkOwnTimer, r.id)
		}
	}
	for range rows { // each can be cut at once at most
		for _, r := range rows {
			want = b.cut(want, r)
		}
	}
	if !want.Valid() {
		return want, &failure{class: park, reason: pow.ParkAbsorbed, err: errors.New("a neighbour's rounding covers it")}
	}
	for _, r := range rows {
		if !r.running() && r.span.Intersect(want).Valid() {
			return want, overlap(pow.ParkOverlap, r.id)
		}
	}
	return want, nil
}

// cut gives to one neighbour what its rounding took.
func (b *booking) cut(want pow.Interval, r record) pow.Interval {
	switch {
	case r.running() || !r.ours() || !want.Valid() || !r.span.Intersect(want).Valid():
	case !r.span.From.After(want.From):
		if r.span.To.Sub(want.From) <= b.cfg.Tolerance {
			want.From = r.span.To
		}
	case want.To.Sub(r.span.From) <= b.cfg.Tolerance:
		want.To = r.span.From
	}
	return want
}

// neighbours lists the member's other records near a span, and all that run.
func (b *booking) neighbours(ctx context.Context, want pow.Interval, id int64) ([]record, error) {
	near, err := b.records(ctx, b.sheet.KimaiUser, url.Values{
		"begin": {filterTime(want.From.Add(-widen))}, "end": {filterTime(want.To.Add(widen))},
	})
	if err != nil {
		return nil, err
	}
	active, err := b.records(ctx, b.sheet.KimaiUser, url.Values{"active": {"1"}})
	if err != nil {
		return nil, err
	}
	var out []record
	for _, r := range append(near, active...) {
		if r.id != id {
			out = append(out, r)
		}
	}
	return out, nil
}
