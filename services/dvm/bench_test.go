package dvm_test

import (
	"testing"
	"time"

	"pow.do/services/pow"
)

// BenchmarkProof is the way of one proof from its letter to the Receipt, without
// cryptography and network: all transactions, the file, the meter, the booking.
func BenchmarkProof(b *testing.B) {
	x := newWorld(b, nil)
	told := make(chan struct{}, b.N)
	x.heard = func(r pow.Receipt) {
		if r.Code == pow.CodeBooked {
			told <- struct{}{}
		}
	}
	x.start()
	devices := []pow.Key{laptop, phone}
	var letters []pow.Letter
	for i := range b.N {
		d := devices[i%2]
		n := i / 2 // of this device; a session has 24 proofs; there is room for 3400 in all
		at := x.now().Add(-6*24*time.Hour + time.Duration(n)*5*time.Minute)
		letters = append(letters, letter(x.proof(d, session(2*(n/24)+i%2), uint64(n+1), pow.Interval{From: at, To: at.Add(5 * time.Minute)}), 1))
	}
	b.ResetTimer()
	for _, l := range letters {
		x.deliver(l)
	}
	for range b.N {
		<-told
	}
	b.StopTimer()
	x.halt()
}

// BenchmarkKnownLetter is a letter that was processed before.
func BenchmarkKnownLetter(b *testing.B) {
	x := newWorld(b, nil)
	l := letter(x.proof(laptop, session(1), 1, x.ago(12, 2)), 1)
	x.deliver(l)
	b.ResetTimer()
	for b.Loop() {
		x.deliver(l)
	}
}
