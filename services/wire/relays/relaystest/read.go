package relaystest

import (
	"strconv"
	"strings"
	"testing"

	"pow.do/services/wire/event"
)

// nets are filters that would catch a Letter to k, each slipping past another
// kind of filter check.
func nets(k Signer, letter *event.Event) map[string]filter {
	return map[string]filter{
		"mailbox":      mail(k),
		"ids":          byID(letter),
		"no kinds":     {"#p": []string{k.Public().String()}},
		"kind only":    {"kinds": []int{1059}},
		"author":       {"authors": []string{letter.PubKey}},
		"time":         {"since": letter.CreatedAt, "until": letter.CreatedAt},
		"everything":   {},
		"ids and kind": {"ids": []string{letter.ID}, "kinds": []int{1059}, "limit": 1},
		"two p":        {"#p": []string{letter.PubKey, k.Public().String()}},
		"limit 0":      {"kinds": []int{1059}, "#p": []string{k.Public().String()}, "limit": 0},
	}
}

// readUnauthenticated: without AUTH no path shows a Letter.
func (s *suite) readUnauthenticated(t *testing.T) {
	letter := Letter(s.Member.Public())
	s.login(t, s.DVM).stored(letter)
	for name, f := range nets(s.Member, letter) {
		l := s.open(t, nil)
		if got, closed := l.query(f); len(got) > 0 {
			t.Errorf("%s: %d events", name, len(got))
		} else if s.Hub && !strings.HasPrefix(closed, "auth-required:") {
			t.Errorf("%s: CLOSED %q, want auth-required:", name, closed)
		}
		_ = l.c.CloseNow()
	}
}

// readForeign: the key of somebody else shows no Letter either.
func (s *suite) readForeign(t *testing.T) {
	letter := Letter(s.Member.Public())
	s.login(t, s.DVM).stored(letter)
	for who, k := range map[string]Signer{"other member": s.Other, "sender": s.DVM, "stranger": RandomKey()} {
		l := s.login(t, k)
		for name, f := range nets(s.Member, letter) {
			got, _ := l.query(f)
			for _, e := range got {
				if e.ID == letter.ID {
					t.Errorf("%s, %s: the Letter was served", who, name)
				}
			}
		}
	}
	got, closed := s.login(t, s.Member).query(byIDAndMail(s.Member, letter))
	if closed != "" || len(got) != 1 {
		t.Errorf("the recipient gets %d events %q", len(got), closed)
	}
}

// byIDAndMail asks for events by id in the way that standard relays serve too:
// with kind and recipient.
func byIDAndMail(k Signer, events ...*event.Event) filter {
	f := mail(k)
	f["ids"] = idsOf(events)
	return f
}

// readForeignLive: nor does a live subscription, whatever its filter. The
// Letter to the reader that is sent afterwards shows that the first one would
// have arrived by then.
func (s *suite) readForeignLive(t *testing.T) {
	dvm := s.login(t, s.DVM)
	secret, barrier := Letter(s.Member.Public()), Letter(s.Other.Public())
	l := s.login(t, s.Other)
	l.subscribe("own", mail(s.Other))
	for name, f := range nets(s.Member, secret) {
		l.subscribe(name, f)
	}
	dvm.stored(secret, barrier)
	l.until("own", barrier.ID)
	for _, f := range l.kept {
		if f.kind == "EVENT" && f.event.ID == secret.ID {
			t.Errorf("%s: a foreign Letter arrived live", f.sub)
		}
	}
}

