package outbox

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Way follows the proofs and hurries them.
type Way interface {
	Outbox(ctx context.Context) ([]pow.OutboxItem, error)
	Retry(ctx context.Context, id string) error
}

// ByHand carries proofs without a network. Both take whole paths.
type ByHand interface {
	ExportProof(ctx context.Context, r pow.ExportRequest) error
	// ImportProofs takes the answer that came back, and returns how many proofs
	// it moved.
	ImportProofs(ctx context.Context, file string) (int, error)
}

// Agent is what the page asks of the agent.
type Agent interface {
	Way
	ByHand
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Filter chooses which proofs are listed.
type Filter int

// The filters: everything, what is not settled, what needs a person.
const (
	All Filter = iota
	Open
	Stuck
)

// Model is all that the page shows.
type Model struct {
	Status pow.Status
	Items  []pow.OutboxItem // filtered, newest first
	All    int
	Open   int
	Stuck  int
	Filter Filter
	Chosen string // id of the proof whose detail is shown
	Known  bool   // the list came at least once
	Lost   bool
	Trying bool
	Err    error
	// Since is when the last relay was lost; zero while one is there.
	Since time.Time
	Hand  Hand
}

// Hand is what is carried by hand.
type Hand struct {
	Mode  HandMode
	Fault input.Fault // why the path cannot be used
	Busy  bool
	Err   error
	Saved string // where a proof was written
	Took  bool   // an answer was taken: it moved so many proofs
	Moved int
}

// HandMode is which of the two panels is open.
type HandMode int

// The panels: none, saving the chosen proof, taking an answer.
const (
	HandNone HandMode = iota
	HandSave
	HandTake
)

// Item returns the proof whose detail is shown.
func (m Model) Item() (pow.OutboxItem, bool) {
	for _, i := range m.Items {
		if i.ID == m.Chosen {
			return i, true
		}
	}
	return pow.OutboxItem{}, false
}

// Step is one of the stations of a proof's way.
type Step struct {
	State pow.State
	Done  bool
	Now   bool // the one that is being worked on
	At    time.Time
}

// Moving tells whether bytes of a proof are on their way right now, and which
// part of them has arrived.
func Moving(i pow.OutboxItem) (part float32, ok bool) {
	if i.Sent <= 0 || i.Size <= 0 || i.Sent >= i.Size || !i.State.Before(pow.Uploaded) {
		return 0, false
	}
	return float32(i.Sent) / float32(i.Size), true
}

// Steps returns the stations of a proof and how far it has come. For a proof
// that needs attention the evidence decides, since its state does not say; that
// is then the eighth station.
func Steps(i pow.OutboxItem) []Step {
	way := []pow.State{pow.Queued, pow.Sealing, pow.Uploaded, pow.Relayed, pow.Received, pow.Accepted, pow.Booked}
	at := reached(i)
	steps := make([]Step, len(way))
	for n, s := range way {
		steps[n] = Step{State: s, Done: !at.Before(s)}
		steps[n].At = i.Steps[s]
		steps[n].Now = n > 0 && steps[n-1].Done && !steps[n].Done && i.State != pow.Attention
	}
	if i.State == pow.Attention {
		steps = append(steps, Step{State: pow.Attention, Done: true, At: i.Steps[pow.Attention]})
	}
	return steps
}

func reached(i pow.OutboxItem) pow.State {
	if i.State != pow.Attention {
		return i.State
	}
	done := func(p pow.Place) bool { return p.State == pow.PlaceDone }
	switch {
	case i.Receipt != nil:
		return pow.Received
	case slices.ContainsFunc(i.Relays, done):
		return pow.Relayed
	case slices.ContainsFunc(i.Servers, done):
		return pow.Uploaded
	case !i.SealedHash.IsZero():
		return pow.Sealing
	}
	return pow.Queued
}

// Next says what happens to a proof by itself.
type Next int

// What happens next: nothing more, nothing without a person, a try at a known
// time, work right now, or waiting for the team's answer.
const (
	Finished Next = iota
	Yours
	Later
	Working
	Answer
)

// NextFor returns what happens next, at now.
func NextFor(i pow.OutboxItem, now time.Time) Next {
	switch {
	case i.State == pow.Booked:
		return Finished
	case i.State == pow.Attention:
		return Yours
	case i.State == pow.Accepted && i.Receipt != nil:
		return Finished
	case i.NextAttempt.After(now):
		return Later
	case i.State == pow.Relayed, i.State == pow.Received, i.State == pow.Accepted:
		return Answer
	}
	return Working
}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	agent Agent
	async Async
	show  func(Model)
	now   func() time.Time
	home  string

	model Model
	items []pow.OutboxItem
	known bool
	shown bool
	stale bool
	asked int // the newest question; older answers are dropped
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	Now   func() time.Time
	Home  string      // folder of the person, for paths that begin with ~
	Show  func(Model) // called after every change
}

