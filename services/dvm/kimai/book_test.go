package kimai_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

func TestGrows(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	first := d.booked(sheet(0, 10*time.Minute))
	r := d.only()
	if *r.Description != "Deep work\n["+marker+"]" || r.User != anna || r.Project != 1 || r.Activity != 1 || first.ID != r.ID {
		t.Errorf("created %+v", r)
	}
	d.booked(sheet(0, 20*time.Minute+30*time.Second))
	last := d.booked(sheet(-5*time.Minute, 20*time.Minute+30*time.Second))
	r = d.only()
	eight := noon.Add(-4 * time.Hour)
	if !r.Begin.Equal(eight.Add(-5*time.Minute)) || !r.End.Equal(eight.Add(21*time.Minute)) {
		t.Errorf("record is %v–%v", r.Begin, r.End)
	}
	if !last.Rounded || !last.Got.To.Equal(r.End) || last.GotDuration != 26*time.Minute || first.Rounded {
		t.Errorf("known as %+v", last)
	}
	if short := d.booked(sheet(0, 12*time.Minute)); !short.Got.To.Equal(eight.Add(12 * time.Minute)) {
		t.Errorf("not shortened: %+v", short)
	}
}

func TestNothingToDoIsOneLook(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.booked(sheet(0, 10*time.Minute))
	before := len(d.kimai.Calls())
	d.booked(sheet(0, 10*time.Minute))
	if calls := d.kimai.Calls()[before:]; len(calls) != 1 || !strings.HasPrefix(calls[0], "GET /api/timesheets/") {
		t.Errorf("asked %v", calls)
	}
}

func TestNeverInTheFuture(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	d.kimai.Change(func(w *kimaitest.World) {
		w.Settings = map[string]string{"timesheet.rules.allow_future_times": "0"}
	})
	r := d.booked(sheet(0, 4*time.Hour+9*time.Minute))
	if r.Sent.To.After(d.clock()) {
		t.Errorf("sent %v at %v", r.Sent.To, d.clock())
	}
	s := sheet(5*time.Hour, 6*time.Hour)
	s.Marker = other
	if _, err := d.try(s); err == nil || retry.IsPermanent(err) {
		t.Errorf("a run of the future: %v", err)
	}
}

// TestSaveFails shows that nothing is sent that was not stored.
func TestSaveFails(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	_, err := d.client.Book(context.Background(), sheet(0, time.Minute), func(pow.TimesheetRecord) error { return errDisk })
	if err == nil || len(d.kimai.Timesheets()) != 0 {
		t.Errorf("sent %+v, %v", d.kimai.Timesheets(), err)
	}
}

func TestPeopleOwnTheRecord(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*kimaitest.Record)
		want pow.ParkReason
	}{
		"KI-24 end":      {func(r *kimaitest.Record) { r.End = r.End.Add(time.Minute) }, pow.ParkChanged},
		"KI-24 begin":    {func(r *kimaitest.Record) { r.Begin = r.Begin.Add(-time.Minute) }, pow.ParkChanged},
		"KI-24 project":  {func(r *kimaitest.Record) { r.Project = 7 }, pow.ParkChanged},
		"KI-24 user":     {func(r *kimaitest.Record) { r.User = 3 }, pow.ParkChanged},
		"KI-24 activity": {func(r *kimaitest.Record) { r.Activity = 2 }, pow.ParkChanged},
		"KI-24 reopened": {func(r *kimaitest.Record) { r.End = time.Time{} }, pow.ParkChanged},
		"KI-12 exported": {func(r *kimaitest.Record) { r.Exported = true }, pow.ParkExported},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			d.booked(sheet(0, 10*time.Minute))
			r := d.only()
			c.edit(&r)
			d.kimai.Put(r)
			d.parked(sheet(0, 20*time.Minute), c.want)
			if got := d.only(); !got.End.Equal(r.End) {
				t.Errorf("written over a person's edit: %+v", got)
			}
			if calls := strings.Join(d.kimai.Calls(), " "); strings.Contains(calls, "PATCH") {
				t.Errorf("tried to write: %s", calls)
			}
		})
	}
	t.Run("words are theirs", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		r, words := d.only(), "my own words"
		r.Description = &words
		d.kimai.Put(r)
		d.booked(sheet(0, 20*time.Minute))
		if got := d.only(); *got.Description != words {
			t.Errorf("description is %q", *got.Description)
		}
	})
}
