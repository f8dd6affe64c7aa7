package client

import (
	"io"
	"sync"
	"time"

	"pow.do/services/pow"
)

// tellEvery is how often a running upload wakes the watchers.
const tellEvery = 500 * time.Millisecond

// uploads counts the bytes of running uploads. Of one that runs to several
// servers it tells the furthest.
type uploads struct {
	mu   sync.Mutex // guards all below
	sent map[pow.Hash]int64
	told time.Time
}

func (u *uploads) of(h pow.Hash) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sent[h]
}

// moved notes that so many bytes of an upload were read, and tells whether the
// watchers should know.
func (u *uploads) moved(h pow.Hash, n int64, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent[h] = max(u.sent[h], n)
	if now.Sub(u.told) < tellEvery {
		return false
	}
	u.told = now
	return true
}

func (u *uploads) ended(h pow.Hash) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sent, h)
}

// counted is a Sealed on its way out.
type counted struct {
	io.ReadCloser
	agent *Agent
	hash  pow.Hash
	n     int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	if n > 0 && c.agent.uploads.moved(c.hash, c.n, time.Now()) {
		c.agent.changed()
	}
	return n, err
}
