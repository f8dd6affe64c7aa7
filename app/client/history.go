package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"pow.do/services/client/timer"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

// maxHistory bounds the span of one History call.
const maxHistory = 400 * 24 * time.Hour

// History implements API. It is made of what is kept here: tracked time, the
// headers of Statements, and Receipts.
func (a *Agent) History(_ context.Context, span pow.Interval) ([]pow.HistoryDay, error) {
	if a.ready() != nil {
		return nil, nil
	}
	if !span.Valid() || span.Duration() > maxHistory {
		return nil, &pow.Error{Code: pow.ErrUsage.Code, What: "want a span of time of at most 400 days"}
	}
	// Whole Sessions, so that what the team counts of one can be compared.
	wide := pow.Interval{From: span.From.Add(-timer.MaxSession), To: span.To.Add(timer.MaxSession)}
	ds, err := a.queue.DeliveriesIn(wide)
	if err != nil {
		return nil, err
	}
	h := history{names: a.projectNames(), marks: a.queue.Marks, days: map[historyKey]*pow.HistoryDay{}, covers: covers(ds)}
	for day := localDay(span.From); day.From.Before(span.To); day = localDay(day.To) {
		es, err := a.queue.Entries(day.Intersect(span))
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			h.add(day.From, e)
		}
	}
	for project, at := range differences(ds) {
		for end, seconds := range at {
			if span.Contains(end) && seconds != 0 {
				h.day(localDay(end).From, project).Difference += seconds
			}
		}
	}
	return h.list(), nil
}

type historyKey struct {
	day     int64
	project pow.ProjectID
}

// history sums up days.
type history struct {
	names projectNames
	// marks returns the parts that were kept while away, and changed by hand.
	marks  func(pow.SessionID, pow.Interval) (kept, byHand []pow.Interval)
	covers map[pow.SessionID]map[string][]pow.Interval
	days   map[historyKey]*pow.HistoryDay
}

// The coverages of time, from the best on.
const (
	coverBooked   = "booked"
	coverVerified = "verified"
	coverOnTheWay = "on-the-way"
)

func coverOf(s pow.State) string {
	switch s {
	case pow.Booked:
		return coverBooked
	case pow.Accepted:
		return coverVerified
	}
	return coverOnTheWay
}

// covers sorts deliveries by Session and coverage.
func covers(ds []pow.Delivery) map[pow.SessionID]map[string][]pow.Interval {
	out := map[pow.SessionID]map[string][]pow.Interval{}
	for _, d := range ds {
		if out[d.Session] == nil {
			out[d.Session] = map[string][]pow.Interval{}
		}
		c := coverOf(d.State)
		out[d.Session][c] = append(out[d.Session][c], d.Interval)
	}
	return out
}

func (h *history) day(midnight time.Time, p pow.ProjectID) *pow.HistoryDay {
	k := historyKey{midnight.Unix(), p}
	if h.days[k] == nil {
		h.days[k] = &pow.HistoryDay{Day: midnight, Project: h.names.ref(p)}
	}
	return h.days[k]
}

// add counts one entry, or the part of it that lies on a day.
func (h *history) add(midnight time.Time, e pow.Entry) {
	if e.To.IsZero() {
		e.To = e.From.Add(time.Duration(e.Seconds) * time.Second)
	}
	d, whole := h.day(midnight, e.Project.ID), pow.Interval{From: e.From, To: e.To}
	rest, unregistered := []pow.Interval{whole}, e.Seconds // which is less than whole where time was taken out
	d.Total += e.Seconds
	kept, byHand := h.marks(e.Session, whole)
	d.Kept += min(e.Seconds, seconds(kept))
	d.ByHand += min(e.Seconds, seconds(byHand))
	for c, sum := range map[string]*int64{coverBooked: &d.Booked, coverVerified: &d.Verified, coverOnTheWay: &d.OnTheWay} {
		left := pow.Subtract(rest, h.covers[e.Session][c])
		*sum += seconds(rest) - seconds(left)
		unregistered -= seconds(rest) - seconds(left)
		rest = left
	}
	d.Unregistered += max(0, unregistered)
}

func seconds(in []pow.Interval) int64 { return int64(pow.Total(in) / time.Second) }

