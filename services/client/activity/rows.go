package activity

import (
	"math"
	"slices"
	"time"

	"pow.do/services/pow"
)

// Words that stand in a row for what is not known or not told.
const (
	Unknown = "unknown"
	Private = "private"
)

// staleAfter is how far before the end of an interval a living watcher's newest
// event can lie, in ms.
const staleAfter = 300_000

// fill turns what was recorded into sums, rows and, where something is missing,
// a cause. It returns the rows that a rule left out.
func (c *Client) fill(a *pow.Activity, s span, r record, detail pow.Detail, rules Rules) (left []pow.ActivityRow) {
	afk := timeline(slices.Clone(r.afk), s)
	active := having(afk, func(f facts) bool { return f.status == "not-afk" })
	away := having(afk, func(f facts) bool { return f.status == "afk" })
	rows := timeline(hidePrivate(r.windows, r.web), s)
	if !r.noAFK {
		rows = cover(within(rows, active), active, facts{app: Unknown})
	}
	rest := s.length() - total(active) - total(away)
	if rest < 0 || !r.noAFK && total(rows) != total(active) {
		a.Cause = CauseInconsistent
		return nil
	}
	a.Active, a.Away, a.Unknown = ms(total(active)), ms(total(away)), ms(rest)
	out := having(rows, rules.app)
	rows = having(rows, func(f facts) bool { return !rules.app(f) })
	a.Rows, left = c.windowRows(rows, detail, rules), c.windowRows(out, detail, rules)
	if detail == pow.DetailTitle {
		a.Rows = append(a.Rows, c.webRowsOf(r.web, s, rows, rules)...)
	}
	switch {
	case !r.hasWindow:
		a.Cause = CauseNoBucket
	case r.noAFK:
		a.Cause = CauseNoAFK
	case stale(s, r, active):
		a.Cause = CauseStale
	}
	return left
}

// webRowsOf returns the rows of tabs while a browser had the focus, without
// titles while it was one whose titles do not leave.
func (c *Client) webRowsOf(web []event, s span, windows []piece, rules Rules) []pow.ActivityRow {
	browser := func(f facts) bool { return isBrowser(f.app) && !c.excluded(f) }
	tabs := timeline(slices.Clone(web), s)
	rows := c.webRows(within(tabs, having(windows, func(f facts) bool { return browser(f) && !rules.title(f) })))
	bare := c.webRows(within(tabs, having(windows, func(f facts) bool { return browser(f) && rules.title(f) })))
	for _, row := range bare {
		row.Title = ""
		if row.Host != "" || row.App != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// hidePrivate returns the window events, without the title of a browser's where
// a private tab was reported at the same time, give or take a hole.
func hidePrivate(windows, web []event) []event {
	out := slices.Clone(windows)
	for _, w := range web {
		if !w.incognito {
			continue
		}
		for i := range out {
			if e := &out[i]; e.begin <= w.end+hole && w.begin <= e.end+hole && isBrowser(e.app) {
				e.title = ""
			}
		}
	}
	return out
}

// stale tells whether one watcher went silent long before the end of s although
// the other shows that the computer was used. Silence that began before what was
// asked for cannot be told from a machine that was not used.
func stale(s span, r record, active []piece) bool {
	limit := s.end - staleAfter
	if limit <= r.asked.begin {
		return false
	}
	window, afk := newestEnd(r.windows), newestEnd(r.afk)
	if afk < limit {
		return window >= limit
	}
	return window < limit && total(within(active, []piece{{span: span{limit, s.end}}})) > 0
}

func newestEnd(events []event) int64 {
	end := int64(math.MinInt64)
	for _, e := range events {
		end = max(end, e.end)
	}
	return end
}

// windowRows reduces pieces to what the level of detail allows.
func (c *Client) windowRows(pieces []piece, detail pow.Detail, rules Rules) []pow.ActivityRow {
	var rows []pow.ActivityRow
	for _, p := range pieces {
		row := pow.ActivityRow{Kind: "window"}
		app, title := clean(p.app, maxApp), clean(p.title, maxTitle)
		if app == "" || app == Unknown {
			app, title = Unknown, ""
		}
		if rules.title(p.facts) {
			title = ""
		}
		if c.excluded(p.facts) {
			app, title = Private, ""
		}
		switch detail {
		case pow.DetailCategory:
			row.Category = c.category(app, title)
		case pow.DetailApp:
			row.App = app
		case pow.DetailTitle:
			row.App, row.Title = app, title
		}
		rows = add(rows, row, p.span)
	}
	return rows
}

// webRows reduces the pieces of browser tabs to host and title. Private tabs
// are left out.
func (c *Client) webRows(pieces []piece) []pow.ActivityRow {
	var rows []pow.ActivityRow
	for _, p := range pieces {
		row := pow.ActivityRow{Kind: "web", Host: host(p.url), Title: clean(p.title, maxTitle)}
		if c.excluded(p.facts) {
			row = pow.ActivityRow{Kind: "web", App: Private}
		}
		if !p.incognito && (row.Host != "" || row.Title != "" || row.App != "") {
			rows = add(rows, row, p.span)
		}
	}
	return rows
}

// add appends row with its times, or makes the last row longer when it says the same.
func add(rows []pow.ActivityRow, row pow.ActivityRow, s span) []pow.ActivityRow {
	row.From, row.To = time.UnixMilli(s.begin).UTC(), time.UnixMilli(s.end).UTC()
	if n := len(rows); n > 0 && rows[n-1].To.Equal(row.From) {
		same := rows[n-1]
		same.From, same.To = row.From, row.To
		if same == row {
			rows[n-1].To = row.To
			return rows
		}
	}
	return append(rows, row)
}

// excluded tells whether one of the person's patterns matches. Characters that
// cannot be seen do not hide a match.
func (c *Client) excluded(f facts) bool {
	for _, p := range c.cfg.Exclude {
		if p.MatchString(visible(f.app)) || p.MatchString(visible(f.title)) || p.MatchString(visible(f.url)) {
			return true
		}
	}
	return false
}
