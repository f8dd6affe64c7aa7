// Package blossom uploads Sealed archives to Blossom servers and fetches them
// again (BUD-01, 02, 06, 11, 12).
//
// Servers are strangers. What comes down is hashed while it is read and cut at
// the expected size; what went up counts only when the server's descriptor
// names the same hash and size. Redirects are never followed, and nothing is
// decompressed.
//
// A transfer has no total time-out, so that a slow line can carry a large
// archive, but every read and write has one. The *http.Client must make no
// limits of its own; see wire/dial.
//
// A server's refusal is a *pow.PlaceError, which says whether to try again,
// when, and what to show. Only three things are tried twice in here: a token
// after the clock was corrected (401), an upload that the server says is other
// bytes although they are not (409), and an upload whose result is unknown, by
// asking the server whether it has the blob.
package blossom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/retry"
)

const (
	askFirst      = 256 << 10 // bytes; larger uploads ask with HEAD /upload first
	maxDescriptor = 64 << 10  // bytes
	openTime      = 45 * time.Second
	idleTime      = 30 * time.Second // per read and write
	refusedWait   = time.Hour
	clockError    = time.Minute // a smaller difference is no reason for a 401
)

// Errors of the client's own side.
var (
	// ErrNotOffered means that the server does not answer HEAD /upload (BUD-06),
	// which it may. An upload can be tried all the same.
	ErrNotOffered = errors.New("the server does not say beforehand what it takes")

	errIdle = errors.New("nothing moved for 30 s")
	errSize = errors.New("size is not one of a Sealed")
)

// Signer holds the key that signs tokens: a device's or the DVM's.
type Signer interface {
	Public() pow.Key
	// Sign sets pubkey, id and sig. Its error carries no secret.
	Sign(*event.Event) error
}

// Config is what a Client needs. Key and HTTP must be set.
type Config struct {
	Key  Signer
	HTTP *http.Client
	Now  func() time.Time // time.Now when nil; for tokens only
	Log  *slog.Logger     // silent when nil
}

// Client talks to any number of Blossom servers. Its methods may be called
// from any goroutine.
type Client struct {
	c Config

	mu   sync.Mutex
	skew map[string]time.Duration // guarded by mu: clock of an origin minus ours
}

// New makes a Client.
func New(c Config) *Client {
	if c.Key == nil || c.HTTP == nil {
		panic("blossom: Key and HTTP must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := *c.HTTP
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.HTTP = &h
	return &Client{c: c, skew: map[string]time.Duration{}}
}

// Has asks whether a server has a blob (HEAD). sunset is when it says that it
// will delete it (RFC 8594), zero when it does not say.
func (c *Client) Has(ctx context.Context, origin string, h pow.Hash) (ok bool, sunset time.Time, err error) {
	ok, sunset, _, err = c.has(ctx, origin, h)
	return ok, sunset, err
}

func (c *Client) has(ctx context.Context, origin string, h pow.Hash) (ok bool, sunset time.Time, size int64, err error) {
	resp, end, err := c.send(ctx, call{origin: origin, method: http.MethodHead, path: "/" + h.String(), verb: "get", hash: h})
	if err != nil {
		return false, sunset, 0, err
	}
	defer end()
	switch resp.StatusCode {
	case http.StatusOK:
		return true, parseSunset(resp.Header), resp.ContentLength, nil
	case http.StatusNotFound, http.StatusGone:
		return false, sunset, 0, nil
	}
	return false, sunset, 0, c.refusal(resp, time.Now())
}

// Delete asks a server to delete a blob. pow.ErrBlobMissing means that there
// is none, or none of ours.
func (c *Client) Delete(ctx context.Context, origin string, h pow.Hash) error {
	resp, end, err := c.send(ctx, call{origin: origin, method: http.MethodDelete, path: "/" + h.String(), verb: "delete", hash: h})
	if err != nil {
		return err
	}
	defer end()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return pow.ErrBlobMissing
	}
	return c.refusal(resp, time.Now())
}

// Probe asks whether a server would take an upload of so many bytes (BUD-06).
// ErrNotOffered means that it does not say.
func (c *Client) Probe(ctx context.Context, origin string, size int64) error {
	return c.probe(ctx, origin, pow.Hash{}, size)
}

func (c *Client) probe(ctx context.Context, origin string, h pow.Hash, size int64) error {
	resp, end, err := c.send(ctx, call{
		origin: origin, method: http.MethodHead, path: "/upload", verb: "upload", hash: h,
		header: map[string]string{"X-SHA-256": h.String(), "X-Content-Length": strconv.FormatInt(size, 10), "X-Content-Type": "application/octet-stream"},
	})
	if err != nil {
		return err
	}
	defer end()
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed, code == http.StatusNotImplemented:
		return ErrNotOffered
	}
	return c.refusal(resp, time.Now())
}

