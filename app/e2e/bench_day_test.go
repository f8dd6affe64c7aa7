package e2e_test

import (
	"slices"
	"testing"
	"time"

	"pow.do/services/client/control"
	"pow.do/services/pow"
)

// rounds of BenchmarkRegister: an honest median and nine tenths; the 99th of a
// hundred is then the slowest of all.
const rounds = 60

// BenchmarkRegister measures from Register PoW to the DVM's receipt that the
// time is booked, between the real programs on loopback: activity, sealing,
// upload, letter, fetch, check, ledger, booking and the letter back. A picture and
// 1.1 s of tracked time come before each round, outside the measured time.
func BenchmarkRegister(b *testing.B) {
	w, server, agent := joined(b)
	door := control.Client{Home: w.home}
	call := func(method string, result any) {
		if err := door.Call(b.Context(), method, nil, result); err != nil {
			b.Fatal(method, ": ", err)
		}
	}
	w.must("powdo", "start", projectName)
	for b.Loop() {
		var all []time.Duration
		for range rounds {
			call("capture", nil)
			time.Sleep(1100 * time.Millisecond) // real time is what is registered
			all = append(all, taking(func() {
				var ids []string
				call("register", &ids)
				for booked := false; !booked; time.Sleep(2 * time.Millisecond) {
					var items []pow.OutboxItem
					call("outbox", &items)
					booked = !slices.ContainsFunc(items, func(i pow.OutboxItem) bool { return slices.Contains(ids, i.ID) && i.State != pow.Booked })
				}
			}))
		}
		report(b, millis(rank(all, 0.5)), "p50-ms")
		report(b, millis(rank(all, 0.9)), "p90-ms")
		report(b, millis(rank(all, 0.99)), "p99-ms")
		b.Logf("%d rounds: p99 is the slowest", rounds)
	}
	server.stop(b)
	agent.stop(b)
}

// BenchmarkIdle is what a day costs between the pictures: CPU time in percent
// of one core and memory of the agent while it tracks, then of agent and window
// while the window shows the running timer.
func BenchmarkIdle(b *testing.B) {
	w, server, agent := joinedTo(b, []string{"--pictures", "forbidden"})
	w.must("powdo", "start", projectName)
	const settle, span = 10 * time.Second, 20 * time.Second // a software renderer compiles its first pictures
	observe := func(b *testing.B, pids map[string]int) {
		time.Sleep(settle)
		before := map[string]time.Duration{}
		for name, pid := range pids {
			before[name] = cpuTime(b, pid)
		}
		took := taking(func() { time.Sleep(span) })
		for name, pid := range pids {
			report(b, 100*float64(cpuTime(b, pid)-before[name])/float64(took), name+"-cpu-%")
			report(b, float64(held(b, pid, "VmRSS"))/mib, name+"-MiB")
		}
	}
	b.Run("agent", func(b *testing.B) {
		for b.Loop() {
			observe(b, map[string]int{"agent": agent.cmd.Process.Pid})
		}
	})
	b.Run("window", func(b *testing.B) {
		w := *w
		w.t = b
		window := w.spawn("powdo")
		w.eventually("the window shows", w.windowShown)
		for b.Loop() {
			observe(b, map[string]int{"agent": agent.cmd.Process.Pid, "window": window.cmd.Process.Pid})
		}
		window.kill()
	})
	server.stop(b)
	agent.stop(b)
}
