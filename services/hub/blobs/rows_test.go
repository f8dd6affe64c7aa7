package blobs_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// row is one bad input with its answer. b is a blob that alice owns.
type row struct {
	send func(w *world, b blob) answer
	want int
}

// badInput is the list of bad inputs to the Blossom server, each variant under
// its own name. Where a token is for something else the answer is 401, as for
// every token that does not hold (wire document §7.2), and a disk or a quota that
// is full answers 503 and 429 (§7.3). BL-22 is TestSlowUploads, BL-24 is a test
// of our client.
func badInput() map[string]row {
	rows := map[string]row{}
	maps.Copy(rows, tokenRows())
	maps.Copy(rows, uploadRows())
	maps.Copy(rows, pathRows())
	maps.Copy(rows, otherRows())
	return rows
}

// get asks for b with a token of alice that was changed before it was signed.
func get(change func(*event.Event)) func(*world, blob) answer {
	return func(w *world, b blob) answer {
		return w.do("GET", "/"+b.x.String(), nil, "Authorization", bearer(w.token(alice, "get", b.x, change)))
	}
}

// with replaces the values of a tag; without values the tag is gone.
func with(name string, values ...string) func(*event.Event) {
	return func(e *event.Event) {
		e.Tags = slices.DeleteFunc(e.Tags, func(t event.Tag) bool { return t[0] == name })
		for _, v := range values {
			e.Tags = append(e.Tags, event.Tag{name, v})
		}
	}
}

func ask(method, path string, headers ...string) func(*world, blob) answer {
	return func(w *world, b blob) answer {
		return w.do(method, strings.ReplaceAll(path, "{x}", b.x.String()), nil, headers...)
	}
}

