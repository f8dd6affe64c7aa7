package relay

import (
	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// mail is an event on its way to readers.
type mail struct {
	id     pow.Hash
	kind   int
	author pow.Key
	to     pow.Key // recipient of a gift wrap, otherwise zero
	json   []byte
	event  *event.Event // to match filters with; nil when a search found it
}

// visible is the one rule of who may see what: a gift wrap its recipient, an
// announcement the DVM that made it and its members. Every path calls it at the
// moment of sending. It needs mu.
func (c *conn) visible(m *mail) bool {
	switch m.kind {
	case kindLetter:
		_, mine := c.auth[m.to]
		return mine
	case kindAnnouncement:
		for k := range c.auth {
			if dvm, ok := c.relay.dvmOf(k); ok && dvm == m.author {
				return true
			}
		}
	}
	return false
}

// dvmOf returns the DVM whose mail a key takes part in: a DVM its own, a member
// that of its DVM.
func (r *Relay) dvmOf(key pow.Key) (dvm pow.Key, ok bool) {
	if r.dvms[key] {
		return key, true
	}
	dvm, ok = r.cfg.Members.DVMOf(key)
	return dvm, ok && r.dvms[dvm]
}

// payer returns the authenticated key that may write to a mailbox: a member to
// its DVM, a DVM to its members.
func (c *conn) payer(to pow.Key) (key pow.Key, ok bool) {
	for _, k := range c.keys() {
		other, ok := to, false
		if c.relay.dvms[k] {
			dvm, member := c.relay.cfg.Members.DVMOf(to)
			ok = member && dvm == k
		} else {
			other, ok = c.relay.dvmOf(k)
			ok = ok && other == to
		}
		if ok {
			return k, true
		}
	}
	return pow.Key{}, false
}

// keys returns the authenticated keys.
func (c *conn) keys() []pow.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := make([]pow.Key, 0, len(c.auth))
	for k := range c.auth {
		keys = append(keys, k)
	}
	return keys
}

// holds tells whether a key is authenticated here.
func (c *conn) holds(key pow.Key) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.auth[key]
	return ok
}

// admitted tells whether any authenticated key is a member or a DVM. It needs mu.
func (c *conn) admitted() bool {
	for k := range c.auth {
		if _, ok := c.relay.dvmOf(k); ok {
			return true
		}
	}
	return false
}

// rank is what a connection may cost, by the best of its keys.
type rank int

const (
	unknown rank = iota // no key
	stranger
	member
	server // a DVM
)

// rerank looks at the keys again. It needs mu.
func (c *conn) rerank() {
	c.rank = unknown
	for k, admitted := range c.auth {
		switch {
		case c.relay.dvms[k]:
			c.rank = server
		case admitted:
			c.rank = max(c.rank, member)
		default:
			c.rank = max(c.rank, stranger)
		}
	}
}

// scope returns whose letters and whose announcements this connection may read.
func (c *conn) scope() (letters, announcers []pow.Key) {
	letters = c.keys()
	seen := map[pow.Key]bool{}
	for _, k := range letters {
		if dvm, ok := c.relay.dvmOf(k); ok && !seen[dvm] {
			seen[dvm] = true
			announcers = append(announcers, dvm)
		}
	}
	return letters, announcers
}

// rejudge takes away the keys that were removed from the whitelist and returns
// them. With no key left the connection is closed; with none that is admitted,
// its subscriptions are.
func (c *conn) rejudge() (lost []pow.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, was := range c.auth {
		_, is := c.relay.dvmOf(k)
		c.auth[k] = is
		if was && !is || c.relay.cfg.Members.Banned(k) {
			delete(c.auth, k)
			lost = append(lost, k)
		}
	}
	c.rerank()
	switch {
	case len(lost) == 0:
	case len(c.auth) == 0:
		if !c.leaving {
			c.killLocked(websocket.StatusPolicyViolation, "removed")
		}
	default:
		if c.neg != nil { // its set may hold what is not to be seen any more
			c.stopNegotiation("closed: a key was removed")
		}
		if c.admitted() {
			break
		}
		for id := range c.subs {
			c.drop(id)
			c.push(item{frame: frame("CLOSED", id, restricted)})
		}
	}
	return lost
}

// part runs a request that may take the last key from this connection, such
// that its answer still goes out first.
func (c *conn) part(request func() []byte) {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	answer := request()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = false
	c.push(item{frame: answer})
	if len(c.auth) == 0 {
		c.killLocked(websocket.StatusPolicyViolation, "removed")
	}
}
