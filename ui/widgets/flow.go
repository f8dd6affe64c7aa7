package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"pow.do/ui/theme"
)

// Tall is what needs more height when it gets less width, such as a paragraph.
type Tall interface {
	// HeightFor returns the height that it needs at a width.
	HeightFor(width float32) float32
}

// flow is a layout whose height depends on its width.
type flow interface {
	fyne.Layout
	heightFor(objects []fyne.CanvasObject, width float32) float32
}

// Flow is a layout of another package whose height depends on its width.
type Flow interface {
	fyne.Layout
	HeightFor(objects []fyne.CanvasObject, width float32) float32
}

// HeightFor returns the height that any object needs at a width. Fyne asks for a
// least size before it says the width, so text that wraps is laid out twice and
// jumps; the layouts of this package ask this instead and are right at once.
func HeightFor(o fyne.CanvasObject, width float32) float32 {
	if t, ok := o.(Tall); ok {
		return t.HeightFor(width)
	}
	if c, ok := o.(*fyne.Container); ok {
		switch f := c.Layout.(type) {
		case flow:
			return f.heightFor(c.Objects, width)
		case Flow:
			return f.HeightFor(c.Objects, width)
		}
	}
	return o.MinSize().Height
}

// heightAt is HeightFor of an object whose least size is known already. What has
// that width now has said its height with its least size; asking again at every
// level would cost twice as much a level, and Fyne asks at every frame.
func heightAt(o fyne.CanvasObject, least fyne.Size, width float32) float32 {
	if o.Size().Width == width && width >= least.Width {
		return least.Height
	}
	return HeightFor(o, width)
}

// leastSizes returns the least size of each object and the widest of them.
func leastSizes(objects []fyne.CanvasObject) (sizes []fyne.Size, w float32) {
	sizes = make([]fyne.Size, len(objects))
	for i, o := range objects {
		sizes[i] = o.MinSize()
		w = max(w, sizes[i].Width)
	}
	return sizes, w
}

// tallest returns the height of the tallest of objects that lie over each other.
func tallest(objects []fyne.CanvasObject, sizes []fyne.Size, width float32) (h float32) {
	for i, o := range objects {
		h = max(h, heightAt(o, sizes[i], width))
	}
	return h
}

// shown returns the visible ones, without a copy where all are.
func shown(objects []fyne.CanvasObject) []fyne.CanvasObject {
	i := slices.IndexFunc(objects, func(o fyne.CanvasObject) bool { return !o.Visible() })
	if i < 0 {
		return objects
	}
	v := append([]fyne.CanvasObject(nil), objects[:i]...)
	for _, o := range objects[i:] {
		if o.Visible() {
			v = append(v, o)
		}
	}
	return v
}

func widest(objects []fyne.CanvasObject) (w float32) {
	for _, o := range objects {
		w = max(w, o.MinSize().Width)
	}
	return w
}

// column stacks objects at full width.
type column struct{ gap, width float32 }

// Column stacks objects at full width with a gap between them; hidden ones take no room.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &column{gap: gap}, Objects: objects}
}

func (l *column) heightFor(objects []fyne.CanvasObject, width float32) (h float32) {
	for i, o := range shown(objects) {
		if i > 0 {
			h += l.gap
		}
		h += HeightFor(o, width)
	}
	return h
}

func (l *column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	var y float32
	for _, o := range shown(objects) {
		h := HeightFor(o, size.Width)
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + l.gap
	}
}

func (l *column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, w := leastSizes(v)
	h := float32(0)
	for i, o := range v {
		if i > 0 {
			h += l.gap
		}
		h += heightAt(o, sizes[i], max(w, l.width))
	}
	return fyne.NewSize(w, h)
}

// line puts objects side by side, centred vertically; one may take the rest.
type line struct {
	gap, width float32
	grow       fyne.CanvasObject
}

