package blossomtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// upload: bytes are stored under their hash, the descriptor says so, and the
// same upload again is a success.
func (s *suite) upload(t *testing.T) {
	b := newBlob(300_000)
	for i, want := range []int{http.StatusCreated, http.StatusOK} {
		r := s.put(t, s.Owner, b)
		if !success(r.status) || s.Hub && r.status != want {
			t.Fatalf("upload %d: %d %s", i, r.status, r.header.Get("X-Reason"))
		}
		var d struct {
			URL      string
			SHA256   string
			Size     int64
			Type     string
			Uploaded int64
		}
		if err := json.Unmarshal(r.body, &d); err != nil {
			t.Fatalf("descriptor: %v in %.200q", err, r.body)
		}
		if d.SHA256 != b.hash || d.Size != int64(len(b.data)) || !strings.Contains(d.URL, b.hash) || d.Uploaded <= 0 {
			t.Errorf("descriptor %+v does not describe the blob", d)
		}
	}
	if r := s.get(t, s.Owner, b); r.status != http.StatusOK || !bytes.Equal(r.body, b.data) {
		t.Errorf("GET: %d and %d bytes, want the same %d", r.status, len(r.body), len(b.data))
	}
	oneOf(t, "after DELETE, DELETE", s.remove(t, s.Owner, b).status, http.StatusOK, http.StatusNoContent)
	token := bearer(s.sign(s.Owner, "upload", b.hash))
	for range 2 { // a token is not single use
		if r := s.put(t, s.Owner, b, "Authorization", token); !success(r.status) {
			t.Errorf("upload after a deletion: %d", r.status)
		}
	}
	s.remove(t, s.Owner, b)
}

// uploadHead: HEAD /upload says whether an upload would be taken (BUD-06).
// Servers may leave it out.
func (s *suite) uploadHead(t *testing.T) {
	b := newBlob(64)
	head := func(size string, k Signer) int {
		return s.ask(t, http.MethodHead, "/upload", nil, "Authorization", bearer(s.sign(k, "upload", b.hash)),
			"X-SHA-256", b.hash, "X-Content-Length", size, "X-Content-Type", "application/octet-stream").status
	}
	got := head("300000", s.Owner)
	if !s.Hub && (got == 404 || got == 405 || got == 501) {
		t.Skip("not offered")
	}
	if !success(got) {
		t.Errorf("HEAD /upload: %d", got)
	}
	oneOf(t, "1 TiB", head("1099511627776", s.Owner), 413)
	if s.Hub {
		oneOf(t, "no X-Content-Length", head("", s.Owner), 411)
		oneOf(t, "stranger", head("300000", s.stranger), 403)
		oneOf(t, "not a number", head("many", s.Owner), 400)
	}
}

// uploadHash: what is stored has the hash that was announced.
func (s *suite) uploadHash(t *testing.T) {
	named, sent := newBlob(5_000), newBlob(5_000)
	r := s.put(t, s.Owner, blob{sent.data, named.hash})
	oneOf(t, "other bytes", r.status, 400, 409)
	if s.Hub {
		oneOf(t, "other bytes", r.status, 409)
	}
	s.absent(t, "other bytes", s.Owner, named)
	s.absent(t, "other bytes, own hash", s.Owner, sent)
	r = s.put(t, s.Owner, sent, "X-SHA-256", named.hash)
	if success(r.status) {
		t.Error("X-SHA-256 that differs from the token's x: accepted")
	}
	s.absent(t, "X-SHA-256 that differs", s.Owner, named)
}

// uploadHeaders: the hub wants to know the hash beforehand and takes no
// encoded bodies; it does not believe what type the bytes are said to have.
func (s *suite) uploadHeaders(t *testing.T) {
	b := newBlob(100)
	token := bearer(s.sign(s.Owner, "upload", b.hash))
	send := func(headers ...string) reply {
		return s.ask(t, http.MethodPut, "/upload", bytes.NewReader(b.data), append(headers, "Authorization", token)...)
	}
	oneOf(t, "no X-SHA-256", send().status, 400, 401)
	oneOf(t, "short X-SHA-256", send("X-SHA-256", b.hash[:62]).status, 400, 401)
	oneOf(t, "Content-Encoding", send("X-SHA-256", b.hash, "Content-Encoding", "gzip").status, 400)
	for _, kind := range []string{"text/html", "image/svg+xml"} {
		if r := send("X-SHA-256", b.hash, "Content-Type", kind); !success(r.status) {
			t.Errorf("%s: %d", kind, r.status)
		}
		if got := s.get(t, s.Owner, b).header.Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("%s is served as %s", kind, got)
		}
	}
	s.remove(t, s.Owner, b)
}

