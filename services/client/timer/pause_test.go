package timer_test

import (
	"errors"
	"testing"
	"time"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

var lunch = timer.Pause{State: pow.Paused, Reason: "user"}

func TestPauseAndResume(t *testing.T) {
	b := newBench()
	if err := b.Pause(lunch, time.Time{}); !errors.Is(err, pow.ErrNotTracking) {
		t.Errorf("pause while stopped: %v", err)
	}
	if err := b.Resume(noon); !errors.Is(err, pow.ErrNotTracking) {
		t.Errorf("resume while stopped: %v", err)
	}
	_ = b.Start("p", "work", "note")
	session := b.Status().Session
	b.run(t, time.Hour)
	b.pass(3 * time.Second)
	if err := b.Pause(lunch, time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.run(t, time.Hour) // nobody works
	s := b.Status()
	if s.State != pow.Paused || s.Reason != "user" || s.Elapsed != 3603 || s.Session != session || s.Note != "note" || b.j.running != nil {
		t.Errorf("%+v", s)
	}
	until := b.wall.Add(time.Hour)
	if err := b.Pause(timer.Pause{State: pow.Paused, Reason: "off-record", Until: until}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if s = b.Status(); s.Reason != "off-record" || !s.Until.Equal(until) || s.Elapsed != 3603 {
		t.Errorf("another reason: %+v", s)
	}
	back := b.wall
	b.pass(2 * time.Second)
	if err := b.Resume(back); err != nil {
		t.Fatal(err)
	}
	if err := b.Resume(back); err != nil {
		t.Errorf("twice: %v", err)
	}
	b.run(t, time.Minute)
	if s = b.Status(); s.State != pow.Tracking || s.Reason != "" || !s.Until.IsZero() || s.Session != session || s.Elapsed != 3665 {
		t.Errorf("%+v", s)
	}
	_ = b.Stop()
	if len(b.j.closed) != 2 || !b.j.closed[1].From.Equal(back) || b.total() != 3665*time.Second {
		t.Errorf("%v", b.j.closed)
	}
}

// A moment of return that is long past is not believed.
func TestResumeFromLongAgo(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Minute)
	_ = b.Pause(lunch, time.Time{})
	b.pass(time.Hour)
	_ = b.Resume(b.wall.Add(-time.Minute))
	_ = b.Stop()
	if b.total() != time.Minute {
		t.Errorf("%v", b.total())
	}
}

// Time away is not shown as worked, until the person keeps it.
func TestAwayIsNotShown(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Hour)
	if err := b.Pause(timer.Pause{State: pow.Idle, Reason: "idle"}, b.wall.Add(-20*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.State != pow.Idle || s.Elapsed != 2400 {
		t.Errorf("%+v", s)
	}
	_ = b.Resume(b.wall)
	b.Credit("another", time.Hour)
	b.Credit(b.Status().Session, 20*time.Minute)
	if s := b.Status(); s.Elapsed != 3600 {
		t.Errorf("%+v", s)
	}
}

// Sleep before a pause: the segment ends where it was seen last.
func TestPauseAfterSleep(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Minute)
	b.wall = b.wall.Add(time.Hour) // the monotonic clock stood still
	if err := b.Pause(timer.Pause{State: pow.Paused, Reason: "asleep"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if b.total() != time.Minute || b.Status().Elapsed != 60 {
		t.Errorf("%v %+v", b.total(), b.Status())
	}
}

func TestRestorePaused(t *testing.T) {
	b := newBench()
	b.RestorePaused(timer.Session{Segment: timer.Segment{Session: "s", Project: "p", From: noon, Last: noon}, Since: noon.Add(-time.Hour), Earlier: 30 * time.Minute}, lunch)
	if s := b.Status(); s.State != pow.Paused || s.Session != "s" || s.Elapsed != 1800 || !s.Since.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%+v", s)
	}
	if cur, found := b.Current(); !found || cur.Session != "s" || cur.Earlier != 30*time.Minute {
		t.Errorf("%+v", cur)
	}
	if err := b.Resume(b.wall); err != nil || b.Status().Session != "s" {
		t.Error(err)
	}
}

func TestSwitchBack(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Minute)
	first, _ := b.Current()
	first.Earlier = time.Minute
	left := b.wall
	_ = b.Start("q", "", "")
	b.run(t, 20*time.Second)
	if err := b.SwitchBack(first, left, 10*time.Second); !errors.Is(err, pow.ErrUsage) {
		t.Errorf("too late: %v", err)
	}
	if err := b.SwitchBack(first, left, time.Minute); err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.Session != first.Session || s.Project.ID != "p" || s.Elapsed != 80 || !s.Since.Equal(noon) {
		t.Errorf("%+v", s)
	}
}

// What cannot be stored is not shown.
func TestResumeThatCannotBeStored(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	_ = b.Pause(lunch, time.Time{})
	b.j.noBegin = errors.New("disk full")
	if err := b.Resume(b.wall); err == nil || b.Status().State != pow.Paused {
		t.Errorf("%v %+v", err, b.Status())
	}
}

func TestRecall(t *testing.T) {
	for name, c := range map[string]struct{ said, recalled, want string }{
		"nothing said": {"", "before", "before"}, "said meanwhile": {"new", "before", "new"}, "nothing to recall": {"new", "", "new"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			if err := errors.Join(b.Start("p", "", c.said), b.Recall(c.recalled)); err != nil {
				t.Fatal(err)
			}
			if s := b.Status(); s.Note != c.want {
				t.Errorf("%q, want %q", s.Note, c.want)
			}
		})
	}
}
