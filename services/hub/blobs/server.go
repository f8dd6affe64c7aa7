package blobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pow.do/services/pow"
)

// Defaults of Config.
const (
	DefaultTTL     = 14 * 24 * time.Hour
	DefaultMaxBlob = 64 << 20 // bytes
)

// Members is the whitelist of devices.
type Members interface {
	// DVMOf returns the DVM that a device is a member of. It does not block.
	DVMOf(device pow.Key) (dvm pow.Key, ok bool)
}

// Index knows whose the blobs are. A blob that by may not see does not exist
// for it: pow.ErrNotFound.
type Index interface {
	Blob(ctx context.Context, x pow.Hash, by pow.Key) (size int64, name string, uploaded time.Time, err error)
	// Own records an owner. kept is the name under which the bytes lie from now
	// on; when it is another, those under name are not needed.
	Own(ctx context.Context, x pow.Hash, size int64, name string, device, dvm pow.Key) (kept string, created bool, err error)
	// Renew starts the time of a blob again that device owns already.
	Renew(ctx context.Context, x pow.Hash, device, dvm pow.Key) (size int64, err error)
	// Disown ends the ownership of a device or of all devices of a DVM; orphan
	// tells that the bytes under name are to be removed.
	Disown(ctx context.Context, x pow.Hash, by pow.Key) (name string, orphan bool, err error)
}

// Quota counts what a key uploads.
type Quota interface {
	Stored(ctx context.Context, device pow.Key) (stored, today int64, err error)
	// BeginUpload returns a *pow.Error when there were too many this hour.
	BeginUpload(ctx context.Context, device pow.Key) error
	EndUpload(ctx context.Context, device pow.Key, bytes int64) error
}

// Shelf lists blobs for cleaning up.
type Shelf interface {
	Expired(ctx context.Context, before time.Time, limit int) ([]pow.Hash, error)
	Drop(ctx context.Context, x pow.Hash, before time.Time) (name string, dropped bool, err error)
	Known(ctx context.Context, x pow.Hash, name string) (bool, error)
	// Each calls f for every blob, ordered by hash.
	Each(ctx context.Context, f func(x pow.Hash, name string) error) error
}

// Config is what a server needs. Everything without a default is required.
type Config struct {
	Dir     string // holds tmp/, for uploads under way; made 0700 when missing
	Bytes   Bytes  // where blobs stay; nil: an OpenFolder of Dir
	DVMs    []pow.Key
	Members Members
	Index   Index
	Quota   Quota
	Shelf   Shelf
	Room    func(bytes int64) error // pow.ErrDiskFull when there is no room for so many more
	TTL     time.Duration           // life of a blob after its newest upload; 0: DefaultTTL
	MaxBlob int64                   // bytes; 0: DefaultMaxBlob
	Now     func() time.Time        // nil: time.Now
	Log     *slog.Logger            // nil: slog.Default
}

// Server is an http.Handler for the root of an origin. Set its origins before
// it serves.
type Server struct {
	cfg      Config
	now      func() time.Time
	log      *slog.Logger
	dvms     map[pow.Key]bool
	origins  atomic.Pointer[[]string]
	stopping atomic.Bool
	wake     chan struct{}
	opened   time.Time
	uploads  uploads
	rates    rates
	stats    Stats
	// files guards the step between a file and its row, by first byte of the hash.
	files [256]sync.Mutex
}

// Stats counts since the start.
type Stats struct {
	Uploaded, UploadedBytes atomic.Int64
	Served, Deleted         atomic.Int64
	Expired                 atomic.Int64
	Refused                 Counters // by reason
}

// Open makes the folders and returns a server. Only one server may run on a folder.
func Open(cfg Config) (*Server, error) {
	if cfg.Members == nil || cfg.Index == nil || cfg.Quota == nil || cfg.Shelf == nil || cfg.Room == nil {
		panic("blobs: Members, Index, Quota, Shelf and Room are required")
	}
	s := &Server{cfg: cfg, now: cfg.Now, log: cmp.Or(cfg.Log, slog.Default()), dvms: map[pow.Key]bool{}, wake: make(chan struct{}, 1), opened: time.Now()}
	if s.now == nil {
		s.now = time.Now
	}
	for _, k := range cfg.DVMs {
		s.dvms[k] = true
	}
	s.cfg.TTL = cmp.Or(cfg.TTL, DefaultTTL)
	s.cfg.MaxBlob = cmp.Or(cfg.MaxBlob, DefaultMaxBlob)
	s.uploads.of = map[pow.Key]*flight{}
	s.rates = rates{now: s.now, all: map[string]*bucket{}}
	s.SetOrigins(nil)
	if err := os.MkdirAll(s.tmp(), 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for uploads: %w", err)
	}
	if s.cfg.Bytes == nil {
		folder, err := OpenFolder(cfg.Dir)
		if err != nil {
			return nil, err
		}
		s.cfg.Bytes = folder
	}
	return s, nil
}

func (s *Server) tmp() string { return filepath.Join(s.cfg.Dir, "tmp") }

