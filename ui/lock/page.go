// Package lock is the page that stands before everything else while the keys
// need their passphrase. It shows the running time and nothing that names a
// project: tracking goes on while the keys are locked, looking does not.
package lock

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/input"
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
	field  *widgets.Field
	forgot *widgets.Button
	ask    *widgets.Note
	keep   *widgets.Button
	erase  *widgets.Button
	choice *fyne.Container
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
	p.fail, p.ask = widgets.NewNote(), widgets.NewNote()
	p.field = widgets.NewField(words.T("lock.passphrase"), p.entry)
	p.forgot = widgets.NewButton(words.T("lock.forgot"), theme.Key, widgets.Quiet, p.Presenter.Forgot)
	p.keep = widgets.NewButton(words.T("lock.erase.keep"), "", widgets.Plain, p.Presenter.Keep)
	p.erase = widgets.NewButton(words.T("lock.erase.yes"), theme.Remove, widgets.Harm, p.Presenter.Erase)
	p.choice = widgets.Column(10, p.ask.Box, widgets.Wrap(theme.Gap, p.keep, p.erase))
	logo := widgets.Line(10, nil, widgets.NewIcon(theme.Logo, theme.Primary, 28), widgets.NewText("pow.do", widgets.Style{Size: theme.SubHeading, Bold: true, Fixed: true}))
	title := widgets.Line(12, nil, widgets.NewIcon(theme.Lock, theme.Primary, 24), widgets.NewText(words.T("lock.title"), widgets.Style{Size: theme.Heading, Bold: true, Fixed: true}))
	p.root = widgets.Page(nil, widgets.Inset(0, 32, widgets.Narrowed(420, widgets.Column(theme.CardGap, logo, widgets.Card(widgets.Column(14,
		title,
		widgets.NewText(words.T("lock.text"), widgets.Style{Role: theme.Muted, Wrap: true}),
		widgets.Line(12, nil, p.state.Box, p.clock),
		p.field.Box,
		widgets.Wrap(theme.Gap, p.button, p.forgot),
		p.fail.Box,
		p.choice,
	))))))
	p.draw(p.Presenter.Model())
	return p
}

func (p *Page) unlock() {
	typed := p.entry.Text
	p.Presenter.Unlock(typed)
	if p.Presenter.Model().Busy { // it is on its way; a text that was refused stays
		p.entry.SetText("")
	}
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
		p.Presenter.Keep()
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
	p.field.Fail("")
	if m.Fault != input.Fine {
		p.field.Fail(words.T("input." + string(m.Fault)))
	}
	p.drawForgot(m)
	switch {
	case m.Erased:
		p.fail.Set(theme.Info, theme.Inform, words.T("lock.erased"), "")
	case m.Wait > 0:
		p.fail.Fail(words.T("lock.wrong"), words.T("lock.wait", words.Data{"Duration": words.Duration(m.Wait)}))
	case m.Wrong:
		p.fail.Fail(words.T("lock.wrong"), "")
	case m.Err != nil:
		p.fail.Fail(p.say(m.Err))
	case m.Busy && !m.Asking:
		p.fail.Set(theme.Info, theme.ClockFace, words.T("lock.busy"), "")
	default:
		p.fail.Fail("", "")
	}
	widgets.Relayout(p.root)
}

// drawForgot asks before everything here is erased, and says what that is.
func (p *Page) drawForgot(m Model) {
	p.choice.Hidden, p.forgot.Hidden = !m.Asking, m.Asking || m.Erased
	for _, b := range []*widgets.Button{p.forgot, p.erase} {
		b.Enable()
		if m.Busy || m.Lost {
			b.Disable()
		}
	}
	if !m.Asking {
		return
	}
	sum := words.Data{"Duration": words.Duration(time.Duration(m.Would.Seconds) * time.Second)}
	p.ask.Set(theme.Warning, theme.Warn, words.T("lock.erase.ask"), words.N("lock.erase.text", m.Would.Pictures, sum))
}

// Back leaves the question about erasing; false where there is none.
func (p *Page) Back() bool {
	asking := p.Presenter.Model().Asking
	p.Presenter.Keep()
	return asking
}
