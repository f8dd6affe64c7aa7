package activity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/activity"
	"pow.do/services/client/activity/activitytest"
	"pow.do/services/pow"
)

// ten is the begin of the recordings' five minutes.
var ten = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

var morning = pow.Interval{From: ten, To: ten.Add(5 * time.Minute)}

// later is when everything in the morning is settled.
func later() time.Time { return ten.Add(time.Hour) }

// desk is a server with the three watchers of the computer "laptop".
func desk(t testing.TB, cfg activitytest.Config) *activitytest.Server {
	t.Helper()
	s := activitytest.Start(t, cfg)
	for _, kind := range []string{"currentwindow", "afkstatus", "web.tab.current"} {
		s.AddBucket(kind+"_laptop", kind, "laptop")
	}
	return s
}

// add puts one event at so many seconds after ten.
func add(s *activitytest.Server, kind string, at, length float64, data map[string]any) {
	s.Insert(kind+"_laptop", activitytest.Event{
		At: ten.Add(time.Duration(at * 1e9)), Duration: time.Duration(length * 1e9), Data: data,
	})
}

func window(s *activitytest.Server, at, length float64, app, title string) {
	add(s, "currentwindow", at, length, map[string]any{"app": app, "title": title})
}

func present(s *activitytest.Server, at, length float64) {
	add(s, "afkstatus", at, length, map[string]any{"status": "not-afk"})
}

// client reads from url. It finds no key file, and tries again without a pause.
func client(url string, change ...func(*activity.Config)) *activity.Client {
	cfg := activity.Config{URL: url, KeyFiles: []string{}, Hostname: "elsewhere", Now: later}
	for _, f := range change {
		f(&cfg)
	}
	c := activity.New(cfg)
	activity.NoPause(c)
	return c
}

func TestMorning(t *testing.T) {
	for name, cfg := range map[string]activitytest.Config{"python": {}, "rust": {Rust: true}} {
		t.Run(name, func(t *testing.T) {
			s := desk(t, cfg)
			activitytest.Morning(func(kind string, at, length float64, data map[string]any) { add(s, kind, at, length, data) })
			a := client(s.URL).Read(t.Context(), morning, pow.DetailTitle)
			activitytest.CheckMorning(t, a)
			if a.Provisional || !a.AsOf.Equal(later()) {
				t.Errorf("provisional %v, as of %v", a.Provisional, a.AsOf)
			}
		})
	}
}

// Each level shows what it may and no more: no path, no number of tabs, no
// private tab, nothing excluded.
func TestDetail(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	window(s, 0, 60, "Code.exe", "main.go")
	window(s, 60, 60, "firefox", "bank of secrets")
	window(s, 120, 60, "firefox", "pow.do issues")
	window(s, 180, 60, "keepass", "password of root")
	window(s, 240, 60, "Slack", "chat")
	tab := func(at, length float64, url, title string, incognito any) {
		add(s, "web.tab.current", at, length, map[string]any{"url": url, "title": title, "incognito": incognito, "tabCount": 9, "audible": true})
	}
	tab(70, 40, "https://bank.example/", "bank of secrets", true)
	tab(120, 30, "https://user:pw@Pow.Do:8443/issues?token=abc#x", "pow.do issues", false)
	tab(150, 30, "file:///home/anna/plan.html", "plan", nil)
	tab(180, 60, "https://elsewhere.example/", "not in focus", false)
	exclude := func(cfg *activity.Config) {
		cfg.Exclude = []*regexp.Regexp{regexp.MustCompile("(?i)password")}
		cfg.Categories = []activity.Category{{Name: "issues", Pattern: regexp.MustCompile("issues")}}
	}
	for detail, want := range map[pow.Detail][]string{
		pow.DetailOff:    nil,
		"everything":     nil,
		pow.DetailApp:    {"0 60 Code.exe", "60 180 firefox", "180 240 private", "240 300 Slack"},
		pow.DetailTitle:  {"0 60 Code.exe main.go", "60 120 firefox", "120 180 firefox pow.do issues", "180 240 private", "240 300 Slack chat", "120 150 web pow.do pow.do issues", "150 180 web plan"},
		"category-rules": {"0 60 =coding", "60 120 =web", "120 180 =issues", "180 240 =private", "240 300 =communication"},
	} {
		if detail == "category-rules" {
			detail = pow.DetailCategory
		}
		a := client(s.URL, exclude).Read(t.Context(), morning, detail)
		if diff := cmp.Diff(want, lines(a)); diff != "" {
			t.Errorf("%s: %s", detail, diff)
		}
		if (a.Cause == activity.CauseOff) != (want == nil) {
			t.Errorf("%s: cause %q", detail, a.Cause)
		}
		text, _ := json.Marshal(a)
		for _, never := range []string{"token", "8443", "user", "anna", "bank", "root", "elsewhere", "tabCount"} {
			if bytes.Contains(text, []byte(never)) {
				t.Errorf("%s: %q leaves the computer", detail, never)
			}
		}
	}
}

