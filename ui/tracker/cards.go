package tracker

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// waiting is the card of what was not registered yet.
type waiting struct {
	box    *fyne.Container
	time   *widgets.Text
	text   *widgets.Text
	button *widgets.Button
	review *widgets.Button
}

func (w *waiting) build(p *Page) {
	w.time = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true})
	w.text = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	w.button = widgets.NewButton(words.T("act.register"), theme.Register, widgets.Plain, func() { p.links.Register() })
	w.review = widgets.NewButton(words.T("act.review"), theme.Review, widgets.Plain, func() { p.links.Review() })
	w.box = widgets.Card(widgets.Column(10,
		widgets.Caption(words.T("timer.unregistered")),
		w.time,
		w.text,
		widgets.Wrap(theme.Gap, w.button, w.review),
	))
}

func (w *waiting) draw(m Model) {
	if m.Status.HeldSeconds == 0 && m.Status.Held == 0 {
		w.time.Set(words.T("timer.nothing_held"))
		w.text.Set(words.T("timer.nothing_held.text"))
		w.button.Disable()
		return
	}
	w.time.Set(words.Duration(minutes(m.Status.HeldSeconds)))
	w.text.Set(words.N("timer.held", m.Status.Held))
	w.button.Enable()
}

// last is the card of the newest picture, which can be taken out at once.
type last struct {
	box    *fyne.Container
	thumb  *widgets.Thumb
	look   *widgets.Button
	when   *widgets.Text
	text   *widgets.Text
	remove *widgets.Button
	yes    *widgets.Button
	no     *widgets.Button
}

func (l *last) build(p *Page) {
	l.thumb = widgets.NewThumb(fyne.NewSize(160, 90))
	l.when = widgets.NewText("", widgets.Style{Bold: true, Wrap: true})
	l.text = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	l.look = widgets.NewButton(words.T("act.look"), theme.Look, widgets.Plain, func() {
		if c := p.Presenter.Model().Picture; c != nil {
			p.links.Look(c.ID)
		}
	})
	l.remove = widgets.NewButton(words.T("act.remove"), theme.Remove, widgets.Plain, p.Presenter.AskRemove)
	l.yes = widgets.NewButton(words.T("act.remove_picture"), theme.Remove, widgets.Harm, p.Presenter.Remove)
	l.no = widgets.NewButton(words.T("act.keep"), "", widgets.Plain, p.Presenter.Keep)
	side := widgets.Column(6, l.when, l.text)
	l.box = widgets.Card(widgets.Column(10,
		widgets.Caption(words.T("timer.last_picture")),
		widgets.Line(14, side, l.thumb, side),
		widgets.Wrap(theme.Gap, l.look, l.no, l.yes, l.remove),
	))
}

func (l *last) age(d time.Duration) { l.when.Set(words.Ago(d)) }

func (l *last) draw(m Model) {
	l.thumb.Set(m.Thumb)
	has := m.Picture != nil
	for _, b := range []*widgets.Button{l.look, l.remove} {
		widgets.Show(b, has && !m.Asking)
	}
	for _, b := range []*widgets.Button{l.no, l.yes} {
		widgets.Show(b, m.Asking)
	}
	switch {
	case m.Asking:
		l.text.Set(words.T("timer.remove_ask"))
	case has:
		l.text.Set(words.T("timer.picture_held"))
	default:
		l.when.Set(words.T("timer.no_picture"))
		l.text.Set(words.T("timer.no_picture.text"))
	}
	if m.Busy || m.Lost {
		l.yes.Disable()
	} else {
		l.yes.Enable()
	}
}
