package envelope_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
)

type negative struct {
	Name   string `json:"name"`
	Step   int    `json:"step"`
	Reason string `json:"reason"`
	Letter string `json:"letter"`
}

// forged is a forgery and where it must fall.
type forged struct {
	name   string
	f      forgery
	step   int
	reason string
}

func setTag(i int, tag ...string) func(*event.Event) { return func(e *event.Event) { e.Tags[i] = tag } }

func addTag(tag ...string) func(*event.Event) {
	return func(e *event.Event) { e.Tags = append(e.Tags, tag) }
}

func setKind(k int) func(*event.Event) { return func(e *event.Event) { e.Kind = k } }

func instead(s string) func([32]byte) string { return func([32]byte) string { return s } }

func flipMAC(e *event.Event) {
	b, _ := base64.StdEncoding.DecodeString(e.Content)
	b[len(b)-1] ^= 1
	e.Content = base64.StdEncoding.EncodeToString(b)
}

func forgedWraps() []forged {
	foreign := device.Public().String()
	return []forged{
		{"wrap of kind 1 (EV-9)", forgery{wrap: setKind(1)}, 1, "kind"},
		{"wrap of kind 21059", forgery{wrap: setKind(21_059)}, 1, "kind"},
		{"wrong wrap id (EV-1)", forgery{wrapAfter: func(e *event.Event) { e.ID = noticeID }}, 1, "id"},
		{"wrong wrap signature (EV-11)", forgery{wrapAfter: func(e *event.Event) { e.Sig = e.Sig[:126] + "00" }}, 1, "signature"},
		{"zero wrap signature (EV-2)", forgery{wrapAfter: func(e *event.Event) { e.Sig = strings.Repeat("0", 128) }}, 1, "signature"},
		{"all-ones wrap signature (EV-2)", forgery{wrapAfter: func(e *event.Event) { e.Sig = strings.Repeat("f", 128) }}, 1, "signature"},
		{"wrap key off the curve (EV-3)", forgery{wrapAfter: func(e *event.Event) { e.PubKey = strings.Repeat("0", 63) + "5"; e.ID = e.GetID() }}, 1, "signature"},
		{"two p (EV-10)", forgery{wrap: addTag("p", dvm.Public().String())}, 1, "recipient"},
		{"p of another (EV-10)", forgery{wrap: setTag(0, "p", foreign)}, 1, "recipient"},
		{"no p (EV-10)", forgery{wrap: setTag(0, "x", foreign)}, 1, "recipient"},
		{"p without a value", forgery{wrap: setTag(0, "p")}, 1, "recipient"},
		{"wrap from the future", forgery{wrap: func(e *event.Event) { e.CreatedAt = noticeTime + 901 }}, 1, "future"},
		{"expired (EV-30)", forgery{wrap: setTag(1, "expiration", fmt.Sprint(noticeTime))}, 1, "expired"},
		{"bad expiration", forgery{wrap: setTag(1, "expiration", "soon")}, 1, "expiration"},
		{"two expirations", forgery{wrap: addTag("expiration", "1797830000")}, 1, "expiration"},
	}
}

