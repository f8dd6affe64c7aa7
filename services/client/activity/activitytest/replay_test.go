package activitytest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/activity/activitytest"
)

// exchange is one line of the recordings.
type exchange struct {
	N       int
	Name    string
	Request struct {
		Method, Path string
		Headers      map[string]*string
		Body         *string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

// skipped are the exchanges that the double does not answer, with the reason.
func skipped(n int) string {
	switch {
	case n >= 50 && n <= 64:
		return "queries: not used"
	case n >= 65 && n <= 69:
		return "settings: not used"
	case n >= 70 && n <= 72:
		return "export: not used"
	case n == 78 || n == 79:
		return "CORS preflight: for browsers only"
	}
	return ""
}

// TestReplay plays the recorded requests, in order, to the double and compares
// every answer. Lines 1–85 start from an empty database, 101–116 use other buckets.
func TestReplay(t *testing.T) {
	text, err := os.ReadFile("testdata/aw-server-0.13.2.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Date(2026, 11, 20, 17, 7, 32, 0, time.UTC) }
	server := activitytest.New(activitytest.Config{Now: clock})
	ids := map[float64]float64{}
	played := 0
	for line := range bytes.Lines(text) {
		var x exchange
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		if skipped(x.N) != "" {
			if p := x.Request.Path; p == "/api/0/info" || strings.HasSuffix(p, "/buckets/") || strings.Contains(p, "/events?") {
				t.Errorf("%d: a call that the client makes may not be skipped", x.N)
			}
			continue
		}
		played++
		t.Run(fmt.Sprintf("%d %s", x.N, x.Name), func(t *testing.T) { replay(t, server, x, ids) })
	}
	if played != 76 {
		t.Errorf("%d exchanges were played", played)
	}
}

func replay(t *testing.T, server http.Handler, x exchange, ids map[float64]float64) {
	body := ""
	if x.Request.Body != nil {
		body = *x.Request.Body
	}
	r := httptest.NewRequest(x.Request.Method, x.Request.Path, strings.NewReader(body))
	r.Host = ""
	for name, value := range x.Request.Headers {
		switch {
		case name == "Host" && value != nil:
			r.Host = *value
		case value != nil:
			r.Header.Set(name, *value)
		}
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != x.Response.Status {
		t.Fatalf("status %d, recorded %d: %s", w.Code, x.Response.Status, w.Body)
	}
	for _, name := range []string{"Content-Type", "Allow", "Location", "Content-Disposition"} {
		if got, want := w.Header().Get(name), x.Response.Headers[name]; got != want {
			t.Errorf("%s is %q, recorded %q", name, got, want)
		}
	}
	if !strings.HasPrefix(x.Response.Headers["Content-Type"], "application/json") {
		return
	}
	got, want := parse(t, w.Body.Bytes()), parse(t, []byte(x.Response.Body))
	if level(got, want, ids); !reflect.DeepEqual(got, want) {
		t.Errorf("answer\n%v, recorded\n%v", got, want)
	}
}

func parse(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

// level removes what may differ (texts, the server's clock) and translates the
// event ids of the recording: the first time one is seen it stands for the id in
// the same place of our answer, and ever after.
func level(got, want any, ids map[float64]float64) {
	switch want := want.(type) {
	case []any:
		got, _ := got.([]any)
		for i := range min(len(got), len(want)) {
			level(got[i], want[i], ids)
		}
	case map[string]any:
		got, _ := got.(map[string]any)
		for _, key := range []string{"message", "created"} {
			if got[key] != nil && want[key] != nil {
				delete(got, key)
				delete(want, key)
			}
		}
		if recorded, ok := want["id"].(float64); ok {
			if ours, ok := got["id"].(float64); ok && ids[recorded] == 0 {
				ids[recorded] = ours
			}
			want["id"] = ids[recorded]
		}
		for key := range want {
			level(got[key], want[key], ids)
		}
	}
}
