package history

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"pow.do/services/pow"
)

// Kind is a format of Export.
type Kind string

// The formats.
const (
	CSV  Kind = "csv"
	JSON Kind = "json"
)

// Export returns the week that is shown as a file, and a name for it.
func (p *Presenter) Export(k Kind) (name string, content []byte, err error) {
	name = "hours-" + p.model.Week.Format("2006-01-02") + "." + string(k)
	if k == JSON {
		content, err = asJSON(p.list)
	} else {
		content, err = asCSV(p.list)
	}
	return name, content, err
}

func asJSON(days []pow.HistoryDay) ([]byte, error) {
	b, err := json.MarshalIndent(days, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the week as JSON: %w", err)
	}
	return append(b, '\n'), nil
}

func asCSV(days []pow.HistoryDay) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"day", "project", "customer", "total_seconds", "booked_seconds", "verified_seconds",
		"on_the_way_seconds", "unregistered_seconds", "kept_seconds", "by_hand_seconds", "difference_seconds"}}
	for _, d := range days {
		row := []string{d.Day.Local().Format("2006-01-02"), harmless(d.Project.Name), harmless(d.Project.Group)}
		for _, n := range []int64{d.Total, d.Booked, d.Verified, d.OnTheWay, d.Unregistered, d.Kept, d.ByHand, d.Difference} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write the week as CSV: %w", err)
	}
	return b.Bytes(), nil
}

// harmless keeps a name that others chose from being a formula in a spreadsheet.
func harmless(s string) string {
	if strings.IndexAny(s, "=+-@\t\r") == 0 {
		return "'" + s
	}
	return s
}
