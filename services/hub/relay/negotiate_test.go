package relay_test

import (
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/negentropy"
)

// neg compares a set with what the relay shows for a filter, and returns the
// ids that only the relay has, or the reason of NEG-ERR.
func (c *client) neg(id string, f any, mine *negentropy.Set) (need map[string]bool, refused string) {
	c.w.t.Helper()
	c.send("NEG-OPEN", id, f, hex.EncodeToString(mine.First()))
	need = map[string]bool{}
	for {
		answer, refused := c.negAnswer(id)
		if refused != "" {
			return nil, refused
		}
		next, _, more, err := mine.Next(answer, negentropy.Frame)
		if err != nil {
			c.w.t.Fatal(err)
		}
		for _, h := range more {
			need[h.String()] = true
		}
		if next == nil {
			c.send("NEG-CLOSE", id)
			return need, ""
		}
		c.send("NEG-MSG", id, hex.EncodeToString(next))
	}
}

func (c *client) negAnswer(id string) (answer []byte, refused string) {
	c.w.t.Helper()
	for {
		verb, args := c.read()
		switch {
		case verb == "NEG-ERR" && text(args[0]) == id:
			return nil, text(args[1])
		case verb == "NEG-MSG" && text(args[0]) == id:
			b, err := hex.DecodeString(text(args[1]))
			if err != nil || len(b) > negentropy.Frame {
				c.w.t.Fatalf("%d bytes: %v", len(b), err)
			}
			return b, ""
		case verb == "NOTICE":
			return nil, text(args[0])
		}
	}
}

func setOf(events ...*event.Event) *negentropy.Set {
	items := make([]negentropy.Item, len(events))
	for i, e := range events {
		items[i] = negentropy.Item{At: int64(e.CreatedAt), ID: event.ID(e)}
	}
	return negentropy.NewSet(items)
}

func idSet(events ...*event.Event) map[string]bool {
	m := map[string]bool{}
	for _, e := range events {
		m[e.ID] = true
	}
	return m
}

func TestNegotiate(t *testing.T) {
	w := newWorld(t)
	var mine, bobs []*event.Event
	d := w.dial(dvm)
	for i := range 300 {
		to, list := alice, &mine
		if i%3 == 0 {
			to, list = bob, &bobs
		}
		e := w.letter(to, func(e *event.Event) { e.CreatedAt = w.at(-int64(i)) })
		if ok, why := d.publish(e); !ok {
			t.Fatal(why)
		}
		*list = append(*list, e)
	}
	all := filter{"kinds": []int{1059}, "#p": []string{alice.String()}}
	c := w.dial(alice)
	for name, row := range map[string]struct {
		filter filter
		has    []*event.Event
		want   []*event.Event
	}{
		"nothing yet":       {all, nil, mine},
		"all but three":     {all, mine[3:], mine[:3]},
		"everything":        {all, mine, nil},
		"more than is here": {all, append(slices.Clone(mine), bobs...), nil},
		"since":             {filter{"since": mine[9].CreatedAt}, nil, mine[:10]},
		"ids of all":        {filter{"ids": slices.Collect(maps.Keys(idSet(append(slices.Clone(mine[:5]), bobs...)...)))}, nil, mine[:5]},
		"of another":        {filter{"#p": []string{bob.String()}}, nil, nil},
		"no filter":         {filter{}, mine[1:], mine[:1]},
		"another kind":      {filter{"kinds": []int{1}}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.w.t = t
			need, refused := c.neg("n", row.filter, setOf(row.has...))
			if refused != "" || !maps.Equal(need, idSet(row.want...)) {
				t.Errorf("%d needed %q, want %d", len(need), refused, len(row.want))
			}
		})
	}
	if ids, _ := c.req("n", filter{"limit": 0}); len(ids) != 0 { // another name space
		t.Error(ids)
	}
	if need, refused := w.dial(alice, bob).neg("n", filter{}, setOf()); len(need) != 300 {
		t.Errorf("two keys: %d %q", len(need), refused)
	}
	if need, refused := w.dial(dvm).neg("n", filter{}, setOf()); len(need) != 0 || refused != "" {
		t.Errorf("the DVM, which wrote them: %d %q", len(need), refused)
	}
}

