package relays

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Ends of a connection that are ours to call. errMisuse stands for everything
// that only a broken or hostile relay does.
var (
	errMisuse = errors.New("relay floods or does not speak the protocol")
	errSilent = errors.New("relay is silent")
	errSlow   = fmt.Errorf("%w: message without end", errMisuse)
)

// How often a minute a relay may do what is none of our business before the
// connection ends.
const (
	maxNotices    = 100
	loggedNotices = 10
	maxChallenges = 10
	maxJunk       = maxStored
)

// meter counts within a minute.
type meter struct {
	since time.Time
	n     int
}

// over counts one more and tells whether that is more than limit in a minute.
func (m *meter) over(now time.Time, limit int) bool {
	if now.Sub(m.since) >= time.Minute {
		*m = meter{since: now}
	}
	m.n++
	return m.n > limit
}

// conn is one connection. Three goroutines touch the socket (read, write, keep
// alive); everything else belongs to the loop, which nothing can block: it
// reads on only while there is room for what it reads.
type conn struct {
	pool   *Pool
	relay  *relay
	origin string
	ctx    context.Context
	cancel context.CancelCauseFunc
	ws     *websocket.Conn
	skew   time.Duration

	in       chan []byte // from the reader
	out      chan []byte // to the writer
	commands chan func() // run by the loop
	done     chan struct{}
	quiet    atomic.Pointer[time.Time] // since when the reader hears nothing; nil while it does not read

	mu        sync.Mutex
	unhandled int           // guarded by mu: events accepted and not through Handle
	failed    []item        // guarded by mu: events that Handle gave back
	settled   chan struct{} // an event went through Handle

	// What follows belongs to the loop.
	started  bool
	grace    time.Time // without a challenge, start then
	auth     authState
	feeds    []*feed
	subs     map[string]*sub
	fetching []*sub // waiting for their turn
	number   int    // of fetches so far
	pubs     []*publication
	overflow []item
	outbox   [][]byte
	seen     seen
	again    []item // to be read again
	againAt  time.Time
	rounds   int

	notices, challenges, junk meter
}

func newConn(r *relay, ctx context.Context, cancel context.CancelCauseFunc) *conn {
	c := &conn{
		pool: r.pool, relay: r, origin: r.origin, ctx: ctx, cancel: cancel,
		in: make(chan []byte), out: make(chan []byte), commands: make(chan func()), done: make(chan struct{}),
		settled: make(chan struct{}, 1), subs: map[string]*sub{},
	}
	for i, f := range r.pool.c.Filters {
		c.feeds = append(c.feeds, newFeed(i, f))
	}
	return c
}

// serve runs the connection to its end and returns why it ended.
func (c *conn) serve() error {
	var all sync.WaitGroup
	all.Go(c.read)
	all.Go(c.write)
	all.Go(c.keepAlive)
	c.grace = time.Now().Add(graceTime)
	c.relay.offer(c)
	err := c.loop()
	c.relay.offer(nil)
	c.cancel(err)
	_ = c.ws.CloseNow()
	close(c.done)
	all.Wait()
	c.abandon()
	return err
}

// read takes messages off the socket, one at a time. While the loop has no
// room, nothing is read.
func (c *conn) read() {
	for {
		now := time.Now()
		c.quiet.Store(&now)
		typ, r, err := c.ws.Reader(c.ctx)
		if err != nil {
			c.cancel(readError(err))
			return
		}
		// The library bounds a message's size but not its time.
		limit := time.AfterFunc(messageTime, func() { c.cancel(errSlow) })
		b, err := io.ReadAll(r)
		limit.Stop()
		if err != nil {
			c.cancel(readError(err))
			return
		}
		if typ != websocket.MessageText {
			c.cancel(fmt.Errorf("%w: binary message", errMisuse))
			return
		}
		c.quiet.Store(nil)
		select {
		case c.in <- b:
		case <-c.ctx.Done():
			return
		}
	}
}

