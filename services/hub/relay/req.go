package relay

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/coder/websocket"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
)

// sub is a subscription. The connection's mu guards it.
type sub struct {
	id      string
	head    []byte // of its EVENT messages, up to the event
	filters []nostr.Filter
	loading bool    // stored events are being sent; live ones wait in buffer
	buffer  []*mail // counted in the connection's queued
	gone    bool    // closed or replaced: nothing more is sent for it
}

func (s *sub) matches(m *mail) bool {
	return slices.ContainsFunc(s.filters, func(f nostr.Filter) bool { return f.Matches(m.event) })
}

// offer gives a live event to the subscriptions that match. It runs on the
// store's writer and must not block.
func (c *conn) offer(m *mail) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 || !c.visible(m) {
		return
	}
	for _, s := range c.subs {
		switch {
		case s.gone || !s.matches(m):
		case s.loading && c.fits(len(m.json)):
			s.buffer = append(s.buffer, m)
			c.hold(len(m.json))
		default:
			c.push(item{sub: s, mail: m})
		}
	}
}

// onReq opens a subscription: it listens first, then sends what is stored, and
// then what came meanwhile and was not among it.
func (c *conn) onReq(args []json.RawMessage) {
	id, filters, ok := c.request(args)
	if !ok {
		return
	}
	s, ok := c.open(id, filters)
	if !ok {
		c.refuseSub(id, "rate-limited: too many subscriptions")
		return
	}
	sent := map[pow.Hash]bool{}
	letters, announcers := c.scope()
	err := c.relay.cfg.Search.Find(c.ctx, filters, letters, announcers,
		func(id pow.Hash, kind int, author, to pow.Key, json []byte) error {
			sent[id] = true
			return c.pushWait(item{sub: s, mail: &mail{id: id, kind: kind, author: author, to: to, json: json}})
		})
	switch {
	case err == nil:
		c.live(s, sent)
	case errors.Is(err, errGone) || errors.Is(err, context.Canceled):
	default:
		c.relay.log.Error("stored events could not be read", "err", err)
		c.closed(id, "error: could not read what is stored")
	}
}

// ask checks what REQ, COUNT and NEG-OPEN have in common: name, authentication,
// rate, filters, access. ok is false when the name was bad, which is answered.
func (c *conn) ask(args []json.RawMessage) (id string, filters []nostr.Filter, refusal string, ok bool) {
	id, err := subID(args[0])
	if err != nil {
		c.badFrame("invalid: bad subscription id")
		return "", nil, "", false
	}
	if len(c.keys()) == 0 {
		return id, nil, authRequired, true
	}
	if !c.requestRate.take(c.relay.now(), requestsPerMinute, requestsPerMinute, 1) {
		return id, nil, tooMany, true
	}
	if filters, err = parseFilters(args[1:]); err != nil {
		return id, nil, err.Error(), true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.admitted() {
		refusal = "restricted: not a member"
	}
	return id, filters, refusal, true
}

const tooMany = "rate-limited: too many requests"

// request is ask for REQ and COUNT; a refusal is answered with CLOSED.
func (c *conn) request(args []json.RawMessage) (id string, filters []nostr.Filter, ok bool) {
	id, filters, refusal, ok := c.ask(args)
	switch {
	case !ok || refusal == "":
	case refusal == tooMany:
		c.refuseSub(id, refusal)
	default:
		c.closed(id, refusal)
	}
	return id, filters, ok && refusal == ""
}

// open registers a subscription, replacing one of the same name.
func (c *conn) open(id string, filters []nostr.Filter) (*sub, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(id)
	if len(c.subs) >= maxSubs {
		return nil, false
	}
	name, _ := json.Marshal(id)
	s := &sub{id: id, head: append(append([]byte(`["EVENT",`), name...), ','), filters: filters, loading: true}
	c.subs[id] = s
	return s, true
}

// live ends the stored part: EOSE, then what came meanwhile.
func (c *conn) live(s *sub, sent map[pow.Hash]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.gone {
		return
	}
	c.push(item{frame: frame("EOSE", s.id)})
	for _, m := range s.buffer {
		c.hold(-len(m.json))
		if !sent[m.id] {
			c.push(item{sub: s, mail: m})
		}
	}
	s.loading, s.buffer = false, nil
}

// drop forgets a subscription. It needs mu.
func (c *conn) drop(id string) {
	s := c.subs[id]
	if s == nil {
		return
	}
	for _, m := range s.buffer {
		c.hold(-len(m.json))
	}
	s.gone, s.buffer = true, nil
	delete(c.subs, id)
}

// closed ends or refuses a subscription with a reason.
func (c *conn) closed(id, text string) {
	c.relay.stats.Refused.Add(prefix(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(id)
	c.push(item{frame: frame("CLOSED", id, text)})
}

// refuseSub is closed for those who ask too often; in the end they are cut off.
func (c *conn) refuseSub(id, text string) {
	c.closed(id, text)
	if c.refused++; c.refused >= maxRefused {
		c.kill(websocket.StatusPolicyViolation, "too many requests")
	}
}

func (c *conn) onClose(raw json.RawMessage) {
	id, err := subID(raw)
	if err != nil {
		c.badFrame("invalid: bad subscription id")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(id)
}

// onCount counts what is visible (NIP-45), exactly, up to countCeiling.
func (c *conn) onCount(args []json.RawMessage) {
	id, filters, ok := c.request(args)
	if !ok {
		return
	}
	letters, announcers := c.scope()
	n, err := c.relay.cfg.Search.Count(c.ctx, filters, letters, announcers, countCeiling)
	switch {
	case err != nil && c.ctx.Err() == nil:
		c.relay.log.Error("stored events could not be counted", "err", err)
		c.closed(id, "error: could not read what is stored")
	case n > countCeiling:
		c.closed(id, "blocked: more than can be counted")
	default:
		c.send(frame("COUNT", id, map[string]int{"count": n}))
	}
}
