package tracker_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/tracker"
)

// agent is a fake of functions; what is nil answers with nothing.
type agent struct {
	start    func(pow.StartRequest) (pow.Status, error)
	stop     func() (pow.Status, error)
	note     func(string) error
	projects []pow.Project
	entries  func() ([]pow.Entry, error)
	thumb    []byte
	drop     func([]string) error
	back     func() (pow.Status, error)
	pause    func(string, time.Time) (pow.Status, error)
	edit     func(pow.EntryEdit) error
	undo     func(string) error
	days     []pow.HistoryDay
	terms    pow.Terms
	settings pow.Settings
	past     map[int][]pow.Entry // by how many days ago
}

func (a agent) Start(_ context.Context, r pow.StartRequest) (pow.Status, error) { return a.start(r) }
func (a agent) Stop(context.Context) (pow.Status, error)                        { return a.stop() }
func (a agent) SetNote(_ context.Context, n string) error                       { return a.note(n) }
func (a agent) Projects(context.Context) ([]pow.Project, error)                 { return a.projects, nil }
func (a agent) Thumbnail(context.Context, string) ([]byte, error)               { return a.thumb, nil }
func (a agent) Drop(_ context.Context, ids []string) error                      { return a.drop(ids) }
func (a agent) UndoSwitch(context.Context) (pow.Status, error)                  { return a.back() }
func (a agent) Pause(context.Context) (pow.Status, error)                       { return a.pause("pause", time.Time{}) }
func (a agent) Resume(context.Context) (pow.Status, error)                      { return a.pause("resume", time.Time{}) }
func (a agent) OffRecord(_ context.Context, r pow.OffRecord) (pow.Status, error) {
	return a.pause("off the record", r.Until)
}
func (a agent) EditEntry(_ context.Context, e pow.EntryEdit) error { return a.edit(e) }
func (a agent) UndoEntry(_ context.Context, id string) error       { return a.undo(id) }
func (a agent) History(context.Context, pow.Interval) ([]pow.HistoryDay, error) {
	return a.days, nil
}
func (a agent) Terms(context.Context, pow.ProjectID) (pow.Terms, error) { return a.terms, nil }
func (a agent) Settings(context.Context) (pow.Settings, error)          { return a.settings, nil }
func (a agent) Entries(_ context.Context, day time.Time) ([]pow.Entry, error) {
	if ago := int(now.Sub(day).Hours() / 24); ago > 0 {
		return a.past[ago], nil
	}
	if a.entries == nil {
		return nil, nil
	}
	return a.entries()
}

// later holds work back until run, as the agent's answer would be.
type later struct{ work []func() }

func (l *later) async(work func(context.Context) error, done func(error)) {
	l.work = append(l.work, func() { done(work(context.Background())) })
}

func (l *later) run() {
	for len(l.work) > 0 {
		f := l.work[0]
		l.work = l.work[1:]
		f()
	}
}

var now = time.Date(2026, 11, 20, 10, 14, 7, 0, time.UTC)

var (
	web   = pow.Project{ID: "a1", Name: "Website", Group: "Acme"}
	kiosk = pow.Project{ID: "a2", Name: "Kiosk", Group: "Nord", ActivityRule: pow.Required, KimaiActivities: []pow.KimaiActivity{{ID: "f1", Name: "Dev"}}}
)

func running(p pow.Project, session string) pow.Status {
	return pow.Status{Setup: pow.Setup{Key: true, Team: true},
		Timer: pow.TimerStatus{State: pow.Tracking, Project: &pow.ProjectRef{ID: p.ID, Name: p.Name}, Session: pow.SessionID(session), Since: now.Add(-time.Hour), Elapsed: 3600, Note: "old"}}
}

func stopped() pow.Status {
	return pow.Status{Setup: pow.Setup{Key: true, Team: true}, Timer: pow.TimerStatus{State: pow.Stopped}}
}

func newPresenter(a agent, l *later, switched func(tracker.Switched)) *tracker.Presenter {
	if a.projects == nil {
		a.projects = []pow.Project{kiosk, web}
	}
	p := tracker.New(tracker.Config{Agent: a, Async: l.async, Now: func() time.Time { return now },
		Show: func(tracker.Model) {}, Switched: switched})
	p.Visible(true)
	return p
}

