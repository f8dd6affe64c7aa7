package relay_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/hub/relay"
	"pow.do/services/wire/event"
)

// refusedDial returns the status of a connection that is not let in, or 101.
func (w *world) refusedDial() int {
	w.t.Helper()
	ws, resp, err := websocket.Dial(w.t.Context(), w.url, nil)
	if err == nil {
		ws.CloseNow()
	}
	if resp == nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}

func TestAddresses(t *testing.T) {
	start := func(t *testing.T) (*world, *string) {
		w, remote := newWorld(t), "192.0.2.1:1"
		w.server.Config.Handler = as(&remote, w.relay)
		return w, &remote
	}
	t.Run("16 connections", func(t *testing.T) {
		w, remote := start(t)
		for range 16 {
			w.dial()
		}
		if got := w.refusedDial(); got != http.StatusTooManyRequests {
			t.Errorf("status %d", got)
		}
		*remote = "192.0.2.2:1"
		w.dial()
	})
	t.Run("64 connections of one customer's network", func(t *testing.T) {
		w, remote := start(t)
		for i := range 64 {
			*remote = fmt.Sprintf("[2001:db8:7:%x::1]:1", i)
			w.dial()
		}
		*remote = "[2001:db8:7:ffff::1]:1"
		if got := w.refusedDial(); got != http.StatusTooManyRequests {
			t.Errorf("status %d", got)
		}
		*remote = "[2001:db8:8::1]:1"
		w.dial()
	})
	t.Run("240 connections at once, then 120 a minute", func(t *testing.T) {
		w, _ := start(t)
		for i := range 241 {
			got := w.refusedDial()
			for got == http.StatusTooManyRequests && i < 240 && w.relay.Stats().Connections.Load() >= 16 {
				got = w.refusedDial() // the last ones are still being closed
			}
			if (got == http.StatusSwitchingProtocols) != (i < 240) {
				t.Fatalf("connection %d: %d", i, got)
			}
			for w.relay.Stats().Connections.Load() > 8 {
				time.Sleep(time.Millisecond)
			}
		}
		w.setNow(w.now().Add(time.Minute))
		if got := w.refusedDial(); got != http.StatusSwitchingProtocols {
			t.Errorf("a minute later: %d", got)
		}
	})
	t.Run("480 AUTH at once", func(t *testing.T) {
		w, _ := start(t)
		answers := map[string]int{}
		for range 50 {
			c := w.dial()
			for range 10 {
				_, why := c.auth(alice, func(e *event.Event) { e.Kind = 1 })
				answers[strings.SplitN(why, ":", 2)[0]]++
			}
			c.ws.CloseNow()
			for w.relay.Stats().Connections.Load() > 8 {
				time.Sleep(time.Millisecond)
			}
		}
		if answers["invalid"] != 480 || answers["rate-limited"] != 20 {
			t.Errorf("%v", answers)
		}
	})
}

// TestPlacesForMembers: strangers cannot take the last quarter of the connections.
func TestPlacesForMembers(t *testing.T) {
	w := newWorld(t)
	w.relay.Stats().Connections.Add(7_500)
	defer w.relay.Stats().Connections.Add(-7_500)
	_, why := w.dial().auth(nobody)
	wantPrefix(t, "a stranger", why, "rate-limited:")
	w.dial(alice)
}

