//go:build unix && !darwin

package away_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
	"go.uber.org/goleak"

	"pow.do/services/client/away"
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

func start(t *testing.T, cmd *exec.Cmd) *os.Process {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=DIR</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// startBus runs a private bus and points a variable of the environment at it.
func startBus(t *testing.T, variable string) {
	t.Helper()
	path := program(t, "dbus-daemon")
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.Replace(busConfig, "DIR", dir, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--config-file="+config, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(variable, strings.TrimSpace(address))
}

func dial(t *testing.T, connect func(...dbus.ConnOption) (*dbus.Conn, error)) *dbus.Conn {
	t.Helper()
	conn, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// noDesktop takes everything away that the watcher could find.
func noDesktop(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("XDG_SESSION_TYPE", "x11")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
}

// told is what the watcher said, in order.
type told chan string

func (c told) Away(_ time.Time, reason string) { c <- reason }
func (c told) Back(time.Time)                  { c <- "back" }
func (c told) Shutdown()                       { c <- "shutdown" }

func (c told) want(t *testing.T, word string) {
	t.Helper()
	select {
	case got := <-c:
		if got != word {
			t.Fatalf("%q, want %q", got, word)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing, want %q", word)
	}
}

// watch runs a Watcher until the test ends.
func watch(t *testing.T, cfg away.Config) (*away.Watcher, told) {
	t.Helper()
	w, events := away.New(cfg), make(told, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx, events) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w, events
}

func (c told) until(t *testing.T, w *away.Watcher, source string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !slices.Contains(w.Sources(), source); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s was not found: %v", source, w.Sources())
		}
	}
}

// Without anything to ask, it says nothing and ends when told.
func TestNothingThere(t *testing.T) {
	noDesktop(t)
	w, events := watch(t, away.Config{After: func() time.Duration { return time.Nanosecond }})
	time.Sleep(50 * time.Millisecond)
	if len(events) != 0 || len(w.Sources()) != 0 {
		t.Errorf("%d events from %v", len(events), w.Sources())
	}
}

// Real input on a real X server, with a second opinion that once disagrees.
func TestX11(t *testing.T) {
	noDesktop(t)
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(program(t, "Xvfb"), "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", "640x480x24")
	cmd.ExtraFiles = []*os.File{pipe}
	server := start(t, cmd)
	pipe.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(number))
	t.Setenv("XAUTHORITY", os.DevNull)
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		conn.Close()
		for e, err := conn.WaitForEvent(); e != nil || err != nil; e, err = conn.WaitForEvent() {
		}
	}()
	if err := xtest.Init(conn); err != nil {
		t.Fatal(err)
	}
	press := func() { // the left shift key, up and down
		for _, kind := range []byte{xproto.KeyPress, xproto.KeyRelease} {
			if err := xtest.FakeInputChecked(conn, kind, 50, 0, 0, 0, 0, 0).Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	press()
	var asked atomic.Int32
	var clock atomic.Int64 // minutes that the watcher's clock is ahead
	base := time.Now()
	w, events := watch(t, away.Config{
		After:  func() time.Duration { return 1500 * time.Millisecond },
		Active: func(context.Context, time.Time) bool { return asked.Add(1) == 1 },
		Now:    func() time.Time { return time.Now().Add(time.Duration(clock.Load()) * time.Minute) },
		Mono: func() time.Duration {
			return time.Since(base) + time.Duration(clock.Load())*time.Minute
		},
	})
	for end := time.Now().Add(20 * time.Second); asked.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody asked for the second opinion")
		}
	}
	if len(events) != 0 {
		t.Fatal("away although the second opinion saw the person")
	}
	clock.Store(2) // it is not asked again within a minute
	events.want(t, away.Idle)
	press()
	events.want(t, "back")
	events.until(t, w, "x11")

	_ = server.Kill()
	for end := time.Now().Add(20 * time.Second); len(w.Sources()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the display is gone; the watcher has not noticed")
		}
	}
}

// fakeMutter is GNOME's idle monitor.
type fakeMutter struct{ ms atomic.Uint64 }

func (m *fakeMutter) GetIdletime() (uint64, *dbus.Error) { return m.ms.Load(), nil }

