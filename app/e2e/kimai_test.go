package e2e_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pow.do/services/dvm/kimai/kimaitest"
)

// TestBookedInKimai goes from a click to a booked hour in Kimai: projects are
// taken over, two proofs make one record that grows, a lost answer and a killed
// DVM make no second one.
func TestBookedInKimai(t *testing.T) {
	w := newWorld(t)
	w.xvfb()
	server := kimaitest.New(kimaitest.Small())
	t.Cleanup(server.Close)
	faults := &kimaitest.Fault{Next: server}
	front := httptest.NewServer(faults)
	t.Cleanup(front.Close)
	token := filepath.Join(filepath.Dir(w.home), "token")
	if err := os.WriteFile(token, []byte(server.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--kimai", front.URL, "--kimai-token-file", token}

	w.must("powdo-server", "init", "--role", "all")
	w.must("powdo-server", append(flags, "projects", "sync")...)
	dvm := w.server("all", flags...)
	agent := w.agent()
	link := strings.TrimSpace(w.must("powdo-server", "invite", "--name", memberName, "--kimai-user", "2"))
	w.must("powdo", "join", link, "--yes")

	faults.Once(kimaitest.Method("POST"), kimaitest.Lose())
	w.must("powdo", "start", "Website", "--note", "Deep work")
	w.must("powdo", "capture")
	time.Sleep(2100 * time.Millisecond)
	w.must("powdo", "register")
	w.must("powdo", "drain")
	first := server.Timesheets()
	if len(first) != 1 {
		t.Fatalf("after a lost answer: %d records, want 1", len(first))
	}
	dvm.kill()
	dvm = w.server("all", flags...)
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")

	records := server.Timesheets()
	s := w.sessions()
	if len(records) != 1 || len(s) != 1 {
		t.Fatalf("%d records and %d sessions, want one each", len(records), len(s))
	}
	r := records[0]
	if r.User != 2 || r.Project != 1 || r.Description == nil || !strings.HasPrefix(*r.Description, "Deep work\n[powdo-") {
		t.Errorf("record: %+v", r)
	}
	if b := s[0].Booking; b.State != "booked" || b.Timesheet != r.ID {
		t.Errorf("booking: %+v, record %d", b, r.ID)
	}
	if r.Begin.After(s[0].Begin) || r.End.Before(s[0].End) { // Kimai rounds to full minutes, outwards
		t.Errorf("record %v–%v, session %v–%v", r.Begin, r.End, s[0].Begin, s[0].End)
	}
	if out := w.must("powdo-server", append(flags, "doctor")...); !strings.Contains(out, "Kimai") && !strings.Contains(out, "kimai") {
		t.Errorf("doctor says nothing of Kimai:\n%s", out)
	}
	if log := w.logs.String(); strings.Contains(log, server.Token) {
		t.Error("the token is in a log")
	}
	agent.stop(t)
	dvm.stop(t)
	t.Log("booked as record " + strconv.FormatInt(r.ID, 10))
}
