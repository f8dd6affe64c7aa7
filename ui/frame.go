package ui

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

type themeRole = fyne.ThemeColorName

// frame lays out navigation, banner, page, status bar and snackbar in three
// width classes.
type frame struct {
	root                    *fyne.Container
	nav, banner, bar, snack fyne.CanvasObject
	pages                   []fyne.CanvasObject
	rail                    bool
	onRail                  func(bool)
}

// The width classes: below medium the navigation is a rail of icons.
const (
	medium    = 720
	wide      = 1040
	railWidth = 56
	navWidth  = 176
	navWide   = 200
)

func newFrame(nav, banner, bar, snack fyne.CanvasObject) *frame {
	f := &frame{nav: nav, banner: banner, bar: bar, snack: snack}
	f.root = &fyne.Container{Layout: f, Objects: []fyne.CanvasObject{nav, banner, bar, snack}}
	return f
}

// add puts a page into the frame, below everything else.
func (f *frame) add(o fyne.CanvasObject) {
	f.pages = append(f.pages, o)
	f.root.Objects = append([]fyne.CanvasObject{o}, f.root.Objects...)
}

// Layout implements fyne.Layout.
func (f *frame) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	left, bottom, top := float32(0), float32(0), float32(0)
	if f.nav.Visible() {
		left = navWidth
		if size.Width < medium {
			left = railWidth
		} else if size.Width >= wide {
			left = navWide
		}
		bottom = f.bar.MinSize().Height
		f.nav.Resize(fyne.NewSize(left, size.Height-bottom))
		f.bar.Move(fyne.NewPos(0, size.Height-bottom))
		f.bar.Resize(fyne.NewSize(size.Width, bottom))
	}
	if f.banner.Visible() {
		top = widgets.HeightFor(f.banner, size.Width-left)
		f.banner.Move(fyne.NewPos(left, 0))
		f.banner.Resize(fyne.NewSize(size.Width-left, top))
	}
	for _, p := range f.pages {
		p.Move(fyne.NewPos(left, top))
		p.Resize(fyne.NewSize(size.Width-left, size.Height-top-bottom))
	}
	if f.snack.Visible() {
		w := min(size.Width-left-24, 520)
		h := widgets.HeightFor(f.snack, w)
		f.snack.Move(fyne.NewPos(left+(size.Width-left-w)/2, size.Height-bottom-h-16))
		f.snack.Resize(fyne.NewSize(w, h))
	}
}

// MinSize implements fyne.Layout.
func (f *frame) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(leastWidth, leastHeight) }

// navItem is one page in the navigation.
type navItem struct {
	page page
	icon theme.IconName
	name string
}

// nav lists the pages; narrow it is icons only.
type nav struct {
	box   *fyne.Container
	items []*navRow
}

type navRow struct {
	navItem
	press *widgets.Press
	icon  *widgets.Icon
	text  *widgets.Text
	count *widgets.Text
	on    bool
	alarm bool
}

func newNav(items []navItem, goTo func(page)) *nav {
	n := &nav{}
	logo := &fyne.Container{Layout: railLayout{}, Objects: []fyne.CanvasObject{
		widgets.NewIcon(theme.Logo, theme.Primary, 24),
		widgets.NewText("pow.do", widgets.Style{Size: theme.SubHeading, Bold: true}),
		widgets.NewText("", widgets.Style{Fixed: true}),
	}}
	column := widgets.Column(4, widgets.Inset(10, 8, logo))
	for _, i := range items {
		r := &navRow{navItem: i}
		r.icon = widgets.NewIcon(i.icon, theme.Muted, 24)
		r.text = widgets.NewText(i.name, widgets.Style{Bold: true})
		r.count = widgets.NewText("", widgets.Style{Size: theme.Small, Bold: true, Fixed: true})
		r.press = widgets.NewPress(&fyne.Container{Layout: railLayout{}, Objects: []fyne.CanvasObject{r.icon, r.text, r.count}},
			widgets.Look{}, func() { goTo(i.page) })
		n.items = append(n.items, r)
		column.Objects = append(column.Objects, r.press)
		r.paint()
	}
	n.box = widgets.Layers(widgets.NewFill(theme.Band, "", 0), widgets.Inset(6, 8, column))
	return n
}

