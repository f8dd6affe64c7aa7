package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx = context.Background()
	now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
)

func digest(words ...any) pow.Hash { return sha256.Sum256(fmt.Append(nil, words...)) }

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dvm", "ledger.db")
	a := open(t, path)
	must(t, a.SetProject(ctx, pow.BookableProject{Project: pow.Project{ID: "a", Name: "A"}}, now))
	b := open(t, path)
	if p, err := b.Projects(ctx); err != nil || len(p) != 1 || p[0].Name != "A" {
		t.Errorf("the second sees %v, %v", p, err)
	}
	for _, name := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
}

// A path may have characters that mean something in a URL.
func TestOpenOddName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20", "ledger.db")
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(path string) error
		want error
	}{
		"newer": {func(path string) error {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				return err
			}
			_, err = db.Exec("CREATE TABLE t (x); PRAGMA user_version = 99")
			return errors.Join(err, db.Close())
		}, ledger.ErrNewer},
		"no database": {func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 4096), 0o600) }, nil},
		"too short":   {func(path string) error { return os.WriteFile(path, []byte("SQLite format 3"), 0o600) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			must(t, c.make(path))
			before, err := os.ReadFile(path)
			must(t, err)
			_, err = ledger.Open(ctx, path)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("opened: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was touched: %v", err)
			}
		})
	}
}

// The server and the command line write at the same time.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	a, b := open(t, path), open(t, path)
	var all sync.WaitGroup
	errs := make([]error, 80)
	for i := range errs {
		all.Go(func() {
			l := a
			if i%2 == 0 {
				l = b
			}
			errs[i] = l.LetterDropped(ctx, digest(i), "test", now)
		})
	}
	all.Wait()
	must(t, errors.Join(errs...))
	n, err := a.Counters(ctx)
	if err != nil || n["dropped/test"] != 80 {
		t.Errorf("counted %v, %v", n, err)
	}
}

func TestChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	server, admin := open(t, path), open(t, path)
	before, err := server.Changed(ctx)
	must(t, err)
	must(t, server.LetterDropped(ctx, digest(1), "test", now)) // not a person's doing
	if n, err := server.Changed(ctx); err != nil || n != before {
		t.Errorf("%d, %v after the server's own work", n, err)
	}
	must(t, admin.SetProject(ctx, pow.BookableProject{Project: pow.Project{ID: "a"}}, now))
	if n, err := server.Changed(ctx); err != nil || n == before {
		t.Errorf("%d, %v after a change by the command line", n, err)
	}
}

func TestLettersAreForgotten(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	must(t, l.LetterDropped(ctx, digest(1), "test", now))
	must(t, l.LetterDropped(ctx, digest(2), "test", now.AddDate(0, 0, 30)))
	kept, err := l.LetterAside(ctx, pow.Letter{ID: digest(3), JSON: []byte("x")}, now)
	if err != nil || !kept {
		t.Fatal(kept, err)
	}
	must(t, l.Prune(ctx, now.AddDate(0, 0, 61)))
	for i, want := range map[int]bool{1: false, 2: true} {
		if got, err := l.LetterSeen(ctx, digest(i)); err != nil || got != want {
			t.Errorf("letter %d: %v, %v", i, got, err)
		}
	}
	if left, err := l.LettersAside(ctx, 10); err != nil || len(left) != 0 {
		t.Errorf("aside: %v, %v", left, err)
	}
}

func TestAsideIsBounded(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	for i := range ledger.MaxAside + 1 {
		kept, err := l.LetterAside(ctx, pow.Letter{ID: digest(i), JSON: []byte("x")}, now)
		if err != nil || kept != (i < ledger.MaxAside) {
			t.Fatalf("letter %d: %v, %v", i, kept, err)
		}
	}
	if kept, err := l.LetterAside(ctx, pow.Letter{ID: digest(0), JSON: []byte("x")}, now); err != nil || !kept {
		t.Errorf("one that is there: %v, %v", kept, err)
	}
	must(t, l.LetterDropped(ctx, digest(0), "test", now))
	if kept, err := l.LetterAside(ctx, pow.Letter{ID: digest("last"), JSON: []byte("x")}, now); err != nil || !kept {
		t.Errorf("after one was taken: %v, %v", kept, err)
	}
}

