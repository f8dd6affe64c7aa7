package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
)

// conn is one connection. Three goroutines serve it: the HTTP server's reads
// and handles messages one after another, one writes, one keeps time. serve
// waits for all of them.
type conn struct {
	relay     *Relay
	ws        *websocket.Conn
	ip        string
	challenge string
	below     net.Conn
	ctx       context.Context // of every read and write
	cancel    context.CancelFunc
	wake      chan struct{}  // the writer has something to do
	space     chan struct{}  // the queue got shorter
	dying     chan struct{}  // closed by kill
	running   sync.WaitGroup // timers that have not fired or still run
	pending   chan struct{}  // a place for each event that waits for its commit
	seen      atomic.Int64   // when the peer was last heard, Unix nanoseconds

	mu      sync.Mutex       // guards what follows; taken after Relay.mu
	auth    map[pow.Key]bool // authenticated keys; true: admitted when last looked at
	subs    map[string]*sub
	neg     *negotiation // nil: none is open
	queue   []item
	queued  int           // bytes in queue and in the buffers of subs
	rank    rank          // of the best key in auth
	timers  []*time.Timer // of AUTH, and of the next ping
	leaving bool          // an answer must go out before an empty auth closes the connection
	code    websocket.StatusCode
	reason  string

	// Only the reading goroutine uses these.
	auths, unauthed, joins, bad, refused, forged int
	authRate, requestRate, frameRate, controls   bucket
}

// item is a message that waits to be written: a frame, or mail for a
// subscription, which is judged when its turn comes.
type item struct {
	frame []byte
	sub   *sub
	mail  *mail
}

func (i item) size() int {
	if i.mail != nil {
		return len(i.mail.json)
	}
	return len(i.frame)
}

func newConn(r *Relay, ws *websocket.Conn, below net.Conn, ip string) *conn {
	var challenge [32]byte
	rand.Read(challenge[:])
	c := &conn{
		relay: r, ws: ws, below: below, ip: ip, challenge: hex.EncodeToString(challenge[:]),
		wake: make(chan struct{}, 1), space: make(chan struct{}, 1), dying: make(chan struct{}),
		pending: make(chan struct{}, maxPending),
		auth:    map[pow.Key]bool{}, subs: map[string]*sub{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// cut ends the connection without a word.
func (c *conn) cut() {
	c.cancel()
	c.below.Close()
}

// serve runs the connection to its end.
func (c *conn) serve() {
	defer c.cut()
	defer c.caught()
	if !c.relay.register(c) {
		return
	}
	defer c.relay.unregister(c)
	c.seen.Store(time.Now().UnixNano())
	c.send(frame("AUTH", c.challenge))
	c.after(authWait, c.mustBeKnown)
	c.after(pingEvery, c.mustBeAlive)
	var writer sync.WaitGroup
	writer.Go(c.write)
	defer func() {
		c.kill(websocket.StatusNormalClosure, "")
		writer.Wait()
		c.stopTimers()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.hold(-c.queued)
	}()
	c.read()
}

// caught keeps a panic from ending the program: it ends this connection only.
func (c *conn) caught() {
	if recover() != nil {
		c.relay.log.Error("a connection panicked", "stack", string(debug.Stack()))
	}
}

// after calls f once, in a goroutine that serve waits for. Timers instead of
// goroutines, because most connections are idle.
func (c *conn) after(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 {
		return
	}
	c.running.Add(1)
	c.timers = append(c.timers[:min(len(c.timers), 1)], time.AfterFunc(d, func() {
		defer c.running.Done()
		f()
	}))
}

// stopTimers ends or awaits them. The connection was killed before, so that none
// is added.
func (c *conn) stopTimers() {
	c.mu.Lock()
	for _, t := range c.timers {
		if t.Stop() {
			c.running.Done()
		}
	}
	c.mu.Unlock()
	c.running.Wait()
}

// mustBeKnown closes a connection that did not authenticate in time.
func (c *conn) mustBeKnown() {
	if len(c.keys()) == 0 {
		c.notice("auth-required: authenticate within 10 seconds")
		c.kill(websocket.StatusPolicyViolation, "not authenticated")
	}
}

// mustBeAlive closes a connection that has gone silent, and pings others.
func (c *conn) mustBeAlive() {
	if time.Since(time.Unix(0, c.seen.Load())) >= silenceWait {
		c.kill(websocket.StatusPolicyViolation, "silent")
		return
	}
	next := time.Now().Add(pingEvery)
	c.ping()
	c.after(max(0, time.Until(next)), c.mustBeAlive)
}

func (c *conn) ping() {
	ctx, cancel := context.WithTimeout(c.ctx, pingEvery)
	defer cancel()
	if c.ws.Ping(ctx) == nil {
		c.seen.Store(time.Now().UnixNano())
	}
}

// write sends what is queued, and closes the connection when it was killed.
func (c *conn) write() {
	for {
		i, ok := c.next()
		if ok {
			if !c.writeItem(i) {
				c.kill(websocket.StatusTryAgainLater, "")
			}
			continue
		}
		select {
		case <-c.wake:
		case <-c.dying:
			if !c.empty() {
				continue // a last word
			}
			c.mu.Lock()
			code, reason := c.code, c.reason
			c.mu.Unlock()
			late := time.AfterFunc(lingerWait, c.cut)
			c.ws.Close(code, reason)
			late.Stop()
			return
		}
	}
}

func (c *conn) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) == 0
}

func (c *conn) next() (i item, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) > 0 {
		i, c.queue[0] = c.queue[0], item{}
		c.queue = c.queue[1:]
		c.hold(-i.size())
		signal(c.space)
		if i.mail == nil || !i.sub.gone && c.visible(i.mail) {
			return i, true
		}
	}
	c.queue = nil // gives the memory back
	return item{}, false
}

