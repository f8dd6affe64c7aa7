package kimai_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
)

// exclusive is a world whose server forbids overlaps.
func exclusive() kimaitest.World {
	w := kimaitest.Small()
	w.Settings = map[string]string{"timesheet.rules.allow_overlapping_records": "0"}
	return w
}

func marked(s pow.Timesheet, run int) pow.Timesheet {
	s.Run, s.Marker = run, pow.Marker(pow.Key{}, s.Session, run)
	return s
}

func TestOverlap(t *testing.T) {
	eight := noon.Add(-4 * time.Hour)
	t.Run("back to back", func(t *testing.T) {
		d := newDesk(t, exclusive())
		d.booked(marked(sheet(60*time.Minute, 70*time.Minute+20*time.Second), 1))
		b := marked(sheet(70*time.Minute+40*time.Second, 80*time.Minute), 2)
		if r := d.booked(b); !r.Sent.From.Equal(eight.Add(71 * time.Minute)) {
			t.Errorf("begins at %v", r.Sent.From)
		}
		b.Want.To = b.Want.To.Add(5 * time.Minute)
		if r := d.booked(b); !r.Sent.From.Equal(eight.Add(71 * time.Minute)) {
			t.Errorf("the clip was undone: %v", r.Sent.From)
		}
		last := d.kimai.Calls()[len(d.kimai.Calls())-1]
		if !strings.HasPrefix(last, "PATCH") {
			t.Errorf("last call %s", last)
		}
	})
	t.Run("end before the next of ours", func(t *testing.T) {
		d := newDesk(t, exclusive())
		d.booked(marked(sheet(70*time.Minute+40*time.Second, 80*time.Minute), 1))
		if r := d.booked(marked(sheet(60*time.Minute, 70*time.Minute+20*time.Second), 2)); !r.Sent.To.Equal(eight.Add(70 * time.Minute)) {
			t.Errorf("ends at %v", r.Sent.To)
		}
	})
	t.Run("absorbed until it is longer", func(t *testing.T) {
		d := newDesk(t, exclusive())
		d.booked(marked(sheet(60*time.Minute, 70*time.Minute+5*time.Second), 1))
		b := marked(sheet(70*time.Minute+10*time.Second, 70*time.Minute+40*time.Second), 2)
		if r := d.parked(b, pow.ParkAbsorbed); !r.Again.Equal(d.clock().Add(15 * time.Minute)) {
			t.Errorf("again at %v", r.Again)
		}
		b.Want.To = b.Want.To.Add(2 * time.Minute)
		d.booked(b)
	})
	t.Run("KI-9 another's record", func(t *testing.T) {
		d := newDesk(t, exclusive())
		id := d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: eight, End: eight.Add(time.Hour)})
		r := d.parked(sheet(50*time.Minute, 70*time.Minute), pow.ParkOverlap)
		if !r.Again.IsZero() || !strings.Contains(r.Detail, "record 1") || id != 1 {
			t.Errorf("parked as %+v", r)
		}
	})
	t.Run("own timer", func(t *testing.T) {
		d := newDesk(t, exclusive())
		id := d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: eight.Add(-40 * time.Hour)})
		if r := d.parked(sheet(0, 10*time.Minute), pow.ParkOwnTimer); r.Again.IsZero() {
			t.Error("never tried again")
		}
		d.kimai.Delete(id)
		d.booked(sheet(0, 10*time.Minute))
	})
	t.Run("own timer for a day", func(t *testing.T) {
		d := newDesk(t, exclusive())
		d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: eight})
		d.wait(25 * time.Hour)
		if r := d.parked(sheet(0, 10*time.Minute), pow.ParkOwnTimer); !r.Again.IsZero() {
			t.Errorf("again at %v", r.Again)
		}
	})
	t.Run("forbidden since the check", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(marked(sheet(0, time.Minute), 1))
		d.kimai.Put(kimaitest.Record{User: anna, Project: 1, Activity: 1, Begin: eight.Add(time.Hour), End: eight.Add(2 * time.Hour)})
		d.kimai.Change(func(w *kimaitest.World) { w.Settings = exclusive().Settings })
		d.parked(sheet(50*time.Minute, 70*time.Minute), pow.ParkOverlap)
	})
}