func forgedSeals(t testing.TB) []forged {
	inner := forgery{}.letter(t)
	return []forged{
		{"content empty (EV-19)", forgery{wrapPayload: instead("")}, 3, "payload"},
		{"content # (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = "#" + e.Content[1:] }}, 3, "payload version"},
		{"content 131 characters (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = e.Content[:131] }}, 3, "payload"},
		{"content 132 newlines (EV-19)", forgery{wrapPayload: instead(strings.Repeat("\n", 132))}, 3, "payload"},
		{"content URL alphabet (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = e.Content[:9] + "-_-" + e.Content[12:] }}, 3, "payload"},
		{"content version 0 (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = "AA" + e.Content[2:] }}, 3, "payload version"},
		{"content version 1 (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = "AQ" + e.Content[2:] }}, 3, "payload version"},
		{"content version 3 (EV-19)", forgery{wrap: func(e *event.Event) { e.Content = "Aw" + e.Content[2:] }}, 3, "payload version"},
		{"MAC flipped (EV-19)", forgery{wrap: flipMAC}, 3, "decryption"},
		{"wrong padding (EV-19)", forgery{wrapPayload: func(k [32]byte) string { return padded44(k, append([]byte{0, 3}, make([]byte, 64)...)) }}, 3, "decryption"},
		{"length 0 (EV-19)", forgery{wrapPayload: func(k [32]byte) string { return padded44(k, make([]byte, 34)) }}, 3, "decryption"},
		{"extended length (EV-19)", forgery{wrapPayload: func(k [32]byte) string { return padded44(k, append([]byte{0, 0, 0, 1, 0, 0}, make([]byte, 4096)...)) }}, 3, "decryption"},
		{"not UTF-8", forgery{sealJSON: func(b []byte) []byte { return append(b[:len(b)-1], 0xff) }}, 3, "decryption"},
		{"one byte of plain text (EV-19)", forgery{sealJSON: func([]byte) []byte { return []byte("x") }}, 3, "shape"},
		{"NIP-04 content (EV-20)", forgery{wrapPayload: instead(strings.Repeat("A", 120) + "?iv=" + strings.Repeat("A", 24))}, 3, "payload"},
		{"seal over 16 KiB", forgery{sealJSON: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 16_385-len(b))...) }}, 3, "decryption"},
		{"seal of kind 14 (EV-12)", forgery{seal: setKind(14)}, 3, "kind"},
		{"seal of kind 9999 (EV-12)", forgery{seal: setKind(9999)}, 3, "kind"},
		{"seal with tags (EV-13)", forgery{seal: addTag("expiration", "1797830000")}, 3, "tags"},
		{"wrong seal id (EV-14)", forgery{sealAfter: func(e *event.Event) { e.ID = noticeID }}, 3, "id"},
		{"wrong seal signature (EV-14)", forgery{sealAfter: func(e *event.Event) { e.Sig = strings.Repeat("1", 128) }}, 3, "signature"},
		{"wrap within a wrap (EV-21)", forgery{sealJSON: func([]byte) []byte { return inner }}, 3, "kind"},
	}
}

func forgedRumors() []forged {
	foreign := device.Public().String()
	return []forged{
		{"author unknown (EV-22)", forgery{author: device}, 4, "author"},
		{"to oneself (EV-21)", forgery{author: dvm}, 4, "author"},
		{"seal content newlines", forgery{sealPayload: instead(strings.Repeat("\n", 132))}, 5, "payload"},
		{"seal MAC flipped", forgery{seal: flipMAC}, 5, "decryption"},
		{"seal length 0", forgery{sealPayload: func(k [32]byte) string { return padded44(k, make([]byte, 34)) }}, 5, "decryption"},
		{"rumor of 8193 bytes", forgery{rumorJSON: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 8193-len(b))...) }}, 5, "decryption"},
		{"rumor not JSON", forgery{rumorJSON: func(b []byte) []byte { return b[1:] }}, 5, "shape"},
		{"rumor with a signature (EV-16)", forgery{rumorAfter: func(e *event.Event) { e.Sig = strings.Repeat("1", 128) }}, 5, "shape"},
		{"rumor without id (EV-17)", forgery{rumorJSON: func(b []byte) []byte { return bytes.Replace(b, []byte(`"id"`), []byte(`"di"`), 1) }}, 5, "shape"},
		{"rumor id twice (EV-8)", forgery{rumorJSON: func(b []byte) []byte { return bytes.Replace(b, []byte(`{"kind"`), []byte(`{"id":"x","kind"`), 1) }}, 5, "shape"},
		{"wrong rumor id (EV-17)", forgery{rumorAfter: func(e *event.Event) { e.ID = receiptID }}, 5, "id"},
		{"rumor in another's name (EV-15)", forgery{rumor: func(e *event.Event) { e.PubKey = foreign }}, 5, "impersonation"},
		{"rumor with 65 tags", forgery{rumor: func(e *event.Event) {
			for len(e.Tags) < 65 {
				e.Tags = append(e.Tags, event.Tag{"z"})
			}
		}}, 5, "tags"},
		{"rumor for another", forgery{rumor: setTag(0, "p", foreign)}, 5, "recipient"},
		{"rumor with two p", forgery{rumor: addTag("p", dvm.Public().String())}, 5, "recipient"},
		{"rumor of kind 1 (EV-18)", forgery{rumor: setKind(1)}, 5, "kind"},
		{"rumor of kind 1059 (EV-21)", forgery{rumor: setKind(1059)}, 5, "kind"},
		{"Receipt to a DVM (EV-18)", forgery{rumor: setKind(7000)}, 5, "kind"},
		{"control character", forgery{rumor: func(e *event.Event) { e.Content = "\x01" }}, 5, "control character"},
	}
}

