package tracker_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/tracker"
)

func TestNothingStartsBeforeItWasAgreedTo(t *testing.T) {
	for _, c := range []struct {
		consent pow.Consent
		want    tracker.Block
	}{
		{pow.ConsentNeeded, tracker.AskFirst}, {pow.ConsentChanged, tracker.AskFirst},
		{pow.ConsentWithdrawn, tracker.AskFirst}, {pow.ConsentGiven, tracker.Free},
	} {
		var l later
		p := newPresenter(agent{terms: pow.Terms{Project: web, Consent: c.consent}}, &l, nil)
		p.Update(stopped(), now)
		p.Choose(web.ID)
		l.run()
		if got := p.Model().Block(); got != c.want {
			t.Errorf("%s: %q, want %q", c.consent, got, c.want)
		}
		p.Toggle()
		if started := p.Model().Busy; started != (c.want == tracker.Free) {
			t.Errorf("%s: started %v", c.consent, started)
		}
	}
}

func TestSuspendedBlocks(t *testing.T) {
	m := tracker.Model{Projects: []pow.Project{web}, Chosen: web.ID, Status: stopped()}
	m.Status.Warnings = []pow.Fault{{Code: pow.CodeMemberSuspended}}
	if m.Block() != tracker.Suspended {
		t.Error("a suspended member may start")
	}
}

