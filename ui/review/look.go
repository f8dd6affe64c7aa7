package review

import (
	"context"
	"image"
	"slices"

	"pow.do/services/pow"
)

// Look is the large view of one picture.
type Look struct {
	Picture  pow.Picture
	At, Of   int  // its place among those that can be looked at, from 1
	Monitors int  // of its moment
	Before   bool // as it was taken, instead of as it will be sent
	Actual   bool // pixel by pixel
	Image    image.Image
	Pixels   image.Point // of the picture that Image stands for
	Whole    bool        // Image has all pixels
	Err      error       // it could not be read
	Tool     pow.EditKind
	Preview  *pow.Preview // what Register would send, once it came
}

// CanMonitor tells whether another monitor of the moment remains when this one
// is left out.
func (m Model) CanMonitor() bool {
	if m.Look == nil || !CanEdit(m.Look.Picture) {
		return false
	}
	for _, s := range siblings(m.Pictures, m.Look.Picture) {
		if s.ID != m.Look.Picture.ID && CanEdit(s) {
			return true
		}
	}
	return false
}

// CanCrop tells whether it is known where the active window lay.
func (m Model) CanCrop() bool {
	return m.Look != nil && CanEdit(m.Look.Picture) && !m.Look.Picture.Window.Empty() && !m.Look.Picture.Cropped
}

// viewable returns the shown pictures that can be looked at.
func (m Model) viewable() []pow.Picture {
	return slices.DeleteFunc(slices.Clone(m.Shown()), func(p pow.Picture) bool { return !CanOpen(p) })
}

// Open looks at a picture; it does nothing for one that is not there.
func (p *Presenter) Open(key string) {
	list := p.model.viewable()
	i := slices.IndexFunc(list, func(c pow.Picture) bool { return Key(c) == key })
	if i < 0 {
		return
	}
	p.open = ""
	first := p.model.Look == nil
	p.model.Removing = nil
	p.lookAt(list, i)
	if first {
		p.loadPreview()
	}
	p.fetchLook()
	p.show(p.model)
}

// OpenPicture looks at a picture of any day.
func (p *Presenter) OpenPicture(id string) {
	p.model.Filter, p.model.Tab, p.open = "", Pictures, id
	if at, ok := takenAt(id); ok {
		p.SetDay(at)
	}
	p.Open(id)
	if p.model.Look == nil || p.model.Look.Picture.ID != id { // newer than what is known of its day
		p.stale = true
		p.load()
	}
}

// openWanted opens what OpenPicture asked for before its day was there.
func (p *Presenter) openWanted() {
	id := p.open
	p.open = ""
	p.Open(id)
}

func (p *Presenter) lookAt(list []pow.Picture, i int) {
	old := p.model.Look
	l := &Look{Picture: list[i], At: i + 1, Of: len(list), Monitors: len(siblings(p.model.Pictures, list[i]))}
	if old != nil {
		l.Preview = old.Preview
	}
	p.model.Look = l
}

// followLook takes the newest state of the picture in the large view.
func (p *Presenter) followLook() {
	l := p.model.Look
	if l == nil {
		return
	}
	list := p.model.viewable()
	i := slices.IndexFunc(list, func(c pow.Picture) bool { return c.ID == l.Picture.ID })
	if i < 0 {
		p.Close()
		return
	}
	was := l.Picture
	l.Picture, l.At, l.Of, l.Monitors = list[i], i+1, len(list), len(siblings(p.model.Pictures, list[i]))
	if now := l.Picture; now.Width != was.Width || now.Height != was.Height {
		p.fetchLook()
	}
}

// Close goes back to the grid.
func (p *Presenter) Close() {
	p.looks++
	p.model.Look = nil
	p.show(p.model)
}

// Turn goes to the next picture, or back by a negative step.
func (p *Presenter) Turn(by int) {
	l := p.model.Look
	if l == nil {
		return
	}
	list := p.model.viewable()
	if i := l.At - 1 + by; i >= 0 && i < len(list) {
		p.lookAt(list, i)
		p.fetchLook()
		p.show(p.model)
	}
}

// Compare shows the picture as it was taken, or as it will be sent.
func (p *Presenter) Compare() { p.alter(func(l *Look) { l.Before = !l.Before }) }

// Zoom shows the picture pixel by pixel, or whole.
func (p *Presenter) Zoom() { p.alter(func(l *Look) { l.Actual = !l.Actual }) }

func (p *Presenter) alter(f func(*Look)) {
	if p.model.Look == nil {
		return
	}
	f(p.model.Look)
	p.model.Look.Tool = ""
	p.fetchLook()
	p.show(p.model)
}

