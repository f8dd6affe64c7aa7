package widgets

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// MenuItem is one act of a menu.
type MenuItem struct {
	Icon theme.IconName // may be empty
	Text string
	Do   func()
}

// ShowMenu opens a short list of acts below an object. Arrows move, Enter takes,
// Esc leaves; the focus goes back to what had it.
func ShowMenu(under fyne.CanvasObject, items []MenuItem) {
	c := fyne.CurrentApp().Driver().CanvasForObject(under)
	if c == nil || len(items) == 0 {
		return
	}
	m := &menuRows{items: items, before: c.Focused(), canvas: c}
	m.ExtendBaseWidget(m)
	m.draw()
	m.popup = widget.NewPopUp(Inset(6, 6, m), c)
	size := m.popup.MinSize()
	size.Width = max(size.Width, min(under.Size().Width, 360), 180)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(under)
	at.Y += under.Size().Height + 6
	room := c.Size()
	if at.Y+size.Height > room.Height-12 {
		at.Y = max(12, at.Y-size.Height-under.Size().Height-12)
	}
	at.X = max(12, min(at.X, room.Width-size.Width-12))
	m.popup.ShowAtPosition(at)
	m.popup.Resize(size)
	c.Focus(m)
}

// menuRows has the focus as a whole, so that arrows move inside it.
type menuRows struct {
	widget.BaseWidget
	items  []MenuItem
	at     int
	column *fyne.Container
	popup  *widget.PopUp
	canvas fyne.Canvas
	before fyne.Focusable
}

func (m *menuRows) draw() {
	if m.column == nil {
		m.column = Column(2)
	}
	m.column.Objects = nil
	for i, item := range m.items {
		text := NewText(item.Text, Style{Fixed: true})
		row := Line(10, nil, text)
		if item.Icon != "" {
			row = Line(10, nil, NewIcon(item.Icon, theme.Muted, 16), text)
		}
		look := Look{Radius: theme.RadiusField, PadX: 10, PadY: 4, Least: theme.Target}
		if i == m.at {
			look.Fill = fynetheme.ColorNameSelection
		}
		m.column.Objects = append(m.column.Objects, NewPress(row, look, func() { m.take(i) }))
	}
	m.column.Refresh()
}

func (m *menuRows) take(i int) {
	m.close()
	m.items[i].Do()
}

func (m *menuRows) close() {
	m.popup.Hide()
	if m.before != nil {
		m.canvas.Focus(m.before)
	}
}

// FocusGained is for Fyne.
func (m *menuRows) FocusGained() {}

// FocusLost is for Fyne.
func (m *menuRows) FocusLost() {}

// TypedRune is for Fyne.
func (m *menuRows) TypedRune(rune) {}

// TypedKey moves, takes and leaves.
func (m *menuRows) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyDown:
		m.at = (m.at + 1) % len(m.items)
		m.draw()
	case fyne.KeyUp:
		m.at = (m.at + len(m.items) - 1) % len(m.items)
		m.draw()
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		m.take(m.at)
	case fyne.KeyEscape:
		m.close()
	}
}

// CreateRenderer is for Fyne.
func (m *menuRows) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(m.column) }
