package review

import (
	"reflect"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// gridPane is the page with the grid, or with the app times in its place.
type gridPane struct {
	box      *fyne.Container
	head     *widgets.Head
	earlier  *widgets.Button
	later    *widgets.Button
	tabs     [2]*widgets.Press
	filter   *widgets.Picker
	projects []pow.ProjectRef // that filter was filled with
	fail     *widgets.Note
	days     *widgets.DayGrid
	rows     []Row
	hours    []widgets.Hour // as drawn
	empty    *fyne.Container
	nothing  *widgets.Text
	comfort  *widgets.Text

	state    *widgets.State
	info     *widgets.Text
	counts   *widgets.Text
	seals    *widgets.Text
	words    *fyne.Container
	acts     *fyne.Container
	register *widgets.Button
	buttons  struct{ all, approve, black, blur, remove, undo *widgets.Button }
}

func (g *gridPane) build(p *Page) {
	g.earlier = widgets.NewButton("", theme.Back, widgets.Plain, p.Presenter.Earlier)
	g.later = widgets.NewButton("", theme.Forward, widgets.Plain, p.Presenter.Later)
	g.head = widgets.NewHead(words.T("review.title"), g.earlier, g.later)
	g.head.SetMost(gridMost)
	for i, s := range []string{words.T("review.tab.pictures"), words.T("review.tab.apps")} {
		label := widgets.NewText(s, widgets.Style{Size: theme.Small, Fixed: true})
		g.tabs[i] = widgets.NewPress(label, chip(false), func() { p.Presenter.SetTab(Tab(i)) })
	}
	g.filter = widgets.NewPicker(words.T("review.all_projects"), words.T("review.search"), words.T("review.no_match"))
	g.filter.OnChosen = func(id string) { p.Presenter.SetFilter(pow.ProjectID(id)) }
	g.fail = widgets.NewNote()
	g.buildDays(p)
	g.nothing = widgets.NewText("", widgets.Style{Size: theme.Heading, Bold: true, Wrap: true})
	g.comfort = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	g.empty = widgets.Card(widgets.Column(8, g.nothing, g.comfort))
	g.buildFoot(p)
	tabs := widgets.Line(theme.Gap, nil, g.tabs[0], g.tabs[1])
	l := &gridLayout{g: g, apps: &p.apps, tabs: tabs}
	g.box = &fyne.Container{Layout: l, Objects: []fyne.CanvasObject{
		tabs, g.filter.Press, g.fail.Box, g.days, g.empty, p.apps.box, g.words, g.acts, g.register, g.head.Box,
	}}
}

func (g *gridPane) buildDays(p *Page) {
	g.days = widgets.NewDayGrid([6]string{":00", ":10", ":20", ":30", ":40", ":50"})
	g.days.Picture = p.Presenter.Thumb
	g.days.OnSize = p.Presenter.ThumbRoom
	g.days.OnOpen = func(cell string) {
		m, _ := moment(g.rows, cell)
		for _, c := range m.Pictures {
			if CanOpen(c) {
				p.Presenter.Open(Key(c))
				return
			}
		}
	}
	g.days.OnMoved = func() { g.point(p) }
	g.days.OnUndo = func() { p.Presenter.Undo(g.chosen()) }
	g.days.OnKey = func(ev *fyne.KeyEvent) bool { return g.key(p, ev.Name) }
}

func (g *gridPane) key(p *Page, k fyne.KeyName) bool {
	switch k {
	case fyne.KeyA:
		p.Presenter.Approve(g.chosen())
	case fyne.KeyR:
		p.Presenter.Cover(g.chosen(), pow.EditRedact)
	case fyne.KeyB:
		p.Presenter.Cover(g.chosen(), pow.EditBlur)
	case fyne.KeyDelete, fyne.KeyBackspace:
		p.Presenter.AskRemove(g.chosen())
	default:
		return false
	}
	return true
}

func (g *gridPane) buildFoot(p *Page) {
	g.state = widgets.NewState(false)
	g.info = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted})
	g.counts = widgets.NewText("", widgets.Style{Bold: true, Wrap: true})
	g.seals = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted})
	g.words = widgets.Column(2, widgets.Line(8, g.info, g.state.Box, g.info), g.counts, g.seals)
	b := &g.buttons
	b.all = widgets.NewKeyed(words.T("review.act.all"), "Ctrl+A", theme.CheckOn, widgets.Plain, g.days.SelectAll)
	press := func(k fyne.KeyName) func() { return func() { g.key(p, k) } }
	b.approve = widgets.NewKeyed(words.T("review.act.approve"), "A", theme.Approved, widgets.Plain, press(fyne.KeyA))
	b.black = widgets.NewKeyed(words.T("review.act.redact"), "R", theme.Redact, widgets.Plain, press(fyne.KeyR))
	b.blur = widgets.NewKeyed(words.T("review.act.blur"), "B", theme.Blur, widgets.Plain, press(fyne.KeyB))
	b.remove = widgets.NewKeyed(words.T("act.remove"), words.T("review.key.delete"), theme.Remove, widgets.Plain, press(fyne.KeyDelete))
	b.undo = widgets.NewKeyed(words.T("act.undo"), "Ctrl+Z", theme.Undo, widgets.Plain, func() { p.Presenter.Undo(g.chosen()) })
	g.acts = widgets.Wrap(theme.Gap, b.all, b.approve, b.black, b.blur, b.remove, b.undo)
	g.register = widgets.NewButton(words.T("act.register"), theme.Register, widgets.Main, func() { p.links.Register() })
}

