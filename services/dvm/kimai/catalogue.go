package kimai

import (
	"context"
	"fmt"
	"net/url"

	"pow.do/services/pow"
)

// entry is a project or an activity in a list.
type entry struct {
	ID          number
	Name        string
	ParentTitle string  // the customer of a project
	Project     *number // of an activity; nil: global
	Color       string  // empty: none was chosen
	Global      *bool   `json:"globalActivities"`
}

// Project is a visible project that time can be booked on.
type Project struct {
	ID         int64
	Name       string // cleaned
	Customer   string // cleaned
	Color      string // #rrggbb, or empty
	Activities []Activity
}

// Activity is a visible kind of work.
type Activity struct {
	ID   int64
	Name string // cleaned
}

// Catalogue lists what can be booked, in Kimai's order: every visible project
// with its own activities and the global ones where it takes them.
func (c *Client) Catalogue(ctx context.Context) ([]Project, error) {
	var rows []entry
	if _, err := c.do(ctx, request{path: "projects", query: url.Values{"visible": {"1"}}}, &rows); err != nil {
		return nil, fmt.Errorf("kimai: list projects: %w", err)
	}
	out := make([]Project, 0, len(rows))
	for _, p := range rows {
		work, err := c.activities(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("kimai: list activities: %w", err)
		}
		out = append(out, Project{
			ID: int64(p.ID), Name: pow.Clean(p.Name), Customer: pow.Clean(p.ParentTitle), Color: color(p.Color), Activities: work,
		})
	}
	return out, nil
}

func (c *Client) activities(ctx context.Context, p entry) ([]Activity, error) {
	var rows []entry
	q := url.Values{"project": {number64(int64(p.ID))}, "visible": {"1"}}
	if _, err := c.do(ctx, request{path: "activities", query: q}, &rows); err != nil {
		return nil, err
	}
	var out []Activity
	for _, a := range rows {
		if a.Project == nil && p.Global != nil && !*p.Global || a.Project != nil && *a.Project != p.ID {
			continue
		}
		out = append(out, Activity{ID: int64(a.ID), Name: pow.Clean(a.Name)})
	}
	return out, nil
}

// color drops what is not #rrggbb.
func color(v string) string {
	if len(v) != 7 || v[0] != '#' {
		return ""
	}
	for _, r := range v[1:] {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') {
			return ""
		}
	}
	return v
}
