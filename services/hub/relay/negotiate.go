package relay

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/negentropy"
)

// negotiation is a comparison of sets that a client has open (NIP-77). One
// connection has one at most.
type negotiation struct {
	id   string
	set  *negentropy.Set
	idle *time.Timer // ends it
}

// onNegOpen begins a comparison with what is visible to this connection now.
func (c *conn) onNegOpen(args []json.RawMessage) {
	id, filters, refusal, ok := c.ask(args[:2])
	if !ok {
		return
	}
	message, bad := negMessage(args[2])
	switch {
	case refusal != "":
	case bad != nil || hasLimit(args[1]):
		refusal = "invalid: bad filter or message"
	case !c.mayNegotiate(id):
		refusal = "blocked: one negotiation at a time"
	case !c.relay.reserve(maxNegItems):
		refusal = "rate-limited: too many negotiations"
	}
	if refusal != "" {
		c.negError(id, refusal)
		return
	}
	set, err := c.visibleSet(filters[0])
	c.relay.reserved.Add(int64(min(set.Len(), maxNegItems)) - maxNegItems)
	switch {
	case err != nil:
		if c.ctx.Err() == nil {
			c.relay.log.Error("stored events could not be listed", "err", err)
		}
		c.negError(id, "error: could not read what is stored")
	case set.Len() > maxNegItems:
		c.negError(id, "blocked: this query is too big")
	default:
		c.negotiate(&negotiation{id: id, set: set}, message)
		return
	}
	c.relay.reserved.Add(-int64(min(set.Len(), maxNegItems)))
}

// reserve takes room for n items, of what all negotiations may take.
func (r *Relay) reserve(n int64) bool {
	if r.reserved.Add(n) <= maxNegHeld {
		return true
	}
	r.reserved.Add(-n)
	return false
}

// hasLimit tells whether a filter has a limit, which NIP-77 gives no meaning.
func hasLimit(raw json.RawMessage) bool {
	var f struct{ Limit json.RawMessage }
	return json.Unmarshal(raw, &f) == nil && f.Limit != nil
}

func negMessage(raw json.RawMessage) ([]byte, error) {
	var text string
	if raw[0] != '"' {
		return nil, errFrame
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	return hex.DecodeString(text)
}

// mayNegotiate ends a negotiation of the same name; another one is in the way.
func (c *conn) mayNegotiate(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.neg != nil && c.neg.id == id {
		c.endNegotiation()
	}
	return c.neg == nil
}

// visibleSet lists what the connection may see, one item more than it may have.
func (c *conn) visibleSet(f nostr.Filter) (*negentropy.Set, error) {
	var items []negentropy.Item
	letters, announcers := c.scope()
	err := c.relay.cfg.Search.Items(c.ctx, f, letters, announcers, maxNegItems+1,
		func(id pow.Hash, kind int, at int64, of pow.Key) error {
			m := mail{id: id, kind: kind, author: of, to: of}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.code != 0 {
				return errGone
			}
			if c.visible(&m) {
				items = append(items, negentropy.Item{At: at, ID: id})
			}
			return nil
		})
	return negentropy.NewSet(items), err
}

// negotiate opens n with its first message.
func (c *conn) negotiate(n *negotiation, message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 {
		c.relay.reserved.Add(-int64(n.set.Len()))
		return
	}
	c.neg = n
	n.idle = time.AfterFunc(negIdle, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.neg == n {
			c.stopNegotiation("closed: took too long")
		}
	})
	c.reply(message)
}

// reply answers a message of the open negotiation. It needs mu.
func (c *conn) reply(message []byte) {
	answer, err := c.neg.set.Answer(message, negentropy.Frame)
	if err != nil {
		c.stopNegotiation("invalid: not a negentropy message")
		return
	}
	c.neg.idle.Reset(negIdle)
	c.push(item{frame: frame("NEG-MSG", c.neg.id, hex.EncodeToString(answer))})
}

// onNegMsg goes on with the open negotiation.
func (c *conn) onNegMsg(args []json.RawMessage) {
	id, err := subID(args[0])
	if err != nil {
		c.badFrame("invalid: bad subscription id")
		return
	}
	message, err := negMessage(args[1])
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.neg == nil || c.neg.id != id:
		c.push(item{frame: frame("NEG-ERR", id, "closed: no such negotiation")})
	case err != nil:
		c.stopNegotiation("invalid: not hex")
	case !c.requestRate.take(c.relay.now(), requestsPerMinute, requestsPerMinute, 1):
		c.stopNegotiation("rate-limited: too many requests")
	default:
		c.reply(message)
	}
}

// onNegClose ends a negotiation; an unknown one is ignored.
func (c *conn) onNegClose(raw json.RawMessage) {
	id, err := subID(raw)
	if err != nil {
		c.badFrame("invalid: bad subscription id")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.neg != nil && c.neg.id == id {
		c.endNegotiation()
	}
}

// endNegotiation gives back what the negotiation held. It needs mu.
func (c *conn) endNegotiation() {
	if c.neg == nil {
		return
	}
	c.neg.idle.Stop()
	c.relay.reserved.Add(-int64(c.neg.set.Len()))
	c.neg = nil
}

// stopNegotiation ends it from this side, with a reason. It needs mu.
func (c *conn) stopNegotiation(text string) {
	id := c.neg.id
	c.endNegotiation()
	c.relay.stats.Refused.Add(prefix(text))
	c.push(item{frame: frame("NEG-ERR", id, text)})
}

// negError refuses a negotiation that was not opened.
func (c *conn) negError(id, text string) {
	c.relay.stats.Refused.Add(prefix(text))
	c.send(frame("NEG-ERR", id, text))
}

var errGone = errors.New("nobody reads this any more")
