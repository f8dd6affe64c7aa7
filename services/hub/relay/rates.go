package relay

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// bucket is a token bucket: it holds up to burst and fills at a rate per minute.
type bucket struct {
	used float64 // tokens that are missing
	at   time.Time
}

func (b *bucket) take(now time.Time, perMinute, burst, n float64) bool {
	b.used = max(0, b.used-now.Sub(b.at).Minutes()*perMinute)
	b.at = now
	if b.used+n > burst {
		return false
	}
	b.used += n
	return true
}

// maxBuckets bounds the memory of rates; idle ones are dropped first.
const maxBuckets = 20_000

// rates paces keys and addresses across connections.
type rates struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*bucket
}

func newRates(now func() time.Time) *rates { return &rates{now: now, all: map[string]*bucket{}} }

func (r *rates) take(name string, perMinute, burst float64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	b := r.all[name]
	if b == nil {
		if len(r.all) >= maxBuckets {
			maps.DeleteFunc(r.all, func(_ string, b *bucket) bool { return now.Sub(b.at) > time.Hour })
		}
		if len(r.all) >= maxBuckets {
			return false
		}
		b = &bucket{at: now}
		r.all[name] = b
	}
	return b.take(now, perMinute, burst, 1)
}

// peer returns what counts as one address: an IPv4 address or an IPv6 network
// of 64 bits. Loopback is "": a front or an onion service on this machine.
func peer(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	ip := ap.Addr().Unmap()
	switch {
	case err != nil || ip.IsLoopback():
		return ""
	case ip.Is6():
		p, _ := ip.WithZone("").Prefix(64)
		return p.String()
	}
	return ip.String()
}

// Counters counts by name.
type Counters struct {
	mu sync.Mutex
	n  map[string]int64
}

// Add counts one more.
func (c *Counters) Add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int64{}
	}
	c.n[name]++
}

// All returns a copy.
func (c *Counters) All() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}
