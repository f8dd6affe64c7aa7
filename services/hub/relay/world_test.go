package relay_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"pow.do/services/hub/relay"
	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const origin = "wss://hub.example.com"

// key signs for tests: its secret is the SHA-256 of a word.
type key struct {
	secret string
	pow.Key
}

func newKey(word string) key {
	s := sha256.Sum256([]byte(word))
	k := key{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("sign with a hash as the key")
	}
	k.Key = event.Author(&e)
	return k
}

var (
	dvm    = newKey("dvm")
	alice  = newKey("alice")
	bob    = newKey("bob")
	other  = newKey("other dvm")
	carol  = newKey("carol") // a member of other
	nobody = newKey("nobody")
)

// claims knows claims by their text: "dvm:id".
type claims map[string]time.Time

func (c claims) Check(claim string, _ time.Time) (pow.Key, string, time.Time, error) {
	expires, ok := c[claim]
	if !ok {
		return pow.Key{}, "", time.Time{}, errors.New("no such claim")
	}
	return dvm.Key, claim, expires, nil
}

// world is a relay over a real store, with alice and bob as members of dvm and
// carol as one of other.
type world struct {
	t      testing.TB
	store  *store.Store
	relay  *relay.Relay
	server *httptest.Server
	url    string
	dir    string // of the store; "": a new one
	clock  atomic.Pointer[time.Time]
}

func newWorld(t testing.TB, change ...func(*relay.Config)) *world {
	w := &world{t: t}
	w.setNow(time.Now())
	w.open(change...)
	w.serve(w.relay)
	return w
}

// now is the time as the relay and its store have it.
func (w *world) now() time.Time { return *w.clock.Load() }

func (w *world) setNow(t time.Time) { w.clock.Store(&t) }

func (w *world) serve(h http.Handler) {
	w.server = httptest.NewServer(h)
	w.url = "ws" + strings.TrimPrefix(w.server.URL, "http")
	w.t.Cleanup(w.server.Close)
}

