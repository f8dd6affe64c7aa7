package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/relay"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// live reads the ids that arrive for a subscription until one of them is last.
func (c *client) live(sub, last string) (ids []string) {
	c.w.t.Helper()
	for {
		verb, args := c.read()
		if verb != "EVENT" || text(args[0]) != sub {
			continue
		}
		id := idOf(c.w.t, args[1])
		if ids = append(ids, id); id == last {
			return ids
		}
	}
}

func TestLiveIsForTheRecipientOnly(t *testing.T) {
	w := newWorld(t)
	readers := map[key]*client{alice: w.dial(alice), bob: w.dial(bob), dvm: w.dial(dvm)}
	for _, c := range readers {
		for sub, f := range map[string]filter{"none": {"limit": 0}, "kinds": {"kinds": []int{1059}, "limit": 0}, "p": {"#p": []string{alice.String()}, "limit": 0}} {
			if _, closed := c.req(sub, f); closed != "" {
				t.Fatal(closed)
			}
		}
	}
	secret, end := w.letter(alice), map[key]*event.Event{alice: w.letter(alice), bob: w.letter(bob)}
	w.put(secret, end[alice], end[bob])
	if ids := readers[bob].live("none", end[bob].ID); len(ids) != 1 {
		t.Errorf("bob got %d letters", len(ids))
	}
	if ids := readers[alice].live("p", end[alice].ID); len(ids) != 2 || ids[0] != secret.ID {
		t.Errorf("alice got %v", ids)
	}
	if ids, _ := readers[dvm].req("x", filter{"limit": 0}); len(ids) != 0 {
		t.Errorf("the DVM, which did not write to itself, got %v", ids)
	}
}

// TestNoGapNoDouble publishes while subscriptions open: each letter arrives
// exactly once, stored or live.
func TestNoGapNoDouble(t *testing.T) {
	w := newWorld(t)
	const n = 300
	letters := make([]*event.Event, n)
	for i := range letters {
		letters[i] = w.letter(alice)
	}
	started := make(chan struct{})
	var publishing sync.WaitGroup
	publishing.Go(func() {
		c := w.dial(dvm)
		for i, e := range letters {
			if i == 10 {
				close(started)
			}
			if ok, why := c.publish(e); !ok {
				t.Errorf("letter: %s", why)
			}
		}
	})
	<-started
	var reading sync.WaitGroup
	for i := range 4 {
		reading.Go(func() {
			c := w.dial(alice)
			for range i { // so that they begin at different moments
				c.req("earlier", filter{})
			}
			c.send("CLOSE", "earlier")
			c.send("REQ", "a", filter{})
			seen := map[string]int{}
			for len(seen) < n {
				verb, args, err := c.next()
				if err != nil {
					t.Errorf("reader %d: %d letters: %v", i, len(seen), err)
					return
				}
				if verb == "EVENT" && text(args[0]) == "a" {
					seen[idOf(t, args[1])]++
				}
			}
			for id, times := range seen {
				if times != 1 {
					t.Errorf("reader %d: %s came %d times", i, id, times)
				}
			}
		})
	}
	reading.Wait()
	publishing.Wait()
}

// TestRemovalIsLive: a key that is denied reads nothing more at once.
func TestRemovalIsLive(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	only, both, stranger := w.dial(alice), w.dial(alice, bob), w.dial(alice, nobody)
	for _, c := range []*client{only, both, stranger} {
		c.req("a", filter{})
	}
	if err := w.store.Deny(ctx, alice.Key); err != nil {
		t.Fatal(err)
	}
	if code, _ := only.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d", code)
	}
	if verb, args := stranger.read(); verb != "CLOSED" || !strings.HasPrefix(text(args[1]), "restricted:") {
		t.Errorf("%s %s", verb, args)
	}
	last := w.letter(bob)
	w.put(last)
	if ids := both.live("a", last.ID); len(ids) != 1 {
		t.Errorf("%d letters", len(ids))
	}
	if _, why := both.publish(w.letter(dvm)); why != "" {
		t.Errorf("the other key lost its right: %s", why)
	}
	if err := w.store.Allow(ctx, alice.Key, dvm.Key); err != nil {
		t.Fatal(err)
	}
	again := w.letter(alice)
	w.put(again)
	if ids, _ := both.req("b", filter{"ids": []string{again.ID}}); len(ids) != 0 {
		t.Error("a key that was removed came back without AUTH")
	}
}

