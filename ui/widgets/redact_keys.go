package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

var (
	_ fyne.Focusable     = (*RedactView)(nil)
	_ fyne.Tabbable      = (*RedactView)(nil)
	_ fyne.Shortcutable  = (*RedactView)(nil)
	_ fyne.Draggable     = (*RedactView)(nil)
	_ fyne.Scrollable    = (*RedactView)(nil)
	_ desktop.Keyable    = (*RedactView)(nil)
	_ desktop.Mouseable  = (*RedactView)(nil)
	_ desktop.Cursorable = (*RedactView)(nil)
)

// Cursor is a cross: a rectangle is drawn here.
func (v *RedactView) Cursor() desktop.Cursor { return desktop.CrosshairCursor }

// AcceptsTab keeps Tab, which compares before and after here.
func (v *RedactView) AcceptsTab() bool { return true }

// FocusGained shows the ring.
func (v *RedactView) FocusGained() { v.focused = true; v.Refresh() }

// FocusLost hides the ring.
func (v *RedactView) FocusLost() { v.focused, v.shift = false, false; v.Refresh() }

// TypedRune is for Fyne.
func (v *RedactView) TypedRune(rune) {}

// KeyDown follows the Shift keys, which make arrows size the rectangle.
func (v *RedactView) KeyDown(ev *fyne.KeyEvent) { v.hold(ev, true) }

// KeyUp follows the Shift keys.
func (v *RedactView) KeyUp(ev *fyne.KeyEvent) { v.hold(ev, false) }

func (v *RedactView) hold(ev *fyne.KeyEvent, down bool) {
	if ev.Name == desktop.KeyShiftLeft || ev.Name == desktop.KeyShiftRight {
		v.shift = down
	}
}

// TypedKey moves the rectangle, or the part in sight; other keys go to OnKey and
// to the window.
func (v *RedactView) TypedKey(ev *fyne.KeyEvent) {
	by, arrow := arrows(ev.Name)
	step := max(1, v.pixels.X/80)
	switch {
	case arrow && v.drawing && v.shift:
		v.size(by.Mul(step))
	case arrow && v.drawing:
		v.shove(by.Mul(step))
	case v.drawing && (ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter):
		v.set()
	case v.drawing && ev.Name == fyne.KeyEscape:
		v.Cancel()
	case arrow && v.actual:
		v.pan(by.Mul(4 * step))
	case v.OnKey(ev):
	default:
		PassOn(v, ev)
	}
}

func arrows(k fyne.KeyName) (by image.Point, ok bool) {
	switch k {
	case fyne.KeyLeft:
		return image.Pt(-1, 0), true
	case fyne.KeyRight:
		return image.Pt(1, 0), true
	case fyne.KeyUp:
		return image.Pt(0, -1), true
	case fyne.KeyDown:
		return image.Pt(0, 1), true
	}
	return by, false
}

// shove moves the rectangle and keeps it whole inside the picture.
func (v *RedactView) shove(by image.Point) {
	a := v.area.Add(by)
	a = a.Sub(image.Pt(min(a.Min.X, 0), min(a.Min.Y, 0)))
	a = a.Sub(image.Pt(max(a.Max.X-v.pixels.X, 0), max(a.Max.Y-v.pixels.Y, 0)))
	v.area = a
	v.follow()
}

// leastArea is the smallest side of a rectangle, in pixels.
const leastArea = 4

// size moves the rectangle's lower right corner.
func (v *RedactView) size(by image.Point) {
	v.area.Max.X = min(max(v.area.Max.X+by.X, v.area.Min.X+leastArea), v.pixels.X)
	v.area.Max.Y = min(max(v.area.Max.Y+by.Y, v.area.Min.Y+leastArea), v.pixels.Y)
	v.follow()
}

// follow keeps the rectangle in sight.
func (v *RedactView) follow() {
	in, by := v.inSight(), image.Point{}
	by.X = min(v.area.Min.X-in.Min.X, 0) + max(v.area.Max.X-in.Max.X, 0)
	by.Y = min(v.area.Min.Y-in.Min.Y, 0) + max(v.area.Max.Y-in.Max.Y, 0)
	v.pan(by)
	v.show()
}

// TypedShortcut undoes; the rest is the window's.
func (v *RedactView) TypedShortcut(s fyne.Shortcut) {
	if _, undo := s.(*fyne.ShortcutUndo); undo {
		v.OnUndo()
		return
	}
	passShortcut(v, s)
}

// MouseDown takes the focus and begins a rectangle.
func (v *RedactView) MouseDown(ev *desktop.MouseEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(v); c != nil {
		c.Focus(v)
	}
	v.from = v.pixel(ev.Position)
}

// MouseUp is for Fyne.
func (v *RedactView) MouseUp(*desktop.MouseEvent) {}

// Dragged draws the rectangle.
func (v *RedactView) Dragged(ev *fyne.DragEvent) {
	if v.shown == nil {
		return
	}
	if v.drawing && !v.dragging { // a drag takes the place of one begun by keyboard
		v.drawing = false
	}
	v.dragging = true
	v.area = image.Rectangle{Min: v.from, Max: v.pixel(ev.Position)}.Canon()
	v.show()
}

// DragEnd sets the rectangle, unless it is too small to be meant.
func (v *RedactView) DragEnd() {
	if !v.dragging {
		return
	}
	if v.area.Dx() < leastArea || v.area.Dy() < leastArea {
		v.Cancel()
		return
	}
	v.set()
}

// Scrolled moves the part in sight.
func (v *RedactView) Scrolled(ev *fyne.ScrollEvent) {
	d := density(v)
	v.pan(image.Pt(int(-ev.Scrolled.DX*d), int(-ev.Scrolled.DY*d)))
}
