package blobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Limits of uploads.
const (
	maxStored   = 2 << 30 // bytes per device
	maxPerDay   = 5 << 30 // bytes per device
	maxParallel = 4       // uploads of one device at a time
	idleWait    = 30 * time.Second
	slowest     = 1 << 10 // bytes per second, after idleWait
	copyBuffer  = 64 << 10
	contentType = "application/octet-stream" // ciphertext has no other type
)

// descriptor is BUD-02's answer.
type descriptor struct {
	URL      string   `json:"url"`
	SHA256   pow.Hash `json:"sha256"`
	Size     int64    `json:"size"`
	Type     string   `json:"type"`
	Uploaded int64    `json:"uploaded"`
}

// upload is one that passed every check that needs no body.
type upload struct {
	x           pow.Hash
	size        int64
	device, dvm pow.Key
}

// check reads everything about an upload but its body. length is the text of
// the header that says how long the body is or will be.
func (s *Server) check(r *http.Request, length string) (u upload, err error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return u, refuse(http.StatusUnauthorized, "token missing")
	}
	u.x, err = pow.ParseHash(strings.ToLower(r.Header.Get("X-SHA-256")))
	if err != nil {
		return u, refuse(http.StatusBadRequest, "X-SHA-256 missing or malformed")
	}
	if u.device, u.dvm, err = s.authorize(r, "upload", u.x); err != nil {
		return u, err
	}
	if length == "" {
		return u, refuse(http.StatusLengthRequired, "length missing")
	}
	u.size, err = strconv.ParseInt(length, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || u.size > s.cfg.MaxBlob:
		return u, refuse(http.StatusRequestEntityTooLarge, "larger than a blob may be")
	case err != nil || u.size < 1:
		return u, refuse(http.StatusBadRequest, "bad length")
	case s.stopping.Load():
		return u, later(http.StatusServiceUnavailable, "shutting down", 30*time.Second)
	}
	return u, nil
}

// preflightUpload answers HEAD /upload: would this be accepted (BUD-06)?
func (s *Server) preflightUpload(w http.ResponseWriter, r *http.Request) error {
	u, err := s.check(r, r.Header.Get("X-Content-Length"))
	if err != nil {
		return err
	}
	_, _, _, err = s.cfg.Index.Blob(r.Context(), u.x, u.device)
	if errors.Is(err, pow.ErrNotFound) {
		var leave func()
		if leave, err = s.admit(r.Context(), u); err == nil {
			leave()
		}
	}
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	return err
}

// put answers PUT /upload (BUD-02).
func (s *Server) put(w http.ResponseWriter, r *http.Request) error {
	length := ""
	if r.ContentLength >= 0 {
		length = strconv.FormatInt(r.ContentLength, 10)
	}
	u, err := s.check(r, length)
	if err != nil {
		return err
	}
	size, err := s.cfg.Index.Renew(r.Context(), u.x, u.device, u.dvm)
	switch {
	case err == nil: // it has the blob here already: only its time starts again
		u.size = size
		return s.describe(w, u, http.StatusOK)
	case !errors.Is(err, pow.ErrNotFound):
		return err
	}
	leave, err := s.admit(r.Context(), u)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.cfg.Quota.BeginUpload(r.Context(), u.device); err != nil {
		if errors.As(err, new(*pow.Error)) {
			return later(http.StatusTooManyRequests, "too many uploads this hour", 10*time.Minute)
		}
		return err
	}
	return s.receive(w, r, u)
}

// admit checks quotas and free space, other running uploads counted in, and
// reserves a place.
func (s *Server) admit(ctx context.Context, u upload) (leave func(), err error) {
	stored, today, err := s.cfg.Quota.Stored(ctx, u.device)
	if err != nil {
		return nil, err
	}
	running, all, leave := s.uploads.enter(u)
	switch {
	case leave == nil:
		return nil, later(http.StatusTooManyRequests, "too many uploads at once", 5*time.Second)
	case stored+running > maxStored:
		err = later(http.StatusTooManyRequests, "stored as much as one device may", time.Hour)
	case today+running > maxPerDay:
		err = later(http.StatusTooManyRequests, "uploaded as much as one device may in a day", time.Hour)
	default:
		err = s.cfg.Room(all)
	}
	if err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// uploads counts what is on its way.
type uploads struct {
	mu  sync.Mutex
	of  map[pow.Key]*flight
	all int64 // bytes announced
}

type flight struct {
	n     int
	bytes int64
}

// enter returns how many bytes are on their way with this one, of its device
// and in all; leave is nil when the device has too many uploads.
func (l *uploads) enter(u upload) (running, all int64, leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.of[u.device]
	if f == nil {
		f = &flight{}
		l.of[u.device] = f
	}
	if f.n >= maxParallel {
		return 0, 0, nil
	}
	f.n++
	f.bytes += u.size
	l.all += u.size
	return f.bytes, l.all, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all -= u.size
		f.bytes -= u.size
		if f.n--; f.n == 0 {
			delete(l.of, u.device)
		}
	}
}

