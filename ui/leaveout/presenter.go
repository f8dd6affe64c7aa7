package leaveout

import (
	"context"
	"slices"
	"strings"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Agent is what the editor asks of the agent.
type Agent interface {
	// Windows lists every visible window on every captured monitor, with the
	// exclusion that it meets now.
	Windows(ctx context.Context) ([]pow.OpenWindow, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Kind is what an exclusion looks at.
type Kind string

// The kinds that can be typed in.
const (
	App   Kind = "app"
	Title Kind = "title"
)

// MaxRules bounds the list.
const MaxRules = 500

// Full refuses one more.
const Full input.Fault = "full"

// Model is all that the editor shows.
type Model struct {
	Rules   []pow.Exclusion
	Kind    Kind // of the next rule
	Fault   input.Fault
	Testing bool
	Tested  bool // Windows is an answer
	Windows []pow.OpenWindow
	Lost    bool
	Err     error
}

// Private tells whether private windows are left out.
func (m Model) Private() bool {
	return slices.ContainsFunc(m.Rules, func(e pow.Exclusion) bool { return e.Private })
}

// Presenter holds the editor's state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
	asked int
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent   Agent
	Async   Async
	Show    func(Model)           // called after every change
	Changed func([]pow.Exclusion) // the person changed the list
}

// New makes a presenter without rules.
func New(c Config) *Presenter { return &Presenter{c: c, model: Model{Kind: App}} }

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Set takes the rules in that hold.
func (p *Presenter) Set(rules []pow.Exclusion) {
	if slices.Equal(rules, p.model.Rules) {
		return
	}
	p.model.Rules = slices.Clone(rules)
	p.c.Show(p.model)
}

// Connected tells whether the agent answers.
func (p *Presenter) Connected(on bool) {
	if p.model.Lost == !on {
		return
	}
	p.model.Lost = !on
	p.c.Show(p.model)
}

// SetKind says what the next rule looks at.
func (p *Presenter) SetKind(k Kind) {
	p.model.Kind, p.model.Fault = k, input.Fine
	p.c.Show(p.model)
}

// Add puts a rule into the list; false where the text cannot be used, which
// then stays in its field.
func (p *Presenter) Add(text string) bool {
	e, fault := pow.Exclusion{}, input.Fine
	if p.model.Kind == Title {
		e.Title, fault = input.Pattern(text)
	} else {
		e.App, fault = input.Line(text, input.MaxName)
	}
	switch {
	case fault == input.Fine && slices.ContainsFunc(p.model.Rules, func(o pow.Exclusion) bool { return same(o, e) }):
		fault = input.Twice
	case fault == input.Fine && len(p.model.Rules) >= MaxRules:
		fault = Full
	}
	if p.model.Fault = fault; fault != input.Fine {
		p.c.Show(p.model)
		return false
	}
	p.change(append(slices.Clone(p.model.Rules), e))
	return true
}

func same(a, b pow.Exclusion) bool {
	return strings.EqualFold(a.App, b.App) && strings.EqualFold(a.Title, b.Title) && a.Private == b.Private
}

// Remove takes a rule out.
func (p *Presenter) Remove(e pow.Exclusion) {
	p.change(slices.DeleteFunc(slices.Clone(p.model.Rules), func(o pow.Exclusion) bool { return o == e }))
}

// SetPrivate leaves private windows out, or lets them in.
func (p *Presenter) SetPrivate(on bool) {
	rules := slices.DeleteFunc(slices.Clone(p.model.Rules), func(o pow.Exclusion) bool { return o.Private })
	if on {
		rules = append([]pow.Exclusion{{Private: true}}, rules...)
	}
	p.change(rules)
}

// Suggest adds what most people want left out and the list does not have yet.
func (p *Presenter) Suggest() {
	rules := slices.Clone(p.model.Rules)
	for _, e := range Usual() {
		if !slices.ContainsFunc(rules, func(o pow.Exclusion) bool { return same(o, e) }) {
			rules = append(rules, e)
		}
	}
	if len(rules) != len(p.model.Rules) {
		p.change(rules)
	}
}

// Complete tells whether the list has everything that Suggest would add.
func (m Model) Complete() bool {
	for _, e := range Usual() {
		if !slices.ContainsFunc(m.Rules, func(o pow.Exclusion) bool { return same(o, e) }) {
			return false
		}
	}
	return true
}

// Usual returns what most people want left out: private windows, password
// managers, banks and mail.
func Usual() []pow.Exclusion {
	list := []pow.Exclusion{{Private: true}}
	for _, app := range []string{"KeePassXC", "1Password", "Bitwarden", "Seahorse", "Thunderbird", "Signal"} {
		list = append(list, pow.Exclusion{App: app})
	}
	for _, title := range []string{"*bank*", "*paypal*", "*webmail*", "*inbox*"} {
		list = append(list, pow.Exclusion{Title: title})
	}
	return list
}

func (p *Presenter) change(rules []pow.Exclusion) {
	p.model.Rules, p.model.Fault = rules, input.Fine
	p.c.Changed(slices.Clone(rules))
	p.c.Show(p.model)
	if p.model.Tested {
		p.Test()
	}
}

// Test asks which windows match now.
func (p *Presenter) Test() {
	if p.model.Lost {
		return
	}
	p.asked++
	mine := p.asked
	p.model.Testing, p.model.Err = true, nil
	p.c.Show(p.model)
	var list []pow.OpenWindow
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Windows(ctx)
		return err
	}, func(err error) {
		if mine != p.asked {
			return
		}
		p.model.Testing, p.model.Tested, p.model.Err = false, err == nil, err
		p.model.Windows = list
		p.c.Show(p.model)
	})
}

// Forget drops the titles of the last test: they are somebody's windows.
func (p *Presenter) Forget() {
	p.asked++
	p.model.Testing, p.model.Tested, p.model.Windows = false, false, nil
	p.c.Show(p.model)
}