// New makes a presenter. It asks nothing before it is visible.
func New(c Config) *Presenter {
	return &Presenter{agent: c.Agent, async: c.Async, show: c.Show, now: c.Now, home: c.Home, stale: true}
}

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in, and asks for the list when its counts changed.
func (p *Presenter) Update(s pow.Status) {
	for _, st := range pow.States {
		p.stale = p.stale || s.Outbox[st] != p.model.Status.Outbox[st]
	}
	p.known, p.model.Lost, p.model.Status = true, false, s
	p.connected(s.Relays)
	if p.stale {
		p.Load()
	}
	p.show(p.model)
}

// connected remembers since when no relay is there.
func (p *Presenter) connected(relays []pow.Connection) {
	off := len(relays) > 0
	for _, r := range relays {
		off = off && r.State != "online"
	}
	switch {
	case !off:
		p.model.Since = time.Time{}
	case p.model.Since.IsZero():
		p.model.Since = p.now()
	}
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost, p.stale = true, true
	p.show(p.model)
}

// Visible tells the page whether it can be seen; a hidden page asks nothing.
func (p *Presenter) Visible(on bool) {
	p.shown = on
	if on {
		p.Load()
	}
}

// Load asks for the list.
func (p *Presenter) Load() {
	if !p.shown || !p.known || p.model.Lost {
		return
	}
	p.stale = false
	p.asked++
	mine := p.asked
	var list []pow.OutboxItem
	p.async(func(ctx context.Context) (err error) {
		list, err = p.agent.Outbox(ctx)
		return err
	}, func(err error) {
		if mine != p.asked {
			return
		}
		if err != nil {
			p.model.Err = err
		} else {
			p.items, p.model.Known = list, true
			slices.SortStableFunc(p.items, func(a, b pow.OutboxItem) int { return b.From.Compare(a.From) })
		}
		p.filter()
		p.show(p.model)
	})
}

func (p *Presenter) filter() {
	m := &p.model
	m.All, m.Open, m.Stuck = len(p.items), 0, 0
	m.Items = nil
	for _, i := range p.items {
		open, stuck := !ended(i), i.State == pow.Attention
		if open {
			m.Open++
		}
		if stuck {
			m.Stuck++
		}
		if m.Filter == All || m.Filter == Open && open || m.Filter == Stuck && stuck {
			m.Items = append(m.Items, i)
		}
	}
	if _, ok := m.Item(); !ok {
		m.Chosen = ""
	}
}

func ended(i pow.OutboxItem) bool { return NextFor(i, time.Time{}) == Finished }

// SetFilter chooses which proofs are listed.
func (p *Presenter) SetFilter(f Filter) {
	p.model.Filter = f
	p.filter()
	p.show(p.model)
}

// Choose shows the detail of a proof; an empty id closes it.
func (p *Presenter) Choose(id string) {
	if p.model.Chosen != id {
		p.model.Hand = Hand{}
	}
	p.model.Chosen = id
	p.show(p.model)
}

// Retry tries one proof now.
func (p *Presenter) Retry(id string) { p.retry([]string{id}) }

// RetryAll tries everything now that is not settled.
func (p *Presenter) RetryAll() {
	var ids []string
	for _, i := range p.items {
		if !ended(i) {
			ids = append(ids, i.ID)
		}
	}
	p.retry(ids)
}

func (p *Presenter) retry(ids []string) {
	if len(ids) == 0 || p.model.Trying || p.model.Lost {
		return
	}
	p.model.Trying, p.model.Err = true, nil
	p.show(p.model)
	p.async(func(ctx context.Context) error {
		for _, id := range ids {
			if err := p.agent.Retry(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}, func(err error) {
		p.model.Trying, p.model.Err = false, err
		p.Load()
		p.show(p.model)
	})
}
