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

// TestHostileBodies spoils a record that is otherwise good.
func TestHostileBodies(t *testing.T) {
	good := object(7, anna, 1)
	with := func(more string) string { return good[:len(good)-1] + "," + more + "}" }
	for name, c := range map[string]struct {
		body string
		fine bool
	}{
		"good":                     {good, true},
		"KI-2 unknown field":       {with(`"surprise":[1,{"a":2}]`), true},
		"KI-2 id as a string":      {strings.Replace(good, `"id":7`, `"id":"7"`, 1), true},
		"KI-2 break missing":       {good, true},
		"KI-2 end missing":         {strings.Replace(good, `"end"`, `"ende"`, 1), false},
		"KI-2 repeated key":        {with(`"id":8`), false},
		"KI-2 repeated, by case":   {with(`"ID":8`), false},
		"KI-2 repeated inside":     {with(`"a":{"b":1,"b":2}`), false},
		"KI-5 depth 32":            {with(`"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), true},
		"KI-5 depth 33":            {with(`"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32)), false},
		"two values":               {good + good, false},
		"KI-3 offset with colon":   {strings.Replace(good, "+0000", "+00:00", 1), true},
		"KI-3 Z":                   {strings.Replace(good, "+0000", "Z", 1), true},
		"KI-3 without zone":        {strings.Replace(good, "+0000", "", 1), false},
		"KI-3 no time at all":      {strings.Replace(good, "2026-11-20T05:00:00+0000", "now", 1), false},
		"KI-2 duration as a text":  {strings.Replace(good, `"duration":600`, `"duration":"600"`, 1), false},
		"KI-2 duration of a year+": {strings.Replace(good, `"duration":600`, `"duration":99999999`, 1), false},
	} {
		h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
		got := kimai.Classify(http.MethodGet, "/api/timesheets/7", nil, http.StatusOK, h, []byte(c.body))
		if (got == "fine") != c.fine {
			t.Errorf("%s: %s", name, got)
		}
	}
}
