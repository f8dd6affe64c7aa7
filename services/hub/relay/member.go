package relay

import (
	"context"
	"errors"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// maxClaim bounds the claim of a join request, in characters.
const maxClaim = 2_048

func joinShape(_ *Relay, e *event.Event) bool {
	_, ok, err := event.Single(e, "claim")
	return len(e.Tags) <= maxTags && isProtected(e) && ok && err == nil
}

func leaveShape(_ *Relay, e *event.Event) bool {
	return tagsWithin(e, maxTags) && isProtected(e)
}

// isProtected tells whether the event has the tag of NIP-70, once.
func isProtected(e *event.Event) bool {
	n := 0
	for _, tag := range e.Tags { // not Tags.FindAll, which skips tags without a value
		if tag[0] == "-" {
			n++
		}
	}
	return n == 1
}

// vanishShape: a request to vanish names this relay, or all (NIP-62).
func vanishShape(r *Relay, e *event.Event) bool {
	for tag := range e.Tags.FindAll("relay") {
		if v := tag.Value(); v == "ALL_RELAYS" || r.Own(v) {
			return tagsWithin(e, maxTags)
		}
	}
	return false
}

// onJoin admits a device that brings a claim (NIP-43). A claim that is refused
// gets one text, whatever was wrong with it; the counters tell which.
func (c *conn) onJoin(e *event.Event) {
	device := event.Author(e)
	if _, member := c.relay.dvmOf(device); member {
		c.ok(e.ID, true, "duplicate: already a member")
		return
	}
	if !c.strangerMay() {
		c.refuse(e.ID, "rate-limited: too many tries")
		return
	}
	switch err := c.join(e, device); {
	case err == nil:
		c.relay.stats.Joined.Add(1)
		c.ok(e.ID, true, "info: welcome")
	case errors.Is(err, errMember):
		c.ok(e.ID, true, "duplicate: already a member")
	case errors.As(err, new(*pow.Error)):
		c.refuse(e.ID, "restricted: claim refused")
	default:
		c.relay.log.Error("a device could not be admitted", "err", err)
		c.refuse(e.ID, "error: could not be stored")
	}
}

// Refusals of a join; errMember is what Members.Join returns.
var (
	errMember = &pow.Error{Code: "member", What: "already a member"}
	errClaim  = &pow.Error{Code: pow.CodeClaimInvalid, What: "the claim is not valid here"}
)

func (c *conn) join(e *event.Event, device pow.Key) error {
	claim, _, _ := event.Single(e, "claim")
	if len(claim) > maxClaim {
		return c.claimRefused("size")
	}
	dvm, id, expires, err := c.relay.cfg.Claims.Check(claim, c.relay.now())
	if err != nil || !c.relay.dvms[dvm] {
		return c.claimRefused("check")
	}
	err = c.relay.cfg.Members.Join(c.relay.ctx, device, dvm, id, expires)
	if refusal := (*pow.Error)(nil); errors.As(err, &refusal) && refusal.Code != errMember.Code {
		return c.claimRefused(string(refusal.Code))
	}
	return err
}

func (c *conn) claimRefused(why string) error {
	c.relay.stats.Refused.Add("claim-" + why)
	return errClaim
}

// strangerMay limits what somebody may try who is not on the whitelist.
func (c *conn) strangerMay() bool {
	if c.joins++; c.joins > maxJoins {
		return false
	}
	return c.ip == "" || c.relay.rates.joins.take(c.ip, 1)
}

// onLeave takes the device off the whitelist at its own wish (NIP-43).
func (c *conn) onLeave(e *event.Event) {
	device := event.Author(e)
	c.part(func() []byte {
		return c.done(e, c.relay.cfg.Members.Leave(c.relay.ctx, device), "info: left")
	})
}

// onVanish forgets a key (NIP-62); it need not be a member's.
func (c *conn) onVanish(e *event.Event) {
	key := event.Author(e)
	if !c.strangerMay() {
		c.refuse(e.ID, "rate-limited: too many tries")
		return
	}
	c.part(func() []byte {
		err := c.relay.cfg.Events.Vanish(c.relay.ctx, key, e.CreatedAt.Time())
		if err == nil && c.relay.cfg.Vanished != nil {
			c.relay.cfg.Vanished()
		}
		return c.done(e, err, "")
	})
}

// done answers an event that changed the whitelist.
func (c *conn) done(e *event.Event, err error, text string) []byte {
	if err != nil && !errors.Is(err, context.Canceled) {
		c.relay.log.Error("a device could not be removed", "err", err)
	}
	if err != nil {
		return c.relay.answer(e.ID, err)
	}
	return frame("OK", e.ID, true, text)
}
