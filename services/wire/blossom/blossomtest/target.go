// Package blossomtest says what a Blossom server must do for pow.do, as a test
// suite, and has two servers for the tests of others.
//
// Run holds any server to BUD-01, 02, 06, 11 and 12 as far as pow.do needs
// them: tokens, streaming uploads that are hashed before they count, downloads
// of the very bytes, deletion by the owner. Target.Hub adds what pow.do's own
// hub makes stricter: reads need a token, members see only their own blobs, the
// DVM those of its members, and everything else is switched off. The suite
// writes its requests with net/http and raw sockets and uses none of the client
// that it helps to test.
//
// Double is an honest server in memory, and passes Run. Hostile serves one lie
// of a list. Both are for tests only and listen on 127.0.0.1.
package blossomtest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Signer holds one secp256k1 key.
type Signer interface {
	Public() pow.Key
	Sign(*event.Event) error
}

// Target is the server to judge. Owner and Other are two devices that may use
// it, DVM is the DVM of both (only asked for with Hub).
type Target struct {
	URL    string // where to dial, https:// or http://, no path
	Server string // what tokens name in their server tag; the host name of URL when empty
	Owner  Signer
	Other  Signer
	DVM    Signer
	HTTP   *http.Client // nil: a client of the suite's own

	// Hub asks for every rule of pow.do's hub, not only for those that any
	// server needs.
	Hub bool
}

// Key is a Signer for tests: its secret is the SHA-256 of a word.
type Key struct {
	secret string
	public pow.Key
}

// NewKey returns the key of a word, the same one every time.
func NewKey(word string) Key {
	s := sha256.Sum256([]byte(word))
	k := Key{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("blossomtest: sign with a hash as the key")
	}
	k.public = event.Author(&e)
	return k
}

// Public returns the x-only public key.
func (k Key) Public() pow.Key { return k.public }

// Sign sets pubkey, id and sig.
func (k Key) Sign(e *event.Event) error { return e.Sign(k.secret) }

// suite is one run of Run.
type suite struct {
	Target
	stranger Key
}

// Run judges a Blossom server. Each rule is a sub-test of its own.
func Run(t *testing.T, target Target) {
	if target.Server == "" {
		u, err := url.Parse(target.URL)
		if err != nil {
			t.Fatal(err)
		}
		target.Server = u.Hostname()
	}
	if target.HTTP == nil {
		transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
		t.Cleanup(transport.CloseIdleConnections)
		target.HTTP = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	s := &suite{Target: target, stranger: NewKey(rand.Text())}
	for _, c := range []struct {
		name string
		hub  bool
		run  func(*testing.T)
	}{
		{"upload", false, s.upload},
		{"upload/head", false, s.uploadHead},
		{"upload/hash", false, s.uploadHash},
		{"upload/length", false, s.uploadLength},
		{"upload/abort", false, s.uploadAbort},
		{"upload/together", false, s.uploadTogether},
		{"upload/headers", true, s.uploadHeaders},
		{"token", false, s.token},
		{"token/base64", false, s.tokenBase64},
		{"token/headers", false, s.tokenHeaders},
		{"token/reads", true, s.tokenReads},
		{"read", false, s.read},
		{"read/paths", false, s.readPaths},
		{"read/ranges", false, s.readRanges},
		{"delete", false, s.delete},
		{"delete/two-hashes", false, s.deleteTwoHashes},
		{"stranger", true, s.strangers},
		{"hub/headers", true, s.hubHeaders},
		{"hub/off", true, s.hubOff},
		{"hub/owners", true, s.hubOwners},
		{"hub/possession", true, s.hubPossession},
		{"hub/dvm", true, s.hubDVM},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.hub && !s.Hub {
				t.Skip("a rule of pow.do's hub")
			}
			c.run(t)
		})
	}
}

// blob is some bytes and their name.
type blob struct {
	data []byte
	hash string
}

// newBlob makes n random bytes, which look like an encrypted archive.
func newBlob(n int) blob {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return blob{b, sum(b)}
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// note is a token before it is signed (BUD-11).
type note = event.Event

// sign makes a token for a verb and a hash, changed on the way.
func (s *suite) sign(k Signer, verb, hash string, change ...func(*note)) *note {
	now := time.Now().Unix()
	e := &note{
		Kind: 24242, CreatedAt: event.Timestamp(now - 30), Content: "test " + verb,
		Tags: event.Tags{{"t", verb}, {"expiration", strconv.FormatInt(now+600, 10)}, {"x", hash}, {"server", s.Server}},
	}
	for _, f := range change {
		f(e)
	}
	if err := k.Sign(e); err != nil {
		panic("blossomtest: a test key did not sign")
	}
	return e
}

// bearer writes a token as it stands in the header.
func bearer(e *note) string {
	return "Nostr " + base64.RawURLEncoding.EncodeToString(event.Marshal(e))
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends one request. Headers are pairs; an empty value leaves a header out.
func (s *suite) ask(t *testing.T, method, path string, body io.Reader, headers ...string) reply {
	t.Helper()
	r, err := s.try(t, method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (s *suite) try(t *testing.T, method, path string, body io.Reader, headers ...string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path // as it is, not cleaned
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	resp, err := s.HTTP.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	return reply{resp.StatusCode, resp.Header, b}, err
}

// put uploads with a right token, unless one is given.
func (s *suite) put(t *testing.T, k Signer, b blob, headers ...string) reply {
	t.Helper()
	if !mentions(headers, "Authorization") {
		headers = append(headers, "Authorization", bearer(s.sign(k, "upload", b.hash)))
	}
	if !mentions(headers, "X-SHA-256") {
		headers = append(headers, "X-SHA-256", b.hash)
	}
	return s.ask(t, http.MethodPut, "/upload", bytes.NewReader(b.data), append(headers, "Content-Type", "application/octet-stream")...)
}

// have uploads and must succeed.
func (s *suite) have(t *testing.T, k Signer, b blob) blob {
	t.Helper()
	if r := s.put(t, k, b); !success(r.status) {
		t.Fatalf("upload: %d %s", r.status, r.header.Get("X-Reason"))
	}
	return b
}

func (s *suite) get(t *testing.T, k Signer, b blob, headers ...string) reply {
	t.Helper()
	return s.ask(t, http.MethodGet, "/"+b.hash, nil, append(headers, "Authorization", bearer(s.sign(k, "get", b.hash)))...)
}

func (s *suite) remove(t *testing.T, k Signer, b blob) reply {
	t.Helper()
	return s.ask(t, http.MethodDelete, "/"+b.hash, nil, "Authorization", bearer(s.sign(k, "delete", b.hash)))
}

// absent checks that the owner cannot get the blob.
func (s *suite) absent(t *testing.T, what string, k Signer, b blob) {
	t.Helper()
	if r := s.get(t, k, b); r.status != http.StatusNotFound {
		t.Errorf("%s: the blob is there all the same (%d)", what, r.status)
	}
}

func mentions(headers []string, name string) bool {
	for i := 0; i < len(headers); i += 2 {
		if strings.EqualFold(headers[i], name) {
			return true
		}
	}
	return false
}

func success(status int) bool { return status >= 200 && status < 300 }

// oneOf checks a status against those that are right.
func oneOf(t *testing.T, what string, got int, want ...int) {
	t.Helper()
	for _, w := range want {
		if got == w {
			return
		}
	}
	t.Errorf("%s: %d, want %v", what, got, want)
}
