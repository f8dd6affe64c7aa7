package relay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/hub/relay"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func rowBeforeAuth(t *testing.T) { // RS-6
	w := newWorld(t)
	w.put(w.letter(alice))
	c := w.dial()
	for _, f := range []filter{{}, {"limit": 0}, {"kinds": []int{1059}, "#p": []string{alice.String()}}} {
		_, closed := c.req("a", f)
		wantPrefix(t, "REQ", closed, "auth-required:")
	}
	_, closed := c.count(filter{})
	wantPrefix(t, "COUNT", closed, "CLOSED auth-required:")
	ok, why := c.publish(w.letter(dvm))
	if ok {
		t.Error("EVENT was accepted")
	}
	wantPrefix(t, "EVENT", why, "auth-required:")
	c.send("CLOSE", "a") // the sixth
	if code, _ := c.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d", code)
	}
	c = w.dial()
	c.send("NEG-OPEN", "n", filter{}, "61")
	if verb, args := c.read(); verb != "NEG-ERR" {
		t.Errorf("NEG-OPEN: %s", verb)
	} else {
		wantPrefix(t, "NEG-OPEN", text(args[1]), "auth-required:")
	}
	// Nothing arrives live, either.
	c.req("a", filter{"limit": 0})
	w.put(w.letter(alice))
	c.auth(alice)
	if ids, closed := c.req("b", filter{}); len(ids) != 2 || closed != "" {
		t.Errorf("after AUTH: %d %s", len(ids), closed)
	}
}

func rowAuth(t *testing.T) { // RS-7
	w := newWorld(t)
	tag := func(name, value string) func(*event.Event) {
		return func(e *event.Event) {
			for _, tag := range e.Tags {
				if tag[0] == name {
					tag[1] = value
				}
			}
		}
	}
	at := func(s int64) func(*event.Event) {
		return func(e *event.Event) { e.CreatedAt = w.at(s) }
	}
	elsewhere := w.dial(alice)
	for name, change := range map[string]func(*event.Event){
		"wrong challenge":      tag("challenge", strings.Repeat("5a", 32)),
		"challenge of another": tag("challenge", elsewhere.challenge),
		"601 s old":            at(-601),
		"601 s ahead":          at(601),
		"other host":           tag("relay", "wss://other.example.com"),
		"other scheme":         tag("relay", "ws://hub.example.com"),
		"other port":           tag("relay", origin+":444"),
		"with a path":          tag("relay", origin+"/x"),
		"kind 1":               func(e *event.Event) { e.Kind = 1 },
		"two challenges":       func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[1]) },
		"no relay":             func(e *event.Event) { e.Tags = e.Tags[1:] },
		"host of the request":  tag("relay", w.url),
	} {
		t.Run(name, func(t *testing.T) {
			c := w.dial()
			ok, why := c.auth(alice, change)
			if ok {
				t.Error("accepted")
			}
			wantPrefix(t, "answer", why, "invalid:")
		})
	}
	t.Run("600 s, slash, capital letters", func(t *testing.T) {
		w.dial(alice).auth(bob, at(-600))
		if ok, why := w.dial().auth(alice, tag("relay", "WSS://Hub.example.com:443/")); !ok {
			t.Error(why)
		}
	})
	t.Run("two keys count", func(t *testing.T) {
		a, b := w.letter(alice), w.letter(bob)
		w.put(a, b)
		ids, _ := w.dial(alice, bob, nobody).req("a", filter{"ids": []string{a.ID, b.ID}})
		if len(ids) != 2 {
			t.Errorf("%d letters, want those of both", len(ids))
		}
	})
	t.Run("at most 8 keys and 10 a minute", func(t *testing.T) {
		c := w.dial()
		for i := range 8 {
			if ok, why := c.auth(newKey(fmt.Sprint("key ", i))); !ok {
				t.Fatal(why)
			}
		}
		for _, want := range []string{"rate-limited: too many keys", "rate-limited: too many keys", "rate-limited: too many AUTH"} {
			_, why := c.auth(alice)
			wantPrefix(t, "AUTH", why, want)
		}
	})
	t.Run("a thousand times", func(t *testing.T) {
		c := w.dial(alice)
		e := sign(alice, &event.Event{Kind: 22242, CreatedAt: w.at(0), Tags: event.Tags{}})
		for range 1000 {
			c.send("AUTH", e)
		}
		if code, _ := c.closed(); code != websocket.StatusPolicyViolation && code != -1 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("8 connections of a key", func(t *testing.T) {
		var open []*client
		for range 8 {
			open = append(open, w.dial(carol))
		}
		_, why := w.dial().auth(carol)
		wantPrefix(t, "ninth", why, "rate-limited:")
		open[0].ws.Close(websocket.StatusNormalClosure, "")
		for end := time.Now().Add(patience); ; {
			if ok, _ := w.dial().auth(carol); ok {
				break
			}
			if time.Now().After(end) {
				t.Fatal("a place was not given back")
			}
		}
	})
}

func TestConnectionsPerAddress(t *testing.T) {
	w := newWorld(t, func(c *relay.Config) { c.PerIP = 2 })
	remote := "192.0.2.1:1"
	w.server.Config.Handler = as(&remote, w.relay)
	a, b := w.dial(), w.dial()
	if _, resp, err := websocket.Dial(t.Context(), w.url, nil); err == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the third connection: %v", err)
	}
	remote = "192.0.2.2:1"
	w.dial().ws.CloseNow()
	_, _ = a, b
}

