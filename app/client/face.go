package client

import (
	"fmt"
	"slices"
	"time"

	"pow.do/services/client/tray"
	"pow.do/services/pow"
)

// The ids of the tray's menu; those of projects have a prefix.
const (
	actStop     = "stop"
	actResume   = "resume"
	actOff15    = "off-15"
	actOff60    = "off-60"
	actOffDay   = "off-tomorrow"
	actOffOpen  = "off-open"
	actReview   = "review"
	actRegister = "register"
	actOutbox   = "outbox"
	actQuit     = "quit"
	actProject  = "project:"
)

// face is what the tray shows: all that decides its icon and menu.
type face struct {
	pow.Status
	recent []pow.ProjectRef // newest first
	words  phrases
}

// state is the icon and menu of f. Lines are rebuilt with each change of state;
// the running time is in whole minutes, so that it changes no more often.
func (f face) state() tray.State {
	title := f.title()
	s := tray.State{Icon: f.icon(), Attention: f.Outbox[pow.Attention] > 0, Title: title}
	s.Menu = []tray.Item{{ID: "state", Label: "● " + title, Disabled: true}}
	s.Menu = append(s.Menu, f.timerItems()...)
	s.Menu = append(s.Menu, f.switchItems()...)
	s.Menu = append(s.Menu, tray.Item{ID: "line-1"}, f.offItems(), tray.Item{ID: actReview, Label: f.words.T("tray.review.none")},
		tray.Item{ID: actRegister, Label: f.words.T("tray.register"), Disabled: f.HeldSeconds == 0}, tray.Item{ID: "line-2"},
		tray.Item{ID: actOutbox, Label: f.outboxLabel()}, tray.Item{ID: tray.Open, Label: f.words.T("tray.open")})
	if f.Held > 0 {
		i := slices.IndexFunc(s.Menu, func(i tray.Item) bool { return i.ID == actReview })
		s.Menu[i].Label = f.words.N("tray.review", f.Held)
	}
	quit := "tray.quit"
	if f.Timer.State == pow.Tracking {
		quit = "tray.quit.tracking"
	}
	s.Menu = append(s.Menu, tray.Item{ID: actQuit, Label: f.words.T(quit)})
	return s
}

// offline: servers are known and none is reached.
func (f face) offline() bool {
	return len(f.Relays) > 0 && !slices.ContainsFunc(f.Relays, func(c pow.Connection) bool { return c.State == "online" })
}

func (f face) icon() string {
	switch {
	case f.Outbox[pow.Attention] > 0:
		return tray.IconAttention
	case f.Timer.State == pow.Idle:
		return tray.IconAway
	case f.Timer.State == pow.Paused && f.Timer.Reason == offRecord:
		return tray.IconOffRecord
	case f.Timer.State == pow.Paused:
		return tray.IconPaused
	case f.Timer.State == pow.Tracking && f.offline():
		return tray.IconOffline
	case f.Timer.State == pow.Tracking:
		return tray.IconTracking
	}
	return tray.IconStopped
}

// title is the state in words, with the project and its time in whole minutes.
func (f face) title() string {
	w := f.words
	if f.Timer.State == pow.Stopped || f.Timer.Project == nil {
		return w.T("tray.stopped")
	}
	title := map[pow.TimerState]string{pow.Tracking: w.T("tray.tracking"), pow.Idle: w.T("tray.away"), pow.Paused: w.T("tray.paused")}[f.Timer.State]
	if f.Timer.Reason == offRecord {
		title = w.T("tray.off")
		if !f.Timer.Until.IsZero() {
			title = w.T("tray.off.until", "Time", f.Timer.Until.Local().Format("15:04"))
		}
	}
	name := pow.Clean(f.Timer.Project.Name)
	if name == "" {
		name = w.T("tray.locked")
	}
	title += " · " + name
	if m := f.Timer.Elapsed / 60; m > 0 {
		title += " · " + words(m*60)
	}
	if f.Timer.State == pow.Tracking && f.offline() {
		title += " · " + w.T("tray.offline")
	}
	return title
}

// timerItems stop, continue or start.
func (f face) timerItems() []tray.Item {
	stop := tray.Item{ID: actStop, Label: f.words.T("tray.stop")}
	switch {
	case f.Timer.State == pow.Tracking:
		return []tray.Item{stop}
	case f.Timer.State == pow.Paused || f.Timer.State == pow.Idle:
		return []tray.Item{{ID: actResume, Label: f.words.T("tray.resume")}, stop}
	case len(f.recent) > 0:
		return []tray.Item{{ID: actProject + string(f.recent[0].ID), Label: f.words.T("tray.continue", "Project", pow.Clean(f.recent[0].Name))}}
	}
	return []tray.Item{{ID: "start", Label: f.words.T("tray.start")}}
}

// switchItems are the projects of late, the running one ticked.
func (f face) switchItems() []tray.Item {
	if len(f.recent) == 0 {
		return nil
	}
	s := tray.Item{ID: "switch", Label: f.words.T("tray.switch")}
	for _, p := range f.recent {
		running := f.Timer.State == pow.Tracking && f.Timer.Project != nil && f.Timer.Project.ID == p.ID
		s.Items = append(s.Items, tray.Item{ID: actProject + string(p.ID), Label: pow.Clean(p.Name), Checkable: true, Checked: running})
	}
	// The line that continues the last one has the same act, but must be another line.
	for i := range s.Items {
		s.Items[i].ID += ":"
	}
	return []tray.Item{s}
}

func (f face) offItems() tray.Item {
	if f.Timer.State == pow.Stopped {
		return tray.Item{ID: "off", Label: f.words.T("tray.off.none"), Disabled: true}
	}
	return tray.Item{ID: "off", Label: f.words.T("tray.off"), Items: []tray.Item{{ID: actOff15, Label: f.words.T("tray.off.15")},
		{ID: actOff60, Label: f.words.T("tray.off.60")}, {ID: actOffDay, Label: f.words.T("tray.off.tomorrow")}, {ID: actOffOpen, Label: f.words.T("tray.off.open")}}}
}

func (f face) outboxLabel() string {
	if n := f.Outbox[pow.Attention]; n > 0 {
		return "▲ " + f.words.N("tray.attention", n)
	}
	n := 0
	for s, count := range f.Outbox {
		if !s.Settled() {
			n += count
		}
	}
	if n == 0 {
		return f.words.T("tray.outbox.none")
	}
	return f.words.N("tray.outbox", n)
}

// tomorrow is when "until tomorrow" ends: the next 04:00 of the local day.
func tomorrow(now time.Time) time.Time {
	now = now.Local()
	t := time.Date(now.Year(), now.Month(), now.Day(), 4, 0, 0, 0, time.Local)
	if !t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()+1, 4, 0, 0, 0, time.Local)
	}
	return t
}

// parseUntil reads "15m", "1h" or "tomorrow" as the end of a time off the record.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if s == "tomorrow" {
		return tomorrow(now), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > maxOffRecord {
		return time.Time{}, &pow.Error{Code: pow.ErrUsage.Code, What: fmt.Sprintf("%q is no time", s), Mend: "say 15m, 1h or tomorrow"}
	}
	return now.Add(d), nil
}
