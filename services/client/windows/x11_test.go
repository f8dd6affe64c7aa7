//go:build unix && !darwin

package windows_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"go.uber.org/goleak"

	"pow.do/services/client/windows"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program returns the path of an installed program. Without it the test fails,
// as nothing else shows that the real thing works; -short leaves it out.
func program(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs %s", name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run make test", name)
	}
	return path
}

func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// desk is a virtual display and a connection to make windows with.
type desk struct {
	*testing.T
	conn *xgb.Conn
	root xproto.Window
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(program(t, "Xvfb"), "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", "1200x800x24")
	cmd.ExtraFiles = []*os.File{w}
	start(t, cmd)
	w.Close()
	var number bytes.Buffer
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil {
			t.Fatal(err)
		}
		if b[0] == '\n' {
			break
		}
		number.Write(b)
	}
	t.Setenv("DISPLAY", ":"+number.String())
	t.Setenv("XDG_SESSION_TYPE", "x11")
	t.Setenv("XAUTHORITY", os.DevNull)
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		for e, err := conn.WaitForEvent(); e != nil || err != nil; e, err = conn.WaitForEvent() {
		}
	})
	return &desk{t, conn, xproto.Setup(conn).DefaultScreen(conn).Root}
}

// manage runs a window manager.
func (d *desk) manage() {
	d.Helper()
	start(d.T, exec.Command(program(d.T, "openbox")))
	d.until("a window manager runs", func() bool {
		r, err := xproto.GetProperty(d.conn, false, d.root, d.atom("_NET_CLIENT_LIST"), xproto.GetPropertyTypeAny, 0, 1).Reply()
		return err == nil && r.Type != xproto.AtomNone
	})
}

// until waits for what another process does; there is no event for all of it.
func (d *desk) until(what string, ok func() bool) {
	d.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("not reached: %s\n%+v", what, d.list())
		}
	}
}

func (d *desk) atom(name string) xproto.Atom {
	r, err := xproto.InternAtom(d.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		d.Fatal(err)
	}
	return r.Atom
}

func (d *desk) set(w xproto.Window, name, kind string, value []byte) {
	d.Helper()
	format := byte(8)
	if kind == "CARDINAL" || kind == "WM_SIZE_HINTS" {
		format = 32
	}
	n := uint32(len(value)) / uint32(format/8)
	if err := xproto.ChangePropertyChecked(d.conn, xproto.PropModeReplace, w, d.atom(name), d.atom(kind), format, n, value).Check(); err != nil {
		d.Fatal(err)
	}
}

// open makes a window and shows it. Unmanaged ones are like menus.
func (d *desk) open(class, title string, at image.Rectangle, unmanaged bool) xproto.Window {
	d.Helper()
	id, err := xproto.NewWindowId(d.conn)
	if err != nil {
		d.Fatal(err)
	}
	override := uint32(0)
	if unmanaged {
		override = 1
	}
	err = xproto.CreateWindowChecked(d.conn, 0, id, d.root, int16(at.Min.X), int16(at.Min.Y), uint16(at.Dx()), uint16(at.Dy()), 0,
		xproto.WindowClassInputOutput, 0, xproto.CwBackPixel|xproto.CwOverrideRedirect, []uint32{0x404040, override}).Check()
	if err != nil {
		d.Fatal(err)
	}
	d.set(id, "WM_CLASS", "STRING", []byte(strings.ToLower(class)+"\x00"+class+"\x00"))
	d.set(id, "_NET_WM_NAME", "UTF8_STRING", []byte(title))
	d.set(id, "_NET_WM_PID", "CARDINAL", binary.LittleEndian.AppendUint32(nil, uint32(os.Getpid())))
	hints := make([]byte, 18*4) // WM_NORMAL_HINTS: the position is the person's
	hints[0] = 1
	d.set(id, "WM_NORMAL_HINTS", "WM_SIZE_HINTS", hints)
	if err := xproto.MapWindowChecked(d.conn, id).Check(); err != nil {
		d.Fatal(err)
	}
	return id
}

