package client

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"pow.do/services/client/away"
	"pow.do/services/client/queue"
	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// docPaused holds the Session that stands still, so that a restart does not
// forget it. It names nothing but opaque ids.
const docPaused = "paused"

// pausedDoc is a Session that stands still, and the open gap that it stands in.
type pausedDoc struct {
	Session       pow.SessionID       `json:"session,omitempty"`
	Project       pow.ProjectID       `json:"project,omitempty"`
	KimaiActivity pow.KimaiActivityID `json:"kimai_activity,omitempty"`
	State         pow.TimerState      `json:"state,omitempty"`
	Reason        string              `json:"reason,omitempty"`
	Until         time.Time           `json:"until,omitzero"`
	Gap           string              `json:"gap,omitempty"`
	At            time.Time           `json:"at,omitzero"` // the end of its last segment
}

// absence is what the agent knows of a person who is away.
type absence struct {
	since  time.Time
	reason string
	gap    string // the open gap of the Session that ran; "": none ran
}

// keepPause stores whether the timer stands still, and in which gap.
func (a *Agent) keepPause(gap string) error {
	s, found := a.timer.Current()
	st := a.timer.Status()
	if !found || st.State == pow.Tracking {
		return a.queue.PutDoc(docPaused, pausedDoc{})
	}
	return a.queue.PutDoc(docPaused, pausedDoc{s.Session, s.Project, s.KimaiActivity, st.State, st.Reason, st.Until, gap, s.Last})
}

// restorePause takes over a Session that stood still when the program ended.
func (a *Agent) restorePause() error {
	var d pausedDoc
	if found, err := a.queue.Doc(docPaused, &d); !found || err != nil || d.Session == "" {
		return err
	}
	since, earlier, err := a.sessionBefore(queue.Segment{Session: d.Session, Interval: pow.Interval{From: d.At.Add(time.Second)}})
	if err != nil {
		return err
	}
	seg := timer.Segment{Session: d.Session, Project: d.Project, KimaiActivity: d.KimaiActivity, From: d.At, Last: d.At}
	a.timer.RestorePaused(timer.Session{Segment: seg, Since: since, Earlier: earlier}, timer.Pause{State: d.State, Reason: d.Reason, Until: d.Until})
	for _, g := range a.queue.OpenGaps() {
		if g.ID == d.Gap && g.Interval.To.IsZero() {
			a.mu.Lock()
			a.absent = &absence{since: g.Interval.From, reason: g.Reason, gap: g.ID}
			a.mu.Unlock()
		}
	}
	return nil
}

// Away implements away.Handler: the timer stands still, and from the last input
// on its time belongs to no proof until the person has answered.
func (a *Agent) Away(since time.Time, reason string) {
	if a.ready() != nil {
		return
	}
	a.pausing.Lock()
	defer a.pausing.Unlock()
	a.warn("away", a.leaveWork(since, reason))
	a.changed()
}

func (a *Agent) leaveWork(since time.Time, reason string) error {
	a.mu.Lock()
	now := absence{since: since, reason: reason}
	if a.absent != nil {
		now.since, now.gap = a.absent.since, a.absent.gap
	}
	a.absent = &now
	a.mu.Unlock()
	s, found := a.timer.Current()
	_, running := a.timer.Running()
	if !found || !running && now.gap == "" {
		return nil // stopped, or the person paused before they left
	}
	p := timer.Pause{State: pow.Paused, Reason: reason}
	if reason == away.Idle {
		p.State = pow.Idle
	}
	if running {
		since, err := a.afterProofs(s.Session, now.since)
		if err != nil {
			return err
		}
		g, err := a.queue.AddGap(queue.Gap{Session: s.Session, Project: s.Project, Interval: pow.Interval{From: since}, Reason: reason})
		if err != nil {
			return err
		}
		a.mu.Lock()
		now.gap, now.since = g.ID, since
		a.absent = &now
		a.mu.Unlock()
	}
	if err := a.timer.Pause(p, now.since); err != nil {
		return err
	}
	return a.keepPause(now.gap)
}

// afterProofs moves a moment behind what is registered of a Session, which
// nobody can take back, and behind the Session's beginning.
func (a *Agent) afterProofs(s pow.SessionID, at time.Time) (time.Time, error) {
	now := time.Now()
	ds, err := a.queue.DeliveriesIn(pow.Interval{From: at, To: now.Add(time.Second)})
	for _, d := range ds {
		if d.Session == s && d.Interval.To.After(at) {
			at = d.Interval.To
		}
	}
	if since := a.timer.Status().Since; at.Before(since) {
		at = since
	}
	return at, err
}

// Back implements away.Handler: work goes on at once, so that nothing of it is
// lost while the question is open.
func (a *Agent) Back(at time.Time) {
	if a.ready() != nil {
		return
	}
	a.pausing.Lock()
	a.mu.Lock()
	was := a.absent
	a.absent = nil
	a.mu.Unlock()
	var err error
	if was != nil && was.gap != "" {
		err = a.comeBack(*was, at)
	}
	a.pausing.Unlock()
	a.warn("away", err)
	a.changed()
}

func (a *Agent) comeBack(was absence, at time.Time) error {
	if err := a.queue.EndGap(was.gap, at); err != nil && !errors.Is(err, pow.ErrNotFound) {
		return err
	}
	if r := a.timer.Status().Reason; r != was.reason { // off the record, paused or stopped meanwhile
		return nil
	}
	if err := a.timer.Resume(at); err != nil && !errors.Is(err, pow.ErrNotTracking) {
		return err
	}
	a.pictures.forget()
	return a.keepPause("")
}

