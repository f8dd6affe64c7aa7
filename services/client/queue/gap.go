package queue

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"pow.do/services/pow"
)

// GapState is what becomes of a Gap.
type GapState string

// The states of a gap. Only a kept one counts for its session.
const (
	GapOpen      GapState = "open"      // the person was not asked yet, or has not answered
	GapKept      GapState = "kept"      // counts, marked
	GapDiscarded GapState = "discarded" // does not count
	GapOther     GapState = "other"     // counts for another project, in a session of its own
	GapCut       GapState = "cut"       // was removed together with its pictures, for good
)

// Gap is time of a Session about which only the person can decide: time without
// them. While it is open it belongs to no proof.
type Gap struct {
	ID       string        `json:"id"` // ULID, made by AddGap
	Session  pow.SessionID `json:"session"`
	Project  pow.ProjectID `json:"project"`
	Interval pow.Interval  `json:"interval"` // whole seconds; To is zero while the person is not back
	Reason   string        `json:"reason,omitempty"`
	State    GapState      `json:"state"`
}

// never is further away than any time that is tracked.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// span is the time that the gap takes, up to any future while nobody is back.
func (g Gap) span() pow.Interval {
	if g.Interval.To.IsZero() {
		return pow.Interval{From: g.Interval.From, To: never}
	}
	return g.Interval
}

// AddGap stores an open gap and returns it with its id. Its interval is rounded
// to whole seconds inwards; To may be zero until EndGap. It concerns the time of
// its session only, tracked already or later.
func (q *Queue) AddGap(g Gap) (Gap, error) {
	if !pow.IsULID(string(g.Session)) || g.Interval.From.IsZero() {
		return g, errors.New("note time away: it has no session or beginning")
	}
	id, err := pow.NewULID(q.cfg.Now(), rand.Reader)
	if err != nil {
		return g, err
	}
	g.ID, g.State, g.Interval = id, GapOpen, inwards(g.Interval)
	return g, q.update(func(t *tx) error { return q.putGap(t, g) })
}

func inwards(i pow.Interval) pow.Interval {
	i.From = i.From.UTC().Add(time.Second - 1).Truncate(time.Second)
	if !i.To.IsZero() {
		i.To = i.To.UTC().Truncate(time.Second)
	}
	return i
}

// EndGap says when the person came back. A gap that has an end keeps it; one
// that would be empty is forgotten. Errors: pow.ErrNotFound.
func (q *Queue) EndGap(id string, to time.Time) error {
	return q.update(func(t *tx) error {
		var g Gap
		found, err := t.getJSON(tabGaps, id, &g)
		if err != nil || !found {
			return orNotFound(err)
		}
		if !g.Interval.To.IsZero() {
			return nil
		}
		g.Interval = inwards(pow.Interval{From: g.Interval.From, To: to})
		if !g.Interval.Valid() {
			return q.delGap(t, id)
		}
		return q.putGap(t, g)
	})
}

// AnswerGap decides on an open gap that has ended. With AwayKeep its time counts
// for its session, with AwayOther for the segment's project in the segment's
// session: Session, Project, KimaiActivity and Note of other are used, and its
// Session must be new. What AwayStop means beyond AwayDiscard is for the timer.
// Errors: pow.ErrNotFound when it is not open; pow.ErrUsage when it has no end.
func (q *Queue) AnswerGap(id string, choice pow.AwayChoice, other Segment) error {
	return q.update(func(t *tx) error {
		var g Gap
		found, err := t.getJSON(tabGaps, id, &g)
		if err != nil || !found || g.State != GapOpen {
			return orNotFound(err)
		}
		if g.Interval.To.IsZero() {
			return usage("the person is not back yet")
		}
		switch choice {
		case pow.AwayKeep:
			g.State = GapKept
			err = q.fillGap(t, g)
		case pow.AwayOther:
			g.State = GapOther
			other.Interval, other.Kept = g.Interval, true
			err = q.addSegment(t, other)
		case pow.AwayDiscard, pow.AwayStop:
			g.State = GapDiscarded
		default:
			return usage("there is no such answer")
		}
		return errors.Join(err, q.putGap(t, g))
	})
}

// fillGap makes segments of what no segment of the gap's session covers: a timer
// that stood still meanwhile left none.
func (q *Queue) fillGap(t *tx, g Gap) error {
	var covered []pow.Interval
	like := Segment{Session: g.Session, Project: g.Project}
	for _, s := range q.index.allSegments() {
		if s.Session == g.Session {
			like.Project, like.KimaiActivity = s.Project, s.KimaiActivity
			covered = append(covered, s.Interval)
			if s.Open {
				covered = append(covered, pow.Interval{From: s.Interval.From, To: never})
			}
		}
	}
	for _, rest := range pow.Subtract([]pow.Interval{g.Interval}, covered) {
		like.Interval = rest
		if err := q.addSegment(t, like); err != nil {
			return err
		}
	}
	return nil
}

// addSegment stores a closed segment.
func (q *Queue) addSegment(t *tx, s Segment) (err error) {
	if !pow.IsULID(string(s.Session)) || s.Project == "" || !s.Interval.Valid() {
		return usage("time needs a session and a project")
	}
	if s.ID, err = pow.NewULID(q.cfg.Now(), rand.Reader); err != nil {
		return err
	}
	s.Open = false
	return errors.Join(q.putSegment(t, s), q.putNote(t, s.ID, s.Note))
}

// Gaps returns the gaps that touch a span of time and are in one of the states
// (none: in any), in order.
func (q *Queue) Gaps(span pow.Interval, states ...GapState) (out []Gap) {
	for _, g := range q.index.allGaps() {
		wanted := len(states) == 0
		for _, s := range states {
			wanted = wanted || g.State == s
		}
		if wanted && g.span().Intersect(span).Valid() {
			out = append(out, g)
		}
	}
	return out
}

// OpenGaps returns the gaps that wait for an answer, oldest first.
func (q *Queue) OpenGaps() []Gap { return q.Gaps(pow.Interval{To: never}, GapOpen) }

func (q *Queue) putGap(t *tx, g Gap) error {
	t.then(func() { q.index.setGap(g) })
	return t.putJSON(tabGaps, g.ID, g)
}

func (q *Queue) delGap(t *tx, id string) error {
	t.then(func() { q.index.removeGap(id) })
	return t.del(tabGaps, id)
}

// eraseGaps forgets the gaps that lie in erased time as a whole.
func (q *Queue) eraseGaps(t *tx, span pow.Interval, project pow.ProjectID, sessions map[pow.SessionID]bool) error {
	covered := q.index.covered()
	for _, g := range q.index.allGaps() {
		inside := len(pow.Subtract([]pow.Interval{g.span()}, []pow.Interval{span})) == 0
		sent := slices.ContainsFunc(covered[g.Session], func(c coverage) bool { return c.interval.Intersect(g.span()).Valid() })
		if !inside || sent || project != "" && !sessions[g.Session] {
			continue
		}
		if err := q.delGap(t, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// loadGaps fills the index.
func (q *Queue) loadGaps(t *tx) error {
	return t.each(tabGaps, func(_ string, payload []byte) error {
		var g Gap
		if err := unmarshalRow(payload, &g); err != nil {
			return err
		}
		t.then(func() { q.index.setGap(g) })
		return nil
	})
}
