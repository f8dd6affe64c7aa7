package project_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/project"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type agent struct {
	terms  pow.Terms
	wrong  error
	calls  []string
	agreed pow.AgreeRequest
	choice pow.ProjectChoice
}

func (a *agent) Terms(context.Context, pow.ProjectID) (pow.Terms, error) { return a.terms, nil }
func (a *agent) Agree(_ context.Context, r pow.AgreeRequest) error {
	a.calls = append(a.calls, "agree")
	if a.wrong != nil {
		return a.wrong
	}
	a.agreed, a.terms.Consent, a.terms.AgreedAt = r, pow.ConsentGiven, uitest.Clock()
	return nil
}
func (a *agent) Withdraw(context.Context, pow.ProjectID) error {
	a.calls = append(a.calls, "withdraw")
	if a.wrong == nil {
		a.terms.Consent = pow.ConsentWithdrawn
	}
	return a.wrong
}
func (a *agent) Choose(_ context.Context, c pow.ProjectChoice) error {
	a.calls = append(a.calls, "choose")
	if a.wrong == nil {
		a.choice, a.terms.Choice = c, c
	}
	return a.wrong
}

const id = pow.ProjectID("00000000000000a1")

func terms() pow.Terms {
	return pow.Terms{
		Project: pow.Project{ID: id, Name: "Website relaunch", Group: "Acme GmbH", Pictures: pow.Optional, Interval: 600, Detail: pow.DetailApp, Retention: 30},
		Team:    "Studio Nord", DVMNpub: "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2", Hash: pow.Hash{1}, Consent: pow.ConsentNeeded,
		Policy: "Pictures are looked at by the project's lead.\n\nNobody else sees them.", Relays: []string{"wss://hub.example.com"}, Blossom: []string{"https://hub.example.com"},
		Choice: pow.ProjectChoice{Project: id, Pictures: true, Detail: pow.DetailCategory},
	}
}

// changed are terms that ask for more than was agreed to.
func changed() pow.Terms {
	t := terms()
	was := t.Project
	t.Project.Name = "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord"
	t.Project.Pictures, t.Project.Interval, t.Project.Retention, t.Project.Detail = pow.Required, 300, 90, pow.DetailTitle
	t.Consent, t.AgreedAt, t.Agreed, t.PolicyChanged = pow.ConsentChanged, uitest.At(9, 0), &was, true
	return t
}

type desk struct {
	*agent
	agenda uitest.Agenda
	page   *project.Page
	done   []bool
	copied string
}

func open(t pow.Terms) *desk {
	d := &desk{agent: &agent{terms: t}}
	d.page = project.NewPage(project.Config{Agent: d.agent, Async: d.agenda.Go}, uitest.Clock, project.Links{
		Say: uitest.Say, Copy: func(s string) { d.copied = s }, Done: func(_ pow.ProjectID, yes bool) { d.done = append(d.done, yes) },
	})
	d.page.Open(id)
	d.agenda.Run()
	return d
}

func TestChoicesAreSignedWithTheAgreement(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(terms())
	p := d.page.Presenter
	p.Change(func(c *pow.ProjectChoice) { c.Pictures, c.ShowTimer = false, true })
	p.Change(func(c *pow.ProjectChoice) { c.Detail = pow.DetailTitle }) // more than is asked for
	d.agenda.Run()
	if len(d.calls) != 0 {
		t.Fatalf("told the agent before the person agreed: %v", d.calls)
	}
	p.Agree()
	p.Agree() // while the first is on its way
	d.agenda.Run()
	want := pow.AgreeRequest{Project: id, Hash: pow.Hash{1}, Choice: pow.ProjectChoice{Project: id, Detail: pow.DetailApp, ShowTimer: true}}
	if len(d.calls) != 1 || d.agreed != want {
		t.Errorf("%v signed %+v, want %+v", d.calls, d.agreed, want)
	}
	if len(d.done) != 1 || !d.done[0] || p.Model().Terms.Consent != pow.ConsentGiven {
		t.Errorf("done %v, consent %q", d.done, p.Model().Terms.Consent)
	}
}

