// Package report puts hours and their evidence on paper: as a page for a
// browser, as tables for a spreadsheet, as JSON for a program, and as PDF for
// whoever pays.
//
// A [Report] is made of what the ledger reports, by pure rules: time is split
// at local midnights of the report's zone, and counted once. Writers turn it
// into bytes; none of them adds or leaves out a number. Names and reasons come
// from strangers: every format escapes them by its own rules, the spreadsheet's
// included, where a text that begins like a formula would be run.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Format is a form of a report.
type Format string

// The formats.
const (
	HTML Format = "html"
	CSV  Format = "csv"
	JSON Format = "json"
	PDF  Format = "pdf"
)

// Report is what is written. Times are of Zone in every format but JSON.
type Report struct {
	Team     string              `json:"team"`
	DVMNpub  string              `json:"dvm_npub"`
	From     time.Time           `json:"from"`
	To       time.Time           `json:"to"`
	Made     time.Time           `json:"made"`
	Days     []Day               `json:"days"`
	Totals   []Total             `json:"totals"`
	Seconds  int64               `json:"proven_seconds"`
	Booked   int64               `json:"booked_seconds"`
	Sessions []pow.SessionReport `json:"sessions"`
	Proofs   []pow.ProofReport   `json:"proofs"`
	Zone     *time.Location      `json:"-"`
}

// Day is the proven time of one member in one project on one local day.
type Day struct {
	Date    string         `json:"date"` // 2006-01-02 in Zone
	Member  pow.MemberRef  `json:"member"`
	Project pow.ProjectRef `json:"project"`
	Seconds int64          `json:"proven_seconds"`
	Booked  int64          `json:"booked_seconds"`
}

// Total is the sum of Days over one member and project.
type Total struct {
	Member  pow.MemberRef  `json:"member"`
	Project pow.ProjectRef `json:"project"`
	Seconds int64          `json:"proven_seconds"`
	Booked  int64          `json:"booked_seconds"`
}

// Source is what a Report is made of: sessions and proofs that touch [From, To).
type Source struct {
	Team     string
	DVMNpub  string
	From, To time.Time // zero: open
	Sessions []pow.SessionReport
	Proofs   []pow.ProofReport
	Zone     *time.Location
	Now      time.Time
}

// New makes the report: time outside [From, To) is cut off, so that two reports
// of neighbouring periods add up to the one of both.
func New(s Source) Report {
	r := Report{Team: s.Team, DVMNpub: s.DVMNpub, From: s.From, To: s.To, Made: s.Now, Zone: s.Zone,
		Days: []Day{}, Totals: []Total{}, Sessions: s.Sessions, Proofs: s.Proofs}
	days, totals := map[Day]*Day{}, map[Total]*Total{}
	for _, session := range s.Sessions {
		for _, i := range session.Intervals {
			for _, part := range splitDays(clip(i, s.From, s.To), s.Zone) {
				n := int64(part.Duration() / time.Second)
				key := Day{Date: part.From.In(s.Zone).Format(time.DateOnly), Member: session.Member, Project: session.Project}
				d := entry(days, key)
				t := entry(totals, Total{Member: session.Member, Project: session.Project})
				d.Seconds, t.Seconds, r.Seconds = d.Seconds+n, t.Seconds+n, r.Seconds+n
				if session.Booking.State == "booked" {
					d.Booked, t.Booked, r.Booked = d.Booked+n, t.Booked+n, r.Booked+n
				}
			}
		}
	}
	for _, d := range days {
		r.Days = append(r.Days, *d)
	}
	for _, t := range totals {
		r.Totals = append(r.Totals, *t)
	}
	slices.SortFunc(r.Days, func(a, b Day) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), byNames(a.Member, b.Member, a.Project, b.Project))
	})
	slices.SortFunc(r.Totals, func(a, b Total) int { return byNames(a.Member, b.Member, a.Project, b.Project) })
	return r
}

func entry[T comparable](m map[T]*T, key T) *T {
	v, ok := m[key]
	if !ok {
		v = &key
		m[key] = v
	}
	return v
}

func byNames(m, n pow.MemberRef, p, q pow.ProjectRef) int {
	return cmp.Or(cmp.Compare(m.Name, n.Name), cmp.Compare(m.Npub, n.Npub), cmp.Compare(p.Name, q.Name), cmp.Compare(p.ID, q.ID))
}

func clip(i pow.Interval, from, to time.Time) pow.Interval {
	if !from.IsZero() && i.From.Before(from) {
		i.From = from
	}
	if !to.IsZero() && i.To.After(to) {
		i.To = to
	}
	return i
}

// splitDays cuts an interval at every midnight of the zone. A day may have 23
// or 25 hours; nothing is lost or counted twice.
func splitDays(i pow.Interval, zone *time.Location) (out []pow.Interval) {
	for i.Valid() {
		y, m, d := i.From.In(zone).Date()
		end := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
		if !end.After(i.From) || end.After(i.To) {
			end = i.To
		}
		out = append(out, pow.Interval{From: i.From, To: end})
		i.From = end
	}
	return out
}

// Write writes the report in a format. Errors are w's own, or that the format
// is not known.
func (r Report) Write(w io.Writer, f Format) error {
	switch f {
	case HTML:
		return r.html(w)
	case CSV:
		return r.csv(w)
	case JSON:
		return r.json(w)
	case PDF:
		return r.pdf(w)
	}
	return fmt.Errorf("no such format: %q", f)
}

// hours shows seconds as hours and minutes, with the seconds where there are any.
func hours(seconds int64) string {
	s := fmt.Sprintf("%d:%02d", seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		s += fmt.Sprintf(":%02d", seconds%60)
	}
	return s
}

func (r Report) clock(t time.Time) string { return t.In(r.Zone).Format("2006-01-02 15:04:05") }

func (r Report) period() string {
	from, to := "the beginning", "now"
	if !r.From.IsZero() {
		from = r.clock(r.From)
	}
	if !r.To.IsZero() {
		to = r.clock(r.To)
	}
	return fmt.Sprintf("%s to %s (%s)", from, to, r.Zone)
}

// booking says where the time of a session went.
func booking(b pow.Booking) string {
	switch {
	case b.State == "booked" && b.Timesheet != 0:
		return fmt.Sprintf("booked: %s no. %d", b.System, b.Timesheet)
	case b.State == "booked":
		return "booked"
	case b.Reason != "":
		return "verified, not booked: " + b.Reason
	}
	return "not booked yet"
}
