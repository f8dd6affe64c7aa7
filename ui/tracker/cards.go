package tracker

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
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
}

func (w *waiting) build(p *Page) {
	w.time = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true})
	w.text = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	w.button = widgets.NewButton(words.T("act.register"), theme.Register, widgets.Plain, func() { p.links.Register() })
	w.box = widgets.Card(widgets.Column(10,
		widgets.Caption(words.T("timer.unregistered")),
		w.time,
		w.text,
		widgets.Wrap(theme.Gap, w.button),
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
	l.remove = widgets.NewButton(words.T("act.remove"), theme.Remove, widgets.Plain, p.Presenter.AskRemove)
	l.yes = widgets.NewButton(words.T("act.remove_picture"), theme.Remove, widgets.Harm, p.Presenter.Remove)
	l.no = widgets.NewButton(words.T("act.keep"), "", widgets.Plain, p.Presenter.Keep)
	side := widgets.Column(6, l.when, l.text)
	l.box = widgets.Card(widgets.Column(10,
		widgets.Caption(words.T("timer.last_picture")),
		widgets.Line(14, side, l.thumb, side),
		widgets.Wrap(theme.Gap, l.no, l.yes, l.remove),
	))
}

func (l *last) age(d time.Duration) { l.when.Set(words.Ago(d)) }

func (l *last) draw(m Model) {
	l.thumb.Set(m.Thumb)
	has := m.Picture != nil
	l.remove.Hidden = !has || m.Asking
	l.yes.Hidden, l.no.Hidden = !m.Asking, !m.Asking
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

// day is today's list, newest first.
type day struct {
	box     *fyne.Container
	rows    *fyne.Container
	running *widgets.Text // the sum that grows, or nil
}

func (d *day) build() {
	d.rows = widgets.Column(0)
	d.box = widgets.Column(8, widgets.Caption(words.T("timer.today")), widgets.Card(d.rows))
}

func (d *day) draw(p *Page, m Model) {
	d.rows.Objects, d.running = nil, nil
	for i := len(m.Entries) - 1; i >= 0; i-- {
		if len(d.rows.Objects) > 0 {
			d.rows.Objects = append(d.rows.Objects, widgets.NewRule())
		}
		d.rows.Objects = append(d.rows.Objects, entryRow(p, m, m.Entries[i]))
	}
	if len(m.Entries) == 0 {
		d.rows.Objects = []fyne.CanvasObject{widgets.NewText(words.T("timer.today_empty"), widgets.Style{Role: theme.Muted, Wrap: true})}
	}
}

// againWidth is the room of the button that continues an entry.
const againWidth = 36

func entryRow(p *Page, m Model, e pow.Entry) fyne.CanvasObject {
	running := e.To.IsZero()
	span := words.Time(e.From) + "–" + words.T("timer.now")
	if !running {
		span = words.Time(e.From) + "–" + words.Time(e.To)
	}
	if e.Note != "" {
		span += " · " + words.Foreign(e.Note)
	}
	name := widgets.Column(0,
		widgets.NewText(words.Name(e.Project.Name), widgets.Style{Bold: true}),
		widgets.NewText(span, widgets.Style{Size: theme.Small, Role: theme.Muted}),
	)
	state := widgets.NewState(false)
	mark := words.Entry(e.State)
	state.Set(mark.Icon, mark.Role, mark.Word)
	sum := widgets.NewText(words.Duration(minutes(e.Seconds)), widgets.Style{Bold: true, Fixed: true, Right: true})
	right := widgets.Column(0, sum, widgets.Right(state.Box))
	if running {
		p.day.running = sum
	}
	row := []fyne.CanvasObject{widgets.NewBadge(badge(e.Project)), name, right}
	if running {
		row = append(row, widgets.NewSpace(againWidth, 0))
	} else {
		again := widgets.NewButton("", theme.Start, widgets.Quiet, func() { p.Presenter.Continue(e) })
		if m.Lost || m.Busy {
			again.Disable()
		}
		row = append(row, again)
	}
	return widgets.Inset(0, 8, widgets.Line(12, name, row...))
}
