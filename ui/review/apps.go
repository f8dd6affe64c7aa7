package review

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// appsPane is the table of app times: row by row what would leave this computer.
type appsPane struct {
	box       *fyne.Container
	source    *widgets.Text
	sum       *widgets.Text
	soon      *widgets.State
	list      *widgets.List
	ground    *widgets.Fill
	columns   *fyne.Container
	empty     *widgets.Text
	app       *widgets.Button
	titles    *widgets.Button
	why       *widgets.Text
	acts      *fyne.Container
	presenter *Presenter
	rows      []pow.AppTime
	at        int
	lost      bool
}

func (a *appsPane) build(p *Page) {
	a.presenter = p.Presenter
	a.source = widgets.NewText(words.T("review.apps.source"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	a.sum = widgets.NewText("", widgets.Style{Bold: true, Wrap: true})
	a.soon = widgets.NewState(false)
	a.ground = widgets.NewFill(theme.Surface, theme.Line, theme.RadiusCard)
	a.empty = widgets.NewText(words.T("review.apps.empty"), widgets.Style{Role: theme.Muted, Wrap: true})
	small := widgets.Style{Size: theme.Caption, Role: theme.Muted, Bold: true}
	a.columns = &fyne.Container{Layout: appRow{}, Objects: []fyne.CanvasObject{
		widgets.NewText(words.T("review.apps.sent"), small), widgets.NewText(words.T("review.apps.app"), small),
		widgets.NewText(words.T("review.apps.title"), small), widgets.NewText(words.T("review.apps.time"), widgets.Style{Size: theme.Caption, Role: theme.Muted, Bold: true, Right: true}),
	}}
	a.list = widgets.NewList(func() int { return len(a.rows) }, a.newRow, a.fill)
	follow := a.list.OnHighlighted
	a.list.OnHighlighted = func(i int) { follow(i); a.point(i) }
	a.list.OnSelected = a.point
	a.list.OnKey = a.key
	a.app = widgets.NewKeyed(words.T("review.apps.leave_app"), "A", theme.Skipped, widgets.Plain, func() { a.leaveApp(false) })
	a.titles = widgets.NewKeyed(words.T("review.apps.leave_titles"), "T", theme.Skipped, widgets.Plain, func() { a.leaveApp(true) })
	a.why = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	a.acts = widgets.Column(6, widgets.Wrap(theme.Gap, a.app, a.titles), a.why)
	a.box = &fyne.Container{Layout: appsLayout{a}, Objects: []fyne.CanvasObject{
		a.source, a.sum, a.soon.Box, a.ground, a.columns, a.list, a.empty, a.acts,
	}}
}

// appTick is the room of the tick before a row.
const appTick = 40

// appRow lays out tick, app, title and time, as far as there is room.
type appRow struct{}

func (appRow) Layout(o []fyne.CanvasObject, size fyne.Size) {
	right := min(150, size.Width*0.34)
	name := (size.Width - appTick - right - 16) * 0.4
	if size.Width < 520 { // the title stands below the app
		name = size.Width - appTick - right - 8
	}
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	h := o[1].MinSize().Height
	put(o[0], 0, (size.Height-36)/2, 36, 36)
	if _, text := o[0].(*widgets.Text); text {
		put(o[0], 0, (size.Height-h)/2, 36, h)
	}
	put(o[3], size.Width-right-8, (size.Height-o[3].MinSize().Height)/2, right, o[3].MinSize().Height)
	t := o[2].MinSize().Height
	if size.Width < 520 && size.Height > h+t {
		y := (size.Height - h - t) / 2
		put(o[1], appTick, y, name, h)
		put(o[2], appTick, y+h, name, t)
		return
	}
	put(o[1], appTick, (size.Height-h)/2, name, h)
	if size.Width < 520 {
		o[2].Move(fyne.NewPos(-2000, 0)) // out of sight: what it says stands below the app
		return
	}
	x := appTick + name + 8
	put(o[2], x, (size.Height-t)/2, max(0, size.Width-right-8-x), t)
}

func (appRow) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(200, max(40, o[1].MinSize().Height+o[2].MinSize().Height+6))
}

// appLine is one row of the table, used again for others.
type appLine struct {
	tick              *widgets.Button
	name, title, time *widgets.Text
	row               int
}

func (a *appsPane) newRow() fyne.CanvasObject {
	l := &appLine{
		name: widgets.NewText("", widgets.Style{}), title: widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted}),
		time: widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Right: true}),
	}
	l.tick = widgets.NewButton("", theme.CheckOn, widgets.Quiet, func() { a.toggle(l.row) })
	return &fyne.Container{Layout: appHolder{appRow{}, l}, Objects: []fyne.CanvasObject{l.tick, l.name, l.title, l.time}}
}

// appHolder carries the parts of a row, so that filling it needs no search.
type appHolder struct {
	appRow
	line *appLine
}

