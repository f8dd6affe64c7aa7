package tracker

import (
	"strings"
	"time"

	"pow.do/services/pow"
)

// What can be wrong with a Correction.
var (
	ErrClock   = &pow.Error{Code: "not-a-time", What: "this is not a time of day"}
	ErrOnlyCut = &pow.Error{Code: "only-cut", What: "an entry can only be made shorter"}
	ErrNoTime  = &pow.Error{Code: "no-time-left", What: "nothing would be left of the entry"}
)

// Correction is what a person types to correct an entry. From and To are times
// of day, such as 9:02; what is as it was is not changed.
type Correction struct {
	Entry    pow.Entry
	From, To string
	Note     string
	Project  pow.ProjectID
	Activity pow.KimaiActivityID
}

// Correctable tells whether an entry can be corrected: only until it is registered.
func Correctable(e pow.Entry) bool {
	return e.ID != "" && (e.State == "held" || e.To.IsZero())
}

// Correct begins with what the entry says.
func Correct(e pow.Entry) Correction {
	c := Correction{Entry: e, From: clockOf(e.From), Note: e.Note, Project: e.Project.ID}
	if !e.To.IsZero() {
		c.To = clockOf(e.To)
	}
	if e.KimaiActivity != nil {
		c.Activity = e.KimaiActivity.ID
	}
	return c
}

func clockOf(t time.Time) string { return t.Local().Format("15:04") }

// Span returns the interval that the entry would have; To is zero while it runs.
func (c Correction) Span() (pow.Interval, error) {
	from, err := c.moment(c.From, c.Entry.From)
	if err != nil {
		return pow.Interval{}, err
	}
	if c.Entry.To.IsZero() {
		if from.Before(c.Entry.From) {
			return pow.Interval{}, ErrOnlyCut
		}
		return pow.Interval{From: from}, nil
	}
	to, err := c.moment(c.To, c.Entry.To)
	switch span := (pow.Interval{From: from, To: to}); {
	case err != nil:
		return span, err
	case from.Before(c.Entry.From) || to.After(c.Entry.To):
		return span, ErrOnlyCut
	case !span.Valid():
		return span, ErrNoTime
	default:
		return span, nil
	}
}

// moment returns the typed time of day next to where the entry lies; the time
// as it was keeps its seconds.
func (c Correction) moment(typed string, was time.Time) (time.Time, error) {
	typed = strings.TrimSpace(typed)
	if typed == clockOf(was) {
		return was, nil
	}
	t, err := time.ParseInLocation("15:04", typed, time.Local)
	if err != nil {
		return time.Time{}, ErrClock
	}
	y, m, d := c.Entry.From.Local().Date()
	at := time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.Local)
	// An entry over midnight: early hours belong to the next day.
	if next := at.AddDate(0, 0, 1); at.Before(c.Entry.From) && !c.Entry.To.IsZero() && !next.After(c.Entry.To) {
		return next, nil
	}
	return at, nil
}

// Edit returns what to ask the agent for; changed is false where all is as it was.
func (c Correction) Edit() (e pow.EntryEdit, changed bool, err error) {
	span, err := c.Span()
	if err != nil {
		return e, false, err
	}
	e.ID = c.Entry.ID
	if !span.From.Equal(c.Entry.From) {
		e.From, changed = span.From, true
	}
	if !span.To.Equal(c.Entry.To) {
		e.To, changed = span.To, true
	}
	if c.Project != c.Entry.Project.ID {
		e.Project, changed = c.Project, true
	}
	if was := c.Entry.KimaiActivity; c.Activity != "" && (was == nil || was.ID != c.Activity) {
		e.KimaiActivity, changed = c.Activity, true
	}
	if note := strings.TrimSpace(c.Note); note != c.Entry.Note {
		if r := []rune(note); len(r) > pow.MaxNote {
			note = string(r[:pow.MaxNote])
		}
		e.Note, changed = &note, true
	}
	return e, changed, nil
}
