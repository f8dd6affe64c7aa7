// Package tray shows the agent's state in an icon with a menu.
//
// On Linux and BSD it is a StatusNotifierItem with a com.canonical.dbusmenu menu
// on the session bus, over a connection of its own. A desktop shows it when
// something hosts such icons (org.kde.StatusNotifierWatcher says whether);
// nothing may depend on that. Under Windows it is an icon of the notification
// area, by fyne.io/systray.
//
// Set may be called as often as one likes: only what changed is sent.
//
// Caveats: on macOS there is no icon: AppKit wants the main thread of the
// program and C. How dark a panel is, no desktop tells: GNOME's is dark, others
// follow the colour scheme that the desktop's portal names, and are taken for
// dark without one.
package tray

import (
	"embed"
	"slices"
	"sync"
)

// Item is one line of the menu. Items with children open them and do nothing.
type Item struct {
	ID        string // given to act; unique in the menu
	Label     string // "": a separator
	Disabled  bool
	Checkable bool
	Checked   bool
	Items     []Item
}

// State is all that is shown.
type State struct {
	Icon      string // one of Icons
	Attention bool   // something needs the person
	Title     string // the state in words, for the tooltip and screen readers
	Menu      []Item
}

// The icons. Their shapes differ, not only their colours.
const (
	IconStopped   = "stopped"
	IconTracking  = "tracking"
	IconAway      = "away"
	IconPaused    = "paused"
	IconOffRecord = "off-record"
	IconAttention = "attention"
	IconOffline   = "offline"
)

// Icons lists them all.
var Icons = []string{IconStopped, IconTracking, IconAway, IconPaused, IconOffRecord, IconAttention, IconOffline}

// Sizes are the sides of the icons, in pixels.
var Sizes = []int{22, 32, 48}

//go:embed icons/*.png
var pictures embed.FS

// Config is what a Tray is made of.
type Config struct {
	ID      string // of the program, constant
	Name    string // of the program, for people
	Changed func() // called when a host comes or goes; may be nil
}

// Tray is one icon. Make it with New, run it with Run.
type Tray struct {
	cfg     Config
	changed chan struct{} // Set was called

	mu    sync.Mutex // guards all below
	state State
	host  bool
}

// New returns a Tray; it connects to nothing yet.
func New(cfg Config) *Tray { return &Tray{cfg: cfg, changed: make(chan struct{}, 1)} }

// Set changes what is shown.
func (t *Tray) Set(s State) {
	t.mu.Lock()
	same := equal(t.state, s)
	t.state = s
	t.mu.Unlock()
	if same {
		return
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// Host tells whether a desktop shows the icon.
func (t *Tray) Host() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.host
}

func (t *Tray) setHost(on bool) {
	t.mu.Lock()
	was := t.host
	t.host = on
	t.mu.Unlock()
	if was != on && t.cfg.Changed != nil {
		t.cfg.Changed()
	}
}

func (t *Tray) now() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

func equal(a, b State) bool {
	return a.Icon == b.Icon && a.Attention == b.Attention && a.Title == b.Title && slices.EqualFunc(a.Menu, b.Menu, sameItem)
}

func sameItem(a, b Item) bool {
	return a.ID == b.ID && a.Label == b.Label && a.Disabled == b.Disabled && a.Checkable == b.Checkable && a.Checked == b.Checked &&
		slices.EqualFunc(a.Items, b.Items, sameItem)
}

// fileName is an icon's file: light ones are for dark panels.
func fileName(icon string, light bool, size string) string {
	if light {
		return "icons/" + icon + "-light-" + size + ".png"
	}
	return "icons/" + icon + "-dark-" + size + ".png"
}
