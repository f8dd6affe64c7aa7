package queue

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pow.do/services/pow"
)

// chain is the end of this device's chain of Statements.
type chain struct {
	Seq  uint64   `json:"seq"`
	Last pow.Hash `json:"last"`
}

// TakeSeq gives the next seq of this device to a queued delivery: seal writes
// the Sealed to w and returns its Statement, its description and the plain head
// that Reseal will need. Statement and seq are stored in one transaction after
// the file is durable; when seal fails, or the program dies, the seq is not
// taken. A delivery that has its Statement is returned as it is.
func (q *Queue) TakeSeq(id string, seal func(seq uint64, prev pow.Hash, w io.Writer) (pow.Statement, pow.Sealed, []byte, error)) (d pow.Delivery, err error) {
	q.sealing.Lock()
	defer q.sealing.Unlock()
	if d, err = q.Delivery(id); err != nil || d.Statement != nil {
		return d, err
	}
	end, err := q.chainEnd()
	if err != nil {
		return d, err
	}
	var s pow.Statement
	var head []byte
	sealed, err := q.writeSealed(func(w io.Writer) (sealed pow.Sealed, err error) {
		s, sealed, head, err = seal(end.Seq+1, end.Last, w)
		return sealed, err
	})
	if err != nil {
		return d, err
	}
	if s.Seq != end.Seq+1 || s.Prev != end.Last || s.ID.IsZero() || s.Session != d.Session {
		return d, errors.Join(errors.New("seal: the statement is not the one that was asked for"), q.removeUnused(sealed.Hash))
	}
	ciphertext, err := q.seal(head)
	if err != nil {
		return d, err
	}
	return q.change(id, func(t *tx, r *record) error {
		r.Statement = &s
		setSealed(&r.Delivery, sealed)
		return errors.Join(t.put(tabHeads, id, ciphertext), t.putJSON(tabMeta, metaChain, chain{s.Seq, s.ID}))
	})
}

// setSealed puts a new archive into a delivery. What was made of an earlier one
// is of no use any more; only the ids by which a Receipt may name it stay.
func setSealed(d *pow.Delivery, s pow.Sealed) {
	d.Sealed, d.State = &s, pow.Sealing
	d.SealedHashes = append(d.SealedHashes, s.Hash)
	startOver(d)
}

func startOver(d *pow.Delivery) {
	d.Servers, d.Relays, d.Notice, d.SealEvent, d.Letter = nil, nil, nil, nil, nil
	d.FirstOK, d.LastOK, d.Wrapped, d.Next = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	d.Attempts, d.LastError, d.Receipt = 0, nil, nil
}

func (q *Queue) chainEnd() (c chain, err error) {
	err = q.view(func(t *tx) error {
		_, err := t.getJSON(tabMeta, metaChain, &c)
		return err
	})
	return c, err
}

// Reseal makes a new Sealed of the same Statement, out of the head that TakeSeq
// stored. The earlier file is removed once the new one is in place. Errors:
// pow.ErrLocked; pow.ErrUsage when nothing was sealed yet.
func (q *Queue) Reseal(id string, seal func(head []byte, w io.Writer) (pow.Sealed, error)) (d pow.Delivery, err error) {
	q.sealing.Lock()
	defer q.sealing.Unlock()
	var head []byte
	err = q.view(func(t *tx) error {
		ciphertext, err := t.get(tabHeads, id)
		if err != nil || ciphertext == nil {
			return errors.Join(err, usage("this proof was not sealed yet"))
		}
		head, err = q.unseal(ciphertext)
		return err
	})
	if err != nil {
		return d, err
	}
	sealed, err := q.writeSealed(func(w io.Writer) (pow.Sealed, error) { return seal(head, w) })
	if err != nil {
		return d, err
	}
	old := q.index.delivery(id).sealed
	d, err = q.change(id, func(_ *tx, r *record) error {
		if r.Ended || r.Statement == nil || mayEnd(r.Delivery) {
			return usage("this proof cannot be sealed again")
		}
		setSealed(&r.Delivery, sealed)
		r.Resealed++
		return nil
	})
	return d, errors.Join(err, q.removeUnused(old), q.removeUnused(sealed.Hash))
}

