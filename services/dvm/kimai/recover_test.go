package kimai_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// TestLostAnswer shows that a create whose answer is lost, in whichever way,
// leaves exactly one record.
func TestLostAnswer(t *testing.T) {
	spoils := map[string]kimaitest.Spoil{
		"KI-19 acted, connection closed": kimaitest.Lose(),
		"KI-19 never arrived":            kimaitest.Refuse(),
		"KI-6 201":                       kimaitest.Replace(201, "{}"),
		"KI-6 204":                       kimaitest.Replace(204, ""),
		"KI-1 login page":                kimaitest.Replace(200, "<html>", "Content-Type", "text/html"),
		"KI-1 empty":                     kimaitest.Replace(200, ""),
		"KI-1 list for an object":        kimaitest.Replace(200, "[]"),
		"KI-16 409":                      kimaitest.Answer(409, `{"code":409}`),
		"KI-18 500 before":               kimaitest.Answer(500, `{"code":500}`),
		"KI-18 500 after":                kimaitest.Replace(500, `{"code":500}`),
		"KI-18 503 maintenance":          kimaitest.Replace(503, "<html>", "Content-Type", "text/html"),
		"KI-18 502":                      kimaitest.Answer(502, ""),
		"KI-17 429":                      kimaitest.Answer(429, "", "Retry-After", "2"),
	}
	for _, k := range []int{0, 1, 20, 100} {
		spoils[fmt.Sprintf("KI-19 cut at byte %d", k)] = kimaitest.Cut(k)
	}
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, kimaitest.Small())
			s := sheet(0, 10*time.Minute)
			s.Controls = d.known()
			d.fault.Once(post, spoil)
			if _, err := d.try(s); err == nil || retry.IsPermanent(err) {
				t.Fatalf("answer lost: %v", err)
			}
			if got := d.saved[marker].State; got != pow.TimesheetIntended {
				t.Fatalf("stored as %q", got)
			}
			d.wait(6 * time.Second)
			d.booked(s)
			if all := d.kimai.Timesheets(); len(all) != 2 {
				t.Errorf("%d records: %+v", len(all), all)
			}
		})
	}
}

// TestSearchWaits shows that a request which may still run on the server is
// given time before the search, also after a restart.
func TestSearchWaits(t *testing.T) {
	d := newDesk(t, kimaitest.Small())
	s := sheet(0, 10*time.Minute)
	d.fault.Once(post, kimaitest.Lose())
	_, err := d.try(s)
	if wait := retry.Refused.Wait(err, 1); wait < 5*time.Second {
		t.Errorf("asked to come again after %v", wait)
	}
	before := len(d.kimai.Calls())
	if _, err = d.try(s); err == nil || len(d.kimai.Calls()) != before {
		t.Errorf("searched at once: %v", err)
	}
	d.restart()
	d.wait(-3 * time.Second)
	if _, err = d.try(s); err == nil {
		t.Error("searched at once after a restart")
	}
}

// TestKilled stops the desk at every save, before and after it took effect, and
// goes on with what was stored.
func TestKilled(t *testing.T) {
	scene := func() kimaitest.World {
		w := kimaitest.Small()
		w.Users[0].Zone = "Pacific/Kiritimati" // 10:03Z is the next day there: day fix
		w.Settings = map[string]string{"timesheet.rules.allow_overlapping_records": "0"}
		return w
	}
	for point := range 40 {
		for _, before := range []bool{true, false} {
			d := newDesk(t, scene())
			controls := d.known()
			saves := 0
			for _, to := range []time.Duration{130 * time.Minute, 200*time.Minute + 20*time.Second} {
				s := sheet(123*time.Minute+7*time.Second, to)
				s.Controls = controls
				for attempt := 0; ; attempt++ {
					s.Last = d.saved[marker]
					rec, err := d.client.Book(context.Background(), s, func(r pow.TimesheetRecord) error {
						saves++
						if saves == point && before {
							return errDisk
						}
						d.saved[marker] = r
						if saves == point {
							return errDisk
						}
						return nil
					})
					if err == nil && rec.State == pow.TimesheetBooked && rec.DayFix == 0 {
						break
					}
					if attempt == 3 || err == nil {
						t.Fatalf("killed at save %d (before %v): %+v %v", point, before, rec, err)
					}
					d.restart()
				}
			}
			d.exact(point, before)
		}
	}
}

