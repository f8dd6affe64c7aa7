package relay_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/wire/event"
)

// pipes is a listener of connections in memory, so that synctest owns the clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func dialer(dial func(context.Context) (net.Conn, error)) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}
}

// bubble runs a test in a world whose every clock is synctest's.
func bubble(t *testing.T, test func(w *world, connect func(...key) *client)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, url: "ws://127.0.0.1"}
		w.setNow(time.Now())
		w.open()
		listener := make(pipes)
		srv := &http.Server{Handler: w.relay}
		served := make(chan struct{})
		go func() { defer close(served); srv.Serve(listener) }()
		test(w, func(keys ...key) *client {
			near, far := net.Pipe()
			c := w.connect(dialer(func(context.Context) (net.Conn, error) { listener <- far; return near, nil }), keys...)
			c.conn = near
			return c
		})
		close(listener)
		<-served
	})
}

func TestNoAuthIsClosed(t *testing.T) {
	bubble(t, func(w *world, connect func(...key) *client) {
		start := time.Now()
		code, notice := connect().closed()
		if took := time.Since(start); took != 10*time.Second || code != websocket.StatusPolicyViolation {
			t.Errorf("closed with %d after %v", code, took)
		}
		wantPrefix(t, "notice", notice, "auth-required:")
	})
}

// TestSilenceIsClosed: who answers pings stays, who takes them and says nothing goes.
func TestSilenceIsClosed(t *testing.T) {
	bubble(t, func(w *world, connect func(...key) *client) {
		alive, silent := connect(alice), connect(bob)
		go alive.ws.Read(context.Background())
		go io.Copy(io.Discard, silent.conn)
		conns := func(after time.Duration, want int64) {
			time.Sleep(after)
			if n := w.relay.Stats().Connections.Load(); n != want {
				t.Errorf("%v more: %d connections, want %d", after, n, want)
			}
		}
		conns(85*time.Second, 2)
		conns(50*time.Second, 1)
		conns(time.Hour, 1)
		alive.ws.CloseNow()
		silent.ws.CloseNow()
	})
}

// TestDeafIsCut: a reader that takes nothing loses its connection 10 s after
// the write that it did not take.
func TestDeafIsCut(t *testing.T) {
	bubble(t, func(w *world, connect func(...key) *client) {
		c := connect(alice)
		c.req("a", filter{"limit": 0})
		d := connect(dvm)
		if ok, why := d.publish(w.letter(alice, func(e *event.Event) { e.Content = strings.Repeat("A", 60_000) })); !ok {
			t.Fatal(why)
		}
		time.Sleep(9 * time.Second)
		if n := w.relay.Stats().Connections.Load(); n != 2 {
			t.Errorf("%d connections after 9 s", n)
		}
		time.Sleep(9 * time.Second)
		if n := w.relay.Stats().Connections.Load(); n != 1 {
			t.Errorf("%d connections after 18 s", n)
		}
		d.ws.CloseNow()
	})
}

func TestShutdown(t *testing.T) {
	w := newWorld(t)
	c := w.dial(alice)
	deaf := w.deaf(bob)
	defer deaf.Close()
	done := make(chan struct{})
	go func() { defer close(done); w.relay.Close() }()
	if code, _ := c.closed(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d", code)
	}
	<-done
	if _, resp, err := websocket.Dial(t.Context(), w.url, nil); err == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		t.Error("a closed relay took a connection")
	}
}