func tokenRows() map[string]row {
	rows := map[string]row{
		"BL-1/GET": {ask("GET", "/{x}"), 401}, "BL-1/HEAD": {ask("HEAD", "/{x}"), 401}, "BL-1/DELETE": {ask("DELETE", "/{x}"), 401},
		"BL-1/PUT": {ask("PUT", "/upload"), 401}, "BL-1/HEAD upload": {ask("HEAD", "/upload"), 401},
		"BL-2/kind 1":                   {get(func(e *event.Event) { e.Kind = 1 }), 401},
		"BL-3/expired":                  {get(func(e *event.Event) { with("expiration", fmt.Sprint(int64(e.CreatedAt)+30))(e) }), 401},
		"BL-3/no expiration":            {get(with("expiration")), 401},
		"BL-3/no value":                 {get(func(e *event.Event) { e.Tags[1] = event.Tag{"expiration"} }), 401},
		"BL-3/abc":                      {get(with("expiration", "abc")), 401},
		"BL-3/life of an hour":          {get(func(e *event.Event) { with("expiration", fmt.Sprint(int64(e.CreatedAt)+3600))(e) }), 200},
		"BL-3/life of more":             {get(func(e *event.Event) { with("expiration", fmt.Sprint(int64(e.CreatedAt)+3601))(e) }), 401},
		"BL-4/60 s ahead":               {get(func(e *event.Event) { e.CreatedAt += 90 }), 200},
		"BL-4/61 s ahead":               {get(func(e *event.Event) { e.CreatedAt += 91 }), 401},
		"BL-5/upload":                   {get(with("t", "upload")), 401},
		"BL-5/none":                     {get(with("t")), 401},
		"BL-6/missing":                  {get(with("x")), 401},
		"BL-6/another":                  {get(with("x", strings.Repeat("0", 64))), 401},
		"BL-7/another domain":           {get(with("server", "other.example.com")), 401},
		"BL-7/URL":                      {get(with("server", "https://"+host)), 401},
		"BL-7/mixed case":               {get(with("server", "HUB.example.Com")), 200},
		"BL-9/upload token, GET":        {get(with("t", "upload")), 401},
		"BL-9/token for another server": {get(with("server", "abc.example")), 401},
		"BL-8/two headers": {func(w *world, b blob) answer {
			t := bearer(w.token(alice, "get", b.x))
			return ask("GET", "/{x}", "Authorization", t, "Authorization", t)(w, b)
		}, 400},
		"BL-8/9 KiB": {ask("GET", "/{x}", "Authorization", "Nostr "+strings.Repeat("A", 9<<10)), 431},
		"BL-8/line break": {func(w *world, b blob) answer {
			return w.direct("GET", "/"+b.x.String(), "Authorization", bearer(w.token(alice, "get", b.x))+"\n")
		}, 401},
		"BL-8/a byte that no variant has": {func(w *world, b blob) answer {
			return ask("GET", "/{x}", "Authorization", bearer(w.token(alice, "get", b.x))+".")(w, b)
		}, 401},
		"BL-16/stranger":                       {func(w *world, b blob) answer { return w.remove(nobody, b.x) }, 403},
		"BL-16/member that is no owner":        {func(w *world, b blob) answer { return w.remove(bob, b.x) }, 404},
		"BL-16/no token":                       {ask("DELETE", "/{x}"), 401},
		"BL-19/device not on the whitelist":    {func(w *world, _ blob) answer { return w.put(nobody, newBlob(10)) }, 403},
		"BL-19/GET by a stranger":              {func(w *world, b blob) answer { return w.get(nobody, b.x) }, 403},
		"BL-19/a blob that a stranger guesses": {func(w *world, _ blob) answer { return w.get(nobody, newBlob(10).x) }, 403},
	}
	for name, enc := range map[string]*base64.Encoding{"standard": base64.StdEncoding, "standard, unpadded": base64.RawStdEncoding,
		"URL": base64.URLEncoding, "URL, unpadded": base64.RawURLEncoding} {
		rows["BL-8/"+name] = row{func(w *world, b blob) answer {
			e := w.token(alice, "get", b.x, func(e *event.Event) { e.Content = "?~>?~>" }) // has bytes of both alphabets
			return ask("GET", "/{x}", "Authorization", "Nostr "+enc.EncodeToString(event.Marshal(e)))(w, b)
		}, 200}
	}
	rows["BL-9/again after DELETE"] = row{func(w *world, b blob) answer {
		token := bearer(w.token(alice, "upload", b.x))
		w.remove(alice, b.x)
		return w.do("PUT", "/upload", bytes.NewReader(b.data), "Authorization", token, "X-SHA-256", b.x.String())
	}, 201}
	rows["BL-16/two x tags"] = row{func(w *world, b blob) answer {
		second := newBlob(10)
		w.put(alice, second)
		token := bearer(w.token(alice, "delete", b.x, func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"x", second.x.String()}) }))
		w.want("the first", w.do("DELETE", "/"+b.x.String(), nil, "Authorization", token), 204)
		return w.get(alice, second.x) // several x never mean several deletions
	}, 200}
	rows["BL-16/one of two owners"] = row{func(w *world, b blob) answer {
		w.want("bob owns it too", w.put(bob, b), 200)
		w.want("alice leaves it", w.remove(alice, b.x), 204)
		return w.get(bob, b.x)
	}, 200}
	return rows
}

// direct passes a request to the handler that no client would send.
func (w *world) direct(method, path string, headers ...string) answer {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.blobs.ServeHTTP(rec, r)
	return answer{rec.Result(), rec.Body.Bytes()}
}

// spoken is an answer of which only the status line was read.
func spoken(line string) answer {
	var status int
	fmt.Sscanf(line, "HTTP/1.1 %d", &status)
	return answer{Response: &http.Response{StatusCode: status, Header: http.Header{}}}
}