func TestBlock(t *testing.T) {
	all := []pow.Project{web, kiosk}
	team := pow.Status{Setup: pow.Setup{Team: true}}
	for _, c := range []struct {
		name string
		m    tracker.Model
		want tracker.Block
	}{
		{"no team", tracker.Model{}, tracker.NoTeam},
		{"waits", tracker.Model{Status: pow.Status{Setup: pow.Setup{Waits: "awaiting-approval"}}}, tracker.Waits},
		{"no projects", tracker.Model{Status: team}, tracker.NoProjects},
		{"none chosen", tracker.Model{Status: team, Projects: all}, tracker.ChooseProject},
		{"gone project", tracker.Model{Status: team, Projects: all, Chosen: "zz"}, tracker.ChooseProject},
		{"no activity", tracker.Model{Status: team, Projects: all, Chosen: kiosk.ID}, tracker.ChooseActivity},
		{"activity", tracker.Model{Status: team, Projects: all, Chosen: kiosk.ID, Activity: "f1"}, tracker.Free},
		{"free", tracker.Model{Status: team, Projects: all, Chosen: web.ID}, tracker.Free},
	} {
		if got := c.m.Block(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestElapsedFollowsTheAgent(t *testing.T) {
	m := tracker.Model{Status: running(web, "S1"), Received: now}
	for _, c := range []struct {
		name string
		edit func(*tracker.Model)
		want time.Duration
	}{
		{"running", func(*tracker.Model) {}, time.Hour + 5*time.Second},
		{"paused", func(m *tracker.Model) { m.Status.Timer.State = pow.Paused }, time.Hour},
		{"lost", func(m *tracker.Model) { m.Lost = true }, time.Hour},
		{"clock set back", func(m *tracker.Model) { m.Received = now.Add(time.Hour) }, time.Hour},
	} {
		n := m
		c.edit(&n)
		if got := n.Elapsed(now.Add(5 * time.Second)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestStartAndStop(t *testing.T) {
	var l later
	var asked pow.StartRequest
	p := newPresenter(agent{
		start: func(r pow.StartRequest) (pow.Status, error) { asked = r; return running(web, "S1"), nil },
		stop:  func() (pow.Status, error) { return stopped(), nil },
	}, &l, nil)
	p.Update(stopped(), now)
	l.run()
	p.Toggle()
	if len(l.work) != 0 {
		t.Fatal("started without a project")
	}
	p.Choose(web.ID)
	l.run()
	p.SaveNote("planning")
	p.Toggle()
	if !p.Model().Busy {
		t.Error("not busy while it is asked")
	}
	p.Toggle() // a second press while the first is on its way
	if len(l.work) != 1 {
		t.Errorf("%d requests, want 1", len(l.work))
	}
	l.run()
	if asked.Project != "a1" || asked.Note != "planning" || !p.Model().Running() {
		t.Errorf("asked %+v, running %v", asked, p.Model().Running())
	}
	p.Toggle()
	l.run()
	if p.Model().Open() {
		t.Error("still open")
	}
}

func TestAFailureIsShownAndChangesNothing(t *testing.T) {
	var l later
	want := &pow.Error{Code: "disk-full"}
	p := newPresenter(agent{stop: func() (pow.Status, error) { return pow.Status{}, want }}, &l, nil)
	p.Update(running(web, "S1"), now)
	l.run()
	p.Toggle()
	l.run()
	if m := p.Model(); !errors.Is(m.Err, want) || !m.Running() || m.Busy {
		t.Errorf("err %v, running %v, busy %v", m.Err, m.Running(), m.Busy)
	}
}

func TestSwitchWaitsForTheActivityAndCanBeUndone(t *testing.T) {
	var l later
	var asked []pow.StartRequest
	var undo func()
	back := func() (pow.Status, error) { return running(web, "S3"), nil }
	p := newPresenter(agent{back: back, start: func(r pow.StartRequest) (pow.Status, error) {
		asked = append(asked, r)
		return running(kiosk, "S2"), nil
	}}, &l, func(s tracker.Switched) { undo = s.Undo })
	p.Update(running(web, "S1"), now)
	l.run()
	p.Choose(kiosk.ID)
	l.run()
	if len(asked) != 0 || p.Model().Block() != tracker.ChooseActivity {
		t.Fatal("switched before the kind of work was chosen")
	}
	p.ChooseActivity("f1")
	l.run()
	if len(asked) != 1 || asked[0].KimaiActivity != "f1" || undo == nil {
		t.Fatalf("asked %+v", asked)
	}
	undo()
	l.run()
	if m := p.Model(); m.Chosen != web.ID || m.Status.Timer.Session != "S3" {
		t.Errorf("after undo: %+v", m.Status.Timer)
	}
}

func TestNoteIsSentOnceAndCut(t *testing.T) {
	var l later
	var notes []string
	p := newPresenter(agent{note: func(n string) error { notes = append(notes, n); return nil }}, &l, nil)
	p.SaveNote("before the start")
	if p.Model().Draft != "before the start" {
		t.Errorf("draft %q", p.Model().Draft)
	}
	p.Update(running(web, "S1"), now)
	l.run()
	p.SaveNote(" old ")
	p.SaveNote(strings.Repeat("ä", pow.MaxNote+1))
	l.run()
	if len(notes) != 1 || len([]rune(notes[0])) != pow.MaxNote {
		t.Errorf("%d notes", len(notes))
	}
}

// Pressing Stop takes the focus from the note, which saves it first.
func TestStopComesAfterTheNote(t *testing.T) {
	var l later
	var order []string
	p := newPresenter(agent{
		note: func(n string) error { order = append(order, "note "+n); return nil },
		stop: func() (pow.Status, error) { order = append(order, "stop"); return stopped(), nil },
	}, &l, nil)
	p.Update(running(web, "S1"), now)
	l.run()
	p.SaveNote("done")
	p.Toggle()
	l.run()
	if len(order) != 2 || order[0] != "note done" || order[1] != "stop" || p.Model().Open() {
		t.Errorf("%v", order)
	}
}

func TestOnlyPicturesOfTheRunningSession(t *testing.T) {
	var l later
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, 32, 18)), nil); err != nil {
		t.Fatal(err)
	}
	var dropped []string
	p := newPresenter(agent{thumb: buf.Bytes(), drop: func(ids []string) error { dropped = ids; return nil }}, &l, nil)
	s := running(web, "S1")
	s.LastCapture = &pow.CaptureInfo{ID: "C0", At: now.Add(-2 * time.Hour)}
	p.Update(s, now)
	l.run()
	if p.Model().Picture != nil {
		t.Fatal("shows a picture of an earlier session")
	}
	s.LastCapture = &pow.CaptureInfo{ID: "C1", At: now.Add(-time.Minute)}
	p.Update(s, now)
	l.run()
	if p.Model().Picture == nil || p.Model().Thumb == nil {
		t.Fatal("no picture")
	}
	p.AskRemove()
	p.Remove()
	l.run()
	if len(dropped) != 1 || dropped[0] != "C1" || p.Model().Picture != nil || p.Model().Asking {
		t.Errorf("dropped %v, model %+v", dropped, p.Model().Picture)
	}
}

func TestAThumbnailIsBounded(t *testing.T) {
	var l later
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, 321, 18)), nil); err != nil {
		t.Fatal(err)
	}
	p := newPresenter(agent{thumb: buf.Bytes()}, &l, nil)
	s := running(web, "S1")
	s.LastCapture = &pow.CaptureInfo{ID: "C1", At: now}
	p.Update(s, now)
	l.run()
	if p.Model().Thumb != nil {
		t.Error("decoded a picture that is larger than any thumbnail")
	}
}

func TestAnOldAnswerIsDropped(t *testing.T) {
	var l later
	n := 0
	p := newPresenter(agent{entries: func() ([]pow.Entry, error) {
		n++
		return []pow.Entry{{Session: pow.SessionID(rune('0' + n))}}, nil
	}}, &l, nil)
	p.Update(stopped(), now)
	p.Update(running(web, "S1"), now)
	work := l.work
	l.work = nil
	for i := len(work) - 1; i >= 0; i-- { // the newest answer comes first
		work[i]()
	}
	if e := p.Model().Entries; len(e) != 1 || e[0].Session != "1" {
		t.Errorf("%+v", e)
	}
}

func TestAHiddenPageAsksNothing(t *testing.T) {
	var l later
	asked := 0
	p := newPresenter(agent{entries: func() ([]pow.Entry, error) { asked++; return nil, nil }}, &l, nil)
	p.Visible(false)
	p.Update(running(web, "S1"), now)
	l.run()
	if asked != 0 {
		t.Error("asked while hidden")
	}
	p.Visible(true)
	l.run()
	if asked != 1 {
		t.Errorf("asked %d times when shown", asked)
	}
}