// Line puts objects side by side. grow, one of them or nil, takes the room that
// is left and gives way when there is too little.
func Line(gap float32, grow fyne.CanvasObject, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &line{gap: gap, grow: grow}, Objects: objects}
}

func (l *line) widths(objects []fyne.CanvasObject, sizes []fyne.Size, width float32) []float32 {
	ws := make([]float32, len(objects))
	left, grow := width, -1
	for i, o := range objects {
		ws[i] = sizes[i].Width
		left -= ws[i]
		if i > 0 {
			left -= l.gap
		}
		if o == l.grow {
			grow = i
		}
	}
	if grow >= 0 {
		ws[grow] = max(ws[grow]+left, 0)
	}
	return ws
}

func (l *line) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	v := shown(objects)
	sizes, _ := leastSizes(v)
	return l.heightOf(v, sizes, width)
}

func (l *line) heightOf(v []fyne.CanvasObject, sizes []fyne.Size, width float32) (h float32) {
	for i, w := range l.widths(v, sizes, width) {
		h = max(h, heightAt(v[i], sizes[i], w))
	}
	return h
}

func (l *line) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	v := shown(objects)
	sizes, _ := leastSizes(v)
	var x float32
	for i, w := range l.widths(v, sizes, size.Width) {
		h := min(heightAt(v[i], sizes[i], w), size.Height)
		v[i].Move(fyne.NewPos(x, (size.Height-h)/2))
		v[i].Resize(fyne.NewSize(w, h))
		x += w + l.gap
	}
}

func (l *line) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, _ := leastSizes(v)
	var w float32
	for i, m := range sizes {
		if i > 0 {
			w += l.gap
		}
		w += m.Width
	}
	return fyne.NewSize(w, l.heightOf(v, sizes, max(w, l.width)))
}

// Right pushes an object to the right end of its room.
func Right(o fyne.CanvasObject) *fyne.Container {
	gap := NewFill("", "", 0)
	return Line(0, gap, gap, o)
}

// wrap puts objects side by side and starts a new line where they do not fit.
type wrap struct{ gap, width float32 }

// Wrap puts objects side by side at their least size and breaks into lines.
func Wrap(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &wrap{gap: gap}, Objects: objects}
}

func (l *wrap) place(objects []fyne.CanvasObject, width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	var x, y, row float32
	for _, o := range shown(objects) {
		m := o.MinSize()
		w := min(m.Width, width)
		if x > 0 && x+w > width {
			x, y, row = 0, y+row+l.gap, 0
		}
		put(o, fyne.NewPos(x, y), fyne.NewSize(w, m.Height))
		x += w + l.gap
		row = max(row, m.Height)
	}
	return y + row
}

func (l *wrap) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return l.place(objects, width, func(fyne.CanvasObject, fyne.Position, fyne.Size) {})
}

func (l *wrap) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.place(objects, size.Width, func(o fyne.CanvasObject, p fyne.Position, s fyne.Size) {
		o.Move(p)
		o.Resize(s)
	})
}

func (l *wrap) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := widest(shown(objects))
	return fyne.NewSize(w, l.heightFor(objects, max(w, l.width)))
}

// sides shows objects in equal columns where there is room, else stacked.
type sides struct{ gap, from, width float32 }

// Sides shows objects in equal columns from a width on, below it stacked.
func Sides(gap, from float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &sides{gap: gap, from: from}, Objects: objects}
}

func (l *sides) columnWidth(n int, width float32) float32 {
	if width < l.from || n == 0 {
		return width
	}
	return (width - l.gap*float32(n-1)) / float32(n)
}

func (l *sides) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	v := shown(objects)
	sizes, _ := leastSizes(v)
	return l.heightOf(v, sizes, width)
}

func (l *sides) heightOf(v []fyne.CanvasObject, sizes []fyne.Size, width float32) (h float32) {
	w := l.columnWidth(len(v), width)
	for i, o := range v {
		switch one := heightAt(o, sizes[i], w); {
		case width >= l.from:
			h = max(h, one)
		case i > 0:
			h += l.gap + one
		default:
			h = one
		}
	}
	return h
}