// railLayout shows icon, name and count in a row, or icon and count where there
// is room for no more.
type railLayout struct{}

func (railLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	icon, text, count := o[0], o[1], o[2]
	icon.Resize(fyne.NewSize(24, size.Height))
	c := count.MinSize()
	count.Resize(c)
	narrow := size.Width < 80
	if narrow {
		icon.Move(fyne.NewPos((size.Width-24)/2, 0))
		text.Resize(fyne.NewSize(0, 0))
		text.Move(fyne.NewPos(-1000, 0)) // out of sight; hiding it would need a refresh from within a layout
		count.Move(fyne.NewPos(size.Width-c.Width+4, -3))
		return
	}
	icon.Move(fyne.Position{})
	h := text.MinSize().Height
	text.Move(fyne.NewPos(36, (size.Height-h)/2))
	text.Resize(fyne.NewSize(max(0, size.Width-36-c.Width-6), h))
	count.Move(fyne.NewPos(size.Width-c.Width, (size.Height-c.Height)/2))
}

func (railLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(24, 28) }

func (r *navRow) paint() {
	look := widgets.Look{Radius: theme.RadiusField, PadX: 10, PadY: 6, Least: 40}
	ink := theme.Muted
	if r.on {
		look.Fill, ink = theme.Surface, theme.Primary
	}
	r.icon.Set(r.navItem.icon, ink)
	r.text.SetRole(theme.Text)
	r.count.SetRole(theme.Info)
	if r.alarm {
		r.count.SetRole(theme.Danger)
	}
	r.press.SetLook(look)
	r.press.Refresh()
}

// mark shows which page is open.
func (n *nav) mark(p page) {
	for _, r := range n.items {
		r.on = r.page == p
		r.paint()
	}
}

// count shows how many things wait on a page; alarm is for a person to look.
func (n *nav) count(p page, k int, alarm bool) {
	for _, r := range n.items {
		if r.page == p {
			r.alarm = alarm
			r.count.Set(words.Count(k))
			r.paint()
		}
	}
}

// bar is the status bar: the four things to know at a glance.
type bar struct {
	box     *fyne.Container
	state   *widgets.State
	project *widgets.Text
	clock   *widgets.Text
	outbox  *widgets.Text
	link    *widgets.State
	apps    *widgets.State
}

func newBar() *bar {
	small := widgets.Style{Size: theme.Small, Role: theme.Muted}
	fixed := small
	fixed.Fixed = true
	b := &bar{
		state: widgets.NewState(false), project: widgets.NewText("", small), clock: widgets.NewText("", fixed),
		outbox: widgets.NewText("", fixed), link: widgets.NewState(false), apps: widgets.NewState(false),
	}
	row := widgets.Line(14, b.project, b.state.Box, b.clock, b.project, b.outbox, b.link.Box, b.apps.Box)
	b.box = &fyne.Container{Layout: &barLayout{b: b, row: row}, Objects: []fyne.CanvasObject{
		widgets.NewFill(theme.Band, "", 0), widgets.NewRule(), row,
	}}
	return b
}

// barLayout leaves out what is least needed where the window is narrow.
type barLayout struct {
	b   *bar
	row *fyne.Container
}

func (l *barLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Resize(size)
	o[1].Resize(fyne.NewSize(size.Width, 1))
	l.b.apps.Box.Hidden = l.b.apps.Word() == "" || size.Width < medium
	h := l.row.MinSize().Height
	l.row.Move(fyne.NewPos(14, (size.Height-h)/2))
	l.row.Resize(fyne.NewSize(size.Width-28, h))
	l.row.Layout.Layout(l.row.Objects, l.row.Size())
}

func (l *barLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 30) }