func uploadRows() map[string]row {
	size := func(length any, body int, then func(net.Conn)) func(*world, blob) answer {
		return func(w *world, _ blob) answer {
			b := newBlob(1000)
			return spoken(w.raw(w.uploadHeader(alice, b, length), b.data[:body], then))
		}
	}
	half := func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }
	put := func(hash func(blob) string, kind string, send func(blob) []byte) func(*world, blob) answer {
		return func(w *world, _ blob) answer {
			b := newBlob(1000)
			headers := []string{"Authorization", bearer(w.token(alice, "upload", b.x)), "Content-Type", kind}
			if h := hash(b); h != "" {
				headers = append(headers, "X-SHA-256", h)
			}
			a := w.do("PUT", "/upload", bytes.NewReader(send(b)), headers...)
			if a.StatusCode/100 == 2 {
				a.Response.Header = w.get(alice, b.x).Header // as it is served
			}
			return a
		}
	}
	right := func(b blob) string { return b.x.String() }
	data := func(b blob) []byte { return b.data }
	return map[string]row{
		"BL-10/0":                    {size(0, 0, nil), 400},
		"BL-10/negative":             {size(-1, 0, nil), 400},
		"BL-10/1 TiB":                {size(int64(1)<<40, 0, nil), 413},
		"BL-10/beyond numbers":       {size("99999999999999999999", 0, nil), 400},
		"BL-10/shorter than body":    {size(999, 1000, nil), 409}, // the body that is announced has another hash
		"BL-10/longer, then hung up": {size(2000, 1000, half), 400},
		"BL-10/chunked": {func(w *world, _ blob) answer {
			b := newBlob(10)
			return w.do("PUT", "/upload", io.MultiReader(bytes.NewReader(b.data)), "Authorization", bearer(w.token(alice, "upload", b.x)), "X-SHA-256", b.x.String())
		}, 411},
		"BL-11/other bytes": {put(right, contentTypes[0], func(b blob) []byte { return append([]byte{^b.data[0]}, b.data[1:]...) }), 409},
		"BL-11/upper case":  {put(func(b blob) string { return strings.ToUpper(b.x.String()) }, contentTypes[0], data), 201},
		"BL-11/absent":      {put(func(blob) string { return "" }, contentTypes[0], data), 400},
		"BL-11/not a hash":  {put(func(blob) string { return "abc" }, contentTypes[0], data), 400},
		"BL-12/text/html":   {put(right, contentTypes[1], data), 201},
		"BL-12/SVG":         {put(right, contentTypes[2], data), 201},
		"BL-20/abort at 99 %": {func(w *world, _ blob) answer {
			b := newBlob(1000)
			return spoken(w.raw(w.uploadHeader(alice, b, 1000), b.data[:990], half))
		}, 400},
		"BL-21/stored too much": {func(w *world, _ blob) answer {
			if _, _, err := w.store.Own(w.t.Context(), newBlob(1).x, store.BlobBytesStored-500, "", alice.Key, dvm.Key); err != nil {
				w.t.Fatal(err)
			}
			return w.put(alice, newBlob(1000))
		}, 429},
		"BL-21/disk full": {func(w *world, _ blob) answer { w.free.Store(1 << 30); return w.put(alice, newBlob(1000)) }, 503},
		"BL-21/disk full, other requests": {func(w *world, b blob) answer {
			w.free.Store(0)
			w.want("PUT", w.put(alice, newBlob(1000)), 503)
			return w.get(alice, b.x)
		}, 200},
	}
}

var contentTypes = []string{"application/octet-stream", "text/html", "image/svg+xml"}

