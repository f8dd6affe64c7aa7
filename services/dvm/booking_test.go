package dvm_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/dvm"
	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// sheets is a timesheet system in memory. It keeps what it is told, so that the
// order of intent, request and result can be checked.
type sheets struct {
	mu      sync.Mutex
	records map[int64]pow.Timesheet
	calls   int
	asked   []pow.Timesheet
	fail    func(call int, t pow.Timesheet) (*pow.TimesheetRecord, error)
	lost    bool // the next create is carried out, but its answer is lost
	made    int64
}

func newSheets() *sheets {
	return &sheets{records: map[int64]pow.Timesheet{}}
}

func (s *sheets) System() string { return "kimai" }

func (s *sheets) Unfit(t pow.Timesheet) pow.ParkReason {
	switch {
	case t.KimaiUser == 0:
		return pow.ParkUserUnmapped
	case t.KimaiProject == 0, t.KimaiActivity == 0:
		return pow.ParkProjectUnknown
	}
	return ""
}

func (s *sheets) Book(_ context.Context, t pow.Timesheet, save func(pow.TimesheetRecord) error) (pow.TimesheetRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.asked = append(s.asked, t)
	if s.fail != nil {
		if r, err := s.fail(s.calls, t); r != nil || err != nil {
			if r == nil {
				r = &pow.TimesheetRecord{}
			}
			return *r, err
		}
	}
	r := t.Last
	if r.ID == 0 {
		for id, have := range s.records { // an earlier create whose answer was lost
			if have.Marker == t.Marker && r.State == pow.TimesheetIntended {
				r.ID = id
			}
		}
	}
	if !t.Want.Valid() {
		delete(s.records, r.ID)
		return pow.TimesheetRecord{}, nil
	}
	r.Sent = t.Want
	if r.State != pow.TimesheetBooked {
		r.State = pow.TimesheetIntended
	}
	if err := save(r); err != nil {
		return r, err
	}
	if r.ID == 0 {
		r.ID = 4711 + s.made
		s.made++
	}
	s.records[r.ID] = t
	if s.lost {
		s.lost = false
		return r, errors.New("the answer was lost")
	}
	r.State, r.Got, r.GotDuration = pow.TimesheetBooked, t.Want, t.Want.Duration()
	return r, nil
}

// shows returns the records' intervals in order.
func (s *sheets) shows() (out []pow.Interval) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		out = append(out, r.Want)
	}
	slices.SortFunc(out, func(a, b pow.Interval) int { return a.From.Compare(b.From) })
	return out
}

func kimai(s *sheets) func(*dvm.Config) { return func(c *dvm.Config) { c.Timesheets = s } }

func TestBooking(t *testing.T) {
	s := newSheets()
	in(t, kimai(s), func(x *world) {
		a := x.proof(laptop, session(1), 1, x.ago(20, 10))
		b := x.proof(laptop, session(1), 2, x.ago(10, 5))
		x.deliver(letter(a, 1))
		x.settle(time.Second)
		x.deliver(letter(b, 1))
		x.settle(time.Second)
		x.want(a, pow.CodeBooked)
		x.want(b, pow.CodeBooked)
		if r := x.last(b.ID); r.Booking != (pow.Booking{State: "booked", System: "kimai", Timesheet: 4711}) || r.Proven != 900 {
			t.Errorf("receipt %+v", r)
		}
		if got := s.shows(); len(got) != 1 || !same(got[0], x.union(a, b)) {
			t.Errorf("records %v", got)
		}
		first := s.asked[0]
		if first.KimaiUser != int64(anna[0])+1 || first.KimaiProject != 3 || first.KimaiActivity != 5 || first.Note != "a note" || !first.Open ||
			first.Marker != pow.Marker(anna, session(1), 1) {
			t.Errorf("asked for %+v", first)
		}
	})
}

func same(a, b pow.Interval) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }

func (x *world) union(n ...pow.Notice) pow.Interval {
	var all []pow.Interval
	for _, n := range n {
		all = append(all, n.Interval)
	}
	u := pow.Union(all)
	return pow.Interval{From: u[0].From, To: u[len(u)-1].To}
}