func (a *appsPane) fill(n int, o fyne.CanvasObject) {
	if n >= len(a.rows) {
		return
	}
	r := a.rows[n]
	l := o.(*fyne.Container).Layout.(appHolder).line
	l.row = n
	icon, role := theme.CheckOn, theme.Text
	if r.LeftOut {
		icon, role = theme.CheckOff, theme.Faint
	}
	l.tick.Set("", icon, widgets.Quiet)
	l.name.SetRole(role)
	l.name.Set(words.Name(appName(r)))
	l.title.Set(appDetail(r))
	l.time.Set(words.Time(r.From) + "–" + words.Time(r.To) + " · " + words.Duration(r.To.Sub(r.From)))
	o.Refresh()
}

// appDetail is the title or the host, or why the row does not leave.
func appDetail(r pow.AppTime) string {
	switch {
	case r.Rule != "":
		return words.T("review.apps.by_rule", words.Data{"Rule": words.Foreign(r.Rule)})
	case r.LeftOut:
		return words.T("review.apps.left_out")
	case r.Title != "":
		return words.Foreign(r.Title)
	}
	return words.Foreign(r.Host)
}

func (a *appsPane) toggle(n int) {
	if n < len(a.rows) && !a.lost {
		a.presenter.LeaveOut(a.rows[n])
	}
}

func (a *appsPane) key(ev *fyne.KeyEvent, at int) bool {
	switch ev.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		a.toggle(at)
	case fyne.KeyA:
		a.leaveApp(false)
	case fyne.KeyT:
		a.leaveApp(true)
	default:
		return false
	}
	return true
}

func (a *appsPane) leaveApp(titles bool) {
	if r, ok := a.row(); ok && r.App != "" && !a.lost {
		a.presenter.LeaveOutApp(r.App, titles)
	}
}

func (a *appsPane) row() (pow.AppTime, bool) {
	if a.at < 0 || a.at >= len(a.rows) {
		return pow.AppTime{}, false
	}
	return a.rows[a.at], true
}

// point makes a row the one that the buttons are about.
func (a *appsPane) point(i int) {
	a.at = i
	r, ok := a.row()
	enable(a.app, ok && r.App != "" && !a.lost)
	enable(a.titles, ok && r.App != "" && r.Title != "" && !a.lost)
	switch {
	case ok && r.App != "":
		a.why.Set(words.T("review.apps.about", words.Data{"App": words.Name(r.App)}))
	case ok:
		a.why.Set(words.T("review.apps.no_name"))
	default:
		a.why.Set(words.T("review.apps.choose"))
	}
	widgets.Relayout(a.box)
}

func (a *appsPane) draw(m Model) {
	a.rows, a.lost = m.ShownRows(), m.Lost
	var sent time.Duration
	out, soon := 0, false
	for _, r := range a.rows {
		if r.LeftOut {
			out++
		} else if r.Kind != "web" {
			sent += r.To.Sub(r.From)
		}
		soon = soon || r.Provisional
	}
	a.sum.Set(words.N("review.apps.sum", len(a.rows)-out, words.Data{"Duration": words.Duration(sent.Truncate(time.Minute))}))
	if out > 0 {
		a.sum.Set(a.sum.Words() + " · " + words.N("review.apps.out", out))
	}
	a.soon.Box.Hidden = !soon
	a.soon.Set(theme.Warn, theme.Warning, words.T("review.apps.provisional"))
	a.empty.Hidden = len(a.rows) > 0 || !m.RowsSeen
	for _, o := range []fyne.CanvasObject{a.sum, a.list, a.columns, a.acts} {
		if len(a.rows) > 0 {
			o.Show()
		} else {
			o.Hide()
		}
	}
	a.list.Refresh()
	a.point(a.at)
}

// appsLayout puts the table between where it comes from and what can be done.
type appsLayout struct{ a *appsPane }

func (l appsLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	a := l.a
	y := float32(0)
	for _, o := range []fyne.CanvasObject{a.source, a.sum, a.soon.Box} {
		if o.Visible() {
			h := widgets.HeightFor(o, size.Width)
			o.Move(fyne.NewPos(0, y))
			o.Resize(fyne.NewSize(size.Width, h))
			y += h + 6
		}
	}
	foot := size.Height
	if a.acts.Visible() {
		h := widgets.HeightFor(a.acts, size.Width)
		foot -= h
		a.acts.Move(fyne.NewPos(0, foot))
		a.acts.Resize(fyne.NewSize(size.Width, h))
		foot -= 10
	}
	a.ground.Move(fyne.NewPos(0, y))
	a.ground.Resize(fyne.NewSize(size.Width, max(0, foot-y)))
	a.columns.Move(fyne.NewPos(12, y+6))
	a.columns.Resize(fyne.NewSize(size.Width-24, 20))
	a.list.Move(fyne.NewPos(8, y+28))
	a.list.Resize(fyne.NewSize(size.Width-16, max(0, foot-y-34)))
	a.empty.Move(fyne.NewPos(16, y+16))
	a.empty.Resize(fyne.NewSize(size.Width-32, 60))
}

func (l appsLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(280, 160) }
