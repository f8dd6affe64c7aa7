package client

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/parcel"
)

// worked is a machine with some seconds of tracked time and a picture, stopped.
func worked(t *testing.T, w *world, home string) *machine {
	t.Helper()
	m := joined(t, w, home)
	work(t, m)
	return m
}

func work(t *testing.T, m *machine) {
	t.Helper()
	_, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"})
	must(t, err)
	_, err = m.Capture(t.Context())
	must(t, err)
	m.until(t, "two seconds of work", func(s pow.Status) bool { return s.Timer.Elapsed >= 2 })
	_, err = m.Stop(t.Context())
	must(t, err)
}

// Locked means that nothing can be read or sent; tracking goes on. The backup
// brings the key back, and only its own.
func TestKeysLifeInAnAgent(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	m := joined(t, w, home)
	_, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"})
	must(t, err)
	must(t, m.Lock(t.Context()))
	k, err := m.Keys(t.Context())
	if err != nil || !k.Locked || k.Storage != "passphrase" || !strings.HasPrefix(k.Npub, "npub1") || !k.BackupTested.IsZero() {
		t.Errorf("keys while locked: %+v %v", k, err)
	}
	m.agent.mu.Lock()
	if m.agent.keys != nil || m.agent.team != nil {
		t.Error("keys or team are still there")
	}
	m.agent.mu.Unlock()
	if _, err := m.agent.vault.Secrets(); !errors.Is(err, pow.ErrLocked) {
		t.Error("the vault is open:", err)
	}
	if _, err := m.Capture(t.Context()); err != nil {
		t.Error("no picture while locked:", err)
	}
	for name, err := range map[string]error{
		"register": second(m.Register(t.Context())), "backup": second(m.Backup(t.Context(), "p")), "remove": m.RemoveDevice(t.Context(), pow.Key{1}),
		"export": m.ExportProof(t.Context(), pow.ExportRequest{ID: "x", File: "/x"}), "check": second(m.CheckProofs(t.Context())),
	} {
		if !errors.Is(err, pow.ErrLocked) {
			t.Errorf("%s while locked: %v", name, err)
		}
	}
	const changed = "another passphrase"
	if err := m.ChangePassphrase(t.Context(), pow.PassphraseChange{Old: "wrong", New: changed}); !errors.Is(err, pow.ErrLocked) {
		t.Error("changed with the wrong passphrase:", err)
	}
	must(t, m.ChangePassphrase(t.Context(), pow.PassphraseChange{Old: passphrase, New: changed}))
	if err := m.Unlock(t.Context(), passphrase); !errors.Is(err, pow.ErrLocked) {
		t.Error("the old passphrase still opens:", err)
	}
	must(t, m.Unlock(t.Context(), changed))
	m.until(t, "the team is back", func(s pow.Status) bool { return s.Team != "" && s.Timer.Project.Name != "" })
	testBackup(t, m)
	if err := m.RemoveDevice(t.Context(), w.device); !errors.Is(err, pow.ErrUsage) {
		t.Error("removed itself:", err)
	}
	must(t, m.RemoveDevice(t.Context(), pow.Key{7}))
	must(t, m.Leave(t.Context()))
	if s, err := m.Status(t.Context()); err != nil || s.Timer.State != pow.Stopped {
		t.Errorf("after leaving: %+v %v", s.Timer, err)
	}
	if _, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01"}); err == nil {
		t.Error("who left can still start")
	}
}

func testBackup(t *testing.T, m *machine) {
	t.Helper()
	secret, err := m.Backup(t.Context(), "backup passphrase")
	must(t, err)
	for name, c := range map[string]pow.BackupTest{
		"wrong passphrase": {Ncryptsec: secret, Passphrase: "other"},
		"not a key":        {Ncryptsec: "ncryptsec1xyz", Passphrase: "p"},
		"nothing":          {},
		"another key": {Words: strings.Fields(
			"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")},
	} {
		if err := m.TestBackup(t.Context(), c); err == nil {
			t.Errorf("%s: found to be good", name)
		}
	}
	must(t, m.TestBackup(t.Context(), pow.BackupTest{Ncryptsec: secret, Passphrase: "backup passphrase"}))
	if k, err := m.Keys(t.Context()); err != nil || time.Since(k.BackupTested) > time.Minute {
		t.Errorf("tested at %v, %v", k.BackupTested, err)
	}
}