// uploadLength: the declared length is never believed, and never reserved.
func (s *suite) uploadLength(t *testing.T) {
	b := newBlob(2_000)
	for _, c := range []struct {
		name   string
		length string
		body   []byte
		hub    []int // 0: the connection may end without an answer
	}{
		{"zero", "Content-Length: 0", nil, []int{400}},
		{"absent", "Transfer-Encoding: chunked", []byte("0\r\n\r\n"), []int{411}},
		{"1 TiB", "Content-Length: 1099511627776", nil, []int{413}},
		{"longer than the body", "Content-Length: 2001", b.data, []int{400, 0}},
		{"shorter than the body", "Content-Length: 1999", b.data, []int{400, 409}},
		{"negative", "Content-Length: -1", b.data, []int{400}},
		{"not a number", "Content-Length: 2e3", b.data, []int{400}},
		{"two", "Content-Length: 2000\r\nContent-Length: 1", b.data, []int{400}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := s.raw(t, c.length, b.hash, c.body)
			if success(status) {
				t.Errorf("accepted with %d", status)
			}
			if s.Hub {
				oneOf(t, "status", status, c.hub...)
			}
			s.absent(t, c.name, s.Owner, b)
		})
	}
}

// raw uploads over a socket of its own and returns the status, 0 when the
// server hung up. The writing half is closed after the body.
func (s *suite) raw(t *testing.T, length, hash string, body []byte) int {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "http" {
		t.Skip("raw requests are sent without TLS only")
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "PUT /upload HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nX-SHA-256: %s\r\nContent-Type: application/octet-stream\r\n%s\r\n\r\n",
		u.Host, bearer(s.sign(s.Owner, "upload", hash)), hash, length)
	_, _ = c.Write(body) // a server that refuses at once may have hung up
	if body != nil {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// uploadAbort: an upload that ends at 99 % leaves nothing behind, and the
// whole upload afterwards works.
func (s *suite) uploadAbort(t *testing.T) {
	b := newBlob(200_000)
	body := io.MultiReader(bytes.NewReader(b.data[:198_000]), broken{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/upload", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(b.data))
	req.Header.Set("Authorization", bearer(s.sign(s.Owner, "upload", b.hash)))
	req.Header.Set("X-SHA-256", b.hash)
	if resp, err := s.HTTP.Do(req); err == nil {
		resp.Body.Close()
		if success(resp.StatusCode) {
			t.Errorf("cut at 99 %%: %d", resp.StatusCode)
		}
	}
	s.absent(t, "cut at 99 %", s.Owner, b)
	s.have(t, s.Owner, b)
	s.remove(t, s.Owner, b)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// uploadTogether: many uploads of one blob at once end in one blob. A server
// may send some of them away for a while.
func (s *suite) uploadTogether(t *testing.T) {
	b := newBlob(100_000)
	status := make([]int, 12)
	var uploads sync.WaitGroup
	for i := range status {
		uploads.Go(func() {
			r, err := s.try(t, http.MethodPut, "/upload", bytes.NewReader(b.data),
				"Authorization", bearer(s.sign(s.Owner, "upload", b.hash)), "X-SHA-256", b.hash)
			if err == nil {
				status[i] = r.status
			}
		})
	}
	uploads.Wait()
	stored := 0
	for i, got := range status {
		oneOf(t, "upload "+strconv.Itoa(i), got, 200, 201, 202, 204, 429)
		if success(got) {
			stored++
		}
	}
	if r := s.get(t, s.Owner, b); stored == 0 || !bytes.Equal(r.body, b.data) {
		t.Errorf("%d uploads succeeded; GET: %d and %d bytes", stored, r.status, len(r.body))
	}
	s.remove(t, s.Owner, b)
}
