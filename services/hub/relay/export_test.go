package relay

import (
	"encoding/json"
	"time"
)

// Parse reads a message and, if it is a request, its filters: what strangers'
// bytes reach before anything else.
func Parse(message []byte) error {
	verb, args, err := parse(message)
	if err == nil && verb == "REQ" && len(args) > 0 {
		if _, err = subID(args[0]); err == nil {
			_, err = parseFilters(args[1:])
		}
	}
	return err
}

// ParseFilters tells why filters are refused.
func ParseFilters(raw ...json.RawMessage) error { _, err := parseFilters(raw); return err }

// Origin normalises an origin.
func Origin(s string) string { return origin(s) }

// Peer returns what counts as one address.
func Peer(s string) string { return peer(s) }

// Reserved returns how many items all negotiations hold.
func (r *Relay) Reserved() int64 { return r.reserved.Load() }

// Queued returns how many bytes wait for all readers.
func (r *Relay) Queued() int64 { return r.queued.Load() }

// Hold makes it seem that readers hold n bytes, until release.
func (r *Relay) Hold(n int64) (release func()) {
	r.queued.Add(n)
	return func() { r.queued.Add(-n) }
}

// Rates paces many.
type Rates struct{ *rates }

// NewRates makes one.
func NewRates(now func() time.Time, perMinute, burst float64) Rates {
	return Rates{newRates(now, perMinute, burst)}
}

// Take takes one.
func (r Rates) Take(name string, factor float64) bool { return r.take(name, factor) }
