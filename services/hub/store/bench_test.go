package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/wire/event"
)

// BenchmarkPut stores letters as fast as the commits allow: with one writer that
// waits for each OK, and with 512 letters on their way.
func BenchmarkPut(b *testing.B) {
	for _, e := range []storetest.Engine{storetest.SQLite(), storetest.Postgres()} {
		for name, flight := range map[string]int{"one": 1, "512": 512, "64": 64} {
			b.Run(e.Name+"/"+name, func(b *testing.B) { benchPut(b, e, flight) })
		}
	}
}

func benchPut(b *testing.B, e storetest.Engine, flight int) {
	w := storetest.NewWorld(b, e)
	letters := make([]*event.Event, 20_000)
	for i := range letters {
		letters[i] = storetest.Letter(i, storetest.DVM)
		letters[i].Content = strings.Repeat("A", 4_900) // as large as the real ones
	}
	places := make(chan struct{}, flight)
	var took []time.Duration
	n, refused := 0, 0
	start := time.Now()
	for b.Loop() {
		l := letters[n%len(letters)]
		n++
		places <- struct{}{}
		sent := time.Now()
		w.Put(l, event.Marshal(l), store.Never, storetest.DVM, func(err error) {
			took = append(took, time.Since(sent))
			if err != nil {
				refused++
			}
			<-places
		})
	}
	for range flight {
		places <- struct{}{}
	}
	b.ReportMetric(float64(n-refused)/time.Since(start).Seconds(), "letters/s")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	if refused > 0 {
		b.ReportMetric(float64(refused), "refused")
	}
}
