//go:build unix && !darwin

package tray_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"go.uber.org/goleak"

	"pow.do/services/client/tray"
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

const watcher = "org.kde.StatusNotifierWatcher"

// host is a fake panel: the watcher, and the one who shows the icon.
type host struct {
	t     *testing.T
	conn  *dbus.Conn
	props *prop.Properties
	items chan dbus.Sender
}

func (h *host) RegisterStatusNotifierItem(from dbus.Sender, service string) *dbus.Error {
	h.props.SetMust(watcher, "RegisteredStatusNotifierItems", []string{string(from) + service})
	h.items <- from
	return nil
}

func startHost(t *testing.T, conn *dbus.Conn) *host {
	t.Helper()
	h := &host{t: t, conn: conn, items: make(chan dbus.Sender, 9)}
	var err error
	h.props, err = prop.Export(conn, "/StatusNotifierWatcher", prop.Map{watcher: {
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitFalse},
		"RegisteredStatusNotifierItems":  {Value: []string{}, Emit: prop.EmitFalse},
	}})
	must(t, err)
	must(t, conn.Export(h, "/StatusNotifierWatcher", watcher))
	_, err = conn.RequestName(watcher, 0)
	must(t, err)
	return h
}

// property reads one of the icon's.
func (h *host) property(item dbus.Sender, name string) any {
	h.t.Helper()
	v, err := h.conn.Object(string(item), "/StatusNotifierItem").GetProperty("org.kde.StatusNotifierItem." + name)
	must(h.t, err)
	return v.Value()
}

// entry is a line of the menu as a host reads it.
type entry struct {
	id       int32
	label    string
	props    map[string]dbus.Variant
	children []entry
}

func (h *host) menu(item dbus.Sender) entry {
	h.t.Helper()
	path, _ := h.property(item, "Menu").(dbus.ObjectPath)
	var revision uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	must(h.t, h.conn.Object(string(item), path).Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root))
	return read(root.ID, root.Props, root.Children)
}

func read(id int32, props map[string]dbus.Variant, children []dbus.Variant) entry {
	e := entry{id: id, props: props}
	e.label, _ = props["label"].Value().(string)
	for _, c := range children {
		parts := c.Value().([]any)
		e.children = append(e.children, read(parts[0].(int32), parts[1].(map[string]dbus.Variant), parts[2].([]dbus.Variant)))
	}
	return e
}

type did struct{ id, token string }

// show runs a Tray until the test ends.
func show(t *testing.T, s tray.State) (tr *tray.Tray, changed chan struct{}, acts chan did) {
	t.Helper()
	t.Setenv("XDG_CURRENT_DESKTOP", "")
	changed, acts = make(chan struct{}, 9), make(chan did, 9)
	tr = tray.New(tray.Config{ID: "do.pow.client", Name: "pow.do", Changed: func() { changed <- struct{}{} }})
	tr.Set(s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- tr.Run(ctx, func(id, token string) { acts <- did{id, token} }) }()
	t.Cleanup(func() { cancel(); must(t, <-done) })
	return tr, changed, acts
}

var tracking = tray.State{Icon: tray.IconTracking, Title: "Tracking", Menu: []tray.Item{
	{ID: "state", Label: "Tracking · a_b", Disabled: true}, {ID: "stop", Label: "Stop"}, {},
	{ID: "switch", Label: "Switch project", Items: []tray.Item{{ID: "p1", Label: "Website", Checkable: true, Checked: true}, {ID: "p2", Label: "Kiosk", Checkable: true}}},
}}

