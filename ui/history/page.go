// Package history is the page of past weeks: a table of projects and days, each
// cell split by how far its time has come, the timeline of one day with its gaps
// named, and the week as a file.
//
// The numbers are the agent's own, from the headers and receipts on this
// computer. Where the team booked something else than what was proven, that is a
// row of its own and never smoothed over.
package history

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the page's ways out, wired by the window.
type Links struct {
	Say  func(error) (what, mend string)
	Save func(name string, content []byte) // asks for a place and writes a file
}

// Page draws the History page.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time

	root   *fyne.Container
	head   *widgets.Head
	next   *widgets.Button
	prev   *widgets.Button
	export *widgets.Button
	fail   *widgets.Note
	rows   *fyne.Container
	table  *fyne.Container
	legend *fyne.Container
	empty  *fyne.Container
	day    dayCard
	proofs *widgets.Button
	check  *widgets.Note
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, links Links) *Page {
	p := &Page{links: links, now: c.Now}
	c.Show = p.draw
	p.Presenter = New(c)
	p.prev = widgets.NewButton("", theme.Back, widgets.Quiet, func() { p.Presenter.Move(-1) })
	p.next = widgets.NewButton("", theme.Forward, widgets.Quiet, func() { p.Presenter.Move(1) })
	p.export = widgets.NewButton(words.T("history.export"), theme.Save, widgets.Plain, p.offerExport)
	p.head = widgets.NewHead(words.T("page.history"), p.prev, p.next, p.export)
	p.fail, p.check = widgets.NewNote(), widgets.NewNote()
	p.rows = widgets.Column(0)
	p.legend = legend()
	p.table = widgets.Card(widgets.Column(12, p.rows, widgets.NewRule(), p.legend))
	p.empty = widgets.Card(widgets.Column(8,
		widgets.NewText(words.T("history.empty"), widgets.Style{Size: theme.SubHeading, Bold: true, Wrap: true}),
		widgets.NewText(words.T("history.empty.text"), widgets.Style{Role: theme.Muted, Wrap: true})))
	p.day.build(p)
	p.proofs = widgets.NewButton(words.T("history.check"), theme.Verified, widgets.Plain, p.Presenter.CheckProofs)
	about := widgets.NewText(words.T("history.check.text"), widgets.Style{Role: theme.Muted, Wrap: true})
	p.root = widgets.Page(p.head.Box, p.fail.Box, p.empty, p.table, p.day.box,
		widgets.Card(widgets.Column(12, widgets.Line(14, about, about, p.proofs), p.check.Box)))
	p.draw(p.Presenter.Model())
	return p
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) { p.Presenter.Update(s) }

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible tells whether the page can be seen.
func (p *Page) Visible(on bool) { p.Presenter.Visible(on) }

// Period returns 0: nothing moves here.
func (p *Page) Period(bool) time.Duration { return 0 }

// Tick is never asked for.
func (p *Page) Tick() {}

// Focus returns the first control.
func (p *Page) Focus() fyne.Focusable { return p.prev }

// Back closes the timeline of a day; it tells whether one was open.
func (p *Page) Back() bool { return p.Presenter.CloseDay() }

func (p *Page) offerExport() {
	item := func(k Kind, text string) widgets.MenuItem {
		return widgets.MenuItem{Icon: theme.Save, Text: text, Do: func() {
			name, content, err := p.Presenter.Export(k)
			if err != nil {
				p.fail.Fail(p.links.Say(err))
				return
			}
			p.links.Save(name, content)
		}}
	}
	widgets.ShowMenu(p.export, []widgets.MenuItem{item(CSV, words.T("history.csv")), item(JSON, words.T("history.json"))})
}

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	from, to := m.Week, m.Date(6)
	p.head.SetContext(words.Day(from) + " – " + words.Day(to) + " · " + words.Duration(whole(m.Total)))
	enable(p.next, !m.Latest(p.now()) && !m.Lost)
	enable(p.prev, !m.Lost)
	enable(p.export, len(m.Rows) > 0)
	enable(p.proofs, !m.Busy && !m.Lost)
	if m.Err != nil {
		p.fail.Fail(p.links.Say(m.Err))
	} else {
		p.fail.Fail("", "")
	}
	widgets.Show(p.empty, m.Ready && len(m.Rows) == 0)
	widgets.Show(p.table, len(m.Rows) > 0)
	p.drawRows(m)
	p.day.draw(p, m)
	p.drawCheck(m)
	p.root.Refresh()
}

func enable(b *widgets.Button, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}

func (p *Page) drawCheck(m Model) {
	switch {
	case m.Busy:
		p.check.Set(theme.Info, theme.Inform, words.T("history.checking"), "")
	case m.Check == nil:
		p.check.Set(theme.Info, theme.Inform, "", "")
	case m.Check.State == "ok":
		p.check.Set(theme.Success, theme.Verified, words.Foreign(m.Check.Detail), "")
	default:
		p.check.Set(theme.Warning, theme.Warn, words.Foreign(m.Check.Detail), words.Foreign(m.Check.Mend))
	}
}