func (c *conn) writeItem(i item) bool {
	frame := i.frame
	if i.mail != nil {
		frame = make([]byte, 0, len(i.sub.head)+len(i.mail.json)+1)
		frame = append(append(append(frame, i.sub.head...), i.mail.json...), ']')
		c.relay.stats.Delivered.Add(1)
	}
	ctx, cancel := context.WithTimeout(c.ctx, writeWait)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, frame) == nil
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// kill ends the connection: what is queued is still written, unless the reader
// was too slow, then the close frame. It does not block.
func (c *conn) kill(code websocket.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killLocked(code, reason)
}

func (c *conn) killLocked(code websocket.StatusCode, reason string) {
	if c.code != 0 {
		return
	}
	if code == websocket.StatusTryAgainLater { // the writer may be stuck in a write
		c.running.Add(1)
		c.timers = append(c.timers, time.AfterFunc(lingerWait, func() { defer c.running.Done(); c.cut() }))
	}
	c.code, c.reason = code, reason
	if code == websocket.StatusTryAgainLater || code == websocket.StatusNormalClosure {
		c.queue = nil
		c.hold(-c.queued)
	}
	for _, s := range c.subs {
		s.gone, s.buffer = true, nil
	}
	c.endNegotiation()
	close(c.dying)
}

func (c *conn) dead() bool {
	select {
	case <-c.dying:
		return true
	default:
		return false
	}
}

// send queues an answer; see push.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(item{frame: frame})
}

func (c *conn) notice(text string) { c.send(frame("NOTICE", text)) }

// push queues without waiting; a reader that lets the queue grow to maxQueue is
// cut off. It needs mu.
func (c *conn) push(i item) {
	if c.code != 0 {
		return
	}
	if !c.fits(i.size()) {
		c.relay.stats.Refused.Add("slow-reader")
		c.killLocked(websocket.StatusTryAgainLater, "reads too slowly")
		return
	}
	c.queue = append(c.queue, i)
	c.hold(i.size())
	signal(c.wake)
}

// hold counts bytes that wait for this reader. It needs mu.
func (c *conn) hold(n int) {
	c.queued += n
	c.relay.queued.Add(int64(n))
}

// fits tells whether n more bytes may wait: all readers together have a bound
// too, beyond which none may wait with more than a stranger. It needs mu.
func (c *conn) fits(n int) bool {
	most := maxQueue
	if c.rank < member || c.relay.queued.Load() > maxQueued {
		most = maxStranger
	}
	return c.queued+n <= most || c.queued == 0
}

// pushWait queues a stored event, waiting while a quarter of the queue is in
// use: the rest is for live events, which cannot wait.
func (c *conn) pushWait(i item) error {
	for {
		c.mu.Lock()
		gone := c.code != 0 || i.sub.gone
		fits := c.queued+i.size() <= maxQueue/4 || len(c.queue) == 0
		if !gone && fits {
			c.push(i)
		}
		c.mu.Unlock()
		switch {
		case gone:
			return errGone
		case fits:
			return nil
		}
		select {
		case <-c.space:
		case <-c.dying:
		}
	}
}
