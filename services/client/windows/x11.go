//go:build unix && !darwin

package windows

import (
	"encoding/binary"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/shape"
	"github.com/jezek/xgb/xproto"

	"pow.do/services/pow"
)

// list asks the display that DISPLAY names. Under Wayland there may be one as
// well, but it knows only the windows of X programs.
func list() ([]Window, error) {
	session := os.Getenv("XDG_SESSION_TYPE")
	switch {
	case session == "wayland", session != "x11" && os.Getenv("WAYLAND_DISPLAY") != "":
		return nil, ErrUnsupported
	case os.Getenv("DISPLAY") == "":
		return nil, pow.ErrNoDisplay
	}
	xgb.Logger.SetOutput(io.Discard) // it would write to the program's stderr
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, pow.ErrNoDisplay.With(err)
	}
	defer hangUp(conn)
	setup := xproto.Setup(conn)
	if conn.DefaultScreen >= len(setup.Roots) {
		return nil, pow.ErrNoDisplay.With(errors.New("DISPLAY names a screen that is not there"))
	}
	screen := setup.Roots[conn.DefaultScreen]
	d := display{Conn: conn, root: screen.Root, atoms: map[string]xproto.Atom{},
		whole: image.Rect(0, 0, int(screen.WidthInPixels), int(screen.HeightInPixels))}
	return d.windows()
}

// hangUp ends the connection and waits until its goroutines are gone.
func hangUp(conn *xgb.Conn) {
	conn.Close()
	for {
		if event, err := conn.WaitForEvent(); event == nil && err == nil {
			return
		}
	}
}

// display is a connection for the time of one List.
type display struct {
	*xgb.Conn
	root  xproto.Window
	whole image.Rectangle // the root window
	atoms map[string]xproto.Atom
	shape bool
}

// windows reads the root's children: each is a window, or the frame that the
// window manager drew around one or several.
func (d *display) windows() ([]Window, error) {
	d.shape = d.extension("SHAPE")
	tree, err := xproto.QueryTree(d.Conn, d.root).Reply()
	if err != nil {
		return nil, err
	}
	if len(tree.Children) > maxWindows {
		return nil, errors.New("more windows than can be looked at")
	}
	slices.Reverse(tree.Children) // front to back
	active := d.number(d.root, "_NET_ACTIVE_WINDOW")
	var all []Window
	for _, top := range d.viewable(tree.Children) {
		bounds, ok := d.bounds(top)
		if !ok || !bounds.Overlaps(d.whole) {
			continue
		}
		clients := d.clients(top)
		for _, c := range clients {
			if d.hidden(c) {
				continue
			}
			w := d.read(c)
			w.Bounds, w.Active = bounds, active != 0 && uint32(c) == active
			w.solid = d.solid(top) && d.solid(c)
			all = append(all, w)
		}
		if len(clients) == 0 { // nobody manages it: a menu, a panel, or there is no window manager
			w := d.read(top)
			w.Bounds = bounds
			all = append(all, w)
		}
	}
	return seen(all, d.composited()), nil
}

// viewable keeps the windows that are shown and have pixels.
func (d *display) viewable(all []xproto.Window) (out []xproto.Window) {
	cookies := make([]xproto.GetWindowAttributesCookie, len(all))
	for i, w := range all {
		cookies[i] = xproto.GetWindowAttributes(d.Conn, w)
	}
	for i, c := range cookies { // a window may be gone by now
		if a, err := c.Reply(); err == nil && a.MapState == xproto.MapStateViewable && a.Class == xproto.WindowClassInputOutput {
			out = append(out, all[i])
		}
	}
	return out
}

// bounds returns where a child of the root lies, with its border.
func (d *display) bounds(w xproto.Window) (image.Rectangle, bool) {
	g, err := xproto.GetGeometry(d.Conn, xproto.Drawable(w)).Reply()
	if err != nil {
		return image.Rectangle{}, false
	}
	x, y, border := int(g.X), int(g.Y), 2*int(g.BorderWidth)
	return image.Rect(x, y, x+int(g.Width)+border, y+int(g.Height)+border), true
}

// Frames are searched for clients only so far.
const (
	maxDepth    = 4
	maxSearched = 64
)

