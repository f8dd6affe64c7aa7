package queue_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// box is a review key pair for tests: AES-GCM under one key for both halves.
type box struct{ aead cipher.AEAD }

func newBox() box {
	key := sha256.Sum256([]byte("review key for tests"))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return box{aead}
}

func (b box) Seal(plain []byte) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return b.aead.Seal(nonce, nonce, plain, nil), nil
}

func (b box) Open(c []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(c) < n {
		return nil, errors.New("too short")
	}
	return b.aead.Open(nil, c[:n], c[n:], nil)
}

var day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

const (
	project = pow.ProjectID("3f6c1d2e9a0b4c5d")
	other   = pow.ProjectID("a90cc1e04b7d2f18")
)

func ulid(t testing.TB, at time.Time) string {
	t.Helper()
	id, err := pow.NewULID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func open(t testing.TB, dir string) (*queue.Queue, queue.Report) {
	t.Helper()
	q, r, err := queue.Open(queue.Config{Dir: dir, Box: newBox(), Now: func() time.Time { return day.Add(12 * time.Hour) }})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = q.Close() })
	q.SetOpener(newBox())
	return q, r
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func after(min int) time.Time { return day.Add(time.Duration(min) * time.Minute) }

func span(from, to int) pow.Interval { return pow.Interval{From: after(from), To: after(to)} }

// track tracks minutes [from, to) and takes a capture every ten minutes.
func track(t testing.TB, q *queue.Queue, session pow.SessionID, from, to int, note string) (captures []string) {
	t.Helper()
	must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Note: note, Interval: span(from, from)}))
	for m := from; m < to; m += 10 {
		id := ulid(t, after(m))
		c := pow.Capture{ID: id, Session: session, At: after(m), Display: 1, Format: "png", Width: 1920, Height: 1080}
		check(t, q.AddCapture(c, picture(id), thumbOf(id)))
		captures = append(captures, id)
	}
	must[queue.Segment](t)(q.CloseSegment(after(to)))
	return captures
}

func thumbOf(id string) []byte { return bytes.Repeat([]byte("thumb of "+id+" "), 130) }

func picture(id string) []byte { return bytes.Repeat([]byte("picture "+id+" "), 400) }

// enqueue makes one delivery of minutes [from, to).
func enqueue(t testing.TB, q *queue.Queue, session pow.SessionID, from, to int) string {
	t.Helper()
	id := ulid(t, after(to))
	check(t, q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: span(from, to), Action: pow.ActionExtend}}))
	return id
}

// seal is a Sealer that writes the pictures in the clear.
func seal(t testing.TB, q *queue.Queue, id string) pow.Delivery {
	t.Helper()
	return must[pow.Delivery](t)(q.TakeSeq(id, sealing(q, id)))
}

func sealing(q *queue.Queue, id string) func(uint64, pow.Hash, io.Writer) (pow.Statement, pow.Sealed, []byte, error) {
	return func(seq uint64, prev pow.Hash, w io.Writer) (pow.Statement, pow.Sealed, []byte, error) {
		p, err := q.ProofOf(id)
		if err != nil {
			return pow.Statement{}, pow.Sealed{}, nil, err
		}
		body := fmt.Appendf(nil, "sealed %s %d %v", id, seq, prev)
		sealed, err := put(w, body)
		s := pow.Statement{ID: sha256.Sum256(body), Seq: seq, Prev: prev, Session: p.Session, Project: p.Project, Interval: p.Interval}
		return s, sealed, []byte("head of " + id), err
	}
}

func put(w io.Writer, body []byte) (pow.Sealed, error) {
	_, err := w.Write(body)
	return pow.Sealed{Hash: sha256.Sum256(body), Size: int64(len(body)), Archive: 1, Alg: pow.AgePQ}, err
}

func TestCaptures(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 30, "")
	check(t, q.Again(ids[1], after(12)))
	check(t, q.Close())

	q, _ = open(t, dir)
	held := must[[]pow.Capture](t)(q.Held(session))
	if len(held) != 3 {
		t.Fatalf("held %d captures, want 3", len(held))
	}
	want := pow.Capture{
		ID: ids[1], Session: session, At: after(10), Display: 1, Format: "png", Width: 1920, Height: 1080,
		Size: int64(len(picture(ids[1]))), Hash: sha256.Sum256(picture(ids[1])), Again: []time.Time{after(12)},
	}
	got := held[1]
	r := must[io.ReadCloser](t)(got.Open())
	if b := must[[]byte](t)(io.ReadAll(r)); !bytes.Equal(b, picture(ids[1])) {
		t.Error("the picture differs")
	}
	got.Open = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if thumb := must[[]byte](t)(q.Thumbnail(ids[2])); !bytes.Equal(thumb, thumbOf(ids[2])) {
		t.Error("the thumbnail differs")
	}
	if s := must[queue.Stats](t)(q.Stats()); s.Held != 3 || s.HeldTime != 1800 || s.HeldBytes == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestLocked(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 10, "secret note")
	check(t, q.PutSecretDoc("team", map[string]string{"name": "Studio"}))
	id := enqueue(t, q, session, 0, 10)
	q.SetOpener(nil)

	_ = track(t, q, session, 10, 20, "tracking goes on")
	held := must[[]pow.Capture](t)(q.Held(session))
	if len(held) != 1 || held[0].Format != "" || held[0].Size == 0 {
		t.Fatalf("locked list: %+v", held)
	}
	var v any
	_, openErr := held[0].Open()
	_, thumbErr := q.Thumbnail(ids[0])
	_, docErr := q.SecretDoc("team", &v)
	_, proofErr := q.ProofOf(id)
	for name, err := range map[string]error{"open": openErr, "thumbnail": thumbErr, "document": docErr, "proof": proofErr} {
		if !errors.Is(err, pow.ErrLocked) {
			t.Errorf("%s: %v, want locked", name, err)
		}
	}
}

