package blobs

import (
	"maps"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"pow.do/services/pow"
)

// Rates of requests. A DVM may do dvmFactor times what a device may.
const (
	requestsPerMinute = 600 // of one key
	refusalsPerMinute = 120 // of one address, before its requests are refused unread
	dvmFactor         = 50
	rateWait          = 10 * time.Second // Retry-After
	maxBuckets        = 20_000
)

// rates paces keys and addresses. It keeps nothing of those that are idle.
type rates struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*bucket
}

type bucket struct {
	*rate.Limiter
	last time.Time
}

// of returns the bucket of a name, or nil when there are too many; it needs mu.
func (r *rates) of(name string, perMinute int) *bucket {
	b, now := r.all[name], r.now()
	if b == nil {
		if len(r.all) >= maxBuckets {
			maps.DeleteFunc(r.all, func(_ string, b *bucket) bool { return now.Sub(b.last) > time.Minute }) // full again
		}
		if len(r.all) >= maxBuckets {
			return nil
		}
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)}
		r.all[name] = b
	}
	b.last = now
	return b
}

// key counts a request of an authenticated key.
func (r *rates) key(k pow.Key, dvm bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := requestsPerMinute
	if dvm {
		most *= dvmFactor
	}
	b := r.of(string(k[:]), most)
	return b != nil && b.AllowN(b.last, 1)
}

// blocked tells whether an address was refused too often lately.
func (r *rates) blocked(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.all[address]
	return address != "" && b != nil && b.TokensAt(r.now()) < 1
}

// refused counts a refusal.
func (r *rates) refused(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if address == "" {
		return
	}
	if b := r.of(address, refusalsPerMinute); b != nil {
		b.AllowN(b.last, 1)
	}
}

// address returns what counts as one address: an IPv4 address or an IPv6 network
// of 64 bits. Loopback is "": a front or an onion service on this machine.
func address(remote string) string {
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

func (c *Counters) add(name string) {
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
