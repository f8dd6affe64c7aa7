package tracker_test

import (
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/tracker"
	"pow.do/ui/uitest"
)

var far = pow.Project{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord",
	Group: "Nordbahn Verkehrsgesellschaft mit beschränkter Haftung", ActivityRule: pow.Optional,
	KimaiActivities: []pow.KimaiActivity{{ID: "f1", Name: "Development"}}, Pictures: pow.Required, Interval: 600}

// local is a status of the day of uitest.Clock.
func local(state pow.TimerState, reason string) pow.Status {
	s := running(far, "S1")
	s.Timer.State, s.Timer.Reason, s.Timer.Since = state, reason, uitest.At(9, 2)
	s.Team, s.TodaySeconds, s.WeekSeconds, s.Held, s.HeldSeconds = "Studio Nord", 15000, 141000, 7, 4200
	s.Setup.Npub = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"
	if state == pow.Stopped {
		s.Timer = pow.TimerStatus{State: pow.Stopped}
	}
	return s
}

type scene struct {
	name   string
	status pow.Status
	agent  func(*agent)
	see    []string
}

func scenes() []scene {
	warned := local(pow.Stopped, "")
	warned.Warnings = []pow.Fault{{Code: pow.CodeMemberSuspended}}
	slot := local(pow.Tracking, "")
	slot.Slot = &pow.Interval{From: uitest.At(10, 10), To: uitest.At(10, 20)}
	quiet := local(pow.Tracking, "")
	quiet.LastReceipt = &pow.LastReceipt{At: uitest.At(9, 30)}
	until := local(pow.Paused, "off-record")
	until.Timer.Until = uitest.At(10, 29)
	lockedOut := local(pow.Paused, "screen-locked")
	lockedOut.Away = []pow.AwayQuestion{{ID: "A", From: uitest.At(9, 34)}}
	away := local(pow.Idle, "")
	away.Away = []pow.AwayQuestion{{ID: "A", From: uitest.At(9, 34)}}
	restarted := local(pow.Paused, "restarted")
	restarted.Away = []pow.AwayQuestion{{ID: "A", From: uitest.At(9, 34), To: uitest.At(9, 50)}}
	none := local(pow.Stopped, "")
	none.Setup.Team, none.Held, none.HeldSeconds = false, 0, 0
	waits := none
	waits.Setup.Waits = "awaiting-approval"
	terms := func(c pow.Consent) func(*agent) {
		return func(a *agent) { a.terms = pow.Terms{Project: far, Consent: c} }
	}
	return []scene{
		{"tracking", slot, nil, []string{"one picture between 10:10 and 10:20", "over your 38 h"}},
		{"silent", quiet, nil, []string{"Last registered 44 min ago."}},
		{"off-record", until, nil, []string{"until 10:29 · nothing is recorded", "Resume"}},
		{"paused", local(pow.Paused, "user"), nil, []string{"paused by you", "Resume"}},
		{"screen-locked", lockedOut, nil, []string{"screen locked since 09:34"}},
		{"away", away, nil, []string{"since 09:34 · pictures wait until you answer"}},
		{"restarted", restarted, nil, []string{"pow.do was not running 09:34–09:50"}},
		{"stopped", local(pow.Stopped, ""), nil, []string{"Nothing is recorded.", "Start"}},
		{"ask-first", local(pow.Stopped, ""), terms(pow.ConsentNeeded), []string{"See what this project asks for"}},
		{"asks-more", local(pow.Stopped, ""), terms(pow.ConsentChanged), []string{"asks for more than you agreed to"}},
		{"suspended", warned, nil, []string{"Studio Nord takes no proofs from you at the moment. Ask your admin."}},
		{"no-team", none, nil, []string{"You are not connected to a team yet", "Try it offline"}},
		{"waits", waits, nil, []string{"Studio Nord has to let you in"}},
		{"no-projects", local(pow.Stopped, ""), func(a *agent) { a.projects = []pow.Project{} }, []string{"Studio Nord has not given you a project yet", "npub1qqqsyqc"}},
	}
}

