package queue_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// proofs tracks and enqueues n proofs of ten minutes.
func proofs(t testing.TB, q *queue.Queue, n int) (ids []string) {
	t.Helper()
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 10*n, "note")
	for i := range n {
		ids = append(ids, enqueue(t, q, session, 10*i, 10*i+10))
	}
	return ids
}

func sealedFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(dir, "outbox"))) {
		names = append(names, e.Name())
	}
	return names
}

func TestChain(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	ids := proofs(t, q, 3)
	first := seal(t, q, ids[0])

	broken := errors.New("no recipient")
	_, err := q.TakeSeq(ids[1], func(uint64, pow.Hash, io.Writer) (pow.Statement, pow.Sealed, []byte, error) {
		return pow.Statement{}, pow.Sealed{}, nil, broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	_, err = q.TakeSeq(ids[1], func(seq uint64, prev pow.Hash, w io.Writer) (pow.Statement, pow.Sealed, []byte, error) {
		s, sealed, head, err := sealing(q, ids[1])(seq, prev, w)
		sealed.Hash[0] ^= 1
		return s, sealed, head, err
	})
	if !errors.Is(err, pow.ErrHashMismatch) {
		t.Fatalf("wrong hash: %v", err)
	}
	check(t, q.Close())
	q, _ = open(t, dir)
	third := seal(t, q, ids[2])
	if third.Statement.Seq != 2 || third.Statement.Prev != first.Statement.ID || third.State != pow.Sealing {
		t.Errorf("statement %+v", third.Statement)
	}
	if again := seal(t, q, ids[2]); again.Statement.Seq != 2 {
		t.Errorf("sealed twice: seq %d", again.Statement.Seq)
	}
	r := must[io.ReadCloser](t)(third.Sealed.Open())
	defer r.Close()
	if b := must[[]byte](t)(io.ReadAll(r)); pow.Hash(sha256.Sum256(b)) != third.Sealed.Hash {
		t.Error("the sealed file differs")
	}
	if n := sealedFiles(t, dir); len(n) != 2 {
		t.Errorf("files %v", n)
	}
}

func TestRebuildGivesTheLastSeqBackOnly(t *testing.T) {
	q, _ := open(t, t.TempDir())
	ids := proofs(t, q, 3)
	for _, id := range ids {
		seal(t, q, id)
	}
	last := must[pow.Delivery](t)(q.Rebuild(ids[2])) // never announced, the last: seq 3 is free again
	if last.State != pow.Queued || last.Statement != nil || last.Sealed != nil {
		t.Errorf("rebuilt %+v", last)
	}
	must[pow.Delivery](t)(q.Rebuild(ids[0])) // not the last: seq 1 stays taken
	if d := seal(t, q, ids[0]); d.Statement.Seq != 3 {
		t.Errorf("seq %d, want 3", d.Statement.Seq)
	}
	must[pow.Delivery](t)(q.Update(ids[0], func(d *pow.Delivery) error {
		d.NoticeIDs = []pow.Hash{{9}} // announced: the DVM may know it
		return nil
	}))
	must[pow.Delivery](t)(q.Rebuild(ids[0]))
	if d := seal(t, q, ids[0]); d.Statement.Seq != 4 {
		t.Errorf("seq %d, want 4", d.Statement.Seq)
	}
}

func TestReseal(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	id := proofs(t, q, 1)[0]
	first := seal(t, q, id)
	d, err := q.Reseal(id, func(head []byte, w io.Writer) (pow.Sealed, error) {
		if string(head) != "head of "+id {
			t.Errorf("head %q", head)
		}
		return put(w, []byte("sealed to another key"))
	})
	check(t, err)
	if d.Statement.ID != first.Statement.ID || d.Sealed.Hash == first.Sealed.Hash || d.Resealed != 1 || len(d.SealedHashes) != 2 {
		t.Errorf("resealed %+v", d)
	}
	if n := sealedFiles(t, dir); len(n) != 1 || !strings.HasPrefix(n[0], d.Sealed.Hash.String()) {
		t.Errorf("files %v", n)
	}
}

func TestSplit(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 40, "n")
	id := ulid(t, day)
	check(t, q.SetActivity(id, pow.Activity{Active: 40 * time.Minute, Rows: []pow.ActivityRow{{From: after(15), To: after(25)}}}))
	check(t, q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: span(0, 40), Action: pow.ActionStop}}))
	later := must[pow.Delivery](t)(q.Split(id))
	a, b := must[pow.Proof](t)(q.ProofOf(id)), must[pow.Proof](t)(q.ProofOf(later.ID))
	if a.Interval != span(0, 20) || b.Interval != span(20, 40) || len(a.Captures) != 2 || len(b.Captures) != 2 {
		t.Errorf("%v %d, %v %d", a.Interval, len(a.Captures), b.Interval, len(b.Captures))
	}
	if len(a.Activity.Rows) != 1 || !a.Activity.Rows[0].To.Equal(after(20)) || a.Activity.Unknown != 20*time.Minute || len(b.Activity.Rows) != 1 {
		t.Errorf("activity %+v, %+v", a.Activity, b.Activity)
	}
	if d := must[pow.Delivery](t)(q.Delivery(id)); d.Action != pow.ActionExtend || later.Action != pow.ActionStop {
		t.Errorf("actions %s, %s", d.Action, later.Action)
	}
	must[pow.Delivery](t)(q.Split(id))
	if _, err := q.Split(id); !errors.Is(err, pow.ErrTooLarge) {
		t.Errorf("split of one picture: %v", err)
	}
}

