package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestWindow drives the real window with keys, as a person would: start the
// timer, register, see it booked, stop, close; tracking does not need the window.
func TestWindow(t *testing.T) {
	w, server, agent := joined(t)
	w.openbox()
	window := w.spawn("powdo")
	w.eventually("the window opens", w.windowShown)
	time.Sleep(settle)
	w.press("the timer runs", "F9", func() bool { return w.status().Timer.State == "tracking" })
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	w.press("the sheet asks", "ctrl+Return", func() bool { return true })
	time.Sleep(settle)
	w.screenshot("window-sheet.png")
	w.press("the focus moves from the safe button on", "Tab", func() bool { return true })
	w.press("it is registered", "space", func() bool { return len(w.outbox()) > 0 })
	w.must("powdo", "drain")
	w.press("the outbox shows", "ctrl+3", func() bool { return true })
	time.Sleep(settle)
	w.screenshot("window-outbox.png")
	w.press("the timer stops", "F9", func() bool { return w.status().Timer.State == "stopped" })
	w.press("the window closes", "ctrl+w", func() bool { return !w.windowShown() })
	<-window.done
	if s := w.status(); s.Outbox["booked"] < 1 {
		t.Errorf("after the window was closed: %+v", s)
	}
	agent.stop(t)
	server.stop(t)
}

// TestWindowStartsTheAgent: a person opens the window, and nothing else.
func TestWindowStartsTheAgent(t *testing.T) {
	w := newWorld(t)
	w.xvfb()
	w.openbox()
	window := w.spawn("powdo")
	w.eventually("the window opens", w.windowShown)
	time.Sleep(settle)
	w.screenshot("window-welcome.png")
	second := w.spawn("powdo", "agent")
	<-second.done
	if code := second.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("a second agent: exit %d, want 1", code)
	}
	window.kill()
	w.must("powdo", "agent", "--stop")
}

// openbox manages the display's windows; without one no window gets the keyboard.
func (w *world) openbox() {
	w.t.Helper()
	cmd := exec.Command("openbox")
	cmd.Env = append(os.Environ(), "DISPLAY="+w.display)
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("a window manager is needed (make test installs it): %v", err)
	}
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// settle gives the window time to draw what it heard; there is nothing to ask.
const settle = 1500 * time.Millisecond

// press sends a key to the window until what it should do has come about.
func (w *world) press(what, key string, ok func() bool) {
	w.t.Helper()
	id, err := w.xdotool("search", "--onlyvisible", "--name", `^pow\.do$`)
	if err != nil {
		w.t.Fatalf("no window for %s", key)
	}
	if _, err := w.xdotool("windowfocus", "--sync", id); err != nil {
		w.t.Fatalf("focus the window: %v", err)
	}
	if _, err := w.xdotool("key", "--clearmodifiers", key); err != nil {
		w.t.Fatalf("press %s: %v", key, err)
	}
	w.eventually(what, ok)
}

// screenshot keeps what the display shows, where POWDO_E2E_PICTURES names a folder.
func (w *world) screenshot(name string) {
	dir := os.Getenv("POWDO_E2E_PICTURES")
	if dir == "" {
		return
	}
	cmd := exec.Command("import", "-window", "root", filepath.Join(dir, name))
	cmd.Env = append(os.Environ(), "DISPLAY="+w.display)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Errorf("screenshot: %v %s", err, out)
	}
}
