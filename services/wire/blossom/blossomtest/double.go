package blossomtest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/wire/event"
)

// Double is an honest Blossom server in memory, for tests of what talks to
// one. Every key may upload up to 64 MiB; reading needs a token of any key.
type Double struct {
	URL string

	mu    sync.Mutex // guards what follows
	blobs map[string]stored
	seen  []string // method and path of every request, in order
}

type stored struct {
	data  []byte
	owner map[string]bool
}

// NewDouble starts a Double on 127.0.0.1. It ends with the test.
func NewDouble(t testing.TB) *Double {
	d := &Double{blobs: map[string]stored{}}
	srv := httptest.NewServer(d)
	d.URL = srv.URL
	t.Cleanup(srv.Close)
	return d
}

// Put stores bytes without an upload.
func (d *Double) Put(data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.blobs[sum(data)] = stored{data, map[string]bool{}}
}

// Requests returns method and path of every request so far.
func (d *Double) Requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.seen...)
}

var blobPath = regexp.MustCompile(`^/([0-9a-f]{64})(\.[a-z0-9]{1,10})?$`)

// ServeHTTP answers one request.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.seen = append(d.seen, r.Method+" "+r.URL.Path)
	d.mu.Unlock()
	hash, verb := r.Header.Get("X-SHA-256"), "upload"
	if r.URL.Path != "/upload" {
		m := blobPath.FindStringSubmatch(r.URL.Path)
		if m == nil {
			refuse(w, http.StatusNotFound, "no such path")
			return
		}
		hash, verb = m[1], map[string]string{http.MethodGet: "get", http.MethodHead: "get", http.MethodDelete: "delete"}[r.Method]
	}
	key, err := d.authorize(r, verb, hash)
	if err != nil {
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	switch {
	case verb == "upload":
		d.upload(w, r, key, hash)
	case verb == "delete":
		d.remove(w, key, hash)
	default:
		d.serve(w, r, hash)
	}
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("X-Reason", reason)
	w.WriteHeader(status)
}

// authorize checks a token (BUD-11) and returns its key.
func (d *Double) authorize(r *http.Request, verb, hash string) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Nostr") {
		return "", fmt.Errorf("no token")
	}
	token = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(token), "=")
	b, err := base64.RawStdEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", fmt.Errorf("token is not base64")
	}
	e, err := event.Parse(b)
	if err == nil {
		err = event.Verify(e)
	}
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	now := time.Now().Unix()
	expires, _, _ := event.Single(e, "expiration")
	until, err := strconv.ParseInt(expires, 10, 64)
	t, _, _ := event.Single(e, "t")
	if err != nil || until <= now || e.Kind != 24242 || int64(e.CreatedAt) > now+60 || t != verb {
		return "", fmt.Errorf("token is for something else or another time")
	}
	server, bound, _ := event.Single(e, "server")
	host, _, _ := strings.Cut(strings.TrimPrefix(d.URL, "http://"), ":")
	if bound && server != host {
		return "", fmt.Errorf("token is for another server")
	}
	for _, tag := range e.Tags {
		if tag[0] == "x" && len(tag) > 1 && tag[1] == hash {
			return e.PubKey, nil
		}
	}
	return "", fmt.Errorf("token is for another blob")
}

const doubleMax = 64 << 20

func (d *Double) upload(w http.ResponseWriter, r *http.Request, key, hash string) {
	size, status := r.ContentLength, http.StatusOK
	if r.Method == http.MethodHead {
		var err error
		if size, err = strconv.ParseInt(r.Header.Get("X-Content-Length"), 10, 64); err != nil {
			size = -1
		}
	}
	switch {
	case size < 0:
		status = http.StatusLengthRequired
	case size == 0:
		status = http.StatusBadRequest
	case size > doubleMax:
		status = http.StatusRequestEntityTooLarge
	}
	if status != http.StatusOK || r.Method == http.MethodHead {
		refuse(w, status, "")
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "body ended early")
		return
	}
	if sum(data) != hash {
		refuse(w, http.StatusConflict, "other bytes")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	b, known := d.blobs[hash]
	if !known {
		b, status = stored{data, map[string]bool{}}, http.StatusCreated
		d.blobs[hash] = b
	}
	b.owner[key] = true
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"url":"%s/%s.bin","sha256":"%s","size":%d,"type":"application/octet-stream","uploaded":%d}`, d.URL, hash, hash, len(data), time.Now().Unix())
}

func (d *Double) remove(w http.ResponseWriter, key, hash string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.blobs[hash]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "not here")
	case !b.owner[key]:
		refuse(w, http.StatusForbidden, "not yours")
	default:
		delete(d.blobs, hash)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (d *Double) serve(w http.ResponseWriter, r *http.Request, hash string) {
	d.mu.Lock()
	b, ok := d.blobs[hash]
	d.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "not here")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Sunset", time.Now().Add(14*24*time.Hour).UTC().Format(http.TimeFormat))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.data))
}

// Has tells whether a blob is stored.
func (d *Double) Has(hash [32]byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.blobs[hex.EncodeToString(hash[:])]
	return ok
}
