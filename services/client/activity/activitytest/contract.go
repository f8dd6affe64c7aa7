package activitytest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/activity"
	"pow.do/services/pow"
)

// Target is a server that Contract may write to: the double, or a throw-away
// ActivityWatch. Never one that somebody uses.
type Target struct {
	URL string // loopback
	Key string // "" when it demands none
}

// Contract checks what the client relies on, through the client itself and, to
// prepare data and to provoke refusals, by raw HTTP. It makes buckets named
// powdo-test-… for a computer of an invented name, with events in the years 2015
// to 2019, and deletes them at the end.
func Contract(t *testing.T, target Target) {
	b := make([]byte, 2)
	_, _ = rand.Read(b)
	days := int(b[0])<<8 | int(b[1])
	c := &contract{
		target: target,
		prefix: "powdo-test-" + strings.ToLower(rand.Text()[:10]),
		begin:  time.Date(2015, 1, 5, 10, 0, 0, 0, time.UTC).AddDate(0, 0, 7*(days%250)),
	}
	for _, kind := range []string{"currentwindow", "afkstatus", "web.tab.current"} {
		c.create(t, kind)
	}
	t.Run("guards", c.guards)
	t.Run("day", c.day)
	t.Run("borders", c.borders)
	t.Run("long", c.long)
	t.Run("missing", c.missing)
	t.Run("order", c.order)
}

type contract struct {
	target Target
	prefix string
	begin  time.Time
}

func (c *contract) id(kind string) string { return c.prefix + "_" + kind }

func (c *contract) client(buckets ...string) *activity.Client {
	return activity.New(activity.Config{
		URL: c.target.URL, Key: c.target.Key, KeyFiles: []string{}, Hostname: c.prefix, Buckets: buckets,
	})
}

// call sends one request and returns status and body.
func (c *contract) call(t *testing.T, method, path, host string, body any) (int, []byte) {
	t.Helper()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.target.URL+path, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Content-Type", "application/json")
	if c.target.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.target.Key)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func (c *contract) create(t *testing.T, kind string) {
	t.Helper()
	path := "/api/0/buckets/" + c.id(kind)
	status, _ := c.call(t, http.MethodPost, path, "", map[string]string{
		"client": "powdo-test", "type": kind, "hostname": c.prefix,
	})
	if status != http.StatusOK {
		t.Fatalf("create a bucket: %d", status)
	}
	t.Cleanup(func() {
		req, err := http.NewRequest(http.MethodDelete, c.target.URL+path+"?force=1", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if c.target.Key != "" {
			req.Header.Set("Authorization", "Bearer "+c.target.Key)
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}).Do(req)
		if err != nil {
			t.Errorf("bucket %s is left over: %v", c.id(kind), err)
			return
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("bucket %s is left over: %d", c.id(kind), resp.StatusCode)
		}
	})
}

// put inserts an event that begins so many seconds after from.
func (c *contract) put(t *testing.T, kind string, from time.Time, at, length float64, data map[string]any) {
	t.Helper()
	begin := from.Add(time.Duration(at * float64(time.Second)))
	status, _ := c.call(t, http.MethodPost, "/api/0/buckets/"+c.id(kind)+"/events", "", []map[string]any{{
		"timestamp": begin.Format(time.RFC3339Nano), "duration": length, "data": data,
	}})
	if status != http.StatusOK {
		t.Fatalf("insert an event: %d", status)
	}
}

func (c *contract) guards(t *testing.T) {
	if err := c.client().Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	if status, _ := c.call(t, http.MethodGet, "/api/0/buckets/", "evil.example:5600", nil); status != http.StatusBadRequest {
		t.Errorf("a foreign Host header: %d", status)
	}
	if status, _ := c.call(t, http.MethodGet, "/api/0/buckets/"+c.prefix+"_none/events", "", nil); status != http.StatusNotFound {
		t.Errorf("an unknown bucket: %d", status)
	}
	if c.target.Key == "" {
		return
	}
	keyless := activity.New(activity.Config{URL: c.target.URL, KeyFiles: []string{}})
	if got := keyless.State(t.Context()); got != activity.StateLocked {
		t.Errorf("state without a key: %q", got)
	}
}

