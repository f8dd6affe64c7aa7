package tracker

import (
	"context"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Choose takes another project. While one runs, that is a switch: it stops and
// the other starts, in one step.
func (p *Presenter) Choose(id pow.ProjectID) {
	p.pick(id)
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
	p.start("", func() {
		p.switched(Switched{At: p.now(), Undo: func() { p.do(p.agent.UndoSwitch, func() {}) }})
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
	p.pick(e.Project.ID)
	if e.KimaiActivity != nil {
		p.model.Activity = e.KimaiActivity.ID
	}
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

// Pause stops recording until Resume.
func (p *Presenter) Pause() { p.whileOpen(p.agent.Pause) }

// Resume goes on after a pause or what was off the record.
func (p *Presenter) Resume() { p.whileOpen(p.agent.Resume) }

// OffRecord records nothing until a moment; zero is until Resume.
func (p *Presenter) OffRecord(until time.Time) {
	p.whileOpen(func(ctx context.Context) (pow.Status, error) {
		return p.agent.OffRecord(ctx, pow.OffRecord{Until: until})
	})
}

func (p *Presenter) whileOpen(step func(context.Context) (pow.Status, error)) {
	if p.model.Open() && !p.model.Busy && !p.model.Lost {
		p.do(step, func() {})
	}
}

// tomorrowHour is when "until tomorrow" ends, local time.
const tomorrowHour = 4

// Tomorrow returns the next 04:00 after now.
func Tomorrow(now time.Time) time.Time {
	y, m, d := now.Date()
	t := time.Date(y, m, d, tomorrowHour, 0, 0, 0, now.Location())
	if !t.After(now) {
		t = time.Date(y, m, d+1, tomorrowHour, 0, 0, 0, now.Location())
	}
	return t
}

// Correct changes an entry that is not registered; what it said before stays
// visible and can be had back.
func (p *Presenter) Correct(e pow.EntryEdit) {
	p.act(func(ctx context.Context) error { return p.agent.EditEntry(ctx, e) }, func() {
		p.reload()
		p.edited(func() { p.TakeBack(e.ID) })
	})
}

// TakeBack returns an entry to what it said before its corrections.
func (p *Presenter) TakeBack(id string) {
	p.act(func(ctx context.Context) error { return p.agent.UndoEntry(ctx, id) }, p.reload)
}

func (p *Presenter) reload() {
	p.stale = true
	p.loadEntries()
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
	p.RemoveByID(p.model.Picture.ID)
}

// RemoveByID drops a picture that may be another than the last; its time stays.
func (p *Presenter) RemoveByID(id string) {
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