// A host reads the icon and its menu, and clicks.
func TestHost(t *testing.T) {
	conn := startBus(t)
	h := startHost(t, conn)
	tr, changed, acts := show(t, tracking)
	item := <-h.items
	<-changed
	if !tr.Host() {
		t.Error("the host is not seen")
	}
	pix, _ := h.property(item, "IconPixmap").([][]any)
	if len(pix) != len(tray.Sizes) || pix[0][0] != int32(22) || len(pix[2][2].([]byte)) != 4*48*48 {
		t.Errorf("%d pictures", len(pix))
	}
	if id, s := h.property(item, "Id"), h.property(item, "Status"); id != "do.pow.client" || s != "Active" {
		t.Error(id, s)
	}
	if tip := h.property(item, "ToolTip").([]any); tip[2] != "Tracking" {
		t.Error(tip)
	}
	m := h.menu(item)
	if len(m.children) != 4 || m.children[0].label != "Tracking · a__b" || m.children[0].props["enabled"].Value() != false ||
		m.children[2].props["type"].Value() != "separator" || len(m.children[3].children) != 2 || m.children[3].props["children-display"].Value() != "submenu" {
		t.Fatalf("%+v", m)
	}
	if p := m.children[3].children; p[0].props["toggle-state"].Value() != int32(1) || p[1].props["toggle-state"].Value() != int32(0) {
		t.Errorf("%+v", p)
	}
	click := func(id int32, what string) {
		t.Helper()
		must(t, conn.Object(string(item), "/MenuBar").Call("com.canonical.dbusmenu.Event", 0, id, what, dbus.MakeVariant(""), uint32(0)).Err)
	}
	click(m.children[0].id, "clicked") // disabled
	click(m.children[3].id, "clicked") // opens
	click(99, "clicked")
	click(m.children[1].id, "hovered")
	click(m.children[3].children[1].id, "clicked")
	if a := <-acts; a != (did{"p2", ""}) {
		t.Errorf("%+v", a)
	}
	icon := conn.Object(string(item), "/StatusNotifierItem")
	must(t, icon.Call("org.kde.StatusNotifierItem.ProvideXdgActivationToken", 0, "token").Err)
	for _, token := range []string{"token", ""} {
		must(t, icon.Call("org.kde.StatusNotifierItem.Activate", 0, int32(1), int32(1)).Err)
		if a := <-acts; a != (did{tray.Open, token}) {
			t.Errorf("%+v", a)
		}
	}
}

// Only what changed is sent, and a click goes to what the person saw.
func TestChanges(t *testing.T) {
	conn := startBus(t)
	h := startHost(t, conn)
	tr, _, acts := show(t, tracking)
	item := <-h.items
	before := h.menu(item)
	heard := make(chan *dbus.Signal, 32)
	conn.Signal(heard)
	must(t, conn.AddMatchSignal(dbus.WithMatchSender(string(item))))
	next := func() string {
		t.Helper()
		select {
		case s := <-heard:
			return s.Name[strings.LastIndex(s.Name, ".")+1:]
		case <-time.After(20 * time.Second):
			t.Fatal("no signal")
			return ""
		}
	}
	tr.Set(tracking) // nothing new
	s := tracking
	s.Title = "Tracking · 1 min"
	tr.Set(s)
	if got := next(); got != "NewToolTip" {
		t.Error(got)
	}
	s.Icon, s.Attention = tray.IconAttention, true
	tr.Set(s)
	for _, want := range []string{"NewIcon", "NewAttentionIcon", "NewStatus"} {
		if got := next(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	s.Menu = []tray.Item{{ID: "start", Label: "Start"}}
	tr.Set(s)
	if got := next(); got != "LayoutUpdated" {
		t.Error(got)
	}
	m := h.menu(item)
	if len(m.children) != 1 || m.children[0].label != "Start" || m.children[0].id == before.children[1].id {
		t.Errorf("%+v", m)
	}
	var none []any
	_ = conn.Object(string(item), "/MenuBar").Call("com.canonical.dbusmenu.Event", 0, before.children[1].id, "clicked", dbus.MakeVariant(""), uint32(0)).Store(&none)
	must(t, conn.Object(string(item), "/MenuBar").Call("com.canonical.dbusmenu.Event", 0, m.children[0].id, "clicked", dbus.MakeVariant(""), uint32(0)).Err)
	if a := <-acts; a.id != "start" {
		t.Errorf("a line that is gone was clicked: %+v", a)
	}
}

// A host that comes later, goes, and comes again shows the icon.
func TestHostComesAndGoes(t *testing.T) {
	conn := startBus(t)
	tr, changed, _ := show(t, tray.State{})
	h := startHost(t, conn)
	<-h.items
	<-changed
	_, err := conn.ReleaseName(watcher)
	must(t, err)
	<-changed
	if tr.Host() {
		t.Error("the host is gone")
	}
	h.props.SetMust(watcher, "RegisteredStatusNotifierItems", []string{})
	_, err = conn.RequestName(watcher, 0)
	must(t, err)
	<-h.items
	<-changed
	if !tr.Host() {
		t.Error("the host is back")
	}
}

func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
	tr := tray.New(tray.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, tr.Run(ctx, nil))
	if tr.Host() {
		t.Error("there is no host")
	}
}