// clients returns the viewable windows in a frame that a window manager looks
// after: those with WM_STATE (ICCCM 4.1.3.1).
func (d *display) clients(top xproto.Window) (out []xproto.Window) {
	level, searched := []xproto.Window{top}, 0
	for range maxDepth {
		var next []xproto.Window
		for _, w := range d.viewable(level) {
			if searched++; searched > maxSearched {
				return out
			}
			if d.property(w, "WM_STATE") != nil {
				out = append(out, w)
				continue
			}
			if tree, err := xproto.QueryTree(d.Conn, w).Reply(); err == nil {
				next = append(next, tree.Children[:min(len(tree.Children), maxSearched)]...)
			}
		}
		level = next
	}
	return out
}

// hidden tells whether the window manager keeps a window from being seen though
// it is mapped: minimised under some compositors, but not rolled up, when the
// title can still be read.
func (d *display) hidden(w xproto.Window) bool {
	states := d.numbers(w, "_NET_WM_STATE")
	return slices.Contains(states, d.atom("_NET_WM_STATE_HIDDEN")) && !slices.Contains(states, d.atom("_NET_WM_STATE_SHADED"))
}

// solid tells whether w hides what lies beneath: it has no shape but its
// rectangle, and does not ask to be translucent.
func (d *display) solid(w xproto.Window) bool {
	if d.property(w, "_NET_WM_WINDOW_OPACITY") != nil {
		return false
	}
	if !d.shape {
		return true
	}
	s, err := shape.QueryExtents(d.Conn, w).Reply()
	return err == nil && !s.BoundingShaped
}

// composited tells whether a compositor draws the screen (EWMH: it owns _NET_WM_CM_Sn).
func (d *display) composited() bool {
	s, err := xproto.GetSelectionOwner(d.Conn, xproto.Atom(d.atom("_NET_WM_CM_S"+strconv.Itoa(d.DefaultScreen)))).Reply()
	return err != nil || s.Owner != 0
}

// read asks a window for its names.
func (d *display) read(w xproto.Window) Window {
	out := Window{Title: text(d.property(w, "_NET_WM_NAME")), PID: int(d.number(w, "_NET_WM_PID"))}
	if out.Title == "" {
		out.Title = text(d.property(w, "WM_NAME"))
	}
	names := strings.Split(text(d.property(w, "WM_CLASS")), "\x00")
	out.Instance = names[0]
	if len(names) > 1 {
		out.Class = names[1]
	}
	if out.PID > 0 {
		out.Program = program(out.PID)
	}
	return out
}

// program returns the name of a process's file, where the system tells.
func program(pid int) string {
	dir := "/proc/" + strconv.Itoa(pid)
	if exe, err := os.Readlink(dir + "/exe"); err == nil {
		return strings.TrimSuffix(filepath.Base(exe), " (deleted)")
	}
	name, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// text reads a property that is UTF-8, or Latin-1 of old programs.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	if n := len(b) - utf8.UTFMax; n >= 0 && len(b) == maxText {
		for i := range utf8.UTFMax { // cut in the middle of a letter
			if utf8.Valid(b[:n+i]) {
				return string(b[:n+i])
			}
		}
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// property returns the value of a window's property, cut at maxText; nil when
// there is none.
func (d *display) property(w xproto.Window, name string) []byte {
	r, err := xproto.GetProperty(d.Conn, false, w, xproto.Atom(d.atom(name)), xproto.GetPropertyTypeAny, 0, maxText/4).Reply()
	if err != nil || r.Type == xproto.AtomNone {
		return nil
	}
	if r.Value == nil {
		return []byte{}
	}
	return r.Value
}

// numbers reads a property of 32-bit numbers.
func (d *display) numbers(w xproto.Window, name string) (out []uint32) {
	for b := d.property(w, name); len(b) >= 4; b = b[4:] {
		out = append(out, binary.LittleEndian.Uint32(b)) // xgb asks every server for this order
	}
	return out
}

func (d *display) number(w xproto.Window, name string) uint32 {
	if all := d.numbers(w, name); len(all) > 0 {
		return all[0]
	}
	return 0
}

func (d *display) atom(name string) uint32 {
	a, known := d.atoms[name]
	if !known {
		if r, err := xproto.InternAtom(d.Conn, false, uint16(len(name)), name).Reply(); err == nil {
			a = r.Atom
		}
		d.atoms[name] = a
	}
	return uint32(a)
}

// extension makes an extension's requests usable. xgb's own way to do so also
// writes into tables that all connections of the program share, without a lock;
// they are needed for events only.
func (d *display) extension(name string) bool {
	r, err := xproto.QueryExtension(d.Conn, uint16(len(name)), name).Reply()
	if err != nil || !r.Present {
		return false
	}
	d.ExtLock.Lock()
	defer d.ExtLock.Unlock()
	d.Extensions[name] = r.MajorOpcode
	return true
}
