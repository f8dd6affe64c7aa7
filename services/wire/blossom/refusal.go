package blossom

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// Codes that decide what this package does next; see pow.PlaceError.
const (
	codeConflict pow.Code = "conflict"
	codeUnknown  pow.Code = "unknown-result"
)

// refusal says what an answer means that is not a success: whether this server
// is to be asked again for this blob, and when.
func (c *Client) refusal(resp *http.Response, now time.Time) error {
	e := &pow.PlaceError{State: pow.PlaceRefused, Code: "refused", Answer: reason(resp)}
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		e.State, e.Code, e.Wait = pow.PlacePaused, "clock", refusedWait
	case code == http.StatusPaymentRequired:
		e.Code = "payment"
	case code == http.StatusForbidden:
		e.State, e.Code, e.Wait, e.Err = pow.PlacePaused, "not-admitted", refusedWait, pow.ErrNotAdmitted
	case code == http.StatusConflict:
		e.Code = codeConflict
	case code == http.StatusRequestEntityTooLarge:
		e.Code = "too-large"
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		e.State, e.Code, e.Wait = pow.PlaceWait, "server-error", retryAfter(resp.Header.Get("Retry-After"), now)
	case code == http.StatusRequestTimeout, code >= 500:
		e.State, e.Code = pow.PlaceWait, codeUnknown
	case code < 300:
		e.State, e.Code = pow.PlaceWait, "server-error"
	}
	return e
}

// reason is the server's own words, for people: the status and X-Reason.
func reason(resp *http.Response) string {
	return pow.Clean(strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + resp.Header.Get("X-Reason")))
}

// retryAfter reads the header in both of its forms (RFC 9110): seconds, or a
// date. It is 0 without one, and at most retry.MaxWait.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(n, uint64(retry.MaxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), retry.MaxWait)
}
