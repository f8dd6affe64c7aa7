package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// key is one line of the key table, the only place where keys are bound.
type key struct {
	name   fyne.KeyName
	mod    fyne.KeyModifier
	label  string // as it is printed
	what   string // locale key of what it does; empty: not listed
	always bool   // works on the lock page and in the first run too
	do     func()
}

// keys returns the table. Keys with a modifier are shortcuts and reach the
// window even from a text field; the others only from where they mean nothing else.
func (w *Window) keys() []key {
	const ctrl = fyne.KeyModifierControl
	return []key{
		{fyne.KeySpace, ctrl, "Ctrl+Space", "keys.toggle", false, w.timer.Toggle},
		{fyne.KeyF9, 0, "F9", "keys.toggle", false, w.timer.Toggle},
		{fyne.KeyP, ctrl, "Ctrl+P", "keys.project", false, func() { w.goTo(w.timer); w.timer.OpenPicker() }},
		{fyne.KeyM, ctrl, "Ctrl+M", "keys.note", false, func() { w.goTo(w.timer); w.timer.EditNote(w.win.Canvas()) }},
		{fyne.KeyReturn, ctrl, "Ctrl+Enter", "keys.register", false, w.openRegister},
		{fyne.KeyO, ctrl | fyne.KeyModifierShift, "Ctrl+Shift+O", "keys.off_record", false, w.timer.OffRecord},
		{fyne.Key1, ctrl, "Ctrl+1", "page.timer", false, func() { w.goTo(w.timer) }},
		{fyne.Key2, ctrl, "Ctrl+2", "page.review", false, w.openReview},
		{fyne.Key3, ctrl, "Ctrl+3", "page.outbox", false, func() { w.goTo(w.outbox) }},
		{fyne.Key4, ctrl, "Ctrl+4", "page.history", false, func() { w.goTo(w.history) }},
		{fyne.KeyComma, ctrl, "Ctrl+,", "page.settings", false, func() { w.goTo(w.settings) }},
		{fyne.KeyL, ctrl, "Ctrl+L", "keys.lock", false, w.lockNow},
		{fyne.KeyF5, 0, "F5", "keys.retry", false, w.outbox.RetryAll},
		{fyne.KeyF1, 0, "F1", "keys.help", true, w.showKeys},
		{fyne.KeyW, ctrl, "Ctrl+W", "keys.close", true, w.close},
		{fyne.KeyQ, ctrl, "Ctrl+Q", "keys.quit", true, w.askQuit},
		{fyne.KeyEscape, 0, "Esc", "keys.back", true, w.back},
	}
}

func (w *Window) addKeys() {
	c := w.win.Canvas()
	for _, k := range w.keys() {
		if k.mod != 0 {
			c.AddShortcut(&desktop.CustomShortcut{KeyName: k.name, Modifier: k.mod}, func(fyne.Shortcut) { w.press(k) })
		}
	}
	c.SetOnTypedKey(func(ev *fyne.KeyEvent) {
		for _, k := range w.keys() {
			if k.mod == 0 && k.name == ev.Name {
				w.press(k)
			}
		}
	})
}

// press runs a key unless something stands before the page.
func (w *Window) press(k key) {
	if !k.always && (w.full() || w.win.Canvas().Overlays().Top() != nil) {
		return
	}
	k.do()
}

// back leaves what is in front: a sheet, a detail, a step.
func (w *Window) back() {
	switch {
	case w.sheet != nil:
		w.closeSheet()
		return
	case w.away.Opened():
		w.away.Close()
		return
	}
	if b, ok := w.shown.(interface{ Back() bool }); ok {
		b.Back()
	}
}

func (w *Window) showKeys() {
	if w.sheet != nil {
		return
	}
	rows := widgets.Column(8)
	for _, k := range w.keys() {
		if k.what == "" {
			continue
		}
		what := widgets.NewText(words.T(k.what), widgets.Style{Wrap: true})
		label := widgets.NewText(k.label, widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted, Fixed: true})
		rows.Objects = append(rows.Objects, widgets.Line(16, what, what, label))
	}
	done := widgets.NewButton(words.T("act.close"), "", widgets.Plain, w.closeSheet)
	w.sheet = widgets.ShowSheet(w.win.Canvas(), words.T("keys.help"), rows, []fyne.CanvasObject{done}, done, func() { w.sheet = nil })
}
