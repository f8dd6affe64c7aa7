package widgets

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Fact is one line of a table: an icon, what it is about, and what holds, which
// stands below where there is little room.
func Fact(icon theme.IconName, label string, value fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &factRow{}, Objects: []fyne.CanvasObject{
		NewIcon(icon, theme.Muted, 20), NewText(label, Style{Bold: true, Wrap: true}), value,
	}}
}

// The columns of a Fact, and the width from which there are three.
const (
	factIcon  = 20 + 12
	factLabel = 150
	factFrom  = 440
)

type factRow struct{ width float32 }

func (l *factRow) place(o []fyne.CanvasObject, width float32) (value fyne.Position, label, w float32) {
	if width >= factFrom {
		return fyne.NewPos(factIcon+factLabel+12, 0), factLabel, width - factIcon - factLabel - 12
	}
	label = width - factIcon
	return fyne.NewPos(factIcon, HeightFor(o[1], label)+2), label, label
}

func (l *factRow) heightFor(o []fyne.CanvasObject, width float32) float32 {
	at, label, w := l.place(o, width)
	return max(20, HeightFor(o[1], label), at.Y+HeightFor(o[2], w))
}

func (l *factRow) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	at, label, w := l.place(o, size.Width)
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSquareSize(20))
	o[1].Move(fyne.NewPos(factIcon, 0))
	o[1].Resize(fyne.NewSize(label, HeightFor(o[1], label)))
	o[2].Move(at)
	o[2].Resize(fyne.NewSize(w, HeightFor(o[2], w)))
}

func (l *factRow) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := factIcon + widest(shown(o[1:]))
	return fyne.NewSize(w, l.heightFor(o, max(w, l.width)))
}
