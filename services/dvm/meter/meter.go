// Package meter turns the proofs of one session into time.
//
// It is a pure rule: no clock, no disk, no network. The same set of facts gives
// the same time, whatever the order in which the facts came and however often
// each came. Facts are instants, so midnight, time zones and daylight saving
// have no say.
//
//   - Time is the union of proven intervals. Nothing else proves time, least of
//     all the moment at which a proof arrived.
//   - Intervals that touch or lie at most [MaxGap] apart form one run; a longer
//     gap begins another. Each run is one record of the timesheet.
//   - A session ends at its last proven instant. It is closed when the member
//     stopped there, or after the silence; a later proof opens it again.
//   - A run that was booked (pinned) keeps its number. When a late proof joins two
//     booked runs, the earlier one grows and the later one is left empty.
//   - Time that the member proved in an earlier session too counts there only.
//
// An interval longer than [MaxProof] is no proof and is left out. More proven time
// than [MaxSession] is a matter for a person: the result says so and stays whole.
package meter

import (
	"cmp"
	"slices"
	"time"

	"pow.do/services/pow"
)

const (
	// MaxGap is the longest gap that is bridged inside a run.
	MaxGap = 60 * time.Second
	// MaxProof is the longest interval that one proof can prove.
	MaxProof = 24 * time.Hour
	// MaxSession is the most proven time that is booked without a person's approval.
	MaxSession = 16 * time.Hour
)

// Measure judges the session at f.Now.
func Measure(f pow.SessionFacts) pow.SessionTime {
	proven, held := sane(f.Proven), sane(f.Held)
	span := pow.Union(slices.Concat(proven, held))
	t := pow.SessionTime{Intervals: pow.Subtract(span, f.Taken)}
	t.Proven = pow.Total(t.Intervals)
	t.TooLong = t.Proven > MaxSession
	if len(span) > 0 {
		t.Begin, t.End = span[0].From, span[len(span)-1].To
		t.Open = f.Now.Before(t.End.Add(f.Wait)) && !stopped(f.Stops, t.End)
	}
	// Bridged first: a gap that another session fills is not ours to bridge.
	t.Runs = number(pow.Subtract(pow.Bridge(proven, MaxGap), f.Taken), f.Runs)
	return t
}

func sane(in []pow.Interval) []pow.Interval {
	out := make([]pow.Interval, 0, len(in))
	for _, i := range in {
		if i.Duration() <= MaxProof {
			out = append(out, i)
		}
	}
	return out
}

// stopped tells whether the member stopped the timer at or after the last proven
// instant. A stop before it is outdated: time was proven later.
func stopped(stops []time.Time, end time.Time) bool {
	return slices.ContainsFunc(stops, func(s time.Time) bool { return !s.Before(end) })
}

// number gives each stretch the number of a run. Pinned numbers stay with the
// stretch they are in; what a join left empty is moved to a new stretch before a
// new number is taken, because a record cannot always be deleted.
func number(stretches []pow.Interval, before []pow.Run) []pow.Run {
	free := pinned(before)
	runs := make([]pow.Run, len(stretches))
	for i, s := range stretches {
		runs[i].Interval = s
		if n := slices.IndexFunc(free, func(r pow.Run) bool { return meets(r.Interval, s) }); n >= 0 {
			runs[i].Number, runs[i].Pinned = free[n].Number, true
			free = slices.Delete(free, n, n+1)
		}
	}
	next := 0
	for i := range runs {
		switch {
		case runs[i].Pinned:
		case len(free) > 0:
			runs[i].Number, runs[i].Pinned = free[0].Number, true
			free = free[1:]
		default:
			next = unused(next, before)
			runs[i].Number = next
		}
	}
	for _, r := range free {
		runs = append(runs, pow.Run{Number: r.Number, Pinned: true})
	}
	slices.SortFunc(runs, func(a, b pow.Run) int { return cmp.Compare(a.Number, b.Number) })
	return runs
}

// pinned returns the pinned runs, earliest first.
func pinned(runs []pow.Run) []pow.Run {
	out := make([]pow.Run, 0, len(runs))
	for _, r := range runs {
		if r.Pinned {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b pow.Run) int {
		return cmp.Or(a.Interval.From.Compare(b.Interval.From), cmp.Compare(a.Number, b.Number))
	})
	return out
}

func meets(a, b pow.Interval) bool { return a.Intersect(b).Valid() }

// unused returns the next number above last that no pinned run has.
func unused(last int, before []pow.Run) int {
	for n := last + 1; ; n++ {
		if !slices.ContainsFunc(before, func(r pow.Run) bool { return r.Pinned && r.Number == n }) {
			return n
		}
	}
}
