//go:build unix && !darwin

package client

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"pow.do/services/pow"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=DIR</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// startBus runs a private session bus and returns a connection to it.
func startBus(t *testing.T) *dbus.Conn {
	t.Helper()
	path, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Fatal("dbus-daemon is not installed: run make test")
	}
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can be too long for a socket
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	must(t, os.WriteFile(config, []byte(strings.Replace(busConfig, "DIR", dir, 1)), 0o600))
	cmd := exec.Command(path, "--config-file="+config, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
	conn, err := dbus.ConnectSessionBus()
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// panel is a fake desktop: it hosts icons and shows notifications.
type panel struct {
	conn  *dbus.Conn
	items chan dbus.Sender
	notes chan note
}

type note struct {
	title, text string
	actions     []string
}

func (p *panel) RegisterStatusNotifierItem(from dbus.Sender, _ string) *dbus.Error {
	p.items <- from
	return nil
}

func (p *panel) GetCapabilities() ([]string, *dbus.Error) { return []string{"actions"}, nil }

func (p *panel) Notify(_ string, _ uint32, _, title, text string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	p.notes <- note{title, text, actions}
	return 7, nil
}

func (p *panel) CloseNotification(uint32) *dbus.Error { return nil }

func newPanel(t *testing.T) *panel {
	t.Helper()
	p := &panel{startBus(t), make(chan dbus.Sender, 9), make(chan note, 9)}
	_, err := prop.Export(p.conn, "/StatusNotifierWatcher", prop.Map{"org.kde.StatusNotifierWatcher": {
		"IsStatusNotifierHostRegistered": {Value: true}, "RegisteredStatusNotifierItems": {Value: []string{}}}})
	must(t, err)
	must(t, p.conn.Export(p, "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"))
	must(t, p.conn.Export(p, "/org/freedesktop/Notifications", "org.freedesktop.Notifications"))
	for _, name := range []string{"org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications"} {
		_, err := p.conn.RequestName(name, 0)
		must(t, err)
	}
	return p
}

func (p *panel) next(t *testing.T) note {
	t.Helper()
	select {
	case n := <-p.notes:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("no notification")
		return note{}
	}
}

// faced is an agent with its face, until the test ends.
func faced(t *testing.T) (*Agent, *panel, dbus.Sender) {
	t.Helper()
	p := newPanel(t)
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	a := alone(t)
	agreeAll(t, a)
	s := pow.DefaultSettings()
	s.Language = "en"
	must(t, a.SetSettings(t.Context(), s))
	a.newDesk()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.runDesk(ctx) }()
	t.Cleanup(func() { cancel(); must(t, <-done) })
	item := <-p.items
	waitFor(t, "notifications", a.desk.notes.There)
	return a, p, item
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not reached: " + what)
		}
	}
}

func (p *panel) tip(t *testing.T, item dbus.Sender) string {
	t.Helper()
	v, err := p.conn.Object(string(item), "/StatusNotifierItem").GetProperty("org.kde.StatusNotifierItem.ToolTip")
	must(t, err)
	return v.Value().([]any)[2].(string)
}

// The icon follows the timer, and its menu works.
func TestTray(t *testing.T) {
	a, p, item := faced(t)
	waitFor(t, "the tray is known", func() bool { return status(t, a).Tray })
	waitFor(t, "stopped", func() bool { return p.tip(t, item) == "Stopped" })
	a.desk.say(deskAct{"", actProject + string(optional) + ":", ""})
	waitFor(t, "tracking", func() bool { return p.tip(t, item) == "Tracking · Website" })
	a.desk.say(deskAct{"", actOff15, ""})
	waitFor(t, "off the record", func() bool { return status(t, a).Timer.Reason == offRecord })
	a.desk.say(deskAct{"", actResume, ""})
	a.desk.say(deskAct{"", actStop, ""})
	waitFor(t, "stopped again", func() bool { return status(t, a).Timer.State == pow.Stopped })
}

// The question after an absence has an answer on the notification; a taken
// picture can be removed there. Neither names the project.
func TestNotifications(t *testing.T) {
	a, p, _ := faced(t)
	must(t, start(t, a, required))
	from := time.Now()
	a.Away(from, "screen-locked")
	waitFor(t, "two seconds", func() bool { return time.Since(from) > 2100*time.Millisecond })
	a.Back(time.Now())
	n := p.next(t)
	if n.title != "You were away" || strings.Contains(n.text, "Kiosk") || !slices.Contains(n.actions, doDiscard) {
		t.Errorf("%+v", n)
	}
	must(t, p.conn.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications.ActionInvoked", uint32(7), doDiscard))
	waitFor(t, "answered", func() bool { return len(status(t, a).Away) == 0 })

	infos, err := a.Capture(t.Context())
	must(t, err)
	a.pictureTaken(infos)
	if n := p.next(t); n.title != "Picture taken and held for review" || n.text != "" {
		t.Errorf("%+v", n)
	}
	must(t, p.conn.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications.ActionInvoked", uint32(7), doRemove))
	waitFor(t, "removed", func() bool { return status(t, a).Held == 0 })

	a.mu.Lock()
	a.windows = 1 // a window watches, and shows it itself
	a.mu.Unlock()
	s, _ := a.settings()
	s.Toast = pow.ToastWindow
	must(t, a.SetSettings(t.Context(), s))
	a.pictureTaken(infos)
	s.Toast, s.Notify = pow.ToastNotification, pow.NotifyOff
	must(t, a.SetSettings(t.Context(), s))
	a.pictureTaken(infos)
	s.Notify = pow.NotifyNames
	must(t, a.SetSettings(t.Context(), s))
	a.noticeAbout(noticeLong, &pow.ProjectRef{Name: "Kiosk"})
	if n := p.next(t); !strings.HasPrefix(n.text, "Kiosk. ") {
		t.Errorf("%+v", n)
	}
}

// The one window is asked for a page; without one the caller is told.
func TestShow(t *testing.T) {
	a := alone(t)
	if err := a.Show(t.Context(), "outbox"); !errors.Is(err, pow.ErrNoWindow) {
		t.Error(err)
	}
	pages := make(chan string, 9)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.WatchWindow(ctx, func(s pow.Status) { pages <- s.Open }) }()
	if page := <-pages; page != "" {
		t.Error(page)
	}
	for ask, want := range map[string]string{"outbox": "outbox", "": frontPage} {
		must(t, a.Show(t.Context(), ask))
		if page := <-pages; page != want {
			t.Errorf("%q shows %q", ask, page)
		}
	}
	a.changed()
	if page := <-pages; page != "" {
		t.Error("shown twice:", page)
	}
	if err := a.Show(t.Context(), strings.Repeat("x", 5000)); !errors.Is(err, pow.ErrUsage) {
		t.Error(err)
	}
	cancel()
	must(t, <-done)
	if err := a.Show(t.Context(), ""); !errors.Is(err, pow.ErrNoWindow) {
		t.Error(err)
	}
}
