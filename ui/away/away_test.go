package away_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/away"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/widgets"
)

type agent struct {
	answers []pow.AwayAnswer
	err     error
}

func (a *agent) AnswerAway(_ context.Context, q pow.AwayAnswer) (pow.Status, error) {
	a.answers = append(a.answers, q)
	return pow.Status{}, a.err
}

var (
	web   = pow.Project{ID: "00000000000000a1", Name: "Website relaunch", Group: "Acme GmbH"}
	kiosk = pow.Project{ID: "00000000000000a2", Name: "Kiosk app"}
)

func (a *agent) Projects(context.Context) ([]pow.Project, error) {
	return []pow.Project{web, kiosk}, nil
}

func question(id string, from, to time.Time, reason string) pow.AwayQuestion {
	return pow.AwayQuestion{ID: id, From: from, To: to, Reason: reason, Project: pow.ProjectRef{ID: web.ID, Name: web.Name}}
}

func lunch() pow.AwayQuestion {
	return question("A1", uitest.At(12, 34), uitest.At(12, 59), "idle")
}

type desk struct {
	agent  agent
	agenda uitest.Agenda
	sheet  *away.Sheet
	screen *uitest.Screen
	heard  int
	closed int
}

func open(t *testing.T, v theme.Variant, width float32, list ...pow.AwayQuestion) *desk {
	t.Helper()
	uitest.App(t, v, "en")
	d := &desk{}
	d.screen = uitest.Show(t, widgets.NewSpace(1, 1), width, 700)
	d.sheet = away.New(d.screen.Win.Canvas(), away.Config{Agent: &d.agent, Async: d.agenda.Go, Now: uitest.Clock,
		Heard: func(s pow.Status, _ time.Time) { d.heard++; d.sheet.Presenter.Update(s) }}, uitest.Say, func() { d.closed++ })
	if fresh := d.sheet.Presenter.Update(pow.Status{Away: list}); fresh {
		d.sheet.Open()
	}
	d.agenda.Run()
	return d
}

func TestFourAnswers(t *testing.T) {
	for text, want := range map[string]pow.AwayChoice{
		"Discard and continue": pow.AwayDiscard, "Discard and stop": pow.AwayStop, "Keep": pow.AwayKeep,
	} {
		d := open(t, theme.Light, 640, lunch())
		d.screen.Press(text)
		if !d.screen.Disabled("Discard and continue") {
			t.Errorf("%s: a second answer is possible", text)
		}
		d.agenda.Run()
		if !slices.Equal(d.agent.answers, []pow.AwayAnswer{{ID: "A1", Choice: want}}) || d.heard != 1 || d.sheet.Opened() || d.closed != 1 {
			t.Errorf("%s: %+v, heard %d, closed %d", text, d.agent.answers, d.heard, d.closed)
		}
	}
	d := open(t, theme.Light, 640, lunch())
	d.sheet.Presenter.Answer("A1", pow.AwayOther, kiosk.ID)
	d.agenda.Run()
	if want := (pow.AwayAnswer{ID: "A1", Choice: pow.AwayOther, Project: string(kiosk.ID)}); !slices.Equal(d.agent.answers, []pow.AwayAnswer{want}) {
		t.Errorf("%+v", d.agent.answers)
	}
}

func TestNobodyIsAskedWhileAway(t *testing.T) {
	d := open(t, theme.Light, 640, question("A1", uitest.At(12, 34), time.Time{}, "idle"))
	if d.sheet.Opened() {
		t.Error("asked while the person is away")
	}
	if !d.sheet.Presenter.Update(pow.Status{Away: []pow.AwayQuestion{lunch()}}) {
		t.Error("not asked when the person is back")
	}
	if d.sheet.Presenter.Update(pow.Status{Away: []pow.AwayQuestion{lunch()}}) {
		t.Error("the same question is fresh twice")
	}
}

func TestAFailedAnswerKeepsTheQuestion(t *testing.T) {
	d := open(t, theme.Light, 640, lunch())
	d.agent.err = errors.New("gone")
	d.screen.Press("Keep")
	d.agenda.Run()
	d.screen.See("Said: gone", "You were away from 12:34 to 12:59 (25 min).")
	if d.screen.Disabled("Keep") {
		t.Error("no second try")
	}
}

func TestLooks(t *testing.T) {
	list := []pow.AwayQuestion{lunch(), question("A2", uitest.At(14, 0), uitest.At(15, 30), "screen-locked"), question("A3", uitest.At(16, 0), uitest.At(16, 10), "asleep")}
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		one := open(t, v, 480, lunch())
		one.screen.Golden("one-480-" + name)
		one.screen.Walk()
		many := open(t, v, 960, list...)
		many.screen.See("The screen was locked from 14:00 to 15:30", "The computer was asleep from 16:00")
		many.screen.Golden("many-960-" + name)
	}
}