// receive stores a Receipt.
func receive(t testing.TB, q *queue.Queue, id string, code pow.Code, sealed pow.Hash) {
	t.Helper()
	must[pow.Delivery](t)(q.Answer(id, []byte("kind 13 of the Receipt"), func(d *pow.Delivery) error {
		d.Receipt = &pow.Receipt{Code: code, Sealed: sealed, Text: "thank you, Anna"}
		d.State = pow.Accepted
		return nil
	}))
}

func TestOnlyAReceiptEndsALife(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	id := proofs(t, q, 1)[0]
	d := seal(t, q, id)
	refused := func(when string) {
		t.Helper()
		if err := q.EndLife(id); !errors.Is(err, pow.ErrUsage) {
			t.Errorf("%s: %v, want a refusal", when, err)
		}
	}
	refused("no Receipt")
	receive(t, q, id, pow.CodeReceived, d.Sealed.Hash)
	refused("received")
	receive(t, q, id, pow.CodeAccepted, pow.Hash{1})
	refused("another Sealed")
	receive(t, q, id, pow.CodeAccepted, d.Sealed.Hash)
	check(t, q.EndLife(id))
	check(t, q.EndLife(id))
	check(t, q.Tidy())

	d = must[pow.Delivery](t)(q.Delivery(id))
	if d.Statement == nil || d.Receipt == nil || d.Receipt.Text != "thank you, Anna" || d.Captures != 1 {
		t.Errorf("header %+v", d)
	}
	if e := must[[]byte](t)(q.Evidence(id)); string(e) != "kind 13 of the Receipt" {
		t.Errorf("evidence %q", e)
	}
	if n := sealedFiles(t, dir); len(n) != 0 {
		t.Errorf("files %v", n)
	}
	q.SetOpener(nil)
	if d = must[pow.Delivery](t)(q.Delivery(id)); d.Receipt.Text != "" {
		t.Error("the Receipt's text is readable while locked")
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: plainBox{}})
	check(t, err)
	defer q.Close()
	q.SetOpener(plainBox{})
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 200, "")
	id := ulid(t, day)
	check(t, q.SetActivity(id, pow.Activity{Rows: []pow.ActivityRow{{Title: "canary title"}}}))
	check(t, q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: span(0, 100)}}))
	d := seal(t, q, id)
	dropped := must[[]pow.Capture](t)(q.Held(""))
	// Without encryption the canaries are there: the search finds what is to be found.
	if count(t, dir, "picture ") == 0 || count(t, dir, "canary title") == 0 {
		t.Fatal("the search is blind")
	}
	for _, c := range dropped {
		check(t, q.DropCaptures(c.ID))
	}
	receive(t, q, id, pow.CodeBooked, d.Sealed.Hash)
	check(t, q.EndLife(id))
	check(t, q.Tidy())
	for _, canary := range []string{"picture ", "canary title", "thumb of", "head of", "sealed " + id} {
		if n := count(t, dir, canary); n != 0 {
			t.Errorf("%q: %d copies left", canary, n)
		}
	}
}

// plainBox does not encrypt, so that a search can find what is left.
type plainBox struct{}

func (plainBox) Seal(b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (plainBox) Open(b []byte) ([]byte, error) { return bytes.Clone(b), nil }

// count searches every file below dir.
func count(t testing.TB, dir, marker string) (n int) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n += bytes.Count(must[[]byte](t)(os.ReadFile(path)), []byte(marker))
		return nil
	}))
	return n
}

func TestNothingReadableAtRest(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 50, "canary note")
	check(t, q.PutSecretDoc("catalogue", "canary project"))
	id := enqueue(t, q, session, 0, 50)
	check(t, q.SetActivity(id, pow.Activity{Rows: []pow.ActivityRow{{Title: "canary title"}}}))
	d := seal(t, q, id)
	receive(t, q, id, pow.CodeReceived, d.Sealed.Hash)
	for _, canary := range []string{"picture ", "thumb of", "canary", "1920", "head of", "Anna"} {
		if n := count(t, dir, canary); n != 0 {
			t.Errorf("%q: %d copies in clear", canary, n)
		}
	}
}
