package queue_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// childVar names the part that this test binary plays when it is started anew.
const childVar, dirVar = "POWDO_QUEUE_CHILD", "POWDO_QUEUE_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(dirVar)
	switch os.Getenv(childVar) {
	case "writer":
		writer(dir)
	case "plain":
		plainBolt(dir)
	case "open":
		q, _, err := queue.Open(queue.Config{Dir: dir, Box: newBox()})
		if err == nil {
			err = q.Close()
		}
		fmt.Println(err)
	default:
		os.Exit(m.Run())
	}
}

func child(t testing.TB, part, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(must[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), childVar+"="+part, dirVar+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// writer does everything a queue can do, for ever, and says what it has been
// promised. Its moment of death is chosen by its parent.
func writer(dir string) {
	w := &script{say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: newBox()})
	w.ok(err)
	q.SetOpener(newBox())
	for i := 0; ; i++ {
		w.round(q, i)
	}
}

type script struct{ say func(string, ...any) }

func (w *script) ok(err error) {
	if err != nil {
		w.say("FAILED %v", err)
		os.Exit(1)
	}
}

func (w *script) id() string {
	id, err := pow.NewULID(time.Now(), randomBytes{})
	w.ok(err)
	return id
}

type randomBytes struct{}

func (randomBytes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return len(b), nil
}

// round is one proof from the first tick to the Receipt.
func (w *script) round(q *queue.Queue, i int) {
	session, from := pow.SessionID(w.id()), day.Add(time.Duration(i)*time.Hour)
	_, err := q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: pow.Interval{From: from}})
	w.ok(err)
	var ids []string
	for m := range 4 {
		at := from.Add(time.Duration(m) * time.Minute)
		c := pow.Capture{ID: w.id(), Session: session, At: at}
		w.ok(q.AddCapture(c, picture(c.ID), nil))
		w.say("held %s", c.ID)
		w.ok(q.Tick(at.Add(time.Minute)))
		ids = append(ids, c.ID)
	}
	_, err = q.CloseSegment(from.Add(10 * time.Minute))
	w.ok(err)
	w.say("dropping %s", ids[0])
	w.ok(q.DropCaptures(ids[0]))
	w.say("dropped %s", ids[0])
	w.review(q, session, ids)

	id := w.id()
	w.say("enqueuing %s %s %s", id, ids[1], ids[3])
	w.ok(q.Enqueue([]pow.Delivery{{ID: id, Session: session, Project: project, Interval: pow.Interval{From: from, To: from.Add(10 * time.Minute)}}}))
	w.say("enqueued %s", id)
	d, err := q.TakeSeq(id, sealing(q, id))
	w.ok(err)
	w.say("sealed %s %d %s %s", id, d.Statement.Seq, d.Statement.ID, d.Statement.Prev)
	if i%3 == 2 {
		return // stays on its way
	}
	_, err = q.Answer(id, []byte("seal"), func(d *pow.Delivery) error {
		d.Receipt, d.State = &pow.Receipt{Code: pow.CodeBooked, Sealed: d.Sealed.Hash}, pow.Booked
		return nil
	})
	w.ok(err)
	w.say("receipt %s", id)
	w.ok(q.EndLife(id))
	w.ok(q.Tidy())
	w.say("ended %s", id)
}

// review edits one picture twice and takes the second edit back, removes one and
// brings it back, and removes it again.
func (w *script) review(q *queue.Queue, session pow.SessionID, ids []string) {
	black := []pow.Edit{{Kind: pow.EditRedact}}
	w.ok(q.Edit(ids[1], queue.Edited{Edits: [][]pow.Edit{black}, Picture: []byte("covered " + ids[1]), Format: "png", Areas: 1}))
	w.say("covered %s", ids[1])
	w.ok(q.Edit(ids[1], queue.Edited{Edits: [][]pow.Edit{black, black}, Picture: []byte("covered twice"), Format: "png", Areas: 2}))
	w.ok(q.Edit(ids[1], queue.Edited{Edits: [][]pow.Edit{black}, Picture: []byte("covered " + ids[1]), Format: "png", Areas: 1}))
	w.say("removing %s", ids[2])
	w.ok(q.Remove(ids[2:3], nil))
	w.ok(q.Restore(ids[2]))
	w.ok(q.Remove(ids[2:3], nil))
	w.say("removed %s", ids[2])
	w.ok(q.AddSkip(session, day, 0, pow.SkipLocked))
}

// TestKill kills a busy writer at random moments and holds the queue to every
// promise that the writer has heard.
func TestKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		dir := t.TempDir()
		said := killed(t, dir, time.Duration(rand.IntN(400))*time.Millisecond)
		q, r := open(t, dir)
		if r.Quarantined != "" {
			t.Fatalf("a kill damaged the file: %+v", r)
		}
		holds(t, q, dir, said)
		check(t, q.Close())
	}
}

// killed runs a writer until a while after its first promise.
func killed(t *testing.T, dir string, life time.Duration) (said []string) {
	t.Helper()
	cmd := child(t, "writer", dir)
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	check(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(said) == 0 {
			time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		}
		said = append(said, lines.Text())
	}
	if err := cmd.Wait(); err == nil || strings.HasPrefix(said[len(said)-1], "FAILED") {
		t.Fatalf("the writer was not killed: %v %v", err, said)
	}
	return said
}