func TestServerRules(t *testing.T) {
	for name, c := range map[string]struct {
		world func(*kimaitest.World)
		want  pow.ParkReason
		again bool
	}{
		"hidden project":   {func(w *kimaitest.World) { w.Projects[0].Hidden = true }, pow.ParkProjectClosed, true},
		"unknown project":  {func(w *kimaitest.World) { w.Projects[0].ID = 8 }, pow.ParkProjectUnknown, true},
		"hidden activity":  {func(w *kimaitest.World) { w.Activities[0].Hidden = true }, pow.ParkProjectClosed, true},
		"unknown activity": {func(w *kimaitest.World) { w.Activities[0].ID = 8 }, pow.ParkProjectUnknown, true},
		"disabled user":    {func(w *kimaitest.World) { w.Users[0].Disabled = true }, pow.ParkUserUnmapped, true},
		"unknown user":     {func(w *kimaitest.World) { w.Users[0].ID = 8 }, pow.ParkUserUnmapped, true},
		"budget used up": {func(w *kimaitest.World) {
			w.Projects[0].Budget = time.Minute
			w.Settings = map[string]string{"timesheet.rules.allow_overbooking_budget": "0"}
		}, pow.ParkRefused, false},
		"too long": {func(w *kimaitest.World) {
			w.Settings = map[string]string{"timesheet.rules.long_running_duration": "5"}
		}, pow.ParkRefused, false},
		"closed period": {func(w *kimaitest.World) {
			w.Settings = map[string]string{"timesheet.rules.lockdown_period_start": "first day of last month 00:00:00"}
		}, pow.ParkRefused, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			d.kimai.Change(c.world)
			s := sheet(0, 10*time.Minute)
			if name == "closed period" {
				s.Want = pow.Interval{From: s.Want.From.AddDate(0, -1, 0), To: s.Want.To.AddDate(0, -1, 0)}
			}
			r := d.parked(s, c.want)
			if r.Again.IsZero() == c.again || len(d.kimai.Timesheets()) != 0 {
				t.Errorf("parked as %+v", r)
			}
		})
	}
	t.Run("closed since", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		s := sheet(0, 10*time.Minute)
		s.Want = pow.Interval{From: s.Want.From.AddDate(0, -1, 0), To: s.Want.To.AddDate(0, -1, 0)}
		d.booked(s)
		d.kimai.Change(func(w *kimaitest.World) {
			w.Settings = map[string]string{"timesheet.rules.lockdown_period_start": "first day of last month 00:00:00"}
		})
		s.Want.To = s.Want.To.Add(time.Minute)
		d.parked(s, pow.ParkLocked)
	})
	t.Run("hidden since", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.kimai.Change(func(w *kimaitest.World) { w.Projects[0].Hidden = true })
		d.booked(sheet(0, 20*time.Minute))
	})
	t.Run("deleted since", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.kimai.Delete(1)
		d.parked(sheet(0, 20*time.Minute), pow.ParkDeleted)
		d.parked(sheet(0, 30*time.Minute), pow.ParkDeleted)
		if len(d.kimai.Timesheets()) != 0 {
			t.Error("made again")
		}
	})
	t.Run("rounding to a quarter", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.kimai.Change(func(w *kimaitest.World) {
			w.Settings = map[string]string{"timesheet.rounding.default.begin": "15", "timesheet.rounding.default.end": "15"}
		})
		if r := d.booked(sheet(7*time.Minute, 12*time.Minute)); !r.Rounded || r.GotDuration != 15*time.Minute {
			t.Errorf("KI-4: %+v", r)
		}
		d.booked(sheet(7*time.Minute, 16*time.Minute))
	})
}

// TestDay shows that a record is filed under its owner's day, also when the
// repair was interrupted.
func TestDay(t *testing.T) {
	world := func(own string) kimaitest.World {
		w := kimaitest.Small()
		w.Users[0].Zone, w.Users[2].Zone = "Pacific/Kiritimati", own
		return w
	}
	late := sheet(123*time.Minute+7*time.Second, 130*time.Minute)
	t.Run("repaired", func(t *testing.T) {
		d := newDesk(t, world("UTC"))
		r := d.booked(late)
		if got := d.only(); got.Day != "2026-11-21" || r.DayFix != 0 || got.Begin.Second() != 0 {
			t.Errorf("filed under %s: %+v", got.Day, r)
		}
	})
	t.Run("not without rounding", func(t *testing.T) {
		w := world("UTC")
		w.Settings = map[string]string{"timesheet.rounding.default.begin": "0", "timesheet.rounding.default.end": "0"}
		d := newDesk(t, w)
		d.booked(late)
		if got := d.only(); got.Day != "2026-11-21" || got.Begin.Second() != 7 {
			t.Errorf("filed as %+v", got)
		}
	})
	t.Run("same zone needs nothing", func(t *testing.T) {
		d := newDesk(t, world("Pacific/Kiritimati"))
		d.booked(late)
		if n := slices.IndexFunc(d.kimai.Calls(), func(c string) bool { return strings.HasPrefix(c, "PATCH") }); n >= 0 || d.only().Day != "2026-11-21" {
			t.Errorf("calls %v", d.kimai.Calls())
		}
	})
	t.Run("zones unknown", func(t *testing.T) {
		d := newDesk(t, world("UTC"))
		d.kimai.Revoke("view_user")
		if r := d.booked(late); r.DayFix != 0 {
			t.Errorf("repairs blindly: %+v", r)
		}
	})
	for step := range 3 {
		for _, minutes := range []string{"0", "1"} {
			t.Run("answer lost, rounding "+minutes, func(t *testing.T) {
				w := world("UTC")
				w.Settings = map[string]string{"timesheet.rounding.default.begin": minutes}
				d := newDesk(t, w)
				d.interruptedDay(late, step)
			})
		}
	}
}

