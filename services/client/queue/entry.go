package queue

import (
	"errors"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Was is a segment as it was tracked.
type Was struct {
	Session       pow.SessionID       `json:"session"`
	Project       pow.ProjectID       `json:"project"`
	KimaiActivity pow.KimaiActivityID `json:"kimai_activity,omitempty"`
	Interval      pow.Interval        `json:"interval"`
}

// Entries returns what was tracked in a span of time (a day, a week), in order
// and cut to the span. The seconds of the running one go up to its last Tick.
// Of the project only the id is known here.
func (q *Queue) Entries(span pow.Interval) (out []pow.Entry, err error) {
	times := q.times()
	err = q.view(func(t *tx) error {
		for _, s := range times.segments {
			part := s.Interval.Intersect(span)
			if !part.Valid() && !(s.Open && span.Contains(s.Interval.From)) {
				continue
			}
			e, err := q.entry(t, s, part, times)
			if err != nil {
				return err
			}
			if s.Open || e.Seconds > 0 {
				out = append(out, e)
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b pow.Entry) int { return a.From.Compare(b.From) })
	return out, err
}

func (q *Queue) entry(t *tx, s Segment, part pow.Interval, times sessionTimes) (e pow.Entry, err error) {
	left := pow.Subtract([]pow.Interval{part}, times.holes[s.Session].all())
	e = pow.Entry{
		ID: s.ID, Session: s.Session, Project: pow.ProjectRef{ID: s.Project}, From: part.From, To: part.To,
		Seconds: int64(pow.Total(left) / time.Second), State: entryState(s, times),
	}
	if s.KimaiActivity != "" {
		e.KimaiActivity = &pow.KimaiActivity{ID: s.KimaiActivity}
	}
	kept, byHand := q.Marks(s.Session, part)
	e.Kept, e.ByHand = len(kept) > 0, len(byHand) > 0
	if s.Open {
		e.To = time.Time{}
	}
	if e.Note, err = q.note(t, tabNotes, s.ID); err != nil {
		return e, err
	}
	if w := s.Was; w != nil {
		was := pow.Entry{ID: s.ID, Session: w.Session, Project: pow.ProjectRef{ID: w.Project}, From: w.Interval.From, To: w.Interval.To,
			Seconds: int64(w.Interval.Duration() / time.Second), State: e.State}
		if w.KimaiActivity != "" {
			was.KimaiActivity = &pow.KimaiActivity{ID: w.KimaiActivity}
		}
		was.Note, err = q.note(t, tabWas, s.ID)
		e.Was = &was
	}
	return e, err
}

// entryState is tracking, held, or the least state of the deliveries.
func entryState(s Segment, times sessionTimes) string {
	if s.Open {
		return string(pow.Tracking)
	}
	least := pow.State("")
	for _, c := range times.covered[s.Session] {
		if c.interval.Intersect(s.Interval).Valid() && (least == "" || c.state.Before(least)) {
			least = c.state
		}
	}
	rest := pow.Subtract(restOf(s, times.covered[s.Session]), times.holes[s.Session].closed)
	if least == "" || len(rest) > 0 {
		return "held"
	}
	return string(least)
}

// Correction changes an entry that nothing was registered of. Times that are
// zero, empty ids and a nil Note leave what is there.
type Correction struct {
	ID            string // of the entry
	From, To      time.Time
	Project       pow.ProjectID
	KimaiActivity pow.KimaiActivityID
	Session       pow.SessionID // a new one; goes with another Project
	Note          *string
}

// CorrectEntry applies c. The entry can only be cut: it never reaches beyond
// what was tracked, which it keeps (Segment.Was) until UncorrectEntry. Time,
// project or kind of work that were corrected mark it as changed by hand; words
// do not. Another project takes the held captures of its time along, into
// another session. Errors: pow.ErrNotFound; pow.ErrUsage when it runs, is
// registered in part, or the times are not inside of what was tracked.
func (q *Queue) CorrectEntry(c Correction) error {
	return q.update(func(t *tx) error {
		s, err := q.correctable(t, c.ID)
		if err != nil {
			return err
		}
		before := s
		was := Was{s.Session, s.Project, s.KimaiActivity, s.Interval}
		if s.Was != nil {
			was = *s.Was
		}
		if !c.From.IsZero() {
			s.Interval.From = c.From.UTC()
		}
		if !c.To.IsZero() {
			s.Interval.To = c.To.UTC()
		}
		if err := checkCut(s.Interval, was.Interval); err != nil {
			return err
		}
		if c.KimaiActivity != "" || c.Project != "" {
			s.KimaiActivity = c.KimaiActivity
		}
		if c.Project != "" && c.Project != s.Project {
			if !pow.IsULID(string(c.Session)) {
				return usage("another project needs another session")
			}
			s.Project, s.Session = c.Project, c.Session
		}
		now := Was{s.Session, s.Project, s.KimaiActivity, s.Interval}
		s.ByHand, s.Was = now != was, &was
		return errors.Join(q.keepNote(t, before, c.Note), q.putSegment(t, s), q.moveTime(t, was.Interval, before.Session, s.Session))
	})
}

// correctable reads a segment that may be changed.
func (q *Queue) correctable(t *tx, id string) (s Segment, err error) {
	found, err := t.getJSON(tabSegments, id, &s)
	switch {
	case err != nil || !found:
		return s, orNotFound(err)
	case s.Open:
		return s, usage("the timer of this entry runs; stop it first")
	case len(pow.Subtract([]pow.Interval{s.Interval}, restOf(s, q.index.covered()[s.Session]))) > 0:
		return s, usage("this entry is registered; it cannot be changed any more")
	}
	return s, nil
}

func checkCut(now, was pow.Interval) error {
	switch {
	case !now.Valid() || now.From.Nanosecond() != 0 || now.To.Nanosecond() != 0:
		return usage("an entry begins before it ends, at whole seconds")
	case now.From.Before(was.From) || now.To.After(was.To):
		return usage("time that nobody recorded cannot be added")
	}
	return nil
}

// keepNote changes the words of a segment and keeps the first ones.
func (q *Queue) keepNote(t *tx, s Segment, note *string) error {
	if s.Was == nil {
		old, err := t.get(tabNotes, s.ID)
		if err != nil {
			return err
		}
		if old != nil {
			if err := t.put(tabWas, s.ID, slices.Clone(old)); err != nil {
				return err
			}
		}
	}
	if note == nil {
		return nil
	}
	return q.putNote(t, s.ID, *note)
}

// UncorrectEntry brings an entry back as it was tracked. Errors as CorrectEntry;
// an entry without corrections stays as it is.
func (q *Queue) UncorrectEntry(id string) error {
	return q.update(func(t *tx) error {
		s, err := q.correctable(t, id)
		if err != nil || s.Was == nil {
			return err
		}
		from := s.Session
		w := *s.Was
		s.Session, s.Project, s.KimaiActivity, s.Interval, s.ByHand, s.Was = w.Session, w.Project, w.KimaiActivity, w.Interval, false, nil
		note, err := t.get(tabWas, id)
		if err != nil {
			return err
		}
		if note == nil {
			err = t.del(tabNotes, id)
		} else {
			err = t.put(tabNotes, id, slices.Clone(note))
		}
		return errors.Join(err, t.del(tabWas, id), q.putSegment(t, s), q.moveTime(t, s.Interval, from, s.Session))
	})
}

// moveTime gives what happened in an interval of one session to another: held
// captures, moments without one, and gaps.
func (q *Queue) moveTime(t *tx, i pow.Interval, from, to pow.SessionID) error {
	if from == to {
		return nil
	}
	for id, h := range q.index.heldCaptures() {
		if h.Session != from || !i.Contains(h.At) && !h.At.Equal(i.To) {
			continue
		}
		h.Session = to
		if err := q.putCaptureRow(t, id, h); err != nil {
			return err
		}
	}
	for _, g := range q.index.allGaps() {
		if g.Session != from || len(pow.Subtract([]pow.Interval{g.span()}, []pow.Interval{i})) > 0 {
			continue
		}
		g.Session = to
		if err := q.putGap(t, g); err != nil {
			return err
		}
	}
	return q.moveSkips(t, i, from, to)
}