// Day puts the five minutes of the recordings there and reads them as a whole
// and in two parts.
func (c *contract) day(t *testing.T) {
	Morning(func(kind string, at, length float64, data map[string]any) {
		c.put(t, kind, c.begin, at, length, data)
	})
	client := c.client() // finds the buckets by the name of this computer
	whole := client.Read(t.Context(), pow.Interval{From: c.begin, To: c.begin.Add(5 * time.Minute)}, pow.DetailTitle)
	CheckMorning(t, whole)
	for _, cut := range []time.Duration{time.Millisecond, 11 * time.Second, 42_499 * time.Millisecond, 121 * time.Second} {
		mid := c.begin.Add(cut)
		a := client.Read(t.Context(), pow.Interval{From: c.begin, To: mid}, pow.DetailApp)
		b := client.Read(t.Context(), pow.Interval{From: mid, To: c.begin.Add(5 * time.Minute)}, pow.DetailApp)
		if a.Active+b.Active != whole.Active || a.Away+b.Away != whole.Away || a.Unknown+b.Unknown != whole.Unknown {
			t.Errorf("split at %v: %v and %v", cut, a, b)
		}
	}
}

// Borders: events that touch, overlap, have no length or fractions of a second.
func (c *contract) borders(t *testing.T) {
	from := c.begin.Add(time.Hour)
	c.put(t, "afkstatus", from, 0, 600, map[string]any{"status": "not-afk"})
	for _, e := range []struct {
		at, length float64
		app        string
	}{{0, 10, "a"}, {10, 10, "b"}, {20, 0, "c"}, {30.123, 5.432, "d"}, {100, 60, "o1"}, {130, 60, "o2"}} {
		c.put(t, "currentwindow", from, e.at, e.length, map[string]any{"app": e.app, "title": "ü — 日本"})
	}
	got := Apps(c.client(c.id("currentwindow"), c.id("afkstatus")).
		Read(t.Context(), pow.Interval{From: from.Add(5 * time.Second), To: from.Add(200 * time.Second)}, pow.DetailApp))
	want := map[string]time.Duration{
		"a": 5 * time.Second, "b": 10 * time.Second, "d": 5432 * time.Millisecond,
		"o1": 30 * time.Second, "o2": 60 * time.Second, activity.Unknown: 84_568 * time.Millisecond,
	}
	for app, d := range want {
		if got[app] != d {
			t.Errorf("%s: %v, want %v", app, got[app], d)
		}
	}
}

// Long: an event of two days is found on its first; later it may be missing, and
// then the time is unknown.
func (c *contract) long(t *testing.T) {
	from := c.begin.AddDate(0, 0, 2)
	c.put(t, "afkstatus", from, 0, 172_800, map[string]any{"status": "not-afk"})
	for _, hours := range []int{12, 30} {
		begin := from.Add(time.Duration(hours) * time.Hour)
		a := c.client(c.id("afkstatus")).Read(t.Context(), pow.Interval{From: begin, To: begin.Add(time.Hour)}, pow.DetailApp)
		if hours == 12 && a.Active != time.Hour || a.Active+a.Unknown != time.Hour || a.Away != 0 {
			t.Errorf("%d h in: active %v, unknown %v", hours, a.Active, a.Unknown)
		}
	}
}

func (c *contract) missing(t *testing.T) {
	a := c.client(c.prefix+"_none").Read(t.Context(), pow.Interval{From: c.begin, To: c.begin.Add(time.Minute)}, pow.DetailApp)
	if a.Cause != activity.CauseNoBucket || a.Unknown != time.Minute {
		t.Errorf("%+v", a)
	}
}

// Order: a limit keeps the newest rows.
func (c *contract) order(t *testing.T) {
	query := url.Values{
		"start": {c.begin.Format(time.RFC3339)}, "end": {c.begin.Add(5 * time.Minute).Format(time.RFC3339)}, "limit": {"2"},
	}
	_, body := c.call(t, http.MethodGet, "/api/0/buckets/"+c.id("currentwindow")+"/events?"+query.Encode(), "", nil)
	var rows []struct{ Timestamp time.Time }
	if err := json.Unmarshal(body, &rows); err != nil || len(rows) != 2 || !rows[0].Timestamp.After(rows[1].Timestamp) ||
		rows[0].Timestamp.Sub(c.begin) != 130*time.Second {
		t.Errorf("%v: %s", err, body)
	}
}