var share = regexp.MustCompile(`-> X25519 [A-Za-z0-9+/]{40,}`)

// shares are the one-time keys of everything encrypted in the queue's file: each
// marks one piece of it.
func shares(t *testing.T, home string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(home, "queue.db"))
	must(t, err)
	found := map[string]bool{}
	for _, s := range share.FindAllString(string(b), -1) {
		found[s] = true
	}
	return found
}

// What is forgotten is not in the file any more, not even as ciphertext.
func TestForget(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	m := joined(t, w, home)
	before := shares(t, home)
	work(t, m)
	canaries := shares(t, home)
	maps.DeleteFunc(canaries, func(s string, _ bool) bool { return before[s] })
	if len(canaries) < 2 {
		t.Fatalf("%d marks of a picture in the file", len(canaries))
	}
	for name, r := range map[string]pow.ForgetRequest{
		"dry run": {DryRun: true}, "another project": {Project: "00000000000000ff"}, "another time": {Span: time.Nanosecond},
	} {
		f, err := m.Forget(t.Context(), r)
		if err != nil || r.DryRun != (f.Pictures == 1 && f.Seconds >= 2) {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
	if s, err := m.Status(t.Context()); err != nil || s.Held != 1 {
		t.Fatalf("held %d, %v", s.Held, err)
	}
	f, err := m.Forget(t.Context(), pow.ForgetRequest{Span: time.Hour})
	if err != nil || f.Pictures != 1 || f.Seconds < 2 || f.After >= f.Before {
		t.Errorf("forget: %+v %v", f, err)
	}
	for s := range shares(t, home) {
		if canaries[s] {
			t.Error("a piece of the picture is still in the file")
		}
	}
	if s, err := m.Status(t.Context()); err != nil || s.Held != 0 || s.HeldSeconds != 0 || s.TodaySeconds != 0 {
		t.Errorf("after: %+v %v", s, err)
	}
	if sizes, err := m.Sizes(t.Context()); err != nil || sizes.Queue == 0 || sizes.Pictures != 0 || sizes.Limit == 0 || sizes.Free == 0 {
		t.Errorf("sizes: %+v %v", sizes, err)
	}
}

// A timer that runs goes on, and counts from now.
func TestForgetWhileTracking(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := newWorld(t)
	m := joined(t, w, newHome(t))
	s, err := m.Start(t.Context(), pow.StartRequest{Project: "Project 01", Note: "the note"})
	must(t, err)
	m.until(t, "some time", func(s pow.Status) bool { return s.Timer.Elapsed >= 3 })
	_, err = m.Forget(t.Context(), pow.ForgetRequest{Span: time.Hour})
	must(t, err)
	after, err := m.Status(t.Context())
	if err != nil || after.Timer.State != pow.Tracking || after.Timer.Elapsed > 2 || after.Timer.Session == s.Timer.Session || after.Timer.Note != "the note" {
		t.Errorf("after: %+v %v", after.Timer, err)
	}
}

// Everything is everything: no key, no queue, no archive, and the agent is gone.
func TestForgetEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	m := worked(t, w, home)
	if _, err := m.Forget(t.Context(), pow.ForgetRequest{Everything: true, Span: time.Hour}); !errors.Is(err, pow.ErrUsage) {
		t.Error("everything of the last hour:", err)
	}
	w.mu.Lock()
	w.deaf = true
	w.mu.Unlock()
	_, err := m.Register(t.Context())
	must(t, err)
	m.until(t, "it lies on the server", func(s pow.Status) bool { return s.Outbox[pow.Relayed] > 0 })
	f, err := m.Forget(t.Context(), pow.ForgetRequest{Everything: true})
	if err != nil || len(f.Remains) != 1 || f.Remains[0].Proofs != 1 {
		t.Errorf("forget: %+v %v", f, err)
	}
	m.stop()
	left, err := filepath.Glob(filepath.Join(home, "*"))
	left = slices.DeleteFunc(left, func(name string) bool { return strings.HasSuffix(name, ".lock") }) // empty, or a pid
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	m = boot(t, home, "")
	if s, err := m.Status(t.Context()); err != nil || s.Setup.Key {
		t.Errorf("a new start: %+v %v", s.Setup, err)
	}
}

// A proof goes to the DVM in a file and its answer comes back in one.
func TestByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w, home := newWorld(t), newHome(t)
	w.deaf = true
	m := worked(t, w, home)
	ids, err := m.Register(t.Context())
	must(t, err)
	file := filepath.Join(t.TempDir(), "proof.powdo")
	if err := m.ExportProof(t.Context(), pow.ExportRequest{ID: ids[0], File: "proof.powdo"}); !errors.Is(err, pow.ErrUsage) {
		t.Error("a path that is not absolute:", err)
	}
	must(t, m.ExportProof(t.Context(), pow.ExportRequest{ID: ids[0], File: file}))
	if err := m.ExportProof(t.Context(), pow.ExportRequest{ID: ids[0], File: file}); !errors.Is(err, errFileThere) {
		t.Error("written over a file")
	}
	if err := m.ExportProof(t.Context(), pow.ExportRequest{ID: "x", File: file + "2"}); !errors.Is(err, pow.ErrNotFound) {
		t.Error("a proof that is not there:", err)
	}
	n := opensAtTheDVM(t, w, file)
	if _, err := m.ImportProofs(t.Context(), file); !errors.Is(err, pow.ErrUsage) || !strings.Contains(err.Error(), "powdo-server import") {
		t.Error("took its own proof for an answer:", err)
	}
	stranger := w.receiptFile(t, n, func(r *pow.Receipt) { r.Answers[0] ^= 1 })
	if _, err := m.ImportProofs(t.Context(), stranger); !errors.Is(err, pow.ErrNotFound) {
		t.Error("an answer to something else:", err)
	}
	if count, err := m.ImportProofs(t.Context(), w.receiptFile(t, n, func(*pow.Receipt) {})); err != nil || count != 1 {
		t.Fatalf("import: %d %v", count, err)
	}
	m.until(t, "it is booked", func(s pow.Status) bool { return s.Outbox[pow.Booked] == 1 })
	if err := m.ExportProof(t.Context(), pow.ExportRequest{ID: ids[0], File: file + "3"}); !errors.Is(err, pow.ErrUsage) {
		t.Error("exported what is booked:", err)
	}
	checkHistory(t, m)
}