func (l *sides) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	v := shown(objects)
	w := l.columnWidth(len(v), size.Width)
	pos := fyne.Position{}
	for _, o := range v {
		o.Move(pos)
		if size.Width >= l.from {
			o.Resize(fyne.NewSize(w, size.Height))
			pos.X += w + l.gap
			continue
		}
		h := HeightFor(o, w)
		o.Resize(fyne.NewSize(w, h))
		pos.Y += h + l.gap
	}
}

func (l *sides) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, w := leastSizes(v)
	return fyne.NewSize(w, l.heightOf(v, sizes, max(w, l.width)))
}

// inset keeps room around one object, and never makes it wider than most.
type inset struct{ x, y, most, width float32 }

// Inset keeps x at the left and right of an object and y above and below.
func Inset(x, y float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &inset{x: x, y: y}, Objects: []fyne.CanvasObject{o}}
}

// Narrowed centres an object that is never wider than most.
func Narrowed(most float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &inset{most: most}, Objects: []fyne.CanvasObject{o}}
}

func (l *inset) span(width float32) (x, w float32) {
	w = width - 2*l.x
	if l.most > 0 {
		w = min(w, l.most)
	}
	return (width - w) / 2, w
}

func (l *inset) heightFor(objects []fyne.CanvasObject, width float32) (h float32) {
	_, w := l.span(width)
	for _, o := range shown(objects) {
		h = max(h, HeightFor(o, w))
	}
	return h + 2*l.y
}

func (l *inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	x, w := l.span(size.Width)
	for _, o := range objects {
		o.Move(fyne.NewPos(x, l.y))
		o.Resize(fyne.NewSize(w, size.Height-2*l.y))
	}
}

func (l *inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, least := leastSizes(v)
	_, w := l.span(max(least+2*l.x, l.width))
	return fyne.NewSize(least+2*l.x, tallest(v, sizes, w)+2*l.y)
}

// layers lays objects over each other, all at full size.
type layers struct{ width float32 }

// Layers lays objects over each other; the last is on top.
func Layers(objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &layers{}, Objects: objects}
}

func (l *layers) heightFor(objects []fyne.CanvasObject, width float32) (h float32) {
	for _, o := range shown(objects) {
		h = max(h, HeightFor(o, width))
	}
	return h
}

func (l *layers) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (l *layers) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, w := leastSizes(v)
	return fyne.NewSize(w, tallest(v, sizes, max(w, l.width)))
}

// Margin returns the page margin that fits a width.
func Margin(width float32) float32 {
	if width < 600 {
		return theme.MarginSlim
	}
	return theme.Margin
}

// relayer is a widget that arranges other objects inside.
type relayer interface{ relay() }

// Relayout arranges everything in o again, without drawing anew what has not
// changed: a refresh of a page would throw away every drawing in it. It is for
// after texts were set and objects shown or hidden.
func Relayout(o fyne.CanvasObject) {
	arrange(o)
	// Fyne does not look again by itself after a container was shown.
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(o).(interface{ SetDirty() }); ok {
		c.SetDirty()
	}
}

func arrange(o fyne.CanvasObject) {
	if !o.Visible() {
		return
	}
	switch x := o.(type) {
	case *fyne.Container:
		if x.Layout != nil {
			x.Layout.Layout(x.Objects, x.Size())
		}
		for _, c := range x.Objects {
			arrange(c)
		}
	case *container.Scroll:
		arrange(x.Content)
	case relayer:
		x.relay()
	}
}

// Show shows or hides an object; as it was costs nothing.
func Show(o fyne.CanvasObject, on bool) {
	switch {
	case on == o.Visible():
	case on:
		o.Show()
	default:
		o.Hide()
	}
}