// interruptedDay loses the answer to one step of the repair.
func (d *desk) interruptedDay(late pow.Timesheet, step int) {
	d.t.Helper()
	for range step {
		d.fault.Once(patch, passes)
	}
	d.fault.Once(patch, kimaitest.Lose())
	if _, err := d.try(late); err == nil {
		d.t.Fatal("answer not lost")
	}
	if got := d.saved[marker].DayFix; got != step+1 {
		d.t.Errorf("step %d is stored as %d", step+1, got)
	}
	d.restart()
	r := d.booked(late)
	if got := d.only(); got.Day != "2026-11-21" || !got.Begin.Equal(r.Got.From) || r.Got.From.After(r.Sent.From) {
		d.t.Errorf("filed as %+v, known as %+v", got, r)
	}
}

// TestEmptied shows what becomes of a run that was joined to an earlier one.
func TestEmptied(t *testing.T) {
	gone := sheet(0, 0)
	gone.Want = pow.Interval{}
	t.Run("never booked", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		if r := d.book(gone); r != (pow.TimesheetRecord{}) || len(d.kimai.Timesheets()) != 0 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("booked", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.parked(gone, pow.ParkJoined)
		if r := d.only(); !r.Begin.Equal(r.End) {
			t.Errorf("still books %v", r.End.Sub(r.Begin))
		}
	})
	t.Run("no empty records there", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.kimai.Change(func(w *kimaitest.World) {
			w.Settings = map[string]string{"timesheet.rules.allow_zero_duration": "0"}
		})
		d.parked(gone, pow.ParkJoined)
	})
	t.Run("result unknown, there", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.fault.Once(post, kimaitest.Lose())
		_, _ = d.try(sheet(0, 10*time.Minute))
		d.wait(6 * time.Second)
		d.parked(gone, pow.ParkJoined)
	})
	t.Run("result unknown, not there", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		s := gone
		s.Controls = d.known()
		d.fault.Once(post, kimaitest.Refuse())
		_, _ = d.try(sheet(0, 10*time.Minute))
		d.wait(6 * time.Second)
		if r := d.book(s); r.State != pow.TimesheetNone || len(d.kimai.Timesheets()) != 1 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestDescription(t *testing.T) {
	for name, note := range map[string]string{
		"long": strings.Repeat("é", 5000), "marker inside": "[" + other + "]", "control": "a\x00b\x1b[2J", "empty": "", "broken": "a\xffb",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			s := sheet(0, 10*time.Minute)
			s.Note = note
			d.booked(s)
			got := *d.only().Description
			if n := len([]rune(got)); n > 2000 || !strings.HasSuffix(got, "["+marker+"]") || strings.Contains(got, other) || strings.ContainsAny(got, "\x00\x1b") {
				t.Errorf("%d runes: %.80q", n, got)
			}
		})
	}
}

// TestTimesSent shows that no time without Z is ever sent in a body.
func TestTimesSent(t *testing.T) {
	d := newDesk(t, exclusive())
	d.kimai.Change(func(w *kimaitest.World) {
		w.Users[0].Zone, w.Users[2].Zone = "Pacific/Kiritimati", "Europe/Berlin"
	})
	bodies := d.listen()
	berlin := time.FixedZone("", 3600)
	s := sheet(123*time.Minute+7*time.Second, 130*time.Minute)
	s.Want.From, s.Want.To = s.Want.From.In(berlin).Add(5*time.Millisecond), s.Want.To.In(berlin)
	d.booked(s)
	s.Want.To = s.Want.To.Add(time.Minute)
	d.booked(s)
	times := 0
	for _, b := range *bodies {
		var f struct{ Begin, End *string }
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*string{f.Begin, f.End} {
			if v == nil {
				continue
			}
			times++
			if _, err := time.Parse("2006-01-02T15:04:05Z", *v); err != nil {
				t.Errorf("sent %s", *v)
			}
		}
	}
	if times < 5 {
		t.Errorf("only %d times seen", times)
	}
}
