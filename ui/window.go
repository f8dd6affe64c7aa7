package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/away"
	"pow.do/ui/bridge"
	"pow.do/ui/doctor"
	"pow.do/ui/firstrun"
	"pow.do/ui/history"
	"pow.do/ui/lock"
	"pow.do/ui/mini"
	"pow.do/ui/outbox"
	"pow.do/ui/project"
	"pow.do/ui/review"
	"pow.do/ui/settings"
	"pow.do/ui/theme"
	"pow.do/ui/tracker"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// page is what the window shows one of. Only the page in sight hears of
// statuses: one that comes into sight is updated first and then made visible.
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

	timer    *tracker.Page
	review   *review.Page
	outbox   *outbox.Page
	history  *history.Page
	settings *settings.Page
	project  *project.Page
	doctor   *doctor.Page
	first    *firstrun.Page
	lock     *lock.Page
	names    []named // every page by its name
	away     *away.Sheet
	mini     *mini.Bar
	toast    *mini.Toast

	frame  *frame
	nav    *nav
	bar    *bar
	banner *banner
	snack  *snack
	sheet  *widgets.Sheet

	shown     page
	wanted    page // shown once neither the lock nor the first run is in the way
	before    page // where Back of a page beside the navigation leads
	joining   bool // the first run was opened by the person
	status    pow.Status
	received  time.Time
	known     bool
	lost      int   // failed tries to reach the agent, 0: connected
	failure   error // of the last try
	focused   bool
	dismissed map[string]string // banners put away, and the day of it
	appsGone  time.Time         // since when ActivityWatch is away
	toasts    bool              // a taken picture is shown
	toastFor  time.Duration
	guarding  func()        // ends the renewal of Sensitive
	again     chan struct{} // try the agent now
	period    time.Duration
	stopTick  func()
	restyling bool // a change of theme is ours
}

// named is a page with its name outside: on the command line, in the tray, and
// in the preferences.
type named struct {
	name string
	page page
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
	w.buildPages()
	w.nav = newNav([]navItem{
		{w.timer, theme.Timer, words.T("page.timer")},
		{w.review, theme.Review, words.T("page.review")},
		{w.outbox, theme.Outbox, words.T("page.outbox")},
		{w.history, theme.History, words.T("page.history")},
		{w.settings, theme.Settings, words.T("page.settings")},
	}, w.goTo)
	w.bar = newBar()
	w.banner = newBanner(w.dismiss)
	w.snack = newSnack()
	w.frame = newFrame(w.nav.box, w.banner.box, w.bar.box, w.snack.box)
	w.away = away.New(w.win.Canvas(), away.Config{Agent: w.agent, Async: w.bridge.Go, Now: w.now, Heard: w.heard}, w.say, w.drawBanner)
	w.wanted = w.timer
	w.win.SetPadded(false)
	w.win.SetContent(w.frame.root)
	w.win.Resize(w.savedSize())
	w.addKeys()
	w.win.SetCloseIntercept(w.close)
	w.app.Lifecycle().SetOnEnteredForeground(func() { w.setFocused(true) })
	w.app.Lifecycle().SetOnExitedForeground(func() { w.setFocused(false) })
	w.begin(w.opts.Open)
	w.settle()
}

// begin picks the first page.
func (w *Window) begin(open string) {
	if open == "" {
		open = w.app.Preferences().String("page")
	}
	w.open(open)
	w.toldBefore()
	if w.app.Preferences().Bool("mini") {
		w.openMini()
	}
}

// open shows a page by its name, or what an invite link leads to.
func (w *Window) open(name string) {
	if name == "register" {
		w.bridge.Post(w.openRegister)
		return
	}
	if strings.HasPrefix(name, "powdo:") {
		w.openJoin(name)
		return
	}
	for _, n := range w.names {
		if n.name == name && n.page != page(w.lock) {
			w.goTo(n.page)
		}
	}
}

// heard takes in a status that came as the answer to a step.
func (w *Window) heard(s pow.Status, at time.Time) { w.hear(news{status: s, received: at}) }

func (w *Window) run() {
	w.bridge.Run(w.watch)
	w.win.Show()
}

func (w *Window) savedSize() fyne.Size {
	p := w.app.Preferences()
	return fyne.NewSize(
		max(leastWidth, float32(p.FloatWithFallback("width", firstWidth))),
		max(leastHeight, float32(p.FloatWithFallback("height", firstHeight))))
}

func (w *Window) goTo(p page) {
	w.wanted, w.joining = p, false
	if w.shown != nil {
		w.settle()
	}
}

// full tells whether a page stands alone: the lock and the first run.
func (w *Window) full() bool { return w.shown == page(w.lock) || w.shown == page(w.first) }

// settle shows the page that is due: the lock, the first run, or the one wanted.
func (w *Window) settle() {
	due := w.wanted
	switch {
	case w.known && (!w.status.Setup.Key || w.first.Unfinished()), w.joining:
		due, w.joining = w.first, true
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
	}
	if w.shown == page(w.settings) {
		w.readSettings()
	}
	w.shown = to
	if to == page(w.lock) {
		w.away.Close()
		w.guard(true)
	} else if to != page(w.first) {
		w.guard(false)
	}
	switch {
	case w.lost > 0:
		to.Lose()
	case w.known:
		to.Update(w.status, w.received)
	}
	w.frame.show(to.Object())
	w.nav.box.Hidden, w.bar.box.Hidden = w.full(), w.full()
	w.nav.mark(to)
	to.Visible(true)
	w.frame.root.Refresh()
	w.win.Canvas().Unfocus()
	w.focusPage()
}

// relayout arranges the frame again; the page arranges itself.
func (w *Window) relayout() {
	w.frame.Layout(w.frame.root.Objects, w.frame.root.Size())
	widgets.Relayout(w.frame.snack)
	widgets.Relayout(w.frame.banner)
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
	running := w.status.Timer.State == pow.Tracking && w.lost == 0
	if period == 0 && running {
		period = time.Minute // the status bar shows minutes
	}
	if w.mini != nil && running {
		period = time.Second
	}
	if period == w.period {
		return
	}
	if w.stopTick != nil {
		w.stopTick()
		w.stopTick = nil
	}
	if w.period = period; period > 0 {
		w.stopTick = w.bridge.Every(period, w.tick)
	}
}

func (w *Window) tick() {
	w.shown.Tick()
	w.bar.tick(w.elapsed())
	if w.mini != nil {
		w.mini.Tick()
	}
}

func (w *Window) elapsed() time.Duration {
	return tracker.Model{Status: w.status, Received: w.received, Lost: w.lost > 0}.Elapsed(w.now())
}

func (w *Window) openJoin(link string) {
	w.joining = true
	w.first.Open(link)
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
	w.relayout()
	w.bridge.After(snackTime, func() {
		if w.snack.clear(n) {
			w.relayout()
		}
	})
}
