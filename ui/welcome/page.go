// Package welcome is the first run: a key, a safe place for it, and a team.
//
// The person agrees to each thing before it happens: a link is read and shown,
// and only a press joins. Each finished step is kept by the agent, so that the
// first run goes on where it was left; the words of a new key are the one thing
// that is shown once only, while a button is held.
package welcome

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Links are the page's ways out, wired by the window.
type Links struct {
	Say    func(error) (what, mend string)
	Copy   func(string) // puts text on the clipboard
	Paste  func() string
	Done   func()     // goes to the Timer page
	Secret func(bool) // words or a passphrase are on the screen
}

// Page draws the first run.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time

	root    *fyne.Container
	dots    *widgets.Dots
	card    *fyne.Container
	fail    *widgets.Note
	busy    *widgets.Text
	built   string
	focus   fyne.Focusable
	buttons []*widgets.Button
	visible bool
	secret  bool
}

// NewPage makes the page.
func NewPage(agent Agent, async Async, now func() time.Time, links Links) *Page {
	p := &Page{links: links, now: now, dots: widgets.NewDots(), card: widgets.Column(14), fail: widgets.NewNote()}
	p.busy = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	p.Presenter = New(agent, async, p.draw)
	logo := widgets.Line(10, nil, widgets.NewIcon(theme.Logo, theme.Primary, 28), widgets.NewText("pow.do", widgets.Style{Size: theme.Heading, Bold: true, Fixed: true}))
	gap := widgets.NewFill("", "", 0)
	p.root = widgets.Page(nil, widgets.Narrowed(600, widgets.Column(theme.CardGap,
		widgets.Line(0, gap, logo, gap, p.dots),
		widgets.Card(p.card),
	)))
	p.draw(p.Presenter.Model())
	return p
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) { p.Presenter.Update(s.Setup) }

// Lose changes nothing here: each step says by itself that it failed.
func (p *Page) Lose() {}

// Visible tells whether the page can be seen.
func (p *Page) Visible(on bool) {
	p.visible = on
	p.guard(p.Presenter.Model())
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
	p.dots.Set(m.Place())
	if key := p.signature(m); key != p.built {
		p.built = key
		p.rebuild(m)
	}
	p.busy.Hidden = !m.Busy
	p.busy.Set(words.T("welcome.busy"))
	if m.Err != nil {
		p.fail.Fail(p.links.Say(m.Err))
	} else if m.Missed {
		p.fail.Set(theme.Warning, theme.Warn, words.T("welcome.check.missed"), "")
	} else {
		p.fail.Fail("", "")
	}
	for _, b := range p.buttons {
		if m.Busy {
			b.Disable()
		} else {
			b.Enable()
		}
	}
	p.root.Refresh()
}

// signature changes when the step has to be built again; fields keep what was
// typed as long as it does not.
func (p *Page) signature(m Model) string {
	s := string(rune('A' + int(m.Step)))
	switch m.Step {
	case Safe:
		if m.Keyring {
			s += "k"
		}
	case Check:
		s += string(rune('a'+m.Ask)) + string(rune('a'+m.Left))
	}
	return s
}

func (p *Page) rebuild(m Model) {
	p.buttons, p.focus = nil, nil
	build := map[Step]func(Model) []fyne.CanvasObject{
		Hello: p.hello, Choose: p.chooseKey, Restore: p.restore, Safe: p.safe, Words: p.words,
		Check: p.check, Team: p.team, Consent: p.consent, Ready: p.ready,
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

func (p *Page) back() *widgets.Button {
	return p.button(words.T("act.back"), theme.Back, widgets.Quiet, p.Presenter.Back)
}

func title(key string, d ...words.Data) *widgets.Text {
	return widgets.NewText(words.T(key, d...), widgets.Style{Size: theme.Heading, Bold: true, Wrap: true})
}

func para(key string, d ...words.Data) *widgets.Text {
	return widgets.NewText(words.T(key, d...), widgets.Style{Role: theme.Muted, Wrap: true})
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