// Rebuild takes a delivery back to Queued, to be sealed under a new Statement.
// Its seq is given back where that leaves no two Statements under one seq and
// no hole: when it is the last one and no Notice of it was ever made. Otherwise
// its place in the chain stays taken. Errors: pow.ErrUsage after a Receipt has
// ended the proof's life.
func (q *Queue) Rebuild(id string) (d pow.Delivery, err error) {
	q.sealing.Lock()
	defer q.sealing.Unlock()
	old := q.index.delivery(id).sealed
	d, err = q.change(id, func(t *tx, r *record) error { return q.rebuild(t, r) })
	return d, errors.Join(err, q.removeUnused(old))
}

func (q *Queue) rebuild(t *tx, r *record) error {
	if r.Ended || mayEnd(r.Delivery) {
		return usage("the proof was accepted")
	}
	if s := r.Statement; s != nil && len(r.NoticeIDs) == 0 {
		var end chain
		if _, err := t.getJSON(tabMeta, metaChain, &end); err != nil {
			return err
		}
		if end.Last == s.ID {
			if err := t.putJSON(tabMeta, metaChain, chain{s.Seq - 1, s.Prev}); err != nil {
				return err
			}
		}
	}
	startOver(&r.Delivery)
	r.State, r.Statement, r.Sealed = pow.Queued, nil, nil
	r.SealedHashes, r.NoticeIDs, r.Resealed = nil, nil, 0
	return t.del(tabHeads, r.ID)
}

// writeSealed lets seal write to a file that gets its name, the hash, when it is
// whole and durable.
func (q *Queue) writeSealed(seal func(io.Writer) (pow.Sealed, error)) (s pow.Sealed, err error) {
	dir := filepath.Join(q.cfg.Dir, sealedDir)
	f, err := os.CreateTemp(dir, "*"+tempSuffix)
	if err != nil {
		return s, fmt.Errorf("write a sealed archive: %w", err)
	}
	defer os.Remove(f.Name()) // gone already after the rename
	sum := &summed{w: f, h: sha256.New()}
	s, err = seal(sum)
	if err != nil {
		return s, errors.Join(err, f.Close())
	}
	if s.Size != sum.n || s.Hash != pow.Hash(sum.h.Sum(nil)) {
		return s, errors.Join(pow.ErrHashMismatch, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return s, fmt.Errorf("write a sealed archive: %w", err)
	}
	if err := os.Rename(f.Name(), q.sealedPath(s.Hash)); err != nil {
		return s, fmt.Errorf("write a sealed archive: %w", err)
	}
	return s, syncDir(dir)
}

// summed hashes and counts what passes.
type summed struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (s *summed) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.h.Write(b[:n])
	s.n += int64(n)
	return n, err
}

const (
	sealedDir    = "outbox"
	sealedSuffix = ".sealed"
)

func (q *Queue) sealedPath(h pow.Hash) string {
	return filepath.Join(q.cfg.Dir, sealedDir, h.String()+sealedSuffix)
}

// removeUnused removes a Sealed that no delivery names.
func (q *Queue) removeUnused(h pow.Hash) error {
	if h.IsZero() || q.index.sealedFiles()[h] {
		return nil
	}
	if err := os.Remove(q.sealedPath(h)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a sealed archive: %w", err)
	}
	return nil
}

// sweepSealed removes every file beside the queue that no delivery names.
func (q *Queue) sweepSealed() error {
	dir := filepath.Join(q.cfg.Dir, sealedDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list sealed archives: %w", err)
	}
	used := q.index.sealedFiles()
	for _, e := range entries {
		h, err := pow.ParseHash(strings.TrimSuffix(e.Name(), sealedSuffix))
		if err == nil && used[h] && e.Name() == h.String()+sealedSuffix {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove a left-over archive: %w", err)
		}
	}
	return nil
}
