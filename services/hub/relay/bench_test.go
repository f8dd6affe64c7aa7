package relay_test

import (
	"encoding/json"
	"testing"
	"time"

	"pow.do/services/wire/event"
)

// BenchmarkAccept stores letters of usual size from four pipelined connections
// of one DVM: verified, committed to the disk, answered.
func BenchmarkAccept(b *testing.B) {
	w := newWorld(b)
	frames := make([]string, b.N)
	for i := range frames {
		e := w.letter(alice, usual)
		f, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(e))})
		frames[i] = string(f)
		w.setNow(w.now().Add(20 * time.Millisecond)) // keeps under the rate
	}
	const conns = 4
	clients := make([]*client, conns)
	for i := range clients {
		clients[i] = w.dial(dvm)
	}
	b.ResetTimer()
	done := make(chan int)
	for i, c := range clients {
		go func() {
			for k := i; k < len(frames); k += conns {
				c.raw(frames[k])
			}
		}()
		go func() {
			refused := 0
			for k := i; k < len(frames); k += conns {
				if _, args := c.read(); string(args[1]) != "true" {
					refused++
				}
			}
			done <- refused
		}()
	}
	for range clients {
		if n := <-done; n > 0 {
			b.Errorf("%d refused", n)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// usual gives a letter the content length of every Notice and Receipt.
func usual(e *event.Event) {
	long := make([]byte, 4_900)
	for i := range long {
		long[i] = 'A'
	}
	e.Content = string(long)
}

// BenchmarkReq asks for 500 stored letters.
func BenchmarkReq(b *testing.B) {
	w := newWorld(b)
	c := w.dial(dvm)
	for range 500 {
		w.setNow(w.now().Add(20 * time.Millisecond))
		if ok, why := c.publish(w.letter(alice, usual)); !ok {
			b.Fatal(why)
		}
	}
	a := w.dial(alice)
	b.ResetTimer()
	for range b.N {
		w.setNow(w.now().Add(time.Second))
		a.send("REQ", "a", filter{})
		for n := 0; ; n++ {
			verb, _ := a.read()
			if verb == "EOSE" {
				if n != 500 {
					b.Fatalf("%d letters", n)
				}
				break
			}
		}
	}
}

// BenchmarkDeliver measures from publishing to the arrival at one reader.
func BenchmarkDeliver(b *testing.B) {
	w := newWorld(b)
	a, d := w.dial(alice), w.dial(dvm)
	a.req("a", filter{"limit": 0})
	frames := make([]string, b.N)
	for i := range frames {
		f, _ := json.Marshal([]any{"EVENT", json.RawMessage(event.Marshal(w.letter(alice, usual)))})
		frames[i] = string(f)
	}
	b.ResetTimer()
	for _, f := range frames {
		w.setNow(w.now().Add(20 * time.Millisecond))
		d.raw(f)
		if verb, args := a.read(); verb != "EVENT" {
			b.Fatal(verb, args)
		}
	}
}
