// Package outbox is the page of every proof on its way: how far it came, what
// went wrong, what happens next and when, and the button to try it now.
//
// The Presenter is plain Go; the Page draws it. In a wide window the detail of
// a proof stands beside the list, in a narrow one in its place. Rows are made
// for what can be seen only, so that ten thousand proofs open as fast as ten.
package outbox

import (
	"slices"
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
	Came func()       // the list can take the focus now
}

// Page draws the Outbox page.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time

	root    *fyne.Container
	head    *widgets.Head
	retry   *widgets.Button
	filters [3]*widgets.Press
	counts  [3]*widgets.Text
	fail    *widgets.Note
	off     *widgets.Note
	take    *panel
	above   *fyne.Container // what stands over the list when there is something to say
	empty   *fyne.Container
	nothing *widgets.Text
	comfort *widgets.Text
	list    *widgets.List
	detail  detail
	split   *split
	moving  bool // bytes of a proof are on their way
}

// NewPage makes the page; Show of c is its own.
func NewPage(c Config, links Links) *Page {
	p := &Page{links: links, now: c.Now}
	c.Show = p.draw
	p.Presenter = New(c)
	p.retry = widgets.NewButton(words.T("act.retry_all"), theme.Retry, widgets.Plain, p.Presenter.RetryAll)
	p.fail, p.off = widgets.NewNote(), widgets.NewNote()
	p.take = newPanel(p, HandTake, "outbox.take.", theme.Add, p.Presenter.Take)
	byHand := widgets.NewButton(words.T("outbox.take"), theme.Add, widgets.Quiet, func() { p.take.open(p, "") })
	p.head = widgets.NewHead(words.T("page.outbox"), p.retry)
	bar := p.buildFilters()
	bar.Objects = append(bar.Objects, byHand)
	p.above = widgets.Column(12, p.off.Box, p.take.box, p.fail.Box)
	p.buildEmpty()
	p.list = widgets.NewList(func() int { return len(p.Presenter.model.Items) }, newRow, p.fillRow)
	p.list.OnSelected = p.choose
	p.list.OnKey = p.key
	p.detail.build(p)
	p.split = &split{
		head: p.head.Box, bar: bar, fail: p.above,
		list: p.list, ground: widgets.NewFill(theme.Surface, theme.Line, theme.RadiusCard), empty: p.empty, detail: p.detail.pane,
	}
	p.root = &fyne.Container{Layout: p.split, Objects: []fyne.CanvasObject{
		p.split.bar, p.above, p.split.ground, p.list, p.empty, p.detail.pane, p.head.Box,
	}}
	p.split.row = newRow().MinSize().Height
	p.draw(p.Presenter.Model())
	return p
}

func (p *Page) buildFilters() *fyne.Container {
	names := []string{words.T("outbox.all"), words.T("outbox.open"), words.T("outbox.stuck")}
	row := widgets.Wrap(theme.Gap)
	for n, s := range names {
		p.counts[n] = widgets.NewText("", widgets.Style{Size: theme.Small, Fixed: true, Bold: true})
		label := widgets.Line(6, nil, widgets.NewText(s, widgets.Style{Size: theme.Small, Fixed: true}), p.counts[n])
		p.filters[n] = widgets.NewPress(label, chip(false), func() { p.Presenter.SetFilter(Filter(n)) })
		row.Objects = append(row.Objects, p.filters[n])
	}
	return row
}

func chip(on bool) widgets.Look {
	l := widgets.Look{Fill: theme.Surface, Line: theme.Line, Radius: 16, PadX: 12, PadY: 4, Least: 32}
	if on {
		l.Fill, l.Line = theme.TintPrimary, theme.Primary
	}
	return l
}

func (p *Page) buildEmpty() {
	p.nothing = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true, Wrap: true})
	p.comfort = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	p.empty = widgets.Card(widgets.Column(8, p.nothing, p.comfort))
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) { p.Presenter.Update(s) }

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible tells whether the page can be seen.
func (p *Page) Visible(on bool) { p.Presenter.Visible(on) }

// Period returns how often Tick is wanted: every second while bytes move, every
// few while something is on its way, and never without the focus.
func (p *Page) Period(focused bool) time.Duration {
	m := p.Presenter.model
	if !focused || m.Lost || m.Open == m.Stuck {
		return 0
	}
	if p.moving {
		return time.Second
	}
	return 5 * time.Second
}

// Tick asks how far the proofs have come.
func (p *Page) Tick() { p.Presenter.Load() }

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable { return p.list }

// RetryAll tries everything now.
func (p *Page) RetryAll() { p.Presenter.RetryAll() }

// Back closes the detail; false where none is open.
func (p *Page) Back() bool {
	if p.Presenter.model.Hand.Mode != HandNone {
		p.Presenter.OpenHand(HandNone)
		return true
	}
	if p.Presenter.model.Chosen == "" {
		return false
	}
	p.Presenter.Choose("")
	return true
}

func (p *Page) choose(n int) {
	p.list.UnselectAll() // the detail shows the choice; choosing it again must work
	if n < len(p.Presenter.model.Items) {
		p.Presenter.Choose(p.Presenter.model.Items[n].ID)
	}
}