// lines writes rows shortly: begin and end in seconds, then what they say.
func lines(a pow.Activity) (out []string) {
	for _, r := range a.Rows {
		text := fmt.Sprintf("%v %v ", r.From.Sub(ten).Seconds(), r.To.Sub(ten).Seconds())
		if r.Kind == "web" {
			text += "web "
		}
		if r.Category != "" {
			text += "=" + r.Category
		}
		out = append(out, strings.TrimSpace(text+strings.TrimSpace(strings.Join([]string{r.Host, r.App, r.Title}, " "))))
	}
	for i := range out {
		out[i] = strings.Join(strings.Fields(out[i]), " ")
	}
	return out
}

func TestOffAsksNobody(t *testing.T) {
	s := desk(t, activitytest.Config{})
	client(s.URL).Read(t.Context(), morning, pow.DetailOff)
	if r := s.Requests(); len(r) != 0 {
		t.Errorf("asked %v", r)
	}
}

// Texts of strangers are cut and cleaned (AW-10, AW-11).
func TestTexts(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	for i, c := range []struct{ app, title string }{
		{strings.Repeat("ä", 200), strings.Repeat("日", 1<<20/3)},
		{"a\x1b[31m\u202eb\u2066c\u0000", "l1\nl2\u2028\x7f\u200f<b>=cmd()"},
		{"", "lost"},
		{"unknown", "unknown"},
	} {
		window(s, float64(60*i), 60, c.app, c.title)
	}
	add(s, "currentwindow", 240, 60, map[string]any{"title": 7, "app": []int{1}})
	got := client(s.URL).Read(t.Context(), morning, pow.DetailTitle).Rows
	if len(got) != 3 {
		t.Fatalf("%d rows", len(got))
	}
	for i, want := range []struct{ app, title string }{
		{strings.Repeat("ä", 128), strings.Repeat("日", 1024)},
		{"a[31mbc", "l1l2<b>=cmd()"},
		{"unknown", ""},
	} {
		if got[i].App != want.app || got[i].Title != want.title {
			t.Errorf("%d: %q %q", i, got[i].App, got[i].Title)
		}
	}
	if d := got[2].To.Sub(got[2].From); d != 3*time.Minute {
		t.Errorf("unknown apps are one row of %v", d)
	}
}

// Away is written afterwards: the same interval read at its end and 200 s later
// differs, and only the second reading is final (AW-12).
func TestProvisional(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	window(s, 0, 300, "code", "")
	now := morning.To
	c := client(s.URL, func(cfg *activity.Config) { cfg.Now = func() time.Time { return now } })
	early := c.Read(t.Context(), morning, pow.DetailApp)
	add(s, "afkstatus", 180.001, 300, map[string]any{"status": "afk"})
	now = morning.To.Add(activity.Settle)
	final := c.Read(t.Context(), morning, pow.DetailApp)
	if !early.Provisional || early.Active != 5*time.Minute {
		t.Errorf("early: %+v", early)
	}
	if final.Provisional || final.Active != 180_001*time.Millisecond || final.Away != 119_999*time.Millisecond {
		t.Errorf("final: %+v", final)
	}
}

