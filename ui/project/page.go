// Package project is the page of what one project asks for: a plain table of
// what leaves this computer, who reads it and how long it is kept, the choices
// that the member has inside that, and the signature under it.
//
// Nothing is agreed to by itself. Terms that ask for more than was agreed to
// stand beside the old ones. What the member may not choose is shown greyed with
// the reason, never hidden. The View is the table without a header, for the
// first run, which shows it too.
package project

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the ways out, wired by the window.
type Links struct {
	Say  func(error) (what, mend string)
	Copy func(string)                     // puts text on the clipboard
	Done func(id pow.ProjectID, yes bool) // the person agreed, or not now
}

// View draws the terms of one project.
type View struct {
	Presenter *Presenter
	Body      *fyne.Container
	OnDrawn   func() // its height may be another one now
	links     Links
	now       func() time.Time

	badge  *widgets.Badge
	name   *widgets.Text
	group  *widgets.Text
	npub   *widgets.Text
	copy   *widgets.Button
	state  *widgets.Note
	table  *fyne.Container
	choice choices
	fold   *widgets.Button
	policy *widgets.Text
	text   *fyne.Container
	fail   *widgets.Note
	ask    *widgets.Note
	later  *widgets.Button
	agree  *widgets.Button
	back   *widgets.Button
	keep   *widgets.Button
	gone   *widgets.Button
	all    *fyne.Container
	wait   *widgets.Text
}

// NewView makes a view without a project; Show and Done of c are its own.
func NewView(c Config, now func() time.Time, links Links) *View {
	v := &View{links: links, now: now}
	c.Show = v.draw
	c.Done = func(yes bool) { links.Done(v.Presenter.model.ID, yes) }
	v.Presenter = New(c)
	v.badge = widgets.NewBadge(theme.BadgeFor("", "", ""))
	v.name = widgets.NewText("", widgets.Style{Size: theme.SubHeading, Bold: true, Wrap: true})
	v.group = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	v.npub = widgets.NewText("", widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted})
	v.copy = widgets.NewButton("", theme.Copy, widgets.Quiet, func() { links.Copy(v.Presenter.model.Terms.DVMNpub) })
	v.state, v.fail, v.ask = widgets.NewNote(), widgets.NewNote(), widgets.NewNote()
	v.table = widgets.Column(0)
	v.choice.build(v)
	v.buildPolicy()
	v.buildButtons()
	v.wait = widgets.NewText(words.T("project.loading"), widgets.Style{Role: theme.Muted, Wrap: true})
	title := widgets.Column(0, v.name, v.group)
	v.all = widgets.Column(theme.CardGap,
		v.state.Box,
		widgets.Card(widgets.Column(12, widgets.Line(12, title, v.badge, title), widgets.Line(4, v.npub, v.npub, v.copy), widgets.NewRule(), v.table)),
		v.choice.box,
		v.text,
		v.ask.Box,
		v.fail.Box,
		widgets.Wrap(theme.Gap, v.later, v.keep, v.back, v.gone, v.agree),
	)
	v.Body = widgets.Column(theme.CardGap, v.wait, v.all)
	v.draw(v.Presenter.Model())
	return v
}

func (v *View) buildPolicy() {
	v.fold = widgets.NewButton(words.T("project.policy.show"), theme.Down, widgets.Quiet, v.Presenter.Unfold)
	v.policy = widgets.NewText("", widgets.Style{Wrap: true})
	v.text = widgets.Card(widgets.Column(8, widgets.Wrap(0, v.fold), v.policy))
}

func (v *View) buildButtons() {
	v.later = widgets.NewButton(words.T("act.not_now"), "", widgets.Plain, v.Presenter.NotNow)
	v.agree = widgets.NewButton(words.T("project.agree"), theme.Sign, widgets.Main, v.Presenter.Agree)
	v.back = widgets.NewButton(words.T("project.withdraw"), "", widgets.Plain, v.Presenter.AskWithdraw)
	v.keep = widgets.NewButton(words.T("project.withdraw.keep"), "", widgets.Plain, v.Presenter.Keep)
	v.gone = widgets.NewButton(words.T("project.withdraw.yes"), theme.Remove, widgets.Harm, v.Presenter.Withdraw)
}

// First returns what takes the focus: the button that changes nothing.
func (v *View) First() fyne.Focusable {
	switch m := v.Presenter.model; {
	case !m.Known:
		return nil
	case m.Asking:
		return v.keep
	case v.later.Visible():
		return v.later
	}
	return v.back
}

