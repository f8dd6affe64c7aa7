package tracker

import (
	"context"
	"strings"

	"pow.do/services/pow"
)

// Choose takes another project. While one runs, that is a switch: it stops and
// the other starts, in one step.
func (p *Presenter) Choose(id pow.ProjectID) {
	if p.model.Chosen != id {
		p.model.Chosen, p.model.Activity = id, ""
	}
	p.model.Err = nil
	p.switchOver()
	p.show(p.model)
}

// ChooseActivity takes the kind of work.
func (p *Presenter) ChooseActivity(id pow.KimaiActivityID) {
	p.model.Activity = id
	p.switchOver()
	p.show(p.model)
}

func (p *Presenter) switchOver() {
	was := p.model.Status.Timer
	if !p.model.Running() || was.Project == nil || was.Project.ID == p.model.Chosen || p.model.Block() != Free {
		return
	}
	back := pow.StartRequest{Project: string(was.Project.ID), Note: was.Note}
	p.start("", func() {
		p.switched(Switched{At: p.now(), Undo: func() { p.begin(back, func() {}) }})
	})
}

// Toggle starts the chosen project, or stops what runs.
func (p *Presenter) Toggle() {
	switch {
	case p.noting:
		p.pressed = true // leaving the note saves it; stopping comes after, not instead
	case p.model.Busy || p.model.Lost:
	case p.model.Open():
		p.do(p.agent.Stop, func() {})
	case p.model.Block() == Free:
		p.start(p.model.Draft, func() { p.model.Draft = "" })
	}
}

// Continue starts an earlier entry again.
func (p *Presenter) Continue(e pow.Entry) {
	if p.model.Busy || p.model.Lost {
		return
	}
	p.model.Chosen, p.model.Activity = e.Project.ID, ""
	if p.model.Block() != Free {
		p.show(p.model)
		return
	}
	p.start(e.Note, func() {})
}

func (p *Presenter) start(note string, then func()) {
	p.begin(pow.StartRequest{Project: string(p.model.Chosen), KimaiActivity: p.model.Activity, Note: note}, then)
}

func (p *Presenter) begin(r pow.StartRequest, then func()) {
	p.do(func(ctx context.Context) (pow.Status, error) { return p.agent.Start(ctx, r) }, then)
}

// do runs a step that answers with the new status.
func (p *Presenter) do(step func(context.Context) (pow.Status, error), then func()) {
	p.model.Busy, p.model.Err = true, nil
	p.show(p.model)
	var st pow.Status
	p.async(func(ctx context.Context) (err error) {
		st, err = step(ctx)
		return err
	}, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err != nil {
			p.show(p.model)
			return
		}
		p.Update(st, p.now())
		then()
	})
}

// SaveNote says what is being worked on; before the start it is kept for it.
// The same words again are not sent.
func (p *Presenter) SaveNote(note string) {
	note = strings.TrimSpace(note)
	if r := []rune(note); len(r) > pow.MaxNote {
		note = string(r[:pow.MaxNote])
	}
	if !p.model.Open() {
		p.model.Draft = note
		return
	}
	if note == p.model.Status.Timer.Note {
		return
	}
	p.noting, p.model.Err = true, nil
	p.async(func(ctx context.Context) error { return p.agent.SetNote(ctx, note) }, func(err error) {
		p.noting = false
		if p.model.Err = err; err == nil {
			p.model.Status.Timer.Note = note
		}
		if p.pressed {
			p.pressed = false
			p.Toggle()
		}
		p.show(p.model)
	})
}

// AskRemove asks whether to remove the last picture.
func (p *Presenter) AskRemove() {
	p.model.Asking = p.model.Picture != nil
	p.show(p.model)
}

// Keep leaves the picture where it is.
func (p *Presenter) Keep() {
	p.model.Asking = false
	p.show(p.model)
}

// Remove drops the last picture; its time stays.
func (p *Presenter) Remove() {
	if p.model.Picture == nil || p.model.Busy {
		return
	}
	id := p.model.Picture.ID
	p.act(func(ctx context.Context) error { return p.agent.Drop(ctx, []string{id}) }, func() {
		p.model.Asking = false
		if p.model.Picture != nil && p.model.Picture.ID == id {
			p.model.Picture, p.model.Thumb = nil, nil
		}
		if c := p.model.Status.LastCapture; c != nil && c.ID == id {
			p.model.Status.LastCapture = nil
		}
	})
}

func (p *Presenter) act(work func(context.Context) error, then func()) {
	p.model.Busy, p.model.Err = true, nil
	p.show(p.model)
	p.async(work, func(err error) {
		p.model.Busy = false
		if p.model.Err = err; err == nil {
			then()
		}
		p.show(p.model)
	})
}
