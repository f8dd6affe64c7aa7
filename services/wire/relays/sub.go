package relays

import (
	"fmt"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/retry"
)

// maxAgain is how many ids one REQ asks for.
const maxAgain = 100

// againPolicy paces the second reading of what Handle gave back.
var againPolicy = retry.Refused

// sub is one subscription on one connection.
type sub struct {
	id     string
	filter Filter
	until  int64  // inclusive; negative: none
	feed   *feed  // nil: a Fetch
	fetch  *fetch // nil: a feed

	open      bool // REQ sent, no CLOSED yet
	before    bool // REQ sent before AUTH was accepted
	eose      bool
	waitsAuth bool      // asked again after AUTH
	reauth    bool      // AUTH was tried for it
	retry     time.Time // closed: asked again then
	attempts  int

	// Since the REQ, before EOSE:
	heard          time.Time
	count          int // EVENT messages
	valid, fresh   int // verified events, those seen for the first time
	oldest, newest int64
}

// due returns when something is to be done.
func (s *sub) due() time.Time {
	switch {
	case s.open && !s.eose:
		return s.heard.Add(eoseTime)
	case !s.open:
		return s.retry
	}
	return time.Time{}
}

// ask sends the REQ, again with the identical filter.
func (c *conn) ask(s *sub, now time.Time) {
	s.open, s.eose, s.waitsAuth, s.before = true, false, false, !c.auth.ok
	s.retry, s.heard = time.Time{}, now
	s.count, s.valid, s.fresh, s.oldest, s.newest = 0, 0, 0, 0, 0
	c.send(s.filter.request(s.id, s.until))
}

// drop ends a subscription from our side.
func (c *conn) drop(s *sub) {
	if s.open {
		c.send(message("CLOSE", s.id))
	}
	s.open = false
	delete(c.subs, s.id)
}

// takeEvent lets an event in: known subscription, shape, id, signature,
// filter, and only then duplicates.
func (c *conn) takeEvent(f frame, now time.Time) error {
	s := c.subs[f.sub]
	if s == nil || !s.open {
		return c.discard(now)
	}
	if s.heard = now; !s.eose {
		if s.count++; s.count > maxStored {
			return fmt.Errorf("%w: stored events without end", errMisuse)
		}
	}
	e, err := event.Parse(f.event)
	if err != nil || event.Verify(e) != nil || !s.filter.Matches(e) || s.until >= 0 && int64(e.CreatedAt) > s.until {
		return c.discard(now)
	}
	if at := int64(e.CreatedAt); !s.eose {
		c.relay.cameAgain(event.ID(e))
		if s.valid == 0 || at < s.oldest {
			s.oldest = at
		}
		s.newest = max(s.newest, at)
		s.valid++
	}
	if s.fetch != nil {
		s.fetch.add(e, s.filter.limit())
		return nil
	}
	if !c.seen.add(event.ID(e)) {
		return nil
	}
	s.fresh++
	c.accept(item{conn: c, feed: s.feed, event: e})
	return nil
}

// takeEOSE: what is stored has been sent.
func (c *conn) takeEOSE(s *sub, now time.Time) {
	s.eose, s.attempts, s.reauth = true, 0, false
	switch {
	case s.fetch != nil:
		c.drop(s)
		s.fetch.finish(nil)
	case s == s.feed.live:
		c.relay.set(online, nil)
		c.stored(s, now)
	case s == s.feed.page:
		c.pageEnds(s)
	case s == s.feed.missing:
		c.drop(s)
		c.readMissing(s.feed, now)
	default: // read again
		c.drop(s)
	}
}

// takeClosed decides by the prefix when a subscription is asked for again.
func (c *conn) takeClosed(s *sub, text string, now time.Time) {
	s.open = false
	s.attempts++
	word := prefix(text)
	switch {
	case word == "auth-required" && !s.reauth:
		s.reauth, s.waitsAuth = true, true
		c.auth.wanted = c.auth.id.IsZero()
		s.retry = now.Add(okTime) // when no challenge comes
	case word == "auth-required", word == "restricted":
		c.restrict(s, text, now)
	case s.fetch != nil:
		c.endFetch(s, fmt.Errorf("relay closed the subscription: %s", pow.Clean(text)))
	case word == "rate-limited":
		s.retry = now.Add(max(rateWait, retry.Refused.After(s.attempts)))
	default:
		s.retry = now.Add(retry.Refused.After(s.attempts))
	}
}