func chip(on bool) widgets.Look {
	l := widgets.Look{Fill: theme.Surface, Line: theme.Line, Radius: 16, PadX: 12, PadY: 4, Least: 36}
	if on {
		l.Fill, l.Line = theme.TintPrimary, theme.Primary
	}
	return l
}

// chosen returns the pictures that an act concerns.
func (g *gridPane) chosen() []string { return keysOf(g.rows, g.days.Chosen()) }

func (g *gridPane) draw(p *Page, m Model) {
	g.head.SetContext(words.Day(m.Day))
	enable(g.later, !m.Today)
	for i, t := range g.tabs {
		t.SetLook(chip(m.Tab == Tab(i)))
	}
	g.drawFilter(m)
	if m.Err != nil {
		g.fail.Fail(p.links.Say(m.Err))
	} else {
		g.fail.Fail("", "")
	}
	g.rows = Rows(m.Shown())
	pictures := m.Tab == Pictures
	g.days.Hidden = !pictures || len(g.rows) == 0
	g.drawEmpty(m, pictures)
	p.apps.draw(m)
	p.apps.box.Hidden = pictures
	g.acts.Hidden, g.words.Hidden = g.days.Hidden, g.days.Hidden
	if drawn := hours(g.rows, p.now()); !reflect.DeepEqual(drawn, g.hours) {
		g.hours = drawn
		g.days.SetHours(drawn)
	}
	g.drawFoot(p, m)
}

func (g *gridPane) drawFilter(m Model) {
	g.filter.Press.Hidden = len(m.Projects) < 2 && m.Filter == ""
	if !reflect.DeepEqual(g.projects, m.Projects) {
		g.projects = m.Projects
		options := []widgets.Option{{Name: words.T("review.all_projects")}}
		for _, r := range m.Projects {
			look := theme.BadgeFor(string(r.ID), r.Name, r.Color)
			options = append(options, widgets.Option{ID: string(r.ID), Name: words.Name(r.Name), Group: words.Name(r.Group), Badge: &look})
		}
		g.filter.SetOptions(options)
	}
	g.filter.Choose(string(m.Filter))
}

func (g *gridPane) drawEmpty(m Model, pictures bool) {
	g.empty.Hidden = !pictures || len(g.rows) > 0 || m.Err != nil
	switch {
	case !m.Known:
		g.nothing.Set(words.T("review.loading"))
		g.comfort.Set("")
	case m.Off && m.Today:
		g.nothing.Set(words.T("review.off"))
		g.comfort.Set(words.T("review.off.text"))
	case m.Today:
		g.nothing.Set(words.T("review.empty"))
		g.comfort.Set(words.T("review.empty.text"))
	default:
		g.nothing.Set(words.T("review.empty_day"))
		g.comfort.Set(words.T("review.empty_day.text"))
	}
	g.comfort.Hidden = g.comfort.Words() == ""
}

func (g *gridPane) drawFoot(p *Page, m Model) {
	g.counts.Set(countsLine(count(m.Shown())))
	g.seals.Set(sealsLine(m.SealsAt(), p.now()))
	held := time.Duration(m.Status.HeldSeconds) * time.Second
	g.register.SetText(words.T("act.register"))
	if held > 0 {
		g.register.SetText(words.T("act.register") + " · " + words.Duration(held.Truncate(time.Minute)))
	}
	g.register.Hidden = held == 0 && m.Status.Held == 0
	enable(g.register, !m.Lost)
	g.point(p)
}

