package kimai_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pow.do/services/dvm/kimai"
)

const recordings = "kimaitest/testdata/kimai-2.66.0.jsonl"

// exchange is a line of the recordings.
type exchange struct {
	N       int
	Name    string
	Request struct {
		Method, Path string
		Body         *string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

func (e exchange) header() http.Header {
	h := http.Header{}
	for k, v := range e.Response.Headers {
		h.Set(k, v)
	}
	return h
}

// sent are the fields that the adapter could have sent of this request's body.
func (e exchange) sent() []string {
	var f map[string]json.RawMessage
	if e.Request.Body == nil || json.Unmarshal([]byte(*e.Request.Body), &f) != nil {
		return nil
	}
	var ours []string
	for _, name := range []string{"user", "project", "activity", "begin", "end", "description"} {
		if _, ok := f[name]; ok && strings.HasPrefix(e.Request.Path, "/api/timesheets") {
			ours = append(ours, name)
		}
	}
	return ours
}

func readRecordings(t testing.TB) []exchange {
	t.Helper()
	f, err := os.Open(recordings)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []exchange
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("line after %d: %v", len(out), err)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// expected is the class of every recorded answer.
var expected = map[string]string{
	"again":       "124 731 733",
	"again shape": "166",
	"ask":         "130 150-151 153-154 250 318 345 528-529 544-545 548 602 717 722",
	"fine": "6-10 14 17 21-22 24-26 28-33 36-40 42-48 50-55 57-59 61-63 75 77-78 101 103-115 117-123 126-127 129 " +
		"131-133 135 137-141 146-149 152 156 158 161-165 167 201-237 239-247 251 301-302 304 310-313 316 321 " +
		"324-343 347 350-351 355 357-358 360-364 366-368 371-374 401-406 408-416 418-419 421-422 501-502 " +
		"504-507 509 512-518 520-527 530 532 534 541-543 546 549-550 553 555-561 563-564 571-579 581-582 " +
		"584-587 589-591 594 596-601 604-613 621-632 649-651 665 681-685 701 704-706 710 712-713 715-716 " +
		"718-721 723-725 727",
	"park defect":          "12 41 72 145",
	"park deleted":         "74 76 144 155 603",
	"park project-unknown": "64-66 73 238 353 365 420 593 595",
	"park refused": "19-20 23 56 60 67-69 71 125 128 134 136 248-249 303 305-309 314-315 317 319-320 322-323 344 346 " +
		"348-349 352 407 510-511 519 547 551-552 554 562 580 583 588 592 714",
	"park user-unmapped": "102 116 370 703 708-709 728",
	"stop": "1-5 11 13 15-16 18 27 34-35 70 142-143 157 159-160 354 356 359 369 423 503 508 531 533 535-537 702 " +
		"707 711 726",
	"unknown":       "732",
	"unknown shape": "49",
}

func numbers(t *testing.T, list string) (out []int) {
	for _, part := range strings.Fields(list) {
		from, to, many := strings.Cut(part, "-")
		a, err := strconv.Atoi(from)
		b := a
		if many && err == nil {
			b, err = strconv.Atoi(to)
		}
		if err != nil {
			t.Fatal(err)
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out
}

// TestRecorded feeds every recorded answer to the decoders.
func TestRecorded(t *testing.T) {
	want := map[int]string{}
	for class, list := range expected {
		for _, n := range numbers(t, list) {
			if want[n] != "" {
				t.Errorf("%d is in the table twice", n)
			}
			want[n] = class
		}
	}
	for _, e := range readRecordings(t) {
		got := kimai.Classify(e.Request.Method, e.Request.Path, e.sent(), e.Response.Status, e.header(), []byte(e.Response.Body))
		if got != want[e.N] {
			t.Errorf("%d %s: class %q, want %q", e.N, e.Name, got, want[e.N])
		}
		delete(want, e.N)
	}
	if len(want) > 0 {
		t.Errorf("in the table but not recorded: %v", slices.Sorted(maps.Keys(want)))
	}
}
