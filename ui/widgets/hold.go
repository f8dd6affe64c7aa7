package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Hold is a button that shows something only while it is held, by mouse or by
// the space bar. Letting go, leaving and losing the focus all end it.
type Hold struct {
	Button
	OnHeld func(bool)
	held   bool
}

var (
	_ desktop.Mouseable = (*Hold)(nil)
	_ desktop.Keyable   = (*Hold)(nil)
)

// NewHold makes a button to hold.
func NewHold(text string, icon theme.IconName, held func(bool)) *Hold {
	h := &Hold{OnHeld: held}
	h.name = icon
	h.icon = NewIcon(icon, theme.Text, 16)
	h.text = NewText(text, Style{Bold: true, Fixed: true})
	h.content = Line(8, nil, h.icon, h.text)
	h.OnTapped = func() {}
	h.paint()
	h.ExtendBaseWidget(h)
	return h
}

func (h *Hold) set(on bool) {
	if h.held != on {
		h.held = on
		h.OnHeld(on)
	}
}

// MouseDown begins.
func (h *Hold) MouseDown(*desktop.MouseEvent) { h.set(true) }

// MouseUp ends.
func (h *Hold) MouseUp(*desktop.MouseEvent) { h.set(false) }

// MouseOut ends.
func (h *Hold) MouseOut() { h.Button.MouseOut(); h.set(false) }

// FocusLost ends.
func (h *Hold) FocusLost() { h.Button.FocusLost(); h.set(false) }

// KeyDown begins on the space bar.
func (h *Hold) KeyDown(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeySpace {
		h.set(true)
	}
}

// KeyUp ends on the space bar.
func (h *Hold) KeyUp(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeySpace {
		h.set(false)
	}
}

// Dots shows how many steps there are and which one this is.
type Dots struct {
	widget.BaseWidget
	row  *fyne.Container
	dots []*Fill
}

// NewDots makes a row of dots.
func NewDots() *Dots {
	d := &Dots{row: Line(8, nil)}
	d.ExtendBaseWidget(d)
	return d
}

// Set shows step at of all.
func (d *Dots) Set(at, all int) {
	for len(d.dots) < all {
		f := NewFill(theme.Line, "", 4)
		f.least = fyne.NewSize(24, 6)
		f.radius = 3
		d.dots = append(d.dots, f)
		d.row.Objects = append(d.row.Objects, f)
	}
	for i, f := range d.dots {
		f.SetRole(theme.Border)
		if i <= at {
			f.SetRole(theme.Primary)
		}
		f.least.Width = 10
		if i == at {
			f.least.Width = 28
		}
	}
	d.row.Refresh()
}

// CreateRenderer is for Fyne.
func (d *Dots) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(d.row) }
