// Package mini holds the two small windows beside the main one: a bar with the
// clock that stays on top of other windows, and a toast with the picture that
// was just taken. Both are off until they are switched on.
//
// A desktop may ignore where a small window wants to be, and Wayland always
// does: nothing here depends on a place.
package mini

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// The size of the bar.
const (
	barWidth  = 360
	barHeight = 40
)

// title is the one of the main window: programs that record titles learn nothing.
const title = "pow.do"

// Links are the bar's ways out, wired by the window.
type Links struct {
	Toggle func() // start or stop
	Review func() // show the pictures of the day
	Open   func() // bring the main window to the front
}

// Bar is the clock that stays on top.
type Bar struct {
	win    fyne.Window
	now    func() time.Time
	status pow.Status
	at     time.Time
	lost   bool

	body   *fyne.Container
	badge  *widgets.Badge
	name   *widgets.Text
	clock  *widgets.Text
	toggle *widgets.Button
	review *widgets.Button
}

// NewBar makes the bar in a window of its own; it is not shown yet.
func NewBar(app fyne.App, now func() time.Time, l Links) *Bar {
	b := &Bar{now: now}
	b.badge = widgets.NewBadge(theme.BadgeFor("", "", ""))
	b.name = widgets.NewText("", widgets.Style{Bold: true})
	b.clock = widgets.NewText("", widgets.Style{Size: theme.SubHeading, Bold: true, Fixed: true})
	b.toggle = widgets.NewButton("", theme.Start, widgets.Quiet, l.Toggle)
	b.review = widgets.NewButton("", theme.Review, widgets.Quiet, l.Review)
	open := widgets.NewButton("", theme.Expand, widgets.Quiet, l.Open)
	b.body = widgets.Layers(widgets.NewFill(theme.Surface, "", 0),
		widgets.Inset(8, 2, widgets.Line(6, b.name, b.badge, b.name, b.clock, b.toggle, b.review, open)))
	b.win = small(app, fyne.NewSize(barWidth, barHeight))
	b.win.SetContent(b.body)
	b.draw()
	return b
}

// small makes a window without a frame that wants to stay on top, where the
// platform has such.
func small(app fyne.App, size fyne.Size) fyne.Window {
	var w fyne.Window
	if d, ok := app.Driver().(desktop.Driver); ok {
		w = d.CreateSplashWindow()
		w.SetTitle(title)
	} else {
		w = app.NewWindow(title)
	}
	if top, ok := w.(desktop.Window); ok {
		top.RequestAlwaysOnTop()
	}
	w.SetPadded(false)
	w.SetFixedSize(true)
	w.Resize(size)
	return w
}

// Window returns the bar's window.
func (b *Bar) Window() fyne.Window { return b.win }

// Show opens the bar.
func (b *Bar) Show() { b.win.Show() }

// Close ends the bar.
func (b *Bar) Close() { b.win.Close() }

// Update takes a new status in.
func (b *Bar) Update(s pow.Status, received time.Time) {
	b.status, b.at, b.lost = s, received, false
	b.draw()
}

// Lose shows that the agent does not answer.
func (b *Bar) Lose() { b.lost = true; b.draw() }

// Tick moves the clock on.
func (b *Bar) Tick() {
	d := time.Duration(b.status.Timer.Elapsed) * time.Second
	if b.status.Timer.State == pow.Tracking && !b.lost {
		d += max(0, b.now().Sub(b.at))
	}
	b.clock.Set(words.Clock(d))
}

func (b *Bar) draw() {
	t := b.status.Timer
	name := words.Timer(t.State, t.Reason).Word
	if t.Project != nil {
		name = words.Name(t.Project.Name)
		b.badge.Set(theme.BadgeFor(string(t.Project.ID), t.Project.Name, t.Project.Color))
	}
	widgets.Show(b.badge, t.Project != nil)
	if t.State == pow.Paused || t.State == pow.Idle {
		name = words.Timer(t.State, t.Reason).Word + " · " + name
	}
	b.name.Set(name)
	if t.State == "" || t.State == pow.Stopped {
		b.toggle.Set("", theme.Start, widgets.Quiet)
	} else {
		b.toggle.Set("", theme.Stop, widgets.Quiet)
	}
	b.review.SetText(strconv.Itoa(b.status.Held))
	b.Tick()
	widgets.Relayout(b.body)
}
