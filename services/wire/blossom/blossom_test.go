package blossom_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/pow"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/blossom/blossomtest"
	"pow.do/services/wire/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var device = blossomtest.NewKey("device")

// client makes one with connections of its own; keep-alive is off, so that
// nothing is left when a test ends.
func client(change ...func(*blossom.Config)) *blossom.Client {
	c := blossom.Config{Key: device, HTTP: &http.Client{Transport: &http.Transport{
		DisableCompression: true, DisableKeepAlives: true, ExpectContinueTimeout: 5 * time.Second,
	}}}
	for _, f := range change {
		f(&c)
	}
	return blossom.New(c)
}

func sealed(n int) (pow.Sealed, []byte) {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return pow.Sealed{Hash: sha256.Sum256(b), Size: int64(n), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	}}, b
}

// place checks that err is a PlaceError and returns it.
func place(t *testing.T, err error) pow.PlaceError {
	t.Helper()
	var p *pow.PlaceError
	if !errors.As(err, &p) {
		t.Fatalf("%v (%T) is not a PlaceError", err, err)
	}
	return *p
}

func TestRoundTrip(t *testing.T) {
	d, c := blossomtest.NewDouble(t), client()
	for _, n := range []int{1, 1000, 300_000, 3_000_000} {
		s, b := sealed(n)
		if _, err := c.Put(t.Context(), d.URL, s); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		ok, sunset, err := c.Has(t.Context(), d.URL, s.Hash)
		if err != nil || !ok || time.Until(sunset) < 13*24*time.Hour {
			t.Errorf("has: %v %v %v", ok, sunset, err)
		}
		var got bytes.Buffer
		if err := c.Get(t.Context(), d.URL, s.Hash, s.Size, &got); err != nil || !bytes.Equal(got.Bytes(), b) {
			t.Errorf("get: %v, %d bytes", err, got.Len())
		}
		if err := c.Delete(t.Context(), d.URL, s.Hash); err != nil {
			t.Errorf("delete: %v", err)
		}
		if ok, _, err := c.Has(t.Context(), d.URL, s.Hash); ok || err != nil {
			t.Errorf("has after delete: %v %v", ok, err)
		}
		if err := c.Get(t.Context(), d.URL, s.Hash, s.Size, io.Discard); !errors.Is(err, pow.ErrBlobMissing) {
			t.Errorf("get after delete: %v", err)
		}
		if err := c.Delete(t.Context(), d.URL, s.Hash); !errors.Is(err, pow.ErrBlobMissing) {
			t.Errorf("delete twice: %v", err)
		}
		asked := slices.Contains(d.Requests(), "HEAD /upload")
		if want := n > 256<<10; asked != want {
			t.Errorf("%d bytes: asked first is %v", n, asked)
		}
	}
	if err := c.Probe(t.Context(), d.URL, 1<<20); err != nil {
		t.Errorf("probe: %v", err)
	}
	if p := place(t, c.Probe(t.Context(), d.URL, 1<<40)); p.Code != "too-large" || p.State != pow.PlaceRefused {
		t.Errorf("probe of 1 TiB: %+v", p)
	}
}

