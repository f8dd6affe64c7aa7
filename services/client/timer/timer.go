// Package timer is the stop-watch: it says which project time is spent on and
// since when, and writes it down before it shows it.
//
// Time is kept in segments. A Session, from Start to Stop on one project, is
// one or more segments: a new one begins when a proof is cut off (Cut), when the
// computer slept, when its clock was set, or when the program was not running.
// What lies between two segments was witnessed by nobody and is never claimed.
//
// Durations come from the monotonic clock; wall-clock times only label them. A
// wall clock that runs away from the monotonic one means sleep or a set clock,
// and ends the segment at the last moment that was seen.
package timer

import (
	"fmt"
	"io"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Limits of a segment and a Session.
const (
	// TickEvery is how often Tick should be called: the most that a kill can lose.
	TickEvery = 5 * time.Second
	// MaxSkew is how far wall and monotonic clock may drift apart between two ticks.
	MaxSkew = 10 * time.Second
	// ResumeWithin is how long the program may have been away for the timer to go
	// on by itself; after a longer absence it waits for a person.
	ResumeWithin = 5 * time.Minute
	// MaxSession ends a forgotten timer.
	MaxSession = 16 * time.Hour
)

// Segment is one witnessed stretch of a Session.
type Segment struct {
	Session       pow.SessionID
	Project       pow.ProjectID
	KimaiActivity pow.KimaiActivityID
	Note          string
	From          time.Time
	// Last is the newest moment at which the segment was seen running.
	Last time.Time
	// Unattended says that nobody watched since Last, and that this was wanted: the
	// command line started the timer and ended. Restore counts that time.
	Unattended bool
}

// Journal keeps what the timer does, durably, before the timer shows it.
type Journal interface {
	// Begin stores a new running segment; there is none.
	Begin(Segment) error
	// Seen moves the running segment's Last, and stores its note.
	Seen(at time.Time, note string) error
	// End closes the running segment at the given moment. What is kept is whole
	// seconds: a second that two segments share belongs to the first.
	End(at time.Time) error
}

// Clock tells the time: Wall to label, Mono to measure.
type Clock struct {
	Wall func() time.Time
	Mono func() time.Duration // since any fixed moment; stands still while the computer sleeps
}

// SystemClock is the computer's.
func SystemClock() Clock {
	return Clock{Wall: func() time.Time { return time.Now().Round(0) }, Mono: monotonic()}
}

// Timer is the stop-watch. It is safe for concurrent use.
type Timer struct {
	journal Journal
	clock   Clock
	random  io.Reader

	mu      sync.Mutex // guards all below
	state   pow.TimerState
	reason  string
	until   time.Time // the pause ends then; zero: open
	running *Segment
	paused  *Segment      // what Resume would continue
	since   time.Time     // when the Session began
	earlier time.Duration // of its closed segments
	mono    time.Duration // at the last tick
}

// New makes a stopped timer. random makes Session ids (crypto/rand.Reader).
func New(j Journal, c Clock, random io.Reader) *Timer {
	return &Timer{journal: j, clock: c, random: random, state: pow.Stopped}
}

// Restore takes over the segment that ran when the program ended and has been
// closed at its Last since, the beginning of its Session and the length of that
// Session's earlier segments. A short absence goes on in a new segment; after a long one the timer is paused,
// with reason "restarted". An unattended one goes on without a gap.
func (t *Timer) Restore(s Segment, since time.Time, earlier time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Wall()
	t.since, t.earlier = since, earlier+s.Last.Sub(s.From)
	away := now.Sub(s.Last)
	if away < 0 && away > -time.Second {
		away = 0 // the journal keeps whole seconds, rounded up
	}
	switch {
	case s.Unattended && away >= 0 && away < MaxSession:
		if err := t.begin(s, s.Last); err != nil {
			return err
		}
		t.running.Last = now
		return t.journal.Seen(now, s.Note)
	case away >= 0 && away <= ResumeWithin:
		return t.begin(s, now)
	}
	t.paused, t.state, t.reason, t.until = &s, pow.Paused, "restarted", time.Time{}
	return nil
}

// Start begins a Session, ending the one that runs (a switch). Starting what
// is running already changes nothing; starting a paused project continues it
// in a new Session.
func (t *Timer) Start(p pow.ProjectID, work pow.KimaiActivityID, note string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running != nil && t.running.Project == p && t.running.KimaiActivity == work {
		if note == "" {
			return nil // nothing new was said; Note("") takes words away
		}
		t.running.Note = note
		return t.journal.Seen(t.running.Last, note)
	}
	id, err := pow.NewSessionID(t.clock.Wall(), t.random)
	if err != nil {
		return err
	}
	if err := t.stop(); err != nil {
		return err
	}
	now := t.clock.Wall()
	t.since = now
	return t.begin(Segment{Session: id, Project: p, KimaiActivity: work, Note: note}, now)
}

// Stop ends the Session. Without one it returns pow.ErrNotTracking.
func (t *Timer) Stop() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil && t.paused == nil {
		return pow.ErrNotTracking
	}
	return t.stop()
}