// call is one request, as it may be sent twice.
type call struct {
	origin, method, path string
	verb                 string // of the token
	hash                 pow.Hash
	header               map[string]string
	body                 func() (io.ReadCloser, error) // nil: none
	size                 int64                         // of the body
}

// send makes a request with a token, and a second one when the answer is 401
// and the server's clock explains it. end must be called after the answer was
// read; the context of the answer's body ends when nothing moves.
func (c *Client) send(ctx context.Context, q call) (resp *http.Response, end func(), err error) {
	for again := true; ; again = false {
		resp, end, err = c.once(ctx, q)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || !again || !c.correctClock(q.origin, resp) {
			return resp, end, err
		}
		end()
	}
}

func (c *Client) once(ctx context.Context, q call) (*http.Response, func(), error) {
	token, err := c.token(q)
	if err != nil {
		return nil, nil, err
	}
	ctx, dog := watch(ctx)
	fail := func(err error) (*http.Response, func(), error) {
		dog.stop()
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, q.method, q.origin+q.path, nil)
	if err != nil {
		return fail(retry.Permanent(fmt.Errorf("%s: %w", q.verb, err)))
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Accept-Encoding", "identity")
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	if q.body != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			b, err := q.body()
			return &kicking{b, dog}, err
		}
		if req.Body, err = req.GetBody(); err != nil {
			return fail(fmt.Errorf("read the sealed archive: %w", err))
		}
		req.ContentLength = q.size
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := c.c.HTTP.Do(req)
	if err != nil {
		err = offline(ctx, err)
		return fail(err)
	}
	dog.kick()
	resp.Body = &kicking{resp.Body, dog}
	return resp, func() { resp.Body.Close(); dog.stop() }, nil
}

// offline wraps a failure to get any answer.
func offline(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause == errIdle {
		err = cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the address, which the caller knows
	}
	return &pow.PlaceError{State: pow.PlaceWait, Code: "offline", Answer: pow.Clean(err.Error()), Err: cleaned{err}}
}

// cleaned is an error whose text may quote a stranger: the HTTP library puts
// malformed headers into it.
type cleaned struct{ error }

// Error returns the text, cut and cleaned.
func (c cleaned) Error() string { return pow.Clean(c.error.Error()) }

// Unwrap returns the cause.
func (c cleaned) Unwrap() error { return c.error }

// watchdog ends a context when nothing moves.
type watchdog struct {
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func watch(ctx context.Context) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &watchdog{time.AfterFunc(openTime, func() { cancel(errIdle) }), cancel}
}

func (d *watchdog) kick() { d.timer.Reset(idleTime) }

func (d *watchdog) stop() {
	d.timer.Stop()
	d.cancel(nil)
}

// kicking tells the watchdog about every read that brought something.
type kicking struct {
	io.ReadCloser
	dog *watchdog
}

// Read implements io.Reader.
func (k *kicking) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	if n > 0 {
		k.dog.kick()
	}
	return n, err
}

func parseSunset(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Sunset"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// host is what tokens name: the bare host, without scheme and port.
func host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
