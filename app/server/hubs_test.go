package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/app/server"
	"pow.do/services/hub/blobs/blobstest"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// startHubs serves several hubs on one PostgreSQL database and one bucket.
func startHubs(t *testing.T, n int, members ...hubKey) (hubs []*runningHub) {
	database, bucket := storetest.PostgresURL(t), blobstest.BucketURL(t)
	for range n {
		hubs = append(hubs, serveHub(t, server.HubConfig{Dir: t.TempDir(), Database: database, Blobs: bucket, Claims: noClaims}, members...))
	}
	return hubs
}

func letterTo(to pow.Key, n int) *event.Event {
	e := &event.Event{Kind: 1059, CreatedAt: event.Timestamp(time.Now().Unix() - 60), Content: strings.Repeat("A", 264),
		Tags: event.Tags{{"p", to.String()}, {"expiration", strconv.FormatInt(time.Now().Unix()+30*86_400, 10)}}}
	if err := newHubKey(fmt.Sprint("once", n)).Sign(e); err != nil {
		panic("sign for a test")
	}
	return e
}

// TestHubsShare: a letter that one hub takes is read live at another, a blob
// that one takes is read at another, and a device that is denied at one loses
// its connections everywhere.
func TestHubsShare(t *testing.T) {
	member := newHubKey("member")
	hubs := startHubs(t, 3, member)
	reader := dialHub(t, hubs[1], member)
	reader.send("REQ", "s", map[string]any{"kinds": []int{1059}})
	if m := reader.read(); m[0] != "EOSE" {
		t.Fatal(m)
	}
	writer := dialHub(t, hubs[2], hubs[2].DVM)
	for i := range 20 {
		e := letterTo(member.public, i)
		writer.send("EVENT", json.RawMessage(event.Marshal(e)))
		if ok := writer.read(); ok[2] != true {
			t.Fatalf("letter: %v", ok)
		}
		if got := reader.read(); got[0] != "EVENT" || got[2].(map[string]any)["id"] != e.ID {
			t.Fatalf("letter %d: %v", i, got[0])
		}
	}
	data := bytes.Repeat([]byte("blob"), 50_000)
	x := sha256.Sum256(data)
	if resp := askBlob(t, hubs[0], member, "PUT", x, data); resp.StatusCode != 201 {
		t.Errorf("upload: %s", resp.Status)
	}
	resp := askBlob(t, hubs[2], hubs[2].DVM, "GET", x, nil)
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("download elsewhere: %s, %v", resp.Status, err)
	}
	if err := hubs[0].Deny(t.Context(), member.public); err != nil {
		t.Fatal(err)
	}
	_, _, err := reader.ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v", err)
	}
	for i, h := range hubs {
		if err := h.Ready(t.Context()); err != nil {
			t.Errorf("hub %d: %v", i, err)
		}
	}
}

// askBlob speaks Blossom as a key.
func askBlob(t *testing.T, h *runningHub, k hubKey, method string, x pow.Hash, data []byte) *http.Response {
	t.Helper()
	req := blobRequest(t, h, k, method, x, data)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func blobRequest(t *testing.T, h *runningHub, k hubKey, method string, x pow.Hash, data []byte) *http.Request {
	t.Helper()
	verb, path := map[string]string{"PUT": "upload", "GET": "get", "DELETE": "delete"}[method], "/"+x.String()
	if method == "PUT" {
		path = "/upload"
	} else {
		data = nil
	}
	host, _, _ := net.SplitHostPort(h.Host)
	e := &event.Event{Kind: 24242, CreatedAt: event.Timestamp(time.Now().Unix() - 30), Content: "test", Tags: event.Tags{
		{"t", verb}, {"expiration", fmt.Sprint(time.Now().Unix() + 600)}, {"x", x.String()}, {"server", host}}}
	if err := k.Sign(e); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Host+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Nostr "+base64.RawURLEncoding.EncodeToString(event.Marshal(e)))
	req.Header.Set("X-SHA-256", x.String())
	return req
}

// TestHubWithoutItsDatabase: the hub says that it is not ready, answers with
// error: and never OK, and works again when the database is back (F33).
func TestHubWithoutItsDatabase(t *testing.T) {
	member := newHubKey("member")
	gate := newGate(t, storetest.PostgresURL(t))
	h := serveHub(t, server.HubConfig{Dir: t.TempDir(), Database: gate.url, Claims: noClaims}, member)
	c := dialHub(t, h, h.DVM)
	send := func(n int) []any {
		c.send("EVENT", json.RawMessage(event.Marshal(letterTo(member.public, n))))
		return c.read()
	}
	if ok := send(1); ok[2] != true {
		t.Fatal(ok)
	}
	gate.shut()
	if ok := send(2); ok[2] != false || !strings.HasPrefix(ok[3].(string), "error:") {
		t.Errorf("without the database: %v", ok)
	}
	if err := h.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "database") || strings.Contains(err.Error(), "blobs") {
		t.Errorf("ready: %v", err)
	}
	gate.open()
	for end := time.Now().Add(20 * time.Second); ; {
		if ok := send(2); ok[2] == true {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it did not recover")
		}
	}
	if err := h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// gate is a way to a server that can be shut.
type gate struct {
	t      *testing.T
	url    string
	target string
	ln     net.Listener
	block  chan bool // true: refuse and cut
}

func newGate(t *testing.T, database string) *gate {
	scheme, rest, _ := strings.Cut(database, "@")
	host, path, _ := strings.Cut(rest, "/")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, target: host, ln: ln, block: make(chan bool), url: scheme + "@" + ln.Addr().String() + "/" + path}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	conns := make(chan net.Conn)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	go func() {
		defer close(done)
		g.run(ctx, conns)
	}()
	t.Cleanup(func() { ln.Close(); cancel(); <-done })
	return g
}

func (g *gate) shut() { g.block <- true }
func (g *gate) open() { g.block <- false }

func (g *gate) run(ctx context.Context, conns chan net.Conn) {
	var open []net.Conn
	shut := false
	cut := func() {
		for _, c := range open {
			c.Close()
		}
		open = nil
	}
	defer cut()
	for {
		select {
		case <-ctx.Done():
			return
		case shut = <-g.block:
			cut()
		case c := <-conns:
			to, err := net.Dial("tcp", g.target)
			if err != nil || shut {
				c.Close()
				if err == nil {
					to.Close()
				}
				continue
			}
			open = append(open, c, to)
			go io.Copy(to, c)
			go io.Copy(c, to)
		}
	}
}
