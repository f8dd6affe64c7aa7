package client

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"pow.do/services/client/away"
	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// clock is a timer's clock that a test moves.
type clock struct {
	wall time.Time
	mono time.Duration
}

func (c *clock) pass(d time.Duration) { c.wall, c.mono = c.wall.Add(d), c.mono+d }

// tracked is an agent whose timer has run for two hours on a project.
func tracked(t *testing.T, project pow.ProjectID) (*Agent, *clock) {
	t.Helper()
	a := alone(t)
	agreeAll(t, a)
	c := &clock{wall: time.Now().Round(0).Add(-2 * time.Hour)}
	a.timer = timer.New(journal{a.queue}, timer.Clock{Wall: func() time.Time { return c.wall }, Mono: func() time.Duration { return c.mono }}, rand.Reader)
	must(t, start(t, a, project))
	c.pass(2 * time.Hour)
	must(t, a.timer.Tick())
	return a, c
}

// about tells whether so many seconds are the wanted minutes, give or take what
// rounding to whole seconds costs.
func about(seconds int64, minutes float64) bool {
	return seconds >= int64(minutes*60)-3 && seconds <= int64(minutes*60)+3
}

func status(t *testing.T, a *Agent) pow.Status {
	t.Helper()
	s, err := a.Status(t.Context())
	must(t, err)
	return s
}

// Half an hour away, and each of the four answers.
func TestFourAnswers(t *testing.T) {
	for choice, want := range map[pow.AwayChoice]struct {
		held  float64 // minutes that wait for Register
		state pow.TimerState
	}{
		pow.AwayKeep:    {120, pow.Tracking},
		pow.AwayDiscard: {90, pow.Tracking},
		pow.AwayStop:    {90, pow.Stopped},
		pow.AwayOther:   {120, pow.Tracking},
	} {
		t.Run(string(choice), func(t *testing.T) {
			a, c := tracked(t, optional)
			a.Away(c.wall.Add(-30*time.Minute), away.Idle)
			s := status(t, a)
			if s.Timer.State != pow.Idle || s.Timer.Reason != away.Idle || !about(s.Timer.Elapsed, 90) || len(s.Away) != 1 || !s.Away[0].To.IsZero() || !about(s.HeldSeconds, 90) {
				t.Fatalf("away: %+v, held %d, %+v", s.Timer, s.HeldSeconds, s.Away)
			}
			if _, err := a.Capture(t.Context()); !errors.Is(err, pow.ErrNotTracking) {
				t.Error("a picture of nobody:", err)
			}
			a.Back(c.wall)
			if s = status(t, a); s.Timer.State != pow.Tracking || len(s.Away) != 1 || s.Away[0].To.IsZero() || !about(s.HeldSeconds, 90) {
				t.Fatalf("back: %+v, held %d, %+v", s.Timer, s.HeldSeconds, s.Away)
			}
			s, err := a.AnswerAway(t.Context(), pow.AwayAnswer{ID: s.Away[0].ID, Choice: choice, Project: "Kiosk"})
			must(t, err)
			if s.Timer.State != want.state || len(s.Away) != 0 || !about(s.HeldSeconds, want.held) {
				t.Errorf("%+v, held %d, want %v min", s.Timer, s.HeldSeconds, want.held)
			}
			if choice == pow.AwayKeep && !about(s.Timer.Elapsed, 120) {
				t.Errorf("kept, but %d s are shown", s.Timer.Elapsed)
			}
			var other int64
			es, err := a.queue.Entries(pow.Interval{From: c.wall.Add(-3 * time.Hour), To: c.wall})
			must(t, err)
			for _, e := range es {
				if e.Project.ID == required {
					other += e.Seconds
				}
			}
			if about(other, 30) != (choice == pow.AwayOther) {
				t.Errorf("%d s for the other project", other)
			}
		})
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	a, c := tracked(t, optional)
	a.Away(c.wall.Add(-time.Minute), away.Idle)
	id := status(t, a).Away[0].ID
	for r, want := range map[pow.AwayAnswer]error{
		{ID: "nonsense", Choice: pow.AwayKeep}:             pow.ErrNotFound,
		{ID: id, Choice: "perhaps"}:                        pow.ErrUsage,
		{ID: id, Choice: pow.AwayOther}:                    pow.ErrUnknownProject,
		{ID: id, Choice: pow.AwayOther, Project: "nobody"}: pow.ErrUnknownProject,
	} {
		if _, err := a.AnswerAway(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	// Who answers is here.
	if s, err := a.AnswerAway(t.Context(), pow.AwayAnswer{ID: id, Choice: pow.AwayDiscard}); err != nil || s.Timer.State != pow.Tracking {
		t.Errorf("%+v %v", s.Timer, err)
	}
}

// What is registered cannot be taken back: the gap begins behind it.
func TestAwaySinceBeforeTheLastProof(t *testing.T) {
	a, c := tracked(t, optional)
	must(t, a.timer.Cut())
	id, err := deliveryID(c.wall)
	must(t, err)
	session := a.mustSession(t)
	work := a.queue.Tracked(session)
	proven := work[len(work)-1]
	must(t, a.queue.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: optional, Interval: proven, State: pow.Queued, Created: c.wall}}))
	c.pass(time.Minute)
	must(t, a.timer.Tick())
	from, err := a.afterProofs(a.mustSession(t), c.wall.Add(-30*time.Minute))
	if err != nil || !from.Equal(proven.To) {
		t.Errorf("the gap would begin at %v, proofs end at %v: %v", from, proven.To, err)
	}
}

