package widgets

import (
	"image"
	"maps"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"pow.do/ui/theme"
)

// gridMetrics are the sizes of a grid of one width.
type gridMetrics struct {
	left, top  float32 // room for the hour beside, or above in a narrow grid
	slot, line float32
	pad        float32 // around a cell, inside its slot
	thumb      fyne.Size
}

// The largest thumbnail, and the width from which the hour stands beside its row.
const (
	thumbMost  = 160
	hourBeside = 520
	cellLabel  = 18 // time and mark below a thumbnail
)

func measureGrid(width float32) (m gridMetrics) {
	m.left, m.pad = 36, 4
	if width < hourBeside {
		m.left, m.top, m.pad = 0, 18, 2
	}
	m.slot = min((width-m.left)/6, thumbMost+2*m.pad)
	w := float32(int(m.slot - 2*m.pad))
	m.thumb = fyne.NewSize(w, float32(int(w*9/16)))
	m.line = m.top + m.pad + m.thumb.Height + 3 + stripHeight + cellLabel + 2*m.pad
	return m
}

// gridBody lays out the lines in sight.
type gridBody struct{ d *DayGrid }

func (l gridBody) Layout([]fyne.CanvasObject, fyne.Size) { l.d.place() }
func (l gridBody) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(1, l.d.height()) }

// lineView is the objects of one line; it is used again for another one.
type lineView struct {
	box   *fyne.Container
	fill  *canvas.Rectangle
	label *canvas.Text
	cells [6]*cellView
}

func newLineView() *lineView {
	v := &lineView{box: &fyne.Container{}, fill: &canvas.Rectangle{CornerRadius: theme.RadiusField}, label: &canvas.Text{}}
	v.box.Objects = append(v.box.Objects, v.fill, v.label)
	for i := range v.cells {
		v.cells[i] = newCellView()
		v.box.Objects = append(v.box.Objects, v.cells[i].box)
	}
	return v
}

func (v *lineView) forget() {
	for _, c := range v.cells {
		c.was = drawing{}
	}
}

// place gives the lines in sight their objects and takes them from the others.
func (d *DayGrid) place() {
	if d.m.line == 0 {
		return
	}
	first := max(0, int(d.scroll.Offset.Y/d.m.line))
	last := min(len(d.lines)-1, int((d.scroll.Offset.Y+d.scroll.Size().Height)/d.m.line))
	d.release(func(n int) bool { return n < first || n > last })
	for n := first; n <= last; n++ {
		if d.views[n] == nil {
			d.views[n] = d.take()
			d.bind(n, d.views[n])
		}
	}
}

// release takes the objects from lines, in order, so that the same day is always
// made of the same objects.
func (d *DayGrid) release(which func(line int) bool) {
	for _, n := range slices.Sorted(maps.Keys(d.views)) {
		if which(n) {
			d.views[n].box.Hide()
			d.spare = append(d.spare, d.views[n])
			delete(d.views, n)
		}
	}
}

// take returns objects for a line, used ones where there are any.
func (d *DayGrid) take() *lineView {
	if n := len(d.spare); n > 0 {
		v := d.spare[n-1]
		d.spare = d.spare[:n-1]
		v.box.Show()
		return v
	}
	v := newLineView()
	d.body.Objects = append(d.body.Objects, v.box)
	return v
}

// bind fills the objects of line n.
func (d *DayGrid) bind(n int, v *lineView) {
	line := d.lines[n]
	width := d.m.left + 6*d.m.slot
	v.box.Move(fyne.NewPos(d.m.pad, float32(n)*d.m.line))
	v.box.Resize(fyne.NewSize(width, d.m.line))
	v.fill.Hidden, v.fill.FillColor = !line.inner, theme.Color(theme.Band)
	v.fill.Move(fyne.NewPos(d.m.left-d.m.pad, d.m.top))
	v.fill.Resize(fyne.NewSize(width-d.m.left+d.m.pad, d.m.line-d.m.top-d.m.pad))
	v.label.Text, v.label.Color = line.label, theme.Color(theme.Muted)
	v.label.TextSize, v.label.TextStyle.Bold = theme.Size(theme.Caption), true
	v.label.Move(fyne.NewPos(0, 0))
	if d.m.top == 0 {
		v.label.TextSize = theme.Size(theme.SubHeading)
		v.label.Move(fyne.NewPos(0, d.m.pad+d.m.thumb.Height/2-11))
	}
	if line.inner {
		v.fill.Refresh()
	}
	v.label.Refresh()
	for col, c := range v.cells {
		c.box.Move(fyne.NewPos(d.m.left+float32(col)*d.m.slot, d.m.top))
		c.set(d, d.looks(n, col))
	}
}

// looks says what stands at a place; a zero drawing is nothing.
func (d *DayGrid) looks(n, col int) drawing {
	s := d.lines[n].spots[col]
	if s == nil {
		return drawing{}
	}
	w := drawing{cell: s.face(), count: len(s.cells), open: s.open, inner: d.lines[n].inner, selected: d.marked(s), m: d.m, here: true}
	w.cursor = d.cur >= 0 && d.order[d.cur] == place{n, col}
	w.focused = w.cursor && d.focused
	if w.cell.Thumb != "" {
		w.img = d.Picture(w.cell.Thumb)
	}
	return w
}

// drawing is all that decides how a cell looks.
type drawing struct {
	here                      bool
	cell                      Cell
	count                     int
	open, inner               bool
	selected, cursor, focused bool
	img                       image.Image
	m                         gridMetrics
}

// drawings keeps the frames and strips of the sizes in use.
type drawings struct {
	frames map[frameKey]fyne.Resource
	strips map[theme.Badge]fyne.Resource
}

type frameKey struct {
	frame Frame
	ink   ink
	size  fyne.Size
}

func (s *drawings) frame(k frameKey) fyne.Resource {
	if s.frames == nil {
		s.frames = map[frameKey]fyne.Resource{}
	}
	if s.frames[k] == nil {
		s.frames[k] = frameDrawing(k.frame, k.size, k.ink)
	}
	return s.frames[k]
}

func (s *drawings) strip(b theme.Badge, width float32) fyne.Resource {
	if s.strips == nil {
		s.strips = map[theme.Badge]fyne.Resource{}
	}
	if s.strips[b] == nil {
		s.strips[b] = stripDrawing(b, width)
	}
	return s.strips[b]
}