func readError(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return fmt.Errorf("%w: message too big", errMisuse)
	}
	return fmt.Errorf("read: %w", err)
}

// alive notes that something was heard, between messages too.
func (c *conn) alive() bool {
	if c.quiet.Load() != nil {
		now := time.Now()
		c.quiet.Store(&now)
	}
	return true
}

func (c *conn) write() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case b := <-c.out:
			// The context is the connection's own: when it expires, the
			// library closes the connection, which is right here only.
			ctx, stop := context.WithTimeout(c.ctx, writeTime)
			err := c.ws.Write(ctx, websocket.MessageText, b)
			stop()
			if err != nil {
				c.cancel(fmt.Errorf("write: %w", err))
				return
			}
		}
	}
}

// keepAlive pings, and ends a connection on which nothing is heard. Silence
// does not count while it is us who do not read.
func (c *conn) keepAlive() {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-t.C:
		}
		q := c.quiet.Load()
		if q == nil {
			continue // a pong could not be read either
		}
		if time.Since(*q) >= silenceTime {
			c.cancel(errSilent)
			return
		}
		ctx, stop := context.WithTimeout(c.ctx, writeTime)
		_ = c.ws.Ping(ctx) // its answer counts as heard; see alive
		stop()
	}
}

func (c *conn) loop() error {
	timer := time.NewTimer(graceTime)
	defer timer.Stop()
	for {
		var (
			in    <-chan []byte
			queue chan<- item
			next  item
			out   chan<- []byte
			msg   []byte
		)
		if len(c.overflow) == 0 || c.awaiting() && len(c.overflow) < maxOverflow {
			in = c.in
		}
		if len(c.overflow) > 0 {
			queue, next = c.pool.queue, c.overflow[0]
		}
		if len(c.outbox) > 0 {
			out, msg = c.out, c.outbox[0]
		}
		select {
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case b := <-in:
			if err := c.take(b); err != nil {
				return err
			}
		case queue <- next:
			c.overflow = c.overflow[1:]
		case out <- msg:
			c.outbox = c.outbox[1:]
		case f := <-c.commands:
			f()
		case <-c.settled:
		case <-c.relay.wake:
			c.askAgain()
		case <-timer.C:
		}
		if err := c.fire(time.Now()); err != nil {
			return err
		}
		timer.Reset(c.earliest(time.Now()))
	}
}

// awaiting tells whether somebody waits for an answer on this connection.
func (c *conn) awaiting() bool {
	if len(c.pubs) > 0 {
		return true
	}
	for _, s := range c.subs {
		if s.fetch != nil {
			return true
		}
	}
	return false
}

func (c *conn) send(msg []byte) { c.outbox = append(c.outbox, msg) }

// take looks at one message.
func (c *conn) take(b []byte) error {
	now := time.Now()
	f, err := parseFrame(b)
	if err != nil {
		return c.discard(now)
	}
	switch f.kind {
	case "EVENT":
		return c.takeEvent(f, now)
	case "OK":
		return c.takeOK(f, now)
	case "EOSE":
		if s := c.subs[f.sub]; s != nil && s.open && !s.eose {
			c.takeEOSE(s, now)
		}
	case "CLOSED":
		if s := c.subs[f.sub]; s != nil && s.open {
			c.takeClosed(s, f.text, now)
		}
	case "NEG-MSG", "NEG-ERR":
		return c.takeNeg(f, now)
	case "NOTICE":
		if c.notices.over(now, maxNotices) {
			return fmt.Errorf("%w: NOTICE", errMisuse)
		}
		if c.notices.n <= loggedNotices {
			c.pool.c.Log.Debug("relay notice", "relay", c.origin, "text", pow.Clean(f.text))
		}
	case "AUTH":
		if c.challenges.over(now, maxChallenges) {
			return fmt.Errorf("%w: AUTH", errMisuse)
		}
		c.challenged(f.text)
	}
	return nil
}

