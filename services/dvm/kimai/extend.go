package kimai

import (
	"context"
	"errors"
	"net/http"
	"time"

	"pow.do/services/pow"
)

// extend brings an existing record to what is wanted, after a look at whether a
// person changed it.
func (b *booking) extend(ctx context.Context, last pow.TimesheetRecord) (pow.TimesheetRecord, error) {
	row, err := b.record(ctx, last.ID)
	if err != nil {
		return last, err
	}
	if reason, text := b.touched(last, row); reason != "" {
		return b.parked(last, reason, text), nil
	}
	if !b.sheet.Want.Valid() {
		return b.empty(ctx, last, row)
	}
	rec := last
	if rec.DayFix != 0 {
		if rec, err = b.fixDay(ctx, rec); err != nil || rec.State == pow.TimesheetParked {
			return rec, err
		}
		row = &record{id: rec.ID, span: rec.Got, duration: rec.GotDuration}
	}
	want, err := b.desired()
	if err != nil {
		return rec, err
	}
	if same(want, rec.Sent) && !outstanding(rec) {
		return booked(rec, row), nil
	}
	if !b.server.settings.overlapping() && !covers(rec.Got, want) {
		if want, err = b.clip(ctx, want, rec.ID); err != nil {
			return rec, err
		}
		if same(want, rec.Sent) && !outstanding(rec) {
			return booked(rec, row), nil
		}
	}
	return b.change(ctx, rec, want)
}

// outstanding tells whether the answer to the last change is not known: the
// length is taken away before the request and comes back with the answer.
func outstanding(rec pow.TimesheetRecord) bool { return rec.GotDuration == 0 }

func same(a, b pow.Interval) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }

func covers(a, b pow.Interval) bool { return !a.From.After(b.From) && !a.To.Before(b.To) }

// touched tells what a person did to the record since Kimai last showed it.
func (b *booking) touched(last pow.TimesheetRecord, row *record) (pow.ParkReason, string) {
	switch {
	case row.exported:
		return pow.ParkExported, "the record is marked as exported"
	case !b.right(row):
		return pow.ParkChanged, "a person changed user, project or activity"
	case row.running():
		return pow.ParkChanged, "a person opened the record again"
	case same(row.span, last.Got):
	case outstanding(last) && b.near(row.span, last.Sent):
	case last.DayFix != 0 && b.near(row.span, last.Sent):
	default:
		return pow.ParkChanged, "a person changed the times"
	}
	return "", ""
}

// change moves begin and end. Of all that a record has only these two are ever
// written after it was made.
func (b *booking) change(ctx context.Context, last pow.TimesheetRecord, want pow.Interval) (pow.TimesheetRecord, error) {
	send := body{End: sendTime(want.To)}
	moved := outstanding(last) || !want.From.Equal(last.Sent.From)
	if moved {
		send.Begin = sendTime(want.From)
	}
	rec := last
	rec.State, rec.Sent, rec.GotDuration = pow.TimesheetBooked, want, 0
	if err := b.put(rec); err != nil {
		return last, err
	}
	r, err := b.patch(ctx, rec.ID, send)
	if f := (*failure)(nil); errors.As(err, &f) {
		if f.class == again {
			return rec, f
		}
		return last, b.refused(ctx, f, want, rec.ID)
	}
	if !b.right(r) {
		return rec, &failure{class: stop, err: errors.New("a changed record has another user, project or activity")}
	}
	b.streaks.changed()
	return b.arrived(ctx, rec, r, moved && !want.From.Equal(last.Got.From))
}

// refused finds out why a change was refused. Kimai has one answer, 403, for an
// invoiced record and for a closed period.
func (b *booking) refused(ctx context.Context, f *failure, want pow.Interval, id int64) error {
	if f.status != http.StatusForbidden {
		return b.explain(ctx, f, want, id)
	}
	row, err := b.record(ctx, id)
	switch {
	case err != nil:
		return err
	case row.exported:
		f.class, f.reason = park, pow.ParkExported
	case b.streaks.lock(b.sheet.KimaiUser):
		f.class, f.err = stop, errors.New("records of several members may not be changed: edit_other_timesheet may be missing")
	default:
		f.class, f.reason = park, pow.ParkLocked
	}
	return f
}

// empty takes all time from a record whose run was joined to an earlier one.
// This account cannot remove records: a person has to.
func (b *booking) empty(ctx context.Context, last pow.TimesheetRecord, row *record) (pow.TimesheetRecord, error) {
	rec := last
	rec.State, rec.Sent, rec.GotDuration, rec.DayFix = pow.TimesheetBooked, pow.Interval{From: row.span.From, To: row.span.From}, 0, 0
	if err := b.put(rec); err != nil {
		return last, err
	}
	r, err := b.patch(ctx, rec.ID, body{End: sendTime(row.span.From)})
	f := (*failure)(nil)
	switch {
	case errors.As(err, &f) && f.status == http.StatusBadRequest && f.class == park:
		return b.parked(last, pow.ParkJoined, "joined to an earlier record; Kimai refuses a record without time: remove it by hand"), nil
	case errors.As(err, &f) && f.class == again:
		return rec, f
	case errors.As(err, &f):
		return last, b.refused(ctx, f, rec.Sent, rec.ID)
	}
	rec.Got, rec.GotDuration = r.span, r.duration
	return b.parked(rec, pow.ParkJoined, "joined to an earlier record and emptied: remove it by hand"), nil
}

// fixDay repairs the calendar day of a record that was begun in our zone: the
// first change moves it to its owner's zone, the second computes the day anew,
// the third restores the time. Each step may be repeated.
func (b *booking) fixDay(ctx context.Context, rec pow.TimesheetRecord) (pow.TimesheetRecord, error) {
	for rec.DayFix != 0 {
		if err := b.halted(); err != nil {
			return rec, err
		}
		r, err := b.patch(ctx, rec.ID, dayStep(rec))
		if f := (*failure)(nil); errors.As(err, &f) {
			if f.class == again {
				return rec, f
			}
			return rec, b.refused(ctx, f, rec.Sent, rec.ID)
		}
		if !b.right(r) || r.running() || !b.near(r.span, rec.Sent) {
			return b.parked(rec, pow.ParkMismatch, "the record changed while its calendar day was repaired"), nil
		}
		if rec.DayFix++; rec.DayFix > 3 {
			rec.DayFix = 0
			rec = booked(rec, r)
		}
		if err := b.keep(rec); err != nil {
			return rec, err
		}
	}
	return rec, nil
}

func dayStep(rec pow.TimesheetRecord) body {
	switch rec.DayFix {
	case 2:
		return body{Begin: sendTime(rec.Sent.From.Add(time.Second))}
	case 3:
		return body{Begin: sendTime(rec.Sent.From)}
	}
	return body{}
}