func (v *View) draw(m Model) {
	if v.Body == nil {
		return
	}
	v.wait.Hidden, v.all.Hidden = m.Known || m.Err != nil, !m.Known && m.Err == nil
	if m.Err != nil {
		v.fail.Fail(v.links.Say(m.Err))
	} else {
		v.fail.Fail("", "")
	}
	v.drawHead(m)
	v.drawState(m)
	v.table.Objects = nil
	for i, l := range asked(m.Terms) {
		if i > 0 {
			v.table.Objects = append(v.table.Objects, widgets.NewRule())
		}
		v.table.Objects = append(v.table.Objects, row(l))
	}
	v.choice.draw(m)
	v.text.Hidden = m.Terms.Policy == ""
	v.policy.Hidden = !m.Policy
	v.policy.Set(paragraphs(m.Terms.Policy))
	v.fold.Set(words.T("project.policy.show"), theme.Down, widgets.Quiet)
	if m.Policy {
		v.fold.Set(words.T("project.policy.hide"), theme.Up, widgets.Quiet)
	}
	v.drawButtons(m)
	widgets.Relayout(v.Body)
	if v.OnDrawn != nil {
		v.OnDrawn()
	}
}

func (v *View) drawHead(m Model) {
	t := m.Terms
	v.badge.Set(theme.BadgeFor(string(t.Project.ID), t.Project.Name, t.Project.Color))
	v.name.Set(words.Name(t.Project.Name))
	by := words.T("project.asked_by", words.Data{"Team": words.Name(t.Team)})
	if g := words.Name(t.Project.Group); g != "" {
		by = g + " · " + by
	}
	v.group.Set(by)
	v.npub.Set(words.Key(t.DVMNpub))
}

func (v *View) drawState(m Model) {
	day := words.Data{"Day": words.Day(m.Terms.AgreedAt), "Team": words.Name(m.Terms.Team)}
	more := ""
	if m.Again {
		more = words.T("project.again")
	}
	switch m.Terms.Consent {
	case pow.ConsentGiven:
		v.state.Set(theme.Success, theme.Verified, words.T("project.given", day), words.T("project.given.text"))
	case pow.ConsentChanged:
		if m.Terms.PolicyChanged {
			more = strings.TrimSpace(more + " " + words.T("project.policy.changed"))
		}
		v.state.Set(theme.Warning, theme.Warn, words.T("project.changed", day), strings.TrimSpace(words.T("project.changed.text")+" "+more))
	case pow.ConsentWithdrawn:
		v.state.Set(theme.Off, theme.OffRecord, words.T("project.withdrawn"), words.T("project.needed.text"))
	default:
		v.state.Set(theme.Info, theme.Inform, words.T("project.needed"), strings.TrimSpace(words.T("project.needed.text")+" "+more))
	}
	v.state.Box.Hidden = !m.Known
}

func (v *View) drawButtons(m Model) {
	v.later.Hidden = m.Asking || !m.MayAgree()
	v.agree.Hidden = m.Asking || !m.MayAgree()
	v.back.Hidden = m.Asking || !m.Bound()
	v.keep.Hidden, v.gone.Hidden = !m.Asking, !m.Asking
	v.ask.Set(theme.Warning, theme.Warn, "", "")
	if m.Asking {
		team := words.Data{"Team": words.Name(m.Terms.Team), "Days": m.Terms.Project.Retention}
		text := words.T("project.withdraw.text", team)
		if m.Terms.Project.Retention > 0 {
			text = words.T("project.withdraw.until", team)
		}
		v.ask.Set(theme.Warning, theme.Warn, words.T("project.withdraw.ask"), text)
	}
	for _, b := range []*widgets.Button{v.agree, v.back, v.gone} {
		if m.Busy || m.Lost {
			b.Disable()
		} else {
			b.Enable()
		}
	}
}

// row is one line of the table.
func row(l line) fyne.CanvasObject {
	value := fyne.CanvasObject(widgets.NewText(l.value, widgets.Style{Wrap: true}))
	if l.was != "" {
		value = widgets.Sides(8, 300, side(words.T("project.before"), l.was, theme.Ground, theme.Muted), side(words.T("project.now"), l.value, theme.TintWarning, theme.Warning))
	}
	return widgets.Inset(0, 10, widgets.Fact(l.icon, l.what, value))
}

// side is one half of a comparison.
func side(caption, value string, ground, ink fyne.ThemeColorName) fyne.CanvasObject {
	text := widgets.Column(2, widgets.NewText(caption, widgets.Style{Size: theme.Caption, Bold: true, Role: ink}), widgets.NewText(value, widgets.Style{Wrap: true}))
	return widgets.Layers(widgets.NewFill(ground, "", theme.RadiusField), widgets.Inset(10, 8, text))
}

// Page is the View with a header, as the window shows it.
type Page struct {
	*View
	root *fyne.Container
	head *widgets.Head
}

// NewPage makes the page.
func NewPage(c Config, now func() time.Time, links Links) *Page {
	p := &Page{View: NewView(c, now, links), head: widgets.NewHead(words.T("page.project"))}
	p.root = widgets.Page(p.head.Box, p.Body)
	return p
}

