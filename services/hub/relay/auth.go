package relay

import (
	"crypto/subtle"
	"encoding/json"
	"time"

	"github.com/coder/websocket"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// onAuth checks a NIP-42 answer. Every key that authenticates stays so for the
// life of the connection, strangers' too: they need it to join.
func (c *conn) onAuth(raw json.RawMessage) {
	e, err := event.Parse(raw)
	if err != nil {
		c.unreadable(raw)
		return
	}
	if c.auths++; c.auths > maxAuths {
		c.refuse(e.ID, "rate-limited: too many AUTH messages")
		c.kill(websocket.StatusPolicyViolation, "too many AUTH messages")
		return
	}
	if !c.authRate.take(c.relay.now(), authsPerMinute, authsPerMinute, 1) || c.ip != "" && !c.relay.rates.auths.take(c.ip, 1) {
		c.refuse(e.ID, "rate-limited: too many AUTH messages")
		return
	}
	if text := c.checkAuth(e); text != "" {
		c.refuse(e.ID, text)
		return
	}
	if text := c.authenticate(event.Author(e)); text != "" {
		c.refuse(e.ID, text)
		return
	}
	c.ok(e.ID, true, "")
}

// checkAuth returns why an event does not authenticate its author here, or "".
func (c *conn) checkAuth(e *event.Event) string {
	challenge, _, err1 := event.Single(e, "challenge")
	relay, _, err2 := event.Single(e, "relay")
	switch {
	case e.Kind != kindAuth || err1 != nil || err2 != nil || len(e.Tags) > maxTags:
		return "invalid: not an authentication event"
	case !c.relay.within(e, handshake, handshake):
		return outOfRange
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(c.challenge)) != 1:
		return "invalid: wrong challenge"
	case !c.relay.Own(relay):
		return "invalid: authentication for another relay"
	case event.Verify(e) != nil:
		return "invalid: wrong id or signature"
	}
	return ""
}

// authenticate adds a key, or returns why not.
func (c *conn) authenticate(key pow.Key) string {
	if c.holds(key) {
		return ""
	}
	if c.relay.cfg.Members.Banned(key) {
		return "blocked: this key is banned"
	}
	if len(c.keys()) >= maxKeys {
		return "rate-limited: too many keys on this connection"
	}
	_, admitted := c.relay.dvmOf(key)
	if !admitted && c.relay.stats.Connections.Load() > maxStrangers {
		return "rate-limited: too many connections"
	}
	c.mu.Lock()
	c.auth[key] = admitted
	c.rerank()
	c.mu.Unlock()
	if c.relay.link(c, key) {
		c.relay.rejudged(c) // in case it was removed just now
		return ""
	}
	c.mu.Lock()
	delete(c.auth, key)
	c.rerank()
	c.mu.Unlock()
	return "rate-limited: too many connections of this key"
}

const outOfRange = "invalid: created_at out of range"

// within tells whether the event's time lies in [now - back, now + ahead], in
// whole seconds. A negative back sets no lower bound.
func (r *Relay) within(e *event.Event, back, ahead time.Duration) bool {
	age := r.now().Unix() - int64(e.CreatedAt)
	return age >= -int64(ahead/time.Second) && (back < 0 || age <= int64(back/time.Second))
}

// unreadable answers something that is not an event: to its id if it has one.
func (c *conn) unreadable(raw json.RawMessage) {
	var e struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &e) == nil {
		if _, err := pow.ParseHash(e.ID); err == nil {
			c.refuse(e.ID, "invalid: not a well-formed event")
			return
		}
	}
	c.badFrame("invalid: not a well-formed event")
}