func (h *history) list() []pow.HistoryDay {
	out := make([]pow.HistoryDay, 0, len(h.days))
	for _, d := range h.days {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(x, y pow.HistoryDay) int {
		return cmp.Or(x.Day.Compare(y.Day), cmp.Compare(x.Project.Name, y.Project.Name), cmp.Compare(x.Project.ID, y.Project.ID))
	})
	return out
}

// differences compares, for each Session that is settled, what the team counts
// with what its accepted proofs say: seconds by project and by the end of the
// Session's last proof.
func differences(ds []pow.Delivery) map[pow.ProjectID]map[time.Time]int64 {
	bySession := map[pow.SessionID][]pow.Delivery{}
	for _, d := range ds {
		bySession[d.Session] = append(bySession[d.Session], d)
	}
	out := map[pow.ProjectID]map[time.Time]int64{}
	for _, session := range bySession {
		if p, end, s, ok := difference(session); ok {
			if out[p] == nil {
				out[p] = map[time.Time]int64{}
			}
			out[p][end] += s
		}
	}
	return out
}

func difference(session []pow.Delivery) (p pow.ProjectID, end time.Time, s int64, ok bool) {
	var ours []pow.Interval
	var newest *pow.Receipt
	for _, d := range session {
		if d.Receipt == nil || coverOf(d.State) == coverOnTheWay {
			return p, end, 0, false
		}
		ours = append(ours, d.Interval)
		if newest == nil || cmp.Or(d.Receipt.CreatedAt.Compare(newest.CreatedAt), cmp.Compare(d.Receipt.Proven, newest.Proven)) > 0 {
			newest = d.Receipt
		}
		if d.Interval.To.After(end) {
			p, end = d.Project, d.Interval.To
		}
	}
	return p, end, newest.Proven - seconds(ours), true
}

// CheckProofs implements API: every kept header still has the id that was
// signed, each names the one before it, and every answer is the team's own.
func (a *Agent) CheckProofs(context.Context) (c pow.Check, err error) {
	c = pow.Check{Name: "proofs", State: "unused", Detail: "nothing is registered yet"}
	if err := a.ready(); err != nil {
		return c, err
	}
	a.mu.Lock()
	keys := a.keys
	a.mu.Unlock()
	if keys == nil {
		return c, pow.ErrLocked
	}
	ds, err := a.queue.Deliveries()
	if err != nil {
		return c, err
	}
	ds = slices.DeleteFunc(ds, func(d pow.Delivery) bool { return d.Statement == nil })
	if len(ds) == 0 {
		return c, nil
	}
	slices.SortFunc(ds, func(x, y pow.Delivery) int { return cmp.Compare(x.Statement.Seq, y.Statement.Seq) })
	good, answered, gaps := 0, 0, 0
	var before *pow.Statement
	for _, d := range ds {
		receipt := d.Receipt != nil && d.Receipt.Code.EndsLife()
		if receipt {
			answered++
		}
		if before == nil && d.Statement.Seq > 1 || before != nil && d.Statement.Seq > before.Seq+1 {
			gaps++
		}
		ok, err := a.checkProof(keys, before, d, receipt)
		if err != nil {
			return c, err
		}
		if ok {
			good++
		}
		before = d.Statement
	}
	c.State, c.Detail = "ok", fmt.Sprintf("%d of %d in order, %d answered by your team", good, len(ds), answered)
	switch {
	case good < len(ds):
		c.State, c.Mend = "failed", "the file was changed by something else; your team has its own record"
	case gaps > 0:
		c.State, c.Detail = "warning", c.Detail+fmt.Sprintf("; %d places of the chain were given up", gaps)
	}
	return c, nil
}

// checkProof checks one header, its link to the one before and, if there is
// one, the Receipt that ended the proof's life. err is the disk's.
func (a *Agent) checkProof(keys *secrets, before *pow.Statement, d pow.Delivery, receipt bool) (ok bool, err error) {
	s := d.Statement
	id, err := archive.StatementID(*s)
	if err != nil || id != s.ID || s.Session != d.Session || s.Device != keys.device.Public() {
		return false, nil
	}
	if before != nil && (s.Seq == before.Seq || s.Seq == before.Seq+1 && s.Prev != before.ID) {
		return false, nil
	}
	if !receipt {
		return true, nil
	}
	seal, err := a.queue.Evidence(d.ID)
	if err != nil {
		return false, err
	}
	return checkReceipt(keys, d, seal) == nil, nil
}
