package queue

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"pow.do/services/pow"
)

// index holds in memory what is asked every second, in clear parts only. It is
// made by Open and follows every committed change.
type index struct {
	mu         sync.RWMutex
	held       map[string]captureRow
	deliveries map[string]brief
	notices    map[pow.Hash]string // rumor id → delivery
	segments   []Segment           // in order of their ids
	gaps       map[string]Gap
}

// brief is what the index keeps of a delivery.
type brief struct {
	state    pow.State
	session  pow.SessionID
	interval pow.Interval
	sealed   pow.Hash // zero: no file
	pending  bool     // something is still to be done
}

func (x *index) reset() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.held, x.deliveries, x.notices = map[string]captureRow{}, map[string]brief{}, map[pow.Hash]string{}
	x.segments, x.gaps = nil, map[string]Gap{}
}

func (x *index) hold(id string, row captureRow) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if row.Delivery == "" {
		x.held[id] = row
	} else {
		delete(x.held, id)
	}
}

func (x *index) release(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.held, id)
}

func (x *index) heldCaptures() map[string]captureRow {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return maps.Clone(x.held)
}

func (x *index) setDelivery(r record) {
	x.mu.Lock()
	defer x.mu.Unlock()
	kept := r.Receipt != nil && r.Receipt.Blob == "kept" && len(r.Servers) > 0
	b := brief{state: r.State, session: r.Session, interval: r.Interval, pending: r.State != pow.Booked || !r.Ended || kept}
	if r.Sealed != nil && !r.Ended {
		b.sealed = r.Sealed.Hash
	}
	x.deliveries[r.ID] = b
	for _, n := range r.NoticeIDs {
		x.notices[n] = r.ID
	}
}

func (x *index) delivery(id string) brief {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.deliveries[id]
}

func (x *index) byNotice(id pow.Hash) (string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	d, ok := x.notices[id]
	return d, ok
}

// ids returns the deliveries that pass, in order of their ids.
func (x *index) ids(pass func(brief) bool) (out []string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for id, b := range x.deliveries {
		if pass(b) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func (x *index) count() map[pow.State]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := map[pow.State]int{}
	for _, b := range x.deliveries {
		n[b.state]++
	}
	return n
}

func (x *index) sealedFiles() map[pow.Hash]bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := map[pow.Hash]bool{}
	for _, b := range x.deliveries {
		if !b.sealed.IsZero() {
			out[b.sealed] = true
		}
	}
	return out
}

func (x *index) setSegment(s Segment) {
	s.Note = ""
	x.mu.Lock()
	defer x.mu.Unlock()
	i, found := slices.BinarySearchFunc(x.segments, s.ID, func(s Segment, id string) int { return strings.Compare(s.ID, id) })
	if found {
		x.segments[i] = s
	} else {
		x.segments = slices.Insert(x.segments, i, s)
	}
}

func (x *index) removeSegment(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.segments = slices.DeleteFunc(x.segments, func(s Segment) bool { return s.ID == id })
}

func (x *index) allSegments() []Segment {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Clone(x.segments)
}

// covered returns the intervals of each session that a delivery carries.
func (x *index) covered() map[pow.SessionID][]coverage {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := map[pow.SessionID][]coverage{}
	for _, b := range x.deliveries {
		out[b.session] = append(out[b.session], coverage{b.interval, b.state})
	}
	return out
}

func (x *index) setGap(g Gap) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gaps[g.ID] = g
}

func (x *index) removeGap(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.gaps, id)
}

// allGaps returns the gaps in order of time.
func (x *index) allGaps() []Gap {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := slices.Collect(maps.Values(x.gaps))
	slices.SortFunc(out, func(a, b Gap) int {
		return cmp.Or(a.Interval.From.Compare(b.Interval.From), strings.Compare(a.ID, b.ID))
	})
	return out
}

// coverage is one delivery as time sees it.
type coverage struct {
	interval pow.Interval
	state    pow.State
}
