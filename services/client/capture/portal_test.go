//go:build unix && !darwin

package capture_test

import (
	"bufio"
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"pow.do/services/client/capture"
	"pow.do/services/pow"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=DIR</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// startBus runs a private session bus and points the environment at it.
func startBus(t *testing.T) {
	t.Helper()
	path := program(t, "dbus-daemon", "dbus-daemon")
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
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon: %v\n%s", err, stderr.String())
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	t.Setenv("XDG_SESSION_TYPE", "wayland")
	t.Setenv("DISPLAY", ":64999") // must not be used
}

func dialBus(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const (
	busName   = "org.freedesktop.portal.Desktop"
	busPath   = dbus.ObjectPath("/org/freedesktop/portal/desktop")
	responded = "org.freedesktop.portal.Request.Response"
)

// fakePortal is the Screenshot portal with an answer of the test's choice.
type fakePortal struct {
	conn *dbus.Conn

	mu     sync.Mutex // guards the fields below
	answer portalAnswer
	calls  []string
}

// portalAnswer gets the predicted path of the request and returns the real one.
type portalAnswer func(request dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error)

func (p *fakePortal) answers(f portalAnswer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *fakePortal) saw(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
}

// Register is org.freedesktop.host.portal.Registry.Register.
func (p *fakePortal) Register(app string, _ map[string]dbus.Variant) *dbus.Error {
	p.saw("Register " + app)
	return nil
}

// Screenshot is org.freedesktop.portal.Screenshot.Screenshot.
func (p *fakePortal) Screenshot(from dbus.Sender, _ string, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	p.saw("Screenshot")
	token, _ := options["handle_token"].Value().(string)
	interactive, _ := options["interactive"].Value().(bool)
	if token == "" || interactive {
		return "", dbus.NewError("org.freedesktop.portal.Error.InvalidArgument", nil)
	}
	sender := strings.ReplaceAll(strings.TrimPrefix(string(from), ":"), ".", "_")
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	return answer(busPath + dbus.ObjectPath("/request/"+sender+"/"+token))
}

func startPortal(t *testing.T) *fakePortal {
	t.Helper()
	p := &fakePortal{conn: dialBus(t)}
	for _, iface := range []string{"org.freedesktop.portal.Screenshot", "org.freedesktop.host.portal.Registry"} {
		if err := p.conn.Export(p, busPath, iface); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := p.conn.RequestName(busName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return p
}

// responds answers at once, even before the call returns.
func (p *fakePortal) responds(code uint32, results map[string]dbus.Variant) {
	p.answers(func(request dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) {
		if err := p.conn.Emit(request, responded, code, results); err != nil {
			return "", dbus.MakeFailedError(err)
		}
		return request, nil
	})
}

// tell sends a success to the caller alone, as real portals do.
func (p *fakePortal) tell(request dbus.ObjectPath, results map[string]dbus.Variant) *dbus.Error {
	parts := strings.Split(string(request), "/")
	msg := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath:        dbus.MakeVariant(request),
		dbus.FieldInterface:   dbus.MakeVariant("org.freedesktop.portal.Request"),
		dbus.FieldMember:      dbus.MakeVariant("Response"),
		dbus.FieldDestination: dbus.MakeVariant(":" + strings.Replace(parts[len(parts)-2], "_", ".", 1)),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(uint32(0), results)),
	}, Body: []any{uint32(0), results}}
	if call := p.conn.Send(msg, nil); call != nil && call.Err != nil {
		return dbus.MakeFailedError(call.Err)
	}
	return nil
}

func uri(path string) map[string]dbus.Variant {
	return map[string]dbus.Variant{"uri": dbus.MakeVariant("file://" + strings.ReplaceAll(path, " ", "%20"))}
}

func writePNG(t *testing.T, name string, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the portal's file is still there: %v", err)
	}
}

