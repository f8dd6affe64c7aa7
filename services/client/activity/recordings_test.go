package activity_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/client/activity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recording is one exchange with a real server.
type recording struct {
	N       int
	Request struct{ Method, Path string }

	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

func recordings(t testing.TB) []recording {
	t.Helper()
	text, err := os.ReadFile("activitytest/testdata/aw-server-0.13.2.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []recording
	for line := range bytes.Lines(text) {
		var r recording
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// classes says which class each recorded answer has for the client. A new line
// without an entry fails the test.
var classes = map[string][]int{
	"ok": {
		1, 3, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23, 26, 27, 29, 30, 31, 32, 34, 35, 36, 39, 40,
		42, 43, 44, 46, 47, 48, 49, 50, 51, 52, 53, 55, 56, 65, 66, 67, 68, 69, 75, 77, 80, 84,
		101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
	},
	"foreign":   {4, 6, 64, 70, 71, 78, 79},
	"address":   {73, 74, 76},
	"locked":    {83},
	"no bucket": {2, 22, 28, 41, 45, 72, 81, 85, 116},
	"internal":  {9, 24, 33, 37, 38, 62},
	"request":   {21, 25, 54, 57, 58, 59, 60, 61, 63, 82},
}

// kept is the number of events that count in each list of events. In 115 one of
// three has a negative duration.
var kept = map[int]int{
	29: 4, 30: 1, 31: 4, 34: 2, 35: 1, 36: 1, 39: 2, 104: 3, 105: 1, 106: 1, 107: 1, 109: 1, 111: 2, 113: 2, 115: 2,
}

// asked returns the range of a recorded request, in milliseconds.
func asked(path string) (begin, end int64) {
	begin, end = 0, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	_, query, _ := strings.Cut(path, "?")
	q, _ := url.ParseQuery(query)
	for name, to := range map[string]*int64{"start": &begin, "end": &end} {
		if t, err := time.Parse(time.RFC3339Nano, q.Get(name)); err == nil {
			*to = t.UnixMilli()
		}
	}
	return begin, end
}

func classify(r recording, body []byte) (string, int) {
	begin, end := asked(r.Request.Path)
	path := r.Request.Path
	if r.Request.Method != "GET" {
		path = "" // no call of ours: only the status counts
	}
	return activity.Classify(path, r.Response.Status, r.Response.Headers["Content-Type"], body, begin, end)
}

func TestRecordings(t *testing.T) {
	want := map[int]string{}
	for class, lines := range classes {
		for _, n := range lines {
			want[n] = class
		}
	}
	all := recordings(t)
	for _, r := range all {
		class, events := classify(r, []byte(r.Response.Body))
		if want[r.N] == "" {
			t.Errorf("%d has no entry", r.N)
		} else if class != want[r.N] || events != kept[r.N] {
			t.Errorf("%d is %q with %d events, want %q with %d", r.N, class, events, want[r.N], kept[r.N])
		}
	}
	if len(all) != len(want) || len(all) != 101 {
		t.Errorf("%d lines, %d entries", len(all), len(want))
	}
}

// Cut off anywhere, a JSON answer is never taken for a whole one.
func TestRecordingsCutOff(t *testing.T) {
	for _, r := range recordings(t) {
		path, _, _ := strings.Cut(r.Request.Path, "?")
		if r.Request.Method != "GET" || r.Response.Status != 200 ||
			path != "/api/0/info" && path != "/api/0/buckets/" && !strings.HasSuffix(path, "/events") {
			continue
		}
		body := bytes.TrimSpace([]byte(r.Response.Body))
		for i := range body {
			if class, _ := classify(r, body[:i]); class != "foreign" {
				t.Fatalf("%d cut at %d is %q", r.N, i, class)
			}
		}
	}
}
