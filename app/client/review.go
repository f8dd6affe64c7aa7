package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/queue"
	"pow.do/services/client/review"
	"pow.do/services/pow"
)

// Pictures implements API.
func (a *Agent) Pictures(_ context.Context, day time.Time) ([]pow.Picture, error) {
	if a.ready() != nil {
		return nil, nil
	}
	ps, err := a.queue.Pictures(localDay(day))
	if err != nil {
		return nil, err
	}
	policies, err := a.policies()
	if err != nil {
		return nil, err
	}
	names := a.projectNames()
	for i := range ps {
		p := &ps[i]
		p.Project = names.ref(p.Project.ID)
		if p.State == pow.PictureSealed || p.State == pow.PictureSkipped {
			continue
		}
		if after := policies[p.Project.ID].SealAfter; after > 0 {
			p.SealsAt = p.At.Add(time.Duration(after) * time.Second)
		}
	}
	return notNil(ps), nil
}

// Picture implements API.
func (a *Agent) Picture(_ context.Context, r pow.PictureRequest) ([]byte, error) {
	if err := a.ready(); err != nil {
		return nil, err
	}
	original, _, err := a.queue.Original(r.ID)
	if err != nil {
		return nil, err
	}
	open := original.Open
	if !r.Original {
		if open, err = a.queue.Shown(r.ID); err != nil {
			return nil, err
		}
	}
	data, err := readAll(open)
	if err != nil || r.MaxWidth <= 0 && r.MaxHeight <= 0 {
		return data, err
	}
	p, err := review.Decode(data, pow.Rect{})
	if err != nil {
		return nil, errDamaged.With(err)
	}
	small := review.Scale(p.Image, r.MaxWidth, r.MaxHeight)
	if small == p.Image {
		return data, nil
	}
	pic, err := capture.Encode(capture.Frame{Image: small})
	return pic.Data, err
}

var errDamaged = &pow.Error{Code: "picture-damaged", What: "this picture cannot be read any more", Mend: "remove it"}

func readAll(open func() (io.ReadCloser, error)) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, queue.MaxPicture+1))
	return b, errors.Join(err, f.Close())
}

// Edit implements API. Every picture gets all the edits, or none.
func (a *Agent) Edit(_ context.Context, r pow.EditRequest) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	defer a.changed()
	for _, id := range r.IDs {
		was, edits, err := a.queue.Original(id)
		if err != nil {
			return err
		}
		if err := a.edit(was, append(slices.Clone(edits), r.Edits)); err != nil {
			return err
		}
	}
	return nil
}

// edit makes a picture out of the one that was taken, as it will be sealed.
func (a *Agent) edit(was pow.Capture, edits [][]pow.Edit) error {
	data, err := readAll(was.Open)
	if err != nil {
		return err
	}
	p, err := review.Decode(data, was.Window)
	if err != nil {
		return errDamaged.With(err)
	}
	r, err := review.Apply(p, slices.Concat(edits...))
	if err != nil {
		return err
	}
	pic, err := capture.Encode(capture.Frame{Image: r.Image, At: was.At, Display: was.Display})
	if err != nil {
		return fmt.Errorf("encode an edited picture: %w", err)
	}
	return a.queue.Edit(was.ID, queue.Edited{Edits: edits, Picture: pic.Data, Thumb: pic.Thumb, Format: pic.Format, Width: pic.Width, Height: pic.Height,
		Areas: r.Areas, Covered: r.Covered, Cropped: r.Cropped, Window: r.Window})
}

// Approve implements API.
func (a *Agent) Approve(_ context.Context, ids []string) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	defer a.changed()
	return a.queue.Approve(ids...)
}

// Drop implements API.
func (a *Agent) Drop(ctx context.Context, ids []string) error {
	_, err := a.Remove(ctx, pow.RemoveRequest{IDs: ids, KeepTime: true})
	return err
}

