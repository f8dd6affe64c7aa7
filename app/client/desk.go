package client

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"pow.do/services/client/notify"
	"pow.do/services/client/tray"
	"pow.do/services/pow"
)

// desk is the agent's own face: a status icon and notifications.
type desk struct {
	tray  *tray.Tray
	notes *notify.Notifier
	acts  chan deskAct

	mu    sync.Mutex // guards all below
	taken []string   // the pictures of the notification that is shown
	asked string     // the question of the notification that is shown
	words phrases    // of the language that was asked for last
	of    *string
}

// phrases returns the words of a language of the settings, which are read once.
func (d *desk) phrases(language string) phrases {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil || *d.of != language {
		d.words, d.of = phrasesFor(language), &language
	}
	return d.words
}

// deskAct is what the person chose in the icon's menu or on a notification.
type deskAct struct{ note, id, token string }

// newDesk makes the icon and the notifier; they connect to nothing yet.
func (a *Agent) newDesk() {
	a.desk.acts = make(chan deskAct, 8)
	a.desk.tray = tray.New(tray.Config{ID: AppID, Name: AppName, Changed: a.changed})
	a.desk.notes = notify.New(notify.Config{App: AppName, AppID: AppID})
}

// runDesk shows both until ctx ends.
func (a *Agent) runDesk(ctx context.Context) error {
	icon := func(ctx context.Context) error {
		return a.desk.tray.Run(ctx, func(id, token string) { a.desk.say(deskAct{"", id, token}) })
	}
	notes := func(ctx context.Context) error {
		return a.desk.notes.Run(ctx, func(kind, action, token string) { a.desk.say(deskAct{kind, action, token}) })
	}
	return together(ctx, icon, notes, a.followStatus, a.followActs)
}

// say passes an act on; what comes faster than acts are done is dropped.
func (d *desk) say(x deskAct) {
	select {
	case d.acts <- x:
	default:
	}
}

// followStatus keeps the icon up to date, and notices what the person should know.
func (a *Agent) followStatus(ctx context.Context) error {
	changes, stop := a.listen()
	defer stop()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	last := pow.Status{}
	for first := true; ; first = false {
		s, err := a.Status(ctx)
		if err == nil {
			a.showStatus(s)
			if !first {
				a.tell(ctx, last, s)
			}
			last = s
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			sleep(ctx, faceGap)
		case <-minute.C:
		}
	}
}

// faceGap lets changes that come together, as those of an upload, be shown once.
const faceGap = 200 * time.Millisecond

func (a *Agent) showStatus(s pow.Status) {
	set, _ := a.settings()
	a.desk.tray.Set(face{s, a.recentProjects(s), a.desk.phrases(set.Language)}.state())
}

// recentSpan and recentCount bound the tray's list of projects.
const (
	recentSpan  = 14 * 24 * time.Hour
	recentCount = 5
)

// recentProjects are the projects of late that may still be booked, newest
// first, then others of the catalogue.
func (a *Agent) recentProjects(s pow.Status) (out []pow.ProjectRef) {
	t, err := a.teamOrError()
	if err != nil || len(t.Catalogue.Projects) == 0 {
		return nil
	}
	now := time.Now()
	es, err := a.queue.Entries(pow.Interval{From: now.Add(-recentSpan), To: now})
	if err != nil {
		return nil
	}
	names := a.projectNames()
	add := func(id pow.ProjectID) {
		known := slices.ContainsFunc(out, func(p pow.ProjectRef) bool { return p.ID == id })
		if _, bookable := names[id]; bookable && !known && len(out) < recentCount {
			out = append(out, names.ref(id))
		}
	}
	if s.Timer.Project != nil {
		add(s.Timer.Project.ID)
	}
	for _, e := range slices.Backward(es) {
		add(e.Project.ID)
	}
	for _, p := range t.Catalogue.Projects {
		add(p.ID)
	}
	return out
}

// followActs does what the person chose, one act after the other.
func (a *Agent) followActs(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-a.desk.acts:
			var err error
			if x.note == "" {
				err = a.trayAct(ctx, x)
			} else {
				err = a.noteAct(ctx, x)
			}
			a.warn("desk", err)
		}
	}
}

func (a *Agent) trayAct(ctx context.Context, x deskAct) (err error) {
	now := time.Now()
	if id, ok := strings.CutPrefix(x.id, actProject); ok {
		_, err = a.Start(ctx, pow.StartRequest{Project: strings.TrimSuffix(id, ":")})
		if err != nil { // a consent or a kind of work is missing: the page says so
			err = a.openWindow(ctx, "timer", x.token)
		}
		return err
	}
	switch x.id {
	case actStop:
		_, err = a.Stop(ctx)
	case actResume:
		_, err = a.Resume(ctx)
	case actOff15:
		_, err = a.OffRecord(ctx, pow.OffRecord{Until: now.Add(15 * time.Minute)})
	case actOff60:
		_, err = a.OffRecord(ctx, pow.OffRecord{Until: now.Add(time.Hour)})
	case actOffDay:
		_, err = a.OffRecord(ctx, pow.OffRecord{Until: tomorrow(now)})
	case actOffOpen:
		_, err = a.OffRecord(ctx, pow.OffRecord{})
	case actReview, actRegister, actOutbox:
		err = a.openWindow(ctx, x.id, x.token)
	case actQuit:
		if a.timer.Status().State != pow.Stopped {
			_, err = a.Stop(ctx)
		}
		return a.quitAfter(ctx, err)
	default:
		err = a.openWindow(ctx, "", x.token)
	}
	return err
}

// quitAfter ends the agent unless what came before failed.
func (a *Agent) quitAfter(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return a.Quit(ctx)
}
