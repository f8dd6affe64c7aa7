package outbox

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// panel is where a path is given, to save a proof or to take an answer.
type panel struct {
	mode  HandMode
	box   *fyne.Container
	field *widgets.Field
	act   *widgets.Button
	close *widgets.Button
	done  *widgets.Note
}

func newPanel(p *Page, mode HandMode, key string, icon theme.IconName, act func(path string)) *panel {
	n := &panel{mode: mode, done: widgets.NewNote()}
	e := widgets.NewEntry("~/" + words.T(key+"file"))
	e.OnSubmitted = act
	n.field = widgets.NewField(words.T(key+"path"), e).Hint(words.T(key + "text"))
	n.act = widgets.NewButton(words.T(key+"do"), icon, widgets.Plain, func() { act(e.Text) })
	n.close = widgets.NewButton(words.T("act.close"), "", widgets.Quiet, func() { p.Presenter.OpenHand(HandNone) })
	n.box = widgets.Layers(widgets.NewFill(theme.Ground, theme.Line, theme.RadiusField),
		widgets.Inset(14, 12, widgets.Column(10, n.field.Box, n.done.Box, widgets.Wrap(theme.Gap, n.act, n.close))))
	n.box.Hide()
	return n
}

// open shows the panel with a path to begin with.
func (n *panel) open(p *Page, path string) {
	n.field.Entry.SetText(path)
	p.Presenter.OpenHand(n.mode)
	if c := fyne.CurrentApp().Driver().CanvasForObject(n.field.Entry); c != nil {
		c.Focus(n.field.Entry)
	}
}

func (n *panel) draw(h Hand, lost bool, say func(error) (string, string)) {
	if n.box.Hidden = h.Mode != n.mode; n.box.Hidden {
		return
	}
	n.field.Fail("")
	if h.Fault != input.Fine {
		n.field.Fail(words.T("input." + string(h.Fault)))
	}
	n.done.Fail("", "")
	switch {
	case h.Err != nil:
		n.done.Fail(say(h.Err))
	case h.Saved != "":
		n.done.Set(theme.Success, theme.Confirm, words.T("outbox.save.done"), h.Saved)
	case h.Took && h.Moved == 0:
		n.done.Set(theme.Info, theme.Inform, words.T("outbox.take.nothing"), "")
	case h.Took:
		n.done.Set(theme.Success, theme.Confirm, words.N("outbox.take.done", h.Moved), "")
	}
	n.act.Enable()
	if h.Busy || lost {
		n.act.Disable()
	}
}
