package pow

import (
	"encoding/json"
	"slices"
	"time"
)

// Interval is a span of time [From, To). In JSON it is a pair of RFC 3339
// times in UTC: ["from","to"].
type Interval struct{ From, To time.Time }

// Valid tells whether the span is longer than nothing.
func (i Interval) Valid() bool { return i.To.After(i.From) }

// Duration returns To − From, never negative.
func (i Interval) Duration() time.Duration { return max(0, i.To.Sub(i.From)) }

// Contains tells whether t lies in [From, To).
func (i Interval) Contains(t time.Time) bool { return !t.Before(i.From) && t.Before(i.To) }

// Intersect returns the common part; it is not Valid when there is none.
func (i Interval) Intersect(o Interval) Interval {
	r := i
	if o.From.After(r.From) {
		r.From = o.From
	}
	if o.To.Before(r.To) {
		r.To = o.To
	}
	return r
}

// MarshalJSON writes ["from","to"] in UTC.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]time.Time{i.From.UTC(), i.To.UTC()})
}

// UnmarshalJSON reads ["from","to"].
func (i *Interval) UnmarshalJSON(b []byte) error {
	var p [2]time.Time
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	i.From, i.To = p[0].UTC(), p[1].UTC()
	return nil
}

// Union returns the same time as disjoint intervals in order: overlapping and
// touching ones become one, empty ones vanish. The order of the input does not
// matter, which is why a session's time never depends on the order of arrival.
func Union(in []Interval) []Interval { return Bridge(in, 0) }

// Bridge is Union that also closes gaps of at most gap.
func Bridge(in []Interval, gap time.Duration) []Interval {
	s := make([]Interval, 0, len(in))
	for _, i := range in {
		if i.Valid() {
			s = append(s, i)
		}
	}
	slices.SortFunc(s, func(a, b Interval) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return a.To.Compare(b.To)
	})
	out := s[:0]
	for _, i := range s {
		if n := len(out); n > 0 && !i.From.After(out[n-1].To.Add(gap)) {
			if i.To.After(out[n-1].To) {
				out[n-1].To = i.To
			}
			continue
		}
		out = append(out, i)
	}
	return slices.Clip(out)
}

// Total returns the length of the union.
func Total(in []Interval) (d time.Duration) {
	for _, i := range Union(in) {
		d += i.Duration()
	}
	return d
}

// Subtract returns the parts of the union of a that no interval of b covers.
func Subtract(a, b []Interval) []Interval {
	rest := Union(a)
	for _, cut := range Union(b) {
		var next []Interval
		for _, i := range rest {
			left, right := Interval{i.From, cut.From}, Interval{cut.To, i.To}
			if !i.Intersect(cut).Valid() {
				next = append(next, i)
				continue
			}
			if left.Valid() {
				next = append(next, left)
			}
			if right.Valid() {
				next = append(next, right)
			}
		}
		rest = next
	}
	return rest
}