func (d *desk) exact(point int, before bool) {
	d.t.Helper()
	all := d.kimai.Timesheets()
	if len(all) != 2 {
		d.t.Fatalf("killed at save %d (before %v): %d records", point, before, len(all))
	}
	r := all[1]
	eight := noon.Add(-4 * time.Hour)
	if !r.Begin.Equal(eight.Add(123*time.Minute)) || !r.End.Equal(eight.Add(201*time.Minute)) || r.Day != "2026-11-21" {
		d.t.Fatalf("killed at save %d (before %v): %+v", point, before, r)
	}
}

// TestPositiveControl shows that a search which cannot find anything never leads
// to a second record.
func TestPositiveControl(t *testing.T) {
	lost := func(t *testing.T) (*desk, pow.Timesheet) {
		d := newDesk(t, kimaitest.Small())
		s := sheet(0, 10*time.Minute)
		s.Controls = d.known()
		d.fault.Once(post, kimaitest.Lose())
		if _, err := d.try(s); err == nil {
			t.Fatal("answer not lost")
		}
		d.wait(6 * time.Second)
		return d, s
	}
	t.Run("no control yet", func(t *testing.T) {
		d, s := lost(t)
		d.kimai.Delete(2)
		s.Controls = nil
		d.parked(s, pow.ParkUncertain)
	})
	t.Run("control was deleted", func(t *testing.T) {
		d, s := lost(t)
		d.kimai.Delete(1)
		d.kimai.Delete(2)
		d.parked(s, pow.ParkUncertain)
	})
	t.Run("control lost its marker", func(t *testing.T) {
		d, s := lost(t)
		r, words := d.kimai.Timesheets()[0], "my own words"
		r.Description = &words
		d.kimai.Put(r)
		d.kimai.Delete(2)
		d.parked(s, pow.ParkUncertain)
	})
	t.Run("lists are silently empty", func(t *testing.T) {
		d, s := lost(t)
		for range 2 {
			d.fault.Once(search, kimaitest.Answer(200, "[]"))
		}
		d.parked(s, pow.ParkUncertain)
		if n := len(d.kimai.Timesheets()); n != 2 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("permission to see is gone", func(t *testing.T) {
		d, s := lost(t)
		d.kimai.Revoke("view_other_timesheet")
		if _, err := d.try(s); !retry.IsPermanent(err) {
			t.Errorf("control refused: %v", err)
		}
		if got := d.saved[marker].State; got != pow.TimesheetIntended {
			t.Errorf("stored as %q", got)
		}
		d.kimai.Revoke()
		d.wait(5 * time.Minute)
		d.booked(s)
		if n := len(d.kimai.Timesheets()); n != 2 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("another's rows", func(t *testing.T) {
		d, s := lost(t)
		d.fault.Once(search, kimaitest.Answer(200, strangerRow))
		if _, err := d.try(s); err == nil || retry.IsPermanent(err) {
			t.Errorf("another's rows: %v", err)
		}
		if got := d.saved[marker].State; got != pow.TimesheetIntended {
			t.Errorf("stored as %q: it may exist", got)
		}
	})
}

const strangerRow = `[{"id":9,"user":5,"project":1,"activity":1,"begin":"2026-11-20T08:00:00+0000","end":"2026-11-20T08:10:00+0000",
	"duration":600,"description":"[powdo-3f9c0a51e2d47b86]","exported":false}]`

func TestAdopts(t *testing.T) {
	lost := func(t *testing.T, edit func(*kimaitest.Record)) (*desk, pow.Timesheet) {
		d := newDesk(t, kimaitest.Small())
		d.fault.Once(post, kimaitest.Lose())
		s := sheet(0, 10*time.Minute)
		_, _ = d.try(s)
		r := d.only()
		edit(&r)
		d.kimai.Put(r)
		d.wait(6 * time.Second)
		return d, s
	}
	t.Run("and extends", func(t *testing.T) {
		d, s := lost(t, func(*kimaitest.Record) {})
		s.Want.To = s.Want.To.Add(10 * time.Minute)
		d.booked(s)
		if r := d.only(); r.End.Sub(r.Begin) != 20*time.Minute {
			t.Errorf("record is %+v", r)
		}
	})
	t.Run("not another's project", func(t *testing.T) {
		d, s := lost(t, func(r *kimaitest.Record) { r.Project = 4 })
		if rec := d.parked(s, pow.ParkChanged); rec.ID == 0 {
			t.Error("id is lost")
		}
	})
	t.Run("not what is exported", func(t *testing.T) {
		d, s := lost(t, func(r *kimaitest.Record) { r.Exported = true })
		d.parked(s, pow.ParkExported)
	})
	t.Run("not other times", func(t *testing.T) {
		d, s := lost(t, func(r *kimaitest.Record) { r.End = r.End.Add(time.Hour) })
		d.parked(s, pow.ParkMismatch)
	})
	t.Run("whole marker only", func(t *testing.T) {
		d, s := lost(t, func(r *kimaitest.Record) { v := "[" + marker + "ff]"; r.Description = &v })
		d.parked(s, pow.ParkUncertain)
	})
	t.Run("KI-20 two records", func(t *testing.T) {
		d, s := lost(t, func(*kimaitest.Record) {})
		twin := d.only()
		twin.ID = 0
		d.kimai.Put(twin)
		d.parked(s, pow.ParkDuplicate)
		d.parked(s, pow.ParkDuplicate)
		for _, r := range d.kimai.Timesheets() {
			if r.End.Sub(r.Begin) != 10*time.Minute {
				t.Errorf("written to %+v", r)
			}
		}
	})
}

// TestLostPatch shows that a change whose answer is lost is not taken for a
// person's edit, while a person's edit still is.
func TestLostPatch(t *testing.T) {
	lose := func(t *testing.T) *desk {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.fault.Once(patch, kimaitest.Lose())
		if _, err := d.try(sheet(0, 20*time.Minute+5*time.Second)); err == nil {
			t.Fatal("answer not lost")
		}
		return d
	}
	t.Run("goes on", func(t *testing.T) {
		d := lose(t)
		d.booked(sheet(0, 30*time.Minute))
		if r := d.only(); r.End.Sub(r.Begin) != 30*time.Minute {
			t.Errorf("record is %+v", r)
		}
	})
	t.Run("edit is seen", func(t *testing.T) {
		d := lose(t)
		r := d.only()
		r.End = r.End.Add(time.Hour)
		d.kimai.Put(r)
		d.parked(sheet(0, 30*time.Minute), pow.ParkChanged)
	})
	t.Run("begin is sent again", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.fault.Once(patch, kimaitest.Refuse())
		if _, err := d.try(sheet(-5*time.Minute, 10*time.Minute)); err == nil {
			t.Fatal("request not lost")
		}
		d.booked(sheet(-5*time.Minute, 10*time.Minute))
		if r := d.only(); r.End.Sub(r.Begin) != 15*time.Minute {
			t.Errorf("record is %+v", r)
		}
	})
	t.Run("KI-6 204", func(t *testing.T) {
		d := newDesk(t, kimaitest.Small())
		d.booked(sheet(0, 10*time.Minute))
		d.fault.Once(patch, kimaitest.Replace(204, ""))
		d.booked(sheet(0, 20*time.Minute))
	})
}