// TestMessages: how many of any kind a connection may send.
func TestMessages(t *testing.T) {
	for name, row := range map[string]struct {
		as   key
		want int
	}{"stranger": {nobody, 120}, "member": {alice, 2400}, "DVM": {dvm, 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.dial(row.as)
			for range 5_000 {
				c.send("CLOSE", "a")
			}
			n := w.relay.Stats().Refused.All()["frames"]
			if row.want == 0 { // more than a test sends
				if _, closed := c.req("a", filter{}); closed != "" || n > 0 {
					t.Errorf("%s, %d", closed, n)
				}
				return
			}
			code, notice := c.closed()
			wantPrefix(t, "notice", notice, "rate-limited:")
			if code != websocket.StatusPolicyViolation && code != -1 {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

// TestForgeries: who sends what does not verify is cut off, and who may not send
// something cannot make the relay verify it.
func TestForgeries(t *testing.T) {
	w := newWorld(t)
	forged := func(to key) *event.Event {
		e := w.letter(to)
		e.Sig = strings.Repeat("0", 128)
		return e
	}
	c := w.dial(dvm)
	for range 10 {
		_, why := c.publish(forged(alice))
		wantPrefix(t, "forged", why, "invalid: wrong signature")
	}
	c.send("EVENT", forged(alice))
	if code, _ := c.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d", code)
	}
	stranger := w.dial(nobody)
	for range 20 {
		_, why := stranger.publish(forged(dvm))
		wantPrefix(t, "of a stranger", why, "restricted:")
	}
}

// TestManyAddresses: strangers without end do not take the place of those who
// are there, and the memory for them is bounded.
func TestManyAddresses(t *testing.T) {
	now := time.Now()
	r := relay.NewRates(func() time.Time { return now }, 1, 2)
	for i := range 20_000 {
		if !r.Take(fmt.Sprint(i), 1) {
			t.Fatalf("number %d was refused", i)
		}
	}
	if r.Take("one more", 1) {
		t.Error("more than can be remembered")
	}
	if !r.Take("7", 1) || r.Take("7", 1) {
		t.Error("one that is there does not go on at its rate")
	}
	now = now.Add(time.Minute)
	if !r.Take("one more", 1) {
		t.Error("a minute later those that are full again still take the places")
	}
}

// TestQueuesHaveOneBound: when all readers together hold too much, no reader may
// let more wait.
func TestQueuesHaveOneBound(t *testing.T) {
	w := newWorld(t)
	deaf := w.deaf(alice)
	defer deaf.Close()
	release := w.relay.Hold(300 << 20)
	defer release()
	d := w.dial(dvm)
	for i := 0; w.relay.Stats().Refused.All()["slow-reader"] == 0; i++ {
		if ok, why := d.publish(w.letter(alice, func(e *event.Event) { e.Content = strings.Repeat("A", 64_000) })); !ok || i > 400 {
			t.Fatalf("letter %d: %v %s", i, ok, why)
		}
	}
}

// TestMessageWithoutEnd: half a message ends the connection after 30 s, however
// alive its peer is.
func TestMessageWithoutEnd(t *testing.T) {
	bubble(t, func(w *world, connect func(...key) *client) {
		c := connect(alice)
		go c.ws.Read(context.Background())
		start := time.Now()
		_, err := c.conn.Write(frameBytes(opText, []byte("[")))
		for err == nil && time.Since(start) < time.Minute {
			time.Sleep(time.Second)
			_, err = c.conn.Write(frameBytes(opMore, []byte("[")))
		}
		if took := time.Since(start); took < 30*time.Second || took > 33*time.Second {
			t.Errorf("closed after %v", took)
		}
		c.ws.CloseNow()
		time.Sleep(2 * time.Second)
		if n := w.relay.Stats().Connections.Load(); n != 0 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestNothingIsToldOfSenders: neither the log nor the disk tells who brought a
// letter, from which address, or when.
func TestNothingIsToldOfSenders(t *testing.T) {
	var log bytes.Buffer
	remote := "192.0.2.77:4711"
	dir := t.TempDir()
	w := &world{t: t, dir: dir}
	w.setNow(time.Now())
	w.open(func(c *relay.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	w.serve(as(&remote, w.relay))
	sender := newKey("the sender")
	if err := w.store.Allow(t.Context(), sender.Key, dvm.Key); err != nil {
		t.Fatal(err)
	}
	c := w.dial(sender)
	letter := w.letter(dvm)
	if ok, why := c.publish(letter); !ok {
		t.Fatal(why)
	}
	c.publish(letter)
	c.publish(w.letter(alice))
	c.publish(sign(sender, &event.Event{Kind: 1, CreatedAt: w.at(0), Tags: event.Tags{}}))
	c.raw("nonsense")
	c.req("a", filter{})
	c.ws.CloseNow()
	if ids, _ := w.dial(dvm).req("a", filter{}); len(ids) != 1 {
		t.Fatal("the letter is not there")
	}
	w.relay.Close()
	if err := w.store.Deny(t.Context(), sender.Key); err != nil { // its place on the whitelist, which the hub has to keep
		t.Fatal(err)
	}
	if err := w.store.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{sender.String(), string(sender.Key[:]), "192.0.2.77", "\xc0\x00\x02\x4d", letter.ID, "nonsense"} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("the log tells %q:\n%s", canary, &log)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"192.0.2.77", "4711", fmt.Sprint(w.now().Unix())} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %q", f, canary)
			}
		}
		// The counter of its quota is there until the end of the day; nothing else is.
		if n := bytes.Count(b, sender.Key[:]); n > 1 {
			t.Errorf("%s names the sender %d times", f, n)
		}
	}
}