// A late proof joins two booked runs: one record is left, and the other is
// emptied before the first one grows over it.
func TestLateProofJoinsRuns(t *testing.T) {
	s := newSheets()
	in(t, kimai(s), func(x *world) {
		a, c := x.proof(laptop, session(1), 1, x.ago(60, 50)), x.proof(laptop, session(1), 3, x.ago(40, 30))
		for _, n := range []pow.Notice{a, c} {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
		}
		if got := s.shows(); len(got) != 2 {
			t.Fatalf("records %v", got)
		}
		s.asked = nil
		b := x.proof(laptop, session(1), 2, x.ago(50, 40))
		x.deliver(letter(b, 1))
		x.settle(time.Second)
		x.want(b, pow.CodeBooked)
		if got := s.shows(); len(got) != 1 || got[0].Duration() != 30*time.Minute {
			t.Errorf("records %v", got)
		}
		if len(s.asked) < 2 || s.asked[0].Want.Valid() || s.asked[0].Run != 2 || s.asked[1].Run != 1 {
			t.Errorf("asked for %+v", s.asked)
		}
	})
}

func TestSilence(t *testing.T) {
	s := newSheets()
	in(t, kimai(s), func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(12 * time.Minute)
		if r := x.session(session(1)); r.State != "open" {
			t.Errorf("after 14 min of silence: %s", r.State)
		}
		x.settle(2 * time.Minute)
		if r := x.session(session(1)); r.State != "closed" || !r.End.Equal(n.Interval.To) {
			t.Errorf("after 16 min of silence: %s at %v", r.State, r.End)
		}
		if last := s.asked[len(s.asked)-1]; last.Open || !last.Want.To.Equal(n.Interval.To) {
			t.Errorf("asked for %+v", last)
		}
		late := x.proof(laptop, session(1), 2, x.ago(16, 1))
		x.deliver(letter(late, 1))
		x.settle(time.Second)
		if r := x.session(session(1)); r.State != "open" || !r.End.Equal(late.Interval.To) {
			t.Errorf("after a late proof: %s until %v", r.State, r.End)
		}
	})
}

func TestStopHint(t *testing.T) {
	in(t, nil, func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		hint := pow.Notice{ID: digest("hint"), Author: anna, DVM: dvmKey, Device: laptop, Project: web, Session: session(1), Action: pow.ActionStop, At: n.Interval.To}
		x.deliver(letter(hint, 1))
		x.settle(time.Second)
		x.want(hint)
		if r := x.session(session(1)); r.State != "closed" {
			t.Errorf("after the stop: %s", r.State)
		}
		foreign := hint
		foreign.ID, foreign.Device, foreign.Author, foreign.Session = digest("foreign"), phone, bert, session(2)
		x.deliver(letter(x.proof(laptop, session(2), 2, x.ago(1, 0)), 1))
		foreign.At = x.now()
		x.deliver(letter(foreign, 1))
		x.settle(time.Second)
		if r := x.session(session(2)); r.State != "open" {
			t.Error("somebody else stopped the session")
		}
	})
}

// stop may come before extend.
func TestStopBeforeExtend(t *testing.T) {
	in(t, nil, func(x *world) {
		stop := x.proof(laptop, session(1), 2, x.ago(6, 2), func(n *pow.Notice, _ *pow.Opened) { n.Action = pow.ActionStop })
		extend := x.proof(laptop, session(1), 1, x.ago(12, 6))
		for _, n := range []pow.Notice{stop, extend} {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
		}
		if r := x.session(session(1)); r.State != "closed" || r.Proven != 600 {
			t.Errorf("%s with %d s", r.State, r.Proven)
		}
	})
}

// Trouble with the timesheet system is no error for the device: it is told
// accepted, and booked when the trouble is over.
func TestTimesheetAway(t *testing.T) {
	s := newSheets()
	s.fail = func(int, pow.Timesheet) (*pow.TimesheetRecord, error) {
		return nil, retry.Later(errors.New("503"), time.Minute)
	}
	in(t, kimai(s), func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(10 * time.Minute)
		x.want(n, pow.CodeAccepted)
		s.mu.Lock()
		if s.calls < 9 || s.calls > 11 {
			t.Errorf("asked %d times in ten minutes, told to wait one", s.calls)
		}
		s.fail = nil
		s.mu.Unlock()
		x.settle(2 * time.Minute)
		x.want(n, pow.CodeAccepted, pow.CodeBooked)
	})
}

func TestTimesheetStopped(t *testing.T) {
	s := newSheets()
	s.fail = func(int, pow.Timesheet) (*pow.TimesheetRecord, error) {
		return nil, retry.Permanent(errors.New("401"))
	}
	in(t, kimai(s), func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(21 * time.Minute)
		s.mu.Lock()
		if s.calls != 5 && s.calls != 6 { // every five minutes, and when the session closed
			t.Errorf("asked %d times", s.calls)
		}
		s.mu.Unlock()
		x.want(n, pow.CodeAccepted)
	})
}

