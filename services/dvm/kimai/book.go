package kimai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	soon    = 15 * time.Minute // parked by a neighbour: the time may become free by itself
	hourly  = time.Hour        // parked by the mapping: an admin may mend it in Kimai
	patient = 24 * time.Hour   // how long after its last proof a run is tried again by itself
)

// booking is one run being booked.
type booking struct {
	*Client
	sheet  pow.Timesheet
	lane   *lane
	server server
	stored pow.TimesheetRecord // as saved last
	store  func(pow.TimesheetRecord) error
}

// Book brings one run into Kimai, see the package comment. save is called
// before each request that changes something there, and the request is not sent
// when save fails; t.Last is what was saved last. The record returned is saved
// too: booked, parked, or without state when nothing is left for the run. An
// error means again later (retry.Later: not before); retry.Permanent says that
// nothing is booked for anybody until the check is passed. Calls for the same
// Kimai user wait for each other.
func (c *Client) Book(ctx context.Context, t pow.Timesheet, save func(pow.TimesheetRecord) error) (pow.TimesheetRecord, error) {
	if t.Last.State == pow.TimesheetParked && t.Last.Again.IsZero() {
		return t.Last, nil
	}
	lane, leave, err := c.enter(ctx, t.KimaiUser)
	if err != nil {
		return t.Last, err
	}
	defer leave()
	b := &booking{Client: c, sheet: t, lane: lane, stored: t.Last, store: save}
	if reason := c.Unfit(t); reason != "" {
		return b.finish(b.parked(t.Last, reason, "the mapping has no usable number"))
	}
	if b.server, err = c.open(ctx); err != nil {
		return t.Last, err
	}
	if t.KimaiUser == int64(b.server.me.ID) {
		return b.finish(b.parked(t.Last, pow.ParkUserUnmapped, "the member is mapped to the DVM's own Kimai user"))
	}
	rec, err := b.run(ctx)
	if err != nil {
		return b.fail(ctx, rec, err)
	}
	c.streaks.forget(t.Marker)
	return b.finish(rec)
}

// System names Kimai in Receipts and reports.
func (c *Client) System() string { return "kimai" }

// Unfit tells why a sheet must not be sent: numbers that are left out of a
// request mean something else to Kimai.
func (c *Client) Unfit(t pow.Timesheet) pow.ParkReason {
	switch {
	case t.KimaiUser <= 0:
		return pow.ParkUserUnmapped
	case t.KimaiProject <= 0, t.KimaiActivity <= 0:
		return pow.ParkProjectUnknown
	case !markerForm.MatchString(t.Marker):
		return pow.ParkDefect
	}
	return ""
}

// run does what the state of the record asks for. A record that was parked and
// may be tried again is where it was before.
func (b *booking) run(ctx context.Context) (pow.TimesheetRecord, error) {
	switch last := b.sheet.Last; {
	case last.State == pow.TimesheetIntended:
		return b.recover(ctx)
	case last.ID != 0:
		return b.extend(ctx, last)
	case !b.sheet.Want.Valid():
		return pow.TimesheetRecord{}, nil
	}
	return b.create(ctx, b.sheet.Last)
}

// put saves what is about to be sent, or what came back.
func (b *booking) put(rec pow.TimesheetRecord) error {
	if err := b.halted(); err != nil {
		return err
	}
	return b.keep(rec)
}

func (b *booking) keep(rec pow.TimesheetRecord) error {
	if err := b.store(rec); err != nil {
		return fmt.Errorf("kimai: save the record: %w", err)
	}
	b.stored = rec
	return nil
}

// finish saves the result unless it is what was saved last.
func (b *booking) finish(rec pow.TimesheetRecord) (pow.TimesheetRecord, error) {
	if rec == b.stored {
		return rec, nil
	}
	if err := b.keep(rec); err != nil {
		return b.stored, err
	}
	return rec, nil
}

// fail turns an error into a parked record, a stop, or a later attempt. rec is
// the record as it is known to be.
func (b *booking) fail(ctx context.Context, rec pow.TimesheetRecord, err error) (pow.TimesheetRecord, error) {
	var f *failure
	if !errors.As(err, &f) {
		return rec, err
	}
	if b.streaks.fail(b.sheet.Marker, f.status) && (f.status != http.StatusInternalServerError || b.alive(ctx)) {
		b.streaks.forget(b.sheet.Marker)
		return b.finish(b.parked(rec, pow.ParkDefect, f.detail()))
	}
	if f.class == park {
		if f.reason == pow.ParkDefect {
			b.cfg.Log.Error("kimai gave an answer that it should not give", "status", f.status)
		}
		return b.finish(b.parked(rec, f.reason, f.detail()))
	}
	if _, err := b.finish(rec); err != nil {
		return rec, err
	}
	err = fmt.Errorf("kimai: %w", f)
	switch f.class {
	case stop:
		return rec, b.halt(err)
	case unknown:
		return rec, retry.Later(err, max(f.wait, settle))
	}
	return rec, later(err)
}

// alive tells whether Kimai answers at all, so that a 500 is about the request.
func (b *booking) alive(ctx context.Context) bool {
	_, err := b.do(ctx, request{path: "ping"}, nil)
	return err == nil
}

// parked is rec waiting for a person, or for a time at which it is tried again.
func (b *booking) parked(rec pow.TimesheetRecord, reason pow.ParkReason, detail string) pow.TimesheetRecord {
	rec.State, rec.Reason, rec.Detail, rec.Again = pow.TimesheetParked, reason, pow.Clean(detail), time.Time{}
	var wait time.Duration
	switch reason {
	case pow.ParkOwnTimer, pow.ParkAbsorbed:
		if b.now().Before(b.sheet.Want.To.Add(patient)) {
			wait = soon
		}
	case pow.ParkUserUnmapped, pow.ParkProjectUnknown, pow.ParkProjectClosed:
		wait = hourly
	}
	if wait > 0 {
		rec.Again = b.now().Add(wait)
	}
	return rec
}

// booked is rec after an answer that showed it as it should be.
func booked(rec pow.TimesheetRecord, r *record) pow.TimesheetRecord {
	rec.State, rec.Reason, rec.Detail, rec.Again = pow.TimesheetBooked, "", "", time.Time{}
	rec.ID, rec.Got, rec.GotDuration = r.id, r.span, r.duration
	rec.Rounded = !r.span.From.Equal(rec.Sent.From) || !r.span.To.Equal(rec.Sent.To)
	return rec
}
