package blossomtest

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// read: HEAD is GET without the bytes; the length is exact, nothing is
// compressed, and what is not there is 404.
func (s *suite) read(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(4_096))
	get := s.get(t, s.Owner, b, "Accept-Encoding", "identity")
	head := s.ask(t, http.MethodHead, "/"+b.hash, nil, "Authorization", bearer(s.sign(s.Owner, "get", b.hash)), "Accept-Encoding", "identity")
	if get.status != 200 || head.status != 200 || !bytes.Equal(get.body, b.data) {
		t.Fatalf("GET %d with %d bytes, HEAD %d", get.status, len(get.body), head.status)
	}
	if got := get.header.Get("Content-Length"); got != strconv.Itoa(len(b.data)) {
		t.Errorf("GET: Content-Length %q", got)
	}
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Etag", "Accept-Ranges"} {
		if get.header.Get(name) != head.header.Get(name) {
			t.Errorf("%s: %q on GET, %q on HEAD", name, get.header.Get(name), head.header.Get(name))
		}
	}
	if got := get.header.Get("Content-Encoding"); got != "" {
		t.Errorf("Content-Encoding %q", got)
	}
	s.absent(t, "never uploaded", s.Owner, newBlob(10))
	s.remove(t, s.Owner, b)
}

// readPaths: a blob has one name, with or without an extension.
func (s *suite) readPaths(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(100))
	token := bearer(s.sign(s.Owner, "get", b.hash))
	get := func(path string) reply { return s.ask(t, http.MethodGet, path, nil, "Authorization", token) }
	for _, path := range []string{"/" + b.hash, "/" + b.hash + ".bin"} {
		if r := get(path); r.status != 200 || !bytes.Equal(r.body, b.data) {
			t.Errorf("GET %s: %d", path, r.status)
		}
	}
	// nak asks for //hash.
	if r := get("//" + b.hash); s.Hub && (r.status != 200 || !bytes.Equal(r.body, b.data)) {
		t.Errorf("GET //hash: %d", r.status)
	}
	for name, path := range map[string]string{
		"63": "/" + b.hash[:63], "65": "/" + b.hash + "0", "up": "/%2e%2e/" + b.hash, "passwd": "/%2e%2e/%2e%2e/etc/passwd", "NUL": "/" + b.hash + "%00",
		"in a folder": "/x/" + b.hash, "backslash": "/..%5c" + b.hash, "not hex": "/" + strings.Repeat("zz", 32),
	} {
		oneOf(t, name, get(path).status, 400, 401, 403, 404)
	}
	if r := get("/" + strings.ToUpper(b.hash)); success(r.status) && !bytes.Equal(r.body, b.data) {
		t.Errorf("upper case: %d with other bytes", r.status)
	}
	s.remove(t, s.Owner, b)
}

// readRanges: one range, or all of it.
func (s *suite) readRanges(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	r := s.get(t, s.Owner, b, "Range", "bytes=-1")
	if r.status == 200 && !s.Hub {
		s.remove(t, s.Owner, b)
		t.Skip("ranges are not offered")
	}
	if r.status != 206 || !bytes.Equal(r.body, b.data[999:]) {
		t.Errorf("the last byte: %d with %d bytes", r.status, len(r.body))
	}
	if r := s.get(t, s.Owner, b, "Range", "bytes=100-199"); r.status != 206 || !bytes.Equal(r.body, b.data[100:200]) {
		t.Errorf("bytes 100-199: %d with %d bytes", r.status, len(r.body))
	}
	oneOf(t, "beyond the end", s.get(t, s.Owner, b, "Range", "bytes=1000000000000000000-").status, 416)
	many := "bytes=0-1" + strings.Repeat(",4-5", 999)
	if r := s.get(t, s.Owner, b, "Range", many); s.Hub && r.status != 416 && (r.status != 200 || !bytes.Equal(r.body, b.data)) {
		t.Errorf("1000 ranges: %d with %d bytes, want all of it", r.status, len(r.body))
	}
	s.remove(t, s.Owner, b)
}

// delete: the owner's token deletes, nobody else's does.
func (s *suite) delete(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	for name, k := range map[string]Signer{"stranger": s.stranger, "other member": s.Other} {
		oneOf(t, name, s.remove(t, k, b).status, 401, 403, 404)
	}
	oneOf(t, "no token", s.ask(t, http.MethodDelete, "/"+b.hash, nil).status, 401)
	if r := s.get(t, s.Owner, b); !bytes.Equal(r.body, b.data) {
		t.Fatalf("somebody else deleted it: %d", r.status)
	}
	oneOf(t, "owner", s.remove(t, s.Owner, b).status, 200, 204)
	s.absent(t, "deleted", s.Owner, b)
	if r := s.remove(t, s.Owner, b); s.Hub {
		oneOf(t, "twice", r.status, 404)
	}
}