func (b *bar) draw(s pow.Status, known, lost bool) {
	mark := words.Timer(s.Timer.State, s.Timer.Reason)
	link := words.Connection(s.Relays)
	if lost || !known {
		link = words.Mark{Icon: theme.Refused, Role: theme.Danger, Word: words.T("link.lost")}
	}
	if !known {
		mark = words.Mark{Icon: theme.Offline, Role: theme.Muted, Word: "pow.do"}
	}
	b.state.Set(mark.Icon, mark.Role, mark.Word)
	b.link.Set(link.Icon, link.Role, link.Word)
	b.project.Set("")
	if s.Timer.Project != nil {
		b.project.Set(words.Name(s.Timer.Project.Name))
	}
	b.outbox.Set("")
	if n := open(s); n > 0 {
		b.outbox.Set(words.N("bar.outbox", n))
	}
	b.outbox.Hidden = b.outbox.Words() == ""
	apps, ok := words.Apps(s.ActivityWatch)
	if !ok {
		apps = words.Mark{Icon: theme.Apps, Role: theme.Muted}
	}
	b.apps.Set(apps.Icon, apps.Role, apps.Word)
	b.clock.Hidden = !known || s.Timer.State == pow.Stopped || s.Timer.State == ""
	b.box.Refresh()
}

func (b *bar) tick(d time.Duration) { b.clock.Set(words.Short(d)) }

// banner says what blocks, one thing at a time.
type banner struct {
	box   *fyne.Container
	fill  *widgets.Fill
	icon  *widgets.Icon
	what  *widgets.Text
	mend  *widgets.Text
	more  *widgets.Text
	act   *widgets.Button
	close *widgets.Button
	top   notice
}

func newBanner(dismiss func(key string)) *banner {
	b := &banner{
		fill: widgets.NewFill(theme.TintWarning, "", 0),
		icon: widgets.NewIcon(theme.Warn, theme.Warning, 20),
		what: widgets.NewText("", widgets.Style{Bold: true, Wrap: true}),
		mend: widgets.NewText("", widgets.Style{Size: theme.Small, Wrap: true}),
		more: widgets.NewText("", widgets.Style{Size: theme.Small, Bold: true, Fixed: true}),
	}
	b.act = widgets.NewButton("", "", widgets.Plain, func() { b.top.do() })
	b.close = widgets.NewButton("", theme.Close, widgets.Quiet, func() { dismiss(b.top.key) })
	lines := widgets.Column(1, b.what, b.mend)
	b.box = widgets.Layers(b.fill, widgets.Inset(14, 8, widgets.Line(12, lines, b.icon, lines, b.more, b.act, b.close)))
	b.box.Hide()
	return b
}

func (b *banner) draw(list []notice) {
	b.box.Hidden = len(list) == 0
	if len(list) == 0 {
		return
	}
	b.top = list[0]
	role, tint, icon := b.top.role()
	b.fill.SetRole(tint)
	b.icon.Set(icon, role)
	b.what.SetRole(role)
	b.what.Set(b.top.what)
	b.mend.Set(b.top.mend)
	b.mend.Hidden = b.top.mend == ""
	b.more.Set(fmt.Sprintf("+%d", len(list)-1))
	b.more.Hidden = len(list) == 1
	b.act.SetText(b.top.act)
	b.act.Hidden = b.top.do == nil
	b.close.Hidden = b.top.key == ""
	b.box.Refresh()
}

// snack says what came of a step, and goes by itself.
type snack struct {
	box  *fyne.Container
	text *widgets.Text
	act  *widgets.Button
	do   func()
	n    int
}

func newSnack() *snack {
	s := &snack{text: widgets.NewText("", widgets.Style{Wrap: true})}
	s.act = widgets.NewButton("", "", widgets.Quiet, func() {
		do := s.do
		s.clear(s.n)
		do()
	})
	s.box = widgets.Layers(widgets.NewFill(theme.Surface, theme.Border, theme.RadiusCard), widgets.Inset(16, 8, widgets.Line(12, s.text, s.text, s.act)))
	s.box.Hide()
	return s
}

// set shows a text and returns its number, by which clear knows it.
func (s *snack) set(text, act string, do func()) int {
	s.n++
	s.do = do
	s.text.Set(text)
	s.act.SetText(act)
	s.act.Hidden = do == nil
	s.box.Show()
	return s.n
}

// clear takes away text n, unless a newer one came.
func (s *snack) clear(n int) bool {
	if n != s.n || s.box.Hidden {
		return false
	}
	s.box.Hide()
	return true
}
