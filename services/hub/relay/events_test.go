package relay_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/hub/relay"
	"pow.do/services/wire/event"
)

// as makes a handler believe in another remote address.
func as(remote *string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = *remote
		h.ServeHTTP(rw, r)
	})
}

func (w *world) publishAs(e *event.Event, keys ...key) (bool, string) {
	c := w.dial(keys...)
	defer c.ws.CloseNow()
	return c.publish(e)
}

func (w *world) announcement(by key, d string, at int64) *event.Event {
	return sign(by, &event.Event{Kind: 31990, CreatedAt: w.at(at), Content: fmt.Sprint("v", at), Tags: event.Tags{{"d", d}, {"k", "5940"}}})
}

func (w *world) deletion(by key, at int64, tags ...event.Tag) *event.Event {
	return sign(by, &event.Event{Kind: 5, CreatedAt: w.at(at), Tags: append(event.Tags{{"k", "1059"}}, tags...)})
}

func (w *world) refused(what string, e *event.Event, prefix string, keys ...key) {
	w.t.Helper()
	ok, why := w.publishAs(e, keys...)
	if ok {
		w.t.Errorf("%s was accepted", what)
	}
	wantPrefix(w.t, what, why, prefix)
}

func (w *world) accepted(what string, e *event.Event, text string, keys ...key) {
	w.t.Helper()
	if ok, why := w.publishAs(e, keys...); !ok || why != text {
		w.t.Errorf("%s: %v %q, want true %q", what, ok, why, text)
	}
}

func rowMailboxes(t *testing.T) { // RS-9
	w := newWorld(t)
	w.accepted("member to its DVM", w.letter(dvm), "", alice)
	w.accepted("DVM to its member", w.letter(alice), "", dvm)
	w.accepted("stranger beside a member", w.letter(dvm), "", nobody, alice)
	for what, row := range map[string]struct {
		to, from key
	}{
		"member to member": {bob, alice}, "member to itself": {alice, alice}, "member to another DVM": {other, alice},
		"DVM to another's member": {carol, dvm}, "DVM to DVM": {other, dvm}, "DVM to itself": {dvm, dvm},
		"to nobody": {nobody, alice}, "stranger to a DVM": {dvm, nobody}, "stranger to a member": {alice, nobody},
	} {
		ok, why := w.publishAs(w.letter(row.to), row.from)
		if ok || why != "restricted: not allowed, or no such mailbox" {
			t.Errorf("%s: %v %q", what, ok, why)
		}
	}
}

func rowKinds(t *testing.T) { // RS-11, RS-18
	w := newWorld(t)
	c := w.dial(dvm, alice)
	for _, kind := range []int{0, 1, 3, 4, 6, 7, 13, 14, 15, 78, 1058, 1060, 1984, 5940, 5941, 6941, 7000, 9021, 10050, 13534,
		21059, 22242, 24242, 25940, 25941, 27235, 28935, 30078, 31989, 33534, 65535} {
		ok, why := c.publish(sign(alice, &event.Event{Kind: kind, CreatedAt: w.at(0), Content: "x", Tags: event.Tags{{"p", dvm.String()}}}))
		if ok || why != "blocked: kind "+strconv.Itoa(kind)+" is not kept here" {
			t.Errorf("kind %d: %v %q", kind, ok, why)
		}
	}
	if n, _ := c.count(filter{}); n != 0 {
		t.Errorf("%d events are stored", n)
	}
}