// point shows what is under the cursor, and which acts there are for what is
// chosen.
func (g *gridPane) point(p *Page) {
	if g.box == nil {
		return
	}
	m := p.Presenter.Model()
	keys := g.chosen()
	edit, remove := len(pick(m.Pictures, keys, CanEdit)), len(pick(m.Pictures, keys, CanRemove))
	b := &g.buttons
	for _, k := range []*widgets.Button{b.approve, b.black, b.blur} {
		enable(k, edit > 0 && !m.Lost)
	}
	enable(b.remove, remove > 0 && !m.Lost)
	enable(b.undo, !m.Lost && p.Presenter.CanUndo(keys))
	at, ok := moment(g.rows, g.days.Cursor())
	if g.state.Box.Hidden = !ok; !ok {
		g.info.Set("")
		return
	}
	k := mark(face(at))
	g.state.Set(k.Icon, k.Role, k.Word)
	g.info.Set(infoLine(at.Pictures))
	if n := g.days.Selected(); n > 0 {
		g.state.Set(theme.CheckOn, theme.Primary, words.N("review.selected", n))
	}
	if len(keys) > 0 && edit == 0 && remove == 0 {
		g.info.Set(words.T("review.read_only"))
	}
	widgets.Relayout(g.words)
}

// gridMost is the widest that the grid gets: six slots of the largest size.
const gridMost = 36 + 6*168

// gridLayout puts the grid between its header and its acts, in all widths.
type gridLayout struct {
	g    *gridPane
	apps *appsPane
	tabs *fyne.Container
}

// filterWidth is how wide the picker of projects is where there is room.
const filterWidth = 260

func (l *gridLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	g := l.g
	top := widgets.HeightFor(g.head.Box, size.Width)
	g.head.Box.Resize(fyne.NewSize(size.Width, top))
	margin := widgets.Margin(size.Width)
	w := min(size.Width-2*margin, gridMost)
	x := (size.Width - w) / 2
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	y := top + 12
	tabs := l.tabs.MinSize()
	put(l.tabs, x, y, tabs.Width, 40)
	f := min(filterWidth, w-tabs.Width-theme.Gap)
	put(g.filter.Press, x+w-f, y, f, 40)
	y += 40 + 10
	if g.fail.Box.Visible() {
		h := widgets.HeightFor(g.fail.Box, w)
		put(g.fail.Box, x, y, w, h)
		y += h + 10
	}
	foot := l.foot(x, w, size.Height)
	grid, gx := w, x
	if margin < theme.Margin { // in a narrow window each pixel counts
		grid, gx = size.Width-16, 8
	}
	put(g.days, gx, y, grid, max(0, foot-y))
	put(g.empty, x, y, w, widgets.HeightFor(g.empty, w))
	put(l.apps.box, x, y, w, max(0, foot-y))
}

// foot lays out what stands below the grid and returns where it begins.
func (l *gridLayout) foot(x, w, bottom float32) float32 {
	g := l.g
	y := bottom - 12
	button := g.register.MinSize()
	beside := w >= 640
	for _, b := range []*widgets.Button{g.buttons.all, g.buttons.approve, g.buttons.black, g.buttons.blur, g.buttons.remove, g.buttons.undo} {
		b.ShowKey(beside)
	}
	if g.acts.Visible() {
		h := widgets.HeightFor(g.acts, w)
		y -= h
		g.acts.Move(fyne.NewPos(x, y))
		g.acts.Resize(fyne.NewSize(w, h))
		y -= 10
	}
	if g.register.Visible() && (!beside || !g.words.Visible()) {
		y -= button.Height
		g.register.Move(fyne.NewPos(x+w-button.Width, y))
		g.register.Resize(button)
		y -= 8
	}
	if g.words.Visible() {
		room := w
		if g.register.Visible() && beside {
			room -= button.Width + 24
		}
		h := widgets.HeightFor(g.words, room)
		if room < w {
			h = max(h, button.Height)
			g.register.Move(fyne.NewPos(x+w-button.Width, y-h+(h-button.Height)/2))
			g.register.Resize(button)
		}
		y -= h
		g.words.Move(fyne.NewPos(x, y))
		g.words.Resize(fyne.NewSize(room, h))
		y -= 6
	}
	return y
}

func (l *gridLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 320) }
