package relays

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/retry"
)

// maxPublications bounds what waits for an OK on one connection.
const maxPublications = 256

// kindDeletion is that of NIP-09.
const kindDeletion = 5

// errUnsent means that the connection ended before the event was sent.
var errUnsent = errors.New("not sent")

// publication is one event on its way to one relay. It belongs to the loop of
// the connection.
type publication struct {
	id       pow.Hash
	msg      []byte
	sent     bool
	waits    bool       // for AUTH
	refusal  pow.Answer // the auth-required that it waits after
	deadline time.Time
	result   chan result // buffered
}

type result struct {
	answer pow.Answer
	err    error
}

// Publish sends a signed event to one relay of the Pool and waits for its OK;
// the bytes are sent as they are. An Answer says what the relay said; whoever
// called decides what that means. Errors: ErrUnknown when it was sent and no OK
// came within 20 s; pow.ErrOffline when there was no connection for 20 s; one
// for which retry.IsPermanent holds when the bytes are not an event.
func (p *Pool) Publish(ctx context.Context, origin string, eventJSON []byte) (pow.Answer, error) {
	e, err := event.Parse(eventJSON)
	if err == nil {
		err = event.VerifyID(e)
	}
	if err != nil {
		return pow.Answer{}, retry.Permanent(fmt.Errorf("publish: %w", err))
	}
	r, err := p.relay(origin)
	if err != nil {
		return pow.Answer{}, err
	}
	wait, stop := context.WithTimeout(ctx, okTime)
	defer stop()
	msg := slices.Concat([]byte(`["EVENT",`), eventJSON, []byte(`]`))
	for {
		c, err := r.connection(wait)
		if err != nil {
			return pow.Answer{}, err
		}
		a, err := c.publish(ctx, event.ID(e), msg)
		if a.OK && e.Kind == kindDeletion {
			r.deletedThere(e)
		}
		if !errors.Is(err, errUnsent) {
			return a, err
		}
	}
}

// publish hands the event to the loop and waits for what becomes of it.
func (c *conn) publish(ctx context.Context, id pow.Hash, msg []byte) (pow.Answer, error) {
	p := &publication{id: id, msg: msg, result: make(chan result, 1)}
	if err := c.command(ctx, func() { c.enqueue(p, time.Now()) }); err != nil {
		return pow.Answer{}, err
	}
	select {
	case r := <-p.result:
		return r.answer, r.err
	case <-ctx.Done():
		return pow.Answer{}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

// command has the loop run f. When it returns nil, f will have been run.
func (c *conn) command(ctx context.Context, f func()) error {
	select {
	case c.commands <- f:
		return nil
	case <-c.done:
		return errUnsent
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", pow.ErrOffline, ctx.Err())
	}
}

func (c *conn) enqueue(p *publication, now time.Time) {
	if len(c.pubs) >= maxPublications {
		p.result <- result{err: pow.ErrOffline.With(errors.New("too many events wait for this relay"))}
		return
	}
	p.deadline = now.Add(okTime)
	c.pubs = append(c.pubs, p)
	if c.started {
		c.transmit(p, now)
	}
}

func (c *conn) transmit(p *publication, now time.Time) {
	p.sent, p.waits, p.deadline = true, false, now.Add(okTime)
	c.send(p.msg)
}

// takeOK matches an OK with what was sent.
func (c *conn) takeOK(f frame, now time.Time) error {
	if f.id == c.auth.id && !f.id.IsZero() {
		c.authenticated(f.ok, f.text, now)
		return nil
	}
	known := false
	c.pubs = slices.DeleteFunc(c.pubs, func(p *publication) bool {
		if p.id != f.id || !p.sent || p.waits {
			return false
		}
		known = true
		a := answer(f.ok, f.text)
		first := p.refusal == pow.Answer{}
		if !f.ok && a.Prefix == "auth-required" {
			if first {
				p.waits, p.refusal = true, a
				return false
			}
			a.Prefix = "restricted" // authenticated, and still refused
		}
		p.result <- result{answer: a}
		return true
	})
	if !known {
		return c.discard(now)
	}
	c.auth.wanted = c.auth.wanted || c.auth.id.IsZero() && slices.ContainsFunc(c.pubs, func(p *publication) bool { return p.waits })
	return nil
}

// resend goes on with what waited for AUTH.
func (c *conn) resend(ok bool, now time.Time) {
	c.pubs = slices.DeleteFunc(c.pubs, func(p *publication) bool {
		if !p.waits {
			return false
		}
		if ok {
			c.transmit(p, now)
			return false
		}
		p.result <- result{answer: pow.Answer{Prefix: "restricted", Text: pow.Clean(c.auth.text)}}
		return true
	})
}

// firePublications ends those that got no OK in time.
func (c *conn) firePublications(now time.Time) {
	c.pubs = slices.DeleteFunc(c.pubs, func(p *publication) bool {
		if now.Before(p.deadline) {
			return false
		}
		switch {
		case p.waits: // no challenge came
			p.result <- result{answer: p.refusal}
		case !p.sent:
			p.result <- result{err: pow.ErrOffline.With(errors.New("the relay did not let us begin"))}
		default:
			p.result <- result{err: ErrUnknown}
		}
		return true
	})
}

// abandon tells everybody who waits that the connection has ended. The loop
// has ended too, so nothing else touches these lists.
func (c *conn) abandon() {
	for _, p := range c.pubs {
		err := errUnsent
		if p.sent {
			err = ErrUnknown
		}
		p.result <- result{err: err}
	}
	for _, s := range c.subs {
		if s.fetch != nil {
			s.fetch.finish(pow.ErrOffline.With(context.Cause(c.ctx)))
		}
	}
	for _, s := range c.fetching {
		s.fetch.finish(pow.ErrOffline.With(context.Cause(c.ctx)))
	}
}