// Open shows a project.
func (p *Page) Open(id pow.ProjectID) { p.Presenter.Open(id) }

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) {
	p.head.SetContext(words.Name(s.Team))
	p.Presenter.Find()
}

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible asks for the terms again when the page comes up.
func (p *Page) Visible(on bool) {
	if on {
		p.Presenter.Load()
	}
}

// Period is 0: nothing here moves by itself.
func (p *Page) Period(bool) time.Duration { return 0 }

// Tick does nothing.
func (p *Page) Tick() {}

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.First() }

// Back leaves the question about withdrawing, then the page.
func (p *Page) Back() bool {
	if p.Presenter.model.Asking {
		p.Presenter.Keep()
		return true
	}
	p.Presenter.NotNow()
	return true
}

// choices is the card of what the member decides inside the terms.
type choices struct {
	box       *fyne.Container
	pictures  *widgets.Switch
	detail    *widgets.Segments
	timer     *widgets.Switch
	seal      *widgets.Segments
	interval  *widgets.Segments
	rows      [5]*widgets.Row
	intervals string // what the options of interval were built for
	holder    *fyne.Container
	change    func(func(*pow.ProjectChoice))
}

func (c *choices) build(v *View) {
	change := v.Presenter.Change
	c.change = change
	c.pictures = widgets.NewSwitch(func(on bool) { change(func(p *pow.ProjectChoice) { p.Pictures = on }) })
	var details []widgets.Option
	for _, d := range ladder {
		details = append(details, widgets.Option{ID: string(d), Name: words.T("project.choose." + string(d))})
	}
	c.detail = widgets.NewSegments(details, func(id string) { change(func(p *pow.ProjectChoice) { p.Detail = pow.Detail(id) }) })
	c.timer = widgets.NewSwitch(func(on bool) { change(func(p *pow.ProjectChoice) { p.ShowTimer = on }) })
	var waits []widgets.Option
	for _, s := range SealAfters {
		waits = append(waits, widgets.Option{ID: strconv.Itoa(s), Name: after(s)})
	}
	c.seal = widgets.NewSegments(waits, func(id string) { change(func(p *pow.ProjectChoice) { p.SealAfter, _ = strconv.Atoi(id) }) })
	c.holder = widgets.Column(0)
	c.rows = [5]*widgets.Row{
		widgets.NewRow(words.T("project.choice.pictures"), "", c.pictures.Press).Small(),
		widgets.NewRow(words.T("project.choice.interval"), words.T("project.choice.interval.text"), c.holder),
		widgets.NewRow(words.T("project.choice.detail"), "", c.detail.Box),
		widgets.NewRow(words.T("project.choice.timer"), "", c.timer.Press).Small(),
		widgets.NewRow(words.T("project.choice.seal"), words.T("project.choice.seal.text"), c.seal.Box),
	}
	c.box = widgets.Group(words.T("project.yours"), c.rows[0].Box, c.rows[1].Box, c.rows[2].Box, c.rows[3].Box, c.rows[4].Box)
}

func (c *choices) draw(m Model) {
	p := m.Terms.Project
	c.pictures.Set(m.Choice.Pictures)
	switch p.Pictures {
	case pow.Optional:
		c.pictures.Enable()
		c.rows[0].More(words.T("project.choice.pictures.text"))
	case pow.Required:
		c.pictures.Disable()
		c.rows[0].More(words.T("project.choice.pictures.required"))
	default:
		c.pictures.Disable()
		c.rows[0].More(words.T("project.choice.pictures.none"))
	}
	c.drawInterval(m)
	c.detail.Choose(string(m.Choice.Detail))
	c.detail.Allow(func(id string) bool { return m.Allows(pow.Detail(id)) })
	c.rows[2].More(words.T("project.choice.detail.text", words.Data{"Most": detail(p.Detail)}))
	c.timer.Set(m.Choice.ShowTimer)
	team := words.Data{"Team": words.Name(m.Terms.Team)}
	c.rows[3].More(words.T("project.choice.timer.off", team))
	if m.Choice.ShowTimer {
		c.rows[3].More(words.T("project.choice.timer.on", team))
	}
	c.seal.Choose(strconv.Itoa(m.Choice.SealAfter))
}

// drawInterval offers the intervals that the project allows.
func (c *choices) drawInterval(m Model) {
	list := m.Intervals()
	c.rows[1].Box.Hidden = !m.Choice.Pictures || len(list) < 2
	if key := strconv.Itoa(m.Terms.Project.Interval); c.interval == nil || c.intervals != key {
		c.intervals = key
		var options []widgets.Option
		for _, s := range list {
			options = append(options, widgets.Option{ID: strconv.Itoa(s), Name: interval(s, m.Terms.Project)})
		}
		c.interval = widgets.NewSegments(options, func(id string) {
			c.change(func(p *pow.ProjectChoice) { p.Interval, _ = strconv.Atoi(id) })
		})
		c.holder.Objects = []fyne.CanvasObject{c.interval.Box}
	}
	c.interval.Choose(strconv.Itoa(m.Choice.Interval))
}
