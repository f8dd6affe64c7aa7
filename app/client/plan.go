package client

import (
	"slices"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// sealedShare is how much of the announced limit the pictures of one proof may
// fill; the rest is for activity, padding and the encryption's own bytes.
const sealedShare = 0.85

// plan turns what is not registered yet into proofs that the DVM's limits let
// in: every Session of every project that there is a consent for, oldest first.
// until, where it is not nil, says how far a segment may be registered now.
func (a *Agent) plan(now time.Time, until func(queue.Segment) time.Time) (ds []pow.Delivery, err error) {
	t, err := a.teamOrError()
	if err != nil {
		return nil, err
	}
	segments, err := a.registrable()
	if err != nil {
		return nil, err
	}
	held, err := a.queue.Held("")
	if err != nil {
		return nil, err
	}
	weights := map[pow.SessionID][]pow.Weight{}
	for _, c := range held {
		weights[c.Session] = append(weights[c.Session], pow.Weight{At: c.At, Bytes: c.Size})
	}
	limits := t.Announcement.Limits
	for _, s := range joinTouching(segments) {
		if until != nil {
			s.Interval = s.Interval.Intersect(pow.Interval{From: s.Interval.From, To: until(s)})
		}
		for _, piece := range pow.Split(s.Interval, weights[s.Session], limits.Proof, int64(float64(limits.Sealed)*sealedShare)) {
			id, err := deliveryID(now)
			if err != nil {
				return nil, err
			}
			ds = append(ds, pow.Delivery{ID: id, Session: s.Session, Project: s.Project, KimaiActivity: s.KimaiActivity,
				Interval: piece, State: pow.Queued, Created: now, Hurry: until == nil})
		}
	}
	if len(ds) == 0 {
		return nil, pow.ErrNothingHeld
	}
	slices.SortStableFunc(ds, func(x, y pow.Delivery) int { return x.Interval.From.Compare(y.Interval.From) })
	a.nameActions(ds, segments)
	return ds, a.nameRemoved(ds)
}

// registrable is unregistered time of projects that there is a consent for, or
// was when it was recorded: what was withdrawn is not sent.
func (a *Agent) registrable() ([]queue.Segment, error) {
	segments, err := a.queue.Unregistered()
	if err != nil {
		return nil, err
	}
	policies, err := a.policies()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(segments, func(s queue.Segment) bool {
		c := policies[s.Project].Consent
		return c != pow.ConsentGiven && c != pow.ConsentChanged
	}), nil
}

// nameActions says what each proof does to its Session: the last piece of a
// stopped one ends it, unless more of it waits.
func (a *Agent) nameActions(ds []pow.Delivery, segments []queue.Segment) {
	running, isRunning := a.timer.Running()
	last := map[pow.SessionID]int{}
	for i := range ds {
		ds[i].Action = pow.ActionExtend
		last[ds[i].Session] = i
	}
	for session, i := range last {
		more := slices.ContainsFunc(segments, func(s queue.Segment) bool {
			return s.Session == session && s.Interval.To.After(ds[i].Interval.To)
		})
		if !more && !(isRunning && running.Session == session) {
			ds[i].Action = pow.ActionStop
		}
	}
}

// nameRemoved says of each proof which of its time has lost its pictures.
func (a *Agent) nameRemoved(ds []pow.Delivery) error {
	without := map[pow.SessionID][]pow.Interval{}
	for i := range ds {
		d := &ds[i]
		pol, err := a.policyOf(d.Project)
		if err != nil {
			return err
		}
		if pol.Pictures == pow.Forbidden {
			continue
		}
		if _, known := without[d.Session]; !known {
			shots, err := a.queue.Shots(d.Session)
			if err != nil {
				return err
			}
			without[d.Session] = pow.Without(a.queue.Work(d.Session), shots, pol.longest())
		}
		for _, w := range without[d.Session] {
			if part := w.Intersect(d.Interval); part.Valid() {
				d.Without = append(d.Without, part)
			}
		}
	}
	return nil
}

// joinTouching makes one of segments of the same work that follow each other
// without a gap, as a restarted program leaves them.
func joinTouching(in []queue.Segment) (out []queue.Segment) {
	for _, s := range in {
		if n := len(out) - 1; n >= 0 && out[n].Session == s.Session && out[n].KimaiActivity == s.KimaiActivity && out[n].Interval.To.Equal(s.Interval.From) {
			out[n].Interval.To = s.Interval.To
			continue
		}
		out = append(out, s)
	}
	return out
}
