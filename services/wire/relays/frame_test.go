package relays

import (
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func TestPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"no colon":                             "",
		"two words: here":                      "",
		"invalid: x":                           "invalid",
		"INVALID: x":                           "invalid",
		" blocked :x":                          "blocked",
		"error: auth-required: x":              "auth-required",
		"blocked: auth-required: x":            "auth-required",
		"blocked: read this: auth-required: x": "blocked",
		"ERROR: restricted: x":                 "restricted",
		"error: x":                             "error",
		"tired: restricted: x":                 "restricted",
		"tired: x":                             "tired",
		"see https://example.org: x":           "",
		strings.Repeat("a", 33) + ": x":        "",
		"pow: difficulty 25>=24":               "pow",
	} {
		if got := prefix(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The AUTH of the wire document: the id binds every field.
func TestAuthVector(t *testing.T) {
	const secret = "e108399bd8424357a710b606ae0c13166d853d327e47a6e5e038197346bdbf45" // recipient of NIP-59's example
	for _, origin := range []string{"wss://hub.example.com", "wss://hub.example.com/"} {
		e := authEvent(origin, strings.Repeat("5a", 32), time.Unix(1_795_190_600, 0))
		if err := e.Sign(secret); err != nil {
			t.Fatal(err)
		}
		if e.ID != "5dd76c9c8dbd1e989f7b9c202658cdb30078ec518da2f0a4f50aaff220708fc4" {
			t.Errorf("%s: id %s", origin, e.ID)
		}
	}
}

// Forgetting is bounded, and happens to the oldest.
func TestSeen(t *testing.T) {
	var s seen
	id := func(n int) (h pow.Hash) {
		h[0], h[1], h[2] = byte(n), byte(n>>8), byte(n>>16)
		return h
	}
	for n := range 3 * seenSize {
		if !s.add(id(n)) || s.add(id(n)) {
			t.Fatalf("id %d is not new once", n)
		}
	}
	if got := len(s.young) + len(s.old); got > 2*seenSize {
		t.Errorf("%d ids kept", got)
	}
	if s.add(id(3*seenSize - seenSize)) {
		t.Error("a recent id was forgotten")
	}
	s.forget(id(3*seenSize - 1))
	if !s.add(id(3*seenSize - 1)) {
		t.Error("a forgotten id is not new")
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		`["EVENT","x`, `["EVENT","in0",{"id":"ab"}]`, `["OK","` + strings.Repeat("ab", 32) + `",true,"duplicate: x"]`, `["EOSE","in0"]`,
		`["CLOSED","in0","auth-required: x"]`, `["NEG-MSG","ng0","6100"]`, `["NEG-ERR","ng0","blocked: x"]`, `["NEG-MSG","ng0"]`, `["NOTICE","\ud800"]`, `["AUTH","5a"]`, `[[[[`, `["OK",1,1]`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := parseFrame(b)
		if err != nil {
			return
		}
		answer(fr.ok, fr.text)
		if fr.kind != "EVENT" {
			return
		}
		if e, err := event.Parse(fr.event); err == nil && event.Verify(e) == nil {
			Filter{P: []pow.Key{{}}, D: []string{"x"}}.Matches(e)
		}
	})
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"name":"x","supported_nips":[1,"7D",42],"limitation":{"auth_required":true}}`))
	f.Add([]byte(`{"supported_nips":"all"}`))
	f.Add([]byte(`<!doctype html>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := parseInfo(b); err == nil && len([]rune(i.Name)) > 200 {
			t.Error("a name that is too long")
		}
	})
}
