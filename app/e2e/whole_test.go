package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/services/wire/identity"
)

// What the commands print with --json, as far as these tests look at it.
type (
	project struct {
		ID, Name string
	}
	status struct {
		Timer struct {
			State   string
			Project *project
			Session string
			Note    string
			Elapsed int64 `json:"elapsed_seconds"`
		}
		Today  int64 `json:"today_seconds"`
		Held   int
		Outbox map[string]int
	}
	outboxItem struct {
		ID, Session, State string
		Seq                int
		Captures           int
		Sealed             string `json:"sealed_sha256"`
		Size               int64
		From, To           time.Time
		Receipt            *struct{ Code string }
	}
	session struct {
		Session   string
		Member    struct{ Npub, Name string }
		Project   project
		Begin     time.Time
		End       time.Time
		Proven    int64 `json:"proven_seconds"`
		Intervals [][2]time.Time
		Proofs    int
		State     string
		Booking   struct {
			State     string
			Timesheet int64
			Reason    string
		}
	}
	proof struct {
		ID         int64
		State      string
		Code       string
		Captures   int
		Seq        int
		Sealed     string `json:"sealed_sha256"`
		Checks     struct{ Signature, Chain, Hashes, Window, Policy, Consent string }
		MemberNpub string `json:"member_npub"`
	}
)

// secretWords must be found nowhere but at the two ends.
const (
	projectName = "Zeppelin-Relaunch-4711"
	noteText    = "Note-Quokka-0815"
	memberName  = "Anna-Kanarienvogel"
)

// joined makes a world with a running server, an agent and a member with one project.
func joined(t testing.TB, serverArgs ...string) (w *world, server, agent *process) {
	t.Helper()
	return joinedTo(t, []string{"--interval", "60"}, serverArgs...)
}

// joinedTo is joined with a project of other settings.
func joinedTo(t testing.TB, projectArgs []string, serverArgs ...string) (w *world, server, agent *process) {
	t.Helper()
	w = newWorld(t)
	w.xvfb()
	server, agent = w.join(projectArgs, serverArgs...)
	return w, server, agent
}

// join makes server, agent and member of a world that has its display.
func (w *world) join(projectArgs []string, serverArgs ...string) (server, agent *process) {
	w.t.Helper()
	w.must("powdo-server", "init", "--role", "all")
	server = w.server("all", serverArgs...)
	w.must("powdo-server", append([]string{"projects", "add", projectName}, projectArgs...)...)
	agent = w.agent()
	link := strings.TrimSpace(w.must("powdo-server", "invite", "--name", memberName, "--relay", w.ready.Relay, "--blossom", w.ready.Blossom))
	w.must("powdo", "join", link, "--name", "Test computer", "--yes")
	return server, agent
}

func (w *world) sessions() []session {
	return into[[]session](w, w.must("powdo-server", "sessions", "--json"))
}

func (w *world) proofs() []proof {
	return into[[]proof](w, w.must("powdo-server", "proofs", "--json"))
}

func (w *world) outbox() []outboxItem {
	return into[[]outboxItem](w, w.must("powdo", "outbox", "--json"))
}

func (w *world) status() status { return into[status](w, w.must("powdo", "status", "--json")) }

// TestWholeWay goes from a click to a booked hour.
func TestWholeWay(t *testing.T) {
	w, server, agent := joined(t)
	if ps := into[[]project](w, w.must("powdo", "projects", "--json")); len(ps) != 1 || ps[0].Name != projectName {
		t.Fatalf("projects: %+v", ps)
	}
	w.must("powdo", "start", projectName, "--note", noteText)
	w.must("powdo", "capture")
	time.Sleep(2100 * time.Millisecond) // real time is what is measured here
	w.must("powdo", "capture")
	if s := w.status(); s.Timer.State != "tracking" || s.Timer.Project.Name != projectName || s.Timer.Elapsed < 2 || s.Held < 1 {
		t.Errorf("status: %+v", s)
	}
	items := into[[]outboxItem](w, w.must("powdo", "register", "--wait", "--json"))
	if len(items) != 1 || items[0].State != "booked" || items[0].Receipt == nil || items[0].Receipt.Code != "booked" || items[0].Seq != 1 {
		t.Fatalf("registered: %+v", items)
	}
	time.Sleep(2100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")
	if s := w.status(); s.Timer.State != "stopped" || s.Held != 0 {
		t.Errorf("status: %+v", s)
	}
	checkBooked(t, w, 2)
	server.stop(t)
	agent.stop(t)
}

// checkBooked wants one session with n accepted proofs, booked as long as the outbox says it worked.
func checkBooked(t *testing.T, w *world, n int) {
	t.Helper()
	var claimed int64
	for _, i := range w.outbox() {
		if i.State != "booked" {
			t.Errorf("outbox: %+v", i)
		}
		claimed += int64(i.To.Sub(i.From) / time.Second)
	}
	proofs := w.proofs()
	if len(proofs) != n {
		t.Errorf("%d proofs; want %d", len(proofs), n)
	}
	for _, p := range proofs {
		c := p.Checks
		if p.State != "accepted" || c.Signature != "ok" || c.Chain != "ok" || c.Hashes != "ok" || c.Window != "ok" || c.Policy != "ok" || c.Consent != "ok" {
			t.Errorf("proof: %+v", p)
		}
	}
	ss := w.sessions()
	if len(ss) != 1 {
		t.Fatalf("sessions: %+v", ss)
	}
	s := ss[0]
	if s.Proven != claimed || claimed == 0 || s.Proofs != n || s.Booking.State != "booked" || s.Project.Name != projectName || s.Member.Name != memberName {
		t.Errorf("session: %+v; the worker claims %d s", s, claimed)
	}
}

// The exit codes and refusals that scripts rely on.
func TestExitCodes(t *testing.T) {
	w := newWorld(t)
	for want, args := range map[int][]string{
		2: {"nonsense"},
		3: {"register"},
	} {
		if _, code, errs := w.try("powdo", args...); code != want || strings.Count(errs, "\n") != 1 {
			t.Errorf("powdo %v: exit %d, want %d: %q", args, code, want, errs)
		}
	}
	if out, code, _ := w.try("powdo", "status", "--json"); code != 0 || into[status](w, out).Timer.State != "stopped" {
		t.Errorf("status before anything: %d %s", code, out)
	}
	if _, code, _ := w.try("powdo", "join", "powdo://join#nonsense", "--yes"); code != 2 {
		t.Errorf("a broken link: exit %d", code)
	}
}

// TestKeyBackup: what was backed up is the same identity, under the passphrase only.
func TestKeyBackup(t *testing.T) {
	w, server, agent := joined(t)
	file := filepath.Join(t.TempDir(), "key")
	w.must("powdo", "keys", "backup", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shown := into[struct{ Npub string }](w, w.must("powdo", "keys", "--json"))
	back, err := identity.Import(strings.TrimSpace(string(b)), "correct horse battery staple")
	if err != nil || identity.Npub(back.Public()) != shown.Npub {
		t.Errorf("restored %s, was %s: %v", identity.Npub(back.Public()), shown.Npub, err)
	}
	if _, err := identity.Import(strings.TrimSpace(string(b)), "wrong"); err == nil {
		t.Error("any passphrase opens the backup")
	}
	if _, code, _ := w.try("powdo", "keys", "backup", file); code != 1 {
		t.Errorf("a backup overwrote a file: exit %d", code)
	}
	agent.stop(t)
	server.stop(t)
}
