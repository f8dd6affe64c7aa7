package client

import (
	"errors"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
	"go.uber.org/goleak"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
)

// No test may touch the keyring of whoever runs it.
func TestMain(m *testing.M) {
	keyring.MockInitWithError(errors.New("no keyring here"))
	goleak.VerifyTestMain(m)
}

// joined is a machine that has a key and belongs to the world's team.
func joined(t *testing.T, w *world, home string) *machine {
	t.Helper()
	m := boot(t, home, "")
	k, err := m.NewKey(t.Context(), pow.KeyRequest{Passphrase: passphrase})
	if err != nil || k.Mnemonic == "" {
		t.Fatalf("new key: %v", err)
	}
	j, err := m.Join(t.Context(), pow.JoinRequest{Link: w.invite(), Name: "laptop"})
	if err != nil || j.Code != pow.CodeEnrolled || j.Member != "Anna" || len(j.Projects) != projects {
		t.Fatalf("join: %+v %v", j, err)
	}
	agreeAll(t, m)
	return m
}

// A day from the first start to the receipt, with a restart while the timer
// runs and the keys locked after it.
func TestFromKeyToReceipt(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	m := joined(t, w, home)
	s, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 03", Note: "the note"})
	must(t, err)
	session := s.Timer.Session
	pictures, err := m.Capture(t.Context())
	if err != nil || len(pictures) != 1 {
		t.Fatalf("capture: %+v %v", pictures, err)
	}
	m.until(t, "two seconds of work", func(s pow.Status) bool { return s.Timer.Elapsed >= 2 })
	m.stop()

	m = boot(t, home, "") // nobody gives the passphrase
	s, err = m.Status(t.Context())
	if err != nil || !s.Setup.Locked || s.Timer.State != pow.Tracking || s.Timer.Session != session || s.Held != 1 {
		t.Fatalf("locked start: %+v %v", s, err)
	}
	if _, err := m.Capture(t.Context()); err != nil {
		t.Error("no capture while locked:", err)
	}
	if _, err := m.Register(t.Context()); !errors.Is(err, pow.ErrLocked) {
		t.Error("register while locked:", err)
	}
	if err := m.Unlock(t.Context(), "wrong"); !errors.Is(err, pow.ErrLocked) {
		t.Error("wrong passphrase:", err)
	}
	must(t, m.Unlock(t.Context(), passphrase))
	m.until(t, "time after the restart", func(s pow.Status) bool { return s.Timer.Elapsed >= 5 && s.Timer.Project.Name != "" })
	_, err = m.Stop(t.Context())
	must(t, err)
	ids, err := m.Register(t.Context())
	if err != nil || len(ids) == 0 {
		t.Fatalf("register: %v %v", ids, err)
	}
	m.until(t, "all booked", func(s pow.Status) bool { return s.Outbox[pow.Booked] == len(ids) && s.Held == 0 && s.HeldSeconds == 0 })
	m.until(t, "the last receipt says so", func(s pow.Status) bool { return s.LastReceipt != nil && s.LastReceipt.Code == pow.CodeBooked })
	// What is answered is no reason for "try everything again" to fail.
	must(t, m.Retry(t.Context(), ""))
	if _, err := m.Register(t.Context()); !errors.Is(err, pow.ErrNothingHeld) {
		t.Error("registered twice:", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	captures := 0
	for _, o := range w.opened {
		captures += len(o.Proof.Captures)
	}
	if captures != 2 {
		t.Errorf("the DVM saw %d pictures, of 2", captures)
	}
}

// The same number with another text is refused and shown; a newer one is taken,
// an older one is not, not even by joining again.
func TestAnnouncements(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := newWorld(t)
	m := joined(t, w, newHome(t))
	first := w.ann
	box := &inbox{agent: m.agent, dvm: w.secret.Public()}
	give := func(revision int, name string) error {
		a := first
		a.Revision, a.Name = revision, name
		b, err := envelope.Announce(w.secret, a, time.Now())
		must(t, err)
		return box.announcement(b)
	}
	must(t, give(1, "Another"))
	s, err := m.Status(t.Context())
	if err != nil || s.Team != first.Name || len(s.Warnings) != 1 || s.Warnings[0].Code != "equivocation" {
		t.Errorf("equivocation: %q %+v %v", s.Team, s.Warnings, err)
	}
	must(t, give(3, "Third"))
	must(t, give(2, "Second"))
	if s, err = m.Status(t.Context()); err != nil || s.Team != "Third" || len(s.Warnings) != 0 {
		t.Errorf("newer: %q %+v %v", s.Team, s.Warnings, err)
	}
	// The relay still has the first one.
	j, err := m.Join(t.Context(), pow.JoinRequest{Link: w.invite()})
	if err != nil || j.Code != pow.CodeEnrolled {
		t.Fatalf("join again: %+v %v", j, err)
	}
	if s, err = m.Status(t.Context()); err != nil || s.Team != "Third" {
		t.Errorf("joining went back to %q: %v", s.Team, err)
	}
}

// Who is suspended captures nothing new, also with a timer that runs already; a
// project that disappeared keeps its rules.
func TestSuspendedWhileTracking(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := newWorld(t)
	m := joined(t, w, newHome(t))
	_, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"})
	must(t, err)
	w.sendCatalogue(t.Context(), w.catalogue(2, "suspended"))
	m.until(t, "suspended", func(pow.Status) bool { x, err := m.agent.teamOrError(); return err == nil && x.Catalogue.Revision == 2 })
	if _, err := m.Capture(t.Context()); !errors.Is(err, pow.ErrForbidden) {
		t.Error("captured:", err)
	}
	must(t, m.agent.changeTeam(func(x *team) error { x.Catalogue.MemberState, x.Catalogue.Projects = "active", nil; return nil }))
	if p, err := m.agent.policyOf("0000000000000001"); err != nil || p.Detail != pow.DetailOff {
		t.Errorf("a project that disappeared: %+v %v", p, err)
	}
}

// A timer whose agent is gone does not run on because somebody looked at it;
// one that a command started does.
func TestUnattended(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	m := joined(t, w, home)
	_, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"})
	must(t, err)
	m.stop()
	left := func(do func(*Agent)) (id string) {
		a, err := Open(t.Context(), Config{Home: home, Passphrase: func() (string, error) { return passphrase, nil }, Log: m.agent.log})
		must(t, err)
		do(a)
		if _, err := a.queue.Doc(docUnattended, &id); err != nil {
			t.Error(err)
		}
		must(t, a.Close())
		return id
	}
	look := func(*Agent) {}
	left(look)
	if id := left(look); id != "" {
		t.Error("looking made it run unattended")
	}
	left(func(a *Agent) {
		_, err := a.Start(t.Context(), pow.StartRequest{Project: "Project 02"})
		must(t, err)
	})
	if left(look) == "" {
		t.Error("a timer that a command started is not left running")
	}
}

// Nothing is taken while secrets are on the screen, also when they came there
// during the grab.
func TestSensitive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := newWorld(t)
	m := joined(t, w, newHome(t))
	_, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"})
	must(t, err)
	must(t, m.Sensitive(t.Context(), true))
	if _, err := m.Capture(t.Context()); !errors.Is(err, errHeldBack) {
		t.Error(err)
	}
	must(t, m.Sensitive(t.Context(), false))
	if _, err := m.Capture(t.Context()); err != nil {
		t.Error(err)
	}
}
