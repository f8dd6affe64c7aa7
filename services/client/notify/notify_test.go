//go:build unix && !darwin

package notify_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"

	"pow.do/services/client/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=DIR</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// startBus runs a private session bus and returns a connection to it.
func startBus(t *testing.T) *dbus.Conn {
	t.Helper()
	if testing.Short() {
		t.Skip("needs dbus-daemon")
	}
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
	conn, err := dbus.ConnectSessionBus()
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shown is one notification as a daemon gets it.
type shown struct {
	app, icon, title, text string
	replaces               uint32
	actions                []string
	hints                  map[string]dbus.Variant
	ms                     int32
}

// daemon is a fake that takes notifications and numbers them.
type daemon struct {
	can    []string
	shown  chan shown
	closed chan uint32
	n      uint32
}

func (d *daemon) GetCapabilities() ([]string, *dbus.Error) { return d.can, nil }

func (d *daemon) Notify(app string, replaces uint32, icon, title, text string, actions []string, hints map[string]dbus.Variant, ms int32) (uint32, *dbus.Error) {
	d.n++
	d.shown <- shown{app, icon, title, text, replaces, actions, hints, ms}
	return d.n, nil
}

func (d *daemon) CloseNotification(id uint32) *dbus.Error { d.closed <- id; return nil }

const name, path = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"

func (d *daemon) serve(t *testing.T, conn *dbus.Conn) {
	t.Helper()
	d.shown, d.closed = make(chan shown, 9), make(chan uint32, 9)
	must(t, conn.Export(d, path, name))
	_, err := conn.RequestName(name, 0)
	must(t, err)
}

type did struct{ kind, action, token string }

// run runs a Notifier until the test ends; there gets its changes.
func run(t *testing.T, now func() time.Time) (n *notify.Notifier, there chan bool, acts chan did) {
	t.Helper()
	there, acts = make(chan bool, 9), make(chan did, 9)
	n = notify.New(notify.Config{App: "pow.do", AppID: "do.pow.client", Now: now, Changed: func(on bool) { there <- on }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- n.Run(ctx, func(k, a, token string) { acts <- did{k, a, token} }) }()
	t.Cleanup(func() { cancel(); must(t, <-done) })
	return n, there, acts
}

func TestShow(t *testing.T) {
	conn := startBus(t)
	d := &daemon{can: []string{"actions", "body"}}
	d.serve(t, conn)
	now := time.Unix(1_795_000_000, 0)
	n, there, acts := run(t, func() time.Time { return now })
	if !<-there || !n.Actions() || !n.There() {
		t.Fatal("the daemon was not found")
	}
	ctx := t.Context()
	must(t, n.Show(ctx, notify.Note{Kind: "taken", Title: "T", Text: "a <b> & c", Actions: []notify.Action{{"look", "Look"}, {notify.Default, ""}}, For: 8 * time.Second}))
	s := <-d.shown
	if s.app != "pow.do" || s.icon != "do.pow.client" || s.text != "a &lt;b&gt; &amp; c" || s.ms != 8000 || len(s.actions) != 4 || s.actions[1] != "Look" || s.replaces != 0 {
		t.Errorf("%+v", s)
	}
	if s.hints["transient"].Value() != true || s.hints["image-data"].Value() != nil {
		t.Errorf("hints %v", s.hints)
	}
	if err := n.Show(ctx, notify.Note{Kind: "week"}); !errors.Is(err, notify.ErrQuiet) {
		t.Error("the second within ten minutes:", err)
	}
	must(t, n.Show(ctx, notify.Note{Kind: "taken", Always: true}))
	if s := <-d.shown; s.replaces != 1 {
		t.Errorf("does not replace the first: %+v", s)
	}
	now = now.Add(notify.Every)
	must(t, n.Show(ctx, notify.Note{Kind: "week"}))
	<-d.shown

	must(t, conn.Emit(path, name+".ActivationToken", uint32(2), "token"))
	must(t, conn.Emit(path, name+".ActionInvoked", uint32(2), "look"))
	must(t, conn.Emit(path, name+".ActionInvoked", uint32(77), "look")) // another program's
	must(t, conn.Emit(path, name+".ActionInvoked", "nonsense"))
	must(t, conn.Emit(path, name+".ActionInvoked", uint32(3), "default"))
	if a := <-acts; a != (did{"taken", "look", "token"}) {
		t.Errorf("%+v", a)
	}
	if a := <-acts; a != (did{"week", "default", ""}) {
		t.Errorf("%+v", a)
	}
	n.Close(ctx, "week")
	if id := <-d.closed; id != 3 {
		t.Errorf("closed %d", id)
	}
	n.Close(ctx, "week")

	_, err := conn.ReleaseName(name)
	must(t, err)
	if <-there {
		t.Error("the daemon is gone")
	}
	if err := n.Show(ctx, notify.Note{Always: true}); !errors.Is(err, notify.ErrUnsupported) {
		t.Error(err)
	}
}

func TestWithoutActions(t *testing.T) {
	conn := startBus(t)
	n, there, _ := run(t, nil)
	if <-there {
		t.Fatal("no daemon runs")
	}
	d := &daemon{}
	d.serve(t, conn) // comes later
	for !<-there {
	}
	must(t, n.Show(t.Context(), notify.Note{Kind: "x", Title: "T", Actions: []notify.Action{{"a", "A"}}}))
	if s := <-d.shown; len(s.actions) != 0 || s.ms != -1 || n.Actions() {
		t.Errorf("%+v", s)
	}
}

func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
	n := notify.New(notify.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, n.Run(ctx, nil))
	if err := n.Show(ctx, notify.Note{}); !errors.Is(err, notify.ErrUnsupported) || n.Actions() {
		t.Error(err)
	}
}