// negatives are Letters to the DVM of the vectors that must fall, and where.
func negatives(t testing.TB) (list []negative) {
	for _, c := range slices.Concat(forgedWraps(), forgedSeals(t), forgedRumors()) {
		list = append(list, negative{c.name, c.step, c.reason, string(c.f.letter(t))})
	}
	return list
}

func TestOpenRefuses(t *testing.T) {
	list := negatives(t)
	for _, c := range list {
		asked := false
		r := dvmReader()
		allow := r.Allow
		r.Allow = func(k pow.Key) bool { asked = true; return allow(k) }
		if _, err := r.Open([]byte(c.Letter), at(noticeTime)); !rejected(err, c.Step, c.Reason) {
			t.Errorf("%s: %v, want step %d: %s", c.Name, err, c.Step, c.Reason)
		}
		if asked != (c.Step > 3) {
			t.Errorf("%s: the author was asked for before the seal was checked, or not at all", c.Name)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, c := range list {
		if err := e.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "negative.ndjson", strings.TrimSuffix(b.String(), "\n"))
}

// Shapes of the outer event, which a stranger writes freely.
func TestOpenRefusesShapes(t *testing.T) {
	good := string(forgery{}.letter(t))
	e, err := event.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"EV-2 upper": {e.Sig, strings.ToUpper(e.Sig)}, "EV-2 odd": {e.Sig, e.Sig[1:]}, "EV-2 short": {e.Sig, e.Sig[2:]}, "EV-2 long": {e.Sig, e.Sig + "00"},
		"EV-3 66 digits": {e.PubKey, e.PubKey + "00"}, "EV-3 upper": {e.PubKey, strings.ToUpper(e.PubKey)},
		"EV-4 negative": {"1795120000", "-1"}, "EV-4 2^53": {"1795120000", "9007199254740992"}, "EV-4 2^63": {"1795120000", "9223372036854775808"}, "EV-4 float": {"1795120000", "1795120000.5"}, "EV-4 string": {"1795120000", `"1795120000"`},
		"EV-5 negative": {"1059", "-1"}, "EV-5 65536": {"1059", "65536"}, "EV-5 1e9": {"1059", "1000000000"},
		"EV-6 null": {`"tags":[[`, `"tags":null,"z":[[`}, "EV-6 empty": {`"tags":[[`, `"tags":[[],[`}, "EV-6 null tag": {`"tags":[[`, `"tags":[null,[`}, "EV-6 object": {`["p",`, `[{},`},
		"EV-6 2001 tags": {`"tags":[[`, `"tags":[` + strings.Repeat(`["z"],`, 2001) + `[`},
		"EV-7 null":      {`"content":"`, `"content":null,"z":"`}, "EV-7 surrogate": {`"content":"`, `"content":"\ud800`}, "EV-7 UTF-8": {`"content":"`, "\"content\":\"\xff"},
		"EV-8 id twice": {`"kind"`, `"id":"` + noticeID + `","kind"`}, "EV-8 content twice": {`"kind"`, `"content":"","kind"`}, "EV-8 pubkey twice": {`"kind"`, `"PubKey":"","kind"`},
	} {
		if !strings.Contains(good, c[0]) {
			t.Fatalf("%s: no %q", name, c[0])
		}
		if _, err := dvmReader().Open([]byte(strings.Replace(good, c[0], c[1], 1)), at(noticeTime)); !rejected(err, 1, "shape") {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := good + strings.Repeat(" ", 32<<10)
	if _, err := dvmReader().Open([]byte(long), at(noticeTime)); !rejected(err, 1, "size") {
		t.Errorf("long: %v", err)
	}
	if _, err := dvmReader().Open(nil, at(noticeTime)); !rejected(err, 1, "shape") {
		t.Errorf("empty: %v", err)
	}
	zero := forgery{wrap: func(e *event.Event) { e.CreatedAt = 0 }}.letter(t)
	if _, err := dvmReader().Open(zero, at(noticeTime)); err != nil {
		t.Errorf("EV-4: created_at 0 is an old letter, not a bad one: %v", err)
	}
}

func TestOpenZeroReader(t *testing.T) {
	good := forgery{}.letter(t)
	if _, err := (envelope.Reader{}).Open(good, at(noticeTime)); !rejected(err, 1, "recipient") {
		t.Errorf("no key: %v", err)
	}
	if _, err := (envelope.Reader{Me: dvm}).Open(good, at(noticeTime)); !rejected(err, 4, "author") {
		t.Errorf("no list of authors: %v", err)
	}
}
