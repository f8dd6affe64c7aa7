package client

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/activity/activitytest"
	"pow.do/services/pow"
)

// watched is an hour of work, with ActivityWatch beside it: an editor, a browser
// from minute 20 to 40, the editor again.
func watched(t *testing.T) (a *Agent, from time.Time) {
	t.Helper()
	a = alone(t)
	agreeAll(t, a)
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: optional, Detail: pow.DetailTitle}))
	_, from, _ = hour(t, a, optional)
	host, err := os.Hostname()
	must(t, err)
	s := activitytest.Start(t, activitytest.Config{Hostname: host})
	for _, kind := range []string{"currentwindow", "afkstatus"} {
		s.AddBucket(kind+"_"+host, kind, host)
	}
	put := func(kind string, at, length int, data map[string]any) {
		s.Insert(kind+"_"+host, activitytest.Event{At: from.Add(time.Duration(at) * time.Minute), Duration: time.Duration(length) * time.Minute, Data: data})
	}
	put("afkstatus", 0, 60, map[string]any{"status": "not-afk"})
	put("currentwindow", 0, 20, map[string]any{"app": "code", "title": "main.go"})
	put("currentwindow", 20, 20, map[string]any{"app": "firefox", "title": "bank"})
	put("currentwindow", 40, 20, map[string]any{"app": "code", "title": "main.go"})
	set := pow.DefaultSettings()
	set.ActivityURL = s.URL
	must(t, a.SetSettings(t.Context(), set))
	return a, from
}

// leaving is what AppTimes says will leave, without its ids.
func leaving(t *testing.T, a *Agent) (rows []pow.ActivityRow) {
	t.Helper()
	times, err := a.AppTimes(t.Context(), workday())
	must(t, err)
	for _, x := range times {
		if !x.LeftOut {
			rows = append(rows, x.ActivityRow)
		}
	}
	return rows
}

// sealedRows is what the proofs of the next Register say, joined where a proof ends.
func sealedRows(t *testing.T, a *Agent) (rows []pow.ActivityRow) {
	t.Helper()
	ids, err := a.Register(t.Context())
	must(t, err)
	for _, id := range ids {
		p, err := a.queue.ProofOf(id)
		must(t, err)
		for _, r := range p.Activity.Rows {
			if n := len(rows) - 1; n >= 0 && rows[n].To.Equal(r.From) && says(rows[n]) == says(r) {
				rows[n].To = r.To
				continue
			}
			rows = append(rows, r)
		}
	}
	return rows
}

func idOf(t *testing.T, a *Agent, app string) (ids []string) {
	t.Helper()
	times, err := a.AppTimes(t.Context(), workday())
	must(t, err)
	for _, x := range times {
		if x.App == app {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// A row that was left out stays out when its proof is cut in the middle of it.
func TestRowsAreLeftOut(t *testing.T) {
	a, from := watched(t)
	must(t, a.changeTeam(func(x *team) error { x.Announcement.Limits.Proof = 30 * time.Minute; return nil }))
	if rows := leaving(t, a); len(rows) != 3 || rows[1].Title != "bank" {
		t.Fatalf("%+v", rows)
	}
	browser := idOf(t, a, "firefox")
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{IDs: browser}))
	if again := idOf(t, a, "firefox"); !slices.Equal(again, browser) {
		t.Errorf("the row has another id now: %v, %v", again, browser)
	}
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{IDs: browser, Back: true}))
	if rows := leaving(t, a); len(rows) != 3 {
		t.Errorf("it did not come back: %+v", rows)
	}
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{IDs: browser}))
	if err := a.LeaveOut(t.Context(), pow.LeaveOut{IDs: []string{"nothing"}}); !errors.Is(err, pow.ErrNotFound) {
		t.Error(err)
	}
	v, err := a.Preview(t.Context())
	must(t, err)
	shown := leaving(t, a)
	sent := sealedRows(t, a)
	if d := cmp.Diff(shown, sent); d != "" || len(sent) != 2 || v.Rows != 2 {
		t.Errorf("%d rows previewed, %d sent: %s", v.Rows, len(sent), d)
	}
	for _, r := range sent {
		if r.App == "firefox" || (pow.Interval{From: r.From, To: r.To}).Intersect(minutes(from, 20, 40)).Valid() {
			t.Errorf("sent: %+v", r)
		}
	}
}

// What was left out as a row stays out at another level of detail, where the row
// says something else.
func TestRowsStayOutAtAnotherLevel(t *testing.T) {
	a, from := watched(t)
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{IDs: idOf(t, a, "firefox")}))
	must(t, a.Choose(t.Context(), pow.ProjectChoice{Project: optional, Detail: pow.DetailCategory}))
	shown := leaving(t, a)
	for _, r := range shown {
		if (pow.Interval{From: r.From, To: r.To}).Intersect(minutes(from, 20, 40)).Valid() {
			t.Errorf("%s is told of time that was left out: %+v", r.Category, r)
		}
	}
	if d := cmp.Diff(shown, sealedRows(t, a)); d != "" || len(shown) == 0 {
		t.Error(d)
	}
}

func TestAppsAndTitlesAreLeftOutForGood(t *testing.T) {
	a, _ := watched(t)
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{App: "Firefox"}))
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{App: "code", Titles: true}))
	times, err := a.AppTimes(t.Context(), workday())
	must(t, err)
	if len(times) != 3 || !times[1].LeftOut || times[1].Rule != "firefox" || times[0].LeftOut || times[0].Title != "" || times[0].App != "code" {
		t.Errorf("%+v", times)
	}
	must(t, a.LeaveOut(t.Context(), pow.LeaveOut{App: "code", Titles: true, Back: true}))
	rows := sealedRows(t, a)
	if len(rows) != 2 || rows[0].Title != "main.go" || rows[1].App != "code" {
		t.Errorf("%+v", rows)
	}
}