func TestParked(t *testing.T) {
	s := newSheets()
	s.fail = func(int, pow.Timesheet) (*pow.TimesheetRecord, error) {
		return &pow.TimesheetRecord{State: pow.TimesheetParked, Reason: pow.ParkLocked, Detail: "closed period"}, nil
	}
	in(t, kimai(s), func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Hour)
		x.want(n, pow.CodeParked)
		if r := x.last(n.ID); r.Reason != "locked" || r.Booking.State != "parked" {
			t.Errorf("receipt %+v", r)
		}
		if s.calls != 1 {
			t.Errorf("asked %d times although a person decides", s.calls)
		}
		s.fail = nil
		x.must(x.l.Approve(context.Background(), session(1), x.now()))
		x.settle(10 * time.Second)
		x.want(n, pow.CodeParked, pow.CodeBooked)
	})
}

func TestParkedForAWhile(t *testing.T) {
	s := newSheets()
	in(t, kimai(s), func(x *world) {
		again := x.now().Add(15 * time.Minute)
		s.fail = func(int, pow.Timesheet) (*pow.TimesheetRecord, error) {
			if time.Now().Before(again) {
				return &pow.TimesheetRecord{State: pow.TimesheetParked, Reason: pow.ParkOwnTimer, Again: again}, nil
			}
			return nil, nil
		}
		n := x.proof(laptop, session(1), 1, x.ago(5, 0))
		x.deliver(letter(n, 1))
		x.settle(14 * time.Minute)
		x.want(n, pow.CodeParked)
		if r := x.last(n.ID); r.Reason != "overlap" {
			t.Errorf("because of %q", r.Reason)
		}
		x.settle(2 * time.Minute)
		x.want(n, pow.CodeParked, pow.CodeBooked)
	})
}

func TestUnmapped(t *testing.T) {
	s := newSheets()
	in(t, kimai(s), func(x *world) {
		m, err := x.l.Member(context.Background(), anna)
		x.must(err)
		m.KimaiUser = 0
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		p := project()
		p.Kimai = 0
		x.must(x.l.SetProject(context.Background(), p, x.now()))
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(10 * time.Second)
		m.KimaiUser = 9
		x.must(x.l.SetMember(context.Background(), m, x.now()))
		x.settle(10 * time.Second)
		x.must(x.l.SetProject(context.Background(), project(), x.now()))
		x.settle(10 * time.Second)
		var reasons []string
		for _, r := range x.said[3:] { // after the enrolments
			reasons = append(reasons, string(r.Code)+" "+r.Reason)
		}
		if d := cmp.Diff([]string{"parked user-unmapped", "parked project-unknown", "booked "}, reasons); d != "" {
			t.Error(d)
		}
	})
}

// The answer to a create is lost: the intent leads to the record.
func TestLostAnswer(t *testing.T) {
	s := newSheets()
	s.lost = true
	in(t, kimai(s), func(x *world) {
		n := x.proof(laptop, session(1), 1, x.ago(12, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Hour)
		x.want(n, pow.CodeBooked)
		if len(s.records) != 1 {
			t.Errorf("records %v", s.records)
		}
	})
}

// A run that the ledger booked stays in the ledger when Kimai is added later.
func TestTimesheetAddedLater(t *testing.T) {
	s := newSheets()
	in(t, nil, func(x *world) {
		x.deliver(letter(x.proof(laptop, session(1), 1, x.ago(12, 8)), 1))
		x.settle(time.Second)
		x.c.Timesheets = s
		x.restart()
		n := x.proof(laptop, session(1), 2, x.ago(8, 2))
		x.deliver(letter(n, 1))
		x.settle(time.Second)
		if r := x.last(n.ID); r.Booking.System != "ledger" || len(s.records) != 0 {
			t.Errorf("booked %+v, records %v", r.Booking, s.records)
		}
	})
}

// A record that another run has already is never booked a second time, and
// nobody else waits for it.
func TestRecordOfAnotherRun(t *testing.T) {
	s := newSheets()
	s.fail = func(_ int, t pow.Timesheet) (*pow.TimesheetRecord, error) {
		return &pow.TimesheetRecord{State: pow.TimesheetBooked, ID: 4711, Sent: t.Want, Got: t.Want}, nil
	}
	in(t, kimai(s), func(x *world) {
		a, b := x.proof(laptop, session(1), 1, x.ago(60, 50)), x.proof(laptop, session(2), 2, x.ago(40, 30))
		for _, n := range []pow.Notice{a, b} {
			x.deliver(letter(n, 1))
			x.settle(time.Second)
		}
		x.want(a, pow.CodeBooked)
		x.want(b, pow.CodeParked)
		if r := x.last(b.ID); r.Reason != "booking-refused" {
			t.Errorf("because of %q", r.Reason)
		}
	})
}
