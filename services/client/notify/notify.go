// Package notify shows desktop notifications.
//
// It speaks org.freedesktop.Notifications on the session bus by itself, so that
// a notification can have actions. What it says comes from the caller; daemons
// may keep it on a disk. A picture is never sent.
//
// It is quiet: at most one notification in Every, but for those that a person
// waits for (Note.Always). A newer one of the same kind takes the place of the
// older one. Every notification is transient: it does not stay in a history.
//
// Caveats: only where such a bus is; Show answers ErrUnsupported elsewhere, and
// under Windows and macOS always. Without a daemon that knows actions, a
// notification has none.
package notify

import (
	"context"
	"slices"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Every is the least time between two notifications that nobody waits for.
const Every = 10 * time.Minute

// Errors of Show.
var (
	// ErrUnsupported: this desktop shows no notifications.
	ErrUnsupported = &pow.Error{Code: "notify-unsupported", What: "this desktop shows no notifications"}
	// ErrQuiet: one was shown not long ago.
	ErrQuiet = &pow.Error{Code: "notify-quiet", What: "a notification was shown not long ago"}
)

// Action is a button. The key Default is a click on the notification itself.
type Action struct{ Key, Label string }

// Default is the key of a click on the notification.
const Default = "default"

// Note is one notification.
type Note struct {
	Kind    string // a newer one of the same kind replaces it
	Title   string // one line
	Text    string // plain; markup is escaped
	Actions []Action
	Always  bool          // not held against Every
	For     time.Duration // 0: as long as the desktop likes
}

// Config is what a Notifier is made of.
type Config struct {
	App     string // shown as the sender
	AppID   string // name of its desktop file and icon
	Now     func() time.Time
	Changed func(there bool) // called when a daemon comes or goes; may be nil
}

// Notifier shows notifications. Make it with New, run it with Run.
type Notifier struct {
	cfg Config

	mu    sync.Mutex
	desk  daemon // nil: none
	last  time.Time
	shown map[string]uint32 // kind → the daemon's number
}

// daemon is the connection to what shows notifications.
type daemon interface {
	notify(ctx context.Context, n Note, replaces uint32) (id uint32, err error)
	closeNote(ctx context.Context, id uint32) error
	capabilities() []string
}

// New returns a Notifier; it connects to nothing yet.
func New(cfg Config) *Notifier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Notifier{cfg: cfg, shown: map[string]uint32{}}
}

// Actions tells whether notifications can have buttons here.
func (n *Notifier) Actions() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.desk != nil && slices.Contains(n.desk.capabilities(), "actions")
}

// There tells whether something shows notifications.
func (n *Notifier) There() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.desk != nil
}

// Show shows a notification. Errors: ErrUnsupported, ErrQuiet.
func (n *Notifier) Show(ctx context.Context, note Note) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.desk == nil {
		return ErrUnsupported
	}
	now := n.cfg.Now()
	if since := now.Sub(n.last); !note.Always && !n.last.IsZero() && since >= 0 && since < Every {
		return ErrQuiet
	}
	if !slices.Contains(n.desk.capabilities(), "actions") {
		note.Actions = nil
	}
	id, err := n.desk.notify(ctx, note, n.shown[note.Kind])
	if err != nil {
		return ErrUnsupported.With(err)
	}
	n.shown[note.Kind] = id
	if !note.Always {
		n.last = now
	}
	return nil
}

// Close takes the notification of a kind away, if one is shown.
func (n *Notifier) Close(ctx context.Context, kind string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, shown := n.shown[kind]
	delete(n.shown, kind)
	if shown && n.desk != nil {
		_ = n.desk.closeNote(ctx, id) // gone is gone
	}
}

// kindOf returns the kind that a number stands for.
func (n *Notifier) kindOf(id uint32) (kind string, found bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, i := range n.shown {
		if i == id {
			return k, true
		}
	}
	return "", false
}

func (n *Notifier) closed(id uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, i := range n.shown {
		if i == id {
			delete(n.shown, k)
		}
	}
}

// found takes over a daemon, or the lack of one.
func (n *Notifier) found(d daemon) {
	n.mu.Lock()
	n.desk = d
	n.shown = map[string]uint32{}
	n.mu.Unlock()
	if n.cfg.Changed != nil {
		n.cfg.Changed(d != nil)
	}
}