func (a *Agent) mustSession(t *testing.T) pow.SessionID {
	t.Helper()
	s, found := a.timer.Current()
	if !found {
		t.Fatal("no session")
	}
	return s.Session
}

// A lock during idleness is one stretch with a graver reason.
func TestLockWhileIdle(t *testing.T) {
	a, c := tracked(t, optional)
	a.Away(c.wall.Add(-10*time.Minute), away.Idle)
	a.Away(c.wall.Add(-10*time.Minute), away.Locked)
	s := status(t, a)
	if s.Timer.State != pow.Paused || s.Timer.Reason != away.Locked || len(s.Away) != 1 {
		t.Errorf("%+v %+v", s.Timer, s.Away)
	}
	a.Back(c.wall)
	if s = status(t, a); s.Timer.State != pow.Tracking || len(s.Away) != 1 || !about(s.HeldSeconds, 110) {
		t.Errorf("%+v %+v", s.Timer, s.Away)
	}
}

// Who is away while nothing runs, or paused before, is asked nothing.
func TestAwayWithoutWork(t *testing.T) {
	a, c := tracked(t, optional)
	_, err := a.Pause(t.Context())
	must(t, err)
	a.Away(c.wall, away.Locked)
	a.Back(c.wall)
	if s := status(t, a); s.Timer.State != pow.Paused || s.Timer.Reason != byUser || len(s.Away) != 0 {
		t.Errorf("%+v %+v", s.Timer, s.Away)
	}
	_, err = a.Stop(t.Context())
	must(t, err)
	a.Away(c.wall, away.Idle)
	a.Back(c.wall)
	if s := status(t, a); s.Timer.State != pow.Stopped || len(s.Away) != 0 {
		t.Errorf("%+v %+v", s.Timer, s.Away)
	}
}

// Eight hours away end the session at the last input, without a question.
func TestAwayTooLong(t *testing.T) {
	a, c := tracked(t, optional)
	since := c.wall.Add(-time.Hour)
	a.Away(since, away.Idle)
	a.awayTooLong(since.Add(8*time.Hour - time.Second))
	if s := status(t, a); s.Timer.State != pow.Idle {
		t.Fatalf("too early: %+v", s.Timer)
	}
	a.awayTooLong(since.Add(8 * time.Hour))
	a.Back(since.Add(9 * time.Hour))
	if s := status(t, a); s.Timer.State != pow.Stopped || len(s.Away) != 0 || !about(s.HeldSeconds, 60) {
		t.Errorf("%+v, held %d, %+v", s.Timer, s.HeldSeconds, s.Away)
	}
}

