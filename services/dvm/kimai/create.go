package kimai

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// desired is what the record is to show now: whole seconds, and no future, which
// a server may forbid.
func (b *booking) desired() (pow.Interval, error) {
	want := pow.Interval{From: b.sheet.Want.From.UTC().Truncate(time.Second), To: b.sheet.Want.To.UTC().Truncate(time.Second)}
	if now := b.now(); want.To.After(now) {
		want.To = now
	}
	if !want.Valid() {
		wait := want.From.Sub(b.now()) + time.Minute
		return want, retry.Later(errors.New("kimai: all of the run lies ahead of our clock"), wait)
	}
	return want, nil
}

// create makes the record. prior is what the run was before: that is what it is
// again when the server refused.
func (b *booking) create(ctx context.Context, prior pow.TimesheetRecord) (pow.TimesheetRecord, error) {
	want, err := b.desired()
	if err != nil {
		return prior, err
	}
	if !b.server.settings.overlapping() {
		if want, err = b.clip(ctx, want, 0); err != nil {
			return prior, err
		}
	}
	rec := pow.TimesheetRecord{State: pow.TimesheetIntended, Sent: want}
	if err := b.put(rec); err != nil {
		return prior, err
	}
	text := describe(b.sheet.Note, b.sheet.Marker)
	var r record
	_, err = b.do(ctx, request{kind: create, path: "timesheets", body: &body{
		Project: b.sheet.KimaiProject, Activity: b.sheet.KimaiActivity, User: b.sheet.KimaiUser,
		Begin: sendTime(want.From), End: sendTime(want.To), Description: &text,
	}}, &r)
	if f := (*failure)(nil); errors.As(err, &f) {
		if f.maybe {
			b.lane.quiet = b.now().Add(settle)
			return rec, f
		}
		return prior, b.explain(ctx, f, want, 0)
	}
	if !b.right(&r) {
		rec.ID, rec.Got = r.id, r.span
		return b.parked(rec, pow.ParkMismatch, "the new record has another user, project or activity"),
			&failure{class: stop, err: errors.New("a new record has another user, project or activity than was asked for")}
	}
	return b.arrived(ctx, rec, &r, true)
}

// right tells whether a record is the run's.
func (b *booking) right(r *record) bool {
	return r.user == b.sheet.KimaiUser && r.project == b.sheet.KimaiProject && r.activity == b.sheet.KimaiActivity
}

// arrived judges what the server made of rec.Sent. moved says that begin was
// sent, which decides the calendar day.
func (b *booking) arrived(ctx context.Context, rec pow.TimesheetRecord, r *record, moved bool) (pow.TimesheetRecord, error) {
	rec.ID = r.id
	switch {
	case r.exported:
		rec.Got, rec.GotDuration = r.span, r.duration
		return b.parked(rec, pow.ParkExported, "the record is marked as exported"), nil
	case r.running(), !b.near(r.span, rec.Sent):
		rec.Got, rec.GotDuration = r.span, r.duration
		if b.streaks.mismatch.Add(1) >= maxMismatch {
			_ = b.halt(errors.New("kimai: times come back changed by more than the tolerance"))
		}
		return b.parked(rec, pow.ParkMismatch, "times came back changed by more than the tolerance"), nil
	}
	b.streaks.mismatch.Store(0)
	rec = booked(rec, r)
	if moved && b.server.otherDay(b.sheet.KimaiUser, rec.Sent.From) {
		rec.DayFix = 1
	}
	if err := b.keep(rec); err != nil {
		return rec, err
	}
	return b.fixDay(ctx, rec)
}

// explain replaces a refusal by what our own look at the server says about it.
func (b *booking) explain(ctx context.Context, f *failure, want pow.Interval, id int64) error {
	switch {
	case f.rule:
		return b.explainRule(ctx, f, want, id)
	case f.reason == pow.ParkProjectUnknown:
		f.reason = b.explainMapping(ctx, f)
	}
	return f
}

// explainRule looks for an overlap, with the settings as they are now.
func (b *booking) explainRule(ctx context.Context, f *failure, want pow.Interval, id int64) error {
	var s settings
	if _, err := b.do(ctx, request{path: "config/timesheet"}, &s); err != nil || s.overlapping() {
		return f
	}
	b.gate.learn(s)
	free, err := b.clip(ctx, want, id)
	if o := (*failure)(nil); errors.As(err, &o) && o.class == park {
		o.text = f.text
		return o
	}
	if err == nil && free != want {
		f.class = again // the next attempt sends what is free
	}
	return f
}

// explainMapping tells a project or kind of work that is hidden from one that
// is not there, and both from a budget that is used up.
func (b *booking) explainMapping(ctx context.Context, f *failure) pow.ParkReason {
	path, id, q := "activities", b.sheet.KimaiActivity, url.Values{"project": {number64(b.sheet.KimaiProject)}}
	if slices.Contains(f.fields, "project") {
		path, id, q = "projects", b.sheet.KimaiProject, url.Values{}
	}
	listed := func(visible string) bool {
		var rows []struct{ ID number }
		q.Set("visible", visible)
		if _, err := b.do(ctx, request{path: path, query: q}, &rows); err != nil {
			return false
		}
		return slices.ContainsFunc(rows, func(r struct{ ID number }) bool { return int64(r.ID) == id })
	}
	switch {
	case listed("1"):
		return pow.ParkRefused
	case listed("3"):
		return pow.ParkProjectClosed
	}
	return pow.ParkProjectUnknown
}

// learn keeps settings that were read between two checks.
func (g *gate) learn(s settings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.server.settings = s
}

// overlap is a refusal that our own look at the neighbours makes.
func overlap(reason pow.ParkReason, id int64) error {
	return &failure{class: park, reason: reason, err: fmt.Errorf("record %d is there", id)}
}