func TestShapes(t *testing.T) {
	w := newWorld(t)
	at := func(s int64) func(*event.Event) { return func(e *event.Event) { e.CreatedAt = w.at(s) } }
	expires := func(v string) func(*event.Event) { return func(e *event.Event) { e.Tags[1][1] = v } }
	tags := func(tags ...event.Tag) func(*event.Event) { return func(e *event.Event) { e.Tags = tags } }
	content := func(s string) func(*event.Event) { return func(e *event.Event) { e.Content = s } }
	p := event.Tag{"p", alice.String()}
	for name, row := range map[string]struct {
		change func(*event.Event)
		want   string
	}{
		"7 days":           {at(-604_800), ""},
		"over 7 days":      {at(-604_801), "invalid: created_at"},
		"900 s ahead":      {at(900), ""},
		"901 s ahead":      {at(901), "invalid: created_at"},
		"expired":          {expires(fmt.Sprint(w.now().Unix())), "invalid: expired"},
		"in a year":        {expires(fmt.Sprint(w.now().Unix() + 365*86_400)), ""},
		"bad expiration":   {expires("soon"), "invalid:"},
		"minus expiration": {expires("-1"), "invalid:"},
		"nonce":            {tags(p, event.Tag{"nonce", "1", "2"}), ""},
		"two p":            {tags(p, p), "invalid:"},
		"no p":             {tags(), "invalid:"},
		"p with a relay":   {tags(event.Tag{"p", alice.String(), "wss://x"}), "invalid:"},
		"p in capitals":    {tags(event.Tag{"p", strings.ToUpper(alice.String())}), "invalid:"},
		"other tag":        {tags(p, event.Tag{"t", "x"}), "invalid:"},
		"protected":        {tags(p, event.Tag{"-"}), "invalid:"},
		"131 characters":   {content(strings.Repeat("A", 131)), "invalid:"},
		"132 characters":   {content(strings.Repeat("A", 132)), ""},
		"65000 characters": {content(strings.Repeat("A", 64_700)), ""},
		"65001 characters": {content(strings.Repeat("A", 65_001)), "invalid:"},
		"newlines":         {content(strings.Repeat("\n", 132)), "invalid:"},
		"URL alphabet":     {content(strings.Repeat("-", 132)), "invalid:"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if row.want == "" {
				w.accepted("letter", w.letter(alice, row.change), "", dvm)
			} else {
				w.refused("letter", w.letter(alice, row.change), row.want, dvm)
			}
		})
	}
}

func rowDeletion(t *testing.T) {
	w := newWorld(t)
	d, a := w.dial(dvm), w.dial(alice)
	mine, bobs := w.letter(alice), w.letter(bob)
	w.put(mine, bobs)
	t.Run("the same again", func(t *testing.T) {
		if ok, why := d.publish(mine); !ok || !strings.HasPrefix(why, "duplicate:") {
			t.Errorf("%v %q", ok, why)
		}
	})
	t.Run("of another's letter", func(t *testing.T) {
		if ok, why := a.publish(w.deletion(alice, 0, event.Tag{"e", bobs.ID})); !ok || why != "" {
			t.Errorf("%v %q: an answer must not tell what exists", ok, why)
		}
		if ids, _ := w.dial(bob).req("a", filter{}); len(ids) != 1 {
			t.Error("it is gone")
		}
	})
	t.Run("deleted, then again", func(t *testing.T) {
		a.publish(w.deletion(alice, 0, event.Tag{"e", mine.ID}))
		if ids, _ := a.req("a", filter{}); len(ids) != 0 {
			t.Error("it is still there")
		}
		_, why := d.publish(mine)
		wantPrefix(t, "again", why, "blocked: deleted")
	})
	t.Run("tombstone first", func(t *testing.T) {
		late, foreign := w.letter(alice), w.letter(alice)
		a.publish(w.deletion(alice, 0, event.Tag{"e", late.ID}))
		w.dial(bob).publish(w.deletion(bob, 0, event.Tag{"e", foreign.ID}))
		_, why := d.publish(late)
		wantPrefix(t, "own", why, "blocked: deleted")
		if ok, why := d.publish(foreign); !ok {
			t.Errorf("a stranger's tombstone refused it: %s", why)
		}
		w.setNow(w.now().Add(29 * 24 * time.Hour))
		_, why = d.publish(late)
		wantPrefix(t, "29 days later", why, "invalid: created_at") // and so it can never come back
		w.setNow(w.now().Add(-29 * 24 * time.Hour))
	})
	t.Run("who may delete", func(t *testing.T) {
		_, why := w.dial(nobody).publish(w.deletion(nobody, 0, event.Tag{"e", mine.ID}))
		wantPrefix(t, "stranger", why, "restricted:")
		_, why = w.dial(bob).publish(w.deletion(alice, 0, event.Tag{"e", mine.ID}))
		wantPrefix(t, "for another", why, "restricted:")
	})
	t.Run("size", func(t *testing.T) {
		id := event.Tag{"e", mine.ID}
		if ok, why := a.publish(w.deletion(alice, 0, slices.Repeat([]event.Tag{id}, 199)...)); !ok {
			t.Error(why)
		}
		_, why := a.publish(w.deletion(alice, 0, slices.Repeat([]event.Tag{id}, 200)...))
		wantPrefix(t, "201 tags", why, "invalid:")
		_, why = a.publish(w.deletion(alice, 0, event.Tag{"e", "x"}))
		wantPrefix(t, "bad id", why, "invalid:")
	})
}

