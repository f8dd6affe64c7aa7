package e2e_test

import (
	"testing"
	"time"
)

// TestArchiveKeyRotation changes the archive keys while a proof that is sealed
// to the old one is on its way: both that one and the next are booked, and the
// member's next archive is sealed to the new key.
func TestArchiveKeyRotation(t *testing.T) {
	w, server, agent := joined(t)
	type preview struct{ Recipient string }
	type shown struct {
		Archive []struct{ ID, Alg, State string }
	}
	before := into[shown](w, w.must("powdo-server", "keys", "--json")).Archive
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	old := into[preview](w, w.must("powdo", "register", "--dry-run", "--json")).Recipient
	if len(before) != 2 || old != before[0].ID {
		t.Fatalf("sealed to %s, announced were %+v", old, before)
	}
	server.stop(t)
	w.must("powdo", "register")
	w.eventually("sealed to the old key", func() bool { o := w.outbox(); return len(o) == 1 && o[0].State == "sealed" })

	after := into[shown](w, w.must("powdo-server", "keys", "rotate", "--overlap", "24h", "--json")).Archive
	if len(after) != 4 || after[0].ID == old || after[2].ID != old || after[0].State != "current" || after[2].State != "ending" {
		t.Fatalf("after the rotation: %+v", after)
	}
	server = w.server("all")
	w.must("powdo", "drain")
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	w.eventually("the member seals to the new key", func() bool {
		return into[preview](w, w.must("powdo", "register", "--dry-run", "--json")).Recipient == after[0].ID
	})

	// Once more, without a restart: the running server announces and opens.
	again := into[shown](w, w.must("powdo-server", "keys", "rotate", "--overlap", "24h", "--json")).Archive
	w.eventually("the running server announces the newest key", func() bool {
		return into[preview](w, w.must("powdo", "register", "--dry-run", "--json")).Recipient == again[0].ID
	})
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")
	checkBooked(t, w, 2)
	agent.stop(t)
	server.stop(t)
}
