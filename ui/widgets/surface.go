package widgets

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Card puts content on a surface with a line around it.
func Card(content fyne.CanvasObject) *fyne.Container {
	return Layers(NewFill(theme.Surface, theme.Line, theme.RadiusCard), Inset(theme.CardPad, theme.CardPad, content))
}

// Caption is a section label: small, bold, upper case.
func Caption(s string) *Text {
	return NewText(s, Style{Size: theme.Caption, Role: theme.Muted, Bold: true})
}

// Head is the coloured band on top of a page: title, one line of context, and
// at most three actions.
type Head struct {
	Box     *fyne.Container
	context *Text
	inset   *pageInset
}

// NewHead makes a page header.
func NewHead(title string, actions ...fyne.CanvasObject) *Head {
	context := NewText("", Style{Size: theme.Small, Role: theme.Muted})
	row := append([]fyne.CanvasObject{NewText(title, Style{Size: theme.Heading, Bold: true, Fixed: true}), context}, actions...)
	bar := Inset(0, 6, Line(14, context, row...))
	inset := &pageInset{least: 52}
	return &Head{
		Box:     Layers(NewFill(theme.Band, "", 0), &fyne.Container{Layout: inset, Objects: []fyne.CanvasObject{bar}}),
		context: context,
		inset:   inset,
	}
}

// SetFull lets the header be as wide as the page, where the page is too.
func (h *Head) SetFull(on bool) { h.inset.full = on }

// SetMost sets how wide the header's content gets, for a page wider than others.
func (h *Head) SetMost(width float32) { h.inset.most = width }

// SetContext changes the line beside the title.
func (h *Head) SetContext(s string) { h.context.Set(s) }

// pageInset keeps the margin of a page at both sides, whatever the width, and
// the content at most theme.PageMax wide.
type pageInset struct {
	y, least, width float32
	most            float32 // 0: theme.PageMax
	full            bool
}

func (l *pageInset) span(width float32) (x, w float32) {
	w = width - 2*Margin(width)
	switch {
	case l.full:
	case l.most > 0:
		w = min(w, l.most)
	default:
		w = min(w, theme.PageMax)
	}
	return (width - w) / 2, w
}

func (l *pageInset) heightFor(objects []fyne.CanvasObject, width float32) (h float32) {
	_, w := l.span(width)
	for _, o := range shown(objects) {
		h = max(h, HeightFor(o, w))
	}
	return max(l.least, h+2*l.y)
}

func (l *pageInset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	x, w := l.span(size.Width)
	for _, o := range objects {
		h := size.Height - 2*l.y
		if l.least > 0 {
			h = min(h, HeightFor(o, w))
		}
		o.Move(fyne.NewPos(x, (size.Height-h)/2))
		o.Resize(fyne.NewSize(w, h))
	}
}

func (l *pageInset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	v := shown(objects)
	sizes, least := leastSizes(v)
	least += 2 * theme.MarginSlim
	_, w := l.span(max(least, l.width))
	return fyne.NewSize(least, max(l.least, tallest(v, sizes, w)+2*l.y))
}

// Note is a tinted box with an icon and words: a warning, a hint, an error.
type Note struct {
	Box  *fyne.Container
	fill *Fill
	icon *Icon
	what *Text
	mend *Text
}

// NewNote makes an empty box, hidden until Set.
func NewNote(actions ...fyne.CanvasObject) *Note {
	n := &Note{
		fill: NewFill(theme.TintInfo, "", theme.RadiusField),
		icon: NewIcon(theme.Inform, theme.Info, 20),
		what: NewText("", Style{Wrap: true, Role: theme.Info, Bold: true}),
		mend: NewText("", Style{Wrap: true, Size: theme.Small}),
	}
	words := Column(2, n.what, n.mend)
	row := append([]fyne.CanvasObject{n.icon, words}, actions...)
	n.Box = Layers(n.fill, Inset(12, 10, Line(12, words, row...)))
	n.Box.Hide()
	return n
}

// Set shows words in the tint of a role; empty words hide the box.
func (n *Note) Set(role fyne.ThemeColorName, icon theme.IconName, what, mend string) {
	Show(n.Box, what != "")
	n.fill.SetRole(theme.Tint(role))
	n.icon.Set(icon, role)
	n.what.SetRole(role)
	n.what.Set(what)
	n.mend.Set(mend)
	Show(n.mend, mend != "")
	Relayout(n.Box)
}

// Fail shows an error, or hides the box when what is empty.
func (n *Note) Fail(what, mend string) { n.Set(theme.Danger, theme.Attention, what, mend) }
