package e2e_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// window opens a real window of another program on the display.
func (w *world) window(class, title string) (shut func()) {
	w.t.Helper()
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConnDisplay(w.display)
	if err != nil {
		w.t.Fatal(err)
	}
	root := xproto.Setup(conn).DefaultScreen(conn).Root
	id, err := xproto.NewWindowId(conn)
	if err != nil {
		w.t.Fatal(err)
	}
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	check(xproto.CreateWindowChecked(conn, 0, id, root, 50, 50, 300, 200, 0, xproto.WindowClassInputOutput, 0, xproto.CwBackPixel, []uint32{0x808080}).Check())
	for atom, value := range map[xproto.Atom]string{xproto.AtomWmClass: strings.ToLower(class) + "\x00" + class + "\x00", xproto.AtomWmName: title} {
		check(xproto.ChangePropertyChecked(conn, xproto.PropModeReplace, id, atom, xproto.AtomString, 8, uint32(len(value)), []byte(value)).Check())
	}
	check(xproto.MapWindowChecked(conn, id).Check())
	return conn.Close // its windows go with it
}

// TestExclusions: the real agent takes no picture while an excluded window is on
// the real screen, says so, and takes one when it is gone.
func TestExclusions(t *testing.T) {
	w, server, agent := joinedTo(t, []string{"--pictures", "optional"})
	w.must("powdo", "start", projectName)
	w.must("powdo", "settings", "exclude", "--app", "KeePassXC")
	w.must("powdo", "settings", "exclude", "--title", "*bank*")
	for _, c := range [][2]string{{"KeePassXC", "private.kdbx"}, {"Firefox", "My Bank - Firefox"}, {"Firefox", "Example - Mozilla Firefox Private Browsing"}} {
		shut := w.window(c[0], c[1])
		w.eventually("the window is seen", func() bool { return strings.Contains(w.must("powdo", "windows"), "left out: ") })
		if _, code, errs := w.try("powdo", "capture"); code != 1 || !strings.Contains(errs, "excluded window") {
			t.Errorf("%s: exit %d: %s", c[1], code, errs)
		}
		shut()
		w.eventually("it is gone", func() bool { return !strings.Contains(w.must("powdo", "windows"), "left out: ") })
	}
	shut := w.window("Editor", "work")
	defer shut()
	w.must("powdo", "capture")
	if s := w.status(); s.Held != 1 {
		t.Errorf("held %d", s.Held)
	}
	agent.stop(t)
	server.stop(t)
}

// TestPauses: pauses and a restart in the midst of one.
func TestPauses(t *testing.T) {
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName)
	time.Sleep(2100 * time.Millisecond)
	state := func() string { return w.status().Timer.State }
	w.must("powdo", "pause", "15m")
	if out := w.must("powdo", "status", "--json"); state() != "paused" || !strings.Contains(out, `"reason":"off-record"`) || !strings.Contains(out, `"until":"`) {
		t.Error(out)
	}
	agent.stop(t)
	agent = w.agent()
	if state() != "paused" {
		t.Error("the restart forgot the pause:", state())
	}
	w.must("powdo", "resume")
	w.must("powdo", "pause")
	w.must("powdo", "resume")
	if s := w.status(); s.Timer.State != "tracking" || s.Timer.Elapsed < 2 {
		t.Errorf("%+v", s.Timer)
	}
	// The end of the session loses nothing that was tracked.
	time.Sleep(3100 * time.Millisecond)
	before := w.status().Timer.Elapsed
	agent.stop(t)
	agent = w.agent()
	if after := w.status().Timer.Elapsed; after < before {
		t.Errorf("%d s before SIGTERM, %d s after", before, after)
	}
	agent.stop(t)
	server.stop(t)
}

// TestOneWindow: a second start raises the first window and ends well.
func TestOneWindow(t *testing.T) {
	w, server, agent := joined(t)
	w.openbox()
	first := w.spawn("powdo")
	w.eventually("the window opens", w.windowShown)
	for range 2 {
		second := w.spawn("powdo", "window", "--page", "outbox")
		<-second.done
		if code := second.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("a second start: exit %d", code)
		}
	}
	out, err := w.xdotool("search", "--onlyvisible", "--name", `^pow\.do$`)
	if err != nil || len(strings.Fields(out)) != 1 {
		t.Errorf("windows: %q %v", out, err)
	}
	first.kill()
	if s := w.status(); s.Timer.State != "stopped" {
		t.Errorf("%+v", s.Timer)
	}
	agent.stop(t)
	server.stop(t)
}
