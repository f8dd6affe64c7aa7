package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Entry is the only text field of the window. Fyne's own swallows every
// shortcut while it is focused; this one passes on what it has no use for, so
// that the window's keys work in it too.
type Entry struct {
	widget.Entry
	OnKey  func(*fyne.KeyEvent) bool // looked at first; true: used
	OnLeft func(string)              // the focus went elsewhere
}

var _ desktop.Keyable = (*Entry)(nil)

// NewEntry makes a field of one line.
func NewEntry(hint string) *Entry {
	e := &Entry{}
	e.PlaceHolder = hint
	e.Wrapping = fyne.TextWrap(fyne.TextTruncateClip)
	e.ExtendBaseWidget(e)
	return e
}

// NewSecret makes a field of one line that shows dots.
func NewSecret(hint string) *Entry {
	e := NewEntry(hint)
	e.Password = true
	return e
}

// NewLines makes a field of several lines that wraps words.
func NewLines(hint string, rows int) *Entry {
	e := NewEntry(hint)
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapBreak
	e.SetMinRowsVisible(rows)
	return e
}

// FocusLost tells OnLeft.
func (e *Entry) FocusLost() {
	e.Entry.FocusLost()
	if e.OnLeft != nil {
		e.OnLeft(e.Text)
	}
}

// TypedKey edits, and passes on keys that mean nothing to a text field.
func (e *Entry) TypedKey(ev *fyne.KeyEvent) {
	if e.OnKey != nil && e.OnKey(ev) {
		return
	}
	switch ev.Name {
	case fyne.KeyEscape:
		if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
			c.Unfocus()
		}
		PassOn(e, ev)
	case fyne.KeyF1, fyne.KeyF5, fyne.KeyF9:
		PassOn(e, ev)
	default:
		e.Entry.TypedKey(ev)
	}
}

// TypedShortcut edits, and passes on the window's shortcuts. The field's own
// table and the window's do not overlap (tested), so both may see every one.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	if _, custom := s.(*desktop.CustomShortcut); !custom {
		return
	}
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}
