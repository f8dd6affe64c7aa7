package relaystest

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"pow.do/services/wire/event"
)

func raw(e *event.Event) json.RawMessage { return event.Marshal(e) }

func signed(k Signer, e event.Event) *event.Event {
	if e.CreatedAt == 0 {
		e.CreatedAt = now()
	}
	mustSign(k, &e)
	return &e
}

// hubKinds: the hub keeps Letters and announcements and nothing else.
func (s *suite) hubKinds(t *testing.T) {
	l := s.login(t, s.Member)
	for _, kind := range []int{0, 1, 3, 4, 13, 14, 15, 78, 1984, 5940, 5941, 6941, 7000, 9021, 10050, 21059, 22242, 24242, 25940, 25941, 27235, 28935, 30078} {
		l.refused("kind "+strconv.Itoa(kind), signed(s.Member, event.Event{Kind: kind, Content: "x", Tags: event.Tags{{"p", s.DVM.Public().String()}}}), "blocked")
	}
}

// hubMailboxes: a member writes to its DVM, a DVM to its members, nobody else
// to anybody, and a refusal does not say which mailboxes exist.
func (s *suite) hubMailboxes(t *testing.T) {
	m, d := s.login(t, s.Member), s.login(t, s.DVM)
	m.stored(Letter(s.DVM.Public()))
	d.stored(Letter(s.Member.Public()))
	l := Letter(s.Other.Public())
	_, known := m.publish(l)
	_, unknown := m.publish(Letter(RandomKey().Public()))
	if known != unknown || !strings.HasPrefix(known, "restricted:") {
		t.Errorf("to another member %q, to nobody %q: want the same restricted:", known, unknown)
	}
	m.refused("to oneself", Letter(s.Member.Public()), "restricted")
	d.refused("to a stranger", Letter(RandomKey().Public()), "restricted")
	m.refused("deletion signed by another key", Deletion(s.Other, l), "restricted", "auth-required")
}

// hubShape: a Letter has one p, nothing to read in it, and a plausible time.
func (s *suite) hubShape(t *testing.T) {
	l := s.login(t, s.DVM)
	tag := func(tags ...event.Tag) func(*event.Event) {
		return func(e *event.Event) { e.Tags = append(e.Tags, tags...) }
	}
	content := func(c string) func(*event.Event) { return func(e *event.Event) { e.Content = c } }
	for name, change := range map[string]func(*event.Event){
		"two p":         tag(event.Tag{"p", s.Other.Public().String()}),
		"protected":     tag(event.Tag{"-"}),
		"other tag":     tag(event.Tag{"client", "x"}),
		"relay hint":    func(e *event.Event) { e.Tags[0] = append(e.Tags[0], "wss://relay.example.org") },
		"no p":          func(e *event.Event) { e.Tags = e.Tags[1:] },
		"ahead":         At(1000),
		"8 days":        At(-8 * 86_400),
		"short":         content(strings.Repeat("A", 128)),
		"not base64":    content(strings.Repeat("A", 131) + "#"),
		"upper-case p":  func(e *event.Event) { e.Tags[0][1] = strings.ToUpper(e.Tags[0][1]) },
		"long":          content(strings.Repeat("A", 65_004)),
		"expired":       func(e *event.Event) { e.Tags[1][1] = decimal(int64(now()) - 1) },
		"no expiration": func(e *event.Event) { e.Tags[1][1] = "soon" },
	} {
		l.refused(name, Letter(s.Member.Public(), change), "invalid", "restricted")
	}
}

