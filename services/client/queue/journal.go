package queue

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Segment is a stretch of tracked time without a pause.
type Segment struct {
	ID            string              `json:"id"` // ULID, in order of beginning
	Session       pow.SessionID       `json:"session"`
	Project       pow.ProjectID       `json:"project"`
	KimaiActivity pow.KimaiActivityID `json:"kimai_activity,omitempty"`
	Note          string              `json:"-"`        // rests encrypted; "" while locked
	Interval      pow.Interval        `json:"interval"` // whole seconds; To is the last Tick while Open
	Open          bool                `json:"open,omitempty"`
	Kept          bool                `json:"kept,omitempty"`    // kept by the person while away
	ByHand        bool                `json:"by_hand,omitempty"` // other than it was tracked
	Was           *Was                `json:"was,omitempty"`     // before its first correction; nil: as it was tracked
}

// OpenSegment begins tracked time at s.Interval.From and returns it with its
// id. From is rounded down to whole seconds, but not into the segment before.
// Errors: pow.ErrUsage when one is open already.
func (q *Queue) OpenSegment(s Segment) (Segment, error) {
	id, err := pow.NewULID(q.cfg.Now(), rand.Reader)
	if err != nil {
		return Segment{}, err
	}
	s.ID, s.Open = id, true
	err = q.update(func(t *tx) error {
		if _, running := q.Running(); running {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "the timer runs already"}
		}
		from := s.Interval.From.UTC().Truncate(time.Second)
		for _, o := range q.index.allSegments() {
			// A second that two segments share belongs to the first.
			if o.Interval.To.After(from) && o.Interval.To.Sub(from) <= time.Second {
				from = o.Interval.To
			}
		}
		s.Interval = pow.Interval{From: from, To: from}
		return errors.Join(q.putSegment(t, s), q.putNote(t, s.ID, s.Note))
	})
	if err != nil {
		return Segment{}, err
	}
	return s, nil
}

func (q *Queue) putSegment(t *tx, s Segment) error {
	t.then(func() { q.index.setSegment(s) })
	return t.putJSON(tabSegments, s.ID, s)
}

func (q *Queue) putNote(t *tx, id, note string) error {
	if note == "" {
		return t.del(tabNotes, id)
	}
	ciphertext, err := q.seal([]byte(note))
	if err != nil {
		return err
	}
	return t.put(tabNotes, id, ciphertext)
}

// Running returns the open segment.
func (q *Queue) Running() (Segment, bool) {
	for _, s := range q.index.allSegments() {
		if s.Open {
			return s, true
		}
	}
	return Segment{}, false
}

// Tick is the heartbeat of the running timer: a crash ends the segment at the
// last one. A moment before it is ignored. Errors: pow.ErrNotTracking.
func (q *Queue) Tick(at time.Time) error {
	_, err := q.advance(at, false)
	return err
}

// CloseSegment ends the open segment at the given moment, rounded up to whole
// seconds. Errors: pow.ErrNotTracking.
func (q *Queue) CloseSegment(at time.Time) (Segment, error) { return q.advance(at, true) }

func (q *Queue) advance(at time.Time, end bool) (s Segment, err error) {
	err = q.update(func(t *tx) error {
		var running bool
		if s, running = q.Running(); !running {
			return pow.ErrNotTracking
		}
		to := at.UTC().Add(time.Second - 1).Truncate(time.Second)
		if to.After(s.Interval.To) {
			s.Interval.To = to
		}
		s.Open = !end
		return q.putSegment(t, s)
	})
	return s, err
}

// SetNote changes the worker's words about a segment, also later. It reaches
// the proofs that are not sealed yet. Errors: pow.ErrNotFound.
func (q *Queue) SetNote(segment, note string) error {
	return q.update(func(t *tx) error {
		if row, err := t.get(tabSegments, segment); row == nil {
			return orNotFound(err)
		}
		return q.putNote(t, segment, note)
	})
}

// note returns "" while the queue is locked.
func (q *Queue) note(t *tx, tab table, segment string) (string, error) {
	ciphertext, err := t.get(tab, segment)
	if ciphertext == nil || err != nil {
		return "", err
	}
	plain, err := q.unseal(ciphertext)
	if errors.Is(err, pow.ErrLocked) {
		return "", nil
	}
	return string(plain), err
}

