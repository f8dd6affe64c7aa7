package relaystest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/wire/event"
)

// Double is an honest mailbox relay in memory, for tests of what talks to
// relays. Every key may write; Letters are read by their recipient only.
type Double struct {
	URL     string
	handled sync.WaitGroup // every connection's goroutines

	mu     sync.Mutex // guards what follows
	events map[string]*event.Event
	gone   map[string]string // deleted id → by whom
	conns  map[*doubleConn]bool
	reqs   int
}

// NewDouble starts a Double on 127.0.0.1. It ends with the test.
func NewDouble(t testing.TB) *Double {
	d := &Double{}
	srv := httptest.NewServer(d.Handler())
	d.URL = "ws" + strings.TrimPrefix(srv.URL, "http")
	t.Cleanup(func() {
		d.Cut()
		srv.Close()
		d.handled.Wait()
	})
	return d
}

// Handler returns the relay as an HTTP handler; URL must be set before the
// first connection.
func (d *Double) Handler() http.Handler {
	d.events, d.gone, d.conns = map[string]*event.Event{}, map[string]string{}, map[*doubleConn]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			_, _ = w.Write([]byte(`{"name":"double","supported_nips":[1,9,11,40,42,45]}`))
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		ws.SetReadLimit(1 << 17)
		c := &doubleConn{d: d, ws: ws, out: make(chan string, 4096), keys: map[string]bool{}, subs: map[string][]doubleFilter{}}
		d.handled.Add(1)
		defer d.handled.Done()
		c.serve(r.Context())
	})
}

// Cut drops every connection, as a relay that restarts does.
func (d *Double) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		_ = c.ws.CloseNow()
	}
}

// Events returns what is stored, newest first.
func (d *Double) Events() []*event.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.match(func(*event.Event) bool { return true })
}

// Put stores events without a connection.
func (d *Double) Put(events ...*event.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range events {
		d.store(e)
	}
}

// Requests returns how many REQs were answered so far.
func (d *Double) Requests() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reqs
}

func (d *Double) match(fits func(*event.Event) bool) (found []*event.Event) {
	for _, e := range d.events {
		if x, ok, _ := event.Single(e, "expiration"); ok && x <= decimal(time.Now().Unix()) {
			continue
		}
		if fits(e) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, newestFirst)
	return found
}

// store answers an event that has passed Verify; the lock is held.
func (d *Double) store(e *event.Event) (ok bool, text string) {
	p, _, _ := event.Single(e, "p")
	switch by := d.gone[e.ID]; {
	case by != "" && (by == p || by == e.PubKey):
		return false, "blocked: deleted"
	case d.events[e.ID] != nil:
		return true, "duplicate: already here"
	case e.Kind == 5:
		for _, t := range e.Tags {
			if t[0] == "e" && len(t) > 1 {
				d.forget(t[1], e.PubKey)
			}
		}
		return true, ""
	}
	d.events[e.ID] = e
	for c := range d.conns {
		for sub, filters := range c.subs {
			if c.visible(e) && slices.ContainsFunc(filters, func(f doubleFilter) bool { return f.fits(e) }) {
				c.sendEvent(sub, e)
			}
		}
	}
	return true, ""
}

func (d *Double) forget(id, by string) {
	e := d.events[id]
	if e == nil {
		if d.gone[id] == "" {
			d.gone[id] = by
		}
		return
	}
	if p, _, _ := event.Single(e, "p"); by == e.PubKey || by == p {
		delete(d.events, id)
		d.gone[id] = by
	}
}

// doubleConn is one connection; keys and subs are guarded by d.mu.
type doubleConn struct {
	d    *Double
	ws   *websocket.Conn
	out  chan string
	keys map[string]bool
	subs map[string][]doubleFilter
}

type doubleFilter struct {
	IDs     []string `json:"ids"`
	Authors []string `json:"authors"`
	Kinds   []int    `json:"kinds"`
	P       []string `json:"#p"`
	D       []string `json:"#d"`
	Since   *int64   `json:"since"`
	Until   *int64   `json:"until"`
	Limit   *int     `json:"limit"`
}

func (f doubleFilter) fits(e *event.Event) bool {
	in := func(list []string, name string) bool {
		v, _, _ := event.Single(e, name)
		return list == nil || slices.Contains(list, v)
	}
	return (f.IDs == nil || slices.Contains(f.IDs, e.ID)) && (f.Authors == nil || slices.Contains(f.Authors, e.PubKey)) &&
		(f.Kinds == nil || slices.Contains(f.Kinds, e.Kind)) && in(f.P, "p") && in(f.D, "d") &&
		(f.Since == nil || int64(e.CreatedAt) >= *f.Since) && (f.Until == nil || int64(e.CreatedAt) <= *f.Until)
}