func pathRows() map[string]row {
	rows := map[string]row{
		"BL-18/list": {ask("GET", "/list/"+alice.String()), 404},
		"BL-23/blob": {ask("OPTIONS", "/{x}"), 204}, "BL-23/upload": {ask("OPTIONS", "/upload"), 204},
		"BL-13/NUL": {func(w *world, b blob) answer {
			return w.direct("GET", "/"+b.x.String()+"\x00", "Authorization", bearer(w.token(alice, "get", b.x)))
		}, 404},
	}
	for name, p := range map[string]struct {
		path func(x string) string
		want int
	}{
		"dots":                 {func(x string) string { return "/%2e%2e/" + x }, 404},
		"63 digits":            {func(x string) string { return "/" + x[1:] }, 404},
		"65 digits":            {func(x string) string { return "/" + x + "0" }, 404},
		"upper case":           {func(x string) string { return "/" + strings.ToUpper(x) }, 400},
		"extension":            {func(x string) string { return "/" + x + ".html" }, 200},
		"upper-case extension": {func(x string) string { return "/" + x + ".HTML" }, 404},
		"two slashes":          {func(x string) string { return "//" + x }, 200},
		"escaped NUL":          {func(x string) string { return "/" + x + "%00" }, 404},
	} {
		rows["BL-13/"+name] = row{func(w *world, b blob) answer {
			return w.do("GET", p.path(b.x.String()), nil, "Authorization", bearer(w.token(alice, "get", b.x)))
		}, p.want}
	}
	for _, u := range []string{"http://127.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/x", "http://0x7f.1/x", "https://example.com/10GiB"} {
		rows["BL-17/"+u] = row{func(w *world, b blob) answer {
			return w.do("PUT", "/mirror", strings.NewReader(`{"url":"`+u+`"}`), "Authorization", bearer(w.token(alice, "upload", b.x)))
		}, 404}
	}
	return rows
}

func otherRows() map[string]row {
	part := func(r string) func(*world, blob) answer {
		return func(w *world, b blob) answer { return w.get(alice, b.x, "Range", r) }
	}
	return map[string]row{
		"BL-14/bytes=-1":     {part("bytes=-1"), 206},
		"BL-14/bytes=1e18-":  {part("bytes=1e18-"), 416},
		"BL-14/beyond":       {part("bytes=1000000000000000000-"), 416},
		"BL-14/1 000 ranges": {part("bytes=" + strings.Repeat("1-2,", 999) + "1-2"), 200}, // the whole blob: one range per answer
		"BL-15/equal headers": {func(w *world, b blob) answer {
			g := w.get(alice, b.x)
			h := w.do("HEAD", "/"+b.x.String(), nil, "Authorization", bearer(w.token(alice, "get", b.x)))
			g.Header.Del("Date")
			h.Header.Del("Date")
			if fmt.Sprint(g.Header) != fmt.Sprint(h.Header) || len(h.body) != 0 {
				w.t.Errorf("GET %v\nHEAD %v", g.Header, h.Header)
			}
			return h
		}, 200},
	}
}

// TestBadInput sends every row to a server of its own. Whatever the answer, it is
// one that no browser would run, no file stays that was not there before, nothing
// but the blob that it is about is touched, and refusals are counted.
func TestBadInput(t *testing.T) {
	rows := badInput()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b, bystander := newBlob(1000), newBlob(500)
			w.want("before", w.put(alice, b), 201)
			w.want("before", w.put(carol, bystander), 201)
			a := rows[name].send(w, b)
			w.want(name, a, rows[name].want)
			for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store",
				"Content-Security-Policy": "sandbox; default-src 'none'", "Access-Control-Allow-Origin": "*"} {
				if got := a.Header.Get(header); len(a.Header) > 0 && got != want {
					t.Errorf("%s: %q", header, got)
				}
			}
			switch kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); kind {
			case "", "application/octet-stream", "application/json", "text/plain":
			default:
				t.Errorf("answered as %s", kind)
			}
			w.free.Store(100 << 30)
			w.want("a bystander", w.get(carol, bystander.x), 200)
			w.wantFiles("after it", "tmp", 0)
			if n := len(w.files("blobs")); a.StatusCode >= 400 && n != 2 {
				t.Errorf("%d files, want 2", n)
			}
			byHTTP := name == "BL-10/negative" || name == "BL-10/beyond numbers" // never reach the handler
			if refused := len(w.blobs.Stats().Refused.All()); (refused > 0) != (a.StatusCode >= 400 && !byHTTP) && !strings.HasSuffix(name, "other requests") {
				t.Errorf("%d reasons of refusal were counted", refused)
			}
		})
	}
}

