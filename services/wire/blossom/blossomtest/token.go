package blossomtest

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pow.do/services/wire/event"
)

// bad is a token that no server may accept.
type bad struct {
	name   string
	change func(*note)
	hub    bool  // only the hub must refuse it
	want   []int // 401 when empty
}

func drop(name string) func(*note) {
	return func(e *note) {
		kept := e.Tags[:0]
		for _, t := range e.Tags {
			if t[0] != name {
				kept = append(kept, t)
			}
		}
		e.Tags = kept
	}
}

func set(name string, value ...string) func(*note) {
	return func(e *note) {
		for i, t := range e.Tags {
			if t[0] == name {
				e.Tags[i] = append(event.Tag{name}, value...)
			}
		}
	}
}

func add(tag ...string) func(*note) {
	return func(e *note) { e.Tags = append(e.Tags, tag) }
}

func in(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }

// badTokens are the rows BL-2 to BL-7 for one verb.
func badTokens(verb string) []bad {
	other := "get"
	if verb == "get" {
		other = "upload"
	}
	either := []int{401, 403}
	return []bad{
		{name: "kind 1", change: func(e *note) { e.Kind = 1 }},
		{name: "expired", change: set("expiration", in(-time.Minute))},
		{name: "no expiration", change: drop("expiration")},
		{name: "expiration without value", change: set("expiration")},
		{name: "expiration abc", change: set("expiration", "abc")},
		{name: "life over an hour", change: set("expiration", in(2*time.Hour)), hub: true},
		{name: "from the future", change: func(e *note) { e.CreatedAt += 330; set("expiration", in(20*time.Minute))(e) }},
		{name: "other verb", change: set("t", other), want: either},
		{name: "no verb", change: drop("t"), want: either},
		{name: "two verbs", change: add("t", other), hub: true, want: either},
		{name: "other hash", change: set("x", strings.Repeat("ab", 32)), want: either},
		{name: "no hash", change: drop("x"), hub: verb == "get", want: either},
		{name: "other server", change: set("server", "blobs.example.org"), want: either},
		{name: "server as URL", change: func(e *note) { set("server", "https://"+e.Tags[3][1]+"/")(e) }, hub: true, want: either},
		{name: "empty content", change: func(e *note) { e.Content = "" }, hub: true},
	}
}

// token: an upload or a deletion with a token that is not right in every point
// has no effect.
func (s *suite) token(t *testing.T) {
	b, kept := newBlob(1_000), s.have(t, s.Owner, newBlob(1_000))
	upload := func(what, authorization string, want ...int) {
		r := s.put(t, s.Owner, b, "Authorization", authorization)
		oneOf(t, "upload, "+what, r.status, want...)
		s.absent(t, "upload, "+what, s.Owner, b)
	}
	remove := func(what, authorization string, want ...int) {
		r := s.ask(t, http.MethodDelete, "/"+kept.hash, nil, "Authorization", authorization)
		oneOf(t, "delete, "+what, r.status, want...)
	}
	for _, c := range badTokens("upload") {
		if want := orUnauthorized(c.want); !c.hub || s.Hub {
			upload(c.name, bearer(s.sign(s.Owner, "upload", b.hash, c.change)), want...)
		}
	}
	for _, c := range append(badTokens("delete"), bad{name: "no server", change: drop("server"), hub: true, want: []int{401, 403}}) {
		if want := orUnauthorized(c.want); !c.hub || s.Hub {
			remove(c.name, bearer(s.sign(s.Owner, "delete", kept.hash, c.change)), want...)
		}
	}
	for name, authorization := range s.unsigned("upload", b.hash) {
		upload(name, authorization, 401)
	}
	for name, authorization := range s.unsigned("delete", kept.hash) {
		remove(name, authorization, 401)
	}
	if r := s.get(t, s.Owner, kept); !bytes.Equal(r.body, kept.data) {
		t.Errorf("a bad token deleted the blob: %d", r.status)
	}
	mixed := s.sign(s.Owner, "delete", kept.hash, set("server", strings.ToUpper(s.Server)))
	if r := s.ask(t, http.MethodDelete, "/"+kept.hash, nil, "Authorization", bearer(mixed)); s.Hub && !success(r.status) {
		t.Errorf("server in upper case, which names the same host: %d", r.status)
	}
	s.remove(t, s.Owner, kept)
}

