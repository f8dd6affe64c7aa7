package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBookedInAFile books into the second timesheet system, kills the server in
// between, and finds every session once.
func TestBookedInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hours.jsonl")
	w, server, agent := joined(t, "--timesheet-file", file)
	for range 2 {
		w.must("powdo", "start", projectName)
		time.Sleep(1100 * time.Millisecond)
		w.must("powdo", "stop")
		w.must("powdo", "register", "--wait")
		server.kill()
		server = w.server("all", "--timesheet-file", file)
	}
	w.must("powdo", "drain")
	proven := map[string]int64{}
	for _, s := range w.sessions() {
		if s.Booking.State != "booked" || s.Booking.Timesheet == 0 {
			t.Errorf("not booked: %+v", s)
		}
		proven[s.Session] = s.Proven
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	booked := map[string]int64{}
	for line := range strings.Lines(string(b)) {
		var l struct {
			Session string
			Member  string
			Project project
			Seconds int64
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Member != memberName || l.Project.Name != projectName {
			t.Errorf("line %q: %v", line, err)
		}
		booked[l.Session] = l.Seconds
	}
	if len(proven) != 2 || len(booked) != 2 {
		t.Fatalf("%d sessions proven, %d booked", len(proven), len(booked))
	}
	for id, n := range proven {
		if booked[id] != n {
			t.Errorf("session %s: %d s proven, %d s booked", id, n, booked[id])
		}
	}
	agent.stop(t)
	server.stop(t)
}