func TestAnnouncements(t *testing.T) {
	w := newWorld(t)
	d := w.dial(dvm)
	old, current := w.announcement(dvm, "powdo", -10), w.announcement(dvm, "powdo", -5)
	publish := func(e *event.Event) string {
		ok, why := d.publish(e)
		return fmt.Sprint(ok, " ", why)
	}
	if got := publish(current); got != "true " {
		t.Fatal(got)
	}
	wantPrefix(t, "older", publish(old), "false duplicate:")
	wantPrefix(t, "same", publish(current), "true duplicate:")
	tie := w.announcement(dvm, "powdo", -5)
	tie.Content = "a tie"
	sign(dvm, tie)
	want := map[bool]string{true: "true ", false: "false duplicate:"}[tie.ID < current.ID]
	wantPrefix(t, "tie", publish(tie), want)
	wantPrefix(t, "no d", publish(sign(dvm, &event.Event{Kind: 31990, CreatedAt: w.at(0), Tags: event.Tags{}})), "false invalid:")
	w.refused("by a member", w.announcement(alice, "powdo", 0), "restricted:", alice)
	w.refused("by another DVM's connection", w.announcement(dvm, "powdo", 0), "restricted:", other)
	for k, n := range map[key]int{alice: 1, dvm: 1, carol: 0, other: 0} {
		if ids, _ := w.dial(k).req("a", filter{"kinds": []int{31990}}); len(ids) != n {
			t.Errorf("%d announcements, want %d", len(ids), n)
		}
	}
	address := event.Tag{"a", "31990:" + dvm.String() + ":powdo"}
	d.publish(w.deletion(dvm, -3, address))
	if ids, _ := d.req("a", filter{}); len(ids) != 0 {
		t.Error("the deleted announcement is still there")
	}
	wantPrefix(t, "deleted address", publish(w.announcement(dvm, "powdo", -4)), "false blocked: deleted")
	wantPrefix(t, "newer than the deletion", publish(w.announcement(dvm, "powdo", -2)), "true ")
	d.publish(w.deletion(other, 0, address))
	if ids, _ := d.req("a", filter{}); len(ids) != 1 {
		t.Error("another DVM deleted it")
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	in := func(s int64) *event.Event {
		return w.letter(alice, func(e *event.Event) { e.Tags[1][1] = fmt.Sprint(w.now().Unix() + s) })
	}
	soon, later := in(60), in(86_400)
	none := w.letter(alice, func(e *event.Event) { e.Tags = e.Tags[:1] })
	year := in(365 * 86_400)
	w.put(soon, later, none, year)
	see := func(what string, want ...*event.Event) {
		t.Helper()
		c := w.dial(alice)
		ids, closed := c.req("a", filter{})
		if len(ids) != len(want) || closed != "" {
			t.Errorf("%s: %d letters %s, want %d", what, len(ids), closed, len(want))
		}
		for _, e := range want {
			if !slices.Contains(ids, e.ID) {
				t.Errorf("%s: %v is missing", what, e.Tags)
			}
		}
		if n, _ := c.count(filter{}); n != len(want) {
			t.Errorf("%s: COUNT %d", what, n)
		}
		c.ws.CloseNow()
	}
	start := w.now()
	see("at first", soon, later, none, year)
	w.setNow(start.Add(time.Minute))
	see("to the second, before any purge", later, none, year)
	w.setNow(start.Add(29 * 24 * time.Hour))
	see("29 days", none, year)
	w.setNow(start.Add(31*24*time.Hour + time.Hour))
	see("31 days", year)
	w.setNow(start.Add(32*24*time.Hour + 2*time.Hour))
	see("32 days")
	if err := w.store.Purge(context.Background()); err != nil {
		t.Fatal(err)
	}
	if z, err := w.store.Size(context.Background()); err != nil || z.Letters != 0 {
		t.Errorf("%d letters after the purge, %v", z.Letters, err)
	}
}

func join(w *world, by key, claim string) *event.Event {
	return sign(by, &event.Event{Kind: 28934, CreatedAt: w.at(0), Tags: event.Tags{{"-"}, {"claim", claim}}})
}

func rowJoin(t *testing.T) { // RS-19
	w := newWorld(t, func(c *relay.Config) {
		c.Claims = claims{"good": time.Now().Add(time.Hour), "race": time.Now().Add(time.Hour)}
	})
	dora := newKey("dora")
	c := w.dial(dora)
	_, closed := c.req("a", filter{})
	wantPrefix(t, "before", closed, "restricted:")
	w.refused("for another key", join(w, dora, "good"), "auth-required:", nobody)
	if ok, why := c.publish(join(w, dora, "forged")); ok || why != "restricted: claim refused" {
		t.Errorf("forged: %v %q", ok, why)
	}
	bad := join(w, dora, "good")
	bad.Tags = bad.Tags[1:]
	w.refused("without -", sign(dora, bad), "invalid:", dora)
	old := join(w, dora, "good")
	old.CreatedAt = w.at(-601)
	w.refused("old", sign(dora, old), "invalid: created_at", dora)
	if ok, why := c.publish(join(w, dora, "good")); !ok || why != "info: welcome" {
		t.Fatalf("%v %q", ok, why)
	}
	if ok, why := c.publish(join(w, dora, "nonsense")); !ok || why != "duplicate: already a member" {
		t.Errorf("again: %v %q", ok, why)
	}
	if ok, why := c.publish(w.letter(dvm)); !ok {
		t.Errorf("a letter on the same connection: %s", why)
	}
	w.refused("spent", join(w, nobody, "good"), "restricted: claim refused", nobody)
	t.Run("50 at once", func(t *testing.T) {
		results := make(chan bool)
		for i := range 50 {
			go func() {
				k := newKey(fmt.Sprint("racer ", i))
				c := w.dial(k)
				ok, _ := c.publish(join(w, k, "race"))
				c.ws.CloseNow()
				results <- ok
			}()
		}
		admitted := 0
		for range 50 {
			if <-results {
				admitted++
			}
		}
		if admitted != 1 {
			t.Errorf("%d were admitted by one claim", admitted)
		}
	})
	t.Run("four tries", func(t *testing.T) {
		c := w.dial(nobody)
		for range 3 {
			c.publish(join(w, nobody, "forged"))
		}
		_, why := c.publish(join(w, nobody, "good"))
		wantPrefix(t, "fourth", why, "rate-limited:")
	})
	t.Run("ten an hour from one address", func(t *testing.T) {
		remote := "192.0.2.1:1"
		w.server.Config.Handler = as(&remote, w.relay)
		for i := range 11 {
			_, why := w.publishAs(join(w, nobody, "forged"), nobody)
			want := "restricted:"
			if i == 10 {
				want = "rate-limited:"
			}
			wantPrefix(t, fmt.Sprint("try ", i), why, want)
		}
	})
}

func TestLeave(t *testing.T) {
	w := newWorld(t)
	w.put(w.letter(alice))
	c := w.dial(alice)
	leave := sign(alice, &event.Event{Kind: 28936, CreatedAt: w.at(0), Tags: event.Tags{{"-"}}})
	if ok, why := c.publish(leave); !ok || why != "info: left" {
		t.Fatalf("%v %q", ok, why)
	}
	if code, _ := c.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %d", code)
	}
	w.refused("a letter to it", w.letter(alice), "restricted:", dvm)
	w.refused("a letter of it", w.letter(dvm), "restricted:", alice)
	if z, _ := w.store.Size(t.Context()); z.Letters != 0 {
		t.Error("its mail is still there")
	}
}

func TestVanish(t *testing.T) {
	told := make(chan bool, 1)
	w := newWorld(t, func(c *relay.Config) { c.Vanished = func() { told <- true } })
	w.put(w.letter(alice), w.letter(bob))
	vanish := func(relay string) *event.Event {
		return sign(alice, &event.Event{Kind: 62, CreatedAt: w.at(0), Tags: event.Tags{{"relay", relay}}})
	}
	w.refused("for another relay", vanish("wss://x.example.com"), "invalid:", alice)
	w.refused("by another", vanish("ALL_RELAYS"), "auth-required:", bob)
	c := w.dial(alice, bob)
	if ok, why := c.publish(vanish(origin + "/")); !ok || why != "" {
		t.Fatalf("%v %q", ok, why)
	}
	<-told
	if ids, closed := c.req("a", filter{}); len(ids) != 1 || closed != "" {
		t.Errorf("the other key reads %d letters, %s", len(ids), closed)
	}
	w.refused("a letter to it", w.letter(alice), "restricted:", dvm)
	stranger := sign(nobody, &event.Event{Kind: 62, CreatedAt: w.at(0), Tags: event.Tags{{"relay", "ALL_RELAYS"}}})
	w.accepted("a stranger", stranger, "", nobody)
}