// What an answer to an upload means (protocol §8).
func TestPutAnswers(t *testing.T) {
	s, _ := sealed(1000)
	hash := s.Hash.String()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		state  pow.PlaceState
		code   pow.Code
		wait   time.Duration
	}{
		"200 other hash":   {blossomtest.Descriptor(strings.Repeat("ab", 32), 1000), pow.PlaceRefused, "bad-descriptor", 0},
		"200 other size":   {blossomtest.Descriptor(hash, 999), pow.PlaceRefused, "bad-descriptor", 0},
		"200 upper case":   {blossomtest.Descriptor(strings.ToUpper(hash), 1000), pow.PlaceRefused, "bad-descriptor", 0},
		"200 HTML":         {blossomtest.Page(200), pow.PlaceWait, "server-error", 0},
		"200 empty":        {blossomtest.Status(200), pow.PlaceWait, "server-error", 0},
		"203":              {blossomtest.Status(203), pow.PlaceWait, "server-error", 0},
		"301":              {blossomtest.Status(301, "Location", "http://127.0.0.1:1/upload"), pow.PlaceRefused, "refused", 0},
		"307":              {blossomtest.Status(307, "Location", "http://127.0.0.1:1/upload"), pow.PlaceRefused, "refused", 0},
		"400":              {blossomtest.Status(400), pow.PlaceRefused, "refused", 0},
		"401":              {blossomtest.Status(401), pow.PlacePaused, "clock", time.Hour},
		"402":              {blossomtest.Status(402), pow.PlaceRefused, "payment", 0},
		"403":              {blossomtest.Status(403), pow.PlacePaused, "not-admitted", time.Hour},
		"404":              {blossomtest.Status(404), pow.PlaceRefused, "refused", 0},
		"405":              {blossomtest.Status(405), pow.PlaceRefused, "refused", 0},
		"409":              {blossomtest.Status(409), pow.PlaceRefused, "conflict", 0},
		"411":              {blossomtest.Status(411), pow.PlaceRefused, "refused", 0},
		"413":              {blossomtest.Status(413), pow.PlaceRefused, "too-large", 0},
		"415":              {blossomtest.Status(415), pow.PlaceRefused, "refused", 0},
		"429":              {blossomtest.Status(429), pow.PlaceWait, "server-error", 0},
		"429, 90 s":        {blossomtest.Status(429, "Retry-After", "90"), pow.PlaceWait, "server-error", 90 * time.Second},
		"503, a day":       {blossomtest.Status(503, "Retry-After", "86400"), pow.PlaceWait, "server-error", time.Hour},
		"500":              {blossomtest.Status(500), pow.PlaceWait, "unknown-result", 0},
		"502 HTML":         {blossomtest.Page(502), pow.PlaceWait, "unknown-result", 0},
		"507":              {blossomtest.Status(507), pow.PlaceWait, "unknown-result", 0},
		"408":              {blossomtest.Status(408), pow.PlaceWait, "unknown-result", 0},
		"204, not there":   {noContent(404), pow.PlaceRefused, "bad-descriptor", 0},
		"202, other bytes": {noContent(200), pow.PlaceRefused, "bad-descriptor", 0},
	} {
		_, err := client().Put(t.Context(), blossomtest.Hostile(t, c.answer), s)
		p := place(t, err)
		if p.State != c.state || p.Code != c.code || p.Wait != c.wait {
			t.Errorf("%s: %+v", name, p)
		}
		if strings.ContainsAny(p.Answer, "\u202e\u200b") || len([]rune(p.Answer)) > 200 {
			t.Errorf("%s: the server's text is not clean: %q", name, p.Answer)
		}
	}
}

// noContent answers PUT with 204 and HEAD of the blob with a status.
func noContent(head int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(head)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}
}

// 201, 202 and 204 are successes; where there is no descriptor, the server is
// asked whether it has the blob.
func TestPutSuccess(t *testing.T) {
	s, b := sealed(300_000)
	for _, code := range []int{200, 201, 202, 204} {
		url := blossomtest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodHead && r.URL.Path == "/upload":
				w.WriteHeader(http.StatusMethodNotAllowed) // not offered: PUT all the same
			case r.Method == http.MethodHead:
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
			default:
				got, _ := io.ReadAll(r.Body)
				if r.ContentLength != s.Size || !bytes.Equal(got, b) || r.Header.Get("X-SHA-256") != s.Hash.String() || r.Header.Get("Expect") != "100-continue" {
					t.Errorf("%d: PUT %d bytes, %v", code, len(got), r.Header)
				}
				w.WriteHeader(code)
				if code < 202 {
					blossomtest.Descriptor(s.Hash.String(), s.Size)(w, &http.Request{})
				}
			}
		})
		if _, err := client().Put(t.Context(), url, s); err != nil {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// A refusal of HEAD /upload ends the matter before a byte is sent.
func TestPutAsksFirst(t *testing.T) {
	s, _ := sealed(300_000)
	for code, want := range map[int]pow.Code{402: "payment", 403: "not-admitted", 413: "too-large", 503: "server-error", 307: "refused"} {
		url := blossomtest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead {
				t.Errorf("%d: %s all the same", code, r.Method)
			}
			w.WriteHeader(code)
		})
		_, err := client().Put(t.Context(), url, s)
		if p := place(t, err); p.Code != want {
			t.Errorf("%d: %+v", code, p)
		}
	}
	if err := client().Probe(t.Context(), blossomtest.Hostile(t, blossomtest.Status(404)), 1); !errors.Is(err, blossom.ErrNotOffered) {
		t.Errorf("probe: %v", err)
	}
}

