package e2e_test

import (
	"os"
	"testing"
	"time"
)

// TestKills kills agent, window and servers in the middle, and keeps the hub
// away for a while: no registered proof is lost, no minute is booked twice.
func TestKills(t *testing.T) {
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	time.Sleep(2100 * time.Millisecond)
	agent.kill()
	agent = w.agent()
	if s := w.status(); s.Timer.State != "tracking" {
		t.Errorf("after the agent was killed: %+v", s)
	}
	time.Sleep(1100 * time.Millisecond)

	// Registered while the server is dead: it stays on this disk.
	server.kill()
	ids := into[[]outboxItem](w, w.must("powdo", "register", "--json"))
	if len(ids) == 0 {
		t.Fatal("nothing was registered")
	}
	if _, code, _ := w.try("powdo", "drain", "--timeout", "1s"); code != 5 {
		t.Errorf("drain without a server: exit %d, want 5", code)
	}
	agent.kill()
	agent = w.agent()

	server = w.server("all")
	w.must("powdo", "drain")
	n := len(w.outbox())
	checkBooked(t, w, n)

	// A window comes and dies; tracking does not notice.
	window := w.spawn("powdo")
	w.eventually("the window opens", func() bool { return w.windowShown() })
	w.must("powdo", "capture")
	window.kill()
	if s := w.status(); s.Timer.State != "tracking" {
		t.Errorf("after the window was killed: %+v", s)
	}
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register")
	server.kill()
	server = w.server("all")
	w.must("powdo", "drain")
	checkBooked(t, w, len(w.outbox()))
	agent.stop(t)
	server.stop(t)
}

// TestKillWhileDelivering kills both programs again and again while proofs are
// on their way, and wants every one of them booked exactly once in the end.
func TestKillWhileDelivering(t *testing.T) {
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName)
	rounds := 6
	for i := range rounds {
		w.must("powdo", "capture")
		time.Sleep(1100 * time.Millisecond)
		w.must("powdo", "register")
		time.Sleep(time.Duration(i) * 37 * time.Millisecond) // anywhere on the way
		if i%2 == 0 {
			agent.kill()
			agent = w.agent()
		} else {
			server.kill()
			server = w.server("all")
		}
	}
	w.must("powdo", "stop")
	if _, code, errs := w.try("powdo", "register"); code != 0 && code != 1 {
		t.Errorf("register: exit %d %s", code, errs)
	}
	w.must("powdo", "drain")
	checkBooked(t, w, len(w.outbox()))
	if n := len(w.outbox()); n < rounds {
		t.Errorf("%d proofs; want at least %d", n, rounds)
	}
	agent.stop(t)
	server.stop(t)
}

// TestNoAgent: without an agent every command does its work itself.
func TestNoAgent(t *testing.T) {
	w, server, agent := joined(t)
	agent.stop(t)
	if _, err := os.Stat(w.home + "/agent.sock"); err == nil {
		t.Error("the agent left its socket behind")
	}
	w.must("powdo", "start", projectName, "--note", noteText)
	w.must("powdo", "capture")
	// Each command is a program of its own, and opens the queue before the keys.
	if s := w.status(); s.Timer.Note != noteText {
		t.Errorf("the note became %q", s.Timer.Note)
	}
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")
	checkBooked(t, w, 1)
	server.stop(t)
}