func TestSessionBus(t *testing.T) {
	noDesktop(t)
	startBus(t, "DBUS_SESSION_BUS_ADDRESS")
	t.Setenv("XDG_SESSION_TYPE", "wayland")
	conn := dial(t, dbus.ConnectSessionBus)
	m := &fakeMutter{}
	if err := conn.Export(m, "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.gnome.Mutter.IdleMonitor", 0); err != nil {
		t.Fatal(err)
	}
	m.ms.Store(400_000)
	w, events := watch(t, away.Config{After: func() time.Duration { return 5 * time.Minute }})
	events.want(t, away.Idle)
	m.ms.Store(10)
	events.want(t, "back")
	events.until(t, w, "session-bus")
	for _, name := range []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"} {
		path := dbus.ObjectPath("/" + strings.ReplaceAll(name, ".", "/"))
		must(t, conn.Emit(path, name+".ActiveChanged", "not a bool"))
		must(t, conn.Emit(path, name+".Other", true))
		must(t, conn.Emit(path, name+".ActiveChanged", true))
		events.want(t, away.Locked)
		must(t, conn.Emit(path, name+".ActiveChanged", false))
		events.want(t, "back")
	}
	must(t, conn.Emit("/x", "org.gnome.ScreenSaver.ActiveChanged", true))
	events.want(t, away.Locked)
	w.Here() // the desktop never says that it is unlocked, but the person is there
	events.want(t, "back")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user answers for the owner of a logind session.
type user struct{ uid uint32 }

func (u user) Get(_, _ string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant(struct {
		UID  uint32
		Path dbus.ObjectPath
	}{u.uid, "/org/freedesktop/login1/user/_1"}), nil
}

func TestLogind(t *testing.T) {
	noDesktop(t)
	startBus(t, "DBUS_SYSTEM_BUS_ADDRESS")
	conn := dial(t, dbus.ConnectSystemBus)
	const manager, mine, theirs = "/org/freedesktop/login1", "/org/freedesktop/login1/session/_31", "/org/freedesktop/login1/session/_32"
	must(t, conn.Export(user{uint32(os.Getuid())}, mine, "org.freedesktop.DBus.Properties"))
	must(t, conn.Export(user{uint32(os.Getuid()) + 1}, theirs, "org.freedesktop.DBus.Properties"))
	_, err := conn.RequestName("org.freedesktop.login1", 0)
	must(t, err)
	w, events := watch(t, away.Config{})
	events.until(t, w, "logind")

	must(t, conn.Emit(theirs, "org.freedesktop.login1.Session.Lock"))
	must(t, conn.Emit("/unknown", "org.freedesktop.login1.Session.Lock"))
	must(t, conn.Emit(mine, "org.freedesktop.login1.Session.Lock"))
	events.want(t, away.Locked)
	must(t, conn.Emit(mine, "org.freedesktop.login1.Session.Unlock"))
	events.want(t, "back")

	hint := func(on bool) {
		must(t, conn.Emit(mine, "org.freedesktop.DBus.Properties.PropertiesChanged", "org.freedesktop.login1.Session",
			map[string]dbus.Variant{"LockedHint": dbus.MakeVariant(on)}, []string{}))
	}
	hint(true)
	events.want(t, away.Locked)
	hint(false)
	events.want(t, "back")

	stranger := dial(t, dbus.ConnectSystemBus)
	must(t, stranger.Emit(manager, "org.freedesktop.login1.Manager.PrepareForSleep", true))
	must(t, conn.Emit(manager, "org.freedesktop.login1.Manager.PrepareForSleep", true))
	events.want(t, away.Asleep)
	must(t, conn.Emit(manager, "org.freedesktop.login1.Manager.PrepareForSleep", false))
	must(t, conn.Emit(manager, "org.freedesktop.login1.Manager.PrepareForShutdown", true))
	for range 2 { // in which order the next look comes is open
		if got := <-events; got != "shutdown" && got != "back" {
			t.Error(got)
		}
	}
}

// Sleep that nobody announced is seen in the clocks.
func TestClockJump(t *testing.T) {
	noDesktop(t)
	var asleep atomic.Bool
	var looked atomic.Int32
	w, events := watch(t, away.Config{
		Now: func() time.Time {
			if asleep.Load() {
				return time.Now().Add(time.Hour)
			}
			return time.Now()
		},
		After: func() time.Duration { looked.Add(1); return 0 },
	})
	for looked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	asleep.Store(true)
	w.Here() // or the next look, some seconds later
	events.want(t, away.Asleep)
	events.want(t, "back")
}