func list() []pow.Entry {
	ref := pow.ProjectRef{ID: far.ID, Name: far.Name}
	return []pow.Entry{
		{ID: "E1", Project: ref, From: uitest.At(8, 10), To: uitest.At(8, 55), Seconds: 2700, State: "booked", Note: "Header"},
		{ID: "E2", Project: ref, From: uitest.At(8, 55), To: uitest.At(9, 0), Seconds: 300, State: "held", Kept: true, ByHand: true,
			KimaiActivity: &far.KimaiActivities[0], Was: &pow.Entry{Project: ref, From: uitest.At(8, 55), To: uitest.At(9, 2)}},
	}
}

func show(t *testing.T, c scene, width float32) (*tracker.Page, *uitest.Agenda, *uitest.Screen) {
	t.Helper()
	a := agent{projects: []pow.Project{far, web}, entries: func() ([]pow.Entry, error) { return list(), nil },
		settings: pow.Settings{WeekStart: 1, WeekLimit: 38 * 3600}, terms: pow.Terms{Project: far, Consent: pow.ConsentGiven},
		days: []pow.HistoryDay{{Booked: 90000, Verified: 20000, OnTheWay: 16000, Unregistered: 15000}}}
	if c.agent != nil {
		c.agent(&a)
	}
	var l uitest.Agenda
	p := tracker.NewPage(tracker.Config{Agent: a, Async: l.Go, Now: uitest.Clock}, tracker.Links{Say: uitest.Say, Undo: func(string, func()) {}})
	p.Visible(true)
	p.Update(c.status, uitest.Clock())
	l.Run()
	return p, &l, uitest.Show(t, p.Object(), width, 1100)
}

// Every state, in both looks, at the least and at a usual width, with a very
// long name: what it says, that all of it fits, and that Tab reaches all of it.
func TestEveryState(t *testing.T) {
	for _, c := range scenes() {
		for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
			width := map[theme.Variant]float32{theme.Light: 428, theme.Dark: 784}[v]
			t.Run(c.name+"/"+name, func(t *testing.T) {
				uitest.App(t, v, "en")
				p, _, s := show(t, c, width)
				s.See(c.see...)
				s.Fits(p.Object())
				s.Walk()
				s.Golden(c.name + "-" + name)
			})
		}
	}
}

func TestTheClockShowsSecondsOnlyInFront(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	p, _, s := show(t, scene{status: local(pow.Tracking, "")}, 784)
	if p.Period(true) != time.Second || !s.Sees("1:00:00") {
		t.Error("no seconds in front")
	}
	if p.Period(false) != time.Minute || s.Sees("1:00:00") {
		t.Error("seconds behind other windows")
	}
	p.Lose()
	if p.Period(true) != 0 {
		t.Error("the clock ticks without an agent")
	}
}

func TestAHiddenPageDrawsNothing(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	p, l, s := show(t, scene{status: local(pow.Stopped, "")}, 784)
	p.Visible(false)
	p.Update(local(pow.Tracking, ""), uitest.Clock())
	l.Run()
	if s.Sees("Tracking") {
		t.Error("drawn while hidden")
	}
	p.Visible(true)
	s.See("Tracking")
}

func TestCorrectionSheet(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		uitest.App(t, v, "en")
		_, _, s := show(t, scene{status: local(pow.Stopped, "")}, 480)
		s.Press("was 08:55–09:02")
		s.See("Correct this entry", "Take corrections back")
		if !s.Disabled("Save") {
			t.Error("nothing is changed and can be saved")
		}
		to := s.Entry("17:00")
		to.SetText("9:30")
		s.See("an entry can only be made shorter")
		to.SetText("nine")
		s.See("this is not a time of day")
		to.SetText("8:58")
		s.See("08:55–09:00 becomes 08:55–08:58: 2 min less.")
		if s.Disabled("Save") {
			t.Error("a correction cannot be saved")
		}
		s.Golden("correction-" + name)
		s.Walk()
	}
}