// modelVisible is the rule once more, in other words.
func modelVisible(e *event.Event, keys []key) bool {
	of := map[pow.Key]pow.Key{alice.Key: dvm.Key, bob.Key: dvm.Key, carol.Key: other.Key, dvm.Key: dvm.Key, other.Key: other.Key}
	for _, k := range keys {
		if e.Kind == 1059 && e.Tags.Find("p")[1] == k.String() {
			return true
		}
		if d, ok := of[k.Key]; ok && e.Kind == 31990 && e.PubKey == d.String() {
			return true
		}
	}
	return false
}

// TestRandomFilters asks for everything in every way and compares with a model:
// what is stored, what COUNT says, and that nothing else arrives (RS-8).
func TestRandomFilters(t *testing.T) {
	rounds := 100_000
	if testing.Short() {
		rounds = 3_000
	}
	w := newWorld(t)
	var all []*event.Event
	for i := range 120 {
		to := []key{alice, bob, carol}[i%3]
		all = append(all, w.letter(to, func(e *event.Event) { e.CreatedAt = w.at(-int64(i/7) * 1000) }))
	}
	w.put(all...)
	for _, to := range []key{dvm, other} {
		from := map[pow.Key]key{dvm.Key: alice, other.Key: carol}[to.Key]
		for range 10 {
			e := w.letter(to)
			if ok, why := w.publishAs(e, from); !ok {
				t.Fatal(why)
			}
			all = append(all, e)
		}
		e := w.announcement(to, "powdo", -50)
		if ok, why := w.publishAs(e, to); !ok {
			t.Fatal(why)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *event.Event) int {
		if a.CreatedAt != b.CreatedAt {
			return int(b.CreatedAt - a.CreatedAt)
		}
		return strings.Compare(a.ID, b.ID)
	})
	random := rand.New(rand.NewPCG(1, 2))
	readers := [][]key{{alice}, {bob, nobody}, {carol}, {alice, carol}, {dvm}, {dvm, other, bob}}
	for i := range rounds / 100 {
		keys := readers[i%len(readers)]
		c := w.dial(keys...)
		for n := range 100 {
			f, count := randomFilter(random, all), n%3 == 0
			want := expected(all, keys, f)
			if count {
				want = expected(all, keys, nostr.Filter{IDs: f.IDs, Kinds: f.Kinds, Authors: f.Authors, Tags: f.Tags, Since: f.Since, Until: f.Until, Limit: 1 << 30})
				if n, closed := c.count(plain(f)); closed != "" || n != len(want) {
					t.Fatalf("COUNT %s: %d %s, want %d", f, n, closed, len(want))
				}
				continue
			}
			ids, closed := c.req("a", plain(f))
			if closed != "" || !slices.Equal(ids, want) {
				t.Fatalf("keys %v, %s %s:\n got %v\nwant %v", keys, f, closed, ids, want)
			}
		}
		c.ws.CloseNow()
	}
}

func expected(all []*event.Event, keys []key, f nostr.Filter) (ids []string) {
	for _, e := range all {
		if len(ids) < f.Limit && f.Matches(e) && modelVisible(e, keys) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func randomFilter(r *rand.Rand, all []*event.Event) (f nostr.Filter) {
	maybe := func() bool { return r.IntN(3) == 0 }
	pick := func(of func(*event.Event) string) (list []string) {
		for range r.IntN(4) {
			list = append(list, of(all[r.IntN(len(all))]))
		}
		return append(list, []string{}...)
	}
	f.Limit = 500
	if maybe() {
		f.IDs = append([]string{}, pick(func(e *event.Event) string { return e.ID })...)
	}
	if maybe() {
		f.Authors = append([]string{}, pick(func(e *event.Event) string { return e.PubKey })...)
	}
	if maybe() {
		f.Kinds = [][]int{{1059}, {31990}, {1, 4}, {1059, 31990}, {}}[r.IntN(5)]
	}
	if maybe() {
		f.Tags = nostr.TagMap{"p": append([]string{}, pick(func(e *event.Event) string {
			if p := e.Tags.Find("p"); p != nil {
				return p[1]
			}
			return e.PubKey
		})...)}
	} else if r.IntN(9) == 0 {
		f.Tags = nostr.TagMap{"d": {"powdo"}}
	}
	if maybe() {
		f.Since = &all[r.IntN(len(all))].CreatedAt
	}
	if at := all[r.IntN(len(all))].CreatedAt; maybe() && (f.Since == nil || *f.Since <= at) {
		f.Until = &at
	}
	if maybe() {
		f.Limit = r.IntN(12)
	}
	return f
}

// plain writes a filter as a client would, empty lists included.
func plain(f nostr.Filter) filter {
	m := filter{"limit": f.Limit}
	if f.IDs != nil {
		m["ids"] = f.IDs
	}
	if f.Authors != nil {
		m["authors"] = f.Authors
	}
	if f.Kinds != nil {
		m["kinds"] = f.Kinds
	}
	for name, values := range f.Tags {
		m["#"+name] = values
	}
	if f.Since != nil {
		m["since"] = *f.Since
	}
	if f.Until != nil {
		m["until"] = *f.Until
	}
	return m
}
