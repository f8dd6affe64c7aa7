package history

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// dayCard is the timeline of one day.
type dayCard struct {
	box   *fyne.Container
	title *widgets.Text
	rows  *fyne.Container
	close *widgets.Button
}

func (d *dayCard) build(p *Page) {
	d.title = widgets.NewText("", widgets.Style{Size: theme.SubHeading, Bold: true})
	d.close = widgets.NewButton("", theme.Close, widgets.Quiet, func() { p.Presenter.CloseDay() })
	d.rows = widgets.Column(0)
	d.box = widgets.Card(widgets.Column(8, widgets.Line(8, d.title, d.title, d.close), d.rows))
	d.box.Hide()
}

func (d *dayCard) draw(p *Page, m Model) {
	widgets.Show(d.box, m.Day != nil)
	if m.Day == nil {
		return
	}
	d.title.Set(words.Day(m.Day.Date))
	d.rows.Objects = nil
	for _, i := range m.Day.Items {
		if i.Gap.Valid() {
			d.rows.Objects = append(d.rows.Objects, gapRow(i.Gap))
		} else {
			d.rows.Objects = append(d.rows.Objects, entryRow(i.Entry, p.now()))
		}
	}
	if len(m.Day.Items) == 0 && m.Day.Ready {
		d.rows.Objects = []fyne.CanvasObject{widgets.NewText(words.T("history.day_empty"), widgets.Style{Role: theme.Muted, Wrap: true})}
	}
}

// timeWidth is the column of the times.
const timeWidth = 92

func line(times string, muted bool, content fyne.CanvasObject) fyne.CanvasObject {
	style := widgets.Style{Size: theme.Small, Role: theme.Text}
	if muted {
		style.Role = theme.Muted
	}
	left := widgets.Layers(widgets.NewSpace(timeWidth, 1), widgets.NewText(times, style))
	return widgets.Inset(0, 6, widgets.Line(10, content, left, content))
}

func gapRow(gap pow.Interval) fyne.CanvasObject {
	text := widgets.NewText(words.T("history.gap", words.Data{"Time": words.Duration(gap.Duration())}),
		widgets.Style{Size: theme.Small, Role: theme.Muted})
	return line(words.Time(gap.From)+"–"+words.Time(gap.To), true, widgets.Layers(
		widgets.NewFill(theme.Band, "", theme.RadiusThumb), widgets.Inset(10, 4, text)))
}

func entryRow(e pow.Entry, now time.Time) fyne.CanvasObject {
	times, long := words.Time(e.From)+"–"+words.T("timer.now"), now.Sub(e.From).Truncate(time.Minute)
	if !e.To.IsZero() {
		times, long = words.Time(e.From)+"–"+words.Time(e.To), whole(e.Seconds)
	}
	about := ""
	switch {
	case e.Kept:
		about = words.T("timer.kept")
	case e.ByHand:
		about = words.T("history.by_hand")
	}
	if e.Note != "" {
		if about != "" {
			about += " · "
		}
		about += words.Foreign(e.Note)
	}
	name := widgets.Column(0, widgets.NewText(words.Name(e.Project.Name), widgets.Style{Bold: true}))
	if about != "" {
		name.Objects = append(name.Objects, widgets.NewText(about, widgets.Style{Size: theme.Small, Role: theme.Muted}))
	}
	state := widgets.NewState(false)
	mark := words.Entry(e.State)
	state.Set(mark.Icon, mark.Role, mark.Word)
	sum := widgets.NewText(words.Duration(long), widgets.Style{Bold: true, Fixed: true, Right: true})
	look := theme.BadgeFor(string(e.Project.ID), e.Project.Name, e.Project.Color)
	return line(times, false, widgets.Line(10, name, widgets.NewBadge(look), name, widgets.Column(0, sum, widgets.Right(state.Box))))
}
