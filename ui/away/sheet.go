// Package away asks what the time was in which nobody touched this computer.
//
// Every stretch has four answers; the one under Enter throws the time away and
// goes on. Nothing is decided by closing the question: until it is answered the
// stretch belongs to no proof, and it is asked again.
package away

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Sheet shows the open questions over the page.
type Sheet struct {
	Presenter *Presenter
	say       func(error) (what, mend string)
	canvas    fyne.Canvas
	sheet     *widgets.Sheet
	rows      *fyne.Container
	fail      *widgets.Note
	first     *widgets.Button
	shown     []string // the questions that are drawn
	closed    func()
}

// New makes the questions of a window; Show of c is its own. closed, called when
// the sheet goes, tells whether questions are left.
func New(canvas fyne.Canvas, c Config, say func(error) (string, string), closed func()) *Sheet {
	s := &Sheet{say: say, canvas: canvas, closed: closed}
	c.Show = s.draw
	s.Presenter = newPresenter(c)
	return s
}

// Open shows what is to be answered; without a question it does nothing.
func (s *Sheet) Open() {
	if s.sheet != nil || len(s.Presenter.Model().Questions) == 0 {
		return
	}
	s.rows, s.fail, s.shown = widgets.Column(20), widgets.NewNote(), nil
	s.fill(s.Presenter.Model())
	later := widgets.NewButton(words.T("away.later"), "", widgets.Quiet, s.Close)
	s.sheet = widgets.ShowSheet(s.canvas, words.N("away.title", len(s.shown)), widgets.Column(16, s.rows, s.fail.Box),
		[]fyne.CanvasObject{later}, s.first, func() {
			s.sheet = nil
			s.closed()
		})
}

// Opened tells whether the sheet is open.
func (s *Sheet) Opened() bool { return s.sheet != nil }

// Close leaves the questions unanswered.
func (s *Sheet) Close() {
	if s.sheet != nil {
		s.sheet.Close()
	}
}

func (s *Sheet) draw(m Model) {
	if s.sheet == nil {
		return
	}
	if len(m.Questions) == 0 {
		s.Close()
		return
	}
	s.fill(m)
	s.sheet.Refresh()
}

func (s *Sheet) fill(m Model) {
	s.rows.Objects, s.shown, s.first = nil, nil, nil
	for _, q := range m.Questions {
		s.rows.Objects = append(s.rows.Objects, s.question(m, q))
		s.shown = append(s.shown, q.ID)
	}
	if m.Err != nil {
		s.fail.Fail(s.say(m.Err))
	} else {
		s.fail.Fail("", "")
	}
	if s.sheet != nil && s.first != nil && s.canvas.Focused() == nil {
		s.canvas.Focus(s.first)
	}
}

// question is one stretch with its four answers.
func (s *Sheet) question(m Model, q pow.AwayQuestion) fyne.CanvasObject {
	span := q.To.Sub(q.From)
	data := words.Data{"From": words.Time(q.From), "To": words.Time(q.To), "Time": words.Duration(span.Round(time.Minute)),
		"Project": words.Name(q.Project.Name)}
	key := "away.was.idle"
	if words.Has("away.was." + q.Reason) {
		key = "away.was." + q.Reason
	}
	text := widgets.NewText(words.T(key, data), widgets.Style{Bold: true, Wrap: true})
	about := widgets.NewText(words.T("away.ran", data), widgets.Style{Role: theme.Muted, Wrap: true})
	answer := func(key string, icon theme.IconName, kind widgets.Kind, c pow.AwayChoice) *widgets.Button {
		b := widgets.NewButton(words.T(key), icon, kind, func() { s.Presenter.Answer(q.ID, c, "") })
		if m.Busy {
			b.Disable()
		}
		return b
	}
	next := answer("away.discard", theme.Start, widgets.Main, pow.AwayDiscard)
	if s.first == nil {
		s.first = next
	}
	keep := answer("away.keep", theme.Held, widgets.Plain, pow.AwayKeep)
	hint := widgets.NewText(words.T("away.keep.text", data), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	look := theme.BadgeFor(string(q.Project.ID), q.Project.Name, q.Project.Color)
	said := widgets.Column(2, text, about)
	column := widgets.Column(10,
		widgets.Line(12, said, widgets.NewBadge(look), said),
		widgets.Wrap(theme.Gap, next, answer("away.stop", theme.Stop, widgets.Plain, pow.AwayStop)),
		widgets.Line(10, hint, keep, hint),
	)
	if other := s.other(m, q); other != nil {
		column.Objects = append(column.Objects, other)
	}
	return column
}

// other books the stretch to another project.
func (s *Sheet) other(m Model, q pow.AwayQuestion) fyne.CanvasObject {
	var options []widgets.Option
	for _, p := range m.Projects {
		if p.ID != q.Project.ID {
			look := theme.BadgeFor(string(p.ID), p.Name, p.Color)
			options = append(options, widgets.Option{ID: string(p.ID), Name: words.Name(p.Name), Group: words.Name(p.Group), Badge: &look})
		}
	}
	if len(options) == 0 {
		return nil
	}
	p := widgets.NewPicker(words.T("away.other"), words.T("timer.search"), words.T("timer.none"))
	p.SetOptions(options)
	p.OnChosen = func(id string) { s.Presenter.Answer(q.ID, pow.AwayOther, pow.ProjectID(id)) }
	if m.Busy {
		p.Disable()
	}
	return p.Press
}
