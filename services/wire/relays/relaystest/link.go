package relaystest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/wire/event"
)

// patience is how long a relay may take for one frame. Nothing waits that long
// unless the relay is wrong.
const patience = 20 * time.Second

// frame is one message of a relay, taken apart.
type frame struct {
	kind  string // EVENT, OK, EOSE, CLOSED, NOTICE, AUTH, COUNT, NEG-MSG, NEG-ERR; "" when the connection ended
	sub   string
	id    string // OK
	ok    bool
	text  string // OK, CLOSED, NOTICE, AUTH, NEG-ERR
	event *event.Event
	count int
}

// link is one connection of the suite. Frames that nobody waited for yet are
// kept in order.
type link struct {
	t         *testing.T
	c         *websocket.Conn
	origin    string
	challenge string
	kept      []frame
	subs      int
}

func (s *suite) open(t *testing.T, header http.Header) *link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL, &websocket.DialOptions{HTTPClient: s.HTTP, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return &link{t: t, c: c, origin: s.Origin}
}

// login opens a connection and authenticates it with every key.
func (s *suite) login(t *testing.T, keys ...Signer) *link {
	t.Helper()
	l := s.open(t, nil)
	l.waitChallenge()
	for _, k := range keys {
		if ok, text := l.auth(k); !ok {
			t.Fatalf("AUTH refused: %s", text)
		}
	}
	return l
}

// waitChallenge waits for the AUTH frame. Some relays send it only once it is
// needed, so it asks for something first: of five frames allowed before AUTH
// this takes one.
func (l *link) waitChallenge() {
	l.t.Helper()
	l.send("REQ", "challenge", map[string]any{"kinds": []int{1059}, "#p": []string{strings.Repeat("00", 32)}, "limit": 1})
	l.await(func(f frame) bool { return f.kind == "AUTH" })
}

// auth answers the newest challenge.
func (l *link) auth(k Signer, change ...func(*event.Event)) (bool, string) {
	l.t.Helper()
	e := &event.Event{Kind: 22242, CreatedAt: event.Timestamp(time.Now().Unix()), Tags: event.Tags{{"relay", l.origin}, {"challenge", l.challenge}}}
	for _, f := range change {
		f(e)
	}
	mustSign(k, e)
	l.send("AUTH", json.RawMessage(event.Marshal(e)))
	return l.answer(e.ID)
}

func (l *link) send(parts ...any) {
	l.t.Helper()
	b, err := json.Marshal(parts)
	if err != nil {
		l.t.Fatal(err)
	}
	l.write(string(b))
}

// write sends one text frame. A relay that has closed the connection is found
// out by the next read.
func (l *link) write(s string) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	_ = l.c.Write(ctx, websocket.MessageText, []byte(s))
}

// read takes the next frame off the socket.
func (l *link) read() frame {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	_, b, err := l.c.Read(ctx)
	if ctx.Err() != nil {
		l.t.Fatalf("no frame in %v", patience)
	}
	if err != nil {
		return frame{text: err.Error()}
	}
	f := l.takeApart(b)
	if f.kind == "AUTH" {
		l.challenge = f.text
	}
	return f
}

func (l *link) takeApart(b []byte) (f frame) {
	l.t.Helper()
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) < 2 {
		l.t.Fatalf("not a frame: %.200q", b)
	}
	part := func(i int, v any) {
		if i >= len(parts) || json.Unmarshal(parts[i], v) != nil {
			l.t.Fatalf("element %d of the frame is not what NIP-01 says: %.200q", i, b)
		}
	}
	part(0, &f.kind)
	switch f.kind {
	case "EVENT":
		part(1, &f.sub)
		e, err := event.Parse(parts[len(parts)-1])
		if err == nil {
			err = event.Verify(e)
		}
		if err != nil {
			l.t.Fatalf("the relay serves an event that is %v: %.200q", err, b)
		}
		f.event = e
	case "OK":
		part(1, &f.id)
		part(2, &f.ok)
		part(3, &f.text)
	case "EOSE", "NEG-MSG":
		part(1, &f.sub)
	case "CLOSED", "NEG-ERR":
		part(1, &f.sub)
		part(2, &f.text)
	case "COUNT":
		part(1, &f.sub)
		var n struct{ Count *int }
		part(2, &n)
		if n.Count == nil {
			l.t.Fatalf("COUNT without a count: %.200q", b)
		}
		f.count = *n.Count
	default:
		part(1, &f.text)
	}
	return f
}

