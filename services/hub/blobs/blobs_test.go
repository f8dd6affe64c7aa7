package blobs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/store"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("POWDO_TEST_UPLOAD"); dir != "" {
		uploadUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

const host = "hub.example.com"

// key signs for tests: its secret is the SHA-256 of a word.
type key struct {
	secret string
	pow.Key
}

func newKey(word string) key {
	s := sha256.Sum256([]byte(word))
	k := key{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("sign with a hash as the key")
	}
	k.Key = event.Author(&e)
	return k
}

var (
	dvm    = newKey("dvm")
	alice  = newKey("alice")
	bob    = newKey("bob")
	other  = newKey("other dvm")
	carol  = newKey("carol") // a member of other
	nobody = newKey("nobody")
)

// world is a server over a real store and a real folder.
type world struct {
	t      testing.TB
	dir    string
	store  *store.Store
	blobs  *blobs.Server
	server *httptest.Server
	client *http.Client
	now    atomic.Int64 // Unix seconds
	free   atomic.Int64 // bytes of the disk
}

func newWorld(t testing.TB, change ...func(*blobs.Config)) *world {
	w := openWorld(t, change...)
	w.server = httptest.NewServer(w.blobs)
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		w.server.Close()
	})
	return w
}

// openWorld is newWorld without a socket.
func openWorld(t testing.TB, change ...func(*blobs.Config)) *world {
	w := &world{t: t, dir: t.TempDir(), client: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}}
	w.now.Store(time.Now().Unix())
	w.free.Store(100 << 30)
	clock := func() time.Time { return time.Unix(w.now.Load(), 0) }
	quiet, dvms := slog.New(slog.DiscardHandler), []pow.Key{dvm.Key, other.Key}
	var err error
	w.store, err = store.Open(context.Background(), store.Config{Path: filepath.Join(w.dir, "hub.db"), DVMs: dvms, Now: clock, Log: quiet,
		Space: func() (int64, int64, error) { return w.free.Load(), 0, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ device, dvm key }{{alice, dvm}, {bob, dvm}, {carol, other}} {
		if err := w.store.Allow(context.Background(), m.device.Key, m.dvm.Key); err != nil {
			t.Fatal(err)
		}
	}
	cfg := blobs.Config{Dir: w.dir, DVMs: dvms, Members: w.store, Index: w.store, Quota: w.store, Shelf: w.store,
		Room: w.store.Disk().Room, Now: clock, Log: quiet}
	for _, f := range change {
		f(&cfg)
	}
	if w.blobs, err = blobs.Open(cfg); err != nil {
		t.Fatal(err)
	}
	w.blobs.SetOrigins([]string{"https://" + host, "http://abc.onion:81"})
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

type blob struct {
	data []byte
	x    pow.Hash
}

func newBlob(n int) blob {
	b := make([]byte, n)
	rand.Read(b)
	return blob{b, sha256.Sum256(b)}
}

// token makes an event of kind 24242, changed before it is signed.
func (w *world) token(k key, verb string, x pow.Hash, change ...func(*event.Event)) *event.Event {
	e := &event.Event{Kind: 24242, CreatedAt: event.Timestamp(w.now.Load() - 30), Content: "test", Tags: event.Tags{
		{"t", verb}, {"expiration", fmt.Sprint(w.now.Load() + 600)}, {"x", x.String()}, {"server", host}}}
	for _, f := range change {
		f(e)
	}
	if err := e.Sign(k.secret); err != nil {
		panic("sign for a test")
	}
	return e
}

func bearer(e *event.Event) string {
	return "Nostr " + base64.RawURLEncoding.EncodeToString(event.Marshal(e))
}

type answer struct {
	*http.Response
	body []byte
}

// do sends a request; headers are pairs.
func (w *world) do(method, path string, body io.Reader, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.server.URL+"/", body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp, b}
}

func (w *world) put(k key, b blob, headers ...string) answer {
	w.t.Helper()
	return w.do("PUT", "/upload", bytes.NewReader(b.data), append(headers, "Authorization", bearer(w.token(k, "upload", b.x)), "X-SHA-256", b.x.String())...)
}

func (w *world) get(k key, x pow.Hash, headers ...string) answer {
	w.t.Helper()
	return w.do("GET", "/"+x.String(), nil, append(headers, "Authorization", bearer(w.token(k, "get", x)))...)
}

func (w *world) remove(k key, x pow.Hash) answer {
	w.t.Helper()
	return w.do("DELETE", "/"+x.String(), nil, "Authorization", bearer(w.token(k, "delete", x)))
}

func (w *world) want(what string, a answer, status int) {
	w.t.Helper()
	if a.StatusCode != status {
		w.t.Errorf("%s: %d %s, want %d", what, a.StatusCode, a.Header.Get("X-Reason"), status)
	}
}

// files lists what lies in a folder and below.
func (w *world) files(dir string) (list []string) {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Join(w.dir, dir), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) wantFiles(what, dir string, n int) {
	w.t.Helper()
	if list := w.files(dir); len(list) != n {
		w.t.Errorf("%s: %d files in %s, want %d", what, len(list), dir, n)
	}
}
