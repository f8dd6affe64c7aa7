package outbox

import (
	"context"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// OpenHand opens one of the panels, or closes them.
func (p *Presenter) OpenHand(m HandMode) {
	p.model.Hand = Hand{Mode: m}
	p.show(p.model)
}

// Save writes the chosen proof to a new file. A path that cannot be used stays
// in its field.
func (p *Presenter) Save(path string) {
	id := p.model.Chosen
	if path, ok := p.path(path); ok && id != "" {
		p.hand(func(ctx context.Context) error {
			return p.agent.ExportProof(ctx, pow.ExportRequest{ID: id, File: path})
		}, func() { p.model.Hand.Saved = path })
	}
}

// Take reads an answer that came back by hand.
func (p *Presenter) Take(path string) {
	if path, ok := p.path(path); ok {
		n := 0
		p.hand(func(ctx context.Context) (err error) {
			n, err = p.agent.ImportProofs(ctx, path)
			return err
		}, func() {
			p.model.Hand.Took, p.model.Hand.Moved = true, n
			p.Load()
		})
	}
}

func (p *Presenter) path(s string) (string, bool) {
	s, p.model.Hand.Fault = input.FilePath(s, p.home)
	p.model.Hand.Err, p.model.Hand.Saved, p.model.Hand.Took = nil, "", false
	p.show(p.model)
	return s, p.model.Hand.Fault == input.Fine && !p.model.Lost
}

func (p *Presenter) hand(work func(context.Context) error, then func()) {
	if p.model.Hand.Busy {
		return
	}
	mode := p.model.Hand.Mode
	p.model.Hand.Busy = true
	p.show(p.model)
	p.async(work, func(err error) {
		if p.model.Hand.Mode != mode {
			p.show(p.model)
			return // the panel was closed meanwhile
		}
		p.model.Hand.Busy = false
		if p.model.Hand.Err = err; err == nil {
			then()
		}
		p.show(p.model)
	})
}
