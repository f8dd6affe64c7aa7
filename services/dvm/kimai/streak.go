package kimai

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// How often in a row something may happen before it is no accident.
const (
	maxGarbage  = 3 // answers that are not Kimai's
	maxMismatch = 3 // sessions whose times came back beyond the tolerance
	maxLocked   = 3 // members whose records may not be changed
	maxFailed   = 8 // 500 for the same request
	maxConflict = 3 // 409 for the same request
)

// streaks counts what must not happen often. They live in memory: a restart
// gives the server another chance.
type streaks struct {
	garbage  atomic.Int32
	mismatch atomic.Int32

	mu     sync.Mutex
	locked map[int64]bool
	failed map[string]int // by marker
}

// count turns the third answer in a row that is not Kimai's into a stop.
func (c *Client) count(f *failure) *failure {
	f.maybe = f.class == unknown
	switch {
	case f.strike && c.streaks.garbage.Add(1) >= maxGarbage:
		f.class = stop
	case !f.strike && f.status != 0:
		c.streaks.garbage.Store(0)
	}
	return f
}

// lock notes that a member's record may not be changed, and tells whether that
// is so for too many members to be a closed period.
func (s *streaks) lock(user int64) (many bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked == nil {
		s.locked = map[int64]bool{}
	}
	s.locked[user] = true
	return len(s.locked) >= maxLocked
}

func (s *streaks) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.locked)
}

// fail notes a 500 or 409 for a run and tells whether it was the last that is
// an accident.
func (s *streaks) fail(marker string, status int) (last bool) {
	limit := map[int]int{http.StatusInternalServerError: maxFailed, http.StatusConflict: maxConflict}[status]
	if limit == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = map[string]int{}
	}
	s.failed[marker]++
	return s.failed[marker] >= limit
}

func (s *streaks) forget(marker string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failed, marker)
}