// Note replaces the words about the running work.
func (t *Timer) Note(note string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		return pow.ErrNotTracking
	}
	t.running.Note = note
	return t.journal.Seen(t.running.Last, note)
}

// Recall gives the work that was restored the words that could not be read then,
// unless others were said meanwhile.
func (t *Timer) Recall(note string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case note == "":
	case t.running != nil && t.running.Note == "":
		t.running.Note = note
		return t.journal.Seen(t.running.Last, note)
	case t.running == nil && t.paused != nil && t.paused.Note == "":
		t.paused.Note = note
	}
	return nil
}

// Tick says that the program is alive: call it every TickEvery while it runs.
func (t *Timer) Tick() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		return nil
	}
	return t.tick()
}

func (t *Timer) tick() error {
	now, mono := t.clock.Wall(), t.clock.Mono()
	skew := now.Sub(t.running.Last) - (mono - t.mono)
	t.mono = mono
	if skew.Abs() > MaxSkew {
		return t.renew(now)
	}
	if t.elapsed(now) >= MaxSession {
		return t.stop()
	}
	t.running.Last = now
	return t.journal.Seen(now, t.running.Note)
}

// Cut ends the running segment now and begins the next one at the same second,
// in the same Session, so that a proof can be made of what was done so far. It
// does nothing when no timer runs.
func (t *Timer) Cut() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		return nil
	}
	if err := t.tick(); err != nil || t.running == nil {
		return err
	}
	if t.running.Last.Sub(t.running.From) < time.Second {
		return nil // too short to be cut
	}
	return t.renew(t.running.Last)
}

// renew ends the running segment at its Last and begins the next one at the
// given moment. When that cannot be stored, the timer is paused, and says so:
// what is not written down is not shown as tracked.
func (t *Timer) renew(at time.Time) error {
	s := *t.running
	if err := t.end(s.Last); err != nil {
		return err
	}
	if err := t.begin(s, at); err != nil {
		t.paused, t.state, t.reason, t.until = &s, pow.Paused, "not-stored", time.Time{}
		return err
	}
	return nil
}

// Running returns the running segment.
func (t *Timer) Running() (Segment, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		return Segment{}, false
	}
	return *t.running, true
}

// Status tells the state and how long the Session has run. Elapsed is in whole
// seconds and never runs backwards while the state stays the same.
func (t *Timer) Status() (s pow.TimerStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s = pow.TimerStatus{State: t.state, Reason: t.reason, Until: t.until}
	seg := t.running
	if seg == nil {
		seg = t.paused
		s.Elapsed = int64(t.earlier / time.Second)
	} else {
		s.Elapsed = int64(t.elapsed(t.now()) / time.Second)
	}
	if seg == nil {
		s.Elapsed = 0
		return s
	}
	s.Project, s.Session, s.Since, s.Note = &pow.ProjectRef{ID: seg.Project}, seg.Session, t.since.Truncate(time.Second), seg.Note
	return s
}

// now is the last tick's wall time plus what the monotonic clock has run since.
func (t *Timer) now() time.Time { return t.running.Last.Add(t.clock.Mono() - t.mono) }

func (t *Timer) elapsed(now time.Time) time.Duration { return t.earlier + now.Sub(t.running.From) }

func (t *Timer) begin(s Segment, at time.Time) error {
	s.From, s.Last, s.Unattended = at, at, false
	if err := t.journal.Begin(s); err != nil {
		return fmt.Errorf("store the start: %w", err)
	}
	t.running, t.paused, t.state, t.reason, t.until, t.mono = &s, nil, pow.Tracking, "", time.Time{}, t.clock.Mono()
	return nil
}

func (t *Timer) end(at time.Time) error {
	if err := t.journal.End(at); err != nil {
		return fmt.Errorf("store the end: %w", err)
	}
	t.earlier += at.Sub(t.running.From)
	t.running = nil
	return nil
}

// stop ends whatever runs or is paused.
func (t *Timer) stop() error {
	if t.running != nil {
		if err := t.end(t.now()); err != nil {
			return err
		}
	}
	t.paused, t.state, t.reason, t.until, t.earlier = nil, pow.Stopped, "", time.Time{}, 0
	return nil
}