// restrict takes a refusal for who we are: asked again every hour, because a
// person has to let us in.
func (c *conn) restrict(s *sub, text string, now time.Time) {
	s.waitsAuth, s.reauth = false, false
	err := fmt.Errorf("%s", pow.Clean(text))
	if s.fetch != nil {
		c.endFetch(s, pow.ErrNotAdmitted.With(err))
		return
	}
	s.retry = now.Add(refusedRetry)
	c.relay.set(refused, err)
}

// fireSub ends waits: for an EOSE that does not come, and of pauses.
func (c *conn) fireSub(s *sub, now time.Time) {
	if due := s.due(); due.IsZero() || now.Before(due) {
		return
	}
	switch {
	case !s.open && s.fetch != nil:
		c.endFetch(s, ErrUnknown)
	case !s.open:
		c.ask(s, now)
	case s.fetch != nil:
		c.endFetch(s, ErrUnknown)
	case s == s.feed.live: // live events come all the same; older ones are paged for
		s.eose = true
		c.stored(s, now)
	case s == s.feed.page: // a page without an end is not an empty page
		c.drop(s)
		s.feed.page = nil
	case s == s.feed.missing:
		c.drop(s)
		c.readMissing(s.feed, now)
	default:
		c.drop(s)
	}
}

// feed is one filter of the Pool on one connection: a live subscription, and a
// second one that pages back through what is stored.
type feed struct {
	name    string
	live    *sub
	page    *sub
	waits   bool  // the next page is asked for when everything is handled
	until   int64 // of that page
	retried bool  // the same until was asked for twice

	// For relays that keep what was deleted; see missing.go.
	compareAt time.Time
	comparing *comparison
	need      []pow.Hash // still to be read
	missing   *sub       // reads some of them
}

func newFeed(i int, f Filter) *feed {
	fd := &feed{name: strconv.Itoa(i)}
	fd.live = &sub{id: "in" + fd.name, filter: f, until: -1, feed: fd}
	return fd
}

// stored goes on after the newest stored events have come: a relay that keeps
// everything is asked for what is missing, any other one is read to the end.
func (c *conn) stored(s *sub, now time.Time) {
	if s.feed.compareAt = now.Add(missingEvery); c.relay.compares(now) {
		c.compare(s.feed, now)
		return
	}
	c.firstPage(s)
}

// firstPage begins to page when the live subscription brought anything. Relays
// cut answers at limits of their own, so the number of events says nothing: the
// end is a page that brings nothing new.
func (c *conn) firstPage(s *sub) {
	if s.valid > 0 && s.feed.page == nil {
		s.feed.waits, s.feed.until, s.feed.retried = true, s.oldest, false
	}
}

// pageEnds decides what the page just read means.
func (c *conn) pageEnds(s *sub) {
	f := s.feed
	c.drop(s)
	f.page = nil
	oneSecond := s.valid >= s.filter.limit() && s.oldest == s.newest
	switch {
	case s.fresh > 0:
		f.waits, f.until, f.retried = true, s.oldest, false
	case oneSecond && !f.retried:
		// More Letters of one second than fit a page: those that were handled
		// may be deleted by now, and make room for the others.
		f.waits, f.retried = true, true
	case oneSecond:
		f.waits, f.until, f.retried = true, s.oldest-1, false
	}
}

// turnPage asks for the next page once everything before it was handled:
// memory stays bounded, and what was handled may be deleted meanwhile.
func (c *conn) turnPage(f *feed, now time.Time) {
	if !f.waits || f.until < 0 || f.page != nil || !c.idle() {
		return
	}
	f.waits = false
	f.page = &sub{id: "pg" + f.name, filter: f.live.filter, until: f.until, feed: f}
	c.subs[f.page.id] = f.page
	c.ask(f.page, now)
}
