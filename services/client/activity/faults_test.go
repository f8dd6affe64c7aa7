package activity_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/activity"
	"pow.do/services/client/activity/activitytest"
	"pow.do/services/pow"
)

// broken answers like the server behind it, but for the paths that end in path:
// those get the first so many answers of its own.
type broken struct {
	http.Handler
	path   string
	times  int // −1: always
	answer http.HandlerFunc
}

func (b *broken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, b.path) && b.times != 0 {
		b.times--
		b.answer(w, r)
		return
	}
	b.Handler.ServeHTTP(w, r)
}

func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func redirects(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

// Each row of the contract's table of errors, and whatever else can come back:
// the interval always has its sums, and the cause says why there is no more.
func TestFaults(t *testing.T) {
	const json, info, buckets, events = "application/json", "/info", "/buckets/", "currentwindow_laptop/events"
	second := []time.Duration{time.Second, time.Second, time.Second}
	for _, c := range []struct {
		name   string
		path   string
		times  int
		answer http.HandlerFunc
		cause  string
		pauses []time.Duration
	}{
		{"404 of info: another program", info, -1, says(404, "text/html", "no"), "unavailable", nil},
		{"HTML", info, -1, says(200, "text/html", "<html>"), "unavailable", nil},
		{"another JSON", info, -1, says(200, json, `{"name":"x"}`), "unavailable", nil},
		{"null", info, -1, says(200, json, "null"), "unavailable", nil},
		{"wrong content type", events, -1, says(200, "text/plain", "[]"), "unavailable", nil},
		{"304", info, -1, says(304, json, ""), "unavailable", nil},
		{"308", buckets, -1, redirects(308, "/api/0/info"), "unavailable", nil},
		{"redirect to another host", info, -1, redirects(302, "http://192.0.2.1/"), "unavailable", nil},
		{"array for object", buckets, -1, says(200, json, "[]"), "unavailable", nil},
		{"object for array", events, -1, says(200, json, "{}"), "unavailable", nil},
		{"null for events", events, -1, says(200, json, "null"), "unavailable", nil},
		{"cut off", events, -1, says(200, json, `[{"id":1,`), "unavailable", nil},
		{"deep", events, -1, says(200, json, strings.Repeat("[", 33)+strings.Repeat("]", 33)), "unavailable", nil},
		{"too large", events, -1, says(200, json, "["+strings.Repeat(" ", 9<<20)+"]"), "unavailable", nil},
		{"too many buckets", buckets, -1, says(200, json, manyBuckets(10_000)), "unavailable", nil},
		{"host header", info, -1, says(400, json, `{"message":"host header is invalid (was x)"}`), "unavailable", nil},
		{"400", events, -1, says(400, json, `{}`), "unavailable", nil},
		{"401", buckets, -1, says(401, json, `{}`), "unauthorized", nil},
		{"no buckets", buckets, -1, says(200, json, "{}"), "no_bucket", nil},
		{"404 of events once", events, 1, says(404, json, "{}"), "", nil},
		{"404 of events", events, -1, says(404, json, "{}"), "no_bucket", nil},
		{"500 once", events, 1, says(500, json, "{}"), "", []time.Duration{2 * time.Second}},
		{"500", events, -1, says(500, json, "{}"), "unavailable", []time.Duration{2 * time.Second}},
		{"503 three times", buckets, 3, says(503, json, "{}"), "", second},
		{"503", buckets, -1, says(503, json, "{}"), "unavailable", second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := desk(t, activitytest.Config{})
			present(s, 0, 300)
			window(s, 0, 300, "code", "")
			h := httptest.NewServer(&broken{s, c.path, c.times, c.answer})
			defer h.Close()
			reader := activity.New(activity.Config{URL: h.URL, KeyFiles: []string{}, Now: later})
			pauses := activity.NoPause(reader)
			a := reader.Read(t.Context(), morning, pow.DetailApp)
			if a.Cause != c.cause || a.Active+a.Away+a.Unknown != 5*time.Minute || (a.Cause == "") != (a.Active == 5*time.Minute) {
				t.Errorf("%+v", a)
			}
			if diff := cmp.Diff(c.pauses, *pauses); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func manyBuckets(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"b%d":{"id":"b%d","type":"currentwindow","hostname":"laptop"}`, i, i))
	}
	return "{" + strings.Join(list, ",") + "}"
}

// A program that is not ActivityWatch is asked once; the words for doctor differ.
func TestForeignIsLeftAlone(t *testing.T) {
	asked := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		says(200, "application/json", `{"status":"up"}`)(w, r)
	}))
	defer h.Close()
	c := client(h.URL)
	for range 3 {
		if err := c.Check(t.Context()); !isCode(err, activity.ErrForeign) {
			t.Errorf("got %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func isCode(err error, want *pow.Error) bool {
	e, ok := err.(*pow.Error)
	return ok && e.Code == want.Code
}

// Not running, garbage, a drip, a hang: capture goes on (AW-1, AW-13).
func TestUnreachable(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, url := range map[string]string{
		"nobody listens": gone.URL,
		"HTTP/0.9":       "http://" + raw(t, "hello\r\n"),
		"closes at once": "http://" + raw(t, ""),
		"half a header":  "http://" + raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n"),
		"half a body":    "http://" + raw(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"),
	} {
		c := client(url)
		if a := c.Read(t.Context(), morning, pow.DetailApp); a.Cause != activity.CauseUnavailable || a.Unknown != 5*time.Minute {
			t.Errorf("%s: %+v", name, a)
		}
		if err := c.Check(t.Context()); !isCode(err, activity.ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// raw answers every connection with the same bytes and closes it.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return l.Addr().String()
}

// Which bucket of several is read (AW-5).
func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(*activitytest.Server)
		pin  []string
		want string // app of the window row; "": no window bucket
	}{
		{"own host", func(s *activitytest.Server) { put(s, "w", "laptop", 0, "own"); put(s, "x", "desktop", 1, "other") }, nil, "own"},
		{"case of the host", func(s *activitytest.Server) { put(s, "w", "LAPTOP", 0, "own") }, nil, "own"},
		{"the newest", func(s *activitytest.Server) { put(s, "old", "laptop", 0, "old"); put(s, "new", "laptop", 1, "new") }, nil, "new"},
		{"a copy", func(s *activitytest.Server) { put(s, "w-synced-from-phone", "laptop", 0, "copy") }, nil, ""},
		{"our own name for the computer", func(s *activitytest.Server) { put(s, "w", "elsewhere", 0, "own") }, nil, "own"},
		{"nobody's", func(s *activitytest.Server) { put(s, "w", "", 0, "lost") }, nil, ""},
		{"pinned", func(s *activitytest.Server) { put(s, "w", "laptop", 1, "own"); put(s, "p", "desktop", 0, "pinned") }, []string{"p", "afkstatus_laptop"}, "pinned"},
	} {
		for _, rust := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s rust=%v", c.name, rust), func(t *testing.T) {
				s := activitytest.Start(t, activitytest.Config{Rust: rust})
				s.AddBucket("afkstatus_laptop", "afkstatus", "laptop")
				present(s, 0, 300)
				c.make(s)
				a := client(s.URL, func(cfg *activity.Config) { cfg.Buckets = c.pin }).Read(t.Context(), morning, pow.DetailApp)
				if c.want == "" {
					if a.Cause != activity.CauseNoBucket || a.Active != 5*time.Minute || lines(a)[0] != "0 300 unknown" {
						t.Errorf("%+v", a)
					}
				} else if got := activitytest.Apps(a); got[c.want] == 0 || a.Cause != "" {
					t.Errorf("%v, %q", got, a.Cause)
				}
			})
		}
	}
}

// put makes a window bucket with one app, written to until so many seconds
// before the end of the morning.
func put(s *activitytest.Server, id, host string, more int, app string) {
	s.AddBucket(id, "currentwindow", host)
	s.Insert(id, activitytest.Event{
		At: ten, Duration: 290*time.Second + time.Duration(more)*time.Second, Data: map[string]any{"app": app},
	})
}

func TestWebBucketWithoutHost(t *testing.T) {
	for _, host := range []string{"", "unknown", "laptop"} {
		s := activitytest.Start(t, activitytest.Config{})
		s.AddBucket("web.tab.current_laptop", "web.tab.current", host)
		s.AddBucket("currentwindow_laptop", "currentwindow", "laptop")
		s.AddBucket("afkstatus_laptop", "afkstatus", "laptop")
		present(s, 0, 300)
		window(s, 0, 300, "org.mozilla.firefox", "t")
		add(s, "web.tab.current", 0, 300, map[string]any{"url": "https://pow.do/x", "title": "t"})
		if got := lines(client(s.URL).Read(t.Context(), morning, pow.DetailTitle)); len(got) != 2 || got[1] != "0 300 web pow.do t" {
			t.Errorf("host %q: %q", host, got)
		}
	}
}

// Watchers that are missing or died.
func TestWatchers(t *testing.T) {
	hour := pow.Interval{From: ten, To: ten.Add(20 * time.Minute)}
	for _, c := range []struct {
		name          string
		fill          func(*activitytest.Server)
		cause         string
		active, known float64 // seconds
	}{
		{"both alive", func(s *activitytest.Server) { present(s, 0, 1200); window(s, 0, 1200, "a", "") }, "", 1200, 1200},
		{"window watcher died", func(s *activitytest.Server) { present(s, 0, 1200); window(s, 0, 600, "a", "") }, "stale", 1200, 600},
		{"away watcher died", func(s *activitytest.Server) { present(s, 0, 600); window(s, 0, 1200, "a", "") }, "stale", 600, 600},
		{"asleep", func(s *activitytest.Server) { present(s, 0, 600); window(s, 0, 600, "a", "") }, "", 600, 600},
		{"no away watcher", func(s *activitytest.Server) { s.RemoveBucket("afkstatus_laptop"); window(s, 0, 600, "a", "") }, "no_afk", 0, 600},
		{"no watchers", func(s *activitytest.Server) {
			s.RemoveBucket("afkstatus_laptop")
			s.RemoveBucket("currentwindow_laptop")
		}, "no_bucket", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := desk(t, activitytest.Config{})
			c.fill(s)
			a := client(s.URL).Read(t.Context(), hour, pow.DetailApp)
			if a.Cause != c.cause || a.Active.Seconds() != c.active || activitytest.Apps(a)["a"].Seconds() != c.known ||
				a.Active+a.Away+a.Unknown != 20*time.Minute {
				t.Errorf("%+v", a)
			}
		})
	}
}

// A watcher's browser tab that was private hides the title of the browser's
// window, also a moment before and after, and of nothing else.
func TestPrivateTab(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	window(s, 0, 50, "firefox", "before")
	window(s, 50, 50, "firefox", "secret")
	window(s, 100, 100, "code", "main.go")
	window(s, 200, 100, "firefox", "after")
	add(s, "web.tab.current", 57, 140, map[string]any{"title": "secret", "url": "https://x.example/", "incognito": true})
	got := lines(client(s.URL).Read(t.Context(), morning, pow.DetailTitle))
	if diff := cmp.Diff([]string{"0 50 firefox before", "50 100 firefox", "100 200 code main.go", "200 300 firefox"}, got); diff != "" {
		t.Error(diff)
	}
}
