package review

import (
	"image"
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
	Register func()                           // opens the Register sheet
	Copy     func(string)                     // puts text on the clipboard
	Snack    func(text, act string, f func()) // shows a result; act may be empty
	Secret   func(on bool)                    // pictures are on the screen: none is taken
}

// Page draws the Review page.
type Page struct {
	Presenter *Presenter
	links     Links
	now       func() time.Time

	root  *fyne.Container
	grid  gridPane
	look  lookPane
	apps  appsPane
	ask   askRemove
	drawn bool // the large view is in sight
	shown bool
	empty bool // there was nothing to take the focus
}

// New makes the page. It asks nothing before Visible.
func New(c Config, links Links) *Page {
	p := &Page{links: links, now: c.Now}
	p.Presenter = NewPresenter(c, p.draw, func(id string) { p.grid.days.Came(id) }, p.told)
	p.apps.build(p)
	p.grid.build(p)
	p.look.build(p)
	p.root = widgets.Layers(p.grid.box, p.look.box)
	p.draw(p.Presenter.Model())
	return p
}

// Object returns what the window shows.
func (p *Page) Object() fyne.CanvasObject { return p.root }

// Update takes a new status in.
func (p *Page) Update(s pow.Status, _ time.Time) { p.Presenter.Update(s) }

// Lose shows that the agent does not answer.
func (p *Page) Lose() { p.Presenter.Lose() }

// Visible tells whether the page can be seen; while it can, no picture is taken.
func (p *Page) Visible(on bool) {
	p.shown = on
	p.links.Secret(on)
	p.Presenter.Visible(on)
}

// Period returns how often Tick is wanted: each minute while something is going
// to be registered by itself, never otherwise.
func (p *Page) Period(bool) time.Duration {
	if m := p.Presenter.Model(); m.Lost || m.SealsAt().IsZero() {
		return 0
	}
	return time.Minute
}

// Tick moves the countdown on.
func (p *Page) Tick() { p.draw(p.Presenter.Model()) }

// Focus returns what takes the focus when the page is opened.
func (p *Page) Focus() fyne.Focusable {
	switch m := p.Presenter.Model(); {
	case m.Look != nil:
		return p.look.view
	case m.Tab == AppTimes:
		return p.apps.list
	}
	return p.grid.days
}

// Back leaves what is in front: a question, a picture, a selection. It is false
// where there is nothing to leave.
func (p *Page) Back() bool {
	m := p.Presenter.Model()
	switch {
	case m.Removing != nil:
		p.Presenter.Leave()
	case m.Look != nil && (p.look.view.Cancel() || m.Look.Tool != ""):
		p.Presenter.Disarm()
	case m.Look != nil:
		p.Presenter.Close()
	default:
		return p.grid.days.Clear()
	}
	return true
}

// Counts says how many pictures wait, for the navigation, and what became of
// those of the day in sight.
func (p *Page) Counts() Counts { return p.Presenter.Counts() }

// OpenPicture looks at one picture, of whatever day.
func (p *Page) OpenPicture(id string) { p.Presenter.OpenPicture(id) }

func (p *Page) told(d Did) {
	act := ""
	if d.Undo != nil {
		act = words.T("act.undo")
	}
	p.links.Snack(told(d), act, d.Undo)
}

func (p *Page) draw(m Model) {
	if p.root == nil {
		return
	}
	large := m.Look != nil
	p.grid.box.Hidden, p.look.box.Hidden = large, !large
	if large {
		p.look.draw(p, m)
	} else {
		p.look.view.Set(nil, image.Point{}, false)
		p.grid.draw(p, m)
	}
	p.ask.draw(p, m)
	widgets.Relayout(p.root)
	empty := !large && m.Tab == Pictures && len(p.grid.rows) == 0
	came := p.empty && !empty
	p.empty = empty
	switch {
	case large != p.drawn:
		p.drawn = large
		p.refocus(m)
	case came && p.shown:
		p.focus()
	}
}

// focus takes the focus when there is something to give it to, unless something
// has it.
func (p *Page) focus() {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.root)
	if c != nil && c.Focused() == nil && c.Overlays().Top() == nil {
		c.Focus(p.Focus())
	}
}

// refocus gives the focus to the large view, or back to the cell that it was
// opened from.
func (p *Page) refocus(m Model) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.root)
	if c == nil || c.Overlays().Top() != nil {
		return
	}
	c.Unfocus()
	if m.Look == nil && p.look.last != "" {
		p.grid.days.Go(p.look.last)
	}
	if f := p.Focus(); f != nil {
		c.Focus(f)
	}
}

// fact is a line with an icon: what, and more about it in small.
func fact(icon theme.IconName, what, more *widgets.Text) *fyne.Container {
	lines := widgets.Column(1, what)
	if more != nil {
		lines.Objects = append(lines.Objects, more)
	}
	return widgets.Line(10, lines, widgets.NewIcon(icon, theme.Muted, 20), lines)
}

func enable(b fyne.Disableable, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}