func (c *doubleConn) visible(e *event.Event) bool {
	p, _, _ := event.Single(e, "p")
	return e.Kind != 1059 || c.keys[p]
}

func (c *doubleConn) serve(ctx context.Context) {
	const challenge = "0123456789abcdef"
	ctx, cancel := context.WithCancel(ctx)
	c.d.mu.Lock()
	c.d.conns[c] = true
	c.d.mu.Unlock()
	var writer sync.WaitGroup
	writer.Go(func() {
		for s := range c.out {
			if c.ws.Write(ctx, websocket.MessageText, []byte(s)) != nil {
				_ = c.ws.CloseNow()
			}
		}
	})
	c.send("AUTH", challenge)
	for {
		typ, b, err := c.ws.Read(ctx)
		if err != nil || typ != websocket.MessageText {
			break
		}
		c.d.mu.Lock()
		c.answer(b, challenge)
		c.d.mu.Unlock()
	}
	cancel()
	_ = c.ws.CloseNow()
	c.d.mu.Lock()
	delete(c.d.conns, c)
	close(c.out)
	c.d.mu.Unlock()
	writer.Wait()
}

// answer takes one message; the lock is held.
func (c *doubleConn) answer(b []byte, challenge string) {
	var parts []json.RawMessage
	var kind, sub string
	if json.Unmarshal(b, &parts) != nil || len(parts) < 2 || json.Unmarshal(parts[0], &kind) != nil {
		c.send("NOTICE", "not a message")
		return
	}
	if kind == "EVENT" || kind == "AUTH" {
		c.take(kind, parts[1], challenge)
		return
	}
	if json.Unmarshal(parts[1], &sub) != nil || sub == "" {
		c.send("NOTICE", "not a message")
		return
	}
	delete(c.subs, sub)
	if kind != "REQ" && kind != "COUNT" {
		return
	}
	if len(c.keys) == 0 {
		c.send("CLOSED", sub, "auth-required: who are you?")
		return
	}
	filters := make([]doubleFilter, len(parts)-2)
	for i, p := range parts[2:] {
		if json.Unmarshal(p, &filters[i]) != nil {
			c.send("CLOSED", sub, "invalid: not a filter")
			return
		}
	}
	c.query(kind, sub, filters)
}

func (c *doubleConn) query(kind, sub string, filters []doubleFilter) {
	sent := map[string]bool{}
	for _, f := range filters {
		found := c.d.match(func(e *event.Event) bool { return c.visible(e) && f.fits(e) })
		limit := 500
		if f.Limit != nil {
			limit = min(limit, *f.Limit)
		}
		for _, e := range found[:min(len(found), limit)] {
			if !sent[e.ID] && kind == "REQ" {
				c.sendEvent(sub, e)
			}
			sent[e.ID] = true
		}
	}
	if kind == "COUNT" {
		c.send("COUNT", sub, map[string]int{"count": len(sent)})
		return
	}
	c.d.reqs++
	c.send("EOSE", sub)
	c.subs[sub] = filters
}

// take answers an EVENT or an AUTH.
func (c *doubleConn) take(kind string, b []byte, challenge string) {
	e, err := event.Parse(b)
	if err != nil {
		c.send("NOTICE", "not an event")
		return
	}
	if err := event.Verify(e); err != nil {
		c.send("OK", e.ID, false, "invalid: "+err.Error())
		return
	}
	if kind == "EVENT" {
		ok, text := false, "auth-required: who are you?"
		if len(c.keys) > 0 {
			ok, text = c.d.store(e)
		}
		c.send("OK", e.ID, ok, text)
		return
	}
	relay, _, _ := event.Single(e, "relay")
	answer, _, _ := event.Single(e, "challenge")
	age := time.Now().Unix() - int64(e.CreatedAt)
	if e.Kind != 22242 || answer != challenge || strings.TrimSuffix(relay, "/") != c.d.URL || max(age, -age) > 600 {
		c.send("OK", e.ID, false, "invalid: not an answer to the challenge")
		return
	}
	c.keys[e.PubKey] = true
	c.send("OK", e.ID, true, "")
}

func (c *doubleConn) send(parts ...any) {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err)
	}
	c.write(string(b))
}

func (c *doubleConn) sendEvent(sub string, e *event.Event) {
	c.write(`["EVENT",` + strconv.Quote(sub) + "," + string(event.Marshal(e)) + "]")
}

// write queues a message; a reader that is 4096 messages behind is dropped.
func (c *doubleConn) write(s string) {
	select {
	case c.out <- s:
	default:
		_ = c.ws.CloseNow()
	}
}
