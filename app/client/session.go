package client

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/client/timer"
	"pow.do/services/pow"
)

// journal writes the timer's segments into the queue.
type journal struct{ q *queue.Queue }

func (j journal) Begin(s timer.Segment) error {
	_, err := j.q.OpenSegment(queue.Segment{Session: s.Session, Project: s.Project, KimaiActivity: s.KimaiActivity, Note: s.Note,
		Interval: pow.Interval{From: s.From, To: s.From}})
	return err
}

func (j journal) Seen(at time.Time, note string) error {
	s, running := j.q.Running()
	if !running {
		return pow.ErrNotTracking
	}
	if s.Note != note {
		if err := j.q.SetNote(s.ID, note); err != nil {
			return err
		}
	}
	return j.q.Tick(at)
}

func (j journal) End(at time.Time) error {
	_, err := j.q.CloseSegment(at)
	return err
}

// docUnattended names the segment that the command line left running.
const docUnattended = "unattended"

// restoreTimer takes over what ran when the last program ended.
func (a *Agent) restoreTimer(interrupted *queue.Segment) error {
	if interrupted == nil {
		return a.restorePause()
	}
	var left string
	if _, err := a.queue.Doc(docUnattended, &left); err != nil {
		return err
	}
	s := *interrupted
	since, earlier, err := a.sessionBefore(s)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.wanted = left == s.ID
	a.mu.Unlock()
	return a.timer.Restore(timer.Segment{Session: s.Session, Project: s.Project, KimaiActivity: s.KimaiActivity, Note: s.Note,
		From: s.Interval.From, Last: s.Interval.To, Unattended: left == s.ID}, since, earlier)
}

// sessionBefore returns when the Session of s began, and the length of its
// segments before s.
func (a *Agent) sessionBefore(s queue.Segment) (since time.Time, d time.Duration, err error) {
	since = s.Interval.From
	es, err := a.queue.Entries(pow.Interval{From: since.Add(-timer.MaxSession), To: since})
	for _, e := range es {
		if e.Session == s.Session {
			since = minTime(since, e.From)
			d += time.Duration(e.Seconds) * time.Second
		}
	}
	return since, d, err
}

