//go:build unix && !darwin

package capture_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"

	"pow.do/services/client/capture"
	"pow.do/services/pow"
)

// program returns the path of an installed program. Without it the test fails,
// as nothing else shows that the real thing works; -short leaves it out.
func program(t testing.TB, name, pkg string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs %s", name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run make test, or install the package %s", name, pkg)
	}
	return path
}

// startX runs a virtual display and points DISPLAY at it. The server picks a
// free number itself.
func startX(t testing.TB, screen string) *os.Process {
	t.Helper()
	path := program(t, "Xvfb", "xvfb")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(path, "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", screen)
	cmd.ExtraFiles = []*os.File{w}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	w.Close()
	number, err := io.ReadAll(io.LimitReader(untilLine{r}, 16))
	if err != nil || len(number) == 0 {
		t.Fatalf("Xvfb named no display: %v\n%s", err, stderr.String())
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(string(number)))
	t.Setenv("XDG_SESSION_TYPE", "x11")
	t.Setenv("XAUTHORITY", os.DevNull)
	return cmd.Process
}

// untilLine ends a stream after its first line.
type untilLine struct{ r io.Reader }

func (u untilLine) Read(p []byte) (int, error) {
	n, err := u.r.Read(p[:1])
	if n == 1 && p[0] == '\n' {
		return 0, io.EOF
	}
	return n, err
}

// dialX opens a second connection, to paint with.
func dialX(t testing.TB) (*xgb.Conn, *xproto.ScreenInfo) {
	t.Helper()
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, xproto.Setup(conn).DefaultScreen(conn)
}

// paint puts img on the root window, in strips that fit into a request.
func paint(t testing.TB, img *image.RGBA) {
	t.Helper()
	conn, screen := dialX(t)
	gc, err := xproto.NewGcontextId(conn)
	if err != nil {
		t.Fatal(err)
	}
	root := xproto.Drawable(screen.Root)
	if err := xproto.CreateGCChecked(conn, gc, root, 0, nil).Check(); err != nil {
		t.Fatal(err)
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	const rows = 30
	for top := 0; top < h; top += rows {
		n := min(rows, h-top)
		data := make([]byte, 4*w*n)
		for i := range w * n {
			c := img.RGBAAt(i%w, top+i/w)
			copy(data[4*i:], []byte{c.B, c.G, c.R, 0})
		}
		err := xproto.PutImageChecked(conn, xproto.ImageFormatZPixmap, root, gc,
			uint16(w), uint16(n), 0, int16(top), 0, screen.RootDepth, data).Check()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func samePixels(t *testing.T, got, want *image.RGBA, at image.Point) {
	t.Helper()
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			if g, w := got.RGBAAt(x, y), want.RGBAAt(at.X+x, at.Y+y); g != w {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, g, w)
			}
		}
	}
}

func TestX11Pixels(t *testing.T) {
	startX(t, "1920x1080x24")
	want := photoScreen(1920, 1080)
	paint(t, want)
	now := time.Unix(1_795_000_000, 0)
	frames, err := capture.New(capture.Config{Now: func() time.Time { return now }}).Grab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != 1 || frames[0].Display != 0 || frames[0].Image.Rect != want.Rect || !frames[0].At.Equal(now) {
		t.Fatalf("%d frames, first %d %v %v", len(frames), frames[0].Display, frames[0].Image.Rect, frames[0].At)
	}
	samePixels(t, frames[0].Image, want, image.Point{})
}

