package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// hubKey signs for tests: its secret is the SHA-256 of a word.
type hubKey struct {
	secret string
	public pow.Key
}

func newHubKey(word string) hubKey {
	s := sha256.Sum256([]byte(word))
	k := hubKey{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("sign with a hash as the key")
	}
	k.public = event.Author(&e)
	return k
}

func (k hubKey) Public() pow.Key           { return k.public }
func (k hubKey) Sign(e *event.Event) error { return e.Sign(k.secret) }

// claims is a relay.Claims made of one function.
type claims func(claim string, now time.Time) (pow.Key, string, time.Time, error)

func (f claims) Check(claim string, now time.Time) (pow.Key, string, time.Time, error) {
	return f(claim, now)
}

var noClaims = claims(func(string, time.Time) (pow.Key, string, time.Time, error) {
	return pow.Key{}, "", time.Time{}, errors.New("no claims here")
})

// runningHub is a hub on a free port of 127.0.0.1.
type runningHub struct {
	*server.Hub
	Host string // host:port
	DVM  hubKey
	Dir  string
}

// startHub serves a new hub until the test ends; members are on its whitelist.
func startHub(t *testing.T, dir string, check claims, members ...hubKey) *runningHub {
	t.Helper()
	return serveHub(t, server.HubConfig{Dir: dir, Claims: check}, members...)
}

// serveHub is startHub with more settings.
func serveHub(t *testing.T, cfg server.HubConfig, members ...hubKey) *runningHub {
	t.Helper()
	dvm := newHubKey("dvm")
	cfg.DVMs = []pow.Key{dvm.public}
	h, err := server.OpenHub(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &runningHub{Hub: h, Host: ln.Addr().String(), DVM: dvm, Dir: cfg.Dir}
	h.SetOrigins([]string{"http://" + r.Host})
	for _, m := range members {
		if err := h.Allow(t.Context(), m.public, dvm.public); err != nil {
			t.Fatal(err)
		}
	}
	srv := server.HTTPServer(h.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan error, 1), make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	go func() { ran <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		stop, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		srv.Shutdown(stop)
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// relayConn is a bare connection to the hub's relay.
type relayConn struct {
	t  *testing.T
	ws *websocket.Conn
}

func dialHub(t *testing.T, h *runningHub, keys ...hubKey) *relayConn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+h.Host, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	c := &relayConn{t, ws}
	challenge, ok := c.read()[1].(string)
	if !ok {
		t.Fatal("no challenge")
	}
	for _, k := range keys {
		e := &event.Event{Kind: 22242, CreatedAt: event.Timestamp(time.Now().Unix()),
			Tags: event.Tags{{"relay", "ws://" + h.Host}, {"challenge", challenge}}}
		if err := k.Sign(e); err != nil {
			t.Fatal(err)
		}
		c.send("AUTH", json.RawMessage(event.Marshal(e)))
		if ok := c.read(); ok[2] != true {
			t.Fatalf("AUTH: %v", ok)
		}
	}
	return c
}

func (c *relayConn) send(elements ...any) {
	c.t.Helper()
	b, err := json.Marshal(elements)
	if err == nil {
		err = c.ws.Write(c.t.Context(), websocket.MessageText, b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *relayConn) read() (message []any) {
	c.t.Helper()
	_, b, err := c.ws.Read(c.t.Context())
	if err == nil {
		err = json.Unmarshal(b, &message)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return message
}

// TestHubDenyFromASecondProcess denies a device through another Hub on the same
// folder, as `powdo-server hub deny` does: its live connection ends.
func TestHubDenyFromASecondProcess(t *testing.T) {
	member := newHubKey("member")
	h := startHub(t, t.TempDir(), noClaims, member)
	c := dialHub(t, h, member)
	second, err := server.OpenHub(t.Context(), server.HubConfig{Dir: h.Dir, DVMs: []pow.Key{h.DVM.public}, Claims: noClaims})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := second.List(t.Context()); err != nil || len(list) != 1 || list[0].Key != member.public || list[0].How != "hand" {
		t.Errorf("%v %v", list, err)
	}
	if err := second.Deny(t.Context(), member.public); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v", err)
	}
}

// TestHubRoutes: one port, two protocols, and origins from the configuration only.
func TestHubRoutes(t *testing.T) {
	h := startHub(t, t.TempDir(), noClaims)
	for _, row := range []struct {
		method, path, accept string
		want                 int
	}{
		{"GET", "/", "application/nostr+json", 200}, {"GET", "/", "", 426}, {"POST", "/", "", 426}, {"OPTIONS", "/", "", 204},
		{"GET", "/x", "", 404}, {"PUT", "/upload", "", 401}, {"PUT", "/mirror", "", 404}, {"OPTIONS", "/upload", "", 204},
	} {
		req, err := http.NewRequestWithContext(t.Context(), row.method, "http://"+h.Host+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		req.Header.Set("Accept", row.accept)
		req.Header.Set("X-Forwarded-Host", "evil.example")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != row.want {
			t.Errorf("%s %s: %s, want %d", row.method, row.path, resp.Status, row.want)
		}
	}
	if n := h.Stats().RequestsRefused; n["not found"] != 2 || n["token missing"] != 1 {
		t.Errorf("refusals %v", n)
	}
}

// TestHubLimitsHeaders: headers of a megabyte and headers that never end (BL-8, F30).
func TestHubLimitsHeaders(t *testing.T) {
	h := startHub(t, t.TempDir(), noClaims)
	c, err := net.Dial("tcp", h.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Nostr %s", strings.Repeat("A", 64<<10))
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 431" {
		t.Errorf("%q %v", b, err)
	}
	slow := make([]net.Conn, 300)
	for i := range slow {
		if slow[i], err = net.Dial("tcp", h.Host); err != nil {
			t.Fatal(err)
		}
		defer slow[i].Close()
		fmt.Fprint(slow[i], "GET / HTTP/1.1\r\nHost")
	}
	dialHub(t, h) // is served all the same
	for _, c := range slow {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(c); err != nil {
			t.Fatalf("a slow connection stays: %v", err)
		}
	}
}