// opensAtTheDVM reads an exported proof as the DVM does.
func opensAtTheDVM(t *testing.T, w *world, file string) pow.Notice {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	var sealed bytes.Buffer
	l, err := parcel.Read(f, func(_ pow.Letter, _ int64, r io.Reader) error { return second(sealed.ReadFrom(r)) })
	must(t, err)
	reader := envelope.Reader{Me: w.secret, Kinds: []int{envelope.KindNotice}, Allow: func(pow.Key) bool { return true }}
	mail, err := reader.Open(l.JSON, time.Now())
	if err != nil || mail.Notice == nil {
		t.Fatalf("the letter: %+v %v", mail, err)
	}
	opened, err := w.opener.Open(t.Context(), bytes.NewReader(sealed.Bytes()), int64(sealed.Len()), *mail.Notice)
	if err != nil || len(opened.Proof.Captures) != 1 {
		t.Fatalf("the archive: %v", err)
	}
	return *mail.Notice
}

func (w *world) receiptFile(t *testing.T, n pow.Notice, change func(*pow.Receipt)) string {
	t.Helper()
	r := n.Reply(pow.CodeBooked, time.Now())
	r.Span, r.Proven, r.Booking = n.Interval, int64(n.Interval.Duration()/time.Second)+60, pow.Booking{State: "booked", System: "ledger"}
	change(&r)
	_, seal, err := envelope.SealReceipt(w.secret, r, time.Now())
	must(t, err)
	l, err := envelope.Wrap(seal, n.Device, time.Now())
	must(t, err)
	name := filepath.Join(t.TempDir(), "answer.powdo")
	must(t, newFile(name, func(f io.Writer) error { return parcel.Write(f, l.JSON, nil, 0) }))
	return name
}

