package kimai_test

import (
	"net/http"
	"strings"
	"testing"

	"pow.do/services/dvm/kimai"
)

// FuzzDecode shows that no body makes a reader panic or hang.
func FuzzDecode(f *testing.F) {
	for _, e := range readRecordings(f) {
		if e.N%20 == 0 {
			f.Add([]byte(e.Response.Body))
		}
	}
	f.Add([]byte(formBad))
	f.Add([]byte(`{"errors":{"children":[]}}`))
	f.Add([]byte(`[{"id":"12","begin":null}]`))
	f.Add([]byte(strings.Repeat(`{"a":`, 40)))
	f.Fuzz(func(_ *testing.T, b []byte) { kimai.Decode(b) })
}

// TestCutBodies feeds every recorded answer cut at every byte: what is not whole
// is never taken for an answer.
func TestCutBodies(t *testing.T) {
	for _, e := range readRecordings(t) {
		body := []byte(e.Response.Body)
		if e.Response.Status != http.StatusOK || len(body) > 700 {
			continue
		}
		for k := range body {
			got := kimai.Classify(e.Request.Method, e.Request.Path, e.sent(), http.StatusOK, e.header(), body[:k])
			if got == "fine" {
				t.Fatalf("%d cut at %d is taken", e.N, k)
			}
		}
	}
}
