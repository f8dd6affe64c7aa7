package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTwoMachines runs hub and DVM as two programs with a data folder each, as
// on two machines, and keeps first the DVM and then the hub away for a while.
func TestTwoMachines(t *testing.T) {
	w := newWorld(t)
	w.xvfb()
	hubData := filepath.Join(filepath.Dir(w.home), "hub-machine")
	made := into[struct {
		DVM string `json:"dvm_npub"`
	}](w, w.must("powdo-server", "init", "--role", "dvm", "--json"))
	w.must("powdo-server", "--data", hubData, "init", "--role", "hub")
	startHub := func() *process { return w.server("hub", "--data", hubData, "--dvm", made.DVM) }
	hub := startHub()
	relay, blossom := w.ready.Relay, w.ready.Blossom
	startDVM := func() *process { return w.server("dvm", "--relay", relay, "--blossom", blossom) }
	dvm := startDVM()
	if w.ready.DVMNpub != made.DVM || w.ready.Relay != "" {
		t.Errorf("the DVM's ready line: %+v", w.ready)
	}
	w.must("powdo-server", "projects", "add", projectName, "--interval", "60")
	agent := w.agent()
	link := strings.TrimSpace(w.must("powdo-server", "invite", "--name", memberName, "--relay", relay, "--blossom", blossom))
	w.must("powdo", "join", link, "--yes")
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)

	dvm.stop(t) // the letter and the blob wait at the hub
	w.must("powdo", "register")
	w.eventually("the hub has the proof", func() bool { o := w.outbox(); return len(o) == 1 && o[0].State == "relayed" })
	if _, code, errs := w.try("powdo", "drain", "--timeout", "1s"); code != 5 {
		t.Errorf("drain without a DVM: exit %d, want 5: %s", code, errs)
	}
	dvm = startDVM()
	w.must("powdo", "drain")

	hub.kill()
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register")
	hub = startHub()
	w.must("powdo", "drain")
	checkBooked(t, w, 2)
	if hits := hits(t, filepath.Join(hubData, "hub"), canaries()); len(hits) > 0 {
		t.Errorf("readable on the hub's disk: %v", hits)
	}
	agent.stop(t)
	dvm.stop(t)
	hub.stop(t)
}