// Remove implements API.
func (a *Agent) Remove(_ context.Context, r pow.RemoveRequest) (e pow.Effect, err error) {
	if err := a.ready(); err != nil {
		return e, err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	if !r.DryRun {
		if err := a.timer.Tick(); err != nil { // the time up to now belongs to the last picture
			return e, err
		}
	}
	e, cut, err := a.effect(r)
	if err != nil || r.DryRun {
		return e, err
	}
	defer a.changed()
	if r.KeepTime {
		cut = nil
	}
	if err := a.queue.Remove(r.IDs, cut); err != nil {
		return e, err
	}
	a.pictures.forget() // the next picture of the same screen is a new one
	return e, nil
}

// effect tells what removing pictures would do, and what time goes with each.
func (a *Agent) effect(r pow.RemoveRequest) (e pow.Effect, cut map[string][]pow.Interval, err error) {
	cut = map[string][]pow.Interval{}
	sessions := map[pow.SessionID]bool{}
	for _, id := range r.IDs {
		if _, s, held := a.queue.State(id); held {
			sessions[s] = true
			e.Pictures++
		}
	}
	if e.Pictures == 0 {
		return e, cut, pow.ErrNotFound
	}
	for s := range sessions {
		if err := a.effectOn(s, r, &e, cut); err != nil {
			return e, cut, err
		}
	}
	e.Lost, e.Unverified = pow.Union(e.Lost), pow.Union(e.Unverified)
	e.LostSeconds = int64(pow.Total(e.Lost) / time.Second)
	e.UnverifiedSeconds = int64(pow.Total(e.Unverified) / time.Second)
	return e, cut, nil
}

func (a *Agent) effectOn(s pow.SessionID, r pow.RemoveRequest, e *pow.Effect, cut map[string][]pow.Interval) error {
	work := a.queue.Work(s)
	shots, err := a.queue.Shots(s)
	if err != nil {
		return err
	}
	claimed, pol, err := a.claimed(s)
	if err != nil {
		return err
	}
	before := pow.Without(work, shots, pol.longest())
	for i := range shots {
		if shots[i].ID == "" || !slices.Contains(r.IDs, shots[i].ID) {
			continue
		}
		cut[shots[i].ID] = pow.SlotOf(shots[i].ID, work, shots, pol.longest())
		shots[i].Gone = true
	}
	if r.KeepTime {
		more := pow.Subtract(pow.Without(work, shots, pol.longest()), before)
		e.Unverified = append(e.Unverified, more...)
		e.Confirm = e.Confirm || len(more) > 0 && pol.Pictures == pow.Required
		return nil
	}
	for id := range cut {
		for _, i := range cut[id] {
			for _, c := range claimed {
				e.Lost = append(e.Lost, c.Intersect(i))
			}
		}
	}
	return nil
}

// claimed returns the time of a session that the next Register would claim, and
// what its project asks for.
func (a *Agent) claimed(s pow.SessionID) (out []pow.Interval, p policy, err error) {
	segments, err := a.queue.Unregistered()
	if err != nil {
		return nil, p, err
	}
	for _, seg := range segments {
		if seg.Session == s {
			out = append(out, seg.Interval)
		}
	}
	p, err = a.policyOf(a.queue.ProjectOf(s))
	return out, p, err
}

// longest is how far two pictures of a project lie apart at most: each interval
// has one, at any moment of it.
func (p policy) longest() time.Duration { return 2 * p.every() }

// Undo implements API.
func (a *Agent) Undo(_ context.Context, ids []string) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	defer a.changed()
	for _, id := range ids {
		if err := a.undo(id); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) undo(id string) error {
	state, _, held := a.queue.State(id)
	if !held {
		return pow.ErrNotFound
	}
	if state == pow.PictureRemoved || state == pow.TimeRemoved {
		return a.queue.Restore(id)
	}
	was, edits, err := a.queue.Original(id)
	switch {
	case err != nil:
		return err
	case len(edits) > 1:
		return a.edit(was, edits[:len(edits)-1])
	case len(edits) == 1:
		return a.queue.Unedit(id)
	}
	return a.queue.Disapprove(id)
}

// EditEntry implements API.
func (a *Agent) EditEntry(_ context.Context, r pow.EntryEdit) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	defer a.changed()
	c := queue.Correction{ID: r.ID, From: r.From.Truncate(time.Second), To: r.To.Truncate(time.Second), Project: r.Project, KimaiActivity: r.KimaiActivity}
	if r.Note != nil {
		note := cutNote(*r.Note)
		c.Note = &note
		if running, ok := a.queue.Running(); ok && running.ID == r.ID && r == (pow.EntryEdit{ID: r.ID, Note: r.Note}) {
			return a.timer.Note(note)
		}
	}
	if r.Project == "" && r.KimaiActivity == "" {
		return a.queue.CorrectEntry(c)
	}
	return a.moveEntry(c)
}

// moveEntry books an entry on another project or kind of work, under the same
// conditions as Start. Where the project takes no pictures, those of the entry
// are taken out.
func (a *Agent) moveEntry(c queue.Correction) error {
	seg, found := a.queue.Segment(c.ID)
	if !found {
		return pow.ErrNotFound
	}
	if c.Project == "" {
		c.Project = seg.Project
	}
	p, err := a.mayBook(string(c.Project), c.KimaiActivity)
	if err != nil {
		return err
	}
	c.Project = p.ID
	if c.Project != seg.Project {
		id, err := deliveryID(time.Now())
		if err != nil {
			return err
		}
		c.Session = pow.SessionID(id)
	}
	if err := a.queue.CorrectEntry(c); err != nil || c.Session == "" {
		return err
	}
	if pol, err := a.policyOf(p.ID); err != nil || pol.Pictures != pow.Forbidden {
		return err
	}
	held, err := a.queue.Held(c.Session)
	if err != nil {
		return err
	}
	ids := make([]string, 0, len(held))
	for _, h := range held {
		ids = append(ids, h.ID)
	}
	return a.queue.Remove(ids, nil)
}

// UndoEntry implements API.
func (a *Agent) UndoEntry(_ context.Context, id string) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	defer a.changed()
	return a.queue.UncorrectEntry(id)
}
