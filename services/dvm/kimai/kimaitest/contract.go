package kimaitest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"pow.do/services/dvm/kimai"
	"pow.do/services/pow"
)

// Target is a Kimai that the contract is tried on: the double, or a throw-away
// installation with at least one other enabled user, a visible project and a
// visible activity.
type Target struct {
	URL, Token string
	HTTP       *http.Client
}

// Contract is what the adapter relies on. It runs against the double and against
// a real Kimai alike: it discovers users and projects, assumes no setting, takes
// rounding as it comes, and writes only records of one random week of 2015–2019
// with markers of this run. They stay there; their numbers are printed.
func Contract(t *testing.T, target Target) {
	c := newContract(t, target)
	t.Cleanup(func() { t.Logf("records left over: %v", c.left) })
	t.Run("check", c.check)
	t.Run("create, extend, shorten", c.grows)
	t.Run("answer lost", c.answerLost)
	t.Run("request lost", c.requestLost)
	t.Run("forbidden overlap", c.backToBack)
	t.Run("the form names its fields", c.form)
	t.Run("lists", c.lists)
	t.Run("addresses", c.addresses)
}

type contract struct {
	target   Target
	client   *kimai.Client
	wire     *flaky
	ahead    atomic.Int64 // how far the adapter's clock is ahead of time
	week     time.Time
	run      string
	sheet    pow.Timesheet
	mapping  kimai.Mapping
	overlaps bool
	left     []int64
}

// flaky loses answers, or requests.
type flaky struct {
	next http.RoundTripper
	lose atomic.Value // "answer" or "request": of the next POST
}

var errLost = errors.New("lost on the way")

// RoundTrip implements http.RoundTripper.
func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	what := ""
	if r.Method == http.MethodPost {
		what, _ = f.lose.Swap("").(string)
	}
	if what == "request" {
		return nil, errLost
	}
	resp, err := f.next.RoundTrip(r)
	if what == "answer" && err == nil {
		_ = resp.Body.Close()
		return nil, errLost
	}
	return resp, err
}

func newContract(t *testing.T, target Target) *contract {
	t.Helper()
	next := target.HTTP.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	c := &contract{target: target, wire: &flaky{next: next}}
	day := time.Date(2015, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*mathrand.IntN(250))
	b := make([]byte, 6)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	c.week, c.run = day, hex.EncodeToString(b)
	c.restart(t)
	c.discover(t)
	return c
}

func (c *contract) restart(t *testing.T) {
	t.Helper()
	client, err := kimai.New(kimai.Config{
		URL: c.target.URL, Token: func() string { return c.target.Token }, HTTP: &http.Client{Transport: c.wire}, AllowPlain: true,
		Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.client = client
	c.ahead.Add(int64(6 * time.Second))
}

// discover finds a member, a project and an activity.
func (c *contract) discover(t *testing.T) {
	t.Helper()
	var me struct{ ID int64 }
	var users []struct {
		ID      int64
		Enabled bool
	}
	var cfg struct{ IsAllowOverlapping bool }
	c.get(t, "users/me", nil, &me)
	c.get(t, "users", nil, &users)
	c.get(t, "config/timesheet", nil, &cfg)
	c.overlaps = cfg.IsAllowOverlapping
	for _, u := range users {
		if u.Enabled && u.ID != me.ID && c.sheet.KimaiUser == 0 {
			c.sheet.KimaiUser = u.ID
		}
	}
	projects, err := c.client.Catalogue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		if len(p.Activities) > 0 && c.sheet.KimaiProject == 0 {
			c.sheet.KimaiProject, c.sheet.KimaiActivity = p.ID, p.Activities[0].ID
		}
	}
	if c.sheet.KimaiUser == 0 || c.sheet.KimaiProject == 0 {
		t.Fatal("no other enabled user, or no project with an activity")
	}
	c.mapping = kimai.Mapping{Users: []int64{c.sheet.KimaiUser}, Projects: []kimai.MappedProject{
		{Project: c.sheet.KimaiProject, Activities: []int64{c.sheet.KimaiActivity}},
	}}
}

// ask makes a raw request and returns status and body.
func (c *contract) ask(t *testing.T, method, path string, body io.Reader) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, c.target.URL+"/api/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.target.Token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.wire.next.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

func (c *contract) get(t *testing.T, path string, q url.Values, v any) {
	t.Helper()
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	status, b := c.ask(t, http.MethodGet, path, nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d", path, status)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

type row struct {
	ID, User    int64
	Begin, End  string
	Description string
}

// found searches a marker raw.
func (c *contract) found(t *testing.T, term string) (rows []row) {
	t.Helper()
	c.get(t, "timesheets", url.Values{"user": {fmt.Sprint(c.sheet.KimaiUser)}, "term": {term}, "orderBy": {"id"}, "order": {"ASC"}}, &rows)
	return rows
}

// span wants minutes of the given day of the week from 09:00 on.
func (c *contract) span(day int, from, to time.Duration) pow.Timesheet {
	s, nine := c.sheet, c.week.AddDate(0, 0, day).Add(9*time.Hour)
	s.Session, s.Run = pow.SessionID(c.run), day*10
	s.Marker = pow.Marker(pow.Key{}, s.Session, s.Run)
	s.Want = pow.Interval{From: nine.Add(from), To: nine.Add(to)}
	s.Note = "contract " + c.run
	return s
}

// book books from a state and returns the last one that was saved.
func (c *contract) book(s pow.Timesheet) (saved pow.TimesheetRecord, err error) {
	saved = s.Last
	_, err = c.client.Book(context.Background(), s, func(r pow.TimesheetRecord) error {
		saved = r
		return nil
	})
	return saved, err
}

func (c *contract) booked(t *testing.T, s pow.Timesheet) pow.TimesheetRecord {
	t.Helper()
	r, err := c.book(s)
	if err != nil || r.State != pow.TimesheetBooked || r.DayFix != 0 {
		t.Fatalf("not booked: %+v, %v", r, err)
	}
	if s.Last.ID == 0 {
		c.left = append(c.left, r.ID)
	}
	return r
}
