package timer

import (
	"time"

	"pow.do/services/pow"
)

// Pause is why a Session stands still: its State (Paused or Idle), the reason,
// and when it is to end; zero: nobody knows.
type Pause struct {
	State  pow.TimerState
	Reason string
	Until  time.Time
}

// Session is what a Session needs to be taken up again.
type Session struct {
	Segment
	Since   time.Time     // when it began
	Earlier time.Duration // of its closed segments
}

// Current returns the Session that runs or is paused.
func (t *Timer) Current() (s Session, found bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	seg := t.running
	if seg == nil {
		seg = t.paused
	}
	if seg == nil {
		return s, false
	}
	return Session{*seg, t.since, t.earlier}, true
}

// Pause ends the running segment now and waits for Resume, or gives a pause
// another reason. What was shown since the given moment (zero: now) is not
// shown as worked any more; whether it counts is for the caller to settle.
// Errors: pow.ErrNotTracking.
func (t *Timer) Pause(p Pause, since time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running != nil {
		if err := t.tick(); err != nil {
			return err
		}
	}
	if t.running != nil {
		s := *t.running
		if err := t.end(s.Last); err != nil {
			return err
		}
		t.paused = &s
		if lost := s.Last.Sub(since); !since.IsZero() && lost > 0 {
			t.earlier = max(0, t.earlier-lost)
		}
	}
	if t.paused == nil {
		return pow.ErrNotTracking
	}
	t.state, t.reason, t.until = p.State, p.Reason, p.Until
	return nil
}

// Resume continues a paused Session in a new segment that began at the given
// moment, or now where that is not within the last MaxSkew. It does nothing
// while the timer runs. Errors: pow.ErrNotTracking.
func (t *Timer) Resume(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.running != nil:
		return nil
	case t.paused == nil:
		return pow.ErrNotTracking
	}
	return t.goOn(*t.paused, at)
}

// goOn begins a segment like s at a moment that is a little past.
func (t *Timer) goOn(s Segment, at time.Time) error {
	now := t.clock.Wall()
	if age := now.Sub(at); age < 0 || age > MaxSkew {
		at = now
	}
	if err := t.begin(s, at); err != nil {
		return err
	}
	t.running.Last = now
	return t.journal.Seen(now, s.Note)
}

// RestorePaused takes over a Session that was paused when the program ended.
func (t *Timer) RestorePaused(s Session, p Pause) {
	t.mu.Lock()
	defer t.mu.Unlock()
	seg := s.Segment
	t.paused, t.since, t.earlier = &seg, s.Since, s.Earlier
	t.state, t.reason, t.until = p.State, p.Reason, p.Until
}

// SwitchBack ends what runs and continues an earlier Session in a segment that
// began when it was left, which is long ago at most as within says.
func (t *Timer) SwitchBack(s Session, left time.Time, within time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Wall()
	if age := now.Sub(left); age < 0 || age > within {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "it is too late to take the switch back", Mend: "start the other project again"}
	}
	if err := t.stop(); err != nil {
		return err
	}
	t.since, t.earlier = s.Since, s.Earlier
	if err := t.begin(s.Segment, left); err != nil {
		return err
	}
	t.running.Last = now
	return t.journal.Seen(now, s.Note)
}

// Credit adds to what is shown of the Session: time away that the person kept.
func (t *Timer) Credit(s pow.SessionID, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running != nil && t.running.Session == s || t.paused != nil && t.paused.Session == s {
		t.earlier += d
	}
}