func (p *Page) key(ev *fyne.KeyEvent, at int) bool {
	if ev.Name != fyne.KeyR || at >= len(p.Presenter.model.Items) {
		return false
	}
	p.Presenter.Retry(p.Presenter.model.Items[at].ID)
	return true
}

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	team := words.Name(m.Status.Team)
	p.head.SetContext(words.N("outbox.context", m.Open))
	for n, c := range []int{m.All, m.Open, m.Stuck} {
		p.counts[n].Set(words.Count(c))
		p.filters[n].SetLook(chip(m.Filter == Filter(n)))
	}
	if m.Open == 0 || m.Trying || m.Lost {
		p.retry.Disable()
	} else {
		p.retry.Enable()
	}
	if m.Err != nil {
		p.fail.Fail(p.links.Say(m.Err))
	} else {
		p.fail.Fail("", "")
	}
	p.take.draw(m.Hand, m.Lost, p.links.Say)
	p.drawOffline(m)
	p.above.Hidden = p.off.Box.Hidden && p.take.box.Hidden && p.fail.Box.Hidden
	p.moving = slices.ContainsFunc(m.Items, func(i pow.OutboxItem) bool { _, ok := Moving(i); return ok })
	p.drawEmpty(m, team)
	item, ok := m.Item()
	p.detail.pane.Hidden = !ok
	p.head.SetFull(ok)
	if ok {
		p.detail.draw(item, team, p.now(), m)
	}
	p.list.Refresh()
	p.root.Refresh()
}

// drawOffline says since when nothing can be delivered, and that nothing is lost.
func (p *Page) drawOffline(m Model) {
	p.off.Set(theme.Warning, theme.Offline, "", "")
	if !m.Since.IsZero() && !m.Lost {
		p.off.Set(theme.Warning, theme.Offline, words.T("outbox.offline", words.Data{"Time": words.When(m.Since, p.now())}), words.N("outbox.offline.text", m.Open-m.Stuck))
	}
}

func (p *Page) drawEmpty(m Model, team string) {
	p.empty.Hidden = !m.Known || len(m.Items) > 0
	came := p.list.Hidden && len(m.Items) > 0
	p.list.Hidden = len(m.Items) == 0
	if came {
		p.links.Came()
	}
	p.split.ground.Hidden, p.split.rows = p.list.Hidden, len(m.Items)
	p.nothing.Set(words.T("outbox.empty"))
	p.comfort.Set(words.T("outbox.empty.text"))
	if r := m.Status.LastReceipt; r != nil {
		p.comfort.Set(words.T("outbox.last_receipt", words.Data{"Time": words.When(r.At, p.now()), "Team": team}))
	}
}

// row is one proof in the list.
type row struct {
	badge *widgets.Badge
	name  *widgets.Text
	line  *widgets.Text
	state *widgets.State
	next  *widgets.Text
	moves *widgets.Progress
}

func newRow() fyne.CanvasObject {
	r := row{
		badge: widgets.NewBadge(theme.BadgeFor("", "", "")),
		name:  widgets.NewText("", widgets.Style{Bold: true}),
		line:  widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted}),
		state: widgets.NewState(false),
		next:  widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Right: true, Fixed: true}),
		moves: widgets.NewProgress(),
	}
	r.moves.Hide()
	left := widgets.Column(0, r.name, r.line)
	return &fyne.Container{
		Layout:  &rowLayout{row: r},
		Objects: []fyne.CanvasObject{widgets.Inset(12, 8, widgets.Line(12, left, r.badge, left, widgets.Column(0, widgets.Right(r.state.Box), r.next, r.moves)))},
	}
}

// rowLayout carries the parts of a row, so that filling it needs no search.
type rowLayout struct{ row row }

func (l *rowLayout) Layout(o []fyne.CanvasObject, size fyne.Size) { o[0].Resize(size) }
func (l *rowLayout) MinSize(o []fyne.CanvasObject) fyne.Size      { return o[0].MinSize() }

func (p *Page) fillRow(n int, o fyne.CanvasObject) {
	if n >= len(p.Presenter.model.Items) {
		return
	}
	i := p.Presenter.model.Items[n]
	r := o.(*fyne.Container).Layout.(*rowLayout).row
	r.badge.Set(badge(i))
	r.name.Set(name(i))
	r.line.Set(rowLine(i, p.now()))
	k := mark(i)
	r.state.Set(k.Icon, k.Role, k.Word)
	r.next.Set(act(i, p.now()))
	part, moving := Moving(i)
	r.moves.Hidden, r.next.Hidden = !moving, moving
	r.moves.Set(part)
	if moving {
		r.state.Set(theme.Uploaded, theme.Info, words.T("outbox.uploading", words.Data{"Percent": int(part * 100)}))
	}
	o.Refresh()
}

func badge(i pow.OutboxItem) theme.Badge {
	if i.Project == nil {
		return theme.BadgeFor("", "", "")
	}
	return theme.BadgeFor(string(i.Project.ID), i.Project.Name, i.Project.Color)
}