// recallNote gives the timer back the words of its Session: they rest encrypted,
// and the timer was restored before the keys were there.
func (a *Agent) recallNote() error {
	s, found := a.timer.Current()
	if !found {
		return nil
	}
	now := time.Now()
	es, err := a.queue.Entries(pow.Interval{From: now.Add(-timer.MaxSession), To: now.Add(time.Second)})
	if err != nil {
		return err
	}
	note := ""
	for _, e := range es {
		if e.Session == s.Session && e.Note != "" {
			note = e.Note
		}
	}
	return a.timer.Recall(note)
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// leave ends a command without an agent. A timer that such a command started is
// left alone on purpose, and that is noted. One whose agent is gone is not: what
// nobody watched since is not claimed, whatever command looked at it meanwhile.
func (a *Agent) leave(wanted bool) error {
	if err := a.timer.Tick(); err != nil {
		return err
	}
	if s, running := a.queue.Running(); running && wanted {
		return a.queue.PutDoc(docUnattended, s.ID)
	}
	return nil
}

// Projects implements API.
func (a *Agent) Projects(context.Context) ([]pow.Project, error) {
	t, err := a.teamOrError()
	if err != nil {
		return nil, err
	}
	return notNil(t.Catalogue.Projects), nil
}

// findProject finds a project by id, by name, or by the beginning of its name.
func findProject(ps []pow.Project, q string) (pow.Project, error) {
	for _, match := range []func(pow.Project) bool{
		func(p pow.Project) bool { return string(p.ID) == q },
		func(p pow.Project) bool { return strings.EqualFold(p.Name, q) },
		func(p pow.Project) bool {
			return q != "" && strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(q))
		},
	} {
		var found []pow.Project
		for _, p := range ps {
			if match(p) {
				found = append(found, p)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return pow.Project{}, pow.ErrAmbiguous
		}
	}
	return pow.Project{}, pow.ErrUnknownProject
}

// mayBook finds the project that time may be booked on from now on.
func (a *Agent) mayBook(query string, work pow.KimaiActivityID) (p pow.Project, err error) {
	t, err := a.teamOrError()
	if err != nil {
		return p, err
	}
	if p, err = findProject(t.Catalogue.Projects, query); err != nil {
		return p, err
	}
	if out(t.Catalogue) {
		return p, &pow.Error{Code: pow.CodeMemberSuspended, What: "your team does not accept proofs from you at the moment"}
	}
	if p.ActivityRule == pow.Required && !slices.ContainsFunc(p.KimaiActivities, func(k pow.KimaiActivity) bool { return k.ID == work }) {
		return p, &pow.Error{Code: "activity-required", What: "this project wants to know the kind of work", Mend: "choose one first"}
	}
	pol, err := a.policyOf(p.ID)
	if err != nil {
		return p, err
	}
	return p, pol.agreed()
}

// Start implements API.
func (a *Agent) Start(ctx context.Context, r pow.StartRequest) (pow.Status, error) {
	p, err := a.mayBook(r.Project, r.KimaiActivity)
	if err != nil {
		return pow.Status{}, err
	}
	if err := a.startWork(p.ID, r.KimaiActivity, cutNote(r.Note)); err != nil {
		return pow.Status{}, err
	}
	a.pictures.forget()
	a.changed()
	return a.Status(ctx)
}

// cutNote bounds the worker's words.
func cutNote(s string) string {
	if r := []rune(s); len(r) > pow.MaxNote {
		return string(r[:pow.MaxNote])
	}
	return s
}

// Stop implements API.
func (a *Agent) Stop(ctx context.Context) (pow.Status, error) {
	if a.ready() != nil {
		return pow.Status{}, pow.ErrNotTracking
	}
	if err := a.stopWork(); err != nil {
		return pow.Status{}, err
	}
	a.changed()
	return a.Status(ctx)
}

// SetNote implements API.
func (a *Agent) SetNote(_ context.Context, note string) error {
	if a.ready() != nil {
		return pow.ErrNotTracking
	}
	defer a.changed()
	return a.timer.Note(cutNote(note))
}

// Entries implements API: what was tracked on the local day that holds the given moment.
func (a *Agent) Entries(_ context.Context, day time.Time) ([]pow.Entry, error) {
	if a.ready() != nil {
		return nil, nil
	}
	es, err := a.entries(localDay(day), time.Now())
	if err != nil {
		return nil, err
	}
	names := a.projectNames()
	for i := range es {
		names.fill(&es[i])
		if es[i].Was != nil {
			names.fill(es[i].Was)
		}
	}
	return es, nil
}

// entries is what was tracked in a span; the running one up to now, not up to
// the last tick, unless it is not known whether that time counts.
func (a *Agent) entries(span pow.Interval, now time.Time) ([]pow.Entry, error) {
	es, err := a.queue.Entries(span)
	if err != nil {
		return nil, err
	}
	running, ok := a.queue.Running()
	since := now.Sub(running.Interval.To)
	if !ok || since <= 0 || !span.Contains(now) || len(a.queue.Gaps(pow.Interval{From: running.Interval.To, To: now}, queue.GapOpen)) > 0 {
		return es, nil
	}
	for i := range es {
		if es[i].ID == running.ID {
			es[i].Seconds += int64(since / time.Second)
		}
	}
	return es, nil
}

func localDay(t time.Time) pow.Interval {
	t = t.Local()
	from := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.Local)
	return pow.Interval{From: from, To: from.AddDate(0, 0, 1)}
}

// localWeek is the local week that holds t and begins on the given day.
func localWeek(t time.Time, first time.Weekday) pow.Interval {
	day := localDay(t)
	back := (int(day.From.Weekday()) - int(first) + 7) % 7
	from := day.From.AddDate(0, 0, -back)
	return pow.Interval{From: from, To: from.AddDate(0, 0, 7)}
}

// projectNames knows how to call a project on a screen; while the keys are
// locked it knows ids only.
type projectNames map[pow.ProjectID]pow.Project

func (a *Agent) projectNames() projectNames {
	names := projectNames{}
	if t, err := a.teamOrError(); err == nil {
		for _, p := range t.Catalogue.Projects {
			names[p.ID] = p
		}
	}
	return names
}

// fill gives an entry the names that its queue does not know.
func (n projectNames) fill(e *pow.Entry) {
	p := n[e.Project.ID]
	e.Project = n.ref(e.Project.ID)
	if e.KimaiActivity == nil {
		return
	}
	if i := slices.IndexFunc(p.KimaiActivities, func(k pow.KimaiActivity) bool { return k.ID == e.KimaiActivity.ID }); i >= 0 {
		e.KimaiActivity = &p.KimaiActivities[i]
	}
}

func (n projectNames) ref(id pow.ProjectID) pow.ProjectRef {
	p := n[id]
	return pow.ProjectRef{ID: id, Name: p.Name, Group: p.Group, Color: p.Color}
}

// deliveryID makes the id of a delivery.
func deliveryID(now time.Time) (string, error) { return pow.NewULID(now, rand.Reader) }

// runTimer ticks while ctx lasts.
func (a *Agent) runTimer(ctx context.Context) error {
	tick := time.NewTicker(timer.TickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.lastTick()
		case <-tick.C:
		}
		if a.ready() == nil {
			a.warn("timer", a.timer.Tick()) // nil clears what is mended
		}
	}
}

func (a *Agent) lastTick() error {
	if a.ready() != nil {
		return nil
	}
	return a.timer.Tick()
}