func TestPauseResumeOffRecord(t *testing.T) {
	var l later
	var asked []string
	p := newPresenter(agent{pause: func(what string, until time.Time) (pow.Status, error) {
		asked = append(asked, what+until.Format(" 15:04"))
		s := running(web, "S1")
		if what != "resume" {
			s.Timer.State, s.Timer.Reason = pow.Paused, what
		}
		return s, nil
	}}, &l, nil)
	p.Update(stopped(), now)
	p.Pause() // nothing runs
	l.run()
	p.Update(running(web, "S1"), now)
	p.Pause()
	p.OffRecord(now.Add(15 * time.Minute)) // one is on its way already
	l.run()
	p.Resume()
	l.run()
	p.OffRecord(now.Add(15 * time.Minute))
	l.run()
	if want := []string{"pause 00:00", "resume 00:00", "off the record 10:29"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if p.Model().Running() {
		t.Error("time runs off the record")
	}
}

func TestTomorrowIsTheNextFour(t *testing.T) {
	for in, want := range map[string]string{"10:14": "21 04:00", "03:59": "20 04:00", "04:00": "21 04:00"} {
		at, err := time.Parse("2006-01-02 15:04", "2026-11-20 "+in)
		if err != nil {
			t.Fatal(err)
		}
		if got := tracker.Tomorrow(at).Format("02 15:04"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestRecentProjectsAndNotes(t *testing.T) {
	var l later
	e := func(p pow.Project, ago int, note string) pow.Entry {
		return pow.Entry{Project: pow.ProjectRef{ID: p.ID}, From: now.AddDate(0, 0, -ago), Note: note}
	}
	p := newPresenter(agent{
		entries: func() ([]pow.Entry, error) { return []pow.Entry{e(web, 0, "a"), e(web, 0, "b")}, nil },
		past: map[int][]pow.Entry{1: {e(web, 1, "c"), e(web, 1, "b"), e(web, 1, "")},
			2: {e(web, 2, "d"), e(web, 2, "e"), e(web, 2, "f"), e(kiosk, 2, "k")}},
	}, &l, nil)
	p.Update(stopped(), now)
	l.run()
	m := p.Model()
	if m.Projects[0].ID != web.ID || m.Projects[1].ID != kiosk.ID || m.Chosen != web.ID {
		t.Errorf("order %+v, chosen %s", m.Projects, m.Chosen)
	}
	if got, want := m.Notes(), []string{"b", "a", "c", "f", "e"}; !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
	if m.Recency(kiosk.ID) == 0 {
		t.Error("a project of the day before yesterday is not recent")
	}
}

func TestWeekAndLimit(t *testing.T) {
	var l later
	p := newPresenter(agent{
		days:     []pow.HistoryDay{{Booked: 10, Verified: 20}, {OnTheWay: 30, Unregistered: 40, Booked: 1}},
		settings: pow.Settings{WeekLimit: 40 * 3600},
	}, &l, nil)
	p.Update(stopped(), now)
	l.run()
	if m := p.Model(); m.Week != (tracker.Week{Booked: 11, Verified: 20, OnTheWay: 30, Unregistered: 40}) || m.Limit != 40*time.Hour || m.Week.Sum() != 101 {
		t.Errorf("%+v of %v", m.Week, m.Limit)
	}
}

func TestSilence(t *testing.T) {
	m := tracker.Model{Status: running(web, "S1")}
	for ago, want := range map[time.Duration]time.Duration{
		time.Minute: 0, 16 * time.Minute: 16 * time.Minute, 2 * time.Hour: 0, // before this session
	} {
		m.Status.LastReceipt = &pow.LastReceipt{At: now.Add(-ago)}
		if got := m.Silent(now); got != want {
			t.Errorf("%v ago: %v, want %v", ago, got, want)
		}
	}
	m.Status.LastReceipt = nil
	if m.Silent(now) != 0 {
		t.Error("silent without a receipt")
	}
}

func entry() pow.Entry {
	at := func(h, m, s int) time.Time { return time.Date(2026, 11, 20, h, m, s, 0, time.Local) }
	return pow.Entry{ID: "E1", Project: pow.ProjectRef{ID: web.ID}, From: at(9, 2, 17), To: at(10, 14, 40), Note: "old", State: "held"}
}

func TestCorrection(t *testing.T) {
	for _, c := range []struct {
		name    string
		edit    func(*tracker.Correction)
		changed bool
		err     error
	}{
		{"as it was", func(*tracker.Correction) {}, false, nil},
		{"cut", func(c *tracker.Correction) { c.From, c.To = "9:10", "10:00" }, true, nil},
		{"note", func(c *tracker.Correction) { c.Note = " new " }, true, nil},
		{"project", func(c *tracker.Correction) { c.Project = kiosk.ID }, true, nil},
		{"activity", func(c *tracker.Correction) { c.Activity = "f1" }, true, nil},
		{"longer", func(c *tracker.Correction) { c.To = "10:15" }, false, tracker.ErrOnlyCut},
		{"earlier", func(c *tracker.Correction) { c.From = "09:01" }, false, tracker.ErrOnlyCut},
		{"nothing left", func(c *tracker.Correction) { c.From, c.To = "10:00", "9:30" }, false, tracker.ErrNoTime},
		{"not a time", func(c *tracker.Correction) { c.From = "nine" }, false, tracker.ErrClock},
		{"25 o'clock", func(c *tracker.Correction) { c.To = "25:00" }, false, tracker.ErrClock},
		{"empty", func(c *tracker.Correction) { c.To = "" }, false, tracker.ErrClock},
	} {
		x := tracker.Correct(entry())
		c.edit(&x)
		e, changed, err := x.Edit()
		if !errors.Is(err, c.err) || changed != c.changed {
			t.Errorf("%s: changed %v, %v", c.name, changed, err)
		}
		if err == nil && e.ID != "E1" {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
	x := tracker.Correct(entry())
	x.From = "9:10"
	if e, _, err := x.Edit(); err != nil || e.From.Format("15:04:05") != "09:10:00" || !e.To.IsZero() || e.Note != nil || e.Project != "" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestCorrectionOverMidnight(t *testing.T) {
	e := entry()
	e.From, e.To = e.From.Add(13*time.Hour), e.To.Add(15*time.Hour) // 22:02 to 01:14
	c := tracker.Correct(e)
	c.To = "0:30"
	got, changed, err := c.Edit()
	if err != nil || !changed || got.To.Day() != 21 || got.To.Hour() != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestOnlyWhatIsNotRegisteredCanBeCorrected(t *testing.T) {
	e := entry()
	for state, want := range map[string]bool{"held": true, "queued": false, "booked": false, "attention": false} {
		e.State = state
		if tracker.Correctable(e) != want {
			t.Errorf("%s: %v", state, !want)
		}
	}
}

func TestCorrectAndTakeBack(t *testing.T) {
	var l later
	var asked []string
	loads := 0
	var undo func()
	a := agent{
		edit:     func(e pow.EntryEdit) error { asked = append(asked, "edit "+e.ID); return nil },
		undo:     func(id string) error { asked = append(asked, "undo "+id); return nil },
		entries:  func() ([]pow.Entry, error) { loads++; return nil, nil },
		projects: []pow.Project{web},
	}
	p := tracker.New(tracker.Config{Agent: a, Async: l.async, Now: func() time.Time { return now },
		Show: func(tracker.Model) {}, Edited: func(f func()) { undo = f }})
	p.Visible(true)
	p.Update(stopped(), now)
	l.run()
	before := loads
	p.Correct(pow.EntryEdit{ID: "E1"})
	l.run()
	if undo == nil || loads != before+1 {
		t.Fatalf("undo offered: %v, list asked %d times", undo != nil, loads-before)
	}
	undo()
	l.run()
	if !slices.Equal(asked, []string{"edit E1", "undo E1"}) || loads != before+2 {
		t.Errorf("asked %q, loaded %d", asked, loads)
	}
}
