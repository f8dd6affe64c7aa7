package blobs_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"pow.do/services/hub/blobs"
	"pow.do/services/wire/event"
)

func TestTokens(t *testing.T) {
	w := newWorld(t)
	b := newBlob(1000)
	w.want("upload", w.put(alice, b), 201)
	path := "/" + b.x.String()
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		t.Run("BL-1 no token "+method, func(t *testing.T) {
			w.t = t
			w.want(method, w.do(method, path, nil), 401)
			w.want(method, w.do(method, "/"+strings.Repeat("0", 64), nil), 401)
		})
	}
	w.want("BL-1 PUT", w.do("PUT", "/upload", bytes.NewReader(b.data)), 401)
	w.want("BL-1 HEAD /upload", w.do("HEAD", "/upload", nil), 401)

	tag := func(name string, values ...string) func(*event.Event) {
		return func(e *event.Event) {
			tags := event.Tags{}
			for _, t := range e.Tags {
				if t[0] != name {
					tags = append(tags, t)
				}
			}
			for _, v := range values {
				tags = append(tags, event.Tag{name, v})
			}
			e.Tags = tags
		}
	}
	now := w.now.Load()
	x := b.x.String()
	at := func(s int64) func(*event.Event) {
		return func(e *event.Event) { e.CreatedAt = event.Timestamp(now + s) }
	}
	none := func(*event.Event) {}
	for _, row := range []struct {
		name   string
		key    key
		verb   string
		change func(*event.Event)
		want   int
	}{
		{"right", alice, "get", none, 200},
		{"BL-2 kind 1", alice, "get", func(e *event.Event) { e.Kind = 1 }, 401},
		{"no content", alice, "get", func(e *event.Event) { e.Content = "" }, 401},
		{"BL-3 expired", alice, "get", tag("expiration", fmt.Sprint(now)), 401},
		{"BL-3 no expiration", alice, "get", tag("expiration"), 401},
		{"BL-3 expiration abc", alice, "get", tag("expiration", "abc"), 401},
		{"BL-3 two expirations", alice, "get", tag("expiration", fmt.Sprint(now+9), fmt.Sprint(now+9)), 401},
		{"BL-3 expiration without a value", alice, "get", func(e *event.Event) { e.Tags[1] = event.Tag{"expiration"} }, 401},
		{"BL-3 valid for an hour", alice, "get", tag("expiration", fmt.Sprint(now-30+3600)), 200},
		{"BL-3 valid for longer", alice, "get", tag("expiration", fmt.Sprint(now-30+3601)), 401},
		{"BL-4 60 s ahead", alice, "get", at(60), 200},
		{"BL-4 61 s ahead", alice, "get", at(61), 401},
		{"BL-5 another verb", alice, "upload", none, 401},
		{"BL-5 two verbs", alice, "get", tag("t", "get", "upload"), 401},
		{"BL-6 no x", alice, "get", tag("x"), 401},
		{"BL-6 another x", alice, "get", tag("x", strings.Repeat("0", 64)), 401},
		{"BL-6 two x", alice, "get", tag("x", strings.Repeat("0", 64), x), 200},
		{"BL-7 no server", alice, "get", tag("server"), 200},
		{"BL-7 another server", alice, "get", tag("server", "other.example.com"), 401},
		{"BL-7 one of two servers", alice, "get", tag("server", "other.example.com", host), 200},
		{"BL-7 a URL", alice, "get", tag("server", "https://"+host), 401},
		{"BL-7 mixed case", alice, "get", tag("server", "HUB.example.Com"), 200},
		{"BL-7 an alias", alice, "get", tag("server", "abc.onion"), 200},
		{"BL-7 an alias with its port", alice, "get", tag("server", "abc.onion:81"), 200},
		{"BL-7 an alias with another port", alice, "get", tag("server", "abc.onion:82"), 401},
		{"BL-7 empty", alice, "get", tag("server", ""), 401},
		{"BL-19 stranger", nobody, "get", none, 403},
		{"stranger, bad token", nobody, "get", tag("x"), 401},
		{"another member", bob, "get", none, 404},
		{"member of another DVM", carol, "get", none, 404},
		{"another DVM", other, "get", none, 404},
		{"its DVM", dvm, "get", none, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.t = t
			token := bearer(w.token(row.key, row.verb, b.x, row.change))
			w.want("GET", w.do("GET", path, nil, "Authorization", token), row.want)
			w.want("HEAD", w.do("HEAD", path, nil, "Authorization", token), row.want)
		})
	}
	t.Run("a stranger learns nothing", func(t *testing.T) {
		w.t = t
		absent := newBlob(10).x
		for k, want := range map[key]int{nobody: 403, bob: 404} {
			hit, miss := w.get(k, b.x), w.get(k, absent)
			w.want("hit", hit, want)
			if miss.StatusCode != want || !bytes.Equal(hit.body, miss.body) || hit.Header.Get("X-Reason") != miss.Header.Get("X-Reason") {
				t.Errorf("a foreign blob answers %q, a missing one %q", hit.body, miss.body)
			}
		}
	})
	t.Run("delete needs a server", func(t *testing.T) {
		w.t = t
		token := bearer(w.token(alice, "delete", b.x, tag("server")))
		w.want("DELETE", w.do("DELETE", path, nil, "Authorization", token), 401)
	})
	t.Run("forged", func(t *testing.T) {
		w.t = t
		e := w.token(alice, "get", b.x)
		e.Content += " "
		w.want("id", w.do("GET", path, nil, "Authorization", bearer(e)), 401)
		foreign := w.token(bob, "get", b.x)
		foreign.Sig = w.token(alice, "get", newBlob(1).x).Sig
		w.want("signature", w.do("GET", path, nil, "Authorization", bearer(foreign)), 401)
	})
}

func TestTokenHeader(t *testing.T) { // BL-8
	w := newWorld(t)
	b := newBlob(1000)
	w.want("upload", w.put(alice, b), 201)
	path := "/" + b.x.String()
	for pad := range 3 {
		e := w.token(alice, "get", b.x, func(e *event.Event) { e.Content += strings.Repeat(">?~"[:1], pad) + "?~>" })
		for name, enc := range map[string]*base64.Encoding{"std": base64.StdEncoding, "raw std": base64.RawStdEncoding,
			"URL": base64.URLEncoding, "raw URL": base64.RawURLEncoding} {
			w.want(name, w.do("GET", path, nil, "Authorization", "nOSTR "+enc.EncodeToString(event.Marshal(e))), 200)
		}
	}
	good := bearer(w.token(alice, "get", b.x))
	w.want("two", w.do("GET", path, nil, "Authorization", good, "Authorization", good), 400)
	w.want("Bearer", w.do("GET", path, nil, "Authorization", "Bearer"+good[5:]), 401)
	w.want("no scheme", w.do("GET", path, nil, "Authorization", good[6:]), 401)
	w.want("two tokens", w.do("GET", path, nil, "Authorization", good+" "+good), 401)
	w.want("comma", w.do("GET", path, nil, "Authorization", good+","), 401)
	w.want("empty", w.do("GET", path, nil, "Authorization", "Nostr "), 401)
	w.want("9 KiB", w.do("GET", path, nil, "Authorization", "Nostr "+strings.Repeat("A", 9<<10)), 431)
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "Nostr ", "Nostr e30", "Nostr e30=\n", "nostr ====", "Basic eA==", "Nostr " + strings.Repeat("A", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if blobs.ReadToken(s) == nil && !strings.HasPrefix(strings.ToLower(s), "nostr ") {
			t.Errorf("%q was read as a token", s)
		}
	})
}
