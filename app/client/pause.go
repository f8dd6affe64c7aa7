package client

import (
	"context"
	"errors"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// The reasons of a pause that the person made.
const (
	byUser    = "user"
	offRecord = "off-record"
)

// maxOffRecord bounds "off the record until".
const maxOffRecord = 48 * time.Hour

// Pause implements API.
func (a *Agent) Pause(ctx context.Context) (pow.Status, error) {
	return a.pause(ctx, timer.Pause{State: pow.Paused, Reason: byUser})
}

// OffRecord implements API.
func (a *Agent) OffRecord(ctx context.Context, r pow.OffRecord) (pow.Status, error) {
	now := time.Now()
	if !r.Until.IsZero() && (!r.Until.After(now) || r.Until.Sub(now) > maxOffRecord) {
		return pow.Status{}, &pow.Error{Code: pow.ErrUsage.Code, What: "off the record ends within two days, or when you resume"}
	}
	return a.pause(ctx, timer.Pause{State: pow.Paused, Reason: offRecord, Until: r.Until.UTC().Truncate(time.Second)})
}

// pause makes the timer stand still at the person's wish. Pictures, activity and
// time stop; while off the record one row says so.
func (a *Agent) pause(ctx context.Context, p timer.Pause) (pow.Status, error) {
	if a.ready() != nil {
		return pow.Status{}, pow.ErrNotTracking
	}
	a.pausing.Lock()
	err := a.pauseNow(p)
	a.pausing.Unlock()
	if err != nil {
		return pow.Status{}, err
	}
	a.changed()
	return a.Status(ctx)
}

func (a *Agent) pauseNow(p timer.Pause) error {
	if p.Until.Year() <= 1 {
		p.Until = time.Time{}
	}
	s, found := a.timer.Current()
	if !found {
		return pow.ErrNotTracking
	}
	if err := a.timer.Pause(p, time.Time{}); err != nil {
		return err
	}
	a.endAbsence(time.Now())
	if p.Reason == offRecord {
		if err := a.queue.AddSkip(s.Session, time.Now(), 0, pow.SkipOffRecord); err != nil {
			return err
		}
	}
	return a.keepPause("")
}

// endAbsence ends the gap of a person who acts: they are here.
func (a *Agent) endAbsence(now time.Time) {
	a.mu.Lock()
	was := a.absent
	a.absent = nil
	a.mu.Unlock()
	if was != nil && was.gap != "" {
		if err := a.queue.EndGap(was.gap, now); err != nil && !errors.Is(err, pow.ErrNotFound) {
			a.warn("away", err)
		}
	}
	if a.watcher != nil {
		a.watcher.Here()
	}
}

// Resume implements API.
func (a *Agent) Resume(ctx context.Context) (pow.Status, error) {
	if a.ready() != nil {
		return pow.Status{}, pow.ErrNotTracking
	}
	a.pausing.Lock()
	err := a.resumeNow()
	a.pausing.Unlock()
	if err != nil {
		return pow.Status{}, err
	}
	a.changed()
	return a.Status(ctx)
}

func (a *Agent) resumeNow() error {
	now := time.Now()
	a.endAbsence(now)
	if err := a.timer.Resume(now); err != nil {
		return err
	}
	a.mu.Lock()
	a.wanted = true
	a.mu.Unlock()
	a.pictures.forget()
	return a.keepPause("")
}

// endOffRecord goes on when the time off the record is over. Whoever is away by
// then has not come back to work: that is a gap like any other.
func (a *Agent) endOffRecord(now time.Time) {
	a.pausing.Lock()
	defer a.pausing.Unlock()
	st := a.timer.Status()
	if st.Reason != offRecord || st.Until.IsZero() || now.Before(st.Until) {
		return
	}
	err := a.timer.Resume(now)
	a.pictures.forget()
	a.mu.Lock()
	gone := a.absent
	a.absent = nil
	a.mu.Unlock()
	if err == nil {
		err = a.keepPause("")
	}
	if err == nil && gone != nil {
		err = a.leaveWork(now, gone.reason)
	}
	a.warn("away", err)
	a.changed()
}

// startWork starts the timer, or switches it. Whoever does that is here.
func (a *Agent) startWork(p pow.ProjectID, work pow.KimaiActivityID, note string) error {
	a.pausing.Lock()
	defer a.pausing.Unlock()
	_, ran := a.timer.Running()
	before, _ := a.timer.Current()
	if err := a.timer.Start(p, work, note); err != nil {
		return err
	}
	a.endAbsence(time.Now())
	a.noteSwitch(before, ran)
	a.mu.Lock()
	a.wanted = true
	a.mu.Unlock()
	return a.keepPause("")
}

// stopWork stops the timer.
func (a *Agent) stopWork() error {
	a.pausing.Lock()
	defer a.pausing.Unlock()
	if err := a.timer.Stop(); err != nil {
		return err
	}
	a.endAbsence(time.Now())
	return a.keepPause("")
}

// undoFor is how long a switch of project can be taken back.
const undoFor = time.Minute

// switched is the Session that a switch ended.
type switched struct {
	from timer.Session
	to   pow.SessionID
	at   time.Time
}

// noteSwitch remembers what ran before Start changed it.
func (a *Agent) noteSwitch(before timer.Session, ran bool) {
	now, found := a.timer.Current()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case ran && found && now.Session != before.Session:
		a.switched = &switched{before, now.Session, now.From}
	case !found || a.switched != nil && now.Session != a.switched.to:
		a.switched = nil
	}
}

// UndoSwitch implements API: what was tracked and taken since the switch is
// erased, and the earlier Session has that time.
func (a *Agent) UndoSwitch(ctx context.Context) (pow.Status, error) {
	if a.ready() != nil {
		return pow.Status{}, pow.ErrNotTracking
	}
	a.pausing.Lock()
	err := a.undoSwitch()
	a.pausing.Unlock()
	if err != nil {
		return pow.Status{}, err
	}
	a.pictures.forget()
	a.changed()
	return a.Status(ctx)
}

func (a *Agent) undoSwitch() error {
	a.mu.Lock()
	sw := a.switched
	a.switched = nil
	a.mu.Unlock()
	now, running := a.timer.Running()
	if sw == nil || !running || now.Session != sw.to || time.Since(sw.at) > undoFor {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "there is no switch to take back"}
	}
	since, earlier, err := a.sessionBefore(queue.Segment{Session: sw.from.Session, Interval: pow.Interval{From: sw.at.Add(time.Second)}})
	if err != nil {
		return err
	}
	sw.from.Since, sw.from.Earlier = since, earlier
	if err := a.timer.Stop(); err != nil {
		return err
	}
	if err := a.queue.EraseUnsent(pow.Interval{From: sw.at.Truncate(time.Second), To: time.Now().Add(time.Second)}, now.Project); err != nil {
		return err
	}
	return a.timer.SwitchBack(sw.from, sw.at, undoFor)
}
