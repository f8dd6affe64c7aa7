package meter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pow.do/services/dvm/meter"
	"pow.do/services/pow"
)

var day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// span is an interval in minutes after nine.
func span(from, to float64) pow.Interval {
	at := func(m float64) time.Time { return day.Add(time.Duration(m * float64(time.Minute))) }
	return pow.Interval{From: at(from), To: at(to)}
}

func run(n int, i pow.Interval, pinned bool) pow.Run {
	return pow.Run{Number: n, Interval: i, Pinned: pinned}
}

func TestRuns(t *testing.T) {
	empty := pow.Interval{}
	for name, c := range map[string]struct {
		proven, taken []pow.Interval
		before, want  []pow.Run
	}{
		"nothing":                {nil, nil, nil, []pow.Run{}},
		"one":                    {[]pow.Interval{span(0, 10)}, nil, nil, []pow.Run{run(1, span(0, 10), false)}},
		"touching":               {[]pow.Interval{span(10, 20), span(0, 10)}, nil, nil, []pow.Run{run(1, span(0, 20), false)}},
		"a minute is bridged":    {[]pow.Interval{span(0, 10), span(11, 20)}, nil, nil, []pow.Run{run(1, span(0, 20), false)}},
		"more than a minute":     {[]pow.Interval{span(0, 10), span(11.1, 20)}, nil, nil, []pow.Run{run(1, span(0, 10), false), run(2, span(11.1, 20), false)}},
		"a booked run grows":     {[]pow.Interval{span(0, 20)}, nil, []pow.Run{run(1, span(0, 10), true)}, []pow.Run{run(1, span(0, 20), true)}},
		"unbooked is renumbered": {[]pow.Interval{span(0, 5), span(10, 20)}, nil, []pow.Run{run(1, span(10, 20), false)}, []pow.Run{run(1, span(0, 5), false), run(2, span(10, 20), false)}},
		"an earlier one comes late": {[]pow.Interval{span(0, 5), span(10, 20)}, nil, []pow.Run{run(1, span(10, 20), true)},
			[]pow.Run{run(1, span(10, 20), true), run(2, span(0, 5), false)}},
		"joined": {[]pow.Interval{span(0, 30)}, nil, []pow.Run{run(1, span(0, 10), true), run(2, span(20, 30), true)},
			[]pow.Run{run(1, span(0, 30), true), run(2, empty, true)}},
		"joined, earlier has the higher number": {[]pow.Interval{span(0, 30)}, nil, []pow.Run{run(2, span(0, 10), true), run(1, span(20, 30), true)},
			[]pow.Run{run(1, empty, true), run(2, span(0, 30), true)}},
		"the empty one is used again": {[]pow.Interval{span(0, 30), span(60, 70)}, nil, []pow.Run{run(1, span(0, 30), true), run(2, empty, true)},
			[]pow.Run{run(1, span(0, 30), true), run(2, span(60, 70), true)}},
		"taken by another session":      {[]pow.Interval{span(0, 30)}, []pow.Interval{span(10, 20)}, nil, []pow.Run{run(1, span(0, 10), false), run(2, span(20, 30), false)}},
		"a taken gap is not bridged":    {[]pow.Interval{span(0, 10), span(11, 20)}, []pow.Interval{span(10, 11)}, nil, []pow.Run{run(1, span(0, 10), false), run(2, span(11, 20), false)}},
		"longer than a proof can prove": {[]pow.Interval{span(0, 24*60+1)}, nil, nil, []pow.Run{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := meter.Measure(pow.SessionFacts{Proven: c.proven, Taken: c.taken, Runs: c.before, Now: day, Wait: time.Minute})
			if d := cmp.Diff(c.want, got.Runs); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	at := func(m float64) time.Time { return span(m, m).From }
	for name, c := range map[string]struct {
		stops []time.Time
		now   time.Time
		open  bool
	}{
		"within the silence":         {nil, at(24.9), true},
		"silent":                     {nil, at(25), false},
		"stopped at the end":         {[]time.Time{at(10)}, at(10), false},
		"stopped after the end":      {[]time.Time{at(12)}, at(12), false},
		"an outdated stop":           {[]time.Time{at(5)}, at(12), true},
		"an outdated and a good one": {[]time.Time{at(5), at(11)}, at(12), false},
	} {
		t.Run(name, func(t *testing.T) {
			got := meter.Measure(pow.SessionFacts{Proven: []pow.Interval{span(0, 10)}, Stops: c.stops, Now: c.now, Wait: 15 * time.Minute})
			if got.Open != c.open || !got.End.Equal(at(10)) || !got.Begin.Equal(at(0)) {
				t.Errorf("open %v, %v to %v", got.Open, got.Begin, got.End)
			}
		})
	}
}

func TestHeldCountsButIsNotBooked(t *testing.T) {
	got := meter.Measure(pow.SessionFacts{Proven: []pow.Interval{span(0, 10)}, Held: []pow.Interval{span(10, 20)}, Now: day})
	if got.Proven != 20*time.Minute || !got.End.Equal(span(20, 20).From) {
		t.Errorf("proven %v until %v", got.Proven, got.End)
	}
	if d := cmp.Diff([]pow.Run{run(1, span(0, 10), false)}, got.Runs); d != "" {
		t.Error(d)
	}
}

func TestTooLong(t *testing.T) {
	var hours []pow.Interval
	for h := range 16 {
		hours = append(hours, span(float64(h*60), float64(h*60+60)))
	}
	if meter.Measure(pow.SessionFacts{Proven: hours}).TooLong {
		t.Error("16 h are allowed")
	}
	if !meter.Measure(pow.SessionFacts{Proven: append(hours, span(960, 961))}).TooLong {
		t.Error("16 h 1 min are too long")
	}
}

func TestMidnightAndDST(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data")
	}
	for _, c := range []struct {
		from time.Time
		want time.Duration
	}{
		{time.Date(2026, 10, 24, 23, 30, 0, 0, berlin), 4 * time.Hour}, // the hour from 2 to 3 comes twice
		{time.Date(2026, 3, 28, 23, 30, 0, 0, berlin), 4 * time.Hour},  // and is left out
	} {
		var in []pow.Interval
		for i := range 16 {
			f := c.from.Add(time.Duration(i) * 15 * time.Minute)
			in = append(in, pow.Interval{From: f, To: f.Add(15 * time.Minute).UTC()})
		}
		got := meter.Measure(pow.SessionFacts{Proven: in})
		if got.Proven != c.want || len(got.Runs) != 1 {
			t.Errorf("%v: %v in %d runs", c.from, got.Proven, len(got.Runs))
		}
	}
}

func drawSpans(t *rapid.T, label string) []pow.Interval {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pow.Interval {
		from := float64(rapid.IntRange(0, 600).Draw(t, "from")) / 2
		return span(from, from+float64(rapid.IntRange(-1, 40).Draw(t, "length"))/2)
	}), 0, 12).Draw(t, label)
}

