package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// pair is a DVM that writes to a device of its own.
type pair struct{ dvm, device identity.Secret }

// contender is a relay that takes part in a comparison.
type contender struct {
	name  string
	start func(b *testing.B, pairs []pair) (relay string, pid int)
}

// secpServer builds the server with libsecp256k1 once.
var secpServer = sync.OnceValue(func() error {
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags", "server,libsecp256k1", "-o", filepath.Join(bin, "powdo-server-secp"), "pow.do")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	return build.Run()
})

func contenders() []contender {
	ours := func(program string) func(*testing.B, []pair) (string, int) {
		return func(b *testing.B, pairs []pair) (string, int) {
			w := newWorld(b)
			if program != "powdo-server" {
				if err := secpServer(); err != nil {
					b.Fatal(err)
				}
			}
			w.must("powdo-server", "init", "--role", "hub")
			var dvms []pow.Key
			var args []string
			for _, p := range pairs {
				dvms = append(dvms, p.dvm.Public())
				args = append(args, "--dvm", identity.Npub(p.dvm.Public()))
			}
			h, err := server.OpenHub(b.Context(), server.HubConfig{Dir: filepath.Join(w.data, "hub"), DVMs: dvms, Claims: byHandOnly{}})
			for _, p := range pairs {
				if err == nil {
					err = h.Allow(b.Context(), p.device.Public(), p.dvm.Public())
				}
			}
			if err == nil {
				err = h.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
			hub := w.serverOf(program, "hub", args...)
			return w.ready.Relay, hub.cmd.Process.Pid
		}
	}
	theirs := func(tags string) func(*testing.B, []pair) (string, int) {
		return func(b *testing.B, _ []pair) (string, int) {
			p := startPeerOf(b, tags)
			return p.relay, p.cmd.Process.Pid
		}
	}
	return []contender{
		{"ours", ours("powdo-server")}, {"khatru-lmdb", theirs("none")},
		{"ours+libsecp256k1", ours("powdo-server-secp")}, {"khatru-lmdb+libsecp256k1", theirs("libsecp256k1")},
	}
}

// BenchmarkRelays has our hub and the best Go relay that is a module accept the
// same letters, one after the other in one run: each is verified, stored and
// answered with OK true. Ours answers after the letter is on the disk. Some
// letters are stored before the clock starts. Sender and relay share the machine,
// so the CPU time of the relay's process counts most.
func BenchmarkRelays(b *testing.B) {
	const stored, measured = 4_000, 8_000
	pairs := make([]pair, 4) // a DVM may send 6,000 at once
	var batches [2][]job
	for i := range pairs {
		pairs[i] = pair{newSecret(b), newSecret(b)}
		for n, l := range letters(b, pairs[i].dvm, pairs[i].device.Public(), (stored+measured)/len(pairs)) {
			part := 1
			if n < stored/len(pairs) {
				part = 0
			}
			batches[part] = append(batches[part], job{i, l})
		}
	}
	var sample []pow.Letter
	for _, j := range batches[1][:2000] {
		sample = append(sample, j.letter)
	}
	perSignature := signatureCost(b, sample)
	for _, c := range contenders() {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				relay, pid := c.start(b, pairs)
				var senders []sender
				for _, p := range pairs {
					senders = append(senders, newSender(b, relay, p.dvm))
				}
				sendJobs(senders, batches[0])
				before := cpuTime(b, pid)
				var answers []time.Duration
				took := taking(func() { answers = sendJobs(senders, batches[1]) })
				cpu := cpuTime(b, pid) - before
				report(b, measured/took.Seconds(), "letters/s")
				report(b, measured/cpu.Seconds(), "letters/cpu-s")
				report(b, float64(cpu)/measured/float64(perSignature), "letter/pure-Go-verification")
				report(b, millis(rank(answers, 0.5)), "p50-OK-ms")
				report(b, millis(rank(answers, 0.99)), "p99-OK-ms")
			}
		})
	}
}

// job is a letter and whose it is.
type job struct {
	sender int
	letter pow.Letter
}

// inFlight is how many letters of one sender wait for an OK.
const inFlight = 16

// sendJobs sends every letter as its sender and returns how long each waited for its OK.
func sendJobs(senders []sender, jobs []job) (answers []time.Duration) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, s := range senders {
		queue := make(chan pow.Letter, len(jobs))
		for _, j := range jobs {
			if j.sender == i {
				queue <- j.letter
			}
		}
		close(queue)
		for range inFlight {
			wg.Go(func() {
				for l := range queue {
					took := taking(func() { s.publish(l) })
					mu.Lock()
					answers = append(answers, took)
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	return answers
}
