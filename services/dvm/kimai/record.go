package kimai

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"pow.do/services/pow"
)

// maxDescription bounds what is sent, in runes, marker included. Kimai fails
// above 65 535 bytes.
const maxDescription = 2000

// record is a timesheet record. Rates, break, tags and meta-fields differ
// between versions and permissions and are not read.
type record struct {
	id, user, project, activity int64
	span                        pow.Interval // To is zero while it runs
	duration                    time.Duration
	description                 string
	exported                    bool
}

func (r *record) running() bool { return r.span.To.IsZero() }

// UnmarshalJSON reads the object that Kimai answers without ?full.
func (r *record) UnmarshalJSON(b []byte) error {
	var w struct {
		ID, User, Project, Activity number
		Begin                       stamp
		End                         json.RawMessage
		Duration                    int64
		Description                 string
		Exported                    bool
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	var end stamp
	if w.End == nil || json.Unmarshal(w.End, &end) != nil {
		return fmt.Errorf("record without end")
	}
	if w.ID == 0 || w.User == 0 || w.Project == 0 || w.Activity == 0 || w.Begin.IsZero() {
		return fmt.Errorf("record without id, user, project, activity or begin")
	}
	if !end.IsZero() && end.Before(w.Begin.Time) || w.Duration < 0 || w.Duration > int64(366*24*time.Hour/time.Second) {
		return fmt.Errorf("record of impossible length")
	}
	*r = record{
		id: int64(w.ID), user: int64(w.User), project: int64(w.Project), activity: int64(w.Activity),
		span:     pow.Interval{From: w.Begin.Time, To: end.Time},
		duration: time.Duration(w.Duration) * time.Second, description: w.Description, exported: w.Exported,
	}
	return nil
}

var (
	markerForm = regexp.MustCompile(`^powdo-[0-9a-f]{16}$`)
	anyMarker  = regexp.MustCompile(`\[powdo-[0-9a-f]{16}\]`)
)

// marked tells whether the record carries the marker in full; Kimai's own
// search finds any part of it, in either case.
func (r *record) marked(marker string) bool {
	return strings.Contains(r.description, "["+marker+"]")
}

// ours tells whether any run of anybody was booked as this record.
func (r *record) ours() bool { return anyMarker.MatchString(r.description) }

// describe returns the description of a record: the note, cut to fit, and the
// marker on a line of its own.
func describe(note, marker string) string {
	line := "[" + marker + "]"
	note = strings.TrimSpace(strings.Map(printable, anyMarker.ReplaceAllString(note, "")))
	if note == "" {
		return line
	}
	room := maxDescription - len(line) - 1
	if utf8.RuneCountInString(note) > room {
		note = strings.TrimSpace(string([]rune(note)[:room]))
	}
	return note + "\n" + line
}

// printable drops what a person cannot have meant: invalid bytes and control
// characters other than the line end.
func printable(r rune) rune {
	if r == utf8.RuneError || r < ' ' && r != '\n' || r == 0x7f {
		return -1
	}
	return r
}
