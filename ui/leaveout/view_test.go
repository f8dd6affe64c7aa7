package leaveout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/input"
	"pow.do/ui/leaveout"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type desk struct {
	agenda  uitest.Agenda
	view    *leaveout.View
	rules   []pow.Exclusion
	changes int
	asked   int
	wrong   error
}

func (d *desk) Windows(context.Context) ([]pow.OpenWindow, error) {
	d.asked++
	return []pow.OpenWindow{
		{App: "KeePassXC", Title: "Passwords", Excluded: true, Rule: "KeePassXC"},
		{App: "Firefox", Title: strings.Repeat("evil\u202e ", 80), Display: 1},
	}, d.wrong
}

func open(rules ...pow.Exclusion) *desk {
	d := &desk{}
	d.view = leaveout.NewView(leaveout.Config{Agent: d, Async: d.agenda.Go,
		Changed: func(list []pow.Exclusion) { d.rules = list; d.changes++ }}, uitest.Say)
	d.view.Presenter.Set(rules)
	return d
}

// What cannot be a rule changes nothing and stays in its field.
func TestBadRules(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(pow.Exclusion{App: "KeePassXC"}, pow.Exclusion{Title: "*bank*"})
	s := uitest.Show(t, d.view.Body, 700, 800)
	for _, c := range []struct {
		kind, text string
		want       input.Fault
	}{
		{"A program", "", input.Empty}, {"A program", " \t", input.Empty}, {"A program", strings.Repeat("x", 201), input.Long},
		{"A program", "a\u202eb", input.Control}, {"A program", "a\x00b", input.Control}, {"A program", "keepassxc", input.Twice},
		{"A window title", "*", input.OnlyStars}, {"A window title", "? *", input.OnlyStars}, {"A window title", "*BANK*", input.Twice},
		{"A window title", "", input.Empty}, {"A window title", strings.Repeat("*a", 200), input.Long},
	} {
		if c.kind == "A program" {
			d.view.Presenter.SetKind(leaveout.App)
		} else {
			d.view.Presenter.SetKind(leaveout.Title)
		}
		e := s.Entries()[0]
		e.SetText(c.text)
		s.Press("Add")
		if got := d.view.Presenter.Model().Fault; got != c.want || d.changes != 0 || e.Text != c.text {
			t.Errorf("%.20q: %q, want %q; %d changes; text %.20q", c.text, got, c.want, d.changes, e.Text)
		}
		s.See(words.T("input." + string(c.want)))
	}
}

func TestEditing(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(pow.DefaultSettings().Exclusions...)
	s := uitest.Show(t, d.view.Body, 700, 800)
	s.Entries()[0].SetText(" KeePassXC ")
	s.Press("Add")
	if e := s.Entries()[0]; e.Text != "" {
		t.Errorf("%q stays in the field", e.Text)
	}
	s.Press("A window title")
	s.Entries()[0].SetText("*bank*")
	s.Press("Add")
	if want := []pow.Exclusion{{Private: true}, {App: "KeePassXC"}, {Title: "*bank*"}}; !slices.Equal(d.rules, want) {
		t.Errorf("%+v", d.rules)
	}
	s.Press("KeePassXC")
	d.view.Presenter.SetPrivate(false)
	if want := []pow.Exclusion{{Title: "*bank*"}}; !slices.Equal(d.rules, want) {
		t.Errorf("%+v", d.rules)
	}
	s.Press("Passwords, banks, mail")
	if !d.view.Presenter.Model().Complete() || len(d.rules) != len(leaveout.Usual()) {
		t.Errorf("%+v", d.rules)
	}
	s.Miss("Passwords, banks, mail")
	full := make([]pow.Exclusion, leaveout.MaxRules)
	for i := range full {
		full[i].App = fmt.Sprintf("app %d", i)
	}
	d.view.Presenter.Set(full)
	d.view.Presenter.SetKind(leaveout.App)
	if d.view.Presenter.Add("one more") || d.view.Presenter.Model().Fault != leaveout.Full {
		t.Error("a list without end")
	}
}

func TestTestingAgainstWhatIsOpen(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(pow.Exclusion{App: "KeePassXC"})
	s := uitest.Show(t, d.view.Body, 700, 800)
	s.Press("Test with what is open now")
	if !s.Disabled("Test with what is open now") {
		t.Error("asks twice")
	}
	d.agenda.Run()
	s.See("2 windows can be seen now; 1 left out.", "Left out", "by KeePassXC", "Would be in the picture", "Monitor 2")
	s.Miss("\u202e")
	d.view.Presenter.SetPrivate(true) // a change is tested at once
	d.agenda.Run()
	if d.asked != 2 {
		t.Errorf("asked %d times", d.asked)
	}
	d.view.Presenter.Forget()
	s.Miss("KeePassXC by")
	if d.view.Presenter.Model().Windows != nil {
		t.Error("keeps titles of windows")
	}
	d.wrong = errors.New("no display")
	s.Press("Test with what is open now")
	d.agenda.Run()
	s.See("Said: no display")
	d.view.Presenter.Connected(false)
	if !s.Disabled("Test with what is open now") {
		t.Error("asks an agent that is lost")
	}
	s.Walk()
}