// rowSlowReader: one that reads nothing is cut off and delays nobody.
func rowSlowReader(t *testing.T) {
	w := newWorld(t)
	deaf, good := w.deaf(alice), w.dial(alice)
	good.req("a", filter{"limit": 0})
	big := func(e *event.Event) { e.Content = strings.Repeat("A", 64_000) }
	writer := w.dial(dvm)
	for i := 0; w.relay.Stats().Connections.Load() == 3; i++ {
		e := w.letter(alice, big)
		start := time.Now()
		if ok, why := writer.publish(e); !ok || i == 2000 {
			t.Fatalf("letter %d: %v %s", i, ok, why)
		}
		good.live("a", e.ID)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("letter %d took %v", i, took)
		}
	}
	deaf.Close()
	if queued := w.relay.Queued(); queued > 5<<20 {
		t.Errorf("%d bytes wait", queued)
	}
}

// deaf opens a subscription and then reads no more.
func (w *world) deaf(k key) net.Conn {
	var raw net.Conn
	c := w.connect(dialer(func(ctx context.Context) (net.Conn, error) {
		conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		raw = conn
		return conn, err
	}), k)
	c.req("a", filter{"limit": 0})
	return raw
}

// TestBacklogIsNotCutOff: many stored letters are more than the queue holds,
// yet a reader that reads gets them all.
func TestBacklogIsNotCutOff(t *testing.T) {
	w := newWorld(t)
	d := w.dial(dvm)
	for range 150 {
		e := w.letter(alice, func(e *event.Event) { e.Content = strings.Repeat("A", 60_000) })
		if ok, why := d.publish(e); !ok {
			t.Fatal(why)
		}
	}
	if ids, closed := w.dial(alice).req("a", filter{}); len(ids) != 150 {
		t.Errorf("%d letters, %s", len(ids), closed)
	}
}

// TestPipelined sends many letters without waiting for their OKs.
func TestPipelined(t *testing.T) {
	w := newWorld(t)
	c := w.dial(dvm)
	var letters []*event.Event
	for range 500 {
		letters = append(letters, w.letter(alice))
	}
	go func() {
		for _, e := range letters {
			b, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(e))})
			c.raw(string(b))
		}
	}()
	for i, e := range letters {
		verb, args := c.read()
		if verb != "OK" || text(args[0]) != e.ID || string(args[1]) != "true" {
			t.Fatalf("answer %d: %s %s", i, verb, args)
		}
	}
	if n, _ := w.dial(alice).count(filter{}); n != 500 {
		t.Errorf("%d letters are stored", n)
	}
}

func TestRates(t *testing.T) {
	w := newWorld(t)
	c := w.dial(alice)
	for i := range 121 {
		ok, why := c.publish(w.letter(dvm))
		if ok != (i < 120) {
			t.Fatalf("letter %d: %v %s", i, ok, why)
		}
	}
	_, why := w.dial(alice).publish(w.letter(dvm))
	wantPrefix(t, "on another connection", why, "rate-limited:")
	w.accepted("another member", w.letter(dvm), "", bob)
	w.setNow(w.now().Add(time.Minute))
	for i := range 61 {
		if ok, why := c.publish(w.letter(dvm)); ok != (i < 60) {
			t.Fatalf("letter %d of the next minute: %v %s", i, ok, why)
		}
	}
	for i := range 121 {
		if _, closed := c.req("a", filter{"limit": 0}); (closed == "") != (i < 120) {
			t.Fatalf("REQ %d: %s", i, closed)
		}
	}
	for i := range 61 {
		ok, why := c.publish(w.deletion(alice, 0, event.Tag{"e", fmt.Sprintf("%064x", i)}))
		if ok != (i < 60) {
			t.Fatalf("deletion %d: %s", i, why)
		}
	}
}

