package site_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/site"
	"pow.do/services/pow"
)

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// hostile is markup in a place where a member may write.
const hostile = `<img src=x onerror=alert(1)>"'&`

// office is what the pages are made of, in memory.
type office struct {
	admins  []string
	keys    map[pow.Key]string
	links   map[pow.Hash]string
	looks   []pow.Look
	logFull error
	done    []string
	now     time.Time
}

func newOffice() *office {
	return &office{admins: []string{"Tom"}, keys: map[pow.Key]string{{7}: "Tom"}, links: map[pow.Hash]string{sha256.Sum256([]byte("once")): "Tom"}, now: start}
}

func member() pow.Member {
	return pow.Member{ID: "00112233445566ff", Identity: pow.Key{1}, Name: hostile}
}

func (*office) Members(context.Context) ([]pow.Member, error) { return []pow.Member{member()}, nil }

func (*office) Sessions(context.Context, site.Query) ([]pow.SessionReport, error) {
	i := pow.Interval{From: start.Add(-time.Hour), To: start}
	return []pow.SessionReport{{Session: "01J0000000000000000000000A", Member: pow.MemberRef{Npub: member().Identity.String(), Name: hostile},
		Project: pow.ProjectRef{ID: "ff", Name: hostile}, Begin: i.From, End: i.To, Proven: 3600, Intervals: []pow.Interval{i}, Proofs: 1, State: "closed",
		Booking: pow.Booking{State: "parked", Reason: hostile}}}, nil
}

func (*office) Proofs(_ context.Context, q site.Query) ([]pow.ProofReport, error) {
	if q.Proof > 1 {
		return nil, nil
	}
	return []pow.ProofReport{{ID: 1, From: start.Add(-time.Hour), To: start, Captures: 1, Project: pow.ProjectRef{Name: hostile}, State: "accepted",
		Code: pow.CodeParked, Reason: hostile, Marks: []string{"kept", hostile}, Checks: pow.Checks{Signature: "ok", Chain: hostile}}}, nil
}

func (*office) Quarantine(context.Context) ([]pow.Quarantined, error) {
	return []pow.Quarantined{{ID: 5, Step: hostile, Reason: hostile, At: start}}, nil
}

func (*office) Report(_ context.Context, w io.Writer, format string, _ site.Query) error {
	_, err := io.WriteString(w, format)
	return err
}

func (*office) Pictures(context.Context, int64) ([]pow.Capture, error) {
	return []pow.Capture{{At: start, Width: 16, Height: 9}}, nil
}

func (*office) ActivityIn(context.Context, int64) ([]pow.ActivityRow, error) {
	return []pow.ActivityRow{{From: start, To: start, App: hostile, Title: hostile, Host: hostile, Category: hostile}}, nil
}

func (*office) Picture(_ context.Context, _ int64, n int) ([]byte, error) {
	switch n {
	case 0:
		return []byte("\x89PNG\r\n\x1a\nrest"), nil
	case 1:
		return []byte("<html><script>alert(1)</script>"), nil
	}
	return nil, pow.ErrNotFound
}

func (o *office) did(what string) error { o.done = append(o.done, what); return nil }

func (o *office) Approve(_ context.Context, s pow.SessionID, _ time.Time) error {
	return o.did("approve " + string(s))
}

func (o *office) Reject(_ context.Context, s pow.SessionID, words string, _ time.Time) error {
	return o.did("refuse " + string(s) + " " + words)
}
func (o *office) Retry(context.Context, int64, time.Time) error { return o.did("retry") }
func (o *office) Drop(context.Context, int64, time.Time) error  { return o.did("drop") }

func (o *office) AdminOf(_ context.Context, k pow.Key) (string, error) {
	if n, ok := o.keys[k]; ok {
		return n, nil
	}
	return "", pow.ErrNotFound
}

func (o *office) HasAdmin(_ context.Context, name string) error {
	if slices.Contains(o.admins, name) {
		return nil
	}
	return pow.ErrNotFound
}

func (o *office) UseLink(_ context.Context, h pow.Hash, _ time.Time) (string, error) {
	n, ok := o.links[h]
	delete(o.links, h)
	if !ok {
		return "", pow.ErrNotFound
	}
	return n, nil
}

func (o *office) Looked(_ context.Context, k pow.Look) error {
	if o.logFull == nil {
		o.looks = append(o.looks, k)
	}
	return o.logFull
}

func (o *office) Looks(context.Context, int) ([]pow.Look, error) { return o.looks, nil }

// browser is one with cookies.
type browser struct {
	t      *testing.T
	h      http.Handler
	cookie *http.Cookie
	form   string
}

