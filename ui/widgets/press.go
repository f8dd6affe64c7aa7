package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Look is how a Press is drawn. Empty roles are transparent.
type Look struct {
	Fill, Line fyne.ThemeColorName
	Radius     float32
	PadX, PadY float32
	Least      float32 // least height
}

// Press is anything of ours that can be pressed: it takes the focus, shows it
// with a ring, answers Enter and Space, and passes every other key on to the
// window, so that the window's keys work wherever the focus is.
type Press struct {
	widget.BaseWidget
	OnTapped func()

	content  fyne.CanvasObject
	look     Look
	disabled bool
	focused  bool
	hovered  bool
	drawn    *pressRenderer // nil until it was shown
}

var (
	_ fyne.Tappable     = (*Press)(nil)
	_ fyne.Focusable    = (*Press)(nil)
	_ desktop.Hoverable = (*Press)(nil)
	_ fyne.Disableable  = (*Press)(nil)
)

// NewPress makes content pressable.
func NewPress(content fyne.CanvasObject, look Look, tapped func()) *Press {
	p := &Press{content: content, look: look, OnTapped: tapped}
	p.ExtendBaseWidget(p)
	return p
}

// SetLook changes how it is drawn.
func (p *Press) SetLook(l Look) {
	if p.look == l {
		return
	}
	p.look = l
	p.Refresh()
}

// HeightFor implements Tall.
func (p *Press) HeightFor(width float32) float32 {
	return max(p.look.Least, HeightFor(p.content, width-2*p.look.PadX)+2*p.look.PadY)
}

// Tapped runs OnTapped unless it is disabled.
func (p *Press) Tapped(*fyne.PointEvent) {
	if !p.disabled && p.OnTapped != nil {
		p.OnTapped()
	}
}

// FocusGained shows the ring.
func (p *Press) FocusGained() { p.focused = true; p.Refresh() }

// FocusLost hides the ring.
func (p *Press) FocusLost() { p.focused = false; p.Refresh() }

// TypedRune is for Fyne.
func (p *Press) TypedRune(rune) {}

// TypedKey presses on Enter and Space and passes the rest on.
func (p *Press) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		p.Tapped(nil)
	default:
		PassOn(p.content, ev)
	}
}

// MouseIn is for Fyne.
func (p *Press) MouseIn(*desktop.MouseEvent) { p.hovered = true; p.Refresh() }

// MouseMoved is for Fyne.
func (p *Press) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is for Fyne.
func (p *Press) MouseOut() { p.hovered = false; p.Refresh() }

// Enable lets it be pressed.
func (p *Press) Enable() { p.setDisabled(false) }

// Disable keeps it from being pressed; a line beside it has to say why.
func (p *Press) Disable() { p.setDisabled(true) }

// Disabled tells whether it cannot be pressed.
func (p *Press) Disabled() bool { return p.disabled }

func (p *Press) setDisabled(d bool) {
	if p.disabled == d {
		return
	}
	p.disabled = d
	p.Refresh()
}

// PassOn gives a key that a focused widget has no use for to the window.
func PassOn(from fyne.CanvasObject, ev *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(from)
	if c == nil {
		return
	}
	if f := c.OnTypedKey(); f != nil {
		f(ev)
	}
}

// CreateRenderer is for Fyne.
func (p *Press) CreateRenderer() fyne.WidgetRenderer {
	r := &pressRenderer{p: p, ground: &canvas.Rectangle{}, veil: &canvas.Rectangle{}, ring: &canvas.Rectangle{}}
	r.paint()
	p.drawn = r
	return r
}

// relay implements relayer.
func (p *Press) relay() {
	if p.drawn != nil {
		p.drawn.Layout(p.Size())
		arrange(p.content)
	}
}

type pressRenderer struct {
	p                  *Press
	ground, veil, ring *canvas.Rectangle
}

// ringGap is the room between a focused thing and its ring, which is as thick.
const ringGap = 2

func (r *pressRenderer) Layout(size fyne.Size) {
	l := r.p.look
	r.ground.Resize(size)
	r.veil.Resize(size)
	r.ring.Move(fyne.NewPos(-2*ringGap, -2*ringGap))
	r.ring.Resize(size.AddWidthHeight(4*ringGap, 4*ringGap))
	w := size.Width - 2*l.PadX
	h := min(HeightFor(r.p.content, w), size.Height)
	r.p.content.Move(fyne.NewPos(l.PadX, (size.Height-h)/2))
	r.p.content.Resize(fyne.NewSize(w, h))
}

func (r *pressRenderer) MinSize() fyne.Size {
	l := r.p.look
	m := r.p.content.MinSize().AddWidthHeight(2*l.PadX, 2*l.PadY)
	m.Height = max(m.Height, l.Least)
	if w := r.p.Size().Width; w > m.Width {
		m.Height = r.p.HeightFor(w)
	}
	return m
}

func (r *pressRenderer) paint() {
	l := r.p.look
	r.ground.FillColor = colorOr(l.Fill)
	r.ground.CornerRadius = l.Radius
	r.ground.StrokeColor, r.ground.StrokeWidth = color.Transparent, 0
	if l.Line != "" {
		r.ground.StrokeColor, r.ground.StrokeWidth = theme.Color(l.Line), 1
	}
	r.veil.CornerRadius = l.Radius
	r.veil.FillColor = color.Transparent
	if r.p.hovered && !r.p.disabled && r.p.OnTapped != nil {
		r.veil.FillColor = theme.Color(fynetheme.ColorNameHover)
	}
	r.ring.FillColor = color.Transparent
	r.ring.CornerRadius = l.Radius + 2*ringGap
	r.ring.StrokeWidth = ringGap
	r.ring.StrokeColor = theme.Color(theme.Ring)
	r.ring.Hidden = !r.p.focused
}

func colorOr(role fyne.ThemeColorName) color.Color {
	if role == "" {
		return color.Transparent
	}
	return theme.Color(role)
}

func (r *pressRenderer) Refresh() {
	r.paint()
	r.p.content.Refresh()
	r.Layout(r.p.Size())
	for _, o := range []fyne.CanvasObject{r.ground, r.veil, r.ring} {
		o.Refresh()
	}
}

func (r *pressRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.veil, r.p.content, r.ring}
}

func (r *pressRenderer) Destroy() {}
