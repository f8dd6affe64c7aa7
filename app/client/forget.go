package client

import (
	"context"
	"errors"
	"net/url"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// Sizes implements API.
func (a *Agent) Sizes(context.Context) (s pow.Sizes, err error) {
	if err := a.ready(); err != nil {
		return s, err
	}
	st, err := a.queue.Stats()
	return pow.Sizes{Queue: st.File, Pictures: st.HeldBytes, Waiting: st.Sealed, Limit: queue.MaxFile, Free: st.DiskFree}, err
}

// Forget implements API.
func (a *Agent) Forget(ctx context.Context, r pow.ForgetRequest) (f pow.Forgotten, err error) {
	if err := a.ready(); err != nil {
		return f, err
	}
	if r.Everything && (r.Span != 0 || r.Project != "") || r.Span < 0 {
		return f, &pow.Error{Code: pow.ErrUsage.Code, What: "either everything, or a span of time or a project"}
	}
	if err := a.timer.Tick(); err != nil { // brings a running timer's time up to now
		return f, err
	}
	span := forgetSpan(r, time.Now())
	if f, err = a.forgettable(span, r.Project); err != nil {
		return f, err
	}
	if f.Remains, err = a.remains(r.Project, time.Now()); err != nil {
		return f, err
	}
	switch {
	case r.DryRun:
		return f, nil
	case r.Everything:
		f.After = 0
		return f, a.forgetEverything(ctx)
	}
	a.registering.Lock() // nothing of it may become a proof meanwhile
	defer a.registering.Unlock()
	if err := a.erase(span, r.Project); err != nil {
		return f, err
	}
	a.pictures.forget()
	a.changed()
	st, err := a.queue.Stats()
	f.After = st.File + st.Sealed
	return f, err
}

func forgetSpan(r pow.ForgetRequest, now time.Time) pow.Interval {
	span := pow.Interval{From: time.Unix(0, 0), To: now.Add(time.Minute)} // a second begun is counted whole
	if r.Span > 0 {
		span.From = now.Add(-r.Span)
	}
	return span
}

// forgettable counts what was never registered of a span and a project.
func (a *Agent) forgettable(span pow.Interval, project pow.ProjectID) (f pow.Forgotten, err error) {
	st, err := a.queue.Stats()
	if err != nil {
		return f, err
	}
	f.Before = st.File + st.Sealed
	f.After = f.Before
	segments, err := a.queue.Unregistered()
	if err != nil {
		return f, err
	}
	for _, s := range segments {
		if project == "" || s.Project == project {
			f.Seconds += int64(s.Interval.Intersect(span).Duration() / time.Second)
		}
	}
	of, err := a.sessionProjects(span)
	if err != nil {
		return f, err
	}
	held, err := a.queue.Held("")
	for _, c := range held {
		if span.Contains(c.At) && (project == "" || of[c.Session] == project) {
			f.Pictures++
		}
	}
	return f, err
}

// sessionProjects tells which project a Session of a span is on.
func (a *Agent) sessionProjects(span pow.Interval) (map[pow.SessionID]pow.ProjectID, error) {
	of := map[pow.SessionID]pow.ProjectID{}
	es, err := a.queue.Entries(span)
	for _, e := range es {
		of[e.Session] = e.Project.ID
	}
	return of, err
}

// erase forgets a span. A timer that runs in it begins a new Session, so that
// it does not go on counting what is gone.
func (a *Agent) erase(span pow.Interval, project pow.ProjectID) error {
	a.pausing.Lock()
	defer a.pausing.Unlock()
	seg, running := a.timer.Running()
	if running = running && (project == "" || seg.Project == project); running {
		if err := a.timer.Stop(); err != nil {
			return err
		}
	}
	err := a.queue.EraseUnsent(span, project)
	if running {
		err = errors.Join(err, a.timer.Start(seg.Project, seg.KimaiActivity, seg.Note))
	}
	return err
}

// remains tells what lies elsewhere of what was registered. It names the team
// only while the keys are open.
func (a *Agent) remains(project pow.ProjectID, now time.Time) ([]pow.Remains, error) {
	ds, err := a.queue.Deliveries()
	if err != nil {
		return nil, err
	}
	t, _ := a.teamOrError() // locked: without name and dates
	team := pow.Remains{Where: t.Announcement.Name}
	if team.Where == "" {
		team.Where = "your team"
	}
	keeps := map[pow.ProjectID]int{}
	for _, p := range t.Catalogue.Projects {
		keeps[p.ID] = p.Retention
	}
	files := map[string]int{}
	for _, d := range ds {
		switch {
		case project != "" && d.Project != project:
		case d.Receipt != nil && d.Receipt.Code.EndsLife():
			team.Proofs++
			if until := d.Receipt.CreatedAt.AddDate(0, 0, keeps[d.Project]); keeps[d.Project] > 0 && until.After(now) && until.After(team.Until) {
				team.Until = until
			}
		default:
			for _, p := range d.Servers {
				if p.State == pow.PlaceDone {
					files[p.URL]++
				}
			}
		}
	}
	var out []pow.Remains
	if team.Proofs > 0 {
		out = append(out, team)
	}
	for origin, n := range files {
		where := origin
		if u, err := url.Parse(origin); err == nil {
			where = u.Host
		}
		out = append(out, pow.Remains{Where: where, Proofs: n})
	}
	return out, nil
}

// forgetEverything ends the agent; Close then removes queue and keys. The
// keys go last: as long as there are files that they open, they are needed to
// see that something is left.
func (a *Agent) forgetEverything(ctx context.Context) error {
	if _, err := a.Stop(ctx); err != nil && !errors.Is(err, pow.ErrNotTracking) {
		return err
	}
	if s, _ := a.settings(); s.StartAtLogin {
		if err := a.startAtLogin(false); err != nil {
			return err
		}
	}
	a.mu.Lock()
	a.erasing = true
	a.mu.Unlock()
	return a.Quit(ctx)
}

// eraseHome removes all that this program keeps. The queue is closed.
func (a *Agent) eraseHome() error {
	return errors.Join(queue.Destroy(a.cfg.Home), a.vault.Destroy())
}
