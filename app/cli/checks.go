package cli

import (
	"fmt"
	"text/tabwriter"

	"pow.do/services/pow"
)

// Table prints rows of columns that are separated by tabs.
func Table(s Streams, rows func(w *tabwriter.Writer)) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	rows(w)
	return w.Flush()
}

// PrintChecks prints doctor's lines; a failed check makes the command fail.
func PrintChecks(s Streams, asJSON bool, checks []pow.Check) error {
	failed := 0
	for _, c := range checks {
		if c.State == "failed" {
			failed++
		}
	}
	var err error
	if asJSON {
		err = JSON(s.Out, append([]pow.Check{}, checks...))
	} else {
		err = Table(s, func(w *tabwriter.Writer) {
			for _, c := range checks {
				line := Clean(c.Detail)
				if c.Mend != "" {
					line += " → " + Clean(c.Mend)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.State, c.Name, line)
			}
		})
	}
	if err == nil && failed > 0 {
		err = &pow.Error{Code: "doctor", What: fmt.Sprintf("%d of %d checks failed", failed, len(checks))}
	}
	return err
}
