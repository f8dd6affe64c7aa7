package relays

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// fetch collects the events of one Fetch. It belongs to the loop of the
// connection until finish.
type fetch struct {
	events []*event.Event
	ids    map[pow.Hash]bool
	done   chan error // buffered
}

// add keeps a verified event, once, up to limit.
func (f *fetch) add(e *event.Event, limit int) {
	if id := event.ID(e); !f.ids[id] && len(f.events) < limit {
		f.ids[id] = true
		f.events = append(f.events, e)
	}
}

func (f *fetch) finish(err error) { f.done <- err }

// Fetch asks one relay of the Pool for stored events and returns those that
// are verified and match, in the relay's order, at most f.Limit of them (500 when
// 0). Errors: pow.ErrNotAdmitted when the relay refuses us, pow.ErrOffline,
// ErrUnknown when it does not answer to the end.
func (p *Pool) Fetch(ctx context.Context, origin string, f Filter) ([]*event.Event, error) {
	r, err := p.relay(origin)
	if err != nil {
		return nil, err
	}
	wait, stop := context.WithTimeout(ctx, okTime)
	defer stop()
	c, err := r.connection(wait)
	if err != nil {
		return nil, err
	}
	s := &sub{filter: f, until: -1, fetch: &fetch{ids: map[pow.Hash]bool{}, done: make(chan error, 1)}}
	if err := c.command(ctx, func() { c.fetching = append(c.fetching, s) }); err != nil {
		return nil, pow.ErrOffline.With(err)
	}
	select {
	case err = <-s.fetch.done:
	case <-ctx.Done():
		_ = c.command(context.WithoutCancel(ctx), func() { c.forgetFetch(s) })
		return nil, fmt.Errorf("fetch: %w", ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return s.fetch.events, nil
}

// startFetches opens the next ones, a few at a time: relays allow some twenty
// subscriptions.
func (c *conn) startFetches(now time.Time) {
	running := 0
	for _, s := range c.subs {
		if s.fetch != nil {
			running++
		}
	}
	for c.started && running < maxFetches && len(c.fetching) > 0 {
		s := c.fetching[0]
		c.fetching = c.fetching[1:]
		c.number++
		s.id = "f" + strconv.Itoa(c.number)
		c.subs[s.id] = s
		c.ask(s, now)
		running++
	}
}

func (c *conn) endFetch(s *sub, err error) {
	c.drop(s)
	s.fetch.finish(err)
}

// forgetFetch drops one that nobody waits for any more.
func (c *conn) forgetFetch(s *sub) {
	c.fetching = slices.DeleteFunc(c.fetching, func(o *sub) bool { return o == s })
	if c.subs[s.id] == s {
		c.drop(s)
	}
}
