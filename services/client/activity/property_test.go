package activity_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pow.do/services/client/activity"
	"pow.do/services/client/activity/activitytest"
	"pow.do/services/pow"
)

// noon is where the generated minutes begin.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

// drawEvents makes events from 20 s before noon on: touching, overlapping,
// without length, in the order in which a watcher writes them, on a coarse and on
// a fine grid.
func drawEvents(t *rapid.T, label, key string, values []string) []activitytest.Event {
	grid := rapid.SampledFrom([]int{1, 500, 1000}).Draw(t, label+" grid")
	n := rapid.IntRange(0, 12).Draw(t, label+" events")
	var events []activitytest.Event
	begin := -20_000
	for range n {
		begin += grid * rapid.IntRange(0, 14_000/grid).Draw(t, label+" begin")
		length := grid * rapid.IntRange(0, 25_000/grid).Draw(t, label+" length")
		events = append(events, activitytest.Event{
			At: at(begin), Duration: time.Duration(length) * time.Millisecond,
			Data: map[string]any{key: rapid.SampledFrom(values).Draw(t, label+" value")},
		})
	}
	return events
}

// painted says what each millisecond of [0, size) showed, by painting the events
// over each other and then filling the holes.
func painted(events []activitytest.Event, key string, size int) []string {
	const pad = 60_000
	line := make([]string, size+2*pad)
	type mark struct {
		at    int
		value string
	}
	var marks []mark
	for _, e := range events {
		from := int(e.At.Sub(noon).Milliseconds()) + pad
		to := from + int(e.Duration.Milliseconds())
		value := e.Data[key].(string)
		for i := from; i < min(to, len(line)); i++ {
			line[i] = value
		}
		if from == to {
			marks = append(marks, mark{from, value})
		}
	}
	whole := slices.Clone(line)
	for i := 1; i < len(line); i++ {
		if whole[i] != "" {
			continue
		}
		before, from := whole[i-1], i
		for _, m := range marks {
			if m.at == i {
				before = m.value
			}
		}
		end := i + 1
		for end < len(line) && whole[end] == "" && !slices.ContainsFunc(marks, func(m mark) bool { return m.at == end }) {
			end++
		}
		if before != "" && end-from <= 5_000 && end < len(line) {
			for k := from; k < end; k++ {
				line[k] = before
			}
		}
		i = end - 1
	}
	return line[pad : pad+size]
}

// The sums are those of a model that looks at every millisecond, and any split of
// the interval has the same sums.
func TestSumsProperty(t *testing.T) {
	server := activitytest.Start(t, activitytest.Config{})
	client := activity.New(activity.Config{
		URL: server.URL, KeyFiles: []string{}, Now: func() time.Time { return noon.Add(time.Hour) },
	})
	rapid.Check(t, func(t *rapid.T) {
		windows := drawEvents(t, "window", "app", []string{"a", "b", "c"})
		afk := drawEvents(t, "afk", "status", []string{"afk", "not-afk", "odd"})
		server.AddBucket("w", "currentwindow", "laptop")
		server.AddBucket("a", "afkstatus", "laptop")
		server.Insert("w", windows...)
		server.Insert("a", afk...)

		const size = 60_000
		want := map[string]int{}
		apps := painted(windows, "app", size)
		for i, status := range painted(afk, "status", size) {
			switch status {
			case "not-afk":
				want["active"]++
				if apps[i] == "" {
					apps[i] = activity.Unknown
				}
				want[apps[i]]++
			case "afk":
				want["away"]++
			}
		}
		cuts := []int{0}
		for range rapid.IntRange(0, 3).Draw(t, "cuts") {
			cuts = append(cuts, rapid.IntRange(1, size-1).Draw(t, "cut"))
		}
		slices.Sort(cuts)
		check(t, client, want, []int{0, size})
		check(t, client, want, append(slices.Compact(cuts), size))
	})
}

// check adds up what is read of the parts between the cuts.
func check(t *rapid.T, client *activity.Client, want map[string]int, cuts []int) {
	got := map[string]int{}
	for i := range len(cuts) - 1 {
		in := pow.Interval{From: at(cuts[i]), To: at(cuts[i+1])}
		a := client.Read(t.Context(), in, pow.DetailApp)
		if a.Active+a.Away+a.Unknown != in.Duration() || a.Cause == activity.CauseInconsistent {
			t.Fatalf("%v: %+v", cuts, a)
		}
		got["active"] += int(a.Active.Milliseconds())
		got["away"] += int(a.Away.Milliseconds())
		for app, d := range activitytest.Apps(a) {
			got[app] += int(d.Milliseconds())
		}
	}
	for _, key := range []string{"active", "away", "a", "b", "c", activity.Unknown} {
		if got[key] != want[key] {
			t.Fatalf("cut at %v, %s: %d ms, want %d", cuts, key, got[key], want[key])
		}
	}
}
