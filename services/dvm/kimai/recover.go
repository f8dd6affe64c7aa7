package kimai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const maxControls = 5

// recover finds out what became of a create whose answer is not known.
func (b *booking) recover(ctx context.Context) (pow.TimesheetRecord, error) {
	last := b.sheet.Last
	if wait := b.lane.quiet.Sub(b.now()); wait > 0 {
		return last, retry.Later(errors.New("kimai: an earlier request may still run"), wait)
	}
	hits, err := b.search(ctx, b.sheet.KimaiUser, b.sheet.Marker)
	if err != nil {
		return last, held(err)
	}
	switch len(hits) {
	case 0:
	case 1:
		return b.adopt(ctx, last, &hits[0])
	default:
		b.cfg.Log.Error("kimai has several records of one run", "records", len(hits))
		return b.parked(last, pow.ParkDuplicate, "records "+ids(hits)), nil
	}
	works, err := b.control(ctx)
	switch {
	case err != nil:
		return last, held(err)
	case !works:
		return b.parked(last, pow.ParkUncertain, "the record was not found, and no other record proves that the search works"), nil
	case !b.sheet.Want.Valid():
		return pow.TimesheetRecord{}, nil
	}
	return b.create(ctx, pow.TimesheetRecord{})
}

// held keeps a run from being parked in a way that ends by itself: it would be
// created again then, although it may exist.
func held(err error) error {
	if f := (*failure)(nil); errors.As(err, &f) && f.class == park {
		f.class, f.wait = again, soon
	}
	return err
}

func ids(rows []record) (text string) {
	for _, r := range rows {
		text += fmt.Sprintf("%d ", r.id)
	}
	return text
}

// adopt takes a record that was found as the result of the create.
func (b *booking) adopt(ctx context.Context, last pow.TimesheetRecord, row *record) (pow.TimesheetRecord, error) {
	if !b.right(row) {
		last.ID, last.Got, last.GotDuration = row.id, row.span, row.duration
		return b.parked(last, pow.ParkChanged, "found with another project or activity"), nil
	}
	rec, err := b.arrived(ctx, last, row, true)
	if err != nil || rec.State != pow.TimesheetBooked {
		return rec, err
	}
	return b.extend(ctx, rec)
}

// search returns the member's records that carry the whole marker.
func (b *booking) search(ctx context.Context, user int64, marker string) ([]record, error) {
	rows, err := b.records(ctx, user, url.Values{"term": {marker}, "size": {"50"}})
	if err != nil {
		return nil, err
	}
	var hits []record
	for _, r := range rows {
		if r.marked(marker) {
			hits = append(hits, r)
		}
	}
	return hits, nil
}

// control tells whether a search finds what is known to be there. A caller that
// lost a permission gets empty lists instead of a refusal.
func (b *booking) control(ctx context.Context) (bool, error) {
	for i, known := range b.sheet.Controls {
		if i == maxControls {
			break
		}
		row, err := b.record(ctx, known.ID)
		if f := (*failure)(nil); errors.As(err, &f) && f.status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if row.user != known.KimaiUser || !row.marked(known.Marker) {
			continue
		}
		hits, err := b.search(ctx, known.KimaiUser, known.Marker)
		for _, h := range hits {
			if h.id == known.ID {
				return true, nil
			}
		}
		return false, err
	}
	return false, nil
}
