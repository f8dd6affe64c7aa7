package relaystest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"pow.do/services/wire/event"
)

// store: a Letter waits for a recipient who is away, in both directions, and
// comes back as it was sent.
func (s *suite) store(t *testing.T) {
	for name, way := range map[string][2]Signer{"to the device": {s.DVM, s.Member}, "to the DVM": {s.Member, s.DVM}} {
		letter := Letter(way[1].Public(), func(e *event.Event) { e.Content = ciphertext(3_600) })
		s.login(t, way[0]).stored(letter)
		l := s.login(t, way[1])
		for range 2 { // reading takes nothing away
			got, closed := l.query(byIDAndMail(way[1], letter))
			if closed != "" || len(got) != 1 {
				t.Fatalf("%s: %d events %q", name, len(got), closed)
			}
			if !bytes.Equal(event.Marshal(got[0]), event.Marshal(letter)) {
				t.Errorf("%s: served as\n%s\nsent as\n%s", name, event.Marshal(got[0]), event.Marshal(letter))
			}
		}
	}
}

// storeBackdated: gift wraps lie about their time by up to two days (NIP-59).
func (s *suite) storeBackdated(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	for _, age := range []int64{0, 47 * 3600, 48 * 3600, 3 * 86_400} {
		letter := Letter(s.Member.Public(), At(-age))
		dvm.stored(letter)
		if got, _ := l.query(byIDAndMail(s.Member, letter)); len(got) != 1 {
			t.Errorf("a Letter dated %d s back was not served", age)
		}
	}
}

// storeDuplicate: the same Letter again is a success and no second copy.
func (s *suite) storeDuplicate(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	letter := Letter(s.Member.Public())
	dvm.stored(letter)
	ok, text := dvm.publish(letter)
	if !ok && !strings.HasPrefix(text, "duplicate:") {
		t.Errorf("second time: OK false %q", text)
	}
	if s.Hub && (!ok || !strings.HasPrefix(text, "duplicate:")) {
		t.Errorf("second time: OK %v %q, want true duplicate:", ok, text)
	}
	if got, _ := l.query(byIDAndMail(s.Member, letter)); len(got) != 1 {
		t.Errorf("%d copies", len(got))
	}
}

// storeForged: an event is what its recomputed id and its signature say. A
// forged copy under the id of a genuine Letter does not keep that one out.
func (s *suite) storeForged(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	genuine := Letter(s.Member.Public())
	content := *genuine
	content.Content = ciphertext(198)
	dvm.refused("other content under a genuine id", &content)
	signature := *Letter(s.Member.Public())
	signature.Sig = genuine.Sig
	dvm.refused("foreign signature", &signature)
	id := *Letter(s.Member.Public())
	id.ID = strings.Repeat("ab", 32)
	dvm.refused("forged id, valid signature", &id)
	dvm.stored(genuine)
	got, _ := l.query(byIDAndMail(s.Member, genuine, &signature, &id))
	if len(got) != 1 || got[0].Content != genuine.Content {
		t.Errorf("%d events served, want the genuine one", len(got))
	}
}

// replayReconnect: the identical REQ on a new connection finds what came
// meanwhile, whatever its created_at.
func (s *suite) replayReconnect(t *testing.T) {
	dvm := s.login(t, s.DVM)
	newer, older := Letter(s.Member.Public(), At(-10)), Letter(s.Member.Public(), At(-170_000))
	dvm.stored(newer)
	l := s.login(t, s.Member)
	if got, _ := l.query(byIDAndMail(s.Member, newer, older)); len(got) != 1 {
		t.Fatalf("%d events before", len(got))
	}
	_ = l.c.CloseNow()
	dvm.stored(older)
	got, _ := s.login(t, s.Member).query(byIDAndMail(s.Member, newer, older))
	if want := []string{newer.ID, older.ID}; !slices.Equal(idsOf(got), want) {
		t.Errorf("after the reconnect %v, want %v", idsOf(got), want)
	}
}

// replayPages: newest first, ties by the lowest id, and an inclusive until, so
// that paging misses nothing. Letters of one second are cut by limit.
func (s *suite) replayPages(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	var all []*event.Event
	for i := range 12 {
		all = append(all, Letter(s.Member.Public(), At(-1000-int64(i/3)*7)))
	}
	dvm.stored(all...)
	slices.SortFunc(all, newestFirst)
	f := byIDAndMail(s.Member, all...)
	f["limit"] = 5
	seen := map[string]bool{}
	for range len(all) {
		page, closed := l.query(f)
		if closed != "" || len(page) > 5 {
			t.Fatalf("%d events %q on a page of 5", len(page), closed)
		}
		if !slices.IsSortedFunc(page, newestFirst) {
			t.Errorf("not newest first, lowest id first: %v", idsOf(page))
		}
		before := len(seen)
		for _, e := range page {
			seen[e.ID] = true
		}
		if len(seen) == before {
			break
		}
		f["until"] = page[len(page)-1].CreatedAt
	}
	if len(seen) != len(all) {
		t.Errorf("paging found %d of %d", len(seen), len(all))
	}
}

func newestFirst(a, b *event.Event) int {
	if a.CreatedAt != b.CreatedAt {
		return int(b.CreatedAt - a.CreatedAt)
	}
	return strings.Compare(a.ID, b.ID)
}

