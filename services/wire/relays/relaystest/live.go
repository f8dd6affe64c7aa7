package relaystest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pow.do/services/wire/event"
)

func now() event.Timestamp { return event.Timestamp(time.Now().Unix()) }

// live: after EOSE a Letter comes once, without asking again, and stops after CLOSE.
func (s *suite) live(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	l.send("CLOSE", "never-opened")
	l.subscribe("in", mail(s.Member))
	l.subscribe("end", mail(s.Member))
	first, second := Letter(s.Member.Public()), Letter(s.Member.Public(), At(-172_000))
	dvm.stored(first, second)
	if got, want := l.until("in", second.ID), []string{first.ID, second.ID}; !slices.Equal(got, want) {
		t.Errorf("live: %v, want %v", got, want)
	}
	l.until("end", second.ID)
	l.send("CLOSE", "in")
	l.query(byIDAndMail(s.Member, first)) // answered after the CLOSE
	third := Letter(s.Member.Public())
	dvm.stored(third)
	l.until("end", third.ID)
	for _, f := range l.kept {
		if f.kind == "EVENT" && f.sub == "in" {
			t.Error("an event after CLOSE")
		}
	}
}

// liveLimitZero: limit 0 asks for no stored events, and for live ones.
func (s *suite) liveLimitZero(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	dvm.stored(Letter(s.Member.Public()))
	f := mail(s.Member)
	f["limit"] = 0
	if got, closed := l.subscribe("zero", f); len(got) != 0 || closed != "" {
		t.Errorf("%d stored events, CLOSED %q", len(got), closed)
	}
	e := Letter(s.Member.Public())
	dvm.stored(e)
	l.until("zero", e.ID)
}

// liveRepeated: the same REQ sent twice is one subscription.
func (s *suite) liveRepeated(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	l.subscribe("in", mail(s.Member))
	l.subscribe("in", mail(s.Member))
	first, second := Letter(s.Member.Public()), Letter(s.Member.Public())
	dvm.stored(first, second)
	if got, want := l.until("in", second.ID), []string{first.ID, second.ID}; !slices.Equal(got, want) {
		t.Errorf("live: %v, want each once: %v", got, want)
	}
}

// liveReplaced: a REQ under a known id takes the place of the old one.
func (s *suite) liveReplaced(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	old, fresh := Letter(s.Member.Public()), Letter(s.Member.Public())
	l.subscribe("in", mail(s.Member))
	l.subscribe("in", byIDAndMail(s.Member, fresh))
	dvm.stored(old, fresh)
	if got, want := l.until("in", fresh.ID), []string{fresh.ID}; !slices.Equal(got, want) {
		t.Errorf("live: %v, want %v: the old filter still holds", got, want)
	}
}

// liveRace: Letters that arrive while a subscription begins are delivered
// exactly once, either as stored or as live.
func (s *suite) liveRace(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	var letters []*event.Event
	for range 24 {
		letters = append(letters, Letter(s.Member.Public()))
	}
	f := byIDAndMail(s.Member, letters...)
	var publisher sync.WaitGroup
	publisher.Go(func() {
		for _, e := range letters {
			dvm.send("EVENT", raw(e))
		}
	})
	got, closed := l.subscribe("in", f)
	if closed != "" {
		t.Fatalf("CLOSED %s", closed)
	}
	publisher.Wait()
	for _, e := range letters {
		if ok, text := dvm.answer(e.ID); !ok {
			t.Fatalf("refused: %s", text)
		}
	}
	times := map[string]int{}
	for _, e := range got {
		times[e.ID]++
	}
	for len(times) < len(letters) {
		e := l.await(func(f frame) bool { return f.sub == "in" && f.kind != "NOTICE" })
		if e.kind != "EVENT" {
			t.Fatalf("the subscription ended: %s %s", e.kind, e.text)
		}
		times[e.event.ID]++
	}
	l.query(f) // whatever was still to come live has come when this is answered
	for _, f := range l.kept {
		if f.kind == "EVENT" && f.sub == "in" {
			times[f.event.ID]++
		}
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s delivered %d times", id, n)
		}
	}
}
