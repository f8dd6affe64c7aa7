package relays

import (
	"encoding/hex"
	"strconv"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/negentropy"
)

// A relay that says OK to a deletion and sends the same gift wrap again keeps
// everything until it expires. Reading all of it after every reconnect would
// grow with the time that it keeps things, so such a relay is asked what it has
// beside what was handled already (NIP-77), and what is missing is read by id.
// One that does not speak NIP-77 is read in full, as any other.

const (
	missingEvery = 6 * time.Hour       // between two comparisons on one connection
	tryAgain     = 24 * time.Hour      // NIP-77, after a relay did not speak it
	memoryLife   = 37 * 24 * time.Hour // of what was handled, by created_at: gift wraps expire before
	maxMemory    = 200_000             // of what was handled, per relay
	maxNeed      = 20_000              // ids that one comparison may bring
	maxRounds    = 1_000               // messages of one comparison
)

// memory is what a relay's past connections teach about it. relay.mu guards it.
type memory struct {
	handled map[pow.Hash]int64 // created_at of what was handled from there
	deleted map[pow.Hash]bool  // OK true was said to their deletion
	keeps   bool               // a deleted one came again
	deaf    time.Time          // does not speak NIP-77, until then
}

// remember notes that an event was handled.
func (r *relay) remember(e *event.Event, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.memory
	if m.handled == nil {
		m.handled = map[pow.Hash]int64{}
	}
	if len(m.handled) >= maxMemory {
		oldest := now.Add(-memoryLife).Unix()
		for id, at := range m.handled {
			if at < oldest || len(m.handled) >= maxMemory { // when all are young, any
				delete(m.handled, id)
			}
		}
	}
	m.handled[event.ID(e)] = int64(e.CreatedAt)
}

// deletedThere notes that the relay said OK to a deletion.
func (r *relay) deletedThere(e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory.deleted == nil || len(r.memory.deleted) >= maxMemory {
		r.memory.deleted = map[pow.Hash]bool{}
	}
	for tag := range e.Tags.FindAll("e") {
		if id, err := pow.ParseHash(tag.Value()); err == nil {
			r.memory.deleted[id] = true
		}
	}
}

// cameAgain notes a stored event: one that was deleted tells that nothing is.
func (r *relay) cameAgain(id pow.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory.keeps = r.memory.keeps || r.memory.deleted[id]
}

// compares tells whether what is missing at this relay is to be found by NIP-77.
func (r *relay) compares(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memory.keeps && !now.Before(r.memory.deaf)
}

// isDeaf notes that a relay does not speak NIP-77.
func (r *relay) isDeaf(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory.deaf = now.Add(tryAgain)
}

// items is what was handled from the relay.
func (r *relay) items() *negentropy.Set {
	r.mu.Lock()
	defer r.mu.Unlock()
	items := make([]negentropy.Item, 0, len(r.memory.handled))
	for id, at := range r.memory.handled {
		items = append(items, negentropy.Item{At: at, ID: id})
	}
	return negentropy.NewSet(items)
}

// comparison finds out what one feed is missing. It belongs to the loop.
type comparison struct {
	id       string
	feed     *feed
	set      *negentropy.Set
	need     map[pow.Hash]bool
	rounds   int
	deadline time.Time // of the next answer
}

// compare begins to look for what a feed is missing, unless it does so already.
func (c *conn) compare(f *feed, now time.Time) {
	if f.comparing != nil || f.missing != nil || len(f.need) > 0 {
		return
	}
	f.compareAt = now.Add(missingEvery)
	n := &comparison{id: "ng" + f.name, feed: f, set: c.relay.items(), need: map[pow.Hash]bool{}, deadline: now.Add(eoseTime)}
	f.comparing = n
	c.send(message("NEG-OPEN", n.id, f.live.filter.bare(), hex.EncodeToString(n.set.First())))
}

// takeNeg goes on with a comparison, or ends it: then what is missing is read,
// or, when the relay does not speak NIP-77, everything.
func (c *conn) takeNeg(f frame, now time.Time) error {
	var n *comparison
	for _, fd := range c.feeds {
		if fd.comparing != nil && fd.comparing.id == f.sub {
			n = fd.comparing
		}
	}
	if n == nil {
		return c.discard(now)
	}
	if f.kind == "NEG-ERR" {
		c.endComparison(n, false, now)
		return nil
	}
	answer, err := hex.DecodeString(f.text)
	var next []byte
	var need []pow.Hash
	if err == nil {
		next, _, need, err = n.set.Next(answer, negentropy.Frame)
	}
	for _, id := range need {
		if len(n.need) < maxNeed {
			n.need[id] = true
		}
	}
	n.rounds++
	switch {
	case err != nil || n.rounds > maxRounds:
		c.send(message("NEG-CLOSE", n.id))
		c.endComparison(n, false, now)
	case next == nil || len(n.need) == maxNeed:
		c.send(message("NEG-CLOSE", n.id))
		c.endComparison(n, true, now)
	default:
		n.deadline = now.Add(eoseTime)
		c.send(message("NEG-MSG", n.id, hex.EncodeToString(next)))
	}
	return nil
}

func (c *conn) endComparison(n *comparison, ok bool, now time.Time) {
	f := n.feed
	f.comparing = nil
	if !ok {
		c.relay.isDeaf(now)
		c.pageAll(f, now)
		return
	}
	for id := range n.need {
		f.need = append(f.need, id)
	}
	c.readMissing(f, now)
}

// pageAll reads everything that is stored, from the end.
func (c *conn) pageAll(f *feed, now time.Time) {
	if f.page == nil {
		f.waits, f.until, f.retried = true, now.Add(24*time.Hour).Unix(), false
	}
}

// readMissing reads the next events of those that a comparison found, by id.
func (c *conn) readMissing(f *feed, now time.Time) {
	f.missing = nil
	if len(f.need) == 0 {
		return
	}
	some := f.need[:min(maxAgain, len(f.need))]
	f.need = f.need[len(some):]
	filter := f.live.filter
	filter.IDs = some
	filter.Limit = 0
	c.number++
	f.missing = &sub{id: "ms" + strconv.Itoa(c.number), filter: filter, until: -1, feed: f}
	c.subs[f.missing.id] = f.missing
	c.ask(f.missing, now)
}

// fireComparisons begins comparisons whose time has come, and ends those that
// get no answer.
func (c *conn) fireComparisons(now time.Time) {
	for _, f := range c.feeds {
		switch {
		case f.comparing != nil && !now.Before(f.comparing.deadline):
			c.endComparison(f.comparing, false, now)
		case !f.compareAt.IsZero() && !now.Before(f.compareAt) && f.live.open:
			f.compareAt = now.Add(missingEvery)
			if c.relay.compares(now) {
				c.compare(f, now)
			} else {
				c.pageAll(f, now)
			}
		}
	}
}

// due returns when something is to be done for a feed's comparisons.
func (f *feed) due() time.Time {
	if f.comparing != nil {
		return f.comparing.deadline
	}
	return f.compareAt
}
