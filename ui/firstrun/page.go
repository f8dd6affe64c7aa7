// Package firstrun is the way from nothing to the first timer, in eleven steps:
// welcome, key, a safe place for it, a backup that is tested, a team, what its
// projects ask for, a test picture, app times, what is left out, a rehearsal of
// the whole way, and the end.
//
// The person agrees to each thing before it happens: a link is read and shown,
// and only a press joins. Each finished step is kept, so that the first run goes
// on where it was left; going back loses nothing that was typed. The words of a
// new key are the one thing that is shown here only, while a button is held.
package firstrun

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/backup"
	"pow.do/ui/input"
	"pow.do/ui/leaveout"
	"pow.do/ui/project"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the page's ways out, wired by the window.
type Links struct {
	Say     func(error) (what, mend string)
	Copy    func(string) // puts text on the clipboard
	Paste   func() string
	Done    func()              // goes to the Timer page
	Secret  func(bool)          // words or a passphrase are on the screen
	Restart func()              // opens the window anew, in another language
	Theme   func(theme.Variant) // shows and keeps another look
	Look    func() theme.Variant
}

// Page draws the first run.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time

	terms   *project.View
	exclude *leaveout.View
	backup  *backup.View

	root    *fyne.Container
	dots    *widgets.Dots
	title   *widgets.Text
	card    *fyne.Container
	fail    *widgets.Note
	busy    *widgets.Text
	built   string
	focus   fyne.Focusable
	buttons []*widgets.Button
	drafts  map[string]string
	draws   []func(Model) // what follows the model inside a step
	opened  pow.ProjectID
	filled  bool // the usual exclusions were offered
	visible bool
	drawing bool
	secret  bool
	ended   bool
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, files backup.Files, now func() time.Time, links Links) *Page {
	p := &Page{links: links, now: now, dots: widgets.NewDots(), card: widgets.Column(14), fail: widgets.NewNote(), drafts: map[string]string{}}
	p.busy = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	c.Show = p.draw
	p.Presenter = New(c)
	p.terms = project.NewView(project.Config{Agent: c.Agent, Async: project.Async(c.Async)}, now, project.Links{
		Say: links.Say, Copy: links.Copy, Done: func(_ pow.ProjectID, yes bool) { p.Presenter.Decided(yes) },
	})
	p.exclude = leaveout.NewView(leaveout.Config{Agent: c.Agent, Async: leaveout.Async(c.Async), Changed: func(list []pow.Exclusion) {
		p.Presenter.Set(func(s *pow.Settings) { s.Exclusions = list }, func() {})
	}}, links.Say)
	p.backup = backup.NewView(backup.Config{Agent: c.Agent, Async: backup.Async(c.Async), Files: files, Tested: p.Presenter.BackedUp}, now, links.Say)
	logo := widgets.Line(10, nil, widgets.NewIcon(theme.Logo, theme.Primary, 28), widgets.NewText("pow.do", widgets.Style{Size: theme.Heading, Bold: true, Fixed: true}))
	gap := widgets.NewFill("", "", 0)
	p.root = widgets.Page(nil, widgets.Narrowed(640, widgets.Column(theme.CardGap,
		widgets.Line(0, gap, logo, gap, p.dots),
		widgets.Card(p.card),
	)))
	p.terms.OnDrawn, p.exclude.OnDrawn, p.backup.OnDrawn = p.settle, p.settle, p.settle
	p.draw(p.Presenter.Model())
	return p
}

// settle makes room for a part that drew itself.
func (p *Page) settle() {
	if p.visible && !p.drawing {
		widgets.Relayout(p.root)
	}
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) {
	p.terms.Presenter.Find()
	p.exclude.Presenter.Connected(true)
	p.backup.Presenter.Connected(true)
	p.Presenter.Update(s)
}

// Lose shows that the agent does not answer.
func (p *Page) Lose() {
	p.terms.Presenter.Lose()
	p.exclude.Presenter.Connected(false)
	p.backup.Presenter.Connected(false)
	p.Presenter.Lose()
}

// Visible tells whether the page can be seen.
func (p *Page) Visible(on bool) {
	p.visible = on
	if on {
		p.draw(p.Presenter.Model())
	}
	p.guard(p.Presenter.Model())
}

// Unfinished tells whether the first run was begun here and not ended yet.
func (p *Page) Unfinished() bool { return p.Presenter.Unfinished() }

// Open starts at the invite link, with one already pasted perhaps.
func (p *Page) Open(link string) {
	if link != "" {
		p.drafts["link"] = link
	}
	p.built = ""
	p.Presenter.Open(link)
}

// Period is 0: nothing here moves by itself.
func (p *Page) Period(bool) time.Duration { return 0 }

// Tick does nothing.
func (p *Page) Tick() {}

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.focus }

// Back goes one step back.
func (p *Page) Back() bool {
	p.Presenter.Back()
	return true
}

// guard tells the agent while secrets are on the screen.
func (p *Page) guard(m Model) {
	if on := p.visible && m.Secret(); on != p.secret {
		p.secret = on
		p.links.Secret(on)
	}
}

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	p.guard(m)
	if m.Step == Done {
		p.end()
		return
	}
	p.ended = false
	p.dots.Set(m.Place())
	p.forget(m)
	if key := p.signature(m); key != p.built {
		p.built = key
		p.rebuild(m)
	}
	p.drawing = true
	for _, f := range p.draws {
		f(m)
	}
	p.drawing = false
	p.busy.Hidden = !m.Busy
	p.busy.Set(words.T("welcome.busy"))
	p.fail.Fail("", "")
	switch {
	case m.Lost:
		p.fail.Set(theme.Warning, theme.Warn, words.T("banner.starting"), "")
	case m.Err != nil:
		p.fail.Fail(p.links.Say(m.Err))
	case m.Missed:
		p.fail.Set(theme.Warning, theme.Warn, words.T("welcome.check.missed"), "")
	}
	for _, b := range p.buttons {
		if m.Busy || m.Lost {
			b.Disable()
		} else {
			b.Enable()
		}
	}
	widgets.Relayout(p.root)
}