func TestAChoiceCountsAtOnceAfterwards(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	in := terms()
	in.Consent = pow.ConsentGiven
	d := open(in)
	p := d.page.Presenter
	p.Change(func(c *pow.ProjectChoice) { c.SealAfter = 3600 })
	d.agenda.Run()
	if d.choice.SealAfter != 3600 {
		t.Fatalf("chose %+v", d.choice)
	}
	d.wrong = errors.New("no")
	p.Change(func(c *pow.ProjectChoice) { c.SealAfter = 0 })
	d.agenda.Run()
	if m := p.Model(); m.Choice.SealAfter != 3600 || m.Err == nil {
		t.Errorf("a refused choice is shown as if it held: %+v", m.Choice)
	}
}

func TestTermsThatChangeWhileTheyAreRead(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(terms())
	d.wrong = &pow.Error{Code: pow.CodePolicyChanged, What: "changed"}
	d.terms.Hash, d.terms.Project.Retention = pow.Hash{2}, 90
	d.page.Presenter.Agree()
	d.agenda.Run()
	m := d.page.Presenter.Model()
	if len(d.done) != 0 || m.Err == nil || !m.Again || m.Terms.Hash != (pow.Hash{2}) {
		t.Fatalf("done %v, again %v, hash %v", d.done, m.Again, m.Terms.Hash)
	}
	d.wrong = nil
	d.page.Presenter.Agree()
	d.agenda.Run()
	if d.agreed.Hash != (pow.Hash{2}) {
		t.Error("signed what was not shown")
	}
}

func TestWithdrawAsksFirst(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	in := terms()
	in.Consent = pow.ConsentGiven
	d := open(in)
	s := uitest.Show(t, d.page.Object(), 960, 900)
	s.Press("Withdraw …")
	s.See("What you sent stays with Studio Nord for up to 30 days each")
	d.page.Back()
	s.Miss("What you sent stays")
	s.Press("Withdraw …")
	s.Press("Withdraw")
	d.agenda.Run()
	s.See("You withdrew your agreement", "Agree and sign")
	if fmt.Sprint(d.calls) != "[withdraw]" {
		t.Errorf("%v", d.calls)
	}
}

func TestARequiredPictureIsGreyedWithAReason(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	in := terms()
	in.Project.Pictures = pow.Required
	in.Choice.Pictures = false
	d := open(in)
	s := uitest.Show(t, d.page.Object(), 960, 900)
	s.See("The project requires them, so this cannot be switched off.")
	if !d.page.Presenter.Model().Choice.Pictures {
		t.Error("required pictures are off")
	}
	if !s.Disabled("With titles") || s.Disabled("Categories") {
		t.Error("a detail beyond the terms can be chosen")
	}
}

// What a stranger wrote is shown as plain text: no control characters, nothing
// that turns the reading direction, and not without end.
func TestForeignTextIsHarmless(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	in := terms()
	in.Project.Name = "evil\u202ename\x00\n" + strings.Repeat("x", 500)
	in.Team = "team\u2066\x1b[31m"
	in.Policy = "line\r\nnext\u202e\x00" + strings.Repeat("y", 30_000)
	d := open(in)
	s := uitest.Show(t, d.page.Object(), 480, 560)
	s.Press("Read the policy text")
	for _, bad := range []string{"\u202e", "\x00", "\u2066", "\x1b", "\r"} {
		s.Miss(bad)
	}
	s.See("line\nnext")
	if n := len(s.Text()); n > 25_000 {
		t.Errorf("%d bytes on the screen", n)
	}
	s.Fits(d.page.Object())
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name          string
		terms         pow.Terms
		variant       theme.Variant
		width, height float32
	}{
		{"needed-960-light", terms(), theme.Light, 960, 1060},
		{"needed-480-dark", terms(), theme.Dark, 480, 1400},
		{"changed-960-dark", changed(), theme.Dark, 960, 1180},
		{"changed-480-light", changed(), theme.Light, 480, 1700},
		{"given-960-light", given(), theme.Light, 960, 1060},
		{"given-480-small-light", given(), theme.Light, 480, 560},
	} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			d := open(c.terms)
			s := uitest.Show(t, d.page.Object(), c.width, c.height)
			s.Golden("project-" + c.name)
			s.Fits(d.page.Object())
			s.Walk()
		})
	}
}

func given() pow.Terms {
	t := terms()
	t.Consent, t.AgreedAt = pow.ConsentGiven, uitest.At(9, 0)
	return t
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		t.Run(language, func(t *testing.T) {
			uitest.App(t, theme.Light, language)
			d := open(changed())
			uitest.Show(t, d.page.Object(), 424, 560).Fits(d.page.Object())
		})
	}
}
