package relays

import (
	"fmt"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// authState is where a connection is with NIP-42.
type authState struct {
	challenge string
	wanted    bool      // answer the challenge when the gap is over
	sent      time.Time // when it was last answered
	id        pow.Hash  // of the AUTH event that waits for its OK; zero: none
	ok        bool      // the newest AUTH was accepted
	text      string    // why it was refused
}

// due returns when something is to be done.
func (a *authState) due() time.Time {
	switch {
	case a.wanted && a.challenge != "" && a.id.IsZero():
		return a.sent.Add(authGap)
	case !a.id.IsZero():
		return a.sent.Add(okTime)
	}
	return time.Time{}
}

// maxChallenge bounds what is signed at a stranger's wish.
const maxChallenge = 1024

// challenged takes a challenge; the newest one counts. One that was answered
// already needs no second answer until something is refused for lack of AUTH.
func (c *conn) challenged(challenge string) {
	if challenge == "" || len(challenge) > maxChallenge || challenge == c.auth.challenge {
		return
	}
	c.auth.challenge, c.auth.wanted, c.auth.ok = challenge, true, false
}

// fireAuth answers the challenge, and starts without one when none came.
func (c *conn) fireAuth(now time.Time) error {
	a := &c.auth
	if !a.id.IsZero() && !now.Before(a.sent.Add(okTime)) {
		a.id = pow.Hash{} // some relays answer AUTH with nothing
		c.start(now)
	}
	if a.wanted && a.challenge != "" && a.id.IsZero() && !now.Before(a.sent.Add(authGap)) {
		e := authEvent(c.origin, a.challenge, c.now())
		if err := c.pool.c.Key.Sign(e); err != nil {
			return fmt.Errorf("sign AUTH: %w", err)
		}
		a.wanted, a.sent, a.id = false, now, event.ID(e)
		c.send([]byte(`["AUTH",` + string(event.Marshal(e)) + `]`))
	}
	if !c.started && a.challenge == "" && !now.Before(c.grace) {
		c.start(now)
	}
	return nil
}

// now is the time as the relay has it.
func (c *conn) now() time.Time { return c.pool.c.Now().Add(c.skew) }

// authEvent answers a challenge, but for the signature.
func authEvent(origin, challenge string, at time.Time) *event.Event {
	return &event.Event{
		Kind: 22242, CreatedAt: event.Timestamp(at.Unix()),
		Tags: event.Tags{{"relay", strings.TrimSuffix(origin, "/") + "/"}, {"challenge", challenge}},
	}
}

// authenticated takes the relay's answer to our AUTH.
func (c *conn) authenticated(ok bool, text string, now time.Time) {
	c.auth.id, c.auth.ok, c.auth.text = pow.Hash{}, ok, text
	if !ok {
		c.pool.c.Log.Warn("relay refused AUTH", "relay", c.origin, "text", pow.Clean(text))
		c.relay.set(refused, fmt.Errorf("AUTH refused: %s", pow.Clean(text)))
	}
	c.start(now)
	for _, s := range c.subs {
		switch {
		case ok && (s.waitsAuth || s.open && s.before):
			c.ask(s, now)
		case !ok && s.waitsAuth:
			c.restrict(s, text, now)
		}
	}
	c.resend(ok, now)
}

// start sends the subscriptions and what waited to be published. It does so
// once; AUTH comes first where the relay asks for it.
func (c *conn) start(now time.Time) {
	if c.started {
		return
	}
	c.started = true
	if c.auth.ok || c.auth.text == "" {
		c.relay.set(online, nil)
	}
	for _, f := range c.feeds {
		c.subs[f.live.id] = f.live
		c.ask(f.live, now)
	}
	for _, p := range c.pubs {
		c.transmit(p, now)
	}
}

// askAgain ends every pause on this connection; see Pool.Wake.
func (c *conn) askAgain() {
	now := time.Now()
	if !c.auth.ok {
		c.auth.wanted = true
	}
	for _, s := range c.subs {
		if !s.open && !s.retry.IsZero() {
			c.ask(s, now)
		}
	}
}
