package firstrun

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // the formats of pictures
	_ "image/png"
	"slices"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

func (p *Presenter) loadSettings() {
	var s pow.Settings
	p.c.Async(func(ctx context.Context) (err error) {
		s, err = p.c.Agent.Settings(ctx)
		return err
	}, func(err error) {
		if err != nil {
			p.model.Err = err
		} else {
			p.model.Settings, p.model.Known = s, true
		}
		p.draw()
	})
}

// Set changes the settings; what the agent refuses goes back.
func (p *Presenter) Set(edit func(*pow.Settings), then func()) {
	if !p.model.Known {
		p.draw()
		return
	}
	if p.model.Busy || p.model.Lost {
		p.draw()
		return
	}
	s := p.model.Settings
	edit(&s)
	p.do(func(ctx context.Context) error { return p.c.Agent.SetSettings(ctx, s) }, func() {
		p.model.Settings = s
		then()
	})
}

// SetLanguage keeps the language; then opens the window anew in it.
func (p *Presenter) SetLanguage(language string, then func()) {
	p.do(func(ctx context.Context) error {
		s, err := p.c.Agent.Settings(ctx)
		if err != nil {
			return err
		}
		s.Language = language
		return p.c.Agent.SetSettings(ctx, s)
	}, then)
}

// Shoot takes one picture of each monitor. The desktop may ask for permission,
// so it is called only while this window has the focus.
func (p *Presenter) Shoot() {
	var shots [][]byte
	p.do(func(ctx context.Context) (err error) {
		shots, err = p.c.Agent.TestShot(ctx)
		return err
	}, func() {
		if p.model.Step == Pictures {
			p.model.Shots = shots
		}
	})
}

// Preview asks for the last rows of activity as they would leave.
func (p *Presenter) Preview() {
	var rows []pow.ActivityRow
	p.c.Async(func(ctx context.Context) (err error) {
		rows, err = p.c.Agent.ActivityPreview(ctx)
		return err
	}, func(err error) {
		p.model.Rows, p.model.Looked = rows, err == nil
		if p.model.Step == Apps && p.model.Status.ActivityWatch == "ok" {
			p.model.Err = err
		}
		p.draw()
	})
}

// SetActivityKey keeps ActivityWatch's key and looks again.
func (p *Presenter) SetActivityKey(key string) {
	key, fault := input.Line(key, input.MaxName)
	if fault != input.Fine {
		p.fail("activity-key", fault)
		return
	}
	p.Set(func(s *pow.Settings) { s.ActivityKey, s.ActivityOff = key, false }, p.Preview)
}

// NoApps goes on without app times.
func (p *Presenter) NoApps() {
	p.Set(func(s *pow.Settings) { s.ActivityOff = true }, p.Next)
}

// SetLevel chooses how much of the app times leaves, for every project that was
// agreed to and never more than it asks for.
func (p *Presenter) SetLevel(d pow.Detail) {
	p.model.Level = d
	p.do(func(ctx context.Context) error {
		all, err := p.c.Agent.Projects(ctx)
		for _, pr := range all {
			t, err := p.c.Agent.Terms(ctx, pr.ID)
			if err != nil {
				return err
			}
			if t.Consent != pow.ConsentGiven {
				continue
			}
			c := t.Choice
			c.Project, c.Detail = pr.ID, least(d, pr.Detail)
			if err := p.c.Agent.Choose(ctx, c); err != nil {
				return err
			}
		}
		return err
	}, p.Preview)
}

// least returns the smaller of two levels.
func least(a, b pow.Detail) pow.Detail {
	rank := map[pow.Detail]int{pow.DetailCategory: 1, pow.DetailApp: 2, pow.DetailTitle: 3}
	if rank[a] < rank[b] {
		return a
	}
	return b
}

// maxSide bounds a picture that is decoded, in pixels.
const maxSide = 20_000

// decode opens a picture of the agent's.
func decode(b []byte) image.Image {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width > maxSide || c.Height > maxSide {
		return nil
	}
	i, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return i
}

// Take takes a picture to practise on.
func (p *Presenter) Take() {
	var r pow.Rehearsal
	p.do(func(ctx context.Context) (err error) {
		r, err = p.c.Agent.Rehearse(ctx, nil)
		return err
	}, func() {
		if p.model.Step == Rehearsal {
			p.model.Before, p.model.Outcome, p.model.Covered = r.Before, nil, nil
		}
	})
}

// mostAreas bounds what is blacked out for practice.
const mostAreas = 50

// Cover blacks an area out, in the picture's pixels.
func (p *Presenter) Cover(area image.Rectangle) {
	if p.model.Busy || area.Empty() || len(p.model.Covered) >= mostAreas {
		return
	}
	p.model.Covered = append(slices.Clone(p.model.Covered), area)
	p.draw()
}

// Uncover takes the last area back.
func (p *Presenter) Uncover() {
	if n := len(p.model.Covered); n > 0 && !p.model.Busy {
		p.model.Covered = slices.Clone(p.model.Covered[:n-1])
	}
	p.draw()
}

// Seal covers, seals and opens again, with a new picture of the same screen.
func (p *Presenter) Seal() {
	var edits []pow.Edit
	for _, r := range p.model.Covered {
		edits = append(edits, pow.Edit{Kind: pow.EditRedact, Rect: pow.Rect{X: r.Min.X, Y: r.Min.Y, W: r.Dx(), H: r.Dy()}})
	}
	var r pow.Rehearsal
	p.do(func(ctx context.Context) (err error) {
		r, err = p.c.Agent.Rehearse(ctx, edits)
		return err
	}, func() {
		if p.model.Step == Rehearsal {
			p.model.Outcome = &r
		}
	})
}

// covered paints areas black into a copy of a picture, to be looked at.
func covered(m image.Image, areas []image.Rectangle) image.Image {
	if m == nil || len(areas) == 0 {
		return m
	}
	c := image.NewRGBA(m.Bounds())
	draw.Draw(c, c.Bounds(), m, m.Bounds().Min, draw.Src)
	for _, a := range areas {
		draw.Draw(c, a.Add(m.Bounds().Min), image.NewUniform(color.RGBA{0x0b, 0x0f, 0x14, 0xff}), image.Point{}, draw.Src)
	}
	return c
}
