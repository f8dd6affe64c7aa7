package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/bridge"
	"pow.do/ui/lock"
	"pow.do/ui/outbox"
	"pow.do/ui/register"
	"pow.do/ui/theme"
	"pow.do/ui/tracker"
	"pow.do/ui/welcome"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// page is what the window shows one of.
type page interface {
	Object() fyne.CanvasObject
	Update(s pow.Status, received time.Time)
	Lose()
	Visible(on bool)
	// Period returns how often Tick is wanted; 0 is never.
	Period(focused bool) time.Duration
	Tick()
	Focus() fyne.Focusable
}

// Window is the window of pow.do. Everything in it belongs to Fyne's goroutine.
type Window struct {
	app    fyne.App
	win    fyne.Window
	agent  Agent
	opts   Options
	bridge *bridge.Bridge
	now    func() time.Time

	timer   *tracker.Page
	outbox  *outbox.Page
	welcome *welcome.Page
	lock    *lock.Page
	all     []page

	frame  *frame
	nav    *nav
	bar    *bar
	banner *banner
	snack  *snack
	sheet  *widgets.Sheet

	shown     page
	wanted    page // shown once neither the lock nor the first run is in the way
	joining   bool // the first run was opened by the person
	status    pow.Status
	received  time.Time
	known     bool
	lost      int // failed tries to reach the agent, 0: connected
	focused   bool
	dismissed map[string]bool // banners put away
	guarding  func()          // ends the renewal of Sensitive
	again     chan struct{}   // try the agent now
	period    time.Duration
	stopTick  func()
}

// The least and the first size of the window.
const (
	leastWidth  = 480
	leastHeight = 560
	firstWidth  = 960
	firstHeight = 640
)

func (w *Window) build() {
	w.again = make(chan struct{}, 1)
	w.timer = tracker.NewPage(tracker.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now},
		tracker.Links{Say: w.say, Register: w.openRegister, Join: func() { w.openJoin("") }, Copy: w.copyText, Undo: w.undo})
	w.outbox = outbox.NewPage(outbox.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now},
		outbox.Links{Say: w.say, Copy: w.copyText, Came: w.focusPage})
	w.welcome = welcome.NewPage(w.agent, w.bridge.Go, w.now,
		welcome.Links{Say: w.say, Paste: w.pasted, Done: w.joined, Secret: w.guard})
	w.lock = lock.NewPage(lock.Config{Agent: w.agent, Async: w.bridge.Go, After: w.bridge.After, Now: w.now}, w.say)
	w.all = []page{w.timer, w.outbox, w.welcome, w.lock}

	w.nav = newNav([]navItem{
		{w.timer, theme.Timer, words.T("page.timer")},
		{w.outbox, theme.Outbox, words.T("page.outbox")},
	}, w.goTo)
	w.bar = newBar()
	w.banner = newBanner(w.dismiss)
	w.snack = newSnack()
	w.frame = newFrame(w.nav.box, w.banner.box, w.bar.box, w.snack.box)
	for _, p := range w.all {
		p.Object().Hide()
		w.frame.add(p.Object())
	}
	w.wanted = w.timer
	w.win.SetPadded(false)
	w.win.SetContent(w.frame.root)
	w.win.Resize(w.savedSize())
	w.addKeys()
	w.win.SetCloseIntercept(w.close)
	w.app.Lifecycle().SetOnEnteredForeground(func() { w.setFocused(true) })
	w.app.Lifecycle().SetOnExitedForeground(func() { w.setFocused(false) })
	w.start(w.opts.Open)
	w.settle()
}

// start picks the first page.
func (w *Window) start(open string) {
	if open == "" {
		open = w.app.Preferences().String("page")
	}
	switch {
	case open == "outbox":
		w.wanted = w.outbox
	case open == "register":
		w.bridge.Post(w.openRegister)
	case strings.HasPrefix(open, "powdo:"):
		w.openJoin(open)
	}
}

func (w *Window) open() {
	w.bridge.Run(w.watch)
	w.win.Show()
}

func (w *Window) close() {
	p := w.app.Preferences()
	p.SetFloat("width", float64(w.win.Canvas().Size().Width))
	p.SetFloat("height", float64(w.win.Canvas().Size().Height))
	p.SetString("page", "timer")
	if w.wanted == w.outbox {
		p.SetString("page", "outbox")
	}
	w.win.Close()
}

