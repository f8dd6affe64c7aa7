package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"hours": hours, "booking": booking}).Parse(pageText))

// html writes one page that needs nothing else: no script, no font and no
// picture from anywhere.
func (r Report) html(w io.Writer) error {
	err := page.Execute(w, map[string]any{"R": r, "Period": r.period(), "Clock": r.clock})
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
