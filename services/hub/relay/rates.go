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
	b.refill(now, perMinute)
	if b.used+n > burst {
		return false
	}
	b.used += n
	return true
}

func (b *bucket) refill(now time.Time, perMinute float64) {
	b.used = max(0, b.used-now.Sub(b.at).Minutes()*perMinute)
	b.at = now
}

// maxBuckets bounds the memory of one rates.
const maxBuckets = 20_000

// rates paces many of one kind, keys or addresses, at one rate. When there are
// too many at once, new ones are refused: those who are known go on.
type rates struct {
	perMinute, burst float64
	now              func() time.Time

	mu    sync.Mutex // guards what follows
	all   map[string]*bucket
	swept time.Time
}

func newRates(now func() time.Time, perMinute, burst float64) *rates {
	return &rates{perMinute: perMinute, burst: burst, now: now, all: map[string]*bucket{}}
}

// take takes one of factor times as many.
func (r *rates) take(name string, factor float64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	b := r.all[name]
	if b == nil {
		if len(r.all) >= maxBuckets && !r.sweep(now, factor) {
			return false
		}
		b = &bucket{at: now}
		r.all[name] = b
	}
	return b.take(now, r.perMinute*factor, r.burst*factor, 1)
}

// sweep drops those that are full again, at most once a second.
func (r *rates) sweep(now time.Time, factor float64) bool {
	if since := now.Sub(r.swept); since >= time.Second || since < 0 {
		r.swept = now
		maps.DeleteFunc(r.all, func(_ string, b *bucket) bool { b.refill(now, r.perMinute*factor); return b.used == 0 })
	}
	return len(r.all) < maxBuckets
}

// budget is a number of bytes that many share. Whoever finds too little waits.
type budget struct {
	mu   sync.Mutex
	more sync.Cond
	free int
}

func newBudget(n int) *budget {
	b := &budget{free: n}
	b.more.L = &b.mu
	return b
}

// take waits for n bytes, which may not be more than there are in all.
func (b *budget) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < n {
		b.more.Wait()
	}
	b.free -= n
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.more.Broadcast()
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

// site returns the network of 48 bits that an IPv6 peer belongs to, because one
// customer may have all of it; "" for others.
func site(peer string) string {
	p, err := netip.ParsePrefix(peer)
	if err != nil {
		return ""
	}
	p, _ = p.Addr().Prefix(48)
	return p.String()
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