func (d *desk) list() []windows.Window {
	d.Helper()
	all, err := windows.List(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	return all
}

func (d *desk) find(title string) (windows.Window, bool) {
	all := d.list()
	i := slices.IndexFunc(all, func(w windows.Window) bool { return w.Title == title })
	if i < 0 {
		return windows.Window{}, false
	}
	return all[i], true
}

func (d *desk) shows(title string) bool { _, ok := d.find(title); return ok }

// ask sends the window manager a wish about a window.
func (d *desk) ask(w xproto.Window, kind string, data ...uint32) {
	d.Helper()
	e := xproto.ClientMessageEvent{Format: 32, Window: w, Type: d.atom(kind), Data: xproto.ClientMessageDataUnionData32New(append(data, make([]uint32, 5-len(data))...))}
	const mask = xproto.EventMaskSubstructureNotify | xproto.EventMaskSubstructureRedirect
	if err := xproto.SendEventChecked(d.conn, false, d.root, mask, string(e.Bytes())).Check(); err != nil {
		d.Fatal(err)
	}
}

// Without a window manager every shown window counts, also one that is covered.
func TestUnmanaged(t *testing.T) {
	d := newDesk(t)
	if all := d.list(); len(all) != 0 {
		t.Errorf("an empty screen: %+v", all)
	}
	at := image.Rect(100, 50, 400, 300)
	under := d.open("KeePassXC", "private.kdbx — KeePassXC", at, false)
	d.open("Menu", "front", at.Inset(-20), true)
	w, ok := d.find("private.kdbx — KeePassXC")
	if !ok || w.Class != "KeePassXC" || w.Instance != "keepassxc" || w.Bounds != at || w.PID != os.Getpid() || !strings.HasSuffix(w.Program, ".test") || w.App() != "KeePassXC" {
		t.Errorf("%+v", w)
	}
	if all := d.list(); len(all) != 2 || all[0].Title != "front" {
		t.Errorf("%+v", all)
	}
	if err := xproto.UnmapWindowChecked(d.conn, under).Check(); err != nil {
		t.Fatal(err)
	}
	if d.shows("private.kdbx — KeePassXC") {
		t.Error("a window that is not mapped is listed")
	}
}

// With a window manager a wholly covered window does not count, one of which a
// pixel may be seen does, and a minimised one does not.
func TestManaged(t *testing.T) {
	d := newDesk(t)
	d.manage()
	below := d.open("Bank", "Bänk — Mozilla Firefox Private Browsing", image.Rect(200, 200, 500, 400), false)
	d.until("the window shows", func() bool { return d.shows("Bänk — Mozilla Firefox Private Browsing") })
	w, _ := d.find("Bänk — Mozilla Firefox Private Browsing")
	if !w.Private || !image.Rect(200, 200, 500, 400).In(w.Bounds) && w.Bounds.Dy() <= 200 {
		t.Errorf("%+v", w)
	}
	above := d.open("Editor", "work", image.Rect(100, 100, 700, 600), false)
	d.until("it is covered", func() bool { return d.shows("work") && !d.shows("Bänk — Mozilla Firefox Private Browsing") })
	d.until("the upper one is active", func() bool { w, ok := d.find("work"); return ok && w.Active })

	d.set(above, "_NET_WM_WINDOW_OPACITY", "CARDINAL", []byte{0xff, 0xff, 0xff, 0x7f})
	if !d.shows("Bänk — Mozilla Firefox Private Browsing") {
		t.Error("what lies beneath a translucent window is not listed")
	}
	if err := xproto.DeletePropertyChecked(d.conn, above, d.atom("_NET_WM_WINDOW_OPACITY")).Check(); err != nil {
		t.Fatal(err)
	}
	owner := d.open("Compositor", "compositor", image.Rect(900, 700, 910, 710), true)
	d.until("it is covered again", func() bool { return !d.shows("Bänk — Mozilla Firefox Private Browsing") })
	if err := xproto.SetSelectionOwnerChecked(d.conn, owner, d.atom("_NET_WM_CM_S0"), 0).Check(); err != nil {
		t.Fatal(err)
	}
	if !d.shows("Bänk — Mozilla Firefox Private Browsing") {
		t.Error("where a compositor runs, nothing may count as covered")
	}
	if err := xproto.SetSelectionOwnerChecked(d.conn, 0, d.atom("_NET_WM_CM_S0"), 0).Check(); err != nil {
		t.Fatal(err)
	}
	d.ask(below, "_NET_ACTIVE_WINDOW", 2)
	d.until("it is in front", func() bool { all := d.list(); return len(all) == 3 && strings.HasPrefix(all[1].Title, "Bänk") })
	d.ask(below, "WM_CHANGE_STATE", 3)
	d.until("it is minimised", func() bool { return !d.shows("Bänk — Mozilla Firefox Private Browsing") && d.shows("work") })
}

// Titles of strangers may be anything.
func TestOddNames(t *testing.T) {
	d := newDesk(t)
	w := d.open("Odd", "x", image.Rect(0, 0, 10, 10), false)
	for _, title := range []string{strings.Repeat("ä", 5000), "\xff\xfe\x00", "Gr\xfc\xdfe", ""} {
		d.set(w, "_NET_WM_NAME", "UTF8_STRING", []byte(title))
		if all := d.list(); len(all) != 1 || len(all[0].Title) > 4096 {
			t.Errorf("%.10q: %+v", title, all)
		}
	}
	d.set(w, "_NET_WM_NAME", "UTF8_STRING", []byte("Gr\xfc\xdfe"))
	if !d.shows("Grüße") {
		t.Error("an old title in Latin-1 is not read")
	}
	d.set(w, "WM_CLASS", "STRING", nil)
	d.set(w, "_NET_WM_PID", "CARDINAL", []byte{0xff, 0xff, 0xff, 0xff})
	if all := d.list(); len(all) != 1 || all[0].App() != "?" {
		t.Errorf("%+v", all)
	}
}

func TestNoDisplay(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("XDG_SESSION_TYPE", "tty")
	if _, err := windows.List(t.Context()); !errors.Is(err, pow.ErrNoDisplay) {
		t.Error(err)
	}
	t.Setenv("DISPLAY", ":64999")
	t.Setenv("XDG_SESSION_TYPE", "wayland")
	if _, err := windows.List(t.Context()); !errors.Is(err, windows.ErrUnsupported) {
		t.Error("under Wayland:", err)
	}
	t.Setenv("XDG_SESSION_TYPE", "x11")
	if _, err := windows.List(t.Context()); !errors.Is(err, pow.ErrNoDisplay) {
		t.Error("a display that is not there:", err)
	}
}
