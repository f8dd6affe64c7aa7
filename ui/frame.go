package ui

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// frame lays out navigation, banner, page, status bar and snackbar in three
// width classes.
type frame struct {
	root                    *fyne.Container
	nav, banner, bar, snack fyne.CanvasObject
	veil                    *widgets.Fill // over the page while the agent is lost
	page                    fyne.CanvasObject
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
	f := &frame{nav: nav, banner: banner, bar: bar, snack: snack, veil: widgets.NewFill(theme.Veil, "", 0)}
	f.veil.Hide()
	f.root = &fyne.Container{Layout: f, Objects: []fyne.CanvasObject{f.veil, nav, banner, bar, snack}}
	return f
}

// show puts a page in the place of the one before. Only the page in sight is part
// of the window: the others cost nothing when it is resized or drawn anew.
func (f *frame) show(o fyne.CanvasObject) {
	f.page = o
	f.root.Objects = []fyne.CanvasObject{o, f.veil, f.nav, f.banner, f.bar, f.snack}
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
	for _, o := range []fyne.CanvasObject{f.page, f.veil} {
		if o != nil {
			o.Move(fyne.NewPos(left, top))
			o.Resize(fyne.NewSize(size.Width-left, size.Height-top-bottom))
		}
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

// newNav makes the navigation; the last item, the settings, stands at the bottom.
func newNav(items []navItem, goTo func(page)) *nav {
	n := &nav{}
	logo := &fyne.Container{Layout: railLayout{}, Objects: []fyne.CanvasObject{
		widgets.NewIcon(theme.Logo, theme.Primary, 24),
		widgets.NewText("pow.do", widgets.Style{Size: theme.SubHeading, Bold: true}),
		widgets.NewText("", widgets.Style{Fixed: true}),
	}}
	top := widgets.Column(4, widgets.Inset(10, 8, logo))
	bottom := widgets.Column(4)
	for k, i := range items {
		r := &navRow{navItem: i}
		r.icon = widgets.NewIcon(i.icon, theme.Muted, 24)
		r.text = widgets.NewText(i.name, widgets.Style{Bold: true})
		r.count = widgets.NewText("", widgets.Style{Size: theme.Small, Bold: true, Fixed: true})
		r.press = widgets.NewPress(&fyne.Container{Layout: railLayout{}, Objects: []fyne.CanvasObject{r.icon, r.text, r.count}},
			widgets.Look{}, func() { goTo(i.page) })
		n.items = append(n.items, r)
		if k == len(items)-1 {
			bottom.Objects = append(bottom.Objects, r.press)
		} else {
			top.Objects = append(top.Objects, r.press)
		}
		r.paint()
	}
	ends := &fyne.Container{Layout: endsLayout{}, Objects: []fyne.CanvasObject{top, bottom}}
	n.box = widgets.Layers(widgets.NewFill(theme.Band, "", 0), widgets.Inset(6, 8, ends))
	return n
}

// endsLayout puts one object at the top and one at the bottom.
type endsLayout struct{}

func (endsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	for i, c := range o {
		h := widgets.HeightFor(c, size.Width)
		c.Resize(fyne.NewSize(size.Width, h))
		c.Move(fyne.NewPos(0, float32(i)*(size.Height-h)))
	}
}

func (endsLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
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
		if on := r.page == p; r.on != on {
			r.on = on
			r.paint()
		}
	}
}

// count shows how many things wait on a page; alarm is for a person to look.
func (n *nav) count(p page, k int, alarm bool) {
	for _, r := range n.items {
		if r.page == p && (r.alarm != alarm || r.count.Words() != words.Count(k)) {
			r.alarm = alarm
			r.count.Set(words.Count(k))
			r.paint()
		}
	}
}