// Shutdown implements away.Handler.
func (a *Agent) Shutdown() { a.warn("timer", a.lastTick()) }

// awayTooLong ends the Session of a person who does not come back: at their last
// input, without a question.
func (a *Agent) awayTooLong(now time.Time) {
	a.pausing.Lock()
	defer a.pausing.Unlock()
	s, _ := a.settings()
	a.mu.Lock()
	gone := a.absent
	a.mu.Unlock()
	if gone == nil || gone.gap == "" || now.Sub(gone.since) < time.Duration(s.StopAfter)*time.Second {
		return
	}
	err := a.timer.Stop()
	if errors.Is(err, pow.ErrNotTracking) {
		err = nil
	}
	err = errors.Join(err, a.queue.EndGap(gone.gap, now), a.queue.AnswerGap(gone.gap, pow.AwayDiscard, queue.Segment{}), a.keepPause(""))
	a.mu.Lock()
	a.absent = &absence{since: gone.since, reason: gone.reason}
	a.mu.Unlock()
	a.warn("away", err)
	a.notice(noticeEnded)
	a.changed()
}

// awayQuestions are the open gaps, as the person is asked about them.
func (a *Agent) awayQuestions() (out []pow.AwayQuestion) {
	names := a.projectNames()
	for _, g := range a.queue.OpenGaps() {
		out = append(out, pow.AwayQuestion{ID: g.ID, From: g.Interval.From, To: g.Interval.To, Reason: g.Reason, Project: names.ref(g.Project)})
	}
	return out
}

// provisional is how long the work after a return goes with the answer
// "discard and stop": who worked on for longer meant to.
const provisional = 10 * time.Minute

// AnswerAway implements API.
func (a *Agent) AnswerAway(ctx context.Context, r pow.AwayAnswer) (pow.Status, error) {
	if a.ready() != nil {
		return pow.Status{}, pow.ErrNotFound
	}
	a.pausing.Lock()
	err := a.answerAway(r)
	a.pausing.Unlock()
	if err != nil {
		return pow.Status{}, err
	}
	a.changed()
	return a.Status(ctx)
}

func (a *Agent) answerAway(r pow.AwayAnswer) error {
	gaps := a.queue.OpenGaps()
	i := slices.IndexFunc(gaps, func(g queue.Gap) bool { return g.ID == r.ID })
	if i < 0 {
		return pow.ErrNotFound
	}
	g := gaps[i]
	if g.Interval.To.IsZero() { // who answers is here
		g.Interval.To = time.Now()
		a.mu.Lock()
		was := a.absent
		a.absent = nil
		a.mu.Unlock()
		if was != nil {
			if err := a.comeBack(*was, g.Interval.To); err != nil {
				return err
			}
		}
		if w := a.watcher; w != nil {
			w.Here()
		}
	}
	var other queue.Segment
	if r.Choice == pow.AwayOther {
		var err error
		if other, err = a.otherWork(r.Project, g.Interval.From); err != nil {
			return err
		}
	}
	if err := a.queue.AnswerGap(g.ID, r.Choice, other); err != nil {
		return err
	}
	switch r.Choice {
	case pow.AwayKeep:
		a.timer.Credit(g.Session, g.Interval.Duration())
	case pow.AwayStop:
		return a.stopAfter(g)
	}
	return nil
}

// otherWork is a Session of its own for time that belongs to another project.
func (a *Agent) otherWork(project string, at time.Time) (s queue.Segment, err error) {
	p, err := a.mayBook(project, "")
	if err != nil {
		return s, err
	}
	s.Project = p.ID
	s.Session, err = pow.NewSessionID(at, rand.Reader)
	return s, err
}

// stopAfter ends the Session of a discarded gap, if it still runs, and takes the
// little that was tracked since the return with it.
func (a *Agent) stopAfter(g queue.Gap) error {
	s, found := a.timer.Current()
	if !found || s.Session != g.Session {
		return nil
	}
	if err := a.timer.Stop(); err != nil && !errors.Is(err, pow.ErrNotTracking) {
		return err
	}
	now := time.Now()
	if now.Sub(g.Interval.To) > provisional {
		return a.keepPause("")
	}
	rest, err := a.queue.AddGap(queue.Gap{Session: g.Session, Project: g.Project, Reason: g.Reason,
		Interval: pow.Interval{From: g.Interval.To, To: now.Add(time.Second)}})
	if err != nil {
		return err
	}
	return errors.Join(a.queue.AnswerGap(rest.ID, pow.AwayDiscard, queue.Segment{}), a.keepPause(""))
}

// runAway watches for the person until ctx ends.
func (a *Agent) runAway(ctx context.Context) error { return a.watcher.Run(ctx, a) }

// newWatcher looks out for the person as the settings say.
func (a *Agent) newWatcher() *away.Watcher {
	a.mu.Lock()
	gone := a.absent
	a.mu.Unlock()
	cfg := away.Config{
		After: func() time.Duration {
			s, _ := a.settings()
			return time.Duration(s.AwayAfter) * time.Second
		},
		Active: func(ctx context.Context, since time.Time) bool { return a.activity.present(ctx, since, time.Now()) },
		Mono:   timer.SystemClock().Mono,
	}
	if gone != nil {
		cfg.Since, cfg.Reason = gone.since, gone.reason
	}
	return away.New(cfg)
}