func open(t *testing.T, o *office) *browser {
	h := site.New(site.Config{Team: "Studio Nord", Books: o, Evidence: o, Decisions: o, Doors: o, Zone: time.UTC, Now: func() time.Time { return o.now },
		Log: slog.New(slog.DiscardHandler), Signer: func(token, url string, _ time.Time) (pow.Key, error) {
			if url != "http://127.0.0.1/login/key" || !strings.HasPrefix(token, "Nostr ") {
				return pow.Key{}, errors.New("no")
			}
			return pow.Key{token[6] - '0'}, nil
		}})
	return &browser{t: t, h: h}
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

func (b *browser) do(method, path string, values url.Values, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(values.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
	}
	if m := formToken.FindStringSubmatch(w.Body.String()); m != nil {
		b.form = m[1]
	}
	return w
}

func (b *browser) signIn() {
	b.t.Helper()
	if w := b.do("POST", "/login", url.Values{"key": {"once"}}); w.Code != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	b.do("GET", "/waiting", nil)
}

var pages = []string{"/week", "/week?of=2026-03-29", "/day?member=00112233445566ff&of=2026-11-20", "/proof?id=1", "/waiting", "/quarantine", "/log"}

func TestMarkupIsText(t *testing.T) {
	b := open(t, newOffice())
	b.signIn()
	for _, path := range pages {
		w := b.do("GET", path, nil)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<img src=x") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestDoors(t *testing.T) {
	o := newOffice()
	b := open(t, o)
	for _, path := range append(pages, "/picture?id=1&n=0", "/report?format=csv", "/") {
		if w := b.do("GET", path, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
			t.Errorf("%s without a login: %d", path, w.Code)
		}
	}
	b.signIn()
	if b.cookie.SameSite != http.SameSiteStrictMode || !b.cookie.HttpOnly {
		t.Errorf("cookie %+v", b.cookie)
	}
	approve := url.Values{"session": {"s"}, "form": {b.form}}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"another site's form": b.do("POST", "/approve", approve, "Origin", "https://evil.example"),
		"sent across sites":   b.do("POST", "/approve", approve, "Sec-Fetch-Site", "cross-site"),
		"no token":            b.do("POST", "/approve", url.Values{"session": {"s"}}),
		"a used link":         b.do("POST", "/login", url.Values{"key": {"once"}}),
		"nobody's key":        b.do("POST", "/login/key", nil, "Authorization", "Nostr 8"),
	} {
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	if len(o.done) != 0 {
		t.Fatalf("done all the same: %v", o.done)
	}
	if w := b.do("POST", "/approve", approve, "Origin", "http://127.0.0.1"); w.Code != http.StatusSeeOther || len(o.done) != 1 {
		t.Errorf("an own form: %d, %v", w.Code, o.done)
	}
	o.now = o.now.Add(8 * time.Hour)
	if w := b.do("GET", "/week", nil); w.Code != http.StatusSeeOther {
		t.Errorf("eight hours later: %d", w.Code)
	}
}

func TestKeyAndRemoval(t *testing.T) {
	o := newOffice()
	b := open(t, o)
	if w := b.do("POST", "/login/key", nil, "Authorization", "Nostr 7"); w.Code != http.StatusNoContent {
		t.Fatalf("by key: %d %s", w.Code, w.Body)
	}
	if w := b.do("POST", "/login/key", nil, "Authorization", "Nostr 7"); w.Code != http.StatusForbidden {
		t.Errorf("the same token again: %d", w.Code)
	}
	if w := b.do("GET", "/week", nil); w.Code != http.StatusOK {
		t.Errorf("signed in: %d", w.Code)
	}
	o.admins = nil
	if w := b.do("GET", "/week", nil); w.Code != http.StatusSeeOther {
		t.Errorf("a removed admin: %d", w.Code)
	}
}

// What cannot be noted is neither shown nor done.
func TestNoLogNoLook(t *testing.T) {
	o := newOffice()
	b := open(t, o)
	b.signIn()
	o.logFull = errors.New("disk full")
	for _, path := range []string{pages[2], pages[3], "/picture?id=1&n=0", "/report?format=csv"} {
		if w := b.do("GET", path, nil); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "disk full") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	b.do("POST", "/approve", url.Values{"session": {"s"}, "form": {b.form}})
	b.do("POST", "/refuse", url.Values{"session": {"s"}, "form": {b.form}, "words": {"no"}})
	b.do("POST", "/quarantine/drop", url.Values{"id": {"5"}, "form": {b.form}})
	if len(o.done) != 0 {
		t.Errorf("done all the same: %v", o.done)
	}
}

func TestDecisionsAndBadInput(t *testing.T) {
	o := newOffice()
	b := open(t, o)
	b.signIn()
	post := func(path string, kv ...string) int {
		v := url.Values{"form": {b.form}}
		for i := 0; i < len(kv); i += 2 {
			v.Set(kv[i], kv[i+1])
		}
		return b.do("POST", path, v).Code
	}
	if post("/refuse", "session", "s", "words", "") != 400 || post("/refuse", "session", "s", "words", " \u202e\n ") != 400 {
		t.Error("refused without a reason")
	}
	if post("/refuse", "session", "s", "words", "no\npictures") != 303 || post("/quarantine/retry", "id", "5") != 303 || post("/quarantine/drop", "id", "x") != 400 {
		t.Error("decisions")
	}
	if want := []string{"refuse s no pictures", "retry"}; !slices.Equal(o.done, want) {
		t.Errorf("did %q, want %q", o.done, want)
	}
	for path, want := range map[string]int{
		"/week?of=yesterday": 400, "/week?of=0001-01-01": 400, "/day?member=../..": 400, "/day?member=ffffffffffffffff": 404, "/proof?id=2": 404,
		"/proof?id=-1": 400, "/proof?id=1e3": 400, "/picture?id=1&n=0": 200, "/picture?id=1&n=1": 500, "/picture?id=1&n=9": 404, "/picture?id=1&n=-1": 400,
		"/report?format=exe": 400, "/report?format=pdf": 200, "/nothing": 404,
	} {
		if w := b.do("GET", path, nil); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := b.do("GET", "/picture?id=1&n=0", nil); w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("a picture as %q", w.Header().Get("Content-Type"))
	}
	if w := b.do("POST", "/refuse", url.Values{"form": {b.form}, "words": {strings.Repeat("x", 20<<10)}}); w.Code < 400 {
		t.Errorf("20 KiB of form: %d", w.Code)
	}
}