func TestQuarantinedLetter(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	letter := pow.Letter{ID: digest(1), JSON: []byte("x")}
	must(t, l.LetterQuarantined(ctx, letter, "unwrap", "panic", now))
	must(t, l.LetterQuarantined(ctx, pow.Letter{ID: digest(2), JSON: []byte("y")}, "unwrap", "panic", now))
	q, err := l.Quarantine(ctx)
	if err != nil || len(q) != 2 {
		t.Fatal(q, err)
	}
	one, proof, err := l.Quarantined(ctx, q[0].ID, ledger.Filter{})
	if err != nil || one != q[0] || proof != nil || one.Letter != letter.ID {
		t.Errorf("%+v, %v, %v", one, proof, err)
	}
	must(t, l.Retry(ctx, q[0].ID, now))
	must(t, l.Drop(ctx, q[1].ID, now))
	if seen, err := l.LetterSeen(ctx, letter.ID); err != nil || seen {
		t.Errorf("a retried letter counts as seen: %v", err)
	}
	if left, err := l.LettersAside(ctx, 10); err != nil || len(left) != 1 || !bytes.Equal(left[0].JSON, letter.JSON) {
		t.Errorf("to be opened again: %v, %v", left, err)
	}
	for _, f := range []func() error{
		func() error { return l.Retry(ctx, q[0].ID, now) },
		func() error { return l.Drop(ctx, q[0].ID, now) },
		func() error { _, _, err := l.Quarantined(ctx, q[0].ID, ledger.Filter{}); return err },
		func() error { return l.Approve(ctx, "none", now) },
		func() error { return l.Reject(ctx, "none", "", now) },
		func() error { return l.Erase(ctx, "none", now) },
		func() error { return l.Decline(ctx, "none", now) },
		func() error { return l.RemoveDevice(ctx, pow.Key{}) },
		func() error { _, err := l.Member(ctx, pow.Key{}); return err },
		func() error { _, err := l.Project(ctx, "none"); return err },
	} {
		if err := f(); !errors.Is(err, pow.ErrNotFound) {
			t.Errorf("what is not there: %v", err)
		}
	}
}

