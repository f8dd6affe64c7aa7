package widgets

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Field is an Entry with its name above it and, below, why its text cannot be used.
type Field struct {
	Box   *fyne.Container
	Entry *Entry
	wrong *Text
	fault *fyne.Container
	row   *fyne.Container
	hint  *Text
}

// NewField puts an Entry under its name; beside stands at its right, such as a unit or a button.
func NewField(name string, entry *Entry, beside ...fyne.CanvasObject) *Field {
	f := &Field{Entry: entry}
	f.wrong = NewText("", Style{Size: theme.Small, Role: theme.Danger, Wrap: true})
	f.hint = NewText("", Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	f.hint.Hide()
	f.fault = Line(6, f.wrong, NewIcon(theme.Attention, theme.Danger, 14), f.wrong)
	f.fault.Hide()
	f.row = Line(8, entry, append([]fyne.CanvasObject{entry}, beside...)...)
	f.Box = Column(4, f.row, f.fault, f.hint)
	if name != "" {
		f.Box.Objects = append([]fyne.CanvasObject{NewText(name, Style{Size: theme.Small, Bold: true, Wrap: true})}, f.Box.Objects...)
	}
	return f
}

// Short makes the entry only as wide as a number needs.
func (f *Field) Short() *Field {
	f.row.Objects[0] = &fyne.Container{Layout: sized(shortField), Objects: []fyne.CanvasObject{f.Entry}}
	f.row.Layout = &line{gap: 8}
	return f
}

// shortField is the width of a Short field.
const shortField = 96

// sized gives an object a width of its own.
type sized float32

func (l sized) Layout(o []fyne.CanvasObject, size fyne.Size) { o[0].Resize(size) }
func (l sized) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(float32(l), o[0].MinSize().Height)
}

// Hint shows a line below the field that helps.
func (f *Field) Hint(s string) *Field {
	f.hint.Set(s)
	f.hint.Hidden = s == ""
	return f
}

// Fail shows why the text cannot be used; empty takes it away. The text stays.
func (f *Field) Fail(s string) {
	if s == f.wrong.Words() {
		return
	}
	f.wrong.Set(s)
	Show(f.fault, s != "")
}

// Wrong returns what Fail shows.
func (f *Field) Wrong() string { return f.wrong.Words() }

// Row is one line of a form: what it is, what that means, and the control that
// changes it, beside it or below where there is little room.
type Row struct {
	Box  *fyne.Container
	more *Text
	side *beside
}

// NewRow makes a row; more may be empty.
func NewRow(what, more string, control fyne.CanvasObject) *Row {
	r := &Row{more: NewText(more, Style{Size: theme.Small, Role: theme.Muted, Wrap: true}), side: &beside{gap: 16, from: 480}}
	r.more.Hidden = more == ""
	text := Column(1, NewText(what, Style{Wrap: true}), r.more)
	objects := []fyne.CanvasObject{text}
	if control != nil {
		objects = append(objects, control)
	}
	r.Box = Inset(0, 10, &fyne.Container{Layout: r.side, Objects: objects})
	return r
}

// Small keeps the control at the right however narrow the row is.
func (r *Row) Small() *Row { r.side.from = 0; return r }

// More changes the second line.
func (r *Row) More(s string) {
	r.more.Set(s)
	r.more.Hidden = s == ""
}

// Rows puts rows into a card with lines between them; hidden rows take no room
// and no line.
func Rows(rows ...fyne.CanvasObject) *fyne.Container {
	l := &ruled{rows: len(rows)}
	list := &fyne.Container{Layout: l, Objects: append([]fyne.CanvasObject{}, rows...)}
	for range len(rows) - 1 {
		list.Objects = append(list.Objects, NewRule())
	}
	return Layers(NewFill(theme.Surface, theme.Line, theme.RadiusCard), Inset(theme.CardPad, 4, list))
}

// Group is a caption over a card of rows.
func Group(name string, rows ...fyne.CanvasObject) *fyne.Container {
	return Column(8, NewText(name, Style{Size: theme.SubHeading, Bold: true, Wrap: true}), Rows(rows...))
}

// beside lays out text and control: side by side from a width on, else the
// control below. The control never gets more than half.
type beside struct{ gap, from, width float32 }

func (l *beside) split(o []fyne.CanvasObject, width float32) (text, control float32, below bool) {
	if len(o) < 2 || !o[1].Visible() {
		return width, 0, false
	}
	control = o[1].MinSize().Width
	if _, wraps := o[1].(*fyne.Container); wraps && width >= l.from && l.from > 0 {
		control = max(control, width*0.5)
	}
	if width < l.from || control > width*0.66 {
		return width, width, true
	}
	return width - control - l.gap, control, false
}

func (l *beside) heightFor(o []fyne.CanvasObject, width float32) float32 {
	text, control, below := l.split(o, width)
	h := HeightFor(o[0], text)
	switch {
	case control == 0:
		return h
	case below:
		return h + 8 + HeightFor(o[1], control)
	}
	return max(h, HeightFor(o[1], control))
}

func (l *beside) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	text, control, below := l.split(o, size.Width)
	h := HeightFor(o[0], text)
	if control == 0 {
		o[0].Move(fyne.Position{})
		o[0].Resize(fyne.NewSize(text, h))
		return
	}
	ch := HeightFor(o[1], control)
	if below {
		o[0].Move(fyne.Position{})
		o[0].Resize(fyne.NewSize(text, h))
		o[1].Move(fyne.NewPos(0, h+8))
		o[1].Resize(fyne.NewSize(control, ch))
		return
	}
	o[0].Move(fyne.NewPos(0, max(0, (size.Height-h)/2)))
	o[0].Resize(fyne.NewSize(text, h))
	o[1].Move(fyne.NewPos(size.Width-control, max(0, (size.Height-ch)/2)))
	o[1].Resize(fyne.NewSize(control, ch))
}

func (l *beside) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := widest(shown(o))
	return fyne.NewSize(w, l.heightFor(o, max(w, l.width)))
}

// ruled stacks its first objects, the rows, and puts the others, the lines,
// between those that are shown.
type ruled struct {
	rows  int
	width float32
}

func (l *ruled) heightFor(o []fyne.CanvasObject, width float32) (h float32) {
	for i, row := range shown(o[:l.rows]) {
		if i > 0 {
			h++
		}
		h += HeightFor(row, width)
	}
	return h
}

func (l *ruled) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	rules := o[l.rows:]
	for _, r := range rules {
		r.Resize(fyne.Size{})
	}
	var y float32
	for i, row := range shown(o[:l.rows]) {
		if i > 0 {
			rules[i-1].Move(fyne.NewPos(0, y))
			rules[i-1].Resize(fyne.NewSize(size.Width, 1))
			y++
		}
		h := HeightFor(row, size.Width)
		row.Move(fyne.NewPos(0, y))
		row.Resize(fyne.NewSize(size.Width, h))
		y += h
	}
}

func (l *ruled) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := widest(shown(o[:l.rows]))
	return fyne.NewSize(w, l.heightFor(o, max(w, l.width)))
}