// What the events say, whatever their order and shape (AW-6, 7, 9).
func TestOddEvents(t *testing.T) {
	row := func(id int, at, length, app string) string {
		return fmt.Sprintf(`{"id":%d,"timestamp":%q,"duration":%s,"data":{"app":%q,"title":""}}`, id, at, length, app)
	}
	rows := []string{
		row(3, "2026-11-20T10:02:00.000000Z", "60", "c"),
		row(1, "2026-11-20T10:00:00", "60.0", "a"), // without zone: UTC
		row(2, "2026-11-20T12:01:00.000+02:00", "60", "b"),
		row(2, "2026-11-20T12:01:00.000+02:00", "60", "b"), // repeated
		row(4, "2026-11-20T10:03:00Z", "-5", "negative"),
		row(5, "2026-11-20T10:03:00Z", "NaN", "nan"),
		row(6, "2026-11-20T10:03:00Z", "-Infinity", "inf"),
		row(7, "2026-11-20T10:03:00Z", "1e308", "huge"),
		row(8, "2026-11-20T10:03:00Z", "1e999", "beyond"),
		row(9, "2026-11-20T10:03:00Z", "3700", "longer than asked"),
		row(10, "0000-01-01T00:00:00Z", "60", "year 0"),
		row(11, "9999-12-31T23:59:59Z", "60", "year 9999"),
		row(12, "2026-11-20T11:00:01Z", "1", "future"),
		row(13, "yesterday", "60", "no time"),
		`{"id":14,"timestamp":"2026-11-20T10:03:00Z","data":{"app":"no duration"}}`,
		`{"id":15,"timestamp":"2026-11-20T10:03:00Z","duration":"60","data":{"app":"text"}}`,
		`{"id":16,"timestamp":"2026-11-20T10:03:00Z","duration":60,"data":null}`,
		`{"id":17,"timestamp":7,"duration":60,"data":{}}`, `null`, `7`, `[]`, `"x"`,
	}
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "currentwindow_laptop/events") {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
			return
		}
		s.ServeHTTP(w, r)
	}))
	defer h.Close()
	got := lines(client(h.URL).Read(t.Context(), morning, pow.DetailApp))
	if diff := cmp.Diff([]string{"0 60 a", "60 120 b", "120 180 c", "180 300 unknown"}, got); diff != "" {
		t.Error(diff)
	}
}

// What has not happened yet does not count, whoever says so.
func TestFuture(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	window(s, 120, 60, "future", "")
	now := func(cfg *activity.Config) { cfg.Now = func() time.Time { return ten.Add(100 * time.Second) } }
	a := client(s.URL, now).Read(t.Context(), morning, pow.DetailApp)
	if a.Active != 100*time.Second || a.Unknown != 200*time.Second || activitytest.Apps(a)["future"] != 0 || !a.Provisional {
		t.Errorf("%+v", a)
	}
}

// A full reply is asked for again in halves: the oldest rows are not lost.
func TestFullReply(t *testing.T) {
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	events := make([]activitytest.Event, 0, 30_000)
	for i := range 30_000 {
		events = append(events, activitytest.Event{
			At: ten.Add(time.Duration(i) * 10 * time.Millisecond), Duration: 10 * time.Millisecond,
			Data: map[string]any{"app": []string{"a", "b"}[i%2]},
		})
	}
	s.Insert("currentwindow_laptop", events...)
	apps := activitytest.Apps(client(s.URL).Read(t.Context(), morning, pow.DetailApp))
	if apps["a"] != 150*time.Second || apps["b"] != 150*time.Second {
		t.Errorf("%v", apps)
	}
	for _, r := range s.Requests() {
		if strings.Contains(r, "/events") && (!strings.Contains(r, "limit=20000") || !strings.Contains(r, "000Z")) {
			t.Errorf("asked %s", r)
		}
	}
}

// More rows than an interval can have are not taken.
func TestTooManyEvents(t *testing.T) {
	s := desk(t, activitytest.Config{})
	events := make([]activitytest.Event, 50_100)
	for i := range events {
		events[i] = activitytest.Event{At: ten.Add(time.Duration(i) * 5 * time.Millisecond), Data: map[string]any{}}
	}
	s.Insert("currentwindow_laptop", events...)
	if a := client(s.URL).Read(t.Context(), morning, pow.DetailApp); a.Cause != activity.CauseUnavailable {
		t.Errorf("cause %q", a.Cause)
	}
}

