package review

import (
	"context"
	"slices"

	"pow.do/services/pow"
)

// Removing is the question before a removal: what either answer would do.
type Removing struct {
	IDs      []string
	KeepTime bool // the answer that is chosen
	Known    bool // Keep and Lose came
	Keep     pow.Effect
	Lose     pow.Effect
	TimeOnly bool // the pictures are out already: only their time is left to decide
	Busy     bool
	Err      error
}

// step runs one act after the other: edits apply in order.
func (p *Presenter) step(work func(context.Context) error, then func()) {
	p.try(work, then, func(err error) { p.model.Err = err })
}

// try is step with an end of its own for failures.
func (p *Presenter) try(work func(context.Context) error, then func(), failed func(error)) {
	run := func() {
		p.async(work, func(err error) {
			p.steps = p.steps[min(1, len(p.steps)):]
			p.model.Busy = len(p.steps) > 0
			if err != nil {
				failed(err)
			} else {
				then()
			}
			p.stale = true
			if p.model.Busy {
				p.steps[0]()
			} else {
				p.load()
			}
			p.show(p.model)
		})
	}
	p.steps = append(p.steps, run)
	p.model.Err, p.model.Busy, p.unloaded = nil, true, false
	p.show(p.model)
	if len(p.steps) == 1 {
		run()
	}
}

// Approve says that pictures were looked at.
func (p *Presenter) Approve(keys []string) {
	ids := pick(p.model.Pictures, keys, CanEdit)
	if len(ids) == 0 {
		return
	}
	p.step(func(ctx context.Context) error { return p.agent.Approve(ctx, ids) }, func() {
		p.did(Did{Act: Approved, N: len(ids)})
	})
}

// Cover blacks out or blurs whole pictures.
func (p *Presenter) Cover(keys []string, kind pow.EditKind) {
	p.edit(pick(p.model.Pictures, keys, CanEdit), pow.Edit{Kind: kind})
}

func (p *Presenter) edit(ids []string, e pow.Edit) {
	if len(ids) == 0 {
		return
	}
	act := map[pow.EditKind]Act{pow.EditRedact: Redacted, pow.EditBlur: Blurred, pow.EditCrop: Cropped}[e.Kind]
	p.step(func(ctx context.Context) error {
		return p.agent.Edit(ctx, pow.EditRequest{IDs: ids, Edits: []pow.Edit{e}})
	}, func() {
		p.changed(ids)
		p.tell(act, ids)
	})
}

// changed drops what was decoded of pictures that look different now.
func (p *Presenter) changed(ids []string) {
	p.thumbs.forget(ids)
	if p.model.Look != nil && slices.Contains(ids, p.model.Look.Picture.ID) {
		p.model.Look.Before = false
		p.fetchLook()
	}
}

// tell notes an act that can be taken back.
func (p *Presenter) tell(act Act, ids []string) {
	p.done = append(p.done, ids)
	p.did(Did{Act: act, N: len(ids), Undo: func() { p.undo(ids) }})
}

// Undo takes back the last act; where none was done here, those of the pictures
// named.
func (p *Presenter) Undo(keys []string) {
	if n := len(p.done); n > 0 && p.model.Look == nil {
		p.undo(p.done[n-1])
		return
	}
	p.undo(pick(p.model.Pictures, keys, func(c pow.Picture) bool { return c.Undo }))
}

// CanUndo tells whether Undo would do anything.
func (p *Presenter) CanUndo(keys []string) bool {
	return len(p.done) > 0 && p.model.Look == nil || len(pick(p.model.Pictures, keys, func(c pow.Picture) bool { return c.Undo })) > 0
}

func (p *Presenter) undo(ids []string) {
	if len(ids) == 0 {
		return
	}
	for i := len(p.done) - 1; i >= 0; i-- {
		if slices.Equal(p.done[i], ids) {
			p.done = slices.Delete(p.done, i, i+1)
			break
		}
	}
	p.step(func(ctx context.Context) error { return p.agent.Undo(ctx, ids) }, func() {
		p.changed(ids)
		p.did(Did{Act: Undone, N: len(ids)})
	})
}

// AskRemove asks what a removal would do, before it is done.
func (p *Presenter) AskRemove(keys []string) {
	ids := pick(p.model.Pictures, keys, CanRemove)
	if len(ids) == 0 || p.model.Removing != nil {
		return
	}
	out := pick(p.model.Pictures, ids, func(c pow.Picture) bool { return c.State == pow.PictureRemoved })
	r := &Removing{IDs: ids, TimeOnly: len(out) == len(ids)}
	r.KeepTime = !r.TimeOnly
	p.model.Removing = r
	p.show(p.model)
	var keep, lose pow.Effect
	p.async(func(ctx context.Context) (err error) {
		if keep, err = p.agent.Remove(ctx, pow.RemoveRequest{IDs: ids, KeepTime: true, DryRun: true}); err != nil {
			return err
		}
		lose, err = p.agent.Remove(ctx, pow.RemoveRequest{IDs: ids, DryRun: true})
		return err
	}, func(err error) {
		r.Keep, r.Lose, r.Known, r.Err = keep, lose, err == nil, err
		if p.model.Removing == r {
			p.show(p.model)
		}
	})
}

// ChooseTime says whether the time stays.
func (p *Presenter) ChooseTime(keep bool) {
	if p.model.Removing != nil && !p.model.Removing.TimeOnly {
		p.model.Removing.KeepTime = keep
		p.show(p.model)
	}
}

// Leave removes nothing.
func (p *Presenter) Leave() {
	p.model.Removing = nil
	p.show(p.model)
}

// Remove does what was asked and chosen. Nothing is removed before its effect
// was shown.
func (p *Presenter) Remove() {
	r := p.model.Removing
	if r == nil || !r.Known || r.Busy {
		return
	}
	r.Busy = true
	p.remove(Removed, r.IDs, r.KeepTime)
}

func (p *Presenter) remove(act Act, ids []string, keepTime bool) {
	p.try(func(ctx context.Context) error {
		_, err := p.agent.Remove(ctx, pow.RemoveRequest{IDs: ids, KeepTime: keepTime})
		return err
	}, func() {
		p.model.Removing = nil
		p.changed(ids)
		p.tell(act, ids)
	}, func(err error) {
		if r := p.model.Removing; r != nil {
			r.Busy, r.Err = false, err
			return
		}
		p.model.Err = err
	})
}

// LeaveOut takes a row of app times out, or back in. A row that an exclusion
// keeps out comes back with all of its app.
func (p *Presenter) LeaveOut(row pow.AppTime) {
	r := pow.LeaveOut{IDs: []string{row.ID}, Back: row.LeftOut}
	if row.Rule != "" {
		r = pow.LeaveOut{App: row.App, Back: true}
	}
	p.leave(r, func() {})
}

// LeaveOutApp keeps an app out for good, or only its titles.
func (p *Presenter) LeaveOutApp(app string, titles bool) {
	act, r := AppOut, pow.LeaveOut{App: app, Titles: titles}
	if titles {
		act = TitlesOut
	}
	p.leave(r, func() {
		r.Back = true
		p.did(Did{Act: act, N: 1, App: app, Undo: func() { p.leave(r, func() {}) }})
	})
}

func (p *Presenter) leave(r pow.LeaveOut, then func()) {
	p.step(func(ctx context.Context) error { return p.agent.LeaveOut(ctx, r) }, then)
}