// covered is the slow model: which half minutes are proven.
func covered(in []pow.Interval) (n int) {
	for m := 0.0; m < 700; m += 0.5 {
		at := span(m, m).From
		if slices.ContainsFunc(in, func(i pow.Interval) bool { return i.Contains(at) }) {
			n++
		}
	}
	return n
}

func TestOrderAndDuplicatesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, held := drawSpans(t, "proven"), drawSpans(t, "held")
		f := pow.SessionFacts{Proven: in, Held: held, Now: day, Wait: time.Hour}
		want := meter.Measure(f)
		f.Proven = rapid.Permutation(slices.Concat(in, in)).Draw(t, "shuffled")
		f.Held = slices.Concat(held, held)
		if d := cmp.Diff(want, meter.Measure(f)); d != "" {
			t.Fatal(d)
		}
		if got := int(want.Proven / (30 * time.Second)); got != covered(slices.Concat(in, held)) {
			t.Fatalf("%d half minutes, want %d", got, covered(slices.Concat(in, held)))
		}
	})
}

// Proofs arrive one by one in any order, and each computed run may be booked at
// any time: booked numbers stay, no time is booked by two runs, and in the end
// exactly the bridged union is booked.
func TestBookedNumbersStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawSpans(t, "proven")
		var runs []pow.Run
		for n := range in {
			got := meter.Measure(pow.SessionFacts{Proven: in[:n+1], Runs: runs}).Runs
			checkNumbers(t, runs, got)
			for i := range got {
				got[i].Pinned = got[i].Pinned || rapid.Bool().Draw(t, "book")
			}
			runs = got
		}
		var booked []pow.Interval
		for _, r := range runs {
			if r.Interval.Valid() {
				booked = append(booked, r.Interval)
			}
		}
		slices.SortFunc(booked, func(a, b pow.Interval) int { return a.From.Compare(b.From) })
		if d := cmp.Diff(pow.Bridge(in, meter.MaxGap), booked, cmp.Transformer("nil", func(s []pow.Interval) []pow.Interval { return append([]pow.Interval{}, s...) })); d != "" {
			t.Fatal(d)
		}
	})
}

func checkNumbers(t *rapid.T, before, after []pow.Run) {
	seen := map[int]pow.Run{}
	for _, r := range after {
		if _, twice := seen[r.Number]; twice || r.Number < 1 {
			t.Fatalf("number %d twice or below 1", r.Number)
		}
		seen[r.Number] = r
	}
	for _, b := range before {
		if !b.Pinned {
			continue
		}
		a, ok := seen[b.Number]
		if !ok {
			t.Fatalf("booked run %d is gone", b.Number)
		}
		moved := b.Interval.Valid() && a.Interval.Valid() && a.Interval.Intersect(b.Interval) != b.Interval
		joined := slices.ContainsFunc(after, func(r pow.Run) bool {
			return r.Number != b.Number && r.Interval.Intersect(b.Interval) == b.Interval
		})
		if moved && !joined {
			t.Fatalf("booked run %d moved from %v to %v", b.Number, b.Interval, a.Interval)
		}
	}
}