// No title, URL, host name or key is in any log, at any level.
func TestLogsAreClean(t *testing.T) {
	var log bytes.Buffer
	quiet := func(cfg *activity.Config) {
		cfg.Key = "canary-key"
		cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s := activitytest.Start(t, activitytest.Config{Hostname: "canary-host", Rust: true, Key: "other"})
	client(s.URL, quiet).Read(t.Context(), morning, pow.DetailTitle)
	for _, status := range []int{200, 302, 400, 404, 500, 503} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"title":"canary-title","url":"https://canary-url/","message":"host header canary"}`)
		}))
		client(h.URL, quiet).Read(t.Context(), morning, pow.DetailTitle)
		h.Close()
	}
	d := desk(t, activitytest.Config{})
	present(d, 0, 300)
	window(d, 0, 10, "canary-app", "canary-title")
	add(d, "currentwindow", 20, -5, map[string]any{"app": "canary-app"})
	client(d.URL, quiet).Read(t.Context(), morning, pow.DetailTitle)
	if text := log.String(); strings.Contains(text, "canary") || !strings.Contains(text, "dropped") {
		t.Errorf("log:\n%s", text)
	}
}

// Whatever a proxy setting says, nothing but 127.0.0.1 is reached.
func TestLoopbackOnly(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "socks5://192.0.2.1:9050")
	}
	s := desk(t, activitytest.Config{})
	present(s, 0, 300)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	for _, url := range []string{s.URL, s.URL + "/", "http://localhost:" + port} {
		if a := client(url).Read(t.Context(), morning, pow.DetailApp); a.Active != 5*time.Minute {
			t.Errorf("%s: %+v", url, a)
		}
	}
	for _, url := range []string{
		"http://192.0.2.1:5600", "http://example.com", "https://127.0.0.1:5600", "http://[::1]:5600", "http://127.0.0.1.example.com",
		"http://user@127.0.0.1:5600", "http://127.0.0.1:5600/x", "http://127.0.0.1:5600?a=b", "127.0.0.1:5600", "http://0.0.0.0:5600", "http://%zz",
	} {
		c := client(url)
		if a := c.Read(t.Context(), morning, pow.DetailApp); a.Cause != activity.CauseUnavailable || a.Unknown != 5*time.Minute {
			t.Errorf("%s: %+v", url, a)
		}
		if activity.CheckURL(url) == nil || c.State(t.Context()) != activity.StateAbsent {
			t.Errorf("%s is not refused", url)
		}
	}
}

func TestBrowsersInOrder(t *testing.T) {
	if !activity.BrowsersInOrder() {
		t.Error("the list of browsers is searched as a sorted one")
	}
}

// The key comes from the config file that speaks of our port, then from the
// settings, and is read again when it is refused (AW-2).
func TestKey(t *testing.T) {
	s := desk(t, activitytest.Config{Rust: true, Key: "right"})
	present(s, 0, 300)
	window(s, 0, 300, "code", "")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	file := filepath.Join(t.TempDir(), "config.toml")
	for _, c := range []struct {
		name, file, setting, state string
	}{
		{"no key", "", "", activity.StateLocked},
		{"file", "port = " + port + " # ours\n[auth]\napi_key = \"right\"\n", "", activity.StateOK},
		{"file for another port", "port = 1\n[auth]\napi_key = \"right\"\n", "", activity.StateLocked},
		{"file for the usual port", "[auth]\napi_key = \"right\"\n", "", activity.StateLocked},
		{"key of another section", "port = " + port + "\napi_key = \"right\"\n[x]\napi_key = \"right\"\n", "", activity.StateLocked},
		{"wrong in the file, right in the settings", "port = " + port + "\n[auth]\napi_key = 'wrong'\n", "right", activity.StateOK},
		{"both wrong", "port = " + port + "\n[auth]\napi_key = 'wrong'\n", "wrong", activity.StateLocked},
		{"a line feed in the key", "port = " + port + "\n[auth]\napi_key = \"ri\\nght\"\n", "", activity.StateLocked},
	} {
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		with := func(cfg *activity.Config) { cfg.KeyFiles, cfg.Key = []string{file, file + ".none"}, c.setting }
		if got := client(s.URL, with).State(t.Context()); got != c.state {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	c := client(s.URL, func(cfg *activity.Config) { cfg.KeyFiles = []string{file} })
	if a := c.Read(t.Context(), morning, pow.DetailApp); a.Cause != activity.CauseUnauthorized {
		t.Errorf("cause %q", a.Cause)
	}
	if err := os.WriteFile(file, []byte("port="+port+"\n[auth]\napi_key=\"right\""), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := c.Read(t.Context(), morning, pow.DetailApp); a.Cause != "" {
		t.Errorf("after the file was mended: %q", a.Cause)
	}
	t.Setenv("XDG_CONFIG_HOME", "/etc/anna")
	for port, name := range map[string]string{"5600": "config.toml", "5666": "config-testing.toml"} {
		if files := activity.DefaultKeyFiles(port); !slices.ContainsFunc(files, func(f string) bool { return filepath.Base(f) == name }) {
			t.Errorf("%s: %v", port, files)
		}
	}
}

func TestCancelled(t *testing.T) {
	s := desk(t, activitytest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := client(s.URL).Read(ctx, morning, pow.DetailApp); a.Cause != activity.CauseUnavailable {
		t.Errorf("%+v", a)
	}
}
