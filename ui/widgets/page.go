package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"pow.do/ui/theme"
)

// Page scrolls content under a fixed header, with the margins that the width
// asks for. Its least size is small whatever the content is: the window can
// always be made narrow.
func Page(head fyne.CanvasObject, parts ...fyne.CanvasObject) *fyne.Container {
	body := &fyne.Container{
		Layout:  &pageInset{y: theme.CardGap},
		Objects: []fyne.CanvasObject{Column(theme.CardGap, parts...)},
	}
	l := &page{head: head, body: body, scroll: container.NewVScroll(body)}
	objects := []fyne.CanvasObject{l.scroll}
	if head != nil {
		objects = append(objects, head)
	}
	return &fyne.Container{Layout: l, Objects: objects}
}

type page struct {
	head   fyne.CanvasObject
	body   *fyne.Container
	scroll *container.Scroll
	tall   float32 // what the scroll knows of the body
}

func (l *page) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	top := float32(0)
	if l.head != nil {
		top = HeightFor(l.head, size.Width)
		l.head.Resize(fyne.NewSize(size.Width, top))
	}
	l.body.Layout.(*pageInset).width = size.Width // before the scroll asks how tall it is
	l.scroll.Move(fyne.NewPos(0, top))
	l.scroll.Resize(fyne.NewSize(size.Width, size.Height-top))
	if tall := l.body.MinSize().Height; tall != l.tall {
		l.tall = tall
		l.scroll.Refresh()
	}
}

func (l *page) MinSize([]fyne.CanvasObject) fyne.Size {
	m := l.scroll.MinSize()
	if l.head != nil {
		m.Height += l.head.MinSize().Height
	}
	return m
}

// Sheet is a decision over the page: title, content, buttons. It takes the
// focus and gives it back to what had it.
type Sheet struct {
	canvas  fyne.Canvas
	overlay *fyne.Container
	before  fyne.Focusable
	closed  func()
}

// sheetMax is the widest that a sheet gets.
const sheetMax = 560

// ShowSheet opens a sheet on a canvas. first takes the focus; closed, which may
// be nil, runs when the sheet goes.
func ShowSheet(c fyne.Canvas, title string, content fyne.CanvasObject, buttons []fyne.CanvasObject, first fyne.Focusable, closed func()) *Sheet {
	s := &Sheet{canvas: c, before: c.Focused(), closed: closed}
	head := NewText(title, Style{Size: theme.Heading, Bold: true, Wrap: true})
	scroll := container.NewVScroll(content)
	panel := &fyne.Container{
		Layout: &sheetLayout{head: head, content: content, scroll: scroll, foot: Wrap(theme.Gap, buttons...)},
	}
	l := panel.Layout.(*sheetLayout)
	l.ground = NewFill(theme.Surface, theme.Line, theme.RadiusSheet)
	panel.Objects = []fyne.CanvasObject{l.ground, head, scroll, l.foot}
	s.overlay = Layers(NewFill("shadow", "", 0), panel)
	c.Overlays().Add(s.overlay)
	s.overlay.Resize(c.Size())
	if first != nil {
		c.Focus(first)
	}
	return s
}

// Close takes the sheet away. A second call does nothing.
func (s *Sheet) Close() {
	if s.overlay == nil {
		return
	}
	s.canvas.Overlays().Remove(s.overlay)
	s.overlay = nil
	if s.before != nil {
		s.canvas.Focus(s.before)
	}
	if s.closed != nil {
		s.closed()
	}
}

// Refresh lays the sheet out again after its content changed.
func (s *Sheet) Refresh() {
	if s.overlay != nil {
		s.overlay.Refresh()
	}
}

// sheetLayout centres a panel that is as tall as its content, or as the window.
type sheetLayout struct {
	ground        *Fill
	head, content fyne.CanvasObject
	scroll        *container.Scroll
	foot          *fyne.Container
}

func (l *sheetLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	const edge, pad = 12, 24
	w := min(size.Width-2*edge, sheetMax)
	in := w - 2*pad
	head, foot := HeightFor(l.head, in), HeightFor(l.foot, in)
	room := size.Height - 2*edge - 2*pad - head - foot - 2*16
	tall := min(HeightFor(l.content, in), room)
	h := tall + head + foot + 2*pad + 2*16
	x, y := (size.Width-w)/2, (size.Height-h)/2
	l.ground.Move(fyne.NewPos(x, y))
	l.ground.Resize(fyne.NewSize(w, h))
	l.head.Move(fyne.NewPos(x+pad, y+pad))
	l.head.Resize(fyne.NewSize(in, head))
	l.scroll.Move(fyne.NewPos(x+pad, y+pad+head+16))
	l.content.Resize(fyne.NewSize(in, HeightFor(l.content, in)))
	l.scroll.Resize(fyne.NewSize(in, tall))
	l.scroll.Refresh()
	l.foot.Move(fyne.NewPos(x+pad, y+h-pad-foot))
	l.foot.Resize(fyne.NewSize(in, foot))
}

func (l *sheetLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, 240) }
