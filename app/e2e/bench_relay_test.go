package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

// letters wraps one Receipt n times for one reader: what a relay stores is of
// one size, whatever is inside.
func letters(t testing.TB, dvm identity.Secret, to pow.Key, n int) []pow.Letter {
	t.Helper()
	now := time.Now()
	_, seal, err := envelope.SealReceipt(dvm, pow.Receipt{DVM: dvm.Public(), Device: to, CreatedAt: now, Answers: pow.Hash{1}, Code: pow.CodeDone}, now)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]pow.Letter, n)
	var wg sync.WaitGroup
	for part := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := part; i < n; i += runtime.GOMAXPROCS(0) {
				var err error
				if all[i], err = envelope.Wrap(seal, to, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// sender is one connection of one key to the hub.
type sender struct {
	t    testing.TB
	hub  string
	pool *relays.Pool
}

func newSender(t testing.TB, hub string, key identity.Secret) sender {
	transport := &http.Transport{}
	s := sender{t, hub, relays.New(relays.Config{Origins: []string{hub}, Key: key, HTTP: &http.Client{Transport: transport}, Handle: ignore,
		Log: slog.New(slog.DiscardHandler)})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.pool.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; transport.CloseIdleConnections() })
	return s
}

func (s sender) publish(l pow.Letter) {
	if a, err := s.pool.Publish(s.t.Context(), s.hub, l.JSON); err != nil || !a.OK {
		s.t.Errorf("publish: %+v %v", a, err)
	}
}

// flight is how many letters wait for an OK on one connection.
const flight = 64

// publishAll sends letters in turn over the connections, several at a time on each.
func publishAll(senders []sender, all []pow.Letter) {
	queue := make(chan pow.Letter, len(all))
	for _, l := range all {
		queue <- l
	}
	close(queue)
	var wg sync.WaitGroup
	for _, s := range senders {
		for range max(1, min(flight, len(all)/len(senders))) {
			wg.Go(func() {
				for l := range queue {
					s.publish(l)
				}
			})
		}
	}
	wg.Wait()
}

// BenchmarkRelay has a hub that is a process of its own accept letters: each is
// verified, on the disk, and answered with OK true. Sender and hub share the
// machine, so beside the letters a second stands what each cost the hub in CPU
// time, and how many times that is what its one signature costs.
func BenchmarkRelay(b *testing.B) {
	const conns, total = 4, 5000 // a DVM may send 6,000 at once
	dvm, device := newSecret(b), newSecret(b)
	w := newWorld(b)
	hub := w.hubFor(dvm.Public(), device.Public())
	var senders []sender
	for range conns {
		senders = append(senders, newSender(b, w.ready.Relay, dvm))
	}
	all := letters(b, dvm, device.Public(), total+conns)
	for i, s := range senders {
		s.publish(all[total+i]) // connects and authenticates
	}
	all = all[:total]
	pid := hub.cmd.Process.Pid
	for b.Loop() {
		perSignature := signatureCost(b, all[:2000])
		before := cpuTime(b, pid)
		took := taking(func() { publishAll(senders, all) })
		perLetter := (cpuTime(b, pid) - before) / total
		report(b, total/took.Seconds(), "letters/s")
		report(b, millis(perLetter), "hub-cpu-ms/letter")
		report(b, 1/perSignature.Seconds(), "verifications/s/core")
		report(b, float64(perLetter)/float64(perSignature), "letter/verification")
	}
	reportPeak(b, held(b, pid, "VmHWM"))
	hub.stop(b)
}

// signatureCost is the CPU time of checking one letter's id and signature.
func signatureCost(t testing.TB, all []pow.Letter) time.Duration {
	t.Helper()
	before := cpuTime(t, os.Getpid())
	for _, l := range all {
		e, err := event.Parse(l.JSON)
		if err == nil {
			err = event.Verify(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return (cpuTime(t, os.Getpid()) - before) / time.Duration(len(all))
}
