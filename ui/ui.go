// Package ui is the window of pow.do: a view of the agent, which does the work
// in a process of its own. Closing, hanging or killing the window changes
// nothing that counts.
//
// One folder a screen: a presenter in plain Go that holds the state, and a page
// that draws it. Each screen declares the few questions it asks the agent; Agent
// here is all of them together. The window itself has the frame around the
// pages: navigation, banner, status bar, the keys, and the connection to the
// agent, which it opens again by itself.
//
// Nothing waits on Fyne's goroutine: every question goes through package bridge
// and has ten seconds. Nothing moves while nothing happens: the clock ticks only
// while its page can be seen.
package ui

import (
	"context"
	"runtime/debug"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/assets"
	"pow.do/services/pow"
	"pow.do/ui/away"
	"pow.do/ui/bridge"
	"pow.do/ui/doctor"
	"pow.do/ui/firstrun"
	"pow.do/ui/history"
	"pow.do/ui/lock"
	"pow.do/ui/outbox"
	"pow.do/ui/project"
	"pow.do/ui/register"
	"pow.do/ui/review"
	"pow.do/ui/settings"
	"pow.do/ui/tracker"
	"pow.do/ui/words"
)

// Watcher tells what the agent is doing.
type Watcher interface {
	Status(ctx context.Context) (pow.Status, error)
	// Watch calls f at each change, at most ten times a second, and once at the
	// start. It returns when the agent is lost or ctx ends.
	Watch(ctx context.Context, f func(pow.Status)) error
}

// Guard keeps the agent from taking pictures while secrets are on the screen.
type Guard interface {
	// Sensitive holds for a few seconds; the window says it again every five.
	Sensitive(ctx context.Context, on bool) error
}

// Ender ends the agent, or makes it forget the keys for now.
type Ender interface {
	Quit(ctx context.Context) error
	Lock(ctx context.Context) error
}

// Agent is everything that the window asks of the agent. Every method returns
// when its context ends; errors that a person can do something about are
// *pow.Error.
type Agent interface {
	Watcher
	Guard
	Ender
	tracker.Agent
	away.Agent
	review.Agent
	outbox.Agent
	history.Agent
	settings.Agent
	project.Agent
	register.Agent
	firstrun.Agent
	doctor.Agent
	lock.Agent
}

// Options are what the program gives the window.
type Options struct {
	// Version is this program's; an agent of another one is told to restart.
	Version string
	// Build names what this program was made from; it may be empty.
	Build string
	// Open is what to show first: a page by its name, register, or an invite link.
	// Empty is where the window was left.
	Open string
	// Restart ends an agent of another version and starts this program's; nil:
	// the person has to.
	Restart func(context.Context) error
	// Reopen opens a new window after this one has closed; nil: the person has to.
	Reopen func()
	// Words puts an error into a sentence and its mend, where the window has no
	// translation for its code. It may be nil.
	Words func(error) (what, mend string)
}

// New makes the window; it opens nothing. It belongs to Fyne's goroutine.
func New(app fyne.App, agent Agent, opts Options) *Window {
	if err := words.Load(""); err != nil {
		fyne.LogError("load the texts", err)
	}
	return newWindow(app, agent, opts, bridge.New(bridge.UI), time.Now)
}

// Run opens the window and returns when it was closed and everything it started
// has ended. It is called on the program's first goroutine.
func (w *Window) Run() {
	debug.SetGCPercent(thrift)
	w.run()
	w.app.Run()
	w.bridge.Close()
}

// thrift is how much garbage may gather, in percent of what is in use: the window
// is open all day and allocates little, so memory is worth more than time.
const thrift = 40

// Show brings an open window to the front. It may be called from any goroutine.
func (w *Window) Show() {
	w.bridge.Post(w.raise)
}

func newWindow(app fyne.App, agent Agent, opts Options, b *bridge.Bridge, now func() time.Time) *Window {
	if err := scale(app); err != nil {
		fyne.LogError("show the window", err)
	}
	w := &Window{app: app, agent: agent, opts: opts, bridge: b, now: now, focused: true, dismissed: map[string]string{}}
	w.style()
	w.win = app.NewWindow(title)
	w.win.SetIcon(fyne.NewStaticResource("powdo.png", assets.AppIcon))
	w.win.SetMaster()
	w.build()
	return w
}

// title is constant: programs that record window titles learn nothing from it,
// and X11 takes the window's class from it.
const title = "pow.do"
