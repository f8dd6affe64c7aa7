package blossom

import (
	"context"
	"net/http"
	"time"

	"pow.do/services/pow"
)

// Clock returns how far a server's clock is ahead of ours, to about a second:
// what its Date (RFC 9110) says, against the middle of the call. ok is false
// when it does not say.
func (c *Client) Clock(ctx context.Context, origin string) (ahead time.Duration, ok bool, err error) {
	before := c.c.Now()
	resp, end, err := c.send(ctx, call{origin: origin, method: http.MethodHead, path: "/" + pow.Hash{}.String(), verb: "get"})
	if err != nil {
		return 0, false, err
	}
	defer end()
	after := c.c.Now()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false, nil
	}
	// The header is cut to whole seconds: half of one is lost on average.
	return date.Add(time.Second / 2).Sub(before.Add(after.Sub(before) / 2)), true, nil
}