// readRandomFilters: whatever one member asks for, nothing comes that is not
// addressed to them.
func (s *suite) readRandomFilters(t *testing.T) {
	dvm := s.login(t, s.DVM)
	var letters []*event.Event
	for range 4 {
		letters = append(letters, Letter(s.Member.Public()), Letter(s.Other.Public()))
	}
	dvm.stored(letters...)
	l := s.login(t, s.Other)
	me := s.Other.Public().String()
	pick := func(values ...any) any { return values[random(int64(len(values)))] }
	for range 60 {
		e := letters[random(int64(len(letters)))]
		f := filter{}
		add := func(name string, values ...any) {
			if random(3) == 0 {
				f[name] = pick(values...)
			}
		}
		add("ids", []string{e.ID}, idsOf(letters))
		add("authors", []string{e.PubKey}, []string{e.PubKey, me})
		add("kinds", []int{1059}, []int{1, 1059}, []int{})
		add("#p", []string{s.Member.Public().String()}, []string{me, s.Member.Public().String()})
		add("since", 0, e.CreatedAt)
		add("until", e.CreatedAt, 4_000_000_000)
		add("limit", 0, 1, 500)
		got, _ := l.query(f)
		for _, e := range got {
			if p, _, _ := event.Single(e, "p"); e.Kind == 1059 && p != me {
				t.Fatalf("filter %v: a Letter of somebody else", f)
			}
		}
	}
}

// count: COUNT counts what one may read and nothing else.
func (s *suite) count(t *testing.T) {
	letters := []*event.Event{Letter(s.Member.Public()), Letter(s.Member.Public()), Letter(s.Other.Public())}
	s.login(t, s.DVM).stored(letters...)
	ask := func(l *link, sub string, f filter) frame {
		l.send("COUNT", sub, f)
		return l.await(func(f frame) bool { return f.sub == sub && (f.kind == "COUNT" || f.kind == "CLOSED") })
	}
	both := filter{"kinds": []int{1059}, "ids": idsOf(letters), "#p": []string{s.Member.Public().String(), s.Other.Public().String()}}
	if f := ask(s.login(t, s.Member), "n", both); f.kind == "COUNT" && f.count != 2 || f.kind == "" {
		t.Errorf("the member counts %d (%s %s), want 2", f.count, f.kind, f.text)
	}
	l := s.login(t, s.Member)
	if f := ask(l, "own", byIDAndMail(s.Member, letters...)); f.kind != "COUNT" || f.count != 2 {
		t.Errorf("own mailbox: %s %d %s, want 2", f.kind, f.count, f.text)
	}
	for name, f := range nets(s.Member, letters[0]) {
		if name == "everything" || name == "kind only" {
			continue // counts the stranger's own mail too, and that is none
		}
		if got := ask(s.login(t, RandomKey()), "s", f); got.kind == "COUNT" && got.count > 0 {
			t.Errorf("stranger, %s: counts %d", name, got.count)
		}
	}
	if f := ask(s.open(t, nil), "u", mail(s.Member)); f.kind == "COUNT" && f.count > 0 {
		t.Errorf("without AUTH: counts %d", f.count)
	}
}

// negentropy: without AUTH no set is opened over a mailbox. The message is the
// empty set of protocol version 1.
func (s *suite) negentropy(t *testing.T) {
	l := s.open(t, nil)
	l.send("NEG-OPEN", "neg", mail(s.Member), "6100000200")
	f := l.await(func(f frame) bool { return strings.HasPrefix(f.kind, "NEG-") || f.kind == "NOTICE" })
	if f.kind == "NEG-MSG" {
		t.Error("a set was opened without AUTH")
	}
	if s.Hub && (f.kind != "NEG-ERR" || !strings.HasPrefix(f.text, "auth-required:")) {
		t.Errorf("%s %q, want NEG-ERR auth-required:", f.kind, f.text)
	}
}

// liveSlowReader: one connection that takes nothing off its socket keeps
// nobody else from getting their mail.
func (s *suite) liveSlowReader(t *testing.T) {
	slow, quick, dvm := s.login(t, s.Member), s.login(t, s.Member), s.login(t, s.DVM)
	for i := range 8 {
		slow.send("REQ", "slow"+strconv.Itoa(i), mail(s.Member))
	}
	quick.subscribe("in", mail(s.Member))
	var last *event.Event
	for range 20 {
		last = Letter(s.Member.Public(), func(e *event.Event) { e.Content = ciphertext(20_000) })
		dvm.stored(last)
	}
	if got := quick.until("in", last.ID); len(got) < 20 {
		t.Errorf("%d live Letters, want 20", len(got))
	}
}