// delete: the recipient of a Letter may delete it (its author is a key that no
// longer exists), and it does not come back.
func (s *suite) delete(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	gone, stays := Letter(s.Member.Public()), Letter(s.Member.Public())
	dvm.stored(gone, stays)
	l.stored(Deletion(s.Member, gone))
	if got, _ := l.query(byIDAndMail(s.Member, gone, stays)); len(got) != 1 || got[0].ID != stays.ID {
		t.Errorf("%d of 2 left after one was deleted", len(got))
	}
	dvm.refused("a deleted Letter again", gone, "blocked", "deleted")
	if got, _ := l.query(byIDAndMail(s.Member, gone)); len(got) != 0 {
		t.Error("a deleted Letter came back")
	}
}

// deleteFirst: a deletion may come before the Letter, which other relays had first.
func (s *suite) deleteFirst(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	letter := Letter(s.Member.Public())
	l.stored(Deletion(s.Member, letter))
	dvm.refused("a Letter that was deleted before", letter, "blocked", "deleted")
	if got, _ := l.query(byIDAndMail(s.Member, letter)); len(got) != 0 {
		t.Error("it is served all the same")
	}
}

// deleteForeign: nobody else's deletion has an effect.
func (s *suite) deleteForeign(t *testing.T) {
	dvm, other, l := s.login(t, s.DVM), s.login(t, s.Other), s.login(t, s.Member)
	letter := Letter(s.Member.Public())
	other.publish(Deletion(s.Other, letter)) // any answer will do
	dvm.stored(letter)
	other.publish(Deletion(s.Other, letter))
	dvm.publish(Deletion(s.DVM, letter))
	if got, _ := l.query(byIDAndMail(s.Member, letter)); len(got) != 1 {
		t.Error("somebody else deleted it")
	}
}

// Deletion makes a kind 5 for a Letter.
func Deletion(by Signer, letter *event.Event) *event.Event {
	e := &event.Event{Kind: 5, CreatedAt: now(), Tags: event.Tags{{"e", letter.ID}, {"k", strconv.Itoa(letter.Kind)}}}
	mustSign(by, e)
	return e
}

// expire: what has expired is neither taken nor served (NIP-40).
func (s *suite) expire(t *testing.T) {
	dvm, l := s.login(t, s.DVM), s.login(t, s.Member)
	past := Letter(s.Member.Public(), func(e *event.Event) { e.Tags[1][1] = decimal(int64(now()) - 60) })
	ok, _ := dvm.publish(past)
	if ok && s.Hub {
		t.Error("an expired Letter was accepted")
	}
	if got, _ := l.query(byIDAndMail(s.Member, past)); len(got) != 0 {
		t.Error("an expired Letter was served")
	}
	year := Letter(s.Member.Public(), func(e *event.Event) { e.Tags[1][1] = decimal(int64(now()) + 365*86_400) })
	if ok, _ := dvm.publish(year); ok {
		if got, _ := l.query(byIDAndMail(s.Member, year)); len(got) != 1 || got[0].Tags[1][1] != year.Tags[1][1] {
			t.Error("a long expiration changed the event")
		}
	}
}

// frames: nothing that is sent ends the relay, or another connection.
func (s *suite) frames(t *testing.T) {
	witness := s.login(t, s.Member)
	e, _ := json.Marshal(Letter(s.Member.Public()))
	for name, f := range map[string]string{
		"cut event": `["EVENT","x`, "deep": strings.Repeat("[", 100_000), "deepest": strings.Repeat("[", 1_000_000), "empty": "", "null": "null",
		"number": "7", "no elements": "[]", "unknown": `["HELLO","x"]`, "event in event": `["EVENT",["EVENT",` + string(e) + `]]`, "half": `["EVENT",` + string(e[:100]),
		"req": `["REQ"]`, "req null": `["REQ",null,null]`, "close object": `["CLOSE",{}]`, "auth text": `["AUTH","x"]`, "auth null": `["AUTH",null]`,
		"count": `["COUNT"]`, "neg": `["NEG-OPEN","x",{},"zz"]`, "not UTF-8": "[\"REQ\",\"\xff\xfe\"]", "huge": `["NOTICE","` + strings.Repeat("a", 3<<20) + `"]`,
	} {
		t.Run(name, func(t *testing.T) {
			l := s.open(t, nil)
			l.write(f)
			l.waitEither() // refused or closed: both are right
		})
	}
	t.Run("binary", func(t *testing.T) {
		l := s.open(t, nil)
		_ = l.c.Write(t.Context(), websocket.MessageBinary, []byte{0, 1, 2})
		l.waitEither()
	})
	if got, closed := witness.query(mail(s.Member)); closed != "" {
		t.Errorf("another connection suffered: %d events, CLOSED %q", len(got), closed)
	}
}

// waitEither asks for something and waits until it is answered or the
// connection has ended.
func (l *link) waitEither() {
	l.t.Helper()
	l.send("REQ", "still-there", filter{"kinds": []int{1059}, "limit": 1})
	l.await(func(f frame) bool { return f.sub == "still-there" && f.kind != "EVENT" })
}
