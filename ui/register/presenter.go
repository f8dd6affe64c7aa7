package register

import (
	"context"

	"pow.do/services/pow"
)

// Agent is what the sheet asks of the agent.
type Agent interface {
	Preview(ctx context.Context) (pow.Preview, error)
	Register(ctx context.Context) (ids []string, err error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Model is all that the sheet shows.
type Model struct {
	Preview pow.Preview
	Loading bool // the preview is on its way
	Sending bool // Register was pressed
	Sent    int  // proofs made; the sheet is done when it is not zero
	Err     error
}

// Blocked returns the oldest question that the person has to answer first.
func (m Model) Blocked() (q pow.AwayQuestion, ok bool) {
	if len(m.Preview.Away) == 0 {
		return q, false
	}
	return m.Preview.Away[0], true
}

// Ready tells whether Register may be pressed: only after the effect was shown,
// and with no question open about the time.
func (m Model) Ready() bool {
	_, blocked := m.Blocked()
	return !m.Loading && !m.Sending && m.Err == nil && len(m.Preview.Parts) > 0 && !blocked
}

// Presenter holds the sheet's state. All its methods belong to one goroutine.
type Presenter struct {
	agent Agent
	async Async
	show  func(Model)
	model Model
}

// New makes a presenter; show is called after every change.
func New(agent Agent, async Async, show func(Model)) *Presenter {
	return &Presenter{agent: agent, async: async, show: show}
}

// Load asks what Register would send.
func (p *Presenter) Load() {
	p.model = Model{Loading: true}
	p.show(p.model)
	var v pow.Preview
	p.async(func(ctx context.Context) (err error) {
		v, err = p.agent.Preview(ctx)
		return err
	}, func(err error) {
		p.model = Model{Preview: v, Err: err}
		p.show(p.model)
	})
}

// Register seals what was shown and hands it to delivery.
func (p *Presenter) Register() {
	if !p.model.Ready() {
		return
	}
	p.model.Sending = true
	p.show(p.model)
	var ids []string
	p.async(func(ctx context.Context) (err error) {
		ids, err = p.agent.Register(ctx)
		return err
	}, func(err error) {
		p.model.Sending, p.model.Err, p.model.Sent = false, err, len(ids)
		p.show(p.model)
	})
}
