package blobs_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"pow.do/services/hub/blobs"
	"pow.do/services/wire/event"
)

// run runs the server's Run while f does.
func (w *world) run(f func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.blobs.Run(ctx) }()
	f()
	cancel()
	if err := <-done; err != nil {
		w.t.Error(err)
	}
}

func TestPaths(t *testing.T) { // BL-13, BL-17, BL-18
	w := newWorld(t)
	b := newBlob(1000)
	w.want("upload", w.put(alice, b), 201)
	x, token := b.x.String(), bearer(w.token(alice, "get", b.x))
	for path, want := range map[string]int{
		"/" + x: 200, "//" + x: 200, "/" + x + ".html": 200, "/" + x + ".": 404, "/" + x + ".HTML": 404, "/" + x + ".abcdefghijk": 404,
		"/" + strings.ToUpper(x): 400, "/" + strings.Repeat("g", 64): 400, "/" + x[1:]: 404, "/" + x + "0": 404,
		"/%2e%2e/" + x: 404, "/../" + x: 404, "/a/" + x: 404, "/" + x + "%00": 404, "/" + x + "/": 404, "/list/" + alice.String(): 404,
		"/mirror": 404, "/media": 404, "/report": 404, "/": 404,
	} {
		w.want("GET "+path, w.do("GET", path, nil, "Authorization", token), want)
	}
	for _, path := range []string{"/mirror", "/media", "/report"} {
		w.want("PUT "+path, w.do("PUT", path, strings.NewReader(`{"url":"http://127.0.0.1/x"}`), "Authorization", token), 404)
	}
	w.want("POST", w.do("POST", "/"+x, nil), 405)
	w.want("GET /upload", w.do("GET", "/upload", nil), 405)
}

func TestRead(t *testing.T) {
	w := newWorld(t)
	b := newBlob(1000)
	w.want("upload", w.put(alice, b), 201)
	t.Run("BL-15 headers", func(t *testing.T) {
		w.t = t
		get := w.get(alice, b.x)
		head := w.do("HEAD", "/"+b.x.String(), nil, "Authorization", bearer(w.token(alice, "get", b.x)))
		get.Header.Del("Date")
		head.Header.Del("Date")
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "Content-Disposition": "attachment", "Content-Length": "1000",
			"Accept-Ranges": "bytes", "Etag": `"` + b.x.String() + `"`, "Cache-Control": "private, no-store",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
			"Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*",
			"Sunset": time.Unix(w.now.Load(), 0).Add(14 * 24 * time.Hour).UTC().Format(http.TimeFormat), "Last-Modified": "",
		} {
			if get.Header.Get(name) != want || head.Header.Get(name) != want {
				t.Errorf("%s: GET %q, HEAD %q, want %q", name, get.Header.Get(name), head.Header.Get(name), want)
			}
		}
		if len(get.Header) != len(head.Header) {
			t.Errorf("GET %v\nHEAD %v", get.Header, head.Header)
		}
	})
	for r, want := range map[string]struct {
		status int
		body   []byte
	}{
		"bytes=-1": {206, b.data[999:]}, "bytes=0-0": {206, b.data[:1]}, "bytes=500-": {206, b.data[500:]},
		"bytes=1000000000000000000-": {416, nil}, "bytes=1e18-": {416, nil}, "bytes=1000-": {416, nil},
		strings.TrimSuffix("bytes="+strings.Repeat("1-2,", 1000), ","): {200, b.data},
	} {
		t.Run("BL-14 "+r[:min(len(r), 30)], func(t *testing.T) {
			w.t = t
			got := w.get(alice, b.x, "Range", r)
			w.want(r, got, want.status)
			if want.body != nil && !bytes.Equal(got.body, want.body) {
				t.Errorf("%d bytes, want %d", len(got.body), len(want.body))
			}
		})
	}
	t.Run("BL-23 OPTIONS", func(t *testing.T) {
		w.t = t
		a := w.do("OPTIONS", "/"+b.x.String(), nil)
		w.want("OPTIONS", a, 204)
		if a.Header.Get("Access-Control-Allow-Headers") != "Authorization, *" || a.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD, PUT, DELETE" ||
			a.Header.Get("Access-Control-Max-Age") != "86400" {
			t.Errorf("%v", a.Header)
		}
	})
}

func TestDelete(t *testing.T) { // BL-9, BL-16
	w := newWorld(t)
	b, second := newBlob(1000), newBlob(1000)
	w.want("upload", w.put(alice, b), 201)
	w.want("upload", w.put(bob, b), 200)
	w.want("upload", w.put(alice, second), 201)
	path := "/" + b.x.String()
	w.want("no token", w.do("DELETE", path, nil), 401)
	w.want("stranger", w.remove(nobody, b.x), 403)
	w.want("a member that does not own it", w.remove(carol, b.x), 404)
	w.want("another DVM", w.remove(other, b.x), 404)
	two := bearer(w.token(alice, "delete", b.x, func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"x", second.x.String()}) }))
	w.want("one of two owners, two x tags", w.do("DELETE", path, nil, "Authorization", two), 204)
	w.want("several x never mean several deletions", w.get(alice, second.x), 200)
	w.want("for its former owner", w.get(alice, b.x), 404)
	w.want("for the other owner", w.get(bob, b.x), 200)
	w.wantFiles("one owner left", "blobs", 2)
	w.want("the DVM", w.remove(dvm, b.x), 204)
	w.want("for the other owner", w.get(bob, b.x), 404)
	w.wantFiles("nobody left", "blobs", 1)
	w.want("again", w.remove(dvm, b.x), 404)
	w.want("the same bytes may come back", w.put(alice, b), 201)
}

func TestExpire(t *testing.T) {
	w := newWorld(t, func(c *blobs.Config) { c.TTL = time.Hour })
	old, renewed := newBlob(1000), newBlob(1000)
	w.want("upload", w.put(alice, old), 201)
	w.want("upload", w.put(alice, renewed), 201)
	w.now.Add(3000)
	w.want("renew", w.put(alice, renewed), 200)
	w.want("access extends nothing", w.get(alice, old.x), 200)
	w.now.Add(700)
	if err := w.blobs.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want("over", w.get(alice, old.x), 404)
	w.want("renewed", w.get(alice, renewed.x), 200)
	w.wantFiles("expired", "blobs", 1)
}

// TestGoneDevices: a removed device leaves its work to its DVM, one that
// vanishes takes it along.
func TestGoneDevices(t *testing.T) {
	w := newWorld(t)
	removed, vanished := newBlob(1000), newBlob(1000)
	w.want("upload", w.put(alice, removed), 201)
	w.want("upload", w.put(bob, vanished), 201)
	if err := w.store.Deny(t.Context(), alice.Key); err != nil {
		t.Fatal(err)
	}
	w.want("the removed device", w.get(alice, removed.x), 403)
	w.want("its DVM", w.get(dvm, removed.x), 200)
	if err := w.store.Vanish(t.Context(), bob.Key, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.want("after vanishing", w.get(dvm, vanished.x), 404)
	w.run(func() {
		w.blobs.Forget()
		w.eventually("its file is gone", func() bool { return len(w.files("blobs")) == 1 })
	})
}
