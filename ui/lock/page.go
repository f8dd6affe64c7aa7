// Package lock is the page that stands before everything else while the keys
// need their passphrase. It shows the running time and nothing that names a
// project: tracking goes on while the keys are locked, looking does not.
package lock

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Page draws the lock page.
type Page struct {
	Presenter *Presenter
	say       func(error) (what, mend string)
	now       func() time.Time

	root   *fyne.Container
	clock  *widgets.Text
	state  *widgets.State
	entry  *widgets.Entry
	button *widgets.Button
	fail   *widgets.Note
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, say func(error) (what, mend string)) *Page {
	p := &Page{say: say, now: c.Now}
	c.Show = p.draw
	p.Presenter = New(c)
	p.clock = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true, Fixed: true})
	p.state = widgets.NewState(false)
	p.entry = widgets.NewSecret(words.T("lock.passphrase"))
	p.entry.OnSubmitted = func(string) { p.unlock() }
	p.button = widgets.NewButton(words.T("act.unlock"), theme.Key, widgets.Main, p.unlock)
	p.fail = widgets.NewNote()
	title := widgets.Line(12, nil, widgets.NewIcon(theme.Lock, theme.Primary, 24), widgets.NewText(words.T("lock.title"), widgets.Style{Size: theme.Heading, Bold: true, Fixed: true}))
	p.root = widgets.Page(nil, widgets.Inset(0, 32, widgets.Narrowed(420, widgets.Card(widgets.Column(14,
		title,
		widgets.NewText(words.T("lock.text"), widgets.Style{Role: theme.Muted, Wrap: true}),
		widgets.Line(12, nil, p.state.Box, p.clock),
		p.entry,
		widgets.Wrap(theme.Gap, p.button),
		p.fail.Box,
		widgets.NewText(words.T("lock.forgot"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
	)))))
	p.draw(p.Presenter.Model())
	return p
}

func (p *Page) unlock() {
	typed := p.entry.Text
	p.entry.SetText("")
	p.Presenter.Unlock(typed)
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, received time.Time) { p.Presenter.Update(s, received) }

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible empties the field when the page goes.
func (p *Page) Visible(on bool) {
	if !on {
		p.entry.SetText("")
	}
}

// Period returns how often Tick is wanted: each minute while time runs.
func (p *Page) Period(bool) time.Duration {
	if p.Presenter.Model().Status.Timer.State != pow.Tracking {
		return 0
	}
	return time.Minute
}

// Tick moves the time on.
func (p *Page) Tick() { p.draw(p.Presenter.Model()) }

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.entry }

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	mark := words.Timer(m.Status.Timer.State, m.Status.Timer.Reason)
	p.state.Set(mark.Icon, mark.Role, mark.Word)
	p.clock.Set(words.Short(m.Elapsed(p.now())))
	p.clock.Hidden = m.Status.Timer.State == pow.Stopped
	if m.Busy || m.Wait > 0 || m.Lost {
		p.button.Disable()
	} else {
		p.button.Enable()
	}
	switch {
	case m.Wait > 0:
		p.fail.Fail(words.T("lock.wrong"), words.T("lock.wait", words.Data{"Duration": words.Duration(m.Wait)}))
	case m.Wrong:
		p.fail.Fail(words.T("lock.wrong"), "")
	case m.Err != nil:
		p.fail.Fail(p.say(m.Err))
	case m.Busy:
		p.fail.Set(theme.Info, theme.ClockFace, words.T("lock.busy"), "")
	default:
		p.fail.Fail("", "")
	}
	p.root.Refresh()
}