func orUnauthorized(want []int) []int {
	if want == nil {
		return []int{401}
	}
	return want
}

// unsigned are headers that prove nothing.
func (s *suite) unsigned(verb, hash string) map[string]string {
	forged := *s.sign(s.Owner, verb, hash)
	forged.ID = strings.Repeat("ab", 32)
	other := *s.sign(s.Owner, verb, hash)
	other.Sig = s.sign(s.Other, verb, hash).Sig
	whole := bearer(s.sign(s.Owner, verb, hash))
	return map[string]string{
		"none": "", "forged id": bearer(&forged), "foreign signature": bearer(&other), "scheme only": "Nostr ", "basic": "Basic dXNlcjpwYXNz",
		"not base64": "Nostr !!!!", "not JSON": "Nostr " + base64.StdEncoding.EncodeToString([]byte("hello")), "cut": whole[:len(whole)-8],
		"two tokens": whole + " " + whole[6:], "empty object": "Nostr e30", "null": "Nostr bnVsbA",
	}
}

// tokenBase64: deployed servers and clients disagree about the alphabet and
// the padding, so all four forms are read.
func (s *suite) tokenBase64(t *testing.T) {
	for name, c := range map[string]*base64.Encoding{
		"standard": base64.StdEncoding, "standard, no padding": base64.RawStdEncoding, "URL": base64.URLEncoding, "URL, no padding": base64.RawURLEncoding,
	} {
		b := newBlob(100)
		// A content whose base64 differs in both alphabets and needs padding.
		e := s.sign(s.Owner, "upload", b.hash, func(e *note) { e.Content = "ÿ?>~ÿ?>~" })
		for pad := ""; len(event.Marshal(e))%3 != 1; pad += " " {
			e = s.sign(s.Owner, "upload", b.hash, func(e *note) { e.Content = "ÿ?>~ÿ?>~" + pad })
		}
		r := s.put(t, s.Owner, b, "Authorization", "Nostr "+c.EncodeToString(event.Marshal(e)))
		if strict := name == "URL, no padding" || s.Hub; strict && !success(r.status) {
			t.Errorf("%s: %d %s", name, r.status, r.header.Get("X-Reason"))
		}
		s.remove(t, s.Owner, b)
	}
}

// tokenHeaders: one Authorization header of a reasonable size.
func (s *suite) tokenHeaders(t *testing.T) {
	b := newBlob(100)
	r, err := s.try(t, http.MethodPut, "/upload", bytes.NewReader(b.data), "X-SHA-256", b.hash, "Authorization", "Nostr "+strings.Repeat("A", 1<<20))
	if err == nil { // it may hang up instead
		oneOf(t, "1 MiB header", r.status, 400, 401, 413, 431)
	}
	good := bearer(s.sign(s.Owner, "upload", b.hash))
	r = s.ask(t, http.MethodPut, "/upload", bytes.NewReader(b.data), "X-SHA-256", b.hash, "Authorization", good, "Authorization", bearer(s.sign(s.Other, "upload", b.hash)))
	if s.Hub {
		oneOf(t, "two headers", r.status, 400, 401)
	}
	long := s.sign(s.Owner, "upload", b.hash, func(e *note) { e.Content = strings.Repeat("a", 9_000) })
	if r := s.put(t, s.Owner, b, "Authorization", bearer(long)); s.Hub {
		oneOf(t, "header over 8 KiB", r.status, 401, 431)
	}
	if r := s.put(t, s.Owner, b, "Authorization", "nOsTr"+good[5:]); s.Hub && !success(r.status) {
		t.Errorf("the scheme's name in another case: %d", r.status)
	}
	s.remove(t, s.Owner, b)
}

// tokenReads: the hub wants a token for reading too.
func (s *suite) tokenReads(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, c := range badTokens("get") {
			r := s.ask(t, method, "/"+b.hash, nil, "Authorization", bearer(s.sign(s.Owner, "get", b.hash, c.change)))
			oneOf(t, method+", "+c.name, r.status, orUnauthorized(c.want)...)
		}
		for name, authorization := range s.unsigned("get", b.hash) {
			oneOf(t, method+", "+name, s.ask(t, method, "/"+b.hash, nil, "Authorization", authorization).status, 401)
		}
	}
	s.remove(t, s.Owner, b)
}
