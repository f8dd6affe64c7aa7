package tracker

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

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
		d.rows.Objects = append(d.rows.Objects, d.row(p, m, m.Entries[i]))
	}
	if len(m.Entries) == 0 {
		d.rows.Objects = []fyne.CanvasObject{widgets.NewText(words.T("timer.today_empty"), widgets.Style{Role: theme.Muted, Wrap: true})}
	}
}

// againWidth is the room of the button that continues an entry.
const againWidth = 36

func (d *day) row(p *Page, m Model, e pow.Entry) fyne.CanvasObject {
	running := e.To.IsZero()
	name := widgets.Column(0, widgets.NewText(words.Name(e.Project.Name), widgets.Style{Bold: true}),
		widgets.NewText(span(e), widgets.Style{Size: theme.Small, Role: theme.Muted}))
	if e.Was != nil {
		name.Objects = append(name.Objects, was(e))
	}
	state := widgets.NewState(false)
	mark := words.Entry(e.State)
	state.Set(mark.Icon, mark.Role, mark.Word)
	sum := widgets.NewText(words.Duration(minutes(e.Seconds)), widgets.Style{Bold: true, Fixed: true, Right: true})
	right := widgets.Column(0, sum, widgets.Right(state.Box))
	if running {
		d.running = sum
	}
	open := widgets.NewPress(widgets.Line(12, name, widgets.NewBadge(badge(e.Project)), name, right),
		widgets.Look{Radius: theme.RadiusField, PadX: 6, PadY: 8}, nil)
	if Correctable(e) && !m.Lost {
		open.OnTapped = func() { p.openCorrection(e) }
	} else {
		open.Disable() // registered: its state says so
	}
	if running {
		return widgets.Line(6, open, open, widgets.NewSpace(againWidth, 0))
	}
	again := widgets.NewButton("", theme.Start, widgets.Quiet, func() { p.Presenter.Continue(e) })
	if m.Lost || m.Busy {
		again.Disable()
	}
	return widgets.Line(6, open, open, again)
}

// span is when, which kind of work, and what it was about.
func span(e pow.Entry) string {
	s := words.Time(e.From) + "–" + words.T("timer.now")
	if !e.To.IsZero() {
		s = words.Time(e.From) + "–" + words.Time(e.To)
	}
	if e.KimaiActivity != nil {
		s += " · " + words.Name(e.KimaiActivity.Name)
	}
	if e.Kept {
		s += " · " + words.T("timer.kept")
	}
	if e.Note != "" {
		s += " · " + words.Foreign(e.Note)
	}
	return s
}

// was is what the entry said before it was corrected; it stays visible.
func was(e pow.Entry) fyne.CanvasObject {
	old := span(*e.Was)
	if e.Was.Project.ID != e.Project.ID {
		old += " · " + words.Name(e.Was.Project.Name)
	}
	text := widgets.NewText(words.T("timer.was", words.Data{"Text": old}), widgets.Style{Size: theme.Small, Role: theme.Warning})
	return widgets.Line(6, text, widgets.NewIcon(theme.Edited, theme.Warning, 14), text)
}

// minutes drops the seconds of a sum, which would only make it jump.
func minutes(seconds int64) time.Duration {
	return (time.Duration(seconds) * time.Second).Truncate(time.Minute)
}

func badge(p pow.ProjectRef) theme.Badge { return theme.BadgeFor(string(p.ID), p.Name, p.Color) }