// hubFilters: unknown members and malformed values close the subscription.
func (s *suite) hubFilters(t *testing.T) {
	l := s.login(t, s.Member)
	upper := strings.ToUpper(NewKey("upper").Public().String())
	for name, c := range map[string]struct {
		f      filter
		prefix string
	}{
		"search":       {filter{"search": "x"}, "unsupported:"},
		"unknown":      {filter{"colour": "x"}, "unsupported:"},
		"short id":     {filter{"ids": []string{"abcd"}}, "invalid:"},
		"upper id":     {filter{"ids": []string{upper}}, "invalid:"},
		"short author": {filter{"authors": []string{"abcd"}}, "invalid:"},
		"short p":      {filter{"#p": []string{"abcd"}}, "invalid:"},
		"many ids":     {filter{"ids": repeat(strings.Repeat("ab", 32), 501)}, "invalid:"},
	} {
		if _, closed := l.query(c.f); !strings.HasPrefix(closed, c.prefix) {
			t.Errorf("%s: CLOSED %q, want %s", name, closed, c.prefix)
		}
	}
	big := mail(s.Member)
	big["limit"] = 1_000_000
	if _, closed := l.query(big); closed != "" {
		t.Errorf("limit 1000000: CLOSED %q, want it capped", closed)
	}
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// hubSubscriptions: twenty at a time on one connection, and no more.
func (s *suite) hubSubscriptions(t *testing.T) {
	l := s.login(t, s.Member)
	f := mail(s.Member)
	f["limit"] = 0
	open := 0
	for i := range 40 {
		if _, closed := l.subscribe("s"+strconv.Itoa(i), f); closed == "" {
			open++
		}
	}
	if open != 20 {
		t.Errorf("%d subscriptions at once, want 20", open)
	}
	l.send("CLOSE", "s3")
	if _, closed := l.subscribe("again", f); closed != "" {
		t.Errorf("after a CLOSE: CLOSED %q", closed)
	}
}

// hubAnnouncement: one newest announcement of the DVM, for its members only.
func (s *suite) hubAnnouncement(t *testing.T) {
	d := s.login(t, s.DVM)
	make31990 := func(k Signer, at event.Timestamp, text string) *event.Event {
		return signed(k, event.Event{Kind: 31990, CreatedAt: at, Content: text, Tags: event.Tags{{"d", "powdo"}, {"k", "5940"}, {"v", "1"}}})
	}
	f := filter{"kinds": []int{31990}, "authors": []string{s.DVM.Public().String()}, "#d": []string{"powdo"}}
	old, current := make31990(s.DVM, now()-1, "old"), make31990(s.DVM, now(), "current")
	d.publish(old) // an earlier run may have left a newer one
	d.stored(current)
	if ok, text := d.publish(old); ok || !strings.HasPrefix(text, "duplicate:") {
		t.Errorf("an older one: OK %v %q, want false duplicate:", ok, text)
	}
	for name, k := range map[string]Signer{"member": s.Member, "DVM": s.DVM} {
		got, closed := s.login(t, k).query(f)
		if closed != "" || len(got) != 1 || got[0].ID != current.ID {
			t.Errorf("%s: %d announcements %q, want the newest", name, len(got), closed)
		}
	}
	if got, _ := s.login(t, RandomKey()).query(f); len(got) > 0 {
		t.Error("a stranger reads the announcement")
	}
	if got, _ := s.open(t, nil).query(f); len(got) > 0 {
		t.Error("the announcement is read without AUTH")
	}
	s.login(t, s.Member).refused("a member's announcement", make31990(s.Member, now(), "x"), "restricted")
}

// hubJoin: a claim admits one device, once; leaving ends it (NIP-43).
func (s *suite) hubJoin(t *testing.T) {
	claim, device := s.Claim(t), RandomKey()
	join := func(k Signer, claim string) *event.Event {
		return signed(k, event.Event{Kind: 28934, Tags: event.Tags{{"-"}, {"claim", claim}}})
	}
	l := s.login(t, device)
	l.refused("a Letter before joining", Letter(s.DVM.Public()), "restricted")
	l.refused("no claim at all", join(device, "e30"), "restricted")
	l.refused("a join for another key", join(s.Other, claim), "auth-required")
	if ok, text := l.publish(join(device, claim)); !ok || !strings.HasPrefix(text, "info:") {
		t.Fatalf("join: OK %v %q", ok, text)
	}
	again := join(device, claim)
	again.CreatedAt--
	mustSign(device, again)
	l = s.login(t, device)
	if ok, text := l.publish(again); !ok || !strings.HasPrefix(text, "duplicate:") {
		t.Errorf("join again: OK %v %q", ok, text)
	}
	l.stored(Letter(s.DVM.Public()))
	second := RandomKey()
	s.login(t, second).refused("the same claim by another device", join(second, claim), "restricted")
	l.publish(signed(device, event.Event{Kind: 28936, Tags: event.Tags{{"-"}}}))
	s.login(t, device).refused("a Letter after leaving", Letter(s.DVM.Public()), "restricted")
}

// hubVanish: kind 62 removes the key, its mail and its right to write (NIP-62).
func (s *suite) hubVanish(t *testing.T) {
	d := s.login(t, s.DVM)
	letter := Letter(s.Spare.Public())
	d.stored(letter)
	l := s.login(t, s.Spare)
	l.refused("a request for another relay", signed(s.Spare, event.Event{Kind: 62, Tags: event.Tags{{"relay", "wss://relay.example.org"}}}), "invalid")
	if got, _ := l.query(byID(letter)); len(got) != 1 {
		t.Fatalf("%d Letters before", len(got))
	}
	l.stored(signed(s.Spare, event.Event{Kind: 62, Tags: event.Tags{{"relay", s.Origin}}}))
	d.refused("a Letter to a vanished device", Letter(s.Spare.Public()), "restricted")
	l = s.login(t, s.Spare)
	if got, _ := l.query(byID(letter)); len(got) != 0 {
		t.Error("its mail is still there")
	}
	l.refused("a Letter of a vanished device", Letter(s.DVM.Public()), "restricted")
}