// end leaves the first run, once, with nothing that was typed.
func (p *Page) end() {
	if p.ended {
		return
	}
	p.ended, p.built, p.drafts = true, "", map[string]string{}
	p.backup.Wipe()
	p.exclude.Presenter.Forget()
	p.links.Done()
}

// forget drops typed secrets as soon as the key is made.
func (p *Page) forget(m Model) {
	if place[m.Step] <= place[Safe] || !m.Status.Setup.Key {
		return
	}
	for k := range p.drafts {
		if k != "link" && k != "name" {
			delete(p.drafts, k)
		}
	}
}

// signature changes when the step has to be built again; what was typed is kept
// in drafts.
func (p *Page) signature(m Model) string {
	s := string(m.Step)
	switch m.Step {
	case Restore:
		s += string(m.Form)
	case Safe:
		if m.Status.Setup.Keyring {
			s += "k"
		}
	case Backup:
		if len(m.Words) > 0 {
			s += "w"
		}
	case Check:
		s += string(rune('a'+m.Ask)) + string(rune('a'+m.Left))
	case Asks:
		s += string(rune('a'+m.Asked)) + string(rune('a'+len(m.Projects)))
	case Pictures:
		s += string(rune('a' + len(m.Shots)))
	case Rehearsal:
		if m.Before != nil {
			s += "b"
		}
		if m.Outcome != nil {
			s += "o"
		}
	}
	return s
}

func (p *Page) rebuild(m Model) {
	p.buttons, p.focus, p.draws = nil, nil, nil
	build := map[Step]func(Model) []fyne.CanvasObject{
		Hello: p.hello, Choose: p.chooseKey, Restore: p.restore, Safe: p.safe, Backup: p.backUp, Words: p.words, Check: p.check,
		Team: p.team, Invite: p.invite, Joined: p.joined, Asks: p.asks, Pictures: p.pictures, Apps: p.apps, Out: p.out,
		Rehearsal: p.rehearsal, Ready: p.ready,
	}
	objects := build[m.Step](m)
	last := objects[len(objects)-1]
	objects = append(objects[:len(objects)-1:len(objects)-1], p.fail.Box, p.busy, last)
	p.card.Objects = objects
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.root); c != nil && p.visible && p.focus != nil {
		c.Focus(p.focus)
	}
}

// button makes a button that is off while a step runs; the first takes the focus.
func (p *Page) button(text string, icon theme.IconName, kind widgets.Kind, f func()) *widgets.Button {
	b := widgets.NewButton(text, icon, kind, f)
	p.buttons = append(p.buttons, b)
	if p.focus == nil && kind == widgets.Main {
		p.focus = b
	}
	return b
}

func (p *Page) goBack() *widgets.Button {
	return p.button(words.T("act.back"), theme.Back, widgets.Quiet, func() { p.Presenter.Back() })
}

func (p *Page) next(kind widgets.Kind) *widgets.Button {
	return p.button(words.T("act.next"), theme.Forward, kind, p.Presenter.Next)
}

// entry is a text field that keeps what is typed across going back and forth.
func (p *Page) entry(key, hint string, secret bool) *widgets.Entry {
	e := widgets.NewEntry(hint)
	e.Password = secret
	p.keep(key, e)
	return e
}

func (p *Page) keep(key string, e *widgets.Entry) {
	e.SetText(p.drafts[key])
	e.OnChanged = func(s string) { p.drafts[key] = s }
}

// field puts an entry under a name, with what is wrong with it below.
func (p *Page) field(at, name string, e *widgets.Entry, beside ...fyne.CanvasObject) *widgets.Field {
	f := widgets.NewField(name, e, beside...)
	p.draws = append(p.draws, func(m Model) {
		f.Fail("")
		if m.At == at && m.Fault != input.Fine {
			f.Fail(words.T("input."+string(m.Fault), words.Data{"N": m.Key.Wrong + 1}))
		}
	})
	return f
}

func title(key string, d ...words.Data) *widgets.Text {
	return widgets.NewText(words.T(key, d...), widgets.Style{Size: theme.Heading, Bold: true, Wrap: true})
}

func para(key string, d ...words.Data) *widgets.Text {
	return widgets.NewText(words.T(key, d...), widgets.Style{Role: theme.Muted, Wrap: true})
}

func small(key string, d ...words.Data) *widgets.Text {
	return widgets.NewText(words.T(key, d...), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
}

// point is a line with an icon in front.
func point(icon theme.IconName, what, more string) fyne.CanvasObject {
	lines := widgets.Column(1, widgets.NewText(what, widgets.Style{Wrap: true}))
	if more != "" {
		lines.Objects = append(lines.Objects, widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	}
	return widgets.Line(12, lines, widgets.NewIcon(icon, theme.Primary, 20), lines)
}

// choice is one of several ways to go on, all of the same size.
func choice(icon theme.IconName, what, more string, f func()) *widgets.Press {
	lines := widgets.Column(2, widgets.NewText(what, widgets.Style{Bold: true, Wrap: true}),
		widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	row := widgets.Line(14, lines, widgets.NewIcon(icon, theme.Primary, 24), lines, widgets.NewIcon(theme.Forward, theme.Muted, 16))
	return widgets.NewPress(row, widgets.Look{Fill: theme.Ground, Line: theme.Line, Radius: theme.RadiusCard, PadX: 16, PadY: 14}, f)
}
