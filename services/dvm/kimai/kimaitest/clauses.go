package kimaitest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
)

func (c *contract) check(t *testing.T) {
	for _, k := range c.client.Check(context.Background(), c.mapping) {
		if k.State == "failed" {
			t.Errorf("%s: %s (%s)", k.Name, k.Detail, k.Mend)
		}
	}
}

func (c *contract) grows(t *testing.T) {
	s := c.span(0, 0, 10*time.Minute)
	s.Last = c.booked(t, s)
	id := s.Last.ID
	for _, want := range [][2]time.Duration{{0, 20 * time.Minute}, {-30 * time.Minute, 20 * time.Minute}, {0, 40 * time.Minute}, {0, 30 * time.Minute}} {
		n := c.span(0, want[0], want[1])
		n.Last = s.Last
		s.Last = c.booked(t, n)
		if s.Last.ID != id || !near(s.Last.Got, n.Want) {
			t.Errorf("asked for %v, got %+v", n.Want, s.Last)
		}
	}
	again := c.span(0, 0, 30*time.Minute)
	again.Last = s.Last
	if r := c.booked(t, again); r != s.Last {
		t.Errorf("nothing to do, but %+v became %+v", s.Last, r)
	}
	c.mapping.Controls = []pow.TimesheetControl{{ID: id, KimaiUser: s.KimaiUser, Marker: s.Marker}}
}

func near(a, b pow.Interval) bool {
	const rounding = 15*time.Minute - time.Second
	return a.From.Sub(b.From).Abs() <= rounding && a.To.Sub(b.To).Abs() <= rounding
}

func (c *contract) answerLost(t *testing.T) { c.lost(t, c.span(1, 0, 10*time.Minute), "answer") }

func (c *contract) requestLost(t *testing.T) { c.lost(t, c.span(2, 0, 10*time.Minute), "request") }

// lost leaves one record, whatever was lost.
func (c *contract) lost(t *testing.T, s pow.Timesheet, what string) {
	s.Controls = c.mapping.Controls
	c.wire.lose.Store(what)
	r, err := c.book(s)
	if err == nil || r.State != pow.TimesheetIntended {
		t.Fatalf("%s lost: %+v, %v", what, r, err)
	}
	s.Last = r
	c.restart(t)
	c.booked(t, s)
	if rows := c.found(t, s.Marker); len(rows) != 1 {
		t.Errorf("%d records", len(rows))
	}
}

func (c *contract) backToBack(t *testing.T) {
	if c.overlaps {
		t.Skip("this server allows overlaps")
	}
	c.booked(t, c.span(3, 10*time.Second, 30*time.Minute+20*time.Second))
	s := c.span(3, 30*time.Minute+40*time.Second, 80*time.Minute)
	s.Run++
	s.Marker = pow.Marker(pow.Key{}, s.Session, s.Run)
	c.booked(t, s)
}

// form shows that a refusal names the fields that the caller may send, and that
// this account may not touch what belongs to people.
func (c *contract) form(t *testing.T) {
	for field, value := range map[string]string{"exported": "false", "billable": "true", "powdo": "1"} {
		status, b := c.ask(t, http.MethodPost, "timesheets", strings.NewReader(fmt.Sprintf(
			`{"project":%d,"activity":%d,"user":%d,"begin":"%s","end":"%s",%q:%s}`, c.sheet.KimaiProject, c.sheet.KimaiActivity, c.sheet.KimaiUser,
			c.week.Format("2006-01-02T15:04:05Z"), c.week.Add(time.Hour).Format("2006-01-02T15:04:05Z"), field, value)))
		var f struct {
			Errors struct{ Children map[string]json.RawMessage }
		}
		if err := json.Unmarshal(b, &f); err != nil || status != http.StatusBadRequest {
			t.Errorf("%s: %d, %v", field, status, err)
			continue
		}
		for _, name := range []string{"user", "project", "activity", "begin", "end", "description"} {
			if _, ok := f.Errors.Children[name]; !ok {
				t.Errorf("%s is not among the fields", name)
			}
		}
		if _, ok := f.Errors.Children[field]; ok {
			t.Errorf("%s may be sent", field)
		}
	}
}

func (c *contract) lists(t *testing.T) {
	s := c.span(0, 0, time.Minute)
	for term, want := range map[string]int{
		s.Marker: 1, s.Marker[:14]: 1, strings.ToUpper(s.Marker): 1, "powdo-" + strings.Repeat("f", 16) + "0": 0,
	} {
		if got := c.found(t, term); len(got) != want {
			t.Errorf("%s: %d records, want %d", term, len(got), want)
		}
	}
	var rows []row
	c.get(t, "timesheets", url.Values{"user": {"999999999"}, "size": {"5"}}, &rows)
	for _, r := range rows {
		if r.User == c.sheet.KimaiUser {
			t.Error("a user that does not exist has the member's records")
		}
	}
	for _, bad := range []string{"2026-11-18", "2026-11-18T09:00:00Z"} {
		if status, _ := c.ask(t, http.MethodGet, "timesheets?begin="+bad, nil); status != http.StatusBadRequest {
			t.Errorf("begin=%s: %d", bad, status)
		}
	}
	if status, _ := c.ask(t, http.MethodGet, "timesheets?page=9999", nil); status != http.StatusNotFound {
		t.Errorf("page behind the end: %d", status)
	}
}

func (c *contract) addresses(t *testing.T) {
	for path, want := range map[string]int{
		"version": http.StatusOK, "nothing": http.StatusNotFound, "timesheets/999999999": http.StatusNotFound,
		"timesheets/": http.StatusMovedPermanently,
	} {
		if status, _ := c.ask(t, http.MethodGet, path, nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
