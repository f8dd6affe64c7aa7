package ui

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

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
	l.b.apps.Box.Hidden = l.b.apps.Word() == "" || size.Width < medium // not Show: this is a layout
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
	if n := unsettled(s); n > 0 {
		b.outbox.Set(words.N("bar.outbox", n))
	}
	widgets.Show(b.outbox, b.outbox.Words() != "")
	apps, ok := words.Apps(s.ActivityWatch)
	if !ok {
		apps = words.Mark{Icon: theme.Apps, Role: theme.Muted}
	}
	b.apps.Set(apps.Icon, apps.Role, apps.Word)
	widgets.Show(b.clock, known && s.Timer.State != pow.Stopped && s.Timer.State != "")
	widgets.Relayout(b.box)
}

func (b *bar) tick(d time.Duration) { b.clock.Set(words.Short(d)) }