func TestDrop(t *testing.T) {
	q, _ := open(t, t.TempDir())
	session := pow.SessionID(ulid(t, day))
	ids := track(t, q, session, 0, 60, "")
	check(t, q.DropCaptures(ids[1], ids[5], "01JD5V3W8Q4N2Z7K9T6M1B0XYA"))
	id := enqueue(t, q, session, 0, 60)
	check(t, q.DropCaptures(ids[2]))
	p := must[pow.Proof](t)(q.ProofOf(id))
	if len(p.Captures) != 3 || p.Dropped != 3 {
		t.Errorf("%d captures, %d dropped; want 3, 3", len(p.Captures), p.Dropped)
	}
	seal(t, q, id)
	if err := q.DropCaptures(ids[3]); !errors.Is(err, pow.ErrUsage) {
		t.Errorf("drop after sealing: %v", err)
	}
}

func TestDiskGuard(t *testing.T) {
	free := int64(queue.MinDiskFree)
	q, _, err := queue.Open(queue.Config{Dir: t.TempDir(), Box: newBox(), Free: func(string) (int64, error) { return free, nil }})
	check(t, err)
	defer q.Close()
	session := pow.SessionID(ulid(t, day))
	c := pow.Capture{ID: ulid(t, day), Session: session, At: day}
	if err := q.AddCapture(c, picture(c.ID), nil); !errors.Is(err, pow.ErrDiskFull) {
		t.Fatalf("capture on a full disk: %v", err)
	}
	must[queue.Segment](t)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: span(0, 0)}))
	check(t, q.Tick(after(1))) // the timer goes on
	free += 1 << 20
	check(t, q.AddCapture(c, picture(c.ID), nil))
}

func TestSecondOwner(t *testing.T) {
	dir := t.TempDir()
	q, _ := open(t, dir)
	_, _, err := queue.Open(queue.Config{Dir: dir, Box: newBox()})
	if !errors.Is(err, pow.ErrInUse) {
		t.Fatalf("second owner: %v", err)
	}
	var e *pow.Error
	if errors.As(err, &e) && !bytes.Contains([]byte(e.What), fmt.Append(nil, os.Getpid())) {
		t.Errorf("%q does not name the process", e.What)
	}
	check(t, q.Close())
	open(t, dir)
}

func TestFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := filepath.Join(t.TempDir(), "home")
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 10, "")
	seal(t, q, enqueue(t, q, session, 0, 10))
	check(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		st := must[os.FileInfo](t)(os.Stat(path))
		if want := os.FileMode(0o600); e.IsDir() && st.Mode().Perm() != 0o700 || !e.IsDir() && st.Mode().Perm() != want {
			t.Errorf("%s has mode %v", e.Name(), st.Mode())
		}
		return err
	}))
}

func TestDocumentsAndLetters(t *testing.T) {
	now := day
	dir := t.TempDir()
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: newBox(), Now: func() time.Time { return now }})
	check(t, err)
	defer q.Close()
	q.SetOpener(newBox())
	check(t, q.PutDoc("theme", "dark"))
	check(t, q.PutSecretDoc("catalogue", []string{"Website relaunch"}))
	var theme string
	var names []string
	found := must[bool](t)(q.Doc("theme", &theme)) && must[bool](t)(q.SecretDoc("catalogue", &names))
	if !found || theme != "dark" || !slices.Equal(names, []string{"Website relaunch"}) {
		t.Error(found, theme, names)
	}
	if must[bool](t)(q.Doc("nothing", &theme)) {
		t.Error("found a document that is not there")
	}
	old, fresh := pow.Hash{1}, pow.Hash{2}
	check(t, q.RememberLetter(old, now))
	now = now.Add(61 * 24 * time.Hour)
	check(t, q.RememberLetter(fresh, now))
	if must[bool](t)(q.SeenLetter(old)) || !must[bool](t)(q.SeenLetter(fresh)) {
		t.Error("letters are remembered for 60 days")
	}
}
