package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"pow.do/ui/theme"
)

// Index is a long page of sections with a list of their names at the left,
// where there is room for it. A name scrolls to its section, and the section
// that is read is marked.
type Index struct {
	Box *fyne.Container

	head     fyne.CanvasObject
	side     *fyne.Container
	names    []*Press
	sections []fyne.CanvasObject
	column   *fyne.Container
	body     *fyne.Container
	scroll   *container.Scroll
	tall     float32 // what the scroll knows of the body
	at       int
}

// indexEdge is the room for a focus ring left of the sections, which are cut
// where they scroll.
const indexEdge = 8

// Section is one part of an Index.
type Section struct {
	Icon    theme.IconName
	Name    string
	Content fyne.CanvasObject
}

// The room of the names, and the width of a page from which there is some.
const (
	indexWidth = 220
	indexFrom  = 740
)

// NewIndex makes the page; head may be nil.
func NewIndex(head fyne.CanvasObject, sections ...Section) *Index {
	x := &Index{head: head, column: Column(theme.CardGap + 8), side: Column(2)}
	for i, s := range sections {
		icon := NewIcon(s.Icon, theme.Muted, 20)
		name := NewText(s.Name, Style{})
		p := NewPress(Line(10, name, icon, name), Look{Radius: theme.RadiusField, PadX: 10, PadY: 4, Least: theme.Target}, func() { x.Go(i) })
		x.names = append(x.names, p)
		x.side.Objects = append(x.side.Objects, p)
		x.sections = append(x.sections, s.Content)
		x.column.Objects = append(x.column.Objects, s.Content)
	}
	x.body = &fyne.Container{Layout: &indexBody{}, Objects: []fyne.CanvasObject{x.column}}
	x.scroll = container.NewVScroll(x.body)
	x.scroll.OnScrolled = func(fyne.Position) { x.mark() }
	objects := []fyne.CanvasObject{x.side, x.scroll}
	if head != nil {
		objects = append(objects, head)
	}
	x.Box = &fyne.Container{Layout: x, Objects: objects}
	x.mark()
	return x
}

// Go scrolls to a section.
func (x *Index) Go(n int) {
	if n < 0 || n >= len(x.sections) {
		return
	}
	y := x.sections[n].Position().Y
	y = min(y, max(0, x.body.Size().Height-x.scroll.Size().Height))
	x.scroll.ScrollToOffset(fyne.NewPos(0, y))
	x.set(n)
}

// First returns what takes the focus first.
func (x *Index) First() fyne.Focusable {
	if !x.side.Visible() {
		return nil
	}
	return x.names[x.at]
}

// mark marks the last section that begins above the upper third of the view.
func (x *Index) mark() {
	line := x.scroll.Offset.Y + x.scroll.Size().Height/4
	n := 0
	for i, s := range x.sections {
		if y := s.Position().Y; y > 0 && y <= line {
			n = i
		}
	}
	x.set(n)
}

func (x *Index) set(n int) {
	x.at = n
	for i, p := range x.names {
		l := Look{Radius: theme.RadiusField, PadX: 10, PadY: 4, Least: theme.Target}
		if i == n {
			l.Fill = theme.TintPrimary
		}
		p.SetLook(l)
	}
}

// Layout implements fyne.Layout.
func (x *Index) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	top := float32(0)
	if x.head != nil {
		top = HeightFor(x.head, size.Width)
		x.head.Resize(fyne.NewSize(size.Width, top))
	}
	margin := Margin(size.Width)
	left := float32(0)
	x.side.Hidden = size.Width < indexFrom
	full := min(size.Width-2*margin, theme.PageMax)
	start := (size.Width - full) / 2
	if !x.side.Hidden {
		left = start + indexWidth
		x.side.Move(fyne.NewPos(start, top+theme.CardGap))
		x.side.Resize(fyne.NewSize(indexWidth-20, HeightFor(x.side, indexWidth-20)))
	}
	body := x.body.Layout.(*indexBody)
	body.left, body.right = start, start
	if !x.side.Hidden {
		left -= indexEdge
		body.left = indexEdge
	}
	body.width = size.Width - left
	x.scroll.Move(fyne.NewPos(left, top))
	x.scroll.Resize(fyne.NewSize(size.Width-left, size.Height-top))
	if tall := x.body.MinSize().Height; tall != x.tall {
		x.tall = tall
		x.scroll.Refresh() // it has to know how far it goes
	}
	x.mark()
}

// MinSize implements fyne.Layout.
func (x *Index) MinSize([]fyne.CanvasObject) fyne.Size {
	m := x.scroll.MinSize()
	if x.head != nil {
		m.Height += x.head.MinSize().Height
	}
	return m
}

// indexBody keeps room around the sections.
type indexBody struct{ left, right, width float32 }

func (l *indexBody) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	w := size.Width - l.left - l.right
	o[0].Move(fyne.NewPos(l.left, theme.CardGap))
	o[0].Resize(fyne.NewSize(w, HeightFor(o[0], w)))
}

func (l *indexBody) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := max(l.width, 200)
	return fyne.NewSize(200, HeightFor(o[0], w-l.left-l.right)+2*theme.CardGap)
}
