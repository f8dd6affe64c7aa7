// Package tracker is the Timer page: what is running, for how long, what waits
// to be registered, and what today was made of.
//
// The Presenter is plain Go: it holds the state, asks the agent beside its own
// goroutine and hands a Model to the view. The Page draws it. The clock shows
// the agent's number plus what passed since it came; it counts nothing itself,
// so it is right again after a pause, a sleep or a restart of the window.
package tracker

import (
	"reflect"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the page's ways out, wired by the window.
type Links struct {
	Say      func(error) (what, mend string)
	Register func()               // opens the Register sheet
	Review   func()               // opens the pictures of the day
	Look     func(id string)      // opens one picture
	Asks     func(pow.ProjectID)  // opens what a project asks for
	Join     func()               // opens the page for an invite link
	Try      func()               // opens the rehearsal, which needs no team
	Copy     func(string)         // puts text on the clipboard
	Undo     func(string, func()) // shows a result with Undo
}

// Page draws the Timer page.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time
	seconds   bool  // whether the clock shows them
	visible   bool  // a hidden page draws nothing: Fyne would repaint all the same
	minute    int64 // of what changes once a minute, as drawn last
	drawn     Model

	root    *fyne.Container
	head    *widgets.Head
	hero    hero
	waiting waiting
	last    last
	day     day
	empty   empty
}

// NewPage makes the page; Show, Switched and Edited of c are its own.
func NewPage(c Config, links Links) *Page {
	p := &Page{links: links, now: c.Now, seconds: true}
	c.Show = p.draw
	c.Switched = func(s Switched) {
		links.Undo(words.T("timer.switched", words.Data{"Time": words.Time(s.At)}), s.Undo)
	}
	c.Edited = func(undo func()) { links.Undo(words.T("timer.corrected"), undo) }
	p.Presenter = New(c)
	p.head = widgets.NewHead(words.T("page.timer"))
	p.hero.build(p)
	p.waiting.build(p)
	p.last.build(p)
	p.day.build()
	p.empty.build(p)
	p.root = widgets.Page(p.head.Box,
		p.empty.box,
		p.hero.box,
		widgets.Sides(theme.CardGap, 620, p.waiting.box, p.last.box),
		p.day.box,
	)
	return p
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, received time.Time) { p.Presenter.Update(s, received) }

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible tells whether the page can be seen.
func (p *Page) Visible(on bool) {
	p.visible = on
	p.Presenter.Visible(on)
	p.draw(p.Presenter.Model())
}

// Period returns how often Tick is wanted: each second while time runs and the
// window has the focus, each minute otherwise, because a repaint costs.
func (p *Page) Period(focused bool) time.Duration {
	p.seconds = focused
	p.tick()
	switch m := p.Presenter.Model(); {
	case !m.Running() || m.Lost:
		return 0
	case focused:
		return time.Second
	}
	return time.Minute
}

// Tick moves the clock on.
func (p *Page) Tick() { p.tick() }

func (p *Page) tick() {
	m := p.Presenter.Model()
	now := p.now()
	d := m.Elapsed(now)
	if p.seconds || !m.Running() {
		p.hero.clock.Set(words.Clock(d))
	} else {
		p.hero.clock.Set(words.Short(d))
	}
	if minute := now.Unix() / 60; minute != p.minute {
		p.minute = minute
		p.tickMinute(m, now)
	}
}

// tickMinute moves on what is told in minutes.
func (p *Page) tickMinute(m Model, now time.Time) {
	if p.day.running != nil {
		p.day.running.Set(words.Duration(m.Elapsed(now).Truncate(time.Minute)))
	}
	if m.Picture != nil {
		p.last.age(now.Sub(m.Picture.At))
	}
	p.hero.silence(m, now)
}

// Focus returns nothing: a focused Stop would be pressed by accident.
func (p *Page) Focus() fyne.Focusable { return nil }

// OpenPicker opens the list of projects.
func (p *Page) OpenPicker() {
	if p.hero.box.Visible() {
		p.hero.project.Open()
	}
}

// Toggle starts or stops, with the note as it is typed now.
func (p *Page) Toggle() {
	p.Presenter.SaveNote(p.hero.note.Text)
	p.Presenter.Toggle()
}

// shortOff is how long the key for off the record lasts.
const shortOff = 15 * time.Minute

// OffRecord records nothing for a quarter of an hour.
func (p *Page) OffRecord() { p.Presenter.OffRecord(p.now().Add(shortOff)) }

// EditNote puts the cursor into the note.
func (p *Page) EditNote(c fyne.Canvas) {
	if p.hero.box.Visible() {
		c.Focus(p.hero.note)
	}
}

func (p *Page) draw(m Model) {
	if p.root == nil || !p.visible {
		return
	}
	context := words.Day(p.now())
	if m.Status.Team != "" {
		context = words.Name(m.Status.Team) + " · " + context
	}
	p.head.SetContext(context)
	b := m.Block()
	nothing := !m.Open() && (b == NoTeam || b == Waits || b == NoProjects)
	p.empty.draw(m, nothing && !m.Received.IsZero())
	widgets.Show(p.hero.box, !nothing)
	p.hero.draw(m, p.links.Say)
	p.waiting.draw(m)
	p.last.draw(m)
	if was := p.drawn; was.Lost != m.Lost || was.Busy != m.Busy || !reflect.DeepEqual(was.Entries, m.Entries) || p.day.rows.Objects == nil {
		p.day.draw(p, m)
	}
	p.drawn, p.minute = m, 0
	p.tick()
	widgets.Relayout(p.root)
}

// empty stands in for the timer while there is nothing to start.
type empty struct {
	box    *fyne.Container
	title  *widgets.Text
	text   *widgets.Text
	npub   *widgets.Text
	join   *widgets.Button
	try    *widgets.Button
	copy   *widgets.Button
	status pow.Status
}

func (e *empty) build(p *Page) {
	e.title = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true, Wrap: true})
	e.text = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	e.npub = widgets.NewText("", widgets.Style{Size: theme.Mono, Mono: true})
	e.join = widgets.NewButton(words.T("timer.join"), theme.People, widgets.Main, func() { p.links.Join() })
	e.try = widgets.NewButton(words.T("timer.try"), theme.Look, widgets.Plain, func() { p.links.Try() })
	e.copy = widgets.NewButton(words.T("act.copy_key"), theme.Copy, widgets.Plain, func() { p.links.Copy(e.status.Setup.Npub) })
	e.box = widgets.Card(widgets.Column(12, e.title, e.text, e.npub, widgets.Wrap(theme.Gap, e.join, e.try, e.copy)))
}

func (e *empty) draw(m Model, on bool) {
	widgets.Show(e.box, on)
	e.status = m.Status
	team := words.Data{"Team": words.Name(m.Status.Team)}
	e.npub.Set(words.Key(m.Status.Setup.Npub))
	noTeam := m.Block() == NoTeam
	widgets.Show(e.npub, !noTeam)
	widgets.Show(e.copy, !noTeam)
	widgets.Show(e.join, noTeam)
	widgets.Show(e.try, noTeam)
	switch m.Block() {
	case NoTeam:
		e.title.Set(words.T("timer.no_team"))
		e.text.Set(words.T("timer.no_team.text"))
	case Waits:
		e.title.Set(words.T("timer.waits", team))
		e.text.Set(words.T("timer.waits.text"))
	case NoProjects:
		e.title.Set(words.T("timer.no_projects", team))
		e.text.Set(words.T("timer.no_projects.text"))
	}
}