// 409 with the right bytes is tried once more; with wrong bytes it is the own disk.
func TestPutConflict(t *testing.T) {
	s, b := sealed(1000)
	tries := 0
	url := blossomtest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusConflict)
			return
		}
		blossomtest.Descriptor(s.Hash.String(), s.Size)(w, r)
	})
	if _, err := client().Put(t.Context(), url, s); err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	for name, damaged := range map[string][]byte{"flipped": append([]byte{b[0] ^ 1}, b[1:]...), "short": b[:999], "long": append(slices.Clone(b), 0)} {
		bad := s
		bad.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(damaged)), nil }
		for _, answer := range []http.HandlerFunc{blossomtest.Status(409), blossomtest.Descriptor(s.Hash.String(), s.Size)} {
			if _, err := client().Put(t.Context(), blossomtest.Hostile(t, answer), bad); !errors.Is(err, pow.ErrHashMismatch) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	disk := errors.New("input/output error")
	bad := s
	bad.Open = func() (io.ReadCloser, error) { return nil, disk }
	if _, err := client().Put(t.Context(), blossomtest.NewDouble(t).URL, bad); !errors.Is(err, disk) {
		t.Errorf("unreadable: %v", err)
	}
}

// The reply is lost: the server is asked, and only "absent" means again (F13).
func TestPutLostReply(t *testing.T) {
	for _, acted := range []bool{true, false} {
		s, _ := sealed(1000)
		d := blossomtest.NewDouble(t)
		url := blossomtest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				d.ServeHTTP(w, r)
				return
			}
			b, _ := io.ReadAll(r.Body)
			if acted {
				d.Put(b)
			}
			panic(http.ErrAbortHandler)
		})
		_, err := client().Put(t.Context(), url, s)
		if acted && err != nil {
			t.Errorf("stored, reply lost: %v", err)
		}
		if !acted && place(t, err).Code != "unknown-result" {
			t.Errorf("not stored: %v", err)
		}
	}
}

// A clock that is off is corrected from the server's Date, once, and stays so.
func TestClock(t *testing.T) {
	d := blossomtest.NewDouble(t)
	s, _ := sealed(1000)
	for name, off := range map[string]time.Duration{"an hour ahead": time.Hour, "a day behind": -24 * time.Hour} {
		before := len(d.Requests())
		c := client(func(c *blossom.Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
		for range 2 {
			if _, err := c.Put(t.Context(), d.URL, s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := len(d.Requests()) - before; got != 3 {
			t.Errorf("%s: %d requests, want a refused one and two uploads", name, got)
		}
	}
	tries := 0
	url := blossomtest.Hostile(t, func(w http.ResponseWriter, _ *http.Request) { tries++; w.WriteHeader(http.StatusUnauthorized) })
	if ok, _, err := client().Has(t.Context(), url, s.Hash); ok || place(t, err).State != pow.PlacePaused || tries != 1 {
		t.Errorf("401 with the right time: %v after %d tries", err, tries)
	}
}

// BL-24: nothing wrong gets through, and nothing more than the size is written.
func TestGetLies(t *testing.T) {
	s, b := sealed(100_000)
	for name, lie := range blossomtest.Lies(b) {
		var got bytes.Buffer
		err := client().Get(t.Context(), blossomtest.Hostile(t, lie), s.Hash, s.Size, &got)
		if err == nil || got.Len() > len(b) || retry.IsPermanent(err) {
			t.Errorf("%s: %v, %d bytes written", name, err, got.Len())
		}
		var p *pow.PlaceError
		if !errors.Is(err, pow.ErrHashMismatch) && !errors.As(err, &p) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for code, want := range map[int]pow.Code{301: "refused", 302: "refused", 402: "payment", 403: "not-admitted", 500: "unknown-result", 503: "server-error"} {
		err := client().Get(t.Context(), blossomtest.Hostile(t, blossomtest.Status(code, "Location", "http://127.0.0.1:1/")), s.Hash, s.Size, io.Discard)
		if p := place(t, err); p.Code != want {
			t.Errorf("%d: %+v", code, p)
		}
	}
	full := errors.New("disk full")
	err := client().Get(t.Context(), blossomtest.Hostile(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }), s.Hash, s.Size, broken{full})
	if !errors.Is(err, full) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestRefusesSizes(t *testing.T) {
	s, _ := sealed(10)
	for _, n := range []int64{0, -1, pow.MaxSealed + 1} {
		s.Size = n
		if _, err := client().Put(t.Context(), "http://127.0.0.1:1", s); !retry.IsPermanent(err) {
			t.Errorf("put of %d: %v", n, err)
		}
		if err := client().Get(t.Context(), "http://127.0.0.1:1", s.Hash, n, io.Discard); !retry.IsPermanent(err) {
			t.Errorf("get of %d: %v", n, err)
		}
	}
}

func TestOffline(t *testing.T) {
	s, _ := sealed(10)
	_, err := client().Put(t.Context(), "http://127.0.0.1:1", s)
	if p := place(t, err); p.State != pow.PlaceWait || p.Code != "offline" {
		t.Errorf("%+v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := client().Has(ctx, "http://127.0.0.1:1", s.Hash); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