func holds(t *testing.T, q *queue.Queue, dir string, said []string) {
	t.Helper()
	there := map[string]bool{}
	for _, c := range must[[]pow.Capture](t)(q.Held("")) {
		there[c.ID] = true
	}
	byID := map[string]pow.Delivery{}
	for _, d := range must[[]pow.Delivery](t)(q.Deliveries()) {
		byID[d.ID] = d
		for _, c := range d.CaptureIDs {
			there[c] = true
		}
	}
	last := map[string]string{} // capture or delivery → the last word about it
	for _, line := range said {
		f := strings.Fields(line)
		last[f[1]] = f[0]
		for _, c := range f[2:] {
			if f[0] == "enqueuing" {
				last[c] = f[1]
			}
		}
	}
	for id, word := range last {
		switch d := byID[id]; word {
		case "held":
			if !there[id] {
				t.Errorf("capture %s is lost", id)
			}
		case "dropped", "removed":
			if there[id] {
				t.Errorf("capture %s came back", id)
			}
		case "covered":
			uncovered(t, q, id, true)
		case "enqueued", "sealed":
			if d.ID == "" || word == "sealed" && d.Statement == nil {
				t.Errorf("%s %s is lost", word, id)
			}
		case "ended":
			if d.Receipt == nil || d.SealEvent != nil || len(d.CaptureIDs) > 0 {
				t.Errorf("ended %s: %+v", id, d)
			}
		default:
			if d, ok := byID[word]; ok && d.Receipt == nil && !there[id] {
				t.Errorf("capture %s of %s is lost", id, word)
			}
		}
	}
	for _, line := range said {
		if f := strings.Fields(line); f[0] == "covered" && last[f[1]] != "covered" {
			held := byID[last[f[1]]].ID == ""
			if d := byID[last[f[1]]]; d.Receipt == nil {
				uncovered(t, q, f[1], held)
			}
		}
	}
	wholeChain(t, byID, dir)
}

// uncovered wants a picture that was covered to be shown covered, and what is
// beneath to be there as long as that can be taken back, and no longer.
func uncovered(t *testing.T, q *queue.Queue, id string, undo bool) {
	t.Helper()
	shown, err := q.Shown(id)
	check(t, err)
	b := must[[]byte](t)(io.ReadAll(must[io.ReadCloser](t)(shown())))
	if !strings.HasPrefix(string(b), "covered") {
		t.Errorf("capture %s is shown without its edit", id)
	}
	c, edits, err := q.Original(id)
	check(t, err)
	was := string(must[[]byte](t)(io.ReadAll(must[io.ReadCloser](t)(c.Open()))))
	if len(edits) == 0 || (was == string(picture(id))) != undo {
		t.Errorf("capture %s: undo %v, %d edits, beneath %.10q", id, undo, len(edits), was)
	}
}

// wholeChain finds no gap, no fork, and a file for every Sealed that is not ended.
func wholeChain(t *testing.T, byID map[string]pow.Delivery, dir string) {
	t.Helper()
	bySeq := map[uint64]*pow.Statement{}
	for _, d := range byID {
		s := d.Statement
		if s == nil {
			continue
		}
		if bySeq[s.Seq] != nil {
			t.Errorf("seq %d twice", s.Seq)
		}
		bySeq[s.Seq] = s
		if d.Receipt == nil {
			r := must[io.ReadCloser](t)(d.Sealed.Open())
			if b := must[[]byte](t)(io.ReadAll(r)); pow.Hash(sha256.Sum256(b)) != d.Sealed.Hash {
				t.Error("a sealed file is not whole")
			}
			check(t, r.Close())
		}
	}
	for seq := uint64(1); seq <= uint64(len(bySeq)); seq++ {
		s := bySeq[seq]
		if s == nil || seq > 1 && s.Prev != bySeq[seq-1].ID {
			t.Errorf("the chain breaks at %d", seq)
		}
	}
	for _, name := range sealedFiles(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("left over: %s", name)
		}
	}
}

// TestKilledTidy plays the two states that a kill inside Tidy can leave.
func TestKilledTidy(t *testing.T) {
	dir := t.TempDir()
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: plainBox{}})
	check(t, err)
	q.SetOpener(plainBox{})
	id := proofs(t, q, 1)[0]
	d := seal(t, q, id)
	receive(t, q, id, pow.CodeAccepted, d.Sealed.Hash)
	check(t, q.EndLife(id)) // marked, not yet tidied
	check(t, q.Close())
	if count(t, dir, "picture ") == 0 {
		t.Fatal("nothing to erase")
	}
	check(t, os.WriteFile(filepath.Join(dir, "queue.db.tmp"), []byte("half of a new file: picture "), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "outbox", "1234.tmp"), []byte("picture "), 0o600))
	q, _, err = queue.Open(queue.Config{Dir: dir, Box: plainBox{}})
	check(t, err)
	defer q.Close()
	if n := count(t, dir, "picture "); n != 0 {
		t.Errorf("%d copies after the next start", n)
	}
	if d := must[pow.Delivery](t)(q.Delivery(id)); d.Receipt == nil {
		t.Error("the Receipt is lost")
	}
}

// plainBolt is the negative control: bbolt alone on the damaged file.
func plainBolt(dir string) {
	db, err := bolt.Open(filepath.Join(dir, "queue.db"), 0o600, &bolt.Options{Timeout: time.Second})
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
				return b.ForEach(func(_, v []byte) error { _ = sha256.Sum256(v); return nil })
			})
		})
	}
	fmt.Println(err)
	os.Exit(0)
}

// TestNegativeControl shows that the harness can see a process death.
func TestNegativeControl(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, "queue.db")
	check(t, os.Truncate(path, must[os.FileInfo](t)(os.Stat(path)).Size()/3/4096*4096))
	var exit *exec.ExitError
	cmd := child(t, "plain", dir)
	cmd.Stderr = nil
	if err := cmd.Run(); !errors.As(err, &exit) {
		t.Errorf("bbolt alone survived a cut file: %v", err)
	}
	if err := child(t, "open", dir).Run(); err != nil {
		t.Errorf("the queue did not: %v", err)
	}
}