// Room says how many pixels of the screen the large view has. A picture is asked
// for anew only when it would be drawn larger than it came.
func (p *Presenter) Room(width, height int) {
	const step = 160
	room := image.Pt((width+step-1)/step*step, (height+step-1)/step*step)
	larger := room.X > p.room.X || room.Y > p.room.Y
	if p.room = room; larger {
		p.fetch()
	}
}

// fetchLook asks for the bytes of what the large view shows, and shows nothing
// until they come: what was there before may not be true any more.
func (p *Presenter) fetchLook() {
	if p.model.Look != nil {
		p.model.Look.Image, p.model.Look.Err = nil, nil
	}
	p.fetch()
}

// fetch asks for one picture at a time. Who pages faster than pictures come gets
// the one that is in sight then, not all those in between.
func (p *Presenter) fetch() {
	p.looks++
	l := p.model.Look
	if p.fetching || l == nil || !p.shown || l.Picture.Damaged || p.room == (image.Point{}) {
		return
	}
	p.fetching = true
	mine := p.looks
	r := pow.PictureRequest{ID: l.Picture.ID, Original: l.Before, MaxWidth: p.room.X, MaxHeight: p.room.Y}
	most := p.room
	if l.Actual {
		r.MaxWidth, r.MaxHeight, most = 0, 0, image.Pt(mostSide, mostSide)
	}
	var m *image.RGBA
	p.async(func(ctx context.Context) error {
		b, err := p.agent.Picture(ctx, r)
		if err == nil {
			m, err = decode(b, most)
		}
		return err
	}, func(err error) {
		p.fetching = false
		if mine != p.looks {
			p.fetch()
			return
		}
		if l.Err = err; err == nil {
			l.Image, l.Whole = m, r.MaxWidth == 0
			l.Pixels = pixels(l.Picture, m.Rect.Size(), l.Before || l.Actual)
		}
		p.show(p.model)
	})
}

// pixels returns the size of the picture that an image of a size stands for. The
// original may have another shape than what is sent: its image says so itself.
func pixels(c pow.Picture, got image.Point, itself bool) image.Point {
	if itself || c.Width == 0 || c.Height == 0 {
		return got
	}
	return image.Pt(c.Width, c.Height)
}

func (p *Presenter) loadPreview() {
	var v pow.Preview
	p.async(func(ctx context.Context) (err error) {
		v, err = p.agent.Preview(ctx)
		return err
	}, func(err error) {
		if err == nil && p.model.Look != nil { // without it the panel says that it is not known yet
			p.model.Look.Preview = &v
			p.show(p.model)
		}
	})
}

// Arm chooses what the next rectangle does. Blur a second time blurs the whole
// picture; armed tells whether a rectangle is to be drawn now.
func (p *Presenter) Arm(kind pow.EditKind) (armed bool) {
	l := p.model.Look
	if l == nil || !CanEdit(l.Picture) {
		return false
	}
	if kind == pow.EditBlur && l.Tool == kind {
		l.Tool = ""
		p.edit([]string{l.Picture.ID}, pow.Edit{Kind: kind})
		return false
	}
	l.Tool = kind
	if l.Before { // areas are drawn on what will be sent
		l.Before = false
		p.fetchLook()
	}
	p.show(p.model)
	return true
}

// Disarm leaves the tool.
func (p *Presenter) Disarm() {
	if p.model.Look != nil && p.model.Look.Tool != "" {
		p.model.Look.Tool = ""
		p.show(p.model)
	}
}

// Area covers a rectangle of the picture with the tool in hand: black, unless
// blur was chosen.
func (p *Presenter) Area(r image.Rectangle) {
	l := p.model.Look
	if l == nil || l.Before || !CanEdit(l.Picture) {
		return
	}
	kind := l.Tool
	if kind == "" {
		kind = pow.EditRedact
	}
	l.Tool = ""
	p.edit([]string{l.Picture.ID}, pow.Edit{Kind: kind, Rect: pow.Rect{X: r.Min.X, Y: r.Min.Y, W: r.Dx(), H: r.Dy()}})
}

// Crop keeps only the active window.
func (p *Presenter) Crop() {
	if p.model.CanCrop() {
		p.edit([]string{p.model.Look.Picture.ID}, pow.Edit{Kind: pow.EditCrop})
	}
}

// LeaveMonitor takes out the picture of this monitor; another of the same moment
// stays, so the time does too.
func (p *Presenter) LeaveMonitor() {
	if p.model.CanMonitor() {
		p.remove(Monitor, []string{p.model.Look.Picture.ID}, true)
	}
}

// ApproveLook approves the picture in the large view and goes to the next one.
func (p *Presenter) ApproveLook() {
	if l := p.model.Look; l != nil && CanEdit(l.Picture) {
		p.Approve([]string{l.Picture.ID})
		p.Turn(1)
	}
}
