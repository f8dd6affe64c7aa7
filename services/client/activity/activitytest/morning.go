package activitytest

import (
	"testing"
	"time"

	"pow.do/services/pow"
)

// Morning hands put the events of the recordings' first five minutes, which
// begin at 2026-11-20T10:00:00Z: type of the bucket, begin and length in seconds
// after it, data.
func Morning(put func(kind string, at, length float64, data map[string]any)) {
	window := func(at, length float64, app, title string) {
		put("currentwindow", at, length, map[string]any{"app": app, "title": title})
	}
	window(0, 2, "code", "main.go - powdo")
	window(3, 0, "firefox", "pow.do issues - Mozilla Firefox")
	window(10, 1, "firefox", "pow.do issues - Mozilla Firefox")
	put("currentwindow", 12, 0, map[string]any{})
	window(12, 30.5, "org.gnome.Terminal", "go test ./... — powdo")
	window(42.5, 80, "code", "main.go - powdo")
	window(130, 30, "code", "secret")
	put("afkstatus", 0, 120, map[string]any{"status": "not-afk"})
	put("afkstatus", 121, 60, map[string]any{"status": "afk"})
	put("web.tab.current", 3, 8, map[string]any{
		"url": "https://pow.do/issues", "title": "pow.do issues", "audible": false, "incognito": false, "tabCount": 3,
	})
}

// CheckMorning holds what was read of these five minutes, at the level of titles,
// against the sums that ActivityWatch itself computes from them.
func CheckMorning(t testing.TB, a pow.Activity) {
	t.Helper()
	if a.Cause != "" || a.Active != 121*time.Second || a.Away != 60*time.Second || a.Unknown != 119*time.Second {
		t.Errorf("cause %q, active %v, away %v, unknown %v", a.Cause, a.Active, a.Away, a.Unknown)
	}
	apps := Apps(a)
	for app, want := range map[string]time.Duration{
		"code": 81_500 * time.Millisecond, "org.gnome.Terminal": 30_500 * time.Millisecond,
		"firefox": 2 * time.Second, "unknown": 7 * time.Second,
	} {
		if apps[app] != want {
			t.Errorf("%s: %v, want %v", app, apps[app], want)
		}
	}
	var web time.Duration
	for _, r := range a.Rows {
		if r.Kind == "web" {
			web += r.To.Sub(r.From)
			if r.Host != "pow.do" || r.Title != "pow.do issues" {
				t.Errorf("web row %+v", r)
			}
		}
	}
	if web != time.Second {
		t.Errorf("web rows of %v", web)
	}
}

// Apps adds up the window rows by app.
func Apps(a pow.Activity) map[string]time.Duration {
	sums := map[string]time.Duration{}
	for _, r := range a.Rows {
		if r.Kind == "window" {
			sums[r.App] += r.To.Sub(r.From)
		}
	}
	return sums
}
