package activity_test

import (
	"strings"
	"testing"

	"pow.do/services/client/activity"
)

func fuzz(f *testing.F, path, suffix string) {
	for _, r := range recordings(f) {
		if route, _, _ := strings.Cut(r.Request.Path, "?"); strings.HasSuffix(route, suffix) && r.Request.Method == "GET" {
			f.Add([]byte(r.Response.Body))
		}
	}
	f.Add([]byte(`[{"id":1,"timestamp":"2026-11-20T10:00:00","duration":NaN,"data":{"app":-Infinity,"title":"\"NaN"}}]`))
	f.Add([]byte(strings.Repeat("[", 40)))
	f.Fuzz(func(t *testing.T, body []byte) {
		const begin, end = 1_795_168_800_000, 1_795_169_100_000
		class, events := activity.Classify(path, 200, "application/json", body, begin, end)
		if class != "ok" && class != "foreign" || events > len(body) {
			t.Fatalf("%q with %d events", class, events)
		}
	})
}

func FuzzInfo(f *testing.F)    { fuzz(f, "/api/0/info", "/info") }
func FuzzBuckets(f *testing.F) { fuzz(f, "/api/0/buckets/", "/buckets/") }
func FuzzEvents(f *testing.F)  { fuzz(f, "/api/0/buckets/x/events", "/events") }

func FuzzConfig(f *testing.F) {
	f.Add("port = 5600\n[auth]\napi_key = \"abc\"\n")
	f.Add("[auth]\napi_key = 'a\\b' # c")
	f.Fuzz(func(t *testing.T, text string) {
		_, key := activity.ParseConfig(text)
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q cannot stand in a header", key)
		}
	})
}