func (w *world) open(change ...func(*relay.Config)) {
	quiet := slog.New(slog.DiscardHandler)
	now := w.now
	dvms := []pow.Key{dvm.Key, other.Key}
	if w.dir == "" {
		w.dir = w.t.TempDir()
	}
	s, err := store.Open(context.Background(), store.Config{Path: filepath.Join(w.dir, "hub.db"), DVMs: dvms, Now: now, Log: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range []struct{ device, dvm key }{{alice, dvm}, {bob, dvm}, {carol, other}} {
		if err := s.Allow(context.Background(), m.device.Key, m.dvm.Key); err != nil {
			w.t.Fatal(err)
		}
	}
	cfg := relay.Config{Name: "test", Version: "0", DVMs: dvms, Events: s, Search: s, Members: s, Claims: claims{}, Now: now, Log: quiet}
	for _, f := range change {
		f(&cfg)
	}
	w.store, w.relay = s, relay.New(cfg)
	w.relay.SetOrigins([]string{origin})
	s.OnChange(w.relay.Changed)
	w.t.Cleanup(func() {
		w.relay.Close()
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// client is one connection.
type client struct {
	w         *world
	ws        *websocket.Conn
	conn      net.Conn // below ws, where a test needs it
	challenge string
	authed    map[string]bool // keys that were ever accepted here
}

const patience = 40 * time.Second

// dial connects and authenticates with the given keys.
func (w *world) dial(keys ...key) *client {
	w.t.Helper()
	return w.connect(&websocket.DialOptions{}, keys...)
}

func (w *world) connect(o *websocket.DialOptions, keys ...key) *client {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, w.url, o)
	if err != nil {
		w.t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	c := &client{w: w, ws: ws, authed: map[string]bool{}}
	w.t.Cleanup(func() { ws.CloseNow() })
	if verb, args := c.read(); verb != "AUTH" || len(args) != 1 {
		w.t.Fatalf("first message is %s", verb)
	} else {
		c.challenge = text(args[0])
	}
	for _, k := range keys {
		if ok, why := c.auth(k); !ok {
			w.t.Fatalf("AUTH: %s", why)
		}
	}
	return c
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

func (c *client) raw(message string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// A refusing relay may close before everything is written.
	c.ws.Write(ctx, websocket.MessageText, []byte(message))
}

func (c *client) send(elements ...any) {
	b, err := json.Marshal(elements)
	if err != nil {
		c.w.t.Fatal(err)
	}
	c.raw(string(b))
}

// next reads one message; err tells how the connection was closed.
func (c *client) next() (verb string, args []json.RawMessage, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal(b, &args); err != nil {
		c.w.t.Fatalf("not JSON: %q", b)
	}
	if _, bench := c.w.t.(*testing.B); text(args[0]) == "EVENT" && !bench {
		c.mayHave(args[2])
	}
	verb = text(args[0])
	return verb, args[1:], nil
}

// mayHave: on no path does a connection get a letter to a key that is not its own.
func (c *client) mayHave(raw json.RawMessage) {
	e, err := event.Parse(raw)
	if err != nil {
		c.w.t.Errorf("not an event: %s", raw)
		return
	}
	if p := e.Tags.Find("p"); e.Kind != 31990 && (e.Kind != 1059 || p == nil || !c.authed[p[1]]) {
		c.w.t.Errorf("a foreign event of kind %d was sent", e.Kind)
	}
}

func (c *client) read() (verb string, args []json.RawMessage) {
	c.w.t.Helper()
	verb, args, err := c.next()
	if err != nil {
		c.w.t.Fatal(err)
	}
	return verb, args
}

// closed reads up to the end and returns the close code and the last NOTICE.
func (c *client) closed() (code websocket.StatusCode, notice string) {
	c.w.t.Helper()
	for {
		verb, args, err := c.next()
		if errors.Is(err, context.DeadlineExceeded) {
			c.w.t.Fatal("not closed")
		}
		if err != nil {
			return websocket.CloseStatus(err), notice
		}
		if verb == "NOTICE" {
			notice = text(args[0])
		}
	}
}

func (c *client) auth(k key, change ...func(*event.Event)) (bool, string) {
	e := &event.Event{Kind: 22242, CreatedAt: c.w.at(0), Tags: event.Tags{{"relay", origin}, {"challenge", c.challenge}}}
	for _, f := range change {
		f(e)
	}
	ok, why := c.result("AUTH", sign(k, e))
	if ok {
		c.authed[k.String()] = true
	}
	return ok, why
}

func (c *client) publish(e *event.Event) (bool, string) { return c.result("EVENT", e) }

// result sends an event and waits for its OK, passing over what else comes.
func (c *client) result(verb string, e *event.Event) (bool, string) {
	c.w.t.Helper()
	c.send(verb, json.RawMessage(event.Marshal(e)))
	for {
		verb, args := c.read()
		if verb == "OK" && text(args[0]) == e.ID {
			return string(args[1]) == "true", text(args[2])
		}
	}
}

// req returns the ids of the stored events, or why the subscription was closed.
func (c *client) req(sub string, filters ...any) (ids []string, closed string) {
	c.w.t.Helper()
	c.send(append([]any{"REQ", sub}, filters...)...)
	return c.stored(sub)
}

func (c *client) stored(sub string) (ids []string, closed string) {
	c.w.t.Helper()
	for {
		verb, args := c.read()
		switch {
		case verb == "NOTICE":
			return nil, text(args[0])
		case text(args[0]) != sub:
		case verb == "EVENT":
			ids = append(ids, idOf(c.w.t, args[1]))
		case verb == "EOSE":
			return ids, ""
		case verb == "CLOSED":
			return nil, text(args[1])
		}
	}
}

func idOf(t testing.TB, raw json.RawMessage) string {
	t.Helper()
	e, err := event.Parse(raw)
	if err != nil || event.VerifyID(e) != nil {
		t.Fatalf("an event that does not verify: %s", raw)
	}
	return e.ID
}

// count returns the answer to COUNT.
func (c *client) count(filter any) (n int, closed string) {
	c.w.t.Helper()
	c.send("COUNT", "n", filter)
	verb, args := c.read()
	// Of earlier subscriptions and negotiations, which a removed key may have ended.
	for verb == "EVENT" || verb == "NEG-ERR" || verb == "CLOSED" && text(args[0]) != "n" {
		verb, args = c.read()
	}
	if verb != "COUNT" {
		return 0, verb + " " + text(args[len(args)-1])
	}
	var answer struct{ Count int }
	if err := json.Unmarshal(args[1], &answer); err != nil {
		c.w.t.Fatal(err)
	}
	return answer.Count, ""
}

func (w *world) at(seconds int64) event.Timestamp { return event.Timestamp(w.now().Unix() + seconds) }

func sign(k key, e *event.Event) *event.Event {
	if err := e.Sign(k.secret); err != nil {
		panic("sign for a test")
	}
	return e
}

var one int

// letter makes a gift wrap by a key that is used once.
func (w *world) letter(to key, change ...func(*event.Event)) *event.Event {
	b := make([]byte, 198)
	rand.Read(b)
	e := &event.Event{Kind: 1059, CreatedAt: w.at(-60), Content: base64.StdEncoding.EncodeToString(b), Tags: event.Tags{
		{"p", to.String()}, {"expiration", strconv.FormatInt(w.now().Unix()+30*86_400, 10)}}}
	for _, f := range change {
		f(e)
	}
	one++
	return sign(newKey(fmt.Sprint("once ", one)), e)
}

// put publishes letters as their DVM.
func (w *world) put(letters ...*event.Event) {
	w.t.Helper()
	c := w.dial(dvm, other)
	defer c.ws.CloseNow()
	for _, e := range letters {
		if ok, why := c.publish(e); !ok {
			w.t.Fatalf("letter: %s", why)
		}
	}
}

func wantPrefix(t testing.TB, what, got, prefix string) {
	t.Helper()
	if !strings.HasPrefix(got, prefix) {
		t.Errorf("%s: %q, want %s", what, got, prefix)
	}
}

type filter map[string]any
