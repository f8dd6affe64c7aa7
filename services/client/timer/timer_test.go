package timer_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

type journal struct {
	running *timer.Segment
	closed  []pow.Interval
	fail    error
	noBegin error
}

func (j *journal) Begin(s timer.Segment) error {
	if j.running != nil {
		return errors.New("two at once")
	}
	if j.noBegin != nil {
		return j.noBegin
	}
	if j.fail == nil {
		j.running = &s
	}
	return j.fail
}
func (j *journal) Seen(at time.Time, note string) error {
	j.running.Last, j.running.Note = at, note
	return j.fail
}
func (j *journal) End(at time.Time) error {
	j.closed = append(j.closed, pow.Interval{From: j.running.From, To: at})
	j.running = nil
	return j.fail
}

type bench struct {
	*timer.Timer
	j    *journal
	wall time.Time
	mono time.Duration
}

func newBench() *bench {
	b := &bench{j: &journal{}, wall: noon}
	b.Timer = timer.New(b.j, timer.Clock{Wall: func() time.Time { return b.wall }, Mono: func() time.Duration { return b.mono }},
		bytes.NewReader(bytes.Repeat([]byte{7}, 1000)))
	return b
}

func (b *bench) pass(d time.Duration) { b.wall, b.mono = b.wall.Add(d), b.mono+d }

func (b *bench) run(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= timer.TickEvery {
		b.pass(min(d, timer.TickEvery))
		if err := b.Tick(); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bench) total() time.Duration { return pow.Total(b.j.closed) }

func TestStartStop(t *testing.T) {
	b := newBench()
	if err := b.Stop(); !errors.Is(err, pow.ErrNotTracking) {
		t.Errorf("stop while stopped: %v", err)
	}
	if err := b.Start("p", "", "note"); err != nil {
		t.Fatal(err)
	}
	b.run(t, time.Hour)
	b.pass(3 * time.Second)
	if s := b.Status(); s.State != pow.Tracking || s.Elapsed != 3603 || s.Project.ID != "p" || !s.Since.Equal(noon) || s.Note != "note" {
		t.Errorf("%+v", s)
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if b.total() != 3603*time.Second || b.Status().State != pow.Stopped || b.Status().Elapsed != 0 {
		t.Errorf("%v %+v", b.total(), b.Status())
	}
}

func TestSwitchIsOneStep(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	first := b.Status().Session
	b.run(t, time.Minute)
	if err := b.Start("q", "", ""); err != nil {
		t.Fatal(err)
	}
	if b.Status().Session == first || b.Status().Elapsed != 0 || b.total() != time.Minute {
		t.Errorf("%+v %v", b.Status(), b.total())
	}
	again := b.Status().Session
	if _ = b.Start("q", "", "words"); b.Status().Session != again || b.Status().Note != "words" {
		t.Error("starting what runs changed it")
	}
	if _ = b.Start("q", "", ""); b.Status().Note != "words" {
		t.Error("starting what runs without a note took the note away")
	}
}

func TestCutLosesAndDoublesNothing(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.pass(90*time.Second + 400*time.Millisecond)
	if err := b.Cut(); err != nil {
		t.Fatal(err)
	}
	if err := b.Cut(); err != nil { // not a second old: nothing to cut
		t.Fatal(err)
	}
	b.pass(30*time.Second + 700*time.Millisecond)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if len(b.j.closed) != 2 || b.j.closed[0].To != b.j.closed[1].From || b.total() != 121100*time.Millisecond {
		t.Errorf("%v", b.j.closed)
	}
}

// Sleep and a set clock end the segment at the last moment that was seen.
func TestSleepIsNotWork(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Minute)
	b.wall = b.wall.Add(time.Hour) // the monotonic clock stood still
	b.run(t, time.Minute)
	if s := b.Status(); s.Elapsed < 115 || s.Elapsed > 120 {
		t.Errorf("elapsed %d s, want about two minutes", s.Elapsed)
	}
	_ = b.Stop()
	if d := b.total(); d < 115*time.Second || d > 2*time.Minute {
		t.Errorf("total %v", d)
	}
	b = newBench()
	_ = b.Start("p", "", "")
	b.run(t, time.Minute)
	b.wall = b.wall.Add(-time.Hour)
	b.run(t, time.Minute)
	_ = b.Stop()
	for _, i := range b.j.closed {
		if i.To.Before(i.From) {
			t.Errorf("a segment runs backwards: %v", i)
		}
	}
}

func TestRestore(t *testing.T) {
	seg := timer.Segment{Session: "s", Project: "p", From: noon.Add(-time.Hour), Last: noon.Add(-time.Minute)}
	alone := seg
	alone.Unattended = true
	for name, c := range map[string]struct {
		seg     timer.Segment
		away    time.Duration
		state   pow.TimerState
		elapsed time.Duration
	}{
		"short absence goes on":        {seg, 0, pow.Tracking, 69 * time.Minute},
		"long absence waits":           {seg, time.Hour, pow.Paused, 69 * time.Minute},
		"rounded up by the journal":    {seg, -time.Minute - 900*time.Millisecond, pow.Tracking, 69 * time.Minute},
		"clock behind waits":           {seg, -time.Hour, pow.Paused, 69 * time.Minute},
		"unattended has no gap":        {alone, time.Hour, pow.Tracking, 130 * time.Minute},
		"unattended for days does not": {alone, 48 * time.Hour, pow.Paused, 69 * time.Minute},
	} {
		b := newBench()
		b.wall = noon.Add(c.away)
		if err := b.Restore(c.seg, noon.Add(-2*time.Hour), 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		if s := b.Status(); s.State != c.state || s.Session != "s" || s.Elapsed != int64(c.elapsed/time.Second) || !s.Since.Equal(noon.Add(-2*time.Hour)) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestForgottenTimerEnds(t *testing.T) {
	b := newBench()
	_ = b.Start("p", "", "")
	b.run(t, 20*time.Hour)
	if b.Status().State != pow.Stopped || b.total() > timer.MaxSession {
		t.Errorf("%v after %v", b.Status().State, b.total())
	}
}

// What could not be stored did not happen.
// A timer whose next segment cannot be stored does not claim to track.
func TestRenewalThatFailsPauses(t *testing.T) {
	for name, renew := range map[string]func(*bench) error{
		"sleep": func(b *bench) error { b.wall = b.wall.Add(time.Hour); return b.Tick() },
		"cut":   func(b *bench) error { return b.Cut() },
	} {
		b := newBench()
		if err := b.Start("p", "", ""); err != nil {
			t.Fatal(err)
		}
		b.run(t, 10*time.Second)
		b.j.noBegin = errors.New("disk full")
		b.pass(timer.TickEvery)
		if err := renew(b); err == nil || b.Status().State != pow.Paused || b.Status().Project == nil {
			t.Errorf("%s: %v %+v", name, err, b.Status())
		}
		b.j.noBegin = nil
		if err := b.Start("p", "", ""); err != nil || b.Status().State != pow.Tracking {
			t.Errorf("%s: %v %+v", name, err, b.Status())
		}
	}
}

func TestJournalFirst(t *testing.T) {
	b := newBench()
	b.j.fail = errors.New("disk full")
	if err := b.Start("p", "", ""); err == nil || b.Status().State != pow.Stopped {
		t.Errorf("%v %v", err, b.Status().State)
	}
}