func (w *Window) savedSize() fyne.Size {
	p := w.app.Preferences()
	return fyne.NewSize(
		max(leastWidth, float32(p.FloatWithFallback("width", firstWidth))),
		max(leastHeight, float32(p.FloatWithFallback("height", firstHeight))))
}

func (w *Window) goTo(p page) {
	w.wanted, w.joining = p, false
	w.settle()
}

// settle shows the page that is due: the lock, the first run, or the one wanted.
func (w *Window) settle() {
	due := w.wanted
	switch {
	case w.known && !w.status.Setup.Key, w.joining:
		due, w.joining = w.welcome, true
	case w.known && w.status.Setup.Locked:
		due = w.lock
	}
	if due != w.shown {
		w.swap(due)
	}
	w.retick()
}

func (w *Window) swap(to page) {
	w.closeSheet()
	if w.shown != nil {
		w.shown.Visible(false)
		w.shown.Object().Hide()
	}
	w.shown = to
	if to == w.lock {
		w.guard(true)
	} else if to != w.welcome {
		w.guard(false)
	}
	to.Object().Show()
	full := to == w.lock || to == w.welcome
	w.nav.box.Hidden, w.bar.box.Hidden = full, full
	w.nav.mark(to)
	w.frame.root.Refresh()
	to.Visible(true)
	w.win.Canvas().Unfocus()
	w.focusPage()
}

// focusPage gives the focus to the page's first control, unless something has it.
func (w *Window) focusPage() {
	c := w.win.Canvas()
	if w.shown == nil || c.Focused() != nil || c.Overlays().Top() != nil {
		return
	}
	if f := w.shown.Focus(); f != nil {
		c.Focus(f)
	}
}

func (w *Window) setFocused(on bool) {
	w.focused = on
	w.retick()
}

// retick ticks as often as the page in sight wants it, and not at all where
// nothing moves.
func (w *Window) retick() {
	period := w.shown.Period(w.focused)
	if period == 0 && w.status.Timer.State == pow.Tracking && w.lost == 0 {
		period = time.Minute // the status bar shows minutes
	}
	if period == w.period {
		return
	}
	if w.stopTick != nil {
		w.stopTick()
		w.stopTick = nil
	}
	if w.period = period; period > 0 {
		w.stopTick = w.bridge.Every(period, func() {
			w.shown.Tick()
			w.bar.tick(w.elapsed())
		})
	}
}

func (w *Window) elapsed() time.Duration {
	return tracker.Model{Status: w.status, Received: w.received, Lost: w.lost > 0}.Elapsed(w.now())
}

func (w *Window) openRegister() {
	if w.sheet != nil || !w.known || w.shown == w.lock || w.shown == w.welcome {
		return
	}
	w.sheet = register.Show(w.win.Canvas(), register.Config{
		Agent: w.agent, Async: w.bridge.Go, Now: w.now, Say: w.say,
		Done:   func(n int) { w.snackbar(words.N("register.done", n), "", nil) },
		Closed: func() { w.sheet = nil },
	})
}

func (w *Window) closeSheet() {
	if w.sheet != nil {
		w.sheet.Close()
	}
}

func (w *Window) openJoin(link string) {
	w.joining = true
	w.welcome.Presenter.Open(link)
	if w.shown != nil {
		w.settle()
	}
}

func (w *Window) joined() {
	w.joining = false
	w.goTo(w.timer)
}

// guard keeps pictures off while secrets are on the screen, and says so again
// every five seconds, so that a window that dies does not keep them off.
func (w *Window) guard(on bool) {
	if on == (w.guarding != nil) {
		return
	}
	tell := func() {
		w.bridge.Go(func(ctx context.Context) error { return w.agent.Sensitive(ctx, on) }, func(error) {})
	}
	tell()
	if !on {
		w.guarding()
		w.guarding = nil
		return
	}
	w.guarding = w.bridge.Every(5*time.Second, tell)
}

func (w *Window) copyText(s string) {
	w.app.Clipboard().SetContent(s)
	w.snackbar(words.T("snack.copied"), "", nil)
}

func (w *Window) pasted() string { return w.app.Clipboard().Content() }

func (w *Window) undo(text string, f func()) { w.snackbar(text, words.T("act.undo"), f) }

// snackTime is how long a result stays.
const snackTime = 6 * time.Second

func (w *Window) snackbar(text, act string, f func()) {
	n := w.snack.set(text, act, f)
	w.frame.root.Refresh()
	w.bridge.After(snackTime, func() {
		if w.snack.clear(n) {
			w.frame.root.Refresh()
		}
	})
}
