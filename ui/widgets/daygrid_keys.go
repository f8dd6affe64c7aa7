package widgets

import (
	"maps"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

var (
	_ fyne.Focusable      = (*DayGrid)(nil)
	_ fyne.Shortcutable   = (*DayGrid)(nil)
	_ fyne.DoubleTappable = (*DayGrid)(nil)
	_ desktop.Keyable     = (*DayGrid)(nil)
	_ desktop.Mouseable   = (*DayGrid)(nil)
)

// FocusGained shows the ring around the cursor.
func (d *DayGrid) FocusGained() { d.focused = true; d.moved() }

// FocusLost pales the ring.
func (d *DayGrid) FocusLost() { d.focused, d.shift = false, false; d.moved() }

// TypedRune is for Fyne.
func (d *DayGrid) TypedRune(rune) {}

// KeyDown follows the Shift keys, which make arrows select.
func (d *DayGrid) KeyDown(ev *fyne.KeyEvent) { d.hold(ev, true) }

// KeyUp follows the Shift keys.
func (d *DayGrid) KeyUp(ev *fyne.KeyEvent) { d.hold(ev, false) }

func (d *DayGrid) hold(ev *fyne.KeyEvent, down bool) {
	if ev.Name == desktop.KeyShiftLeft || ev.Name == desktop.KeyShiftRight {
		d.shift = down
	}
}

// TypedKey moves, selects and opens; other keys go to OnKey and to the window.
func (d *DayGrid) TypedKey(ev *fyne.KeyEvent) {
	s := d.spot()
	to, moves := d.target(ev.Name)
	switch {
	case s != nil && moves:
		d.move(to, d.shift)
	case s != nil && ev.Name == fyne.KeySpace:
		d.mark(s, !d.marked(s))
		d.anchor = -1
		d.moved()
	case s != nil && (ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter):
		d.open()
	case d.OnKey(ev):
	default:
		PassOn(d, ev)
	}
}

// target returns where a key leads.
func (d *DayGrid) target(k fyne.KeyName) (to int, moves bool) {
	switch k {
	case fyne.KeyLeft:
		return d.cur - 1, true
	case fyne.KeyRight:
		return d.cur + 1, true
	case fyne.KeyUp:
		return d.nearest(-1, false), true
	case fyne.KeyDown:
		return d.nearest(1, false), true
	case fyne.KeyPageUp:
		return d.nearest(-1, true), true
	case fyne.KeyPageDown:
		return d.nearest(1, true), true
	case fyne.KeyHome:
		return d.edge(-1), true
	case fyne.KeyEnd:
		return d.edge(1), true
	}
	return 0, false
}

// nearest returns the spot of the next line, or of the next hour, that is
// nearest to the cursor's column; the cursor itself where there is none.
func (d *DayGrid) nearest(by int, hour bool) int {
	if d.cur < 0 {
		return 0
	}
	here := d.order[d.cur]
	line := here.line + by
	for hour && line >= 0 && line < len(d.lines) && d.lines[line].inner {
		line += by
	}
	best := d.cur
	for i, p := range d.order {
		if p.line == line && (best == d.cur || away(p.col, here.col) < away(d.order[best].col, here.col)) {
			best = i
		}
	}
	return best
}

func away(a, b int) int { return max(a-b, b-a) }

// edge returns the first or the last spot of the cursor's line.
func (d *DayGrid) edge(by int) int {
	i := d.cur
	for i >= 0 && i+by >= 0 && i+by < len(d.order) && d.order[i+by].line == d.order[d.cur].line {
		i += by
	}
	return i
}

// move puts the cursor on a spot; extend selects everything between there and
// where the range was begun.
func (d *DayGrid) move(to int, extend bool) {
	to = min(max(to, 0), len(d.order)-1)
	if extend {
		if d.anchor < 0 {
			d.anchor, d.base = d.cur, maps.Clone(d.selected)
		}
		d.selected = maps.Clone(d.base)
		for i := min(d.anchor, to); i <= max(d.anchor, to); i++ {
			d.mark(d.at(d.order[i]), true)
		}
	} else {
		d.anchor = -1
	}
	d.cur = to
	d.reveal()
	d.moved()
}

func (d *DayGrid) open() {
	s := d.spot()
	if len(s.cells) > 1 {
		d.unfold()
		return
	}
	d.OnOpen(s.cells[0].ID)
}

// TypedShortcut selects everything and undoes; the rest is the window's.
func (d *DayGrid) TypedShortcut(s fyne.Shortcut) {
	switch s.(type) {
	case *fyne.ShortcutSelectAll:
		d.SelectAll()
	case *fyne.ShortcutUndo:
		d.OnUndo()
	default:
		passShortcut(d, s)
	}
}

// passShortcut gives a shortcut that a focused widget has no use for to the window.
func passShortcut(from fyne.CanvasObject, s fyne.Shortcut) {
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(from).(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}

// hit returns the spot at a position of the grid.
func (d *DayGrid) hit(at fyne.Position) (int, bool) {
	if d.m.line == 0 || at.Y < headHeight || at.X < d.m.left {
		return 0, false
	}
	p := place{int((at.Y - headHeight + d.scroll.Offset.Y) / d.m.line), int((at.X - d.m.left) / d.m.slot)}
	for i, q := range d.order {
		if p == q {
			return i, true
		}
	}
	return 0, false
}

// MouseDown takes the focus and moves the cursor; with Ctrl it selects one more,
// with Shift all between.
func (d *DayGrid) MouseDown(ev *desktop.MouseEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(d); c != nil {
		c.Focus(d)
	}
	i, ok := d.hit(ev.Position)
	switch {
	case !ok:
	case ev.Modifier&fyne.KeyModifierShift != 0:
		d.move(i, true)
	case ev.Modifier&fyne.KeyModifierControl != 0:
		d.mark(d.at(d.order[i]), !d.marked(d.at(d.order[i])))
		d.move(i, false)
	default:
		if s := d.at(d.order[i]); !d.marked(s) {
			clear(d.selected)
		}
		d.move(i, false)
	}
}

// MouseUp is for Fyne.
func (d *DayGrid) MouseUp(*desktop.MouseEvent) {}

// DoubleTapped opens a picture, or unfolds a slot.
func (d *DayGrid) DoubleTapped(ev *fyne.PointEvent) {
	if i, ok := d.hit(ev.Position); ok {
		d.move(i, false)
		d.open()
	}
}