func TestNegotiationsAreRefused(t *testing.T) {
	w := newWorld(t)
	c := w.dial(alice)
	first := hex.EncodeToString(setOf().First())
	for name, row := range map[string]struct {
		filter  any
		message any
		want    string
	}{
		"limit":                {filter{"limit": 5}, first, "invalid:"},
		"search":               {filter{"search": "x"}, first, "unsupported:"},
		"not hex":              {filter{}, "xyz", "invalid:"},
		"not a string":         {filter{}, 7, "invalid:"},
		"not of the protocol":  {filter{}, "0011", "invalid:"},
		"cut":                  {filter{}, first[:5], "invalid:"},
		"an empty message":     {filter{}, "", "invalid:"},
		"a filter that is not": {7, first, "invalid:"},
	} {
		c.send("NEG-OPEN", "n", row.filter, row.message)
		_, refused := c.negAnswer("n")
		wantPrefix(t, name, refused, row.want)
	}
	c.send("NEG-OPEN", "n", filter{}, "62") // a later version: the answer names ours
	if answer, refused := c.negAnswer("n"); string(answer) != "\x61" {
		t.Errorf("%x %s", answer, refused)
	}
	c.send("NEG-OPEN", "m", filter{}, first)
	_, refused := c.negAnswer("m")
	wantPrefix(t, "a second one", refused, "blocked:")
	c.send("NEG-MSG", "m", first)
	_, refused = c.negAnswer("m")
	wantPrefix(t, "of a name that is not open", refused, "closed:")
	c.send("NEG-MSG", "n", "61ff")
	_, refused = c.negAnswer("n")
	wantPrefix(t, "nonsense", refused, "invalid:")
	c.send("NEG-MSG", "n", first)
	_, refused = c.negAnswer("n")
	wantPrefix(t, "after nonsense", refused, "closed:")
	c.send("NEG-CLOSE", "nothing")
	for i := 0; ; i++ {
		if _, refused := c.neg("n", filter{}, setOf()); refused != "" {
			wantPrefix(t, "many", refused, "rate-limited:")
			if i < 90 {
				t.Errorf("after %d", i)
			}
			break
		}
	}
	stranger := w.dial(nobody)
	_, refused = stranger.neg("n", filter{}, setOf())
	wantPrefix(t, "a stranger", refused, "restricted:")
}

// TestNegotiationIsIdle: one that is not used ends by itself.
func TestNegotiationIsIdle(t *testing.T) {
	bubble(t, func(w *world, connect func(...key) *client) {
		c := connect(alice)
		for _, wait := range []time.Duration{0, 9 * time.Second} {
			time.Sleep(wait)
			c.send("NEG-OPEN", "n", filter{}, hex.EncodeToString(setOf().First()))
			if _, refused := c.negAnswer("n"); refused != "" {
				t.Fatal(refused)
			}
		}
		start := time.Now()
		_, refused := c.negAnswer("n")
		wantPrefix(t, "idle", refused, "closed:")
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("after %v", took)
		}
		c.ws.CloseNow()
		synctest.Wait()
	})
}

// TestNegotiationEndsWithTheKey: what a removed key could see is not compared on.
func TestNegotiationEndsWithTheKey(t *testing.T) {
	w := newWorld(t)
	w.put(w.letter(alice))
	c := w.dial(alice, bob)
	c.send("NEG-OPEN", "n", filter{}, hex.EncodeToString(setOf().First()))
	c.negAnswer("n")
	if err := w.store.Deny(t.Context(), alice.Key); err != nil {
		t.Fatal(err)
	}
	_, refused := c.negAnswer("n")
	wantPrefix(t, "after the removal", refused, "closed:")
	if need, refused := c.neg("n", filter{}, setOf()); len(need) != 0 || refused != "" {
		t.Errorf("%d %q", len(need), refused)
	}
}

// TestNegotiateHasTheLastWord: even if a search found too much, nothing foreign
// would be compared.
func TestNegotiateHasTheLastWord(t *testing.T) {
	s := &search{mailboxes: []pow.Key{alice.Key, bob.Key, dvm.Key}}
	w := newWorld(t, s.wrap)
	w.put(w.letter(alice), w.letter(bob))
	need, refused := w.dial(alice).neg("n", filter{}, setOf())
	if len(need) != 1 {
		t.Errorf("%d %q", len(need), refused)
	}
}

// TestNegotiationsAreBounded: a mailbox beyond the bound is refused, and what
// all negotiations hold is given back.
func TestNegotiationsAreBounded(t *testing.T) {
	s := &search{}
	w := newWorld(t, s.wrap)
	c := w.dial(alice)
	s.items = 50_001
	_, refused := c.neg("n", filter{}, setOf())
	wantPrefix(t, "one too many", refused, "blocked: this query is too big")
	s.items = 50_000
	open := []*client{c}
	for i := range 40 {
		if i > 0 {
			open = append(open, w.dial([]key{alice, bob, carol, dvm, other}[i%5]))
		}
		open[i].send("NEG-OPEN", "n", filter{}, "62")
		if _, refused := open[i].negAnswer("n"); refused != "" {
			t.Fatalf("%d: %s", i, refused)
		}
	}
	dora := newKey("dora")
	if err := w.store.Allow(t.Context(), dora.Key, dvm.Key); err != nil {
		t.Fatal(err)
	}
	last := w.dial(dora)
	last.send("NEG-OPEN", "n", filter{}, "62")
	_, refused = last.negAnswer("n")
	wantPrefix(t, "beyond what all may hold", refused, "rate-limited:")
	c.send("NEG-CLOSE", "n")
	c.count(filter{}) // the NEG-CLOSE before it was taken
	last.send("NEG-OPEN", "n", filter{}, "62")
	if _, refused := last.negAnswer("n"); refused != "" {
		t.Error(refused)
	}
	for _, c := range append(open[1:], last) {
		c.ws.CloseNow()
	}
	for end := time.Now().Add(patience); w.relay.Reserved() != 0; {
		if time.Now().After(end) {
			t.Fatalf("%d are still held", w.relay.Reserved())
		}
	}
}
