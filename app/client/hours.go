package client

import (
	"context"
	"errors"
	"time"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// hoursEvery is how often the agent looks at the clock for the person's sake.
const hoursEvery = 5 * time.Second

// longSession is when a running Session is mentioned, an hour before it ends.
const longSession = timer.MaxSession - time.Hour

// hours remembers what the clock has been looked at for.
type hours struct {
	long    pow.SessionID // was mentioned
	last    pow.TimerStatus
	stopped time.Time // since when no timer runs
	week    time.Time // the week that was mentioned …
	level   int       // … and at how many percent
}

// runHours looks at the clock until ctx ends.
func (a *Agent) runHours(ctx context.Context) error {
	tick := time.NewTicker(hoursEvery)
	defer tick.Stop()
	h := hours{stopped: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if a.ready() == nil {
			a.lookAtClock(ctx, &h, time.Now())
		}
	}
}

func (a *Agent) lookAtClock(ctx context.Context, h *hours, now time.Time) {
	a.endOffRecord(now)
	a.awayTooLong(now)
	st := a.timer.Status()
	if st.State == pow.Tracking && st.Elapsed >= int64(longSession/time.Second) && h.long != st.Session {
		h.long = st.Session
		a.notice(noticeLong)
	}
	if h.last.State == pow.Tracking && st.State == pow.Stopped && h.last.Elapsed >= int64((timer.MaxSession-time.Minute)/time.Second) {
		a.notice(noticeForgotten)
		a.changed()
	}
	if st.State != pow.Stopped || h.last.State != pow.Stopped {
		h.stopped = now
	}
	h.last = st
	s, _ := a.settings()
	if reminds(s, h.stopped, now) && !a.gone() {
		h.stopped = now
		a.notice(noticeRemind)
	}
	if st.State == pow.Tracking && s.WeekLimit > 0 {
		a.warn("hours", a.lookAtWeek(h, s, now))
	}
	a.lockWhenIdle(ctx, s, now)
}

// reminds tells whether it is time to remind of the timer.
func reminds(s pow.Settings, stopped, now time.Time) bool {
	if s.Remind == 0 || now.Sub(stopped) < time.Duration(s.Remind)*time.Second {
		return false
	}
	local := now.Local()
	minute := local.Hour()*60 + local.Minute()
	return s.RemindDays&(1<<local.Weekday()) != 0 && minute >= s.RemindFrom && minute < s.RemindTo
}

// gone tells whether the person is away.
func (a *Agent) gone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.absent != nil
}

// The shares of the week's limit that are mentioned, in percent.
const (
	weekNear = 90
	weekFull = 100
)

// lookAtWeek mentions the week's limit, once at each share. What the member set
// stops nothing.
func (a *Agent) lookAtWeek(h *hours, s pow.Settings, now time.Time) error {
	week := localWeek(now, time.Weekday(s.WeekStart))
	if !h.week.Equal(week.From) {
		h.week, h.level = week.From, 0
	}
	if h.level >= weekFull {
		return nil
	}
	es, err := a.entries(week, now)
	if err != nil {
		return err
	}
	var done int64
	for _, e := range es {
		done += e.Seconds
	}
	percent := int(done * 100 / int64(s.WeekLimit))
	args := []string{"Done", words(done), "Limit", words(int64(s.WeekLimit))}
	switch {
	case percent >= weekFull:
		h.level = weekFull
		a.notice(noticeWeekFull, args...)
	case percent >= weekNear && h.level < weekNear:
		h.level = weekNear
		a.notice(noticeWeek, args...)
	}
	return nil
}

// lockWhenIdle locks the keys when the computer had no input for as long as the
// person set.
func (a *Agent) lockWhenIdle(ctx context.Context, s pow.Settings, now time.Time) {
	if s.LockAfter == 0 || a.watcher == nil {
		return
	}
	a.mu.Lock()
	open := a.keys != nil
	a.mu.Unlock()
	at, known := a.watcher.LastInput()
	if !open || !known || now.Sub(at) < time.Duration(s.LockAfter)*time.Second {
		return
	}
	if err := a.Lock(ctx); err != nil && !errors.Is(err, pow.ErrLocked) {
		a.warn("lock", err)
	}
}
