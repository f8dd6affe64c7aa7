package event_test

import (
	"errors"
	"strings"
	"testing"

	"pow.do/services/wire/event"
)

func signed(t testing.TB) *event.Event {
	e := &event.Event{Kind: 1, CreatedAt: 1_795_000_000, Tags: event.Tags{{"p", "x<y>&\u2028"}}, Content: "a\nb"}
	if err := e.Sign(strings.Repeat("01", 32)); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRoundTrip(t *testing.T) {
	b := event.Marshal(signed(t))
	e, err := event.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := event.Verify(e); err != nil {
		t.Fatal(err)
	}
	if got := event.Marshal(e); string(got) != string(b) {
		t.Fatalf("not the same bytes:\n%s\n%s", got, b)
	}
}

func TestVerifyRefusesForgery(t *testing.T) {
	e := signed(t)
	e.ID = strings.Repeat("ab", 32) // the library's own check accepts this one
	if err := event.Verify(e); !errors.Is(err, event.ErrID) {
		t.Errorf("forged id: %v", err)
	}
	e = signed(t)
	e.Content = "other"
	e.ID = e.GetID()
	if err := event.Verify(e); !errors.Is(err, event.ErrSignature) {
		t.Errorf("forged content: %v", err)
	}
}

// The shapes of threats 6.2, EV-2 … EV-8.
func TestParseRefuses(t *testing.T) {
	e := signed(t)
	good := string(event.Marshal(e))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, s := range map[string]string{
		"sig upper": replace(e.Sig, strings.ToUpper(e.Sig)), "sig odd": replace(e.Sig, e.Sig[1:]), "sig long": replace(e.Sig, e.Sig+"00"),
		"pubkey 66": replace(e.PubKey, e.PubKey+"00"), "time -1": replace("1795000000", "-1"), "time float": replace("1795000000", "1.5"),
		"time exp": replace("1795000000", "1e9"), "time 2^53": replace("1795000000", "9007199254740992"), "time string": replace("1795000000", `"1"`),
		"kind -1": replace(`"kind":1`, `"kind":-1`), "kind big": replace(`"kind":1`, `"kind":65536`),
		"tags null": replace(`"tags":[[`, `"tags":null,"x":[[`), "tag empty": replace(`"tags":[[`, `"tags":[[],[`), "tag null": replace(`"tags":[[`, `"tags":[null,[`),
		"tag item null": replace(`["p",`, `[null,`), "object": replace(`["p",`, `[{},`), "content null": replace(`"a\nb"`, `null`),
		"lone surrogate": replace(`"a\nb"`, `"\ud800"`), "utf8": replace(`"a\nb"`, "\"\xff\""),
		"id twice": replace(`"kind"`, `"id":"x","kind"`), "case": replace(`"kind"`, `"ID":"x","kind"`), "trailing": good + "x", "empty": "", "array": "[]",
		"deep": strings.Repeat("[", 1000),
	} {
		if _, err := event.Parse([]byte(s)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := event.ParseRumor([]byte(good)); err == nil {
		t.Error("a signed event is not a rumor")
	}
	if _, err := event.Parse([]byte(replace(`,"sig":"`+e.Sig+`"`, ``))); err == nil {
		t.Error("an unsigned event is not an event")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(event.Marshal(signed(f)))
	f.Add([]byte(`{"id":"ab"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := event.Parse(b)
		if err != nil {
			return
		}
		again, err := event.Parse(event.Marshal(e))
		if err != nil {
			t.Fatalf("our own bytes are refused: %v", err)
		}
		if again.GetID() != e.GetID() {
			t.Fatal("id changed")
		}
		_ = event.Verify(e)
	})
}