// discard drops what nobody asked for, or what is not what it claims to be.
func (c *conn) discard(now time.Time) error {
	if c.junk.over(now, maxJunk) {
		return fmt.Errorf("%w: junk", errMisuse)
	}
	return nil
}

// handled is called by a worker when an event has been through Handle.
func (c *conn) handled(it item, err error) {
	if err == nil {
		c.relay.remember(it.event, c.pool.c.Now())
	}
	c.mu.Lock()
	c.unhandled--
	if err != nil {
		c.failed = append(c.failed, it)
	}
	c.mu.Unlock()
	select {
	case c.settled <- struct{}{}:
	default:
	}
}

// accept puts a verified event on its way to Handle.
func (c *conn) accept(it item) {
	c.mu.Lock()
	c.unhandled++
	c.mu.Unlock()
	c.overflow = append(c.overflow, it)
}

// idle tells whether everything that arrived has been through Handle.
func (c *conn) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unhandled == 0
}

// fire does everything whose time has come.
func (c *conn) fire(now time.Time) error {
	if err := c.fireAuth(now); err != nil {
		return err
	}
	c.firePublications(now)
	for _, s := range c.subs {
		c.fireSub(s, now)
	}
	c.fireComparisons(now)
	for _, f := range c.feeds {
		c.turnPage(f, now)
	}
	c.readAgain(now)
	c.startFetches(now)
	return nil
}

// earliest returns how long nothing will be due.
func (c *conn) earliest(now time.Time) time.Duration {
	next := now.Add(time.Hour)
	note := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	note(c.auth.due())
	if !c.started && c.auth.challenge == "" {
		note(c.grace)
	}
	for _, p := range c.pubs {
		note(p.deadline)
	}
	for _, s := range c.subs {
		note(s.due())
	}
	for _, f := range c.feeds {
		note(f.due())
	}
	note(c.againAt)
	return max(0, next.Sub(now))
}

// seen remembers verified ids of one connection, the newest 20,000 to 40,000.
type seen struct{ young, old map[pow.Hash]struct{} }

const seenSize = 20_000

// add tells whether the id is new.
func (s *seen) add(id pow.Hash) bool {
	if _, ok := s.young[id]; ok {
		return false
	}
	if _, ok := s.old[id]; ok {
		return false
	}
	if s.young == nil || len(s.young) >= seenSize {
		s.old, s.young = s.young, map[pow.Hash]struct{}{}
	}
	s.young[id] = struct{}{}
	return true
}

func (s *seen) forget(id pow.Hash) {
	delete(s.young, id)
	delete(s.old, id)
}

// readAgain asks once more for events that Handle gave back.
func (c *conn) readAgain(now time.Time) {
	c.mu.Lock()
	failed := c.failed
	c.failed = nil
	c.mu.Unlock()
	for _, it := range failed {
		c.seen.forget(event.ID(it.event))
		c.again = append(c.again, it)
	}
	if len(c.again) == 0 {
		return
	}
	if c.againAt.IsZero() {
		c.rounds++
		c.againAt = now.Add(againPolicy.After(c.rounds))
	}
	if now.Before(c.againAt) {
		return
	}
	c.againAt = time.Time{}
	for _, f := range c.feeds {
		c.openAgain(f, now)
	}
}

// openAgain asks for the failed events of one feed, by id.
func (c *conn) openAgain(f *feed, now time.Time) {
	filter := f.live.filter
	filter.IDs = nil
	c.again = slices.DeleteFunc(c.again, func(it item) bool {
		if it.feed != f || len(filter.IDs) == maxAgain {
			return false
		}
		filter.IDs = append(filter.IDs, event.ID(it.event))
		return true
	})
	if len(filter.IDs) > 0 {
		s := &sub{id: "ag" + f.name, filter: filter, until: -1, feed: f}
		c.subs[s.id] = s
		c.ask(s, now)
	}
}
