package queue_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// filled makes a home folder with some of everything.
func filled(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	q, _ := open(t, dir)
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 0, 600, "note")
	for i := range 10 {
		id := enqueue(t, q, session, 40*i, 40*i+40)
		if i < 5 {
			seal(t, q, id)
		}
	}
	check(t, q.PutDoc("theme", "dark"))
	check(t, q.PutSecretDoc("catalogue", bytes.Repeat([]byte("x"), 9000)))
	for i := range 50 {
		check(t, q.RememberLetter(pow.Hash{byte(i)}, day))
	}
	check(t, q.Close())
	return dir
}

// mutations are the ways in which a disk and its user damage a file.
var mutations = map[string]func(r *rand.Rand, b []byte) []byte{
	"cut":     func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	"cutpage": func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b)/4096)*4096] },
	"flip": func(r *rand.Rand, b []byte) []byte {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	"flips": func(r *rand.Rand, b []byte) []byte {
		for range 20 {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b
	},
	"zeropage": func(r *rand.Rand, b []byte) []byte {
		clear(b[r.IntN(len(b)/4096)*4096:][:4096])
		return b
	},
	"swap": func(r *rand.Rand, b []byte) []byte {
		i, j := r.IntN(len(b)/4096)*4096, r.IntN(len(b)/4096)*4096
		page := bytes.Clone(b[i:][:4096])
		copy(b[i:], b[j:][:4096])
		copy(b[j:], page)
		return b
	},
	"garbage": func(r *rand.Rand, b []byte) []byte {
		at := r.IntN(len(b) - 100)
		for i := range b[at:][:100] {
			b[at+i] = byte(r.Uint32())
		}
		return b
	},
	"allgarbage": func(r *rand.Rand, b []byte) []byte {
		for i := 0; i+8 <= len(b); i += 8 {
			binary.NativeEndian.PutUint64(b[i:], r.Uint64())
		}
		return b
	},
}

// TestDamage mutates the file of a filled queue. No mutation may end the
// process, bring back wrong bytes, or cost more than what it touched.
func TestDamage(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	whole := must[[]byte](t)(os.ReadFile(filepath.Join(filled(t), "queue.db")))
	home := t.TempDir()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				dir := filepath.Join(home, fmt.Sprint(name, seed))
				check(t, os.MkdirAll(dir, 0o700))
				b := mutate(rand.New(rand.NewPCG(seed, 7)), bytes.Clone(whole))
				check(t, os.WriteFile(filepath.Join(dir, "queue.db"), b, 0o600))
				survives(t, dir, name, len(b) == len(whole) && name != "allgarbage" && name != "flips")
				check(t, os.RemoveAll(dir))
			}
		})
	}
}

// survives opens the queue twice: the first may salvage, the second finds all well.
func survives(t *testing.T, dir, name string, small bool) {
	t.Helper()
	q, r, err := queue.Open(queue.Config{Dir: dir, Box: newBox()})
	check(t, err)
	q.SetOpener(newBox())
	captures := must[[]pow.Capture](t)(q.Held(""))
	ds := must[[]pow.Delivery](t)(q.Deliveries())
	for _, d := range ds {
		captures = append(captures, must[pow.Proof](t)(q.ProofOf(d.ID)).Captures...)
	}
	for _, c := range captures {
		rc := must[io.ReadCloser](t)(c.Open())
		if b := must[[]byte](t)(io.ReadAll(rc)); !bytes.Equal(b, picture(c.ID)) {
			t.Errorf("%s: wrong picture", name)
		}
	}
	if small && (len(captures) < 54 || len(ds)+r.Damaged < 6) {
		t.Errorf("%s: %d of 60 captures, %d of 10 deliveries; %+v", name, len(captures), len(ds), r)
	}
	next := must[pow.Delivery](t)(q.Delivery(added(t, q)))
	check(t, q.Close())
	if r.Quarantined != "" {
		if _, err := os.Stat(r.Quarantined); err != nil {
			t.Error(err)
		}
	}
	q, r, err = queue.Open(queue.Config{Dir: dir, Box: newBox()})
	check(t, err)
	if r.Quarantined != "" {
		t.Errorf("%s: damaged again", name)
	}
	must[pow.Delivery](t)(q.Delivery(next.ID))
	check(t, q.Close())
}

// added uses the queue after a rescue.
func added(t *testing.T, q *queue.Queue) (delivery string) {
	t.Helper()
	session := pow.SessionID(ulid(t, day))
	track(t, q, session, 700, 720, "after")
	return enqueue(t, q, session, 700, 720)
}

// TestOddFiles puts things that are no queue in its place.
func TestOddFiles(t *testing.T) {
	for name, place := range map[string]func(path string) error{
		"empty":   func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"text":    func(p string) error { return os.WriteFile(p, []byte("not a queue"), 0o600) },
		"folder":  func(p string) error { return os.MkdirAll(filepath.Join(p, "sub"), 0o700) },
		"symlink": func(p string) error { return os.Symlink("/etc/hostname", p) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			check(t, place(filepath.Join(dir, "queue.db")))
			q, r := open(t, dir)
			added(t, q)
			if r.Quarantined == "" {
				t.Error("not set aside")
			}
		})
	}
	t.Run("mode", func(t *testing.T) {
		dir := filled(t)
		check(t, os.Chmod(filepath.Join(dir, "queue.db"), 0o444))
		q, r := open(t, dir)
		added(t, q)
		if r.Quarantined != "" {
			t.Error("a wrong mode is no damage")
		}
	})
	t.Run("half salvaged", func(t *testing.T) {
		dir := filled(t)
		path := filepath.Join(dir, "queue.db")
		check(t, os.Rename(path, path+".salvaged"))
		q, _ := open(t, dir)
		if n := len(must[[]pow.Delivery](t)(q.Deliveries())); n != 10 {
			t.Errorf("%d deliveries, want 10", n)
		}
	})
}

// TestSalvageKeepsTheChain loses the row that says where the chain ends.
func TestSalvageKeepsTheChain(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, "queue.db")
	b := must[[]byte](t)(os.ReadFile(path))
	for i := 0; i < len(b); {
		j := bytes.Index(b[i:], []byte(`{"seq":5,"last":`))
		if j < 0 {
			break
		}
		b[i+j+7] = '1' // the checksum no longer holds
		i += j + 8
	}
	check(t, os.WriteFile(path, b, 0o600))
	q, r := open(t, dir)
	if r.Quarantined == "" {
		t.Fatal("not noticed")
	}
	for _, d := range must[[]pow.Delivery](t)(q.Pending()) {
		if d.Statement == nil {
			if s := seal(t, q, d.ID); s.Statement.Seq != 6 {
				t.Errorf("seq %d, want 6", s.Statement.Seq)
			}
			return
		}
	}
}
