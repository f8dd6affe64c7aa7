package queue

import (
	"slices"
	"time"

	"pow.do/services/pow"
)

// holes are the parts of a session's tracked time that do not count: open ones
// may count later, closed ones never.
type holes struct{ open, closed []pow.Interval }

func (h holes) all() []pow.Interval { return slices.Concat(h.open, h.closed) }

// holes returns what is taken out of the sessions' time.
func (x *index) holes() map[pow.SessionID]holes {
	out := map[pow.SessionID]holes{}
	for _, g := range x.allGaps() {
		h := out[g.Session]
		switch g.State {
		case GapOpen:
			h.open = append(h.open, g.span())
		case GapDiscarded, GapOther, GapCut:
			h.closed = append(h.closed, g.span())
		}
		out[g.Session] = h
	}
	for _, row := range x.heldCaptures() {
		if len(row.Cut) > 0 {
			h := out[row.Session]
			h.closed = append(h.closed, row.Cut...)
			out[row.Session] = h
		}
	}
	return out
}

// sessionTimes is the tracked time of every session at one moment.
type sessionTimes struct {
	segments []Segment
	covered  map[pow.SessionID][]coverage
	holes    map[pow.SessionID]holes
}

func (q *Queue) times() sessionTimes {
	return sessionTimes{q.index.allSegments(), q.index.covered(), q.index.holes()}
}

// project returns what a session's time at a moment is spent on.
func (s sessionTimes) project(session pow.SessionID, at time.Time) (p pow.ProjectID) {
	for _, seg := range s.segments {
		if seg.Session == session && (p == "" || seg.Interval.Contains(at)) {
			p = seg.Project
		}
	}
	return p
}

// holds tells whether the moment of a held capture lies in time that counts, or
// may count once a question is answered.
func (s sessionTimes) holds(row captureRow) bool {
	at := pow.Interval{From: row.At, To: row.At.Add(1)}
	for _, i := range s.holes[row.Session].closed {
		if i.Contains(row.At) {
			return false
		}
	}
	for _, c := range s.covered[row.Session] {
		if c.interval.Contains(row.At) {
			return false
		}
	}
	return slices.ContainsFunc(s.segments, func(seg Segment) bool {
		i := seg.Interval
		return seg.Session == row.Session && (i.Intersect(at).Valid() || i.To.Equal(row.At) || seg.Open && !row.At.Before(i.From))
	})
}

// takenOut tells whether the person took the time of a capture out: by an answer,
// or by cutting its entry.
func (s sessionTimes) takenOut(row captureRow) bool {
	for _, i := range s.holes[row.Session].closed {
		if i.Contains(row.At) {
			return true
		}
	}
	return slices.ContainsFunc(s.segments, func(seg Segment) bool {
		return seg.Was != nil && (seg.Session == row.Session || seg.Was.Session == row.Session) && seg.Was.Interval.Contains(row.At) && !seg.Interval.Contains(row.At)
	})
}

// Work returns the unregistered time of a session in which pictures have their
// slots: also what was removed with pictures, so that slots do not move by it.
func (q *Queue) Work(session pow.SessionID) []pow.Interval {
	var work, out []pow.Interval
	for _, s := range q.index.allSegments() {
		if s.Session == session {
			work = append(work, s.Interval)
		}
	}
	for _, c := range q.index.covered()[session] {
		out = append(out, c.interval)
	}
	for _, g := range q.index.allGaps() {
		if g.Session == session && g.State != GapKept {
			out = append(out, g.span())
		}
	}
	return pow.Subtract(work, out)
}

// Marks returns the parts of an interval of a session that its proof will mark:
// what the person kept while away, and what belongs to corrected entries.
func (q *Queue) Marks(session pow.SessionID, in pow.Interval) (kept, byHand []pow.Interval) {
	for _, g := range q.index.allGaps() {
		if g.Session == session && g.State == GapKept {
			kept = append(kept, g.Interval.Intersect(in))
		}
	}
	for _, s := range q.index.allSegments() {
		if s.Session != session {
			continue
		}
		if s.Kept {
			kept = append(kept, s.Interval.Intersect(in))
		}
		if s.ByHand {
			byHand = append(byHand, s.Interval.Intersect(in))
		}
	}
	return pow.Union(kept), pow.Union(byHand)
}

// ProjectOf returns what the time of a session is spent on; "" when it has none.
func (q *Queue) ProjectOf(session pow.SessionID) pow.ProjectID {
	return q.times().project(session, time.Time{})
}

// Segment returns a stretch of tracked time, without its note.
func (q *Queue) Segment(id string) (s Segment, found bool) {
	segments := q.index.allSegments()
	i := slices.IndexFunc(segments, func(s Segment) bool { return s.ID == id })
	if i < 0 {
		return s, false
	}
	return segments[i], true
}

// Tracked returns the unregistered time of a session, with all that is taken out
// of it or questioned.
func (q *Queue) Tracked(session pow.SessionID) (out []pow.Interval) {
	covered := q.index.covered()[session]
	for _, s := range q.index.allSegments() {
		if s.Session == session {
			out = append(out, restOf(s, covered)...)
		}
	}
	return pow.Union(out)
}
