package ui

import (
	"fmt"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

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
	widgets.Show(b.box, len(list) > 0)
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
	widgets.Show(b.mend, b.top.mend != "")
	b.more.Set(fmt.Sprintf("+%d", len(list)-1))
	widgets.Show(b.more, len(list) > 1)
	b.act.SetText(b.top.act)
	widgets.Show(b.act, b.top.do != nil)
	widgets.Show(b.close, b.top.key != "")
	widgets.Relayout(b.box)
}