// deleteTwoHashes: a token that names two blobs deletes the one in the path at most.
func (s *suite) deleteTwoHashes(t *testing.T) {
	a, b := s.have(t, s.Owner, newBlob(100)), s.have(t, s.Owner, newBlob(100))
	s.ask(t, http.MethodDelete, "/"+a.hash, nil, "Authorization", bearer(s.sign(s.Owner, "delete", a.hash, add("x", b.hash))))
	if r := s.get(t, s.Owner, b); !bytes.Equal(r.body, b.data) {
		t.Errorf("the other one went too: %d", r.status)
	}
	s.remove(t, s.Owner, a)
	s.remove(t, s.Owner, b)
}

// strangers: a key that is not a member is refused in one way, whatever it asks for.
func (s *suite) strangers(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	for name, about := range map[string]blob{"a blob that is there": b, "one that is not": newBlob(1_000)} {
		oneOf(t, "PUT "+name, s.put(t, s.stranger, about).status, 403)
		oneOf(t, "GET "+name, s.get(t, s.stranger, about).status, 403)
		oneOf(t, "DELETE "+name, s.remove(t, s.stranger, about).status, 403)
	}
	s.remove(t, s.Owner, b)
}

// hubHeaders: what a browser is told about these bytes, and when they go.
func (s *suite) hubHeaders(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(100))
	r := s.get(t, s.Owner, b)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'", "Referrer-Policy": "no-referrer", "Cache-Control": "private, no-store",
		"Content-Type": "application/octet-stream", "Content-Disposition": "attachment", "Accept-Ranges": "bytes", "ETag": `"` + b.hash + `"`, "Last-Modified": "",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	sunset, err := http.ParseTime(r.header.Get("Sunset"))
	if left := time.Until(sunset); err != nil || left < time.Hour {
		t.Errorf("Sunset %q: %v left, %v", r.header.Get("Sunset"), left, err)
	}
	r = s.ask(t, http.MethodOptions, "/upload", nil)
	oneOf(t, "OPTIONS", r.status, 204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, *",
		"Access-Control-Allow-Methods": "GET, HEAD, PUT, DELETE", "Access-Control-Max-Age": "86400",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("OPTIONS, %s: %q, want %q", name, got, want)
		}
	}
	s.remove(t, s.Owner, b)
}

// hubOff: what the hub does not do, it does not do for anybody.
func (s *suite) hubOff(t *testing.T) {
	token := bearer(s.sign(s.Owner, "upload", strings.Repeat("ab", 32)))
	for path, method := range map[string]string{
		"/mirror": http.MethodPut, "/media": http.MethodPut, "/report": http.MethodPut, "/list/" + s.Owner.Public().String(): http.MethodGet,
	} {
		r := s.ask(t, method, path, strings.NewReader(`{"url":"http://127.0.0.1/"}`), "Authorization", token)
		oneOf(t, method+" "+path, r.status, 404)
	}
}

// hubOwners: members do not see each other's blobs; a blob of two owners stays
// until both have deleted it.
func (s *suite) hubOwners(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	s.absent(t, "another member's blob", s.Other, b)
	s.have(t, s.Other, b)
	oneOf(t, "first owner deletes", s.remove(t, s.Owner, b).status, 204)
	s.absent(t, "after own deletion", s.Owner, b)
	if r := s.get(t, s.Other, b); !bytes.Equal(r.body, b.data) {
		t.Errorf("the second owner lost it: %d", r.status)
	}
	oneOf(t, "second owner deletes", s.remove(t, s.Other, b).status, 204)
	s.absent(t, "after both", s.Other, b)
}

// hubPossession: knowing a hash is not having the blob.
func (s *suite) hubPossession(t *testing.T) {
	b, guess := s.have(t, s.Owner, newBlob(1_000)), newBlob(1_000)
	oneOf(t, "a known hash, other bytes", s.put(t, s.Other, blob{guess.data, b.hash}).status, 409)
	s.absent(t, "a guessed blob", s.Other, b)
	s.remove(t, s.Owner, b)
}

// hubDVM: the DVM fetches and deletes what its members uploaded.
func (s *suite) hubDVM(t *testing.T) {
	b := s.have(t, s.Owner, newBlob(1_000))
	if r := s.get(t, s.DVM, b); !bytes.Equal(r.body, b.data) {
		t.Errorf("GET: %d with %d bytes", r.status, len(r.body))
	}
	oneOf(t, "DELETE", s.remove(t, s.DVM, b).status, 204)
	s.absent(t, "deleted by the DVM", s.Owner, b)
}
