package kimai_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"pow.do/services/dvm/kimai"
	"pow.do/services/dvm/kimai/kimaitest"
	"pow.do/services/pow"
)

const (
	anna   = 2
	marker = "powdo-3f9c0a51e2d47b86"
	other  = "powdo-00000000000000a1"
)

// noon is when the tests begin; sheets are of the same day.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// desk is a DVM's booking desk in front of a Kimai.
type desk struct {
	t      *testing.T
	kimai  *kimaitest.Server
	fault  *kimaitest.Fault
	client *kimai.Client
	cfg    kimai.Config
	saved  map[string]pow.TimesheetRecord // by marker, as the ledger has it

	mu  sync.Mutex
	now time.Time
}

func newDesk(t *testing.T, world kimaitest.World) *desk {
	t.Helper()
	d := &desk{t: t, now: noon, saved: map[string]pow.TimesheetRecord{}}
	world.Now = d.clock
	d.kimai = kimaitest.New(world)
	t.Cleanup(d.kimai.Close)
	d.fault = &kimaitest.Fault{Next: d.kimai}
	front := httptest.NewServer(d.fault)
	t.Cleanup(front.Close)
	d.cfg = kimai.Config{URL: front.URL, Token: func() string { return d.kimai.Token }, HTTP: front.Client(), Now: d.clock}
	d.restart()
	return d
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) wait(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// restart is what a crash leaves: the ledger, and time enough for what was
// under way.
func (d *desk) restart() {
	d.t.Helper()
	c, err := kimai.New(d.cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	d.client = c
	d.wait(6 * time.Second)
}

// sheet wants a run of the day, in minutes and seconds after 08:00.
func sheet(from, to time.Duration) pow.Timesheet {
	eight := noon.Add(-4 * time.Hour)
	return pow.Timesheet{
		Session: "s1", Run: 1, KimaiUser: anna, KimaiProject: 1, KimaiActivity: 1, Note: "Deep work", Marker: marker, Open: true,
		Want: pow.Interval{From: eight.Add(from), To: eight.Add(to)},
	}
}

func (d *desk) try(s pow.Timesheet) (pow.TimesheetRecord, error) {
	s.Last = d.saved[s.Marker]
	return d.client.Book(context.Background(), s, func(r pow.TimesheetRecord) error {
		d.saved[s.Marker] = r
		return nil
	})
}

// book must end in a record, which must be what was saved.
func (d *desk) book(s pow.Timesheet) pow.TimesheetRecord {
	d.t.Helper()
	r, err := d.try(s)
	if err != nil {
		d.t.Fatalf("book: %v", err)
	}
	if r != d.saved[s.Marker] {
		d.t.Fatalf("returned %+v, saved %+v", r, d.saved[s.Marker])
	}
	return r
}

func (d *desk) booked(s pow.Timesheet) pow.TimesheetRecord {
	d.t.Helper()
	r := d.book(s)
	if r.State != pow.TimesheetBooked {
		d.t.Fatalf("not booked: %+v", r)
	}
	return r
}

func (d *desk) parked(s pow.Timesheet, want pow.ParkReason) pow.TimesheetRecord {
	d.t.Helper()
	r := d.book(s)
	if r.State != pow.TimesheetParked || r.Reason != want {
		d.t.Fatalf("got %s %s (%s), want parked %s", r.State, r.Reason, r.Detail, want)
	}
	return r
}

// only returns the one record that there must be.
func (d *desk) only() kimaitest.Record {
	d.t.Helper()
	all := d.kimai.Timesheets()
	if len(all) != 1 {
		d.t.Fatalf("%d records, want 1: %+v", len(all), all)
	}
	return all[0]
}

// known books another run, by which a search can be seen to work.
func (d *desk) known() []pow.TimesheetControl {
	d.t.Helper()
	s := sheet(-2*time.Hour, -time.Hour)
	s.Marker = other
	r := d.booked(s)
	return []pow.TimesheetControl{{ID: r.ID, KimaiUser: anna, Marker: other}}
}

func post(r *http.Request) bool { return r.Method == http.MethodPost }

func patch(r *http.Request) bool { return r.Method == http.MethodPatch }

var errDisk = errors.New("disk full")

// search matches a search by marker.
func search(r *http.Request) bool { return r.URL.Query().Has("term") }

func get(r *http.Request) bool { return r.Method == http.MethodGet }

// refuse is a network on which nobody answers.
func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}