// search is a relay.Search with hooks around a real one.
type search struct {
	relay.Search
	mailboxes     []pow.Key // searched instead of those asked for, if any
	items         int       // made up for a negotiation, if any
	before, after func()
}

// wrap puts s around the search of a world.
func (s *search) wrap(c *relay.Config) { s.Search, c.Search = c.Search, s }

func (s *search) Items(ctx context.Context, f nostr.Filter, letters, announcers []pow.Key, most int,
	each func(pow.Hash, int, int64, pow.Key) error) error {
	for n := range min(s.items, most) {
		if err := each(pow.Hash{byte(n >> 16), byte(n >> 8), byte(n)}, 1059, int64(n), letters[0]); err != nil {
			return err
		}
	}
	if s.items > 0 {
		return nil
	}
	if s.mailboxes != nil {
		letters, announcers = s.mailboxes, s.mailboxes
	}
	return s.Search.Items(ctx, f, letters, announcers, most, each)
}

func (s *search) Find(ctx context.Context, filters []nostr.Filter, letters, announcers []pow.Key,
	each func(pow.Hash, int, pow.Key, pow.Key, []byte) error) error {
	if s.before != nil {
		s.before()
	}
	if s.mailboxes != nil {
		letters, announcers = s.mailboxes, s.mailboxes
	}
	err := s.Search.Find(ctx, filters, letters, announcers, each)
	if s.after != nil {
		s.after()
	}
	return err
}

// TestVisibleHasTheLastWord: even if a search found too much, nothing foreign
// would be sent.
func TestVisibleHasTheLastWord(t *testing.T) {
	s := &search{mailboxes: []pow.Key{alice.Key, bob.Key, carol.Key, dvm.Key, other.Key}}
	w := newWorld(t, func(c *relay.Config) { s.Search, c.Search = c.Search, s })
	mine := w.letter(alice)
	w.put(w.letter(bob), w.letter(carol), mine)
	for _, d := range []key{dvm, other} {
		w.accepted("announcement", w.announcement(d, "powdo", 0), "", d)
	}
	if ids, _ := w.dial(alice).req("a", filter{}); len(ids) != 2 { // and its DVM's announcement
		t.Errorf("%d events were sent, want 2", len(ids))
	}
	if ids, _ := w.dial(nobody, carol).req("a", filter{}); len(ids) != 2 {
		t.Errorf("%d events were sent, want 2", len(ids))
	}
}

// TestStoredAndLive: a letter that comes between listening and searching is
// found by both and sent once; one that comes after the search is not missed.
func TestStoredAndLive(t *testing.T) {
	s := &search{}
	w := newWorld(t, func(c *relay.Config) { s.Search, c.Search = c.Search, s })
	both, late, last := w.letter(alice), w.letter(alice), w.letter(alice)
	d := w.dial(dvm)
	publish := func(e *event.Event) func() {
		return func() {
			if ok, why := d.publish(e); !ok {
				t.Errorf("letter: %s", why)
			}
		}
	}
	s.before, s.after = publish(both), publish(late)
	c := w.dial(alice)
	ids, closed := c.req("a", filter{})
	if len(ids) != 1 || ids[0] != both.ID || closed != "" {
		t.Errorf("stored: %v %s", ids, closed)
	}
	publish(last)()
	if ids := c.live("a", last.ID); len(ids) != 2 || ids[0] != late.ID {
		t.Errorf("live: %v", ids)
	}
}

// TestPanicEndsOneConnection: whatever goes wrong while one client is served,
// the others go on.
func TestPanicEndsOneConnection(t *testing.T) {
	s := &search{}
	w := newWorld(t, s.wrap)
	good, bad := w.dial(bob), w.dial(alice)
	s.before = func() { panic("a fault of ours") }
	bad.send("REQ", "a", filter{})
	bad.closed()
	s.before = nil
	if _, closed := good.req("a", filter{}); closed != "" {
		t.Error(closed)
	}
	for end := time.Now().Add(patience); w.relay.Stats().Connections.Load() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the connection is still counted")
		}
	}
}
