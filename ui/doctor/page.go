// Package doctor is the page that looks at everything that has to work, one line
// each in the words of the command powdo doctor: what was looked at, whether it
// is well, and what to do where it is not. Its report can be sent to somebody
// who helps: it names no key, no team, no project and no folder below home.
package doctor

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
	Say  func(error) (what, mend string)
	Copy func(string) // puts text on the clipboard
	Mend func(Place)  // opens the part of the settings where it is mended
	Back func()       // to where the page was opened from
}

// Page draws the Diagnostics page.
type Page struct {
	Presenter *Presenter
	links     Links

	root  *fyne.Container
	head  *widgets.Head
	again *widgets.Button
	copy  *widgets.Button
	sum   *widgets.Note
	fail  *widgets.Note
	list  *fyne.Container
	card  *fyne.Container
	busy  *widgets.Text
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, links Links) *Page {
	p := &Page{links: links, sum: widgets.NewNote(), fail: widgets.NewNote(), list: widgets.Column(0)}
	c.Show = p.draw
	p.Presenter = New(c)
	p.again = widgets.NewButton(words.T("doctor.again"), theme.Retry, widgets.Main, p.Presenter.Look)
	p.copy = widgets.NewButton(words.T("doctor.copy"), theme.Copy, widgets.Plain, func() { links.Copy(p.Presenter.Report()) })
	p.busy = widgets.NewText(words.T("doctor.looking"), widgets.Style{Role: theme.Muted, Wrap: true})
	p.head = widgets.NewHead(words.T("page.doctor"))
	p.card = widgets.Card(p.list)
	p.root = widgets.Page(p.head.Box, p.fail.Box, p.sum.Box, p.busy, p.card,
		widgets.Wrap(theme.Gap, p.again, p.copy),
		widgets.NewText(words.T("doctor.report"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
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

// Period is 0: nothing here moves by itself.
func (p *Page) Period(bool) time.Duration { return 0 }

// Tick does nothing.
func (p *Page) Tick() {}

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.again }

// Back leaves the page.
func (p *Page) Back() bool {
	p.links.Back()
	return true
}

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	p.busy.Hidden = !m.Busy
	p.fail.Fail("", "")
	switch {
	case m.Lost:
		p.fail.Fail(words.T("banner.lost"), words.T("banner.lost.mend"))
	case m.Err != nil:
		p.fail.Fail(p.links.Say(m.Err))
	}
	p.drawSum(m)
	p.card.Hidden = !m.Known
	p.list.Objects = nil
	for i, c := range m.Checks {
		if i > 0 {
			p.list.Objects = append(p.list.Objects, widgets.NewRule())
		}
		p.list.Objects = append(p.list.Objects, p.row(c))
	}
	for _, b := range []*widgets.Button{p.again, p.copy} {
		b.Enable()
	}
	if m.Busy || m.Lost {
		p.again.Disable()
	}
	if !m.Known {
		p.copy.Disable()
	}
	widgets.Relayout(p.root)
}

// drawSum says how it stands in one sentence.
func (p *Page) drawSum(m Model) {
	failed, warnings := m.Worst()
	switch {
	case !m.Known:
		p.sum.Set(theme.Info, theme.Inform, "", "")
	case failed > 0:
		p.sum.Set(theme.Danger, theme.Attention, words.N("doctor.sum.failed", failed), words.T("doctor.sum.safe"))
	case warnings > 0:
		p.sum.Set(theme.Warning, theme.Warn, words.N("doctor.sum.warnings", warnings), "")
	default:
		p.sum.Set(theme.Success, theme.Verified, words.T("doctor.sum.ok"), "")
	}
}

// row is one thing that was looked at.
func (p *Page) row(c pow.Check) fyne.CanvasObject {
	k := words.Check(c.State)
	state := widgets.NewState(false)
	state.Set(k.Icon, k.Role, k.Word)
	text := widgets.Column(1, widgets.NewText(words.Name(c.Name), widgets.Style{Bold: true, Wrap: true}),
		widgets.NewText(words.Foreign(c.Detail), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	if c.Mend != "" {
		text.Objects = append(text.Objects, widgets.NewText(words.Foreign(c.Mend), widgets.Style{Size: theme.Small, Wrap: true}))
	}
	row := []fyne.CanvasObject{text, state.Box}
	if at := PlaceOf(c); at != Nowhere && (c.State == "failed" || c.State == "warning") {
		row = append(row, widgets.NewButton(words.T("doctor.mend"), theme.Forward, widgets.Quiet, func() { p.links.Mend(at) }))
	}
	return widgets.Inset(0, 10, widgets.Line(12, text, row...))
}