// Unregistered returns tracked time that no delivery carries, in order, up to
// the last Tick, without open gaps and what was taken out. A segment that is
// carried in part appears with the rest of its interval, in several pieces where
// need be.
func (q *Queue) Unregistered() (out []Segment, err error) {
	err = q.view(func(t *tx) error {
		for _, s := range q.uncovered() {
			if s.Note, err = q.note(t, tabNotes, s.ID); err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

func (q *Queue) uncovered() (out []Segment) {
	times := q.times()
	for _, s := range times.segments {
		for _, rest := range pow.Subtract(restOf(s, times.covered[s.Session]), times.holes[s.Session].all()) {
			s.Interval = rest
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Segment) int { return a.Interval.From.Compare(b.Interval.From) })
	return out
}

func restOf(s Segment, covered []coverage) []pow.Interval {
	cuts := make([]pow.Interval, len(covered))
	for i, c := range covered {
		cuts[i] = c.interval
	}
	return pow.Subtract([]pow.Interval{s.Interval}, cuts)
}

// EraseUnsent forgets what was never registered of a span of time: held
// captures and tracked time, of one project or ("") of all. A running segment
// keeps what lies outside the span.
func (q *Queue) EraseUnsent(span pow.Interval, project pow.ProjectID) error {
	err := q.update(func(t *tx) error {
		gone, err := q.eraseTime(t, span, project)
		if err != nil {
			return err
		}
		for id, h := range q.index.heldCaptures() {
			var row captureRow
			if _, err := t.getJSON(tabCaptures, id, &row); err != nil {
				return err
			}
			if span.Contains(row.At) && (project == "" || gone[h.Session]) {
				if err := errors.Join(q.cutForGood(t, row), q.removeCapture(t, id)); err != nil {
					return err
				}
			}
		}
		erased := func(s skipRow) bool {
			return s.Delivery == "" && span.Contains(s.At) && (project == "" || gone[s.Session])
		}
		return errors.Join(q.removeSkips(t, erased), q.eraseGaps(t, span, project, gone), q.markErased(t))
	})
	if err != nil {
		return err
	}
	return q.Tidy()
}

// eraseTime cuts the span out of unregistered time and returns the sessions of the project.
func (q *Queue) eraseTime(t *tx, span pow.Interval, project pow.ProjectID) (map[pow.SessionID]bool, error) {
	sessions := map[pow.SessionID]bool{}
	covered := q.index.covered()
	for _, s := range q.index.allSegments() {
		if project != "" && s.Project != project {
			continue
		}
		sessions[s.Session] = true
		gone := pow.Interval{}
		rest := restOf(s, covered[s.Session])
		if !slices.ContainsFunc(rest, func(i pow.Interval) bool { gone = i.Intersect(span); return gone.Valid() }) {
			continue
		}
		cuts := make([]pow.Interval, 0, len(rest))
		for _, i := range rest {
			cuts = append(cuts, i.Intersect(span))
		}
		if err := q.cutSegment(t, s, pow.Subtract([]pow.Interval{s.Interval}, cuts)); err != nil {
			return nil, err
		}
	}
	return sessions, nil
}

// cutSegment replaces a segment by its remaining pieces; the last piece keeps
// a running timer.
func (q *Queue) cutSegment(t *tx, s Segment, pieces []pow.Interval) error {
	if s.Open && (len(pieces) == 0 || !pieces[len(pieces)-1].To.Equal(s.Interval.To)) {
		pieces = append(pieces, pow.Interval{From: s.Interval.To, To: s.Interval.To})
	}
	note, err := t.get(tabNotes, s.ID)
	if err != nil {
		return err
	}
	note = slices.Clone(note)
	s.Was = nil // what was erased cannot come back
	for i, p := range pieces {
		piece := s
		piece.Interval, piece.Open = p, s.Open && i == len(pieces)-1
		if i > 0 {
			if piece.ID, err = pow.NewULID(q.cfg.Now(), rand.Reader); err != nil {
				return err
			}
			if note != nil {
				err = t.put(tabNotes, piece.ID, note)
			}
		}
		if err := errors.Join(err, q.putSegment(t, piece)); err != nil {
			return err
		}
	}
	if len(pieces) > 0 {
		return nil
	}
	t.then(func() { q.index.removeSegment(s.ID) })
	return errors.Join(t.del(tabSegments, s.ID), t.del(tabNotes, s.ID), t.del(tabWas, s.ID))
}

// joinNotes puts the different notes of a proof's segments behind one another.
func joinNotes(notes []string) string {
	var distinct []string
	for _, n := range notes {
		if n = strings.TrimSpace(n); n != "" && !slices.Contains(distinct, n) {
			distinct = append(distinct, n)
		}
	}
	all := []rune(strings.Join(distinct, "; "))
	return string(all[:min(len(all), pow.MaxNote)])
}