// parts are how far time can have come, in order.
var parts = [...]struct {
	key    string
	look   widgets.Share
	amount func(pow.HistoryDay) int64
}{
	{"history.booked", widgets.Share{Role: theme.Success, Pattern: theme.Solid}, func(d pow.HistoryDay) int64 { return d.Booked }},
	{"history.verified", widgets.Share{Role: theme.Success, Pattern: theme.Hatch}, func(d pow.HistoryDay) int64 { return d.Verified }},
	{"history.on_the_way", widgets.Share{Role: theme.Info, Pattern: theme.Dots}, func(d pow.HistoryDay) int64 { return d.OnTheWay }},
	{"history.unregistered", widgets.Share{Role: theme.Muted, Pattern: theme.Upright}, func(d pow.HistoryDay) int64 { return d.Unregistered }},
}

func split(d pow.HistoryDay) (all []widgets.Share) {
	for _, p := range parts {
		p.look.Amount = p.amount(d)
		all = append(all, p.look)
	}
	return all
}

func legend() *fyne.Container {
	row := widgets.Wrap(14)
	add := func(role fyne.ThemeColorName, p theme.Pattern, key string) {
		row.Objects = append(row.Objects, widgets.Line(6, nil, widgets.NewSwatch(role, p),
			widgets.NewText(words.T(key), widgets.Style{Size: theme.Small, Role: theme.Muted, Fixed: true})))
	}
	for _, p := range parts {
		add(p.look.Role, p.look.Pattern, p.key)
	}
	add(theme.Muted, theme.Rising, "history.kept")
	return row
}

func (p *Page) drawRows(m Model) {
	p.rows.Objects = []fyne.CanvasObject{header(m, p.now())}
	most := int64(1)
	for _, r := range m.Rows {
		for _, d := range r.Days {
			most = max(most, d.Total)
		}
	}
	for _, r := range m.Rows {
		p.rows.Objects = append(p.rows.Objects, widgets.NewRule(), p.row(m, r, most))
		for i, d := range r.Days {
			if d.Difference != 0 {
				p.rows.Objects = append(p.rows.Objects, difference(m.Date(i), d))
			}
		}
	}
	sums := make([]fyne.CanvasObject, 7)
	for i, n := range m.Days {
		sums[i] = widgets.NewText(short(n), widgets.Style{Size: theme.Small, Bold: true, Right: true, Fixed: true})
	}
	p.rows.Objects = append(p.rows.Objects, widgets.NewRule(), weekRow(
		widgets.NewText(words.T("history.sum"), widgets.Style{Bold: true}), total(m.Total), sums))
}

func header(m Model, now time.Time) fyne.CanvasObject {
	cells := make([]fyne.CanvasObject, 7)
	for i := range cells {
		d := m.Date(i)
		style := widgets.Style{Size: theme.Small, Role: theme.Muted, Right: true, Fixed: true}
		if dayIndex(m.Week, now) == i {
			style.Role, style.Bold = theme.Primary, true
		}
		cells[i] = widgets.NewText(words.T(fmt.Sprintf("weekday.%d", d.Weekday()))+" "+fmt.Sprint(d.Day()), style)
	}
	return weekRow(widgets.Caption(words.T("history.project")), widgets.NewText("", widgets.Style{Fixed: true}), cells)
}

// row is one project: its name, a cell for each day, and its sum.
func (p *Page) row(m Model, r Row, most int64) fyne.CanvasObject {
	name := widgets.NewText(words.Name(r.Project.Name), widgets.Style{Bold: true})
	look := theme.BadgeFor(string(r.Project.ID), r.Project.Name, r.Project.Color)
	cells := make([]fyne.CanvasObject, 7)
	for i, d := range r.Days {
		cells[i] = p.cell(m, i, d, most)
	}
	return weekRow(widgets.Line(10, name, widgets.NewBadge(look), name), total(r.Sum.Total), cells)
}

// cell is one day of one project; pressed, it opens the day.
func (p *Page) cell(m Model, i int, d pow.HistoryDay, most int64) fyne.CanvasObject {
	if d.Total == 0 && d.Difference == 0 {
		return widgets.NewText("–", widgets.Style{Size: theme.Small, Role: theme.Hint, Right: true, Fixed: true})
	}
	bar := widgets.NewSplit(24, 10)
	bar.Set(most, d.Kept+d.ByHand, split(d)...)
	text := widgets.NewText(short(d.Total), widgets.Style{Size: theme.Small, Right: true, Fixed: true})
	return widgets.NewPress(widgets.Column(3, text, bar),
		widgets.Look{Radius: theme.RadiusThumb, PadX: 3, PadY: 4}, func() { p.Presenter.OpenDay(i) })
}

func difference(day time.Time, d pow.HistoryDay) fyne.CanvasObject {
	key, n := "history.more", d.Difference
	if n < 0 {
		key, n = "history.less", -n
	}
	text := widgets.NewText(words.T(key, words.Data{"Day": words.Day(day), "Time": words.Duration(time.Duration(n) * time.Second)}),
		widgets.Style{Size: theme.Small, Role: theme.Warning, Wrap: true})
	return widgets.Inset(0, 4, widgets.Line(8, text, widgets.NewIcon(theme.Warn, theme.Warning, 16), text))
}

func whole(seconds int64) time.Duration {
	return (time.Duration(seconds) * time.Second).Truncate(time.Minute)
}

func short(seconds int64) string {
	if seconds == 0 {
		return "–"
	}
	return words.Short(time.Duration(seconds) * time.Second)
}

func total(seconds int64) *widgets.Text {
	return widgets.NewText(short(seconds), widgets.Style{Bold: true, Right: true, Fixed: true})
}
