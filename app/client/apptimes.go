package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"pow.do/services/client/activity"
	"pow.do/services/pow"
)

// leftOut is what the member keeps of the activity: rows one by one, which rest
// here encrypted, and apps and the titles of apps for good, which are settings.
type leftOut struct {
	Rows   []pow.ActivityRow `json:"rows,omitempty"`
	Apps   []string          `json:"-"`
	Titles []string          `json:"-"`
}

const docLeftOut = "left-out"

func (a *Agent) leftOut() (l leftOut, err error) {
	_, err = a.queue.SecretDoc(docLeftOut, &l)
	set, _ := a.settings()
	l.Apps, l.Titles = set.AppsOut, set.TitlesOut
	return l, err
}

// appReader reads activity as it would leave. Intervals are read in order of
// time: a row that was left out and goes on behind the end of one interval is
// left out of the next one too.
type appReader struct {
	a    *Agent
	left leftOut
}

// rules are what never leaves, by the settings.
func (r *appReader) rules() activity.Rules {
	return activity.Rules{Apps: r.left.Apps, Titles: r.left.Titles}
}

// read returns the activity of an interval, and the level of detail that was chosen.
func (r *appReader) read(ctx context.Context, p pow.ProjectID, in pow.Interval) (pow.Activity, pow.Detail, error) {
	pol, err := r.a.policyOf(p)
	if err != nil {
		return pow.Activity{}, "", err
	}
	got, _ := r.a.activity.ReadBy(ctx, in, pol.Detail, r.rules())
	rows := got.Rows
	got.Rows = nil
	for _, row := range rows {
		got.Rows = append(got.Rows, r.keep(row)...)
	}
	return got, pol.Detail, nil
}

// keep returns what is left of a row: its kind has no rows side by side, so what
// was left out is left out of every row of its kind that covers the same time,
// even if it says something else at another level of detail.
func (r *appReader) keep(row pow.ActivityRow) (out []pow.ActivityRow) {
	if r.leaves(row) {
		return nil
	}
	var cuts []pow.Interval
	for _, l := range r.left.Rows {
		if l.Kind == row.Kind {
			cuts = append(cuts, pow.Interval{From: l.From, To: l.To})
		}
	}
	for _, i := range pow.Subtract([]pow.Interval{{From: row.From, To: row.To}}, cuts) {
		row.From, row.To = i.From, i.To
		out = append(out, row)
	}
	return out
}

// leaves tells whether a row was left out by hand, and remembers all of it.
func (r *appReader) leaves(row pow.ActivityRow) bool {
	for i, l := range r.left.Rows {
		if says(l) == says(row) && !row.From.After(l.To) && !row.To.Before(l.From) {
			if row.To.After(l.To) {
				r.left.Rows[i].To = row.To
			}
			return true
		}
	}
	return false
}

// says is a row without its times.
func says(r pow.ActivityRow) pow.ActivityRow {
	r.From, r.To = time.Time{}, time.Time{}
	return r
}

// rowID names a row while nothing is registered: by its beginning and what it says.
func rowID(session pow.SessionID, r pow.ActivityRow) (string, error) {
	r.To = time.Time{}
	b, err := json.Marshal(struct {
		Session pow.SessionID
		Row     pow.ActivityRow
	}{session, r})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12]), err
}

// AppTimes implements API.
func (a *Agent) AppTimes(ctx context.Context, day time.Time) ([]pow.AppTime, error) {
	if err := a.ready(); err != nil {
		return nil, err
	}
	return a.appTimes(ctx, localDay(day))
}

// appTimes reads every row of what is not registered in a span.
func (a *Agent) appTimes(ctx context.Context, span pow.Interval) (times []pow.AppTime, err error) {
	segments, err := a.registrable()
	if err != nil {
		return nil, err
	}
	left, err := a.leftOut()
	if err != nil {
		return nil, err
	}
	reader, names := appReader{a: a, left: left}, a.projectNames()
	times = []pow.AppTime{}
	for _, s := range joinTouching(segments) {
		if !s.Interval.Intersect(span).Valid() {
			continue
		}
		pol, err := a.policyOf(s.Project)
		if err != nil {
			return nil, err
		}
		got, ruled := a.activity.ReadBy(ctx, s.Interval, pol.Detail, reader.rules())
		add := func(row pow.ActivityRow, out bool, rule string) error {
			id, err := rowID(s.Session, row)
			if span.Contains(row.From) || span.Contains(row.To) {
				times = append(times, pow.AppTime{ID: id, Session: s.Session, Project: names.ref(s.Project), ActivityRow: row,
					LeftOut: out, Rule: rule, Provisional: got.Provisional})
			}
			return err
		}
		for _, row := range ruled {
			err = errors.Join(err, add(row, true, row.App))
		}
		for _, row := range got.Rows {
			kept := reader.keep(row)
			if len(kept) == 0 {
				err = errors.Join(err, add(row, true, ""))
			}
			for _, k := range kept {
				err = errors.Join(err, add(k, false, ""))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(times, func(x, y pow.AppTime) int { return x.From.Compare(y.From) })
	return times, nil
}

// keepRows is how long a row that was left out by hand is remembered.
const keepRows = 60 * 24 * time.Hour

// LeaveOut implements API.
func (a *Agent) LeaveOut(ctx context.Context, r pow.LeaveOut) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.registering.Lock()
	defer a.registering.Unlock()
	if r.App != "" {
		if err := a.leaveApp(ctx, r); err != nil {
			return err
		}
	}
	left, err := a.leftOut()
	if err != nil {
		return err
	}
	if len(r.IDs) > 0 {
		if left.Rows, err = a.leaveRows(ctx, left.Rows, r); err != nil {
			return err
		}
	}
	defer a.changed()
	return a.queue.PutSecretDoc(docLeftOut, left)
}

// leaveApp changes the settings' list of apps, or of apps whose titles stay here.
func (a *Agent) leaveApp(ctx context.Context, r pow.LeaveOut) error {
	s, err := a.Settings(ctx)
	if err != nil {
		return err
	}
	list := &s.AppsOut
	if r.Titles {
		list = &s.TitlesOut
	}
	*list = slices.DeleteFunc(slices.Clone(*list), func(s string) bool { return strings.EqualFold(s, r.App) })
	if !r.Back {
		*list = append(*list, r.App)
	}
	return a.SetSettings(ctx, s)
}

// leaveRows adds rows to those that were left out by hand, or takes them back in.
func (a *Agent) leaveRows(ctx context.Context, rows []pow.ActivityRow, r pow.LeaveOut) ([]pow.ActivityRow, error) {
	now := time.Now()
	times, err := a.appTimes(ctx, pow.Interval{To: now.AddDate(0, 0, 1)})
	if err != nil {
		return nil, err
	}
	old := now.Add(-keepRows)
	rows = slices.DeleteFunc(rows, func(l pow.ActivityRow) bool { return l.To.Before(old) })
	for _, id := range r.IDs {
		i := slices.IndexFunc(times, func(t pow.AppTime) bool { return t.ID == id })
		if i < 0 {
			return nil, pow.ErrNotFound
		}
		row := times[i].ActivityRow
		rows = slices.DeleteFunc(rows, func(l pow.ActivityRow) bool {
			return says(l) == says(row) && !row.From.After(l.To) && !row.To.Before(l.From)
		})
		if !r.Back {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
