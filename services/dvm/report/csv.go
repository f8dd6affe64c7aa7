package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// csv writes one line per session and interval, so that the sum of the column
// "seconds" is the proven time of the report (RFC 4180, UTF-8).
func (r Report) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	rows := [][]string{{"member", "npub", "project", "customer", "session", "from", "to", "seconds", "hours", "proofs", "state", "booking", "timesheet"}}
	for _, s := range r.Sessions {
		for _, i := range s.Intervals {
			i = clip(i, r.From, r.To)
			if !i.Valid() {
				continue
			}
			seconds := int64(i.Duration() / time.Second)
			sheet := ""
			if s.Booking.Timesheet != 0 {
				sheet = strconv.FormatInt(s.Booking.Timesheet, 10)
			}
			rows = append(rows, []string{cell(s.Member.Name), s.Member.Npub, cell(s.Project.Name), cell(s.Project.Group), string(s.Session),
				i.From.In(r.Zone).Format(time.RFC3339), i.To.In(r.Zone).Format(time.RFC3339), strconv.FormatInt(seconds, 10),
				strconv.FormatFloat(float64(seconds)/3600, 'f', 4, 64), strconv.Itoa(s.Proofs), s.State, cell(booking(s.Booking)), sheet})
		}
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// cell keeps a spreadsheet from taking a text for a formula (CWE-1236).
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (r Report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
