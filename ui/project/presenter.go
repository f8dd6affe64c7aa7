package project

import (
	"context"
	"slices"

	"pow.do/services/pow"
)

// Agent is what the page asks of the agent. Agree signs nothing when the terms
// are others than those with the hash that was shown.
type Agent interface {
	Terms(ctx context.Context, id pow.ProjectID) (pow.Terms, error)
	Agree(ctx context.Context, r pow.AgreeRequest) error
	Withdraw(ctx context.Context, id pow.ProjectID) error
	Choose(ctx context.Context, c pow.ProjectChoice) error
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Model is all that the page shows.
type Model struct {
	ID     pow.ProjectID
	Terms  pow.Terms
	Choice pow.ProjectChoice // what the member chose; before agreeing only here
	Known  bool              // Terms came
	Lost   bool
	Busy   bool
	Asking bool // whether to withdraw
	Policy bool // the policy text is unfolded
	Again  bool // the terms changed while they were read: these are new
	Err    error
}

// Bound tells whether the agreement holds, so that a choice counts at once.
func (m Model) Bound() bool {
	return m.Terms.Consent == pow.ConsentGiven || m.Terms.Consent == pow.ConsentChanged
}

// MayAgree tells whether there is something to sign.
func (m Model) MayAgree() bool { return m.Known && m.Terms.Consent != pow.ConsentGiven }

// ladder orders the details, each with more in it than the one before.
var ladder = []pow.Detail{pow.DetailOff, pow.DetailCategory, pow.DetailApp, pow.DetailTitle}

// Allows tells whether the member may choose a detail: never more than is asked for.
func (m Model) Allows(d pow.Detail) bool {
	return slices.Index(ladder, d) <= max(0, slices.Index(ladder, m.Terms.Project.Detail))
}

// Intervals returns the seconds between pictures that the member may choose,
// with 0 at the end for the project's own.
func (m Model) Intervals() []int {
	var list []int
	for _, s := range []int{60, 120, 300, 600, 900} {
		if s < m.Terms.Project.Interval {
			list = append(list, s)
		}
	}
	return append(list, 0)
}

// SealAfters are the waits in seconds after which held work may be registered
// by itself; 0 is never.
var SealAfters = []int{0, 3600, 4 * 3600, 24 * 3600}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	agent Agent
	async Async
	show  func(Model)
	done  func(agreed bool)
	model Model
	asked int
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Show  func(Model)       // called after every change
	Done  func(agreed bool) // the person agreed, or not now
}

// New makes a presenter without a project.
func New(c Config) *Presenter {
	return &Presenter{agent: c.Agent, async: c.Async, show: c.Show, done: c.Done}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Open shows a project's terms.
func (p *Presenter) Open(id pow.ProjectID) {
	if p.model.ID != id {
		p.model = Model{ID: id, Lost: p.model.Lost}
	}
	p.Load()
	p.show(p.model)
}

// Load asks for the terms again. A choice that was not signed yet stays.
func (p *Presenter) Load() {
	if p.model.ID == "" || p.model.Lost {
		return
	}
	p.asked++
	mine, id := p.asked, p.model.ID
	var t pow.Terms
	p.async(func(ctx context.Context) (err error) {
		t, err = p.agent.Terms(ctx, id)
		return err
	}, func(err error) {
		if mine == p.asked {
			p.take(t, err)
			p.show(p.model)
		}
	})
}

func (p *Presenter) take(t pow.Terms, err error) {
	if err != nil {
		p.model.Err = err
		return
	}
	m := &p.model
	m.Again = m.Again || m.Known && m.Terms.Hash != t.Hash
	fresh := !m.Known || m.Terms.Hash != t.Hash
	m.Terms, m.Known = t, true
	if fresh || m.Bound() {
		m.Choice = t.Choice
		m.Choice.Project = t.Project.ID
	}
	p.clamp()
}

// clamp keeps the choice inside what is asked for.
func (p *Presenter) clamp() {
	m := &p.model
	if !m.Allows(m.Choice.Detail) || !slices.Contains(ladder, m.Choice.Detail) {
		m.Choice.Detail = m.Terms.Project.Detail
	}
	if m.Choice.Detail == "" {
		m.Choice.Detail = pow.DetailOff
	}
	switch m.Terms.Project.Pictures {
	case pow.Required:
		m.Choice.Pictures = true
	case pow.Optional:
	default:
		m.Choice.Pictures = false
	}
	if m.Choice.Interval >= m.Terms.Project.Interval {
		m.Choice.Interval = 0
	}
}

// Lose shows that the agent does not answer; Find that it does again.
func (p *Presenter) Lose() { p.model.Lost = true; p.show(p.model) }

// Find takes the connection to the agent as there.
func (p *Presenter) Find() {
	if p.model.Lost {
		p.model.Lost = false
		p.Load()
	}
	p.show(p.model)
}

// Change edits the choice. Where the agreement holds it counts at once, else it
// is signed with it.
func (p *Presenter) Change(edit func(*pow.ProjectChoice)) {
	if !p.model.Known || p.model.Busy || p.model.Lost {
		p.show(p.model) // the control goes back to what holds
		return
	}
	was := p.model.Choice
	edit(&p.model.Choice)
	p.clamp()
	c := p.model.Choice
	if c == was || !p.model.Bound() {
		p.show(p.model)
		return
	}
	p.do(func(ctx context.Context) error { return p.agent.Choose(ctx, c) }, func(err error) {
		if err != nil {
			p.model.Choice = was
		}
		p.model.Terms.Choice = p.model.Choice
	})
}

// Agree signs what is shown.
func (p *Presenter) Agree() {
	if !p.model.MayAgree() {
		return
	}
	r := pow.AgreeRequest{Project: p.model.ID, Hash: p.model.Terms.Hash, Choice: p.model.Choice}
	p.do(func(ctx context.Context) error { return p.agent.Agree(ctx, r) }, func(err error) {
		p.Load() // what holds now, or what changed meanwhile
		if err == nil {
			p.model.Again = false
			p.done(true)
		}
	})
}

// NotNow leaves things as they are.
func (p *Presenter) NotNow() { p.done(false) }

// Unfold shows or hides the policy text.
func (p *Presenter) Unfold() { p.model.Policy = !p.model.Policy; p.show(p.model) }

// AskWithdraw asks whether to withdraw; Keep leaves the agreement.
func (p *Presenter) AskWithdraw() { p.model.Asking = p.model.Bound(); p.show(p.model) }

// Keep leaves the agreement as it is.
func (p *Presenter) Keep() { p.model.Asking = false; p.show(p.model) }

// Withdraw takes the agreement back.
func (p *Presenter) Withdraw() {
	if !p.model.Asking {
		return
	}
	id := p.model.ID
	p.do(func(ctx context.Context) error { return p.agent.Withdraw(ctx, id) }, func(err error) {
		if err == nil {
			p.model.Asking = false
			p.Load()
		}
	})
}

// do runs a step that the person waits for.
func (p *Presenter) do(work func(context.Context) error, then func(error)) {
	if p.model.Busy || p.model.Lost {
		return
	}
	p.model.Busy, p.model.Err = true, nil
	p.show(p.model)
	p.async(work, func(err error) {
		p.model.Busy, p.model.Err = false, err
		then(err)
		p.show(p.model)
	})
}