func TestPortalAllowed(t *testing.T) {
	startBus(t)
	p := startPortal(t)
	want := textScreen(640, 360)
	c := capture.New(capture.Config{})
	for _, old := range []bool{false, true} {
		path := writePNG(t, "Screenshot from today.png", want)
		p.responds(0, uri(path))
		if old { // a portal that chooses the request's path itself
			p.answers(func(request dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) {
				other := request + "_old"
				return other, p.tell(other, uri(path))
			})
		}
		frames, err := c.Grab(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(frames) != 1 || frames[0].Display != 0 || frames[0].Image.Rect != want.Rect {
			t.Fatalf("%d frames of %v", len(frames), frames[0].Image.Rect)
		}
		samePixels(t, frames[0].Image, want, image.Point{})
		gone(t, path)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if want := []string{"Register do.pow.client", "Screenshot", "Register do.pow.client", "Screenshot"}; !slices.Equal(p.calls, want) {
		t.Errorf("calls %v", p.calls)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestPortalRefusals(t *testing.T) {
	startBus(t)
	p := startPortal(t)
	refuses := func(name string) portalAnswer {
		return func(dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) { return "", dbus.NewError(name, nil) }
	}
	text := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(text, []byte("not a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := writePNG(t, "kept.png", textScreen(64, 64))
	link := filepath.Join(t.TempDir(), "link.png")
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  func()
		want error
	}{
		{"cancelled by the person", func() { p.responds(1, nil) }, capture.ErrDenied},
		{"a stored no", func() { p.responds(2, nil) }, capture.ErrDenied},
		{"not allowed", func() { p.answers(refuses("org.freedesktop.portal.Error.NotAllowed")) }, capture.ErrDenied},
		{"access denied", func() { p.answers(refuses("org.freedesktop.DBus.Error.AccessDenied")) }, capture.ErrDenied},
		{"failed", func() { p.answers(refuses("org.freedesktop.portal.Error.Failed")) }, capture.ErrUnusable},
		{"no method", func() { p.answers(refuses("org.freedesktop.DBus.Error.UnknownMethod")) }, capture.ErrUnsupported},
		{"no uri", func() { p.responds(0, nil) }, capture.ErrUnusable},
		{"uri of a server", func() { p.responds(0, map[string]dbus.Variant{"uri": dbus.MakeVariant("http://127.0.0.1/a.png")}) }, capture.ErrUnusable},
		{"uri of another host", func() { p.responds(0, map[string]dbus.Variant{"uri": dbus.MakeVariant("file://elsewhere" + kept)}) }, capture.ErrUnusable},
		{"uri is a number", func() { p.responds(0, map[string]dbus.Variant{"uri": dbus.MakeVariant(7)}) }, capture.ErrUnusable},
		{"no such file", func() { p.responds(0, uri("/nonexistent/a.png")) }, capture.ErrUnusable},
		{"a folder", func() { p.responds(0, uri(filepath.Dir(kept))) }, capture.ErrUnusable},
		{"a link", func() { p.responds(0, uri(link)) }, capture.ErrUnusable},
		{"not a PNG", func() { p.responds(0, uri(text)) }, capture.ErrUnusable},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.set()
			_, err := capture.New(capture.Config{}).Grab(t.Context())
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if cause := errors.Unwrap(errors.Unwrap(err)); cause != nil && strings.Contains(cause.Error(), t.TempDir()[:8]) {
				t.Errorf("the error names a file: %v", cause)
			}
		})
	}
	gone(t, text)
	if !exists(kept) {
		t.Error("a file that was not the portal's was removed")
	}
}

func TestPortalSelection(t *testing.T) {
	startBus(t)
	if _, err := capture.New(capture.Config{Displays: []int{0}}).Grab(t.Context()); !errors.Is(err, capture.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestPortalAbsent(t *testing.T) {
	startBus(t)
	if _, err := capture.New(capture.Config{}).Grab(t.Context()); !errors.Is(err, capture.ErrUnsupported) {
		t.Errorf("no portal: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
	if _, err := capture.New(capture.Config{}).Grab(t.Context()); !errors.Is(err, capture.ErrUnsupported) {
		t.Errorf("no bus: %v", err)
	}
}

// A question that nobody answers ends with the deadline, and our connection with
// it: the portal then takes its question away.
func TestPortalNeverAnswers(t *testing.T) {
	startBus(t)
	p := startPortal(t)
	asked := make(chan string, 1)
	p.answers(func(request dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) {
		parts := strings.Split(string(request), "/")
		asked <- ":" + strings.Replace(parts[len(parts)-2], "_", ".", 1)
		return request, nil
	})
	watch := dialBus(t)
	changes := make(chan *dbus.Signal, 64)
	watch.Signal(changes)
	if err := watch.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged")); err != nil {
		t.Fatal(err)
	}
	c := capture.New(capture.Config{Deadline: 100 * time.Millisecond})
	if _, err := c.Grab(t.Context()); !errors.Is(err, pow.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	name := <-asked
	for s := range changes {
		if len(s.Body) == 3 && s.Body[0] == name && s.Body[2] == "" {
			return
		}
	}
}

// Anybody on the bus can send a Response; only the portal's counts, so nobody
// can make us read and remove a file of the person's.
func TestPortalForgedAnswer(t *testing.T) {
	startBus(t)
	p := startPortal(t)
	stranger := dialBus(t)
	victim := writePNG(t, "victim.png", photoScreen(64, 64))
	want := textScreen(64, 64)
	genuine := writePNG(t, "genuine.png", want)
	p.answers(func(request dbus.ObjectPath) (dbus.ObjectPath, *dbus.Error) {
		if stranger.Emit(request, responded, uint32(0), uri(victim)) != nil ||
			stranger.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err != nil { // the bus has passed the signal on
			return "", dbus.MakeFailedError(errors.New("could not forge"))
		}
		_ = p.conn.Emit(request, responded, uint32(0), uri(genuine))
		return request, nil
	})
	frames, err := capture.New(capture.Config{}).Grab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	samePixels(t, frames[0].Image, want, image.Point{})
	if !exists(victim) {
		t.Error("a stranger's word removed a file")
	}
}