func TestMembers(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	m := pow.Member{ID: "a", Identity: pow.Key(digest("anna")), Name: "Anna", State: "active", Projects: []pow.ProjectID{"p"}}
	must(t, l.SetMember(ctx, m, now))
	must(t, l.SetMember(ctx, pow.Member{ID: "b", Identity: pow.Key(digest("bert")), Name: "Bert", State: "suspended"}, now))
	all, err := l.Members(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "Anna" || all[0].May("q") || !all[1].May("q") || !all[0].Joined.Equal(now) {
		t.Errorf("members %+v, %v", all, err)
	}
	m.ID = "c"
	if err := l.SetMember(ctx, m, now); !errors.Is(err, &pow.Error{Code: pow.CodeIdentityMismatch}) {
		t.Errorf("one identity for two members: %v", err)
	}
	m.ID, m.Identity = "a", pow.Key(digest("new key"))
	must(t, l.SetMember(ctx, m, now))
	if _, err := l.Member(ctx, pow.Key(digest("anna"))); !errors.Is(err, pow.ErrNotFound) {
		t.Errorf("the old identity: %v", err)
	}
}

func TestSlots(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	must(t, l.Invite(ctx, pow.Slot{Claim: digest(1), Name: "Carl", KimaiUser: 7, Identity: pow.Key(digest("carl")), Expires: now.Add(time.Hour)}))
	must(t, l.Invite(ctx, pow.Slot{Claim: digest(2), Name: "Dora", Projects: []pow.ProjectID{}, Expires: now.Add(time.Minute)}))
	open, err := l.Slots(ctx, now)
	if err != nil || len(open) != 2 || open[1].KimaiUser != 7 || open[1].Projects != nil || open[0].Projects == nil {
		t.Errorf("slots %+v, %v", open, err)
	}
	if open, err = l.Slots(ctx, now.Add(time.Minute)); err != nil || len(open) != 1 {
		t.Errorf("a minute later %+v, %v", open, err)
	}
}

// Every error says what was being done.
func TestClosed(t *testing.T) {
	l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"))
	must(t, err)
	must(t, l.Close())
	for name, f := range map[string]func() error{
		"letter seen":  func() error { _, err := l.LetterSeen(ctx, digest(1)); return err },
		"letter aside": func() error { _, err := l.LetterAside(ctx, pow.Letter{}, now); return err },
		"aside":        func() error { _, err := l.LettersAside(ctx, 1); return err },
		"dropped":      func() error { return l.LetterDropped(ctx, digest(1), "x", now) },
		"quarantined":  func() error { return l.LetterQuarantined(ctx, pow.Letter{}, "x", "y", now) },
		"quarantine":   func() error { _, err := l.Quarantine(ctx); return err },
		"member":       func() error { _, err := l.Member(ctx, pow.Key{}); return err },
		"members":      func() error { _, err := l.Members(ctx); return err },
		"device":       func() error { _, err := l.DeviceKnown(ctx, pow.Key{}); return err },
		"slots":        func() error { _, err := l.Slots(ctx, now); return err },
		"invite":       func() error { return l.Invite(ctx, pow.Slot{}) },
		"projects":     func() error { _, err := l.Projects(ctx); return err },
		"project":      func() error { return l.SetProject(ctx, pow.BookableProject{}, now) },
		"notice": func() error {
			_, err := l.TakeNotice(ctx, pow.Mail{Notice: &pow.Notice{}}, pow.Member{}, pow.Receipt{}, now, now)
			return err
		},
		"account": func() error {
			_, err := l.TakeAccount(ctx, pow.Mail{Account: &pow.Account{}}, pow.Member{}, now)
			return err
		},
		"answer":     func() error { return l.TakeAnswer(ctx, pow.Mail{}, pow.Receipt{}, now) },
		"enrol":      func() error { _, err := l.Enrol(ctx, pow.Mail{Account: &pow.Account{}}, pow.Enrolment{}); return err },
		"devices":    func() error { _, err := l.DevicesAtWork(ctx); return err },
		"task":       func() error { _, _, err := l.NextTask(ctx, pow.Key{}, now); return err },
		"postpone":   func() error { return l.Postpone(ctx, pow.Task{}, now) },
		"refuse":     func() error { return l.Refuse(ctx, pow.Task{}, pow.Receipt{}, now) },
		"give up":    func() error { return l.QuarantineTask(ctx, pow.Task{}, "x", "y", now) },
		"accept":     func() error { _, err := l.Accept(ctx, pow.Evidence{}); return err },
		"work":       func() error { _, err := l.Work(ctx, "", "", pow.Interval{}); return err },
		"due":        func() error { _, _, err := l.SessionsDue(ctx, now); return err },
		"time":       func() error { _, err := l.SaveTime(ctx, pow.SessionWork{}, pow.SessionTime{}); return err },
		"record":     func() error { return l.SaveRecord(ctx, "", 1, 1, pow.TimesheetRecord{}, pow.Interval{}) },
		"controls":   func() error { _, err := l.Controls(ctx, "", 1); return err },
		"settle":     func() error { return l.Settle(ctx, pow.Settlement{}) },
		"letters":    func() error { _, _, err := l.Due(ctx, now, 1); return err },
		"sent":       func() error { return l.Sent(ctx, pow.Outgoing{}, now) },
		"catalogues": func() error { _, err := l.CataloguesDue(ctx, pow.Hash{}, 1); return err },
		"catalogue":  func() error { return l.PostCatalogue(ctx, pow.CatalogueDue{}, nil, now) },
		"silent":     func() error { return l.Silent(ctx, now, 1) },
		"expired":    func() error { _, err := l.Expired(ctx, now, 1); return err },
		"erased":     func() error { return l.Erased(ctx, pow.Hash{}) },
		"holds":      func() error { _, err := l.Holds(ctx, pow.Hash{}); return err },
		"dismissals": func() error { _, err := l.Dismissals(ctx); return err },
		"dismissed":  func() error { return l.Dismissed(ctx, pow.Key{}) },
		"prune":      func() error { return l.Prune(ctx, now) },
		"changed":    func() error { _, err := l.Changed(ctx); return err },
		"counters":   func() error { _, err := l.Counters(ctx); return err },
		"sessions":   func() error { _, err := l.Sessions(ctx, ledger.Filter{}); return err },
		"proofs":     func() error { _, err := l.Proofs(ctx, ledger.Filter{}); return err },
	} {
		if err := f(); err == nil || errors.Unwrap(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The views of SCHEMA.md can be read by any SQLite program.
func TestViews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	for _, view := range []string{"hours", "parked", "evidence"} {
		rows, err := db.Query("SELECT * FROM " + view)
		if err != nil {
			t.Errorf("%s: %v", view, err)
			continue
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
}