// await returns the first frame that fits and keeps the others. The end of the
// connection always fits.
func (l *link) await(fits func(frame) bool) frame {
	l.t.Helper()
	for i, f := range l.kept {
		if fits(f) {
			l.kept = append(l.kept[:i:i], l.kept[i+1:]...)
			return f
		}
	}
	for {
		f := l.read()
		if f.kind == "" {
			return f
		}
		if fits(f) {
			return f
		}
		l.kept = append(l.kept, f)
	}
}

// answer waits for the OK to an id.
func (l *link) answer(id string) (bool, string) {
	l.t.Helper()
	f := l.await(func(f frame) bool { return f.kind == "OK" && f.id == id })
	if f.kind == "" {
		l.t.Fatalf("the connection ended before the OK: %s", f.text)
	}
	return f.ok, f.text
}

// publish sends an event and returns the answer.
func (l *link) publish(e *event.Event) (bool, string) {
	l.t.Helper()
	l.send("EVENT", json.RawMessage(event.Marshal(e)))
	return l.answer(e.ID)
}

// stored publishes events that must be accepted.
func (l *link) stored(events ...*event.Event) {
	l.t.Helper()
	for _, e := range events {
		if ok, text := l.publish(e); !ok {
			l.t.Fatalf("kind %d refused: %s", e.Kind, text)
		}
	}
}

// refused publishes an event that must be refused, with one of the prefixes
// unless none is named.
func (l *link) refused(what string, e *event.Event, prefixes ...string) {
	l.t.Helper()
	ok, text := l.publish(e)
	if ok {
		l.t.Errorf("%s: accepted", what)
		return
	}
	for _, p := range prefixes {
		if strings.HasPrefix(text, p+":") {
			return
		}
	}
	if len(prefixes) > 0 {
		l.t.Errorf("%s: refused with %q, want %s:", what, text, strings.Join(prefixes, ": or "))
	}
}

// subscribe sends a REQ and returns what is stored, in the order sent. closed
// is the text of a CLOSED, "" when there was an EOSE.
func (l *link) subscribe(sub string, filters ...filter) (events []*event.Event, closed string) {
	l.t.Helper()
	parts := []any{"REQ", sub}
	for _, f := range filters {
		parts = append(parts, f)
	}
	l.send(parts...)
	for {
		f := l.await(func(f frame) bool {
			return f.sub == sub && (f.kind == "EVENT" || f.kind == "EOSE" || f.kind == "CLOSED")
		})
		switch f.kind {
		case "EVENT":
			events = append(events, f.event)
		case "EOSE":
			return events, ""
		case "CLOSED":
			return events, f.text
		default:
			l.t.Fatalf("the connection ended before EOSE: %s", f.text)
		}
	}
}

// query subscribes, and closes again.
func (l *link) query(filters ...filter) ([]*event.Event, string) {
	l.t.Helper()
	l.subs++
	sub := "q" + strconv.Itoa(l.subs)
	events, closed := l.subscribe(sub, filters...)
	if closed == "" {
		l.send("CLOSE", sub)
	}
	return events, closed
}

// until collects the live events of a subscription up to the one with this id.
func (l *link) until(sub, id string) (ids []string) {
	l.t.Helper()
	for {
		f := l.await(func(f frame) bool { return f.sub == sub && (f.kind == "EVENT" || f.kind == "CLOSED") })
		if f.kind != "EVENT" {
			l.t.Fatalf("the subscription ended before %s: %s %s", id, f.kind, f.text)
		}
		ids = append(ids, f.event.ID)
		if f.event.ID == id {
			return ids
		}
	}
}

type filter map[string]any

// mail is the filter of a mailbox.
func mail(k Signer) filter {
	return filter{"kinds": []int{1059}, "#p": []string{k.Public().String()}, "limit": 500}
}

// byID is the filter that asks for events by their ids only.
func byID(events ...*event.Event) filter { return filter{"ids": idsOf(events)} }

func idsOf(events []*event.Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// random returns a number in [0, n).
func random(n int64) int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.LittleEndian.Uint64(b[:]) % uint64(n))
}

// ciphertext returns base64 of n random bytes, the first of which is NIP-44's version.
func ciphertext(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	b[0] = 2
	return base64.StdEncoding.EncodeToString(b)
}
