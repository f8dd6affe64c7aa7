package lock

import (
	"context"
	"errors"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Agent is what the page asks of the agent. A wrong passphrase is pow.ErrLocked.
type Agent interface {
	Unlock(ctx context.Context, passphrase string) error
	// Forget erases what is here, or with DryRun only tells what that would be.
	Forget(ctx context.Context, r pow.ForgetRequest) (pow.Forgotten, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Model is all that the page shows. It names no project.
type Model struct {
	Status   pow.Status
	Received time.Time
	Lost     bool
	Busy     bool
	Wrong    bool          // the last passphrase was not the right one
	Wait     time.Duration // until the next try, 0: now
	Err      error         // anything else that went wrong
	Fault    input.Fault   // why what was typed cannot be a passphrase
	Asking   bool          // whether to erase everything and restore from the backup
	Would    pow.Forgotten // Asking: what would go
	Erased   bool
}

// Elapsed returns the running session's time at now, 0 where none runs.
func (m Model) Elapsed(now time.Time) time.Duration {
	d := time.Duration(m.Status.Timer.Elapsed) * time.Second
	if m.Status.Timer.State == pow.Tracking && !m.Lost {
		d += max(0, now.Sub(m.Received))
	}
	return d
}

// longestWait bounds the pause after a wrong passphrase.
const longestWait = 30 * time.Second

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
	tries int
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent Agent
	Async Async
	After func(time.Duration, func()) // runs a function on the owner's goroutine, later
	Now   func() time.Time
	Show  func(Model) // called after every change
}

// New makes a presenter.
func New(c Config) *Presenter { return &Presenter{c: c} }

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in.
func (p *Presenter) Update(s pow.Status, received time.Time) {
	p.model.Status, p.model.Received, p.model.Lost = s, received, false
	if !s.Setup.Locked {
		p.tries, p.model.Wrong = 0, false
	}
	p.c.Show(p.model)
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.c.Show(p.model)
}

// Unlock tries a passphrase. The agent does the slow arithmetic; each wrong one
// makes the next try wait twice as long.
func (p *Presenter) Unlock(passphrase string) {
	if p.model.Busy || p.model.Wait > 0 || p.model.Lost {
		return
	}
	switch {
	case passphrase == "":
		p.model.Fault = input.Empty
	case len(passphrase) > input.MaxPassphrase:
		p.model.Fault = input.Long
	default:
		p.model.Fault = input.Fine
	}
	if p.model.Fault != input.Fine {
		p.c.Show(p.model)
		return
	}
	p.model.Busy, p.model.Wrong, p.model.Err = true, false, nil
	p.c.Show(p.model)
	p.c.Async(func(ctx context.Context) error { return p.c.Agent.Unlock(ctx, passphrase) }, func(err error) {
		p.model.Busy = false
		switch {
		case err == nil:
			p.tries = 0
		case errors.Is(err, pow.ErrLocked):
			p.model.Wrong = true
			p.pause()
		default:
			p.model.Err = err
		}
		p.c.Show(p.model)
	})
}

func (p *Presenter) pause() {
	p.model.Wait = min(longestWait, time.Second<<min(p.tries, 5))
	p.tries++
	p.c.After(p.model.Wait, func() {
		p.model.Wait = 0
		p.c.Show(p.model)
	})
}

// Forgot finds out what starting over would erase, and asks.
func (p *Presenter) Forgot() {
	p.forget(pow.ForgetRequest{Everything: true, DryRun: true}, func(f pow.Forgotten) {
		p.model.Asking, p.model.Would = true, f
	})
}

// Keep leaves everything as it is.
func (p *Presenter) Keep() {
	p.model.Asking = false
	p.c.Show(p.model)
}

// Erase forgets everything here, so that the first run can restore the key from
// its backup.
func (p *Presenter) Erase() {
	if p.model.Asking {
		p.forget(pow.ForgetRequest{Everything: true}, func(pow.Forgotten) { p.model.Asking, p.model.Erased = false, true })
	}
}

func (p *Presenter) forget(r pow.ForgetRequest, then func(pow.Forgotten)) {
	if p.model.Busy || p.model.Lost {
		return
	}
	p.model.Busy, p.model.Err = true, nil
	p.c.Show(p.model)
	var f pow.Forgotten
	p.c.Async(func(ctx context.Context) (err error) {
		f, err = p.c.Agent.Forget(ctx, r)
		return err
	}, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err == nil {
			then(f)
		}
		p.c.Show(p.model)
	})
}