func TestX11Monitors(t *testing.T) {
	startX(t, "1200x600x24")
	want := textScreen(1200, 600)
	paint(t, want)
	conn, screen := dialX(t)
	if err := randr.Init(conn); err != nil {
		t.Fatal(err)
	}
	split(t, conn, screen)
	for _, c := range []struct {
		displays []int
		want     []int
	}{{nil, []int{0, 1}}, {[]int{1}, []int{1}}, {[]int{0, 7}, []int{0}}} {
		frames, err := capture.New(capture.Config{Displays: c.displays}).Grab(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(frames) != len(c.want) {
			t.Fatalf("%v: %d frames", c.displays, len(frames))
		}
		for i, f := range frames {
			if f.Display != c.want[i] || f.Image.Rect != []image.Rectangle{image.Rect(0, 0, 500, 600), image.Rect(0, 0, 700, 600)}[f.Display] {
				t.Errorf("%v: display %d is %v", c.displays, f.Display, f.Image.Rect)
			}
			samePixels(t, f.Image, want, image.Pt(500*f.Display, 0))
		}
	}
	if _, err := capture.New(capture.Config{Displays: []int{7}}).Grab(t.Context()); !errors.Is(err, pow.ErrNoDisplay) {
		t.Errorf("a monitor that is not there: %v", err)
	}
}

// split makes two monitors of the one screen, as xrandr --setmonitor does.
func split(t *testing.T, conn *xgb.Conn, screen *xproto.ScreenInfo) {
	t.Helper()
	resources, err := randr.GetScreenResources(conn, screen.Root).Reply()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range []randr.MonitorInfo{
		{Width: 500, Height: 600, NOutput: 1, Outputs: resources.Outputs[:1], Primary: true},
		{X: 500, Width: 700, Height: 600},
	} {
		name := []string{"left", "right"}[i]
		atom, err := xproto.InternAtom(conn, false, uint16(len(name)), name).Reply()
		if err != nil {
			t.Fatal(err)
		}
		m.Name = atom.Atom
		if err := randr.SetMonitorChecked(conn, screen.Root, m).Check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestX11Refuses(t *testing.T) {
	for _, c := range []struct {
		screen string
		want   error
	}{
		{"640x480x16", capture.ErrUnsupported},
		{"640x480x8", capture.ErrUnsupported},
		{"640x480x24", nil}, // nothing painted: a black screen is a picture too
	} {
		t.Run(c.screen, func(t *testing.T) {
			startX(t, c.screen)
			if _, err := capture.New(capture.Config{}).Grab(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNoDisplay(t *testing.T) {
	for name, env := range map[string][3]string{
		"nothing set":      {"", "", ""},
		"server gone":      {"x11", "", ":64999"},
		"not a display":    {"x11", "", "nonsense"},
		"not on a console": {"tty", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_SESSION_TYPE", env[0])
			t.Setenv("WAYLAND_DISPLAY", env[1])
			t.Setenv("DISPLAY", env[2])
			if _, err := capture.New(capture.Config{}).Grab(t.Context()); !errors.Is(err, pow.ErrNoDisplay) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A display that was closed between two grabs is an error, and a new one works.
func TestX11Gone(t *testing.T) {
	server := startX(t, "320x200x24")
	paint(t, textScreen(320, 200))
	c := capture.New(capture.Config{})
	if _, err := c.Grab(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = server.Kill()
	_, _ = server.Wait()
	if _, err := c.Grab(t.Context()); !errors.Is(err, pow.ErrNoDisplay) {
		t.Errorf("got %v", err)
	}
}

// While the server is stopped a grab is given up, a second one does not start,
// and once the server goes on so does the Capturer.
func TestX11Hangs(t *testing.T) {
	server := startX(t, "320x200x24")
	paint(t, textScreen(320, 200))
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Signal(syscall.SIGCONT) })
	c := capture.New(capture.Config{Deadline: 50 * time.Millisecond})
	for range 2 {
		if _, err := c.Grab(t.Context()); !errors.Is(err, pow.ErrTimeout) {
			t.Fatalf("got %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Grab(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range 200 { // the abandoned grab has to end first
		_, err := c.Grab(t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, pow.ErrTimeout) {
			t.Fatal(err)
		}
	}
	t.Fatal("the display answers again, but no grab does")
}

func TestFramesAreOpaque(t *testing.T) {
	startX(t, "64x64x24")
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	img.SetRGBA(63, 63, color.RGBA{0, 0, 1, 255})
	paint(t, img)
	frames, err := capture.New(capture.Config{}).Grab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !frames[0].Image.Opaque() {
		t.Error("a transparent pixel")
	}
}

func BenchmarkGrabX11(b *testing.B) {
	startX(b, "1920x1080x24")
	paint(b, textScreen(1920, 1080))
	c := capture.New(capture.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Grab(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