// TestBadInputIsComplete: the list has 24 numbers; every one is tested.
func TestBadInputIsComplete(t *testing.T) {
	elsewhere := map[string]string{"BL-22": "TestSlowUploads", "BL-24": "services/wire/blossom"}
	seen := map[string]bool{}
	for name := range badInput() {
		id, variant, ok := strings.Cut(name, "/")
		if seen[id] = true; !ok || variant == "" {
			t.Errorf("%s names no variant", name)
		}
	}
	for i := range 24 {
		if id := fmt.Sprint("BL-", i+1); !seen[id] && elsewhere[id] == "" {
			t.Errorf("%s is not tested", id)
		}
	}
}

// TestRates: who asks too often waits, without harm to others.
func TestRates(t *testing.T) {
	w := newWorld(t, func(c *blobs.Config) { c.TTL = 1 << 50 })
	b := newBlob(10)
	w.want("upload", w.put(alice, b), 201)
	from := func(address string, k key, x pow.Hash) int {
		r := httptest.NewRequest("GET", "/"+x.String(), nil)
		r.RemoteAddr = address
		r.Header.Set("Authorization", bearer(w.token(k, "get", x)))
		rec := httptest.NewRecorder()
		w.blobs.ServeHTTP(rec, r)
		if rec.Code == 429 && rec.Header().Get("Retry-After") != "10" {
			t.Errorf("Retry-After %q", rec.Header().Get("Retry-After"))
		}
		return rec.Code
	}
	const here, there = "198.51.100.7:1234", "[2001:db8::1]:1"
	count := map[int]int{}
	for range 700 {
		count[from(here, alice, b.x)]++
	}
	if count[200] < 590 || count[429] < 90 {
		t.Errorf("answers of one key: %v", count)
	}
	if got := from(here, dvm, b.x); got != 429 { // 100 refusals came from here; the 120 of a minute are not used up
		for range 30 {
			got = from(here, nobody, b.x)
		}
		if got != 429 {
			t.Errorf("an address that was refused 130 times: %d", got)
		}
	}
	if got := from(there, dvm, b.x); got != 200 {
		t.Errorf("another address: %d", got)
	}
	w.now.Add(60)
	if got := from(here, alice, b.x); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
}

// FuzzRequest: no path and no range makes the server fail, or gives away a byte
// that is not of the blob.
func FuzzRequest(f *testing.F) {
	w := openWorld(f)
	b := newBlob(1000)
	w.server = httptest.NewServer(w.blobs)
	f.Cleanup(w.server.Close)
	w.want("upload", w.put(alice, b), 201)
	w.client.CloseIdleConnections()
	x := b.x.String()
	for _, seed := range [][2]string{{"/" + x, "bytes=0-1"}, {"//" + x + ".bin", "bytes=-5"}, {"/upload", ""}, {"/../" + x, "bytes=1-2,3-4"},
		{"/" + x, "bytes=9223372036854775807-"}, {"/" + x[:63], "bytes= -1"}, {"/%00", "lines=1-2"}, {"", "bytes=5-1"}} {
		f.Add(seed[0], seed[1])
	}
	token := bearer(w.token(alice, "get", b.x))
	f.Fuzz(func(t *testing.T, path, part string) {
		w.blobs.Calm()
		a := w.direct("GET", path, "Authorization", token, "Range", part)
		switch a.StatusCode {
		case 200:
			if !bytes.Equal(a.body, b.data) {
				t.Error("200 with other bytes")
			}
		case 206:
			if len(a.body) == 0 || !bytes.Contains(b.data, a.body) {
				t.Error("206 with other bytes")
			}
		case 400, 404, 405, 416, 401:
		default:
			t.Errorf("status %d", a.StatusCode)
		}
	})
}
