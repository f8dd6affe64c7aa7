package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/wire/event"
	"pow.do/services/wire/relays/relaystest"
)

// TestSlowConnections: hundreds of connections that never finish a request are
// freed within ten seconds, and meanwhile the hub answers.
func TestSlowConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the hub's limits")
	}
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims)
	const each = 100
	begin := time.Now()
	var slow []net.Conn
	for name, start := range map[string]string{
		"half a header":    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
		"half a handshake": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
		"nothing":          "",
	} {
		for range each {
			c, err := net.Dial("tcp", h.Host)
			if err != nil {
				t.Fatal(name, err)
			}
			defer c.Close()
			fmt.Fprint(c, start)
			slow = append(slow, c)
		}
	}
	c := dialHub(t, h, h.DVM) // answers all the same
	c.send("CLOSE", "x")
	var wg sync.WaitGroup
	for _, c := range slow {
		wg.Go(func() {
			c.SetReadDeadline(begin.Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("a connection was not freed")
			}
		})
	}
	wg.Wait()
}

// TestSlowBody: a request to manage whose body drips is cut off.
func TestSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the hub's limits")
	}
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims)
	for who, row := range map[string]struct {
		token string
		after time.Duration
	}{"a stranger": {"Nostr x", 5 * time.Second}, "a DVM": {hubToken(t, h, h.DVM, ""), 15 * time.Second}} {
		begin := time.Now()
		c, err := net.Dial("tcp", h.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/nostr+json+rpc\r\nAuthorization: %s\r\nContent-Length: 60000\r\n\r\n{", h.Host, row.token)
		c.SetReadDeadline(begin.Add(row.after))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s was not cut off", who)
		}
	}
}

// TestHugeHeaders: what is over the limit is refused without being kept.
func TestHugeHeaders(t *testing.T) {
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims)
	for name, head := range map[string]string{
		"one header of 1 MiB":   "X-A: " + strings.Repeat("a", 1<<20) + "\r\n",
		"a hundred thousand":    strings.Repeat("A: b\r\n", 100_000),
		"an upgrade with 1 MiB": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + strings.Repeat("A", 1<<20) + "\r\n",
		"a token of 1 MiB":      "Content-Type: application/nostr+json+rpc\r\nAuthorization: Nostr " + strings.Repeat("A", 1<<20) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", h.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			go fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\n%s\r\n", h.Host, head)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err == nil && resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("status %d", resp.StatusCode)
			}
			var lost net.Error
			if err != nil && (!errors.As(err, &lost) || lost.Timeout()) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Error(err)
			}
		})
	}
}

// TestFlood: masses of messages of a stranger end its connection, and a device
// is served meanwhile.
func TestFlood(t *testing.T) {
	device := newHubKey("device")
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims, device)
	var floods sync.WaitGroup
	for range 20 {
		floods.Go(func() {
			ws, _, err := websocket.Dial(t.Context(), "ws://"+h.Host, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer ws.CloseNow()
			junk := []byte(`["EVENT",{"id":"` + strings.Repeat("0", 64) + `"}]`)
			for range 100_000 {
				if ws.Write(t.Context(), websocket.MessageText, junk) != nil {
					return // cut off, as it should be
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for err == nil { // what was written may still lie in the socket
				_, _, err = ws.Read(ctx)
			}
			if ctx.Err() != nil {
				t.Error("a hundred thousand messages were taken")
			}
		})
	}
	c := dialHub(t, h, h.DVM)
	for range 20 {
		e := relaystest.Letter(device.public)
		c.send("EVENT", json.RawMessage(event.Marshal(e)))
		if ok := c.read(); ok[2] != true {
			t.Errorf("%v", ok)
		}
	}
	floods.Wait()
}
