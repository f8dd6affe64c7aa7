package relays

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// relay is one relay of a Pool: it is dialled, used until the connection ends,
// and dialled again.
type relay struct {
	pool   *Pool
	origin string
	wake   chan struct{}

	mu      sync.Mutex
	conn    *conn         // guarded by mu; nil while there is none
	changed chan struct{} // guarded by mu; closed when conn changes
	state   string        // guarded by mu; see pow.Connection
	err     string        // guarded by mu
	memory  memory        // guarded by mu
}

// States of a relay (pow.Connection).
const (
	online     = "online"
	offline    = "offline"
	connecting = "connecting"
	refused    = "refused"
)

func newRelay(p *Pool, origin string) *relay {
	return &relay{pool: p, origin: origin, wake: make(chan struct{}, 1), changed: make(chan struct{}), state: offline}
}

// run dials and serves until ctx ends. Failures to connect are paced more
// quickly than the ends of connections that a relay misused.
func (r *relay) run(ctx context.Context) {
	for attempts := 0; ctx.Err() == nil; {
		r.set(connecting, nil)
		began := time.Now()
		err := r.once(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) >= workingTime {
			attempts = 0
		}
		attempts++
		policy := retry.Connecting
		if errors.Is(err, errMisuse) {
			policy = retry.Refused
		}
		r.set(offline, err)
		r.pool.c.Log.Debug("relay connection ended", "relay", r.origin, "error", err)
		if woken := r.pause(ctx, policy.Wait(err, attempts)); woken {
			attempts = 0
		}
	}
	r.set(offline, nil)
}

// once makes one connection and serves it to its end.
func (r *relay) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	dctx, stop := context.WithTimeout(ctx, dialTime)
	defer stop()
	c := newConn(r, ctx, cancel)
	ws, resp, err := websocket.Dial(dctx, r.origin, &websocket.DialOptions{
		HTTPClient: r.pool.c.HTTP, CompressionMode: websocket.CompressionDisabled,
		OnPingReceived: func(context.Context, []byte) bool { return c.alive() },
		OnPongReceived: func(context.Context, []byte) { c.alive() },
	})
	if err != nil {
		return dialError(resp, err)
	}
	stop()
	defer ws.CloseNow()
	ws.SetReadLimit(maxMessage)
	c.ws, c.skew = ws, skew(resp, r.pool.c.Now())
	return c.serve()
}

// dialError keeps what a person needs: the status of a server that speaks HTTP
// but not websocket, or the cause.
func dialError(resp *http.Response, err error) error {
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("not a relay: HTTP status %d", resp.StatusCode)
	}
	return fmt.Errorf("connect: %w", err)
}

// skew is how far the relay's clock is ahead, when it is far enough to matter:
// relays accept AUTH events of their own time ± 600 s.
func skew(resp *http.Response, now time.Time) time.Duration {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if d := at.Sub(now); err == nil && (d > time.Minute || d < -time.Minute) {
		return d
	}
	return 0
}

// pause waits before the next attempt, or until Wake.
func (r *relay) pause(ctx context.Context, d time.Duration) (woken bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-r.wake:
		return true
	}
	return false
}

// nudge ends a pause; a connection asks again for what was refused.
func (r *relay) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *relay) set(state string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state, r.err = state, ""
	if err != nil {
		r.err = pow.Clean(err.Error())
	}
}

func (r *relay) status() pow.Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pow.Connection{URL: r.origin, State: r.state, Error: r.err}
}

// offer makes the connection known to Publish and Fetch; nil takes it away.
func (r *relay) offer(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = c
	close(r.changed)
	r.changed = make(chan struct{})
}

// connection waits for a connection until ctx ends.
func (r *relay) connection(ctx context.Context) (*conn, error) {
	for {
		r.mu.Lock()
		c, changed, why := r.conn, r.changed, r.err
		r.mu.Unlock()
		if c != nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, pow.ErrOffline.With(fmt.Errorf("relay %s: %w %s", r.origin, ctx.Err(), why))
		case <-changed:
		}
	}
}
