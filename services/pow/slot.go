package pow

import (
	"slices"
	"time"
)

// Shot is one picture as time sees it: its moment and the later ones at which it
// was seen again. Gone: the worker took it out. A Shot without an ID is a moment
// at which a picture was due and none was taken.
type Shot struct {
	ID      string
	Moments []time.Time
	Gone    bool
}

// together is how far apart the pictures of several displays may be for one moment.
const together = 5 * time.Second

// slot is the time that belongs to one moment, and the Shots of that moment.
type slot struct {
	Interval
	shots []Shot
}

// SlotOf returns the time that belongs to a picture, which goes when the picture
// is removed with its time. It speaks for the time since the moment before it
// (another picture's, or one without any) or since the beginning of the
// uninterrupted work around it, up to and with its own second; the last moment
// of the work also for the rest. Neither reaches further than longest, nor out
// of work: what lies beyond belongs to no picture. Pictures of several displays
// within five seconds share one slot. It does not matter which pictures are gone
// already, so removing several never depends on the order.
func SlotOf(id string, work []Interval, shots []Shot, longest time.Duration) (out []Interval) {
	for _, s := range slots(work, shots, longest) {
		if slices.ContainsFunc(s.shots, func(o Shot) bool { return o.ID == id }) {
			out = append(out, s.Interval)
		}
	}
	return Union(out)
}

// Without returns the time whose pictures were all taken out.
func Without(work []Interval, shots []Shot, longest time.Duration) (out []Interval) {
	for _, s := range slots(work, shots, longest) {
		gone, there := false, false
		for _, o := range s.shots {
			gone = gone || o.Gone
			there = there || o.ID != "" && !o.Gone
		}
		if gone && !there {
			out = append(out, s.Interval)
		}
	}
	return Union(out)
}

// slots divides work among the moments of shots.
func slots(work []Interval, shots []Shot, longest time.Duration) (out []slot) {
	all := moments(shots)
	for _, run := range Union(work) {
		first := len(out)
		free := run.From // what comes before it belongs to an earlier moment
		for _, m := range all {
			if m.To.Before(run.From) || m.From.After(run.To.Add(time.Second-1)) {
				continue
			}
			end := m.To.Truncate(time.Second).Add(time.Second)
			from := m.From.Truncate(time.Second).Add(time.Second - longest)
			s := slot{Interval{later(free, from), end}.Intersect(run), m.shots}
			if s.Valid() {
				out, free = append(out, s), end
			}
		}
		if n := len(out) - 1; n >= first {
			out[n].To = Interval{out[n].To, out[n].To.Add(longest)}.Intersect(run).To
		}
	}
	return out
}

// moments returns the moments of shots in order, those close together as one.
func moments(shots []Shot) (out []slot) {
	var all []slot
	for _, s := range shots {
		for _, m := range s.Moments {
			all = append(all, slot{Interval{m, m}, []Shot{s}})
		}
	}
	slices.SortStableFunc(all, func(a, b slot) int { return a.From.Compare(b.From) })
	for _, m := range all {
		if n := len(out) - 1; n >= 0 && m.From.Sub(out[n].From) < together {
			out[n].To, out[n].shots = m.From, append(out[n].shots, m.shots...)
			continue
		}
		out = append(out, m)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
