package settings

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Probe tests one part; a second press while it runs does nothing.
func (p *Presenter) Probe(name string) {
	if p.model.Lost || p.model.Probes[name].Busy {
		return
	}
	p.model.Probes[name] = Probe{Busy: true}
	p.draw()
	var list []pow.Check
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Test(ctx, name)
		return err
	}, func(err error) {
		p.model.Probes[name] = Probe{Known: true, Checks: list, Err: err}
		p.draw()
	})
}

// Look takes one picture of each monitor that pictures are taken of. They are
// kept nowhere.
func (p *Presenter) Look() {
	var shots [][]byte
	taken := slices.Clone(p.held.Displays)
	p.act(Pictures, func(ctx context.Context) (err error) {
		shots, err = p.c.Agent.TestShot(ctx)
		return err
	}, func() {
		if !p.shown {
			return
		}
		if len(taken) != len(shots) { // every one of them
			taken = nil
			for i := range shots {
				taken = append(taken, i)
			}
			p.every = len(shots)
		}
		p.model.Shots, p.model.Of = shots, taken
	})
}

// Unlook drops the pictures.
func (p *Presenter) Unlook() {
	p.model.Shots, p.model.Of = nil, nil
	p.draw()
}

// LockNow locks the keys.
func (p *Presenter) LockNow() {
	p.act(KeysGroup, p.c.Agent.Lock, func() {})
}

// ChangePassphrase protects the keys with another passphrase; true once it was
// taken for good enough to be sent.
func (p *Presenter) ChangePassphrase(old, fresh, again string) bool {
	if !p.judgePhrases(old, fresh, again) {
		return false
	}
	p.change(pow.PassphraseChange{Old: old, New: fresh})
	return true
}

// judgePhrases looks at the three fields of a new passphrase.
func (p *Presenter) judgePhrases(old, fresh, again string) bool {
	p.model.Changed = false
	for _, f := range []Field{OldPhrase, NewPhrase, NewAgain} {
		p.model.Faults[f] = input.Fine
	}
	if old == "" && p.model.Keys.Storage != "keyring" {
		return p.judge(OldPhrase, input.Empty)
	}
	fault := input.Passphrase(fresh, again)
	if fault == input.Differs {
		return p.judge(NewAgain, fault)
	}
	return p.judge(NewPhrase, fault)
}

// UseKeyring lets the system's keyring keep the keys instead of a passphrase.
func (p *Presenter) UseKeyring(old string) {
	if p.judge(OldPhrase, map[bool]input.Fault{true: input.Empty}[old == ""]) {
		p.change(pow.PassphraseChange{Old: old})
	}
}

func (p *Presenter) change(c pow.PassphraseChange) {
	p.act(KeysGroup, func(ctx context.Context) error { return p.c.Agent.ChangePassphrase(ctx, c) }, func() {
		p.model.Changed = true
		p.loadKeys()
	})
}

// BackedUp looks again at when a backup was tested.
func (p *Presenter) BackedUp() { p.loadKeys() }

// AskRemove asks whether to remove a computer.
func (p *Presenter) AskRemove(d pow.Device) { p.ask(Ask{Kind: AskDevice, Device: d}) }

// AskToLeave asks whether to leave the team.
func (p *Presenter) AskToLeave() { p.ask(Ask{Kind: AskLeave}) }

func (p *Presenter) ask(a Ask) {
	p.model.Ask, p.model.Erased = a, nil
	p.draw()
}

// Keep leaves everything as it is.
func (p *Presenter) Keep() { p.ask(Ask{}) }

// AskToForget first finds out what a deletion would erase, and then asks.
func (p *Presenter) AskToForget(r pow.ForgetRequest) {
	r.DryRun = true
	var would pow.Forgotten
	p.model.Ask, p.model.Erased = Ask{}, nil
	p.act(DataGroup, func(ctx context.Context) (err error) {
		would, err = p.c.Agent.Forget(ctx, r)
		return err
	}, func() {
		r.DryRun = false
		p.model.Ask = Ask{Kind: AskForget, Forget: r, Would: would}
	})
}

// Yes does what was asked about.
func (p *Presenter) Yes() {
	a := p.model.Ask
	switch a.Kind {
	case AskDevice:
		p.act(KeysGroup, func(ctx context.Context) error { return p.c.Agent.RemoveDevice(ctx, a.Device.Key) }, func() {
			p.model.Ask = Ask{}
			p.loadKeys()
		})
	case AskLeave:
		p.act(Projects, p.c.Agent.Leave, func() {
			p.model.Ask, p.model.Terms = Ask{}, nil
			p.loadTerms()
		})
	case AskForget:
		p.forget(a.Forget)
	}
}

func (p *Presenter) forget(r pow.ForgetRequest) {
	var gone pow.Forgotten
	p.act(DataGroup, func(ctx context.Context) (err error) {
		gone, err = p.c.Agent.Forget(ctx, r)
		return err
	}, func() {
		p.model.Ask, p.model.Erased = Ask{}, &gone
		p.loadSizes()
	})
}

// Spans are the stretches back from now that can be deleted; 0 is everything
// that was not sent.
var Spans = []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 0}

// act runs a step that the person waits for.
func (p *Presenter) act(g Group, work func(context.Context) error, then func()) {
	if p.model.Busy[g] || p.model.Lost {
		return
	}
	p.model.Busy[g], p.model.Err[g] = true, nil
	p.draw()
	p.c.Async(work, func(err error) {
		p.model.Busy[g] = false
		if p.model.Err[g] = err; err == nil {
			then()
		}
		p.draw()
	})
}