// reopened is the agent of the same home after a restart.
func reopened(t *testing.T, a *Agent) *Agent {
	t.Helper()
	a.mu.Lock()
	a.quit = func() {} // as after Run: a timer is not left to nobody
	a.mu.Unlock()
	must(t, a.lastTick())
	must(t, a.queue.Close())
	b, err := Open(t.Context(), Config{Home: a.cfg.Home, Passphrase: func() (string, error) { return passphrase, nil }, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	return b
}

// A restart forgets neither an absence nor a pause.
func TestRestartWhileAway(t *testing.T) {
	a, c := tracked(t, optional)
	since := c.wall.Add(-10 * time.Minute)
	a.Away(since, away.Idle)
	b := reopened(t, a)
	s := status(t, b)
	if s.Timer.State != pow.Idle || len(s.Away) != 1 || s.Timer.Session != a.mustSession(t) || b.absent == nil || b.absent.since.Sub(since).Abs() > time.Second {
		t.Fatalf("%+v %+v %+v", s.Timer, s.Away, b.absent)
	}
	b.Back(time.Now())
	if s = status(t, b); s.Timer.State != pow.Tracking || s.Away[0].To.IsZero() || !about(s.HeldSeconds, 110) {
		t.Errorf("%+v, held %d", s.Timer, s.HeldSeconds)
	}
	_, err := b.OffRecord(t.Context(), pow.OffRecord{Until: time.Now().Add(time.Hour)})
	must(t, err)
	if s = status(t, reopened(t, b)); s.Timer.State != pow.Paused || s.Timer.Reason != offRecord || s.Timer.Until.IsZero() {
		t.Errorf("%+v", s.Timer)
	}
}

// Off the record nothing is recorded, one row says so, and it ends by itself.
func TestOffRecord(t *testing.T) {
	a, c := tracked(t, optional)
	until := time.Now().Add(15 * time.Minute)
	s, err := a.OffRecord(t.Context(), pow.OffRecord{Until: until})
	must(t, err)
	if s.Timer.State != pow.Paused || s.Timer.Reason != offRecord || s.Timer.Until.Sub(until).Abs() > time.Second {
		t.Errorf("%+v", s.Timer)
	}
	if _, err := a.Capture(t.Context()); !errors.Is(err, pow.ErrNotTracking) {
		t.Error("a picture off the record:", err)
	}
	ps, err := a.queue.Pictures(pow.Interval{From: c.wall.Add(-time.Hour), To: time.Now().Add(time.Hour)})
	if err != nil || len(ps) != 1 || ps[0].State != pow.PictureSkipped || ps[0].Reason != pow.SkipOffRecord {
		t.Errorf("%+v %v", ps, err)
	}
	a.endOffRecord(until.Add(-2 * time.Second))
	if status(t, a).Timer.State != pow.Paused {
		t.Error("ended too early")
	}
	a.endOffRecord(until)
	if s := status(t, a); s.Timer.State != pow.Tracking || len(s.Away) != 0 {
		t.Errorf("%+v", s.Timer)
	}
	for _, bad := range []time.Time{time.Now().Add(-time.Minute), time.Now().Add(72 * time.Hour)} {
		if _, err := a.OffRecord(t.Context(), pow.OffRecord{Until: bad}); !errors.Is(err, pow.ErrUsage) {
			t.Errorf("until %v: %v", bad, err)
		}
	}
	_, err = a.OffRecord(t.Context(), pow.OffRecord{})
	must(t, err)
	if s, err := a.Resume(t.Context()); err != nil || s.Timer.State != pow.Tracking {
		t.Errorf("%+v %v", s.Timer, err)
	}
	_, err = a.Stop(t.Context())
	must(t, err)
	if _, err := a.OffRecord(t.Context(), pow.OffRecord{}); !errors.Is(err, pow.ErrNotTracking) {
		t.Error("off the record while stopped:", err)
	}
}

// Whoever is away when the time off the record is over is away from work.
func TestOffRecordEndsWhileAway(t *testing.T) {
	a, _ := tracked(t, optional)
	until := time.Now().Add(2 * time.Second)
	_, err := a.OffRecord(t.Context(), pow.OffRecord{Until: until})
	must(t, err)
	a.Away(time.Now(), away.Locked)
	a.endOffRecord(until.Add(time.Second))
	if s := status(t, a); s.Timer.State != pow.Paused || s.Timer.Reason != away.Locked || len(s.Away) != 1 {
		t.Errorf("%+v %+v", s.Timer, s.Away)
	}
}

// A switch is taken back with all that was recorded since.
func TestUndoSwitch(t *testing.T) {
	a, c := tracked(t, optional)
	first := a.mustSession(t)
	must(t, start(t, a, required))
	second := a.mustSession(t)
	c.pass(4 * time.Second)
	_, err := a.Capture(t.Context())
	must(t, err)
	a.mu.Lock()
	a.switched.at = time.Now().Add(-4 * time.Second)
	a.mu.Unlock()
	s, err := a.UndoSwitch(t.Context())
	must(t, err)
	if s.Timer.Session != first || first == second || s.Timer.Project.ID != optional || s.Held != 0 || s.Timer.Elapsed < 7200 {
		t.Errorf("%+v, held %d", s.Timer, s.Held)
	}
	if _, err := a.UndoSwitch(t.Context()); !errors.Is(err, pow.ErrUsage) {
		t.Error("taken back twice:", err)
	}
	must(t, start(t, a, required))
	a.mu.Lock()
	a.switched.at = time.Now().Add(-2 * undoFor)
	a.mu.Unlock()
	if _, err := a.UndoSwitch(t.Context()); !errors.Is(err, pow.ErrUsage) {
		t.Error("taken back too late:", err)
	}
}
