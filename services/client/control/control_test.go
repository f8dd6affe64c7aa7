package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/client/control"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type handler struct {
	call  func(ctx context.Context, method string, params json.RawMessage) (any, error)
	watch func(ctx context.Context, send func(any) error) error
}

func (h handler) Call(ctx context.Context, m string, p json.RawMessage) (any, error) {
	return h.call(ctx, m, p)
}
func (h handler) Watch(ctx context.Context, _ json.RawMessage, send func(any) error) error {
	return h.watch(ctx, send)
}

func start(t *testing.T, h handler) (home string) {
	t.Helper()
	home = private(t)
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := control.Listen(ctx, home)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- control.Serve(ctx, ln, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return home
}

func TestCall(t *testing.T) {
	home := start(t, handler{call: func(_ context.Context, m string, p json.RawMessage) (any, error) {
		switch m {
		case "echo":
			return p, nil
		case "locked":
			return nil, pow.ErrLocked
		}
		return nil, errors.New("boom")
	}})
	c := control.Client{Home: home}
	var got map[string]string
	if err := c.Call(t.Context(), "echo", map[string]string{"a": "b"}, &got); err != nil || got["a"] != "b" {
		t.Errorf("echo: %v %v", got, err)
	}
	if err := c.Call(t.Context(), "locked", nil, nil); !errors.Is(err, pow.ErrLocked) {
		t.Errorf("a typed error did not survive: %v", err)
	}
	var e *pow.Error
	if err := c.Call(t.Context(), "x", nil, nil); !errors.As(err, &e) || e.Code != pow.CodeInternal {
		t.Errorf("an untyped error became %v", err)
	}
}

func TestOneAgentOnly(t *testing.T) {
	home := start(t, handler{})
	if _, err := control.Listen(t.Context(), home); !errors.Is(err, pow.ErrInUse) {
		t.Errorf("a second agent: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	home := private(t)
	ln, err := net.Listen("unix", control.SocketPath(home))
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	ln, err = control.Listen(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if fi, err := os.Stat(control.SocketPath(home)); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v %v", fi.Mode(), err)
	}
}

func TestNoAgent(t *testing.T) {
	if err := (control.Client{Home: t.TempDir()}).Call(t.Context(), "x", nil, nil); !errors.Is(err, pow.ErrNoAgent) {
		t.Error(err)
	}
}

func TestWatchEndsWithTheCaller(t *testing.T) {
	ended := make(chan struct{})
	home := start(t, handler{watch: func(ctx context.Context, send func(any) error) error {
		defer close(ended)
		for i := range 3 {
			if err := send(i); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := control.Client{Home: home}.Watch(ctx, nil, func(b json.RawMessage) {
		if got = append(got, string(b)); len(got) == 3 {
			cancel()
		}
	})
	if err != nil || strings.Join(got, "") != "012" {
		t.Errorf("%v %v", got, err)
	}
	<-ended
}

func TestHugeRequestIsRefused(t *testing.T) {
	called := false
	home := start(t, handler{call: func(context.Context, string, json.RawMessage) (any, error) {
		called = true
		return nil, nil
	}})
	conn, err := net.Dial("unix", control.SocketPath(home))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		_, _ = conn.Write([]byte(`{"method":"x","params":"`))
		_, _ = conn.Write(bytes.Repeat([]byte("a"), control.MaxRequest))
	}()
	b := make([]byte, 200)
	n, _ := conn.Read(b)
	if called || !strings.Contains(string(b[:n]), "not a request") {
		t.Errorf("called %v, answer %q", called, b[:n])
	}
}

func TestSocketPathOfALongHome(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if p := control.SocketPath(long); len(p) > 104 || p == control.SocketPath(long+"y") {
		t.Error(p)
	}
}

// Two agents that start at the same moment: one has the door, and keeps it.
func TestTwoListenersAtOnce(t *testing.T) {
	home := private(t)
	for range 20 {
		got := make(chan net.Listener)
		for range 2 {
			go func() {
				ln, err := control.Listen(t.Context(), home)
				if err != nil && !errors.Is(err, pow.ErrInUse) {
					t.Error(err)
				}
				got <- ln
			}()
		}
		a, b := <-got, <-got
		if (a == nil) == (b == nil) {
			t.Fatal("not exactly one has the door")
		}
		if a == nil {
			a = b
		}
		conn, err := net.Dial("unix", control.SocketPath(home))
		if err != nil {
			t.Fatal("the door that is open cannot be reached:", err)
		}
		if err := errors.Join(conn.Close(), a.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// When the listener fails, streams end instead of holding Serve for ever.
func TestServeEndsWithItsListener(t *testing.T) {
	home := private(t)
	ln, err := control.Listen(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	watching, done := make(chan struct{}), make(chan error)
	h := handler{watch: func(ctx context.Context, _ func(any) error) error {
		close(watching)
		<-ctx.Done()
		return nil
	}}
	go func() { done <- control.Serve(t.Context(), ln, h) }()
	lost := make(chan error)
	go func() { lost <- control.Client{Home: home}.Watch(t.Context(), nil, func(json.RawMessage) {}) }()
	<-watching
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the listener failed, and nobody was told")
	}
	if err := <-lost; !errors.Is(err, pow.ErrNoAgent) {
		t.Error(err)
	}
}

// A folder that others may enter is no place for the door.
func TestOpenFolderIsRefused(t *testing.T) {
	home := private(t)
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	if ln, err := control.Listen(t.Context(), home); err == nil {
		t.Error("taken", ln.Close())
	}
}

// private is a home folder that nobody else may enter.
func private(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	return home
}

// Time that is over is not a missing agent, even when the socket notices first.
func TestTimeIsOver(t *testing.T) {
	home := start(t, handler{call: func(ctx context.Context, _ string, _ json.RawMessage) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	for wait := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(wait)*50*time.Microsecond)
		if err := (control.Client{Home: home}).Call(ctx, "x", nil, nil); !errors.Is(err, pow.ErrTimeout) {
			t.Errorf("after %d×50 µs: %v", wait, err)
		}
		cancel()
	}
}