// lock keeps a file and its row together until it is undone. A bucket needs none:
// there every upload has a name of its own.
func (s *Server) lock(x pow.Hash) (unlock func()) {
	if _, files := s.cfg.Bytes.(*Folder); !files {
		return func() {}
	}
	s.files[x[0]].Lock()
	return s.files[x[0]].Unlock
}

// Ready tells whether new blobs can be kept.
func (s *Server) Ready(ctx context.Context) error { return s.cfg.Bytes.Ready(ctx) }

// SetOrigins says under which origins (http:// or https://, host, port) this
// server is reached; the first one stands in descriptors.
func (s *Server) SetOrigins(origins []string) { s.origins.Store(&origins) }

// names tells whether a server tag means this server: the host of an origin,
// with its port or without.
func (s *Server) names(server string) bool {
	for _, o := range *s.origins.Load() {
		u, err := url.Parse(o)
		if err == nil && server != "" && (strings.EqualFold(server, u.Hostname()) || strings.EqualFold(server, u.Host)) {
			return true
		}
	}
	return false
}

// Stats returns the running counters.
func (s *Server) Stats() *Stats { return &s.stats }

var blobPath = regexp.MustCompile(`^([0-9a-f]{64})(\.[a-z0-9]{1,10})?$`)

// ServeHTTP answers a Blossom request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	commonHeaders(w.Header())
	if r.ContentLength != 0 { // an answer waits for the rest of a small body, but not for ever
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(idleWait))
	}
	from := address(r.RemoteAddr)
	path := strings.TrimLeft(r.URL.Path, "/") // some clients send //<sha256>
	blob := blobPath.FindStringSubmatch(path)
	var err error
	switch {
	case r.Method == http.MethodOptions:
		preflight(w)
	case s.rates.blocked(from): // before any signature is looked at
		s.fail(w, later(http.StatusTooManyRequests, "too many refused requests", rateWait))
		return
	case r.Header.Get("Content-Encoding") != "":
		err = refuse(http.StatusBadRequest, "no Content-Encoding, please")
	case path == "upload":
		err = s.onUpload(w, r)
	case blob != nil:
		x, _ := pow.ParseHash(blob[1])
		err = s.onBlob(w, r, x)
	case len(path) == 64:
		err = refuse(http.StatusBadRequest, "want 64 lower-case hex digits")
	default:
		err = refuse(http.StatusNotFound, "not found")
	}
	if err != nil {
		if s.fail(w, err) < http.StatusInternalServerError {
			s.rates.refused(from)
		}
	}
}

func (s *Server) onUpload(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodPut:
		return s.put(w, r)
	case http.MethodHead:
		return s.preflightUpload(w, r)
	}
	w.Header().Set("Allow", "HEAD, PUT, OPTIONS")
	return refuse(http.StatusMethodNotAllowed, "PUT or HEAD")
}

func (s *Server) onBlob(w http.ResponseWriter, r *http.Request, x pow.Hash) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.get(w, r, x)
	case http.MethodDelete:
		return s.remove(w, r, x)
	}
	w.Header().Set("Allow", "GET, HEAD, DELETE, OPTIONS")
	return refuse(http.StatusMethodNotAllowed, "GET, HEAD or DELETE")
}

func commonHeaders(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-store")
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Headers", "Authorization, *")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, DELETE")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// refusal is an answer other than success. Its reason is for people.
type refusal struct {
	status int
	reason string
	retry  time.Duration
}

func (r *refusal) Error() string { return r.reason }

func refuse(status int, reason string) error { return &refusal{status: status, reason: reason} }

// later refuses for a while (429 or 503).
func later(status int, reason string, wait time.Duration) error {
	return &refusal{status: status, reason: reason, retry: wait}
}

// fail answers with an error and returns the status. What is not a refusal is our
// own fault.
func (s *Server) fail(w http.ResponseWriter, err error) (status int) {
	var r *refusal
	switch {
	case errors.As(err, &r):
	case errors.Is(err, pow.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		r = &refusal{status: http.StatusNotFound, reason: "not found"}
	case errors.Is(err, pow.ErrDiskFull):
		r = &refusal{status: http.StatusServiceUnavailable, reason: "no disk space", retry: 10 * time.Minute}
	default:
		s.log.Error("a request could not be served", "err", nameless(err))
		r = &refusal{status: http.StatusServiceUnavailable, reason: "try again later", retry: time.Minute}
	}
	s.stats.Refused.add(r.reason)
	h := w.Header()
	h.Set("X-Reason", r.reason)
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Nostr")
	}
	if r.retry > 0 {
		h.Set("Retry-After", fmt.Sprint(int64((r.retry+time.Second-1)/time.Second)))
	}
	w.WriteHeader(r.status)
	fmt.Fprintln(w, r.reason)
	return r.status
}

// nameless drops the names of files, which are hashes, from an error.
func nameless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return fmt.Errorf("%s: %w", l.Op, l.Err)
	}
	return err
}