// checkHistory wants one booked proof, of which the team counts a minute more.
func checkHistory(t *testing.T, m *machine) {
	t.Helper()
	days, err := m.History(t.Context(), localDay(time.Now()))
	if err != nil || len(days) != 1 {
		t.Fatalf("history: %+v %v", days, err)
	}
	if d := days[0]; d.Booked != d.Total || d.Total < 2 || d.Unregistered != 0 || d.OnTheWay != 0 || d.Difference != 60 || d.Project.Name == "" {
		t.Errorf("%+v", d)
	}
	if _, err := m.History(t.Context(), pow.Interval{}); !errors.Is(err, pow.ErrUsage) {
		t.Error("history of nothing:", err)
	}
	c, err := m.CheckProofs(t.Context())
	if err != nil || c.State != "ok" || !strings.HasPrefix(c.Detail, "1 of 1 in order, 1 answered") {
		t.Errorf("check: %+v %v", c, err)
	}
	ds, err := m.agent.queue.Deliveries()
	must(t, err)
	_, err = m.agent.queue.Update(ds[0].ID, func(d *pow.Delivery) error {
		d.Statement.Interval.To = d.Statement.Interval.To.Add(time.Hour)
		return nil
	})
	must(t, err)
	if c, err := m.CheckProofs(t.Context()); err != nil || c.State != "failed" || !strings.HasPrefix(c.Detail, "0 of 1") {
		t.Errorf("check of a changed header: %+v %v", c, err)
	}
}

// A rehearsal shows that sealing works, and leaves nothing behind.
func TestRehearse(t *testing.T) {
	m := boot(t, newHome(t), "")
	r, err := m.Rehearse(t.Context(), nil)
	if err != nil || !r.Opened || !r.Denied || !bytes.Equal(r.Before, r.After) || len(r.Before) == 0 || r.Size == 0 || r.Hash.IsZero() {
		t.Errorf("rehearsal: %d %d %d bytes, opened %v, denied %v, %v", len(r.Before), len(r.After), r.Size, r.Opened, r.Denied, err)
	}
	r, err = m.Rehearse(t.Context(), []pow.Edit{{Kind: pow.EditRedact}})
	if err != nil || !r.Opened || bytes.Equal(r.Before, r.After) {
		t.Errorf("blacked out: opened %v, same %v, %v", r.Opened, bytes.Equal(r.Before, r.After), err)
	}
	must(t, m.Sensitive(t.Context(), true))
	if _, err := m.Rehearse(t.Context(), nil); !errors.Is(err, errHeldBack) {
		t.Error("a picture of secrets:", err)
	}
}

// Each part can be asked for alone, and a home folder without keys has no failure.
func TestDoctorParts(t *testing.T) {
	m := boot(t, newHome(t), "")
	all, err := m.Doctor(t.Context())
	must(t, err)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
		if c.State == "failed" {
			t.Errorf("%+v", c)
		}
	}
	want := []string{"display and capture", "permission", "ActivityWatch", "keyring", "keys", "home folder", "team", "SOCKS5", "version"}
	if !slices.Equal(names, want) {
		t.Errorf("lines %q, want %q", names, want)
	}
	if c, err := m.Test(t.Context(), "home"); err != nil || len(c) != 1 || c[0].State != "ok" {
		t.Errorf("home: %+v %v", c, err)
	}
	must(t, os.WriteFile(filepath.Join(m.agent.cfg.Home, "open"), nil, 0o644))
	if c, err := m.Test(t.Context(), "home"); err != nil || c[0].State != "failed" {
		t.Errorf("a file that others may read: %+v %v", c, err)
	}
	if _, err := m.Test(t.Context(), "everything"); !errors.Is(err, pow.ErrUsage) || !strings.Contains(err.Error(), "capture") {
		t.Error(err)
	}
}
