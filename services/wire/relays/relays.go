// Package relays keeps connections to Nostr relays (NIP-01, NIP-42) and treats
// each of them as a mailbox that may lie, forget, stall or flood.
//
// A Pool holds one connection per relay. On each it answers every AUTH
// challenge with its one key, sends the same subscriptions again after every
// reconnect (never with a since: gift wraps are back-dated by up to two days, so
// any since loses mail), pages back through what is stored with an inclusive
// until, and hands every event to Handle at most once per connection. What is
// stored at a relay is what nobody has processed and deleted yet, so a new
// connection reads it again; Handle has to know what it has done before. After
// an error of Handle the stored events are read again, with back-off.
//
// A relay that says OK to a deletion and sends the same event on a later
// connection keeps everything. From then on it is asked what it has beside what
// was handled (NIP-77), after every reconnect and every six hours, and what is
// missing is read by id. What was handled is remembered for as long as the Pool
// lives: the first connection of a program reads everything.
//
// Before an event counts it passes, in this order: size, shape, id recomputed,
// signature, the filter that was asked for, duplicates. Ids become keys only
// after that, so a forged copy cannot suppress a genuine event.
//
// Publish reports success only for an OK true with the id that was sent. A lost
// connection or silence is an error, and the result is then unknown: sending
// the same event again is always right.
//
// Events wait for Handle in one bounded queue; when it is full, sockets are not
// read. Answers to Publish and Fetch are read nevertheless, so Handle may call
// both.
package relays

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Limits of one connection.
const (
	maxMessage  = 131_072 // bytes of one websocket message
	pageSize    = 500     // events asked for at once
	queueSize   = 256     // events that wait for Handle
	maxOverflow = 1_024   // events taken beyond that while an answer is awaited
	maxStored   = 10_000  // events of one subscription before its EOSE
	maxFetches  = 8       // at once on one connection

	dialTime     = 15 * time.Second
	okTime       = 20 * time.Second // also how long Publish waits for a connection
	eoseTime     = 30 * time.Second // since the last event of the subscription
	writeTime    = 10 * time.Second
	messageTime  = 30 * time.Second // from the first to the last byte of a message
	pingEvery    = 30 * time.Second
	silenceTime  = 90 * time.Second
	graceTime    = 2 * time.Second // for the challenge that most relays send first
	authGap      = time.Second     // between two answers to challenges
	workingTime  = time.Minute     // after which a connection counts as good
	refusedRetry = time.Hour       // restricted: asked again
	rateWait     = 30 * time.Second
)

// Errors of Publish, Fetch and Join. All of them may be tried again.
var (
	// ErrUnknown means that the event was sent and no OK came. It may be stored.
	ErrUnknown = errors.New("no answer from the relay")
	// ErrNoRelay means that the origin is not one of the Pool's.
	ErrNoRelay = errors.New("not one of the configured relays")
)

// Signer holds the key that answers AUTH challenges and signs joins. It is
// called from several goroutines.
type Signer interface {
	Public() pow.Key
	// Sign sets pubkey, id and sig. Its error carries no secret.
	Sign(*event.Event) error
}

// Config is what a Pool needs. Key, HTTP, Filters and Handle must be set.
type Config struct {
	Origins []string
	Key     Signer
	// HTTP makes the connections; see wire/dial. It must not have a time-out.
	HTTP *http.Client
	// Filters are subscribed to at every relay, one subscription each.
	Filters []Filter
	// Handle takes a verified event that matches a filter, with the relay that
	// sent it and the bytes of the event as this program writes them. It is
	// called by Workers goroutines; the context ends with Run. While it works,
	// relays wait.
	Handle  func(ctx context.Context, origin string, e *event.Event, raw []byte) error
	Workers int              // 1 when 0
	Now     func() time.Time // time.Now when nil; for created_at only
	Log     *slog.Logger     // silent when nil
}

// Pool is the connections to a set of relays. Its methods may be called from
// any goroutine, before, during and after Run.
type Pool struct {
	c     Config
	queue chan item
	sync  chan struct{} // SetOrigins was called

	mu     sync.Mutex
	relays []*relay // guarded by mu, in the order of the origins
}

// item is one event on its way to Handle.
type item struct {
	conn  *conn
	feed  *feed
	event *event.Event
}

// New makes a Pool. It connects to nothing before Run.
func New(c Config) *Pool {
	if c.Key == nil || c.HTTP == nil || c.Handle == nil {
		panic("relays: Key, HTTP and Handle must be set")
	}
	if c.Workers == 0 {
		c.Workers = 1
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
	p := &Pool{c: c, queue: make(chan item, queueSize), sync: make(chan struct{}, 1)}
	p.SetOrigins(c.Origins)
	return p
}

// Run keeps the connections until ctx ends, and returns ctx.Err() when every
// goroutine of the Pool has ended.
func (p *Pool) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range p.c.Workers {
		all.Go(func() { p.work(ctx) })
	}
	type running struct {
		stop context.CancelFunc
		done chan struct{}
	}
	run := map[*relay]running{}
	for ctx.Err() == nil {
		p.mu.Lock()
		want := slices.Clone(p.relays)
		p.mu.Unlock()
		for r, it := range run {
			if !slices.Contains(want, r) {
				it.stop()
				<-it.done
				delete(run, r)
			}
		}
		for _, r := range want {
			if _, ok := run[r]; ok {
				continue
			}
			rctx, stop := context.WithCancel(ctx)
			it := running{stop, make(chan struct{})}
			run[r] = it
			all.Go(func() { defer close(it.done); r.run(rctx) })
		}
		select {
		case <-ctx.Done():
		case <-p.sync:
		}
	}
	for _, it := range run {
		it.stop()
	}
	all.Wait()
	p.dropQueue()
	return ctx.Err()
}

// work hands events to Handle, one after the other.
func (p *Pool) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case it := <-p.queue:
			err := p.c.Handle(ctx, it.conn.origin, it.event, event.Marshal(it.event))
			if err != nil {
				p.c.Log.Warn("event not handled", "relay", it.conn.origin, "error", err)
			}
			it.conn.handled(it, err)
		}
	}
}

// dropQueue empties the queue, so that another Run starts without leftovers.
func (p *Pool) dropQueue() {
	for {
		select {
		case <-p.queue:
		default:
			return
		}
	}
}

// SetOrigins replaces the set of relays: connections to those that are no
// longer in it end, the others stay as they are.
func (p *Pool) SetOrigins(origins []string) {
	p.mu.Lock()
	var next []*relay
	for _, o := range origins {
		same := func(r *relay) bool { return r.origin == o }
		if slices.ContainsFunc(next, same) {
			continue
		}
		if i := slices.IndexFunc(p.relays, same); i >= 0 {
			next = append(next, p.relays[i])
		} else {
			next = append(next, newRelay(p, o))
		}
	}
	p.relays = next
	p.mu.Unlock()
	select {
	case p.sync <- struct{}{}:
	default:
	}
}

// Wake ends every pause at once: relays that wait for their next attempt are
// dialled, and subscriptions that were refused are asked for again. It is for a
// computer that comes back from sleep and for a person who asks for it.
func (p *Pool) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.relays {
		r.nudge()
	}
}

// Connections tells the state of every relay, in the order of the origins.
func (p *Pool) Connections() []pow.Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]pow.Connection, 0, len(p.relays))
	for _, r := range p.relays {
		out = append(out, r.status())
	}
	return out
}

func (p *Pool) relay(origin string) (*relay, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.relays {
		if r.origin == origin {
			return r, nil
		}
	}
	return nil, ErrNoRelay
}
