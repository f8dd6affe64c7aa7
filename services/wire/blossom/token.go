package blossom

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Times of a token, against the server's clock.
const (
	tokenBefore = 30 * time.Second
	tokenLife   = 10 * time.Minute
)

// token makes the value of the Authorization header (BUD-11).
func (c *Client) token(q call) (string, error) {
	c.mu.Lock()
	now := c.c.Now().Add(c.skew[q.origin])
	c.mu.Unlock()
	e := tokenEvent(q.verb, q.hash, host(q.origin), now)
	for {
		if err := c.c.Key.Sign(e); err != nil {
			return "", fmt.Errorf("sign a token: %w", err)
		}
		b := event.Marshal(e)
		if len(b)%3 == 0 {
			return "Nostr " + base64.StdEncoding.EncodeToString(b), nil
		}
		// Servers disagree on padding and on the alphabet. With a length that
		// is a multiple of three there is no padding, and JSON in plain ASCII
		// has none of the bytes that differ, so every form is the same.
		e.Content += strings.Repeat(" ", 3-len(b)%3)
	}
}

func tokenEvent(verb string, h pow.Hash, server string, now time.Time) *event.Event {
	return &event.Event{
		Kind: 24242, CreatedAt: event.Timestamp(now.Add(-tokenBefore).Unix()), Content: "pow.do " + verb,
		Tags: event.Tags{
			{"t", verb},
			{"expiration", strconv.FormatInt(now.Add(tokenLife).Unix(), 10)},
			{"x", h.String()},
			{"server", server},
		},
	}
}

// correctClock takes the server's time when ours is so far off that a token
// is refused for it. It tells whether another token is worth trying.
func (c *Client) correctClock(origin string, resp *http.Response) bool {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := at.Sub(c.c.Now())
	if change := d - c.skew[origin]; change < clockError && change > -clockError {
		return false
	}
	c.skew[origin] = d
	c.c.Log.Warn("this computer's clock differs from a server's", "server", origin, "difference", d.Round(time.Second))
	return true
}
