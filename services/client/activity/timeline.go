package activity

import (
	"cmp"
	"slices"
)

// hole is the longest gap between two events of a bucket that belongs to the
// earlier one: watchers poll, so the end of an event is seen late. In ms.
const hole = 5_000

// span is [begin, end) in milliseconds since 1970.
type span struct{ begin, end int64 }

func (s span) length() int64 { return s.end - s.begin }

func (s span) clip(to span) span { return span{max(s.begin, to.begin), min(s.end, to.end)} }

// piece is a span with what was seen in it.
type piece struct {
	span
	facts
}

// timeline turns the events of one bucket into disjoint pieces in order, clipped
// to s. Where events overlap, the one that began later counts as long as it
// lasts. A hole of at most 5 s is given to what came before it; an event without
// length has no other time than such a hole, and ends the one before.
func timeline(events []event, s span) []piece {
	pieces := paint(events)
	out := pieces[:0]
	for i, p := range pieces {
		if i+1 < len(pieces) {
			if gap := pieces[i+1].begin - p.end; gap <= hole {
				p.end += gap
			}
		}
		if p.span = p.clip(s); p.length() > 0 {
			out = append(out, p)
		}
	}
	return out
}

// paint lays the events over each other in the order of their begin. Events
// without length stay, where nothing else is.
func paint(events []event) []piece {
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.id, b.id)) })
	var out []piece
	var open []event // those that began before, the latest on top
	var at int64
	until := func(t int64) {
		for len(open) > 0 {
			top := open[len(open)-1]
			if top.end > at {
				stop := min(top.end, t)
				if stop > at {
					out = append(out, piece{span{at, stop}, top.facts})
				}
				if at = max(at, stop); at >= t {
					return
				}
			}
			open = open[:len(open)-1]
		}
		at = t
	}
	for _, e := range events {
		until(e.begin)
		for len(open) > 0 && open[len(open)-1].end <= at {
			open = open[:len(open)-1]
		}
		switch {
		case e.length() > 0:
			open = append(open, e)
		case len(open) == 0:
			out = append(out, piece{e.span, e.facts})
		}
	}
	if n := len(events); n > 0 {
		until(slices.MaxFunc(events, func(a, b event) int { return cmp.Compare(a.end, b.end) }).end)
	}
	return out
}

// within returns the parts of pieces that lie in the spans of mask. Both are in
// order and disjoint.
func within(pieces, mask []piece) []piece {
	var out []piece
	for i, j := 0, 0; i < len(pieces) && j < len(mask); {
		if p := pieces[i].clip(mask[j].span); p.length() > 0 {
			out = append(out, piece{p, pieces[i].facts})
		}
		if pieces[i].end < mask[j].end {
			i++
		} else {
			j++
		}
	}
	return out
}

// cover fills what pieces leave free in mask with unknown.
func cover(pieces, mask []piece, unknown facts) []piece {
	var out []piece
	i := 0
	for _, m := range mask {
		at := m.begin
		for ; i < len(pieces) && pieces[i].begin < m.end; i++ {
			if pieces[i].begin > at {
				out = append(out, piece{span{at, pieces[i].begin}, unknown})
			}
			out = append(out, pieces[i])
			at = pieces[i].end
		}
		if at < m.end {
			out = append(out, piece{span{at, m.end}, unknown})
		}
	}
	return out
}

// total is the sum of the lengths.
func total(pieces []piece) (n int64) {
	for _, p := range pieces {
		n += p.length()
	}
	return n
}

// having returns the pieces that test holds for.
func having(pieces []piece, test func(facts) bool) []piece {
	var out []piece
	for _, p := range pieces {
		if test(p.facts) {
			out = append(out, p)
		}
	}
	return out
}
