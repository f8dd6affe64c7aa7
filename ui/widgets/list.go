package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// List shows many rows and builds only those that can be seen. Arrows move,
// Enter and Space choose, and keys that it has no use for go to the window.
type List struct {
	widget.List
	OnKey func(ev *fyne.KeyEvent, at int) bool

	at int
}

// NewList makes a list.
func NewList(length func() int, make func() fyne.CanvasObject, fill func(int, fyne.CanvasObject)) *List {
	l := &List{}
	l.Length = length
	l.CreateItem = make
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) { fill(i, o) }
	l.OnHighlighted = func(i widget.ListItemID) { l.at = i }
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey moves and chooses.
func (l *List) TypedKey(ev *fyne.KeyEvent) {
	switch {
	case l.OnKey != nil && l.OnKey(ev, l.at):
	case ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter:
		l.Select(l.at)
	case ev.Name == fyne.KeyUp || ev.Name == fyne.KeyDown || ev.Name == fyne.KeySpace ||
		ev.Name == fyne.KeyLeft || ev.Name == fyne.KeyRight:
		l.List.TypedKey(ev)
	default:
		PassOn(l, ev)
	}
}