// receive streams the body into a temporary file and, when it is what was
// announced, gives it its name.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, u upload) error {
	f, err := os.CreateTemp(s.tmp(), "upload-*") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	body := &body{r: r.Body, control: http.NewResponseController(w), start: time.Now(),
		still: func() bool { _, ok := s.admitted(u.device); return ok }}
	err = s.copy(f, body, u)
	if body.n < u.size { // the answer is not to wait for the rest
		w.Header().Set("Connection", "close")
		body.control.SetReadDeadline(time.Now())
	} else {
		body.control.SetReadDeadline(time.Time{})
	}
	if charge := s.cfg.Quota.EndUpload(context.WithoutCancel(r.Context()), u.device, body.n); err == nil {
		err = charge
	}
	status := 0
	if err == nil {
		status, err = s.keep(context.WithoutCancel(r.Context()), f, u)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.stats.Uploaded.Add(1)
	s.stats.UploadedBytes.Add(u.size)
	return s.describe(w, u, status)
}

// keep makes a verified file a blob, and its sender an owner.
func (s *Server) keep(ctx context.Context, f *os.File, u upload) (status int, err error) {
	defer s.lock(u.x)()
	name, err := s.cfg.Bytes.Put(ctx, u.x, f, u.size)
	if err != nil {
		return 0, err
	}
	kept, created, err := s.cfg.Index.Own(ctx, u.x, u.size, name, u.device, u.dvm)
	if err != nil {
		return 0, err // Tidy finds what was put
	}
	if kept != name { // it was there already; the second copy may go
		s.report(ctx, s.cfg.Bytes.Remove(ctx, u.x, name))
	}
	if created {
		return http.StatusCreated, nil
	}
	return http.StatusOK, nil
}

// copy reads the body into f and compares length and hash.
func (s *Server) copy(f io.Writer, body *body, u upload) error {
	h := sha256.New()
	buf := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buf)
	n, err := io.CopyBuffer(both{f, h}, io.LimitReader(body, u.size+1), buf[:])
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "too slow")
	case errors.Is(err, io.ErrUnexpectedEOF) || err == nil && n != u.size:
		return refuse(http.StatusBadRequest, "body shorter or longer than announced")
	case err != nil:
		return err
	case !bytes.Equal(h.Sum(nil), u.x[:]):
		return refuse(http.StatusConflict, "body does not have this hash")
	case !body.still():
		return errRemoved
	}
	return nil
}

var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// both writes to a file and a hash. It hides other methods of the file, so that
// the copy uses our buffer.
type both struct {
	f io.Writer
	h hash.Hash
}

func (b both) Write(p []byte) (int, error) {
	b.h.Write(p) // never fails
	return b.f.Write(p)
}

var errRemoved = refuse(http.StatusForbidden, "not a member any more")

// body reads a request body with patience, but not with endless patience.
type body struct {
	r       io.Reader
	control *http.ResponseController
	start   time.Time
	still   func() bool // still admitted
	n       int64
}

func (b *body) Read(p []byte) (int, error) {
	spent := time.Since(b.start)
	switch {
	case spent > idleWait && b.n < int64((spent-idleWait).Seconds())*slowest:
		return 0, os.ErrDeadlineExceeded
	case !b.still():
		return 0, errRemoved
	}
	if err := b.control.SetReadDeadline(time.Now().Add(idleWait)); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	return n, err
}

// describe answers with a descriptor.
func (s *Server) describe(w http.ResponseWriter, u upload, status int) error {
	base := ""
	if o := *s.origins.Load(); len(o) > 0 {
		base = o[0]
	}
	text, err := json.Marshal(descriptor{
		URL: base + "/" + u.x.String() + ".bin", SHA256: u.x, Size: u.size,
		Type: contentType, Uploaded: s.now().Unix(),
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text) // if the client has gone, it will ask again
	return nil
}
