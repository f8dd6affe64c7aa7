package queue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"pow.do/services/pow"
)

// Names of the rows in the meta table.
const (
	metaSchema = "schema" // number of this layout
	metaChain  = "chain"  // end of the chain of Statements
	metaErased = "erased" // rows were erased; their bytes are still in the file
	metaPurged = "purged" // when old wrap ids were last forgotten
)

// Limits of the file and of its disk, in bytes. Beyond them captures stop;
// everything else goes on.
const (
	MaxFile     = 4 << 30
	MinDiskFree = 512 << 20
)

func (q *Queue) markErased(t *tx) error { return t.putJSON(tabMeta, metaErased, true) }

// Tidy rewrites the file when rows were erased from it or more than half of it
// is free; otherwise it does nothing. Calls wait while it works. A kill at any
// point leaves the old file or the new one.
func (q *Queue) Tidy() error {
	if err := q.enter(); err != nil {
		return err
	}
	q.mu.RUnlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != usable {
		return errClosed
	}
	return q.tidy()
}

// tidy is Tidy for a caller that holds q.mu.
func (q *Queue) tidy() error {
	due, err := q.tidyDue()
	if err != nil || !due {
		return err
	}
	fresh := q.path + tempSuffix
	if err := guarded(func() error { return q.compactTo(fresh) }); err != nil {
		return errors.Join(fmt.Errorf("rewrite the queue: %w", err), os.Remove(fresh))
	}
	// From here on the old handle is gone, whatever happens.
	q.state = closed
	if err := q.db.Close(); err != nil {
		return fmt.Errorf("close the queue: %w", err)
	}
	rename := os.Rename(fresh, q.path)
	if q.db, err = openBolt(q.path); err != nil {
		return errors.Join(rename, err)
	}
	q.state = usable
	if rename != nil {
		return fmt.Errorf("rewrite the queue: %w", rename)
	}
	return syncDir(filepath.Dir(q.path))
}

func (q *Queue) tidyDue() (due bool, err error) {
	err = guarded(func() error {
		return q.db.View(func(b *bolt.Tx) error {
			row, err := (&tx{b: b}).get(tabMeta, metaErased)
			due = row != nil
			return err
		})
	})
	const worthwhile = 1 << 20
	free, size := q.free(), q.size()
	return due || free > worthwhile && free > size/2, err
}

// compactTo writes every row to a new file, and makes it durable.
func (q *Queue) compactTo(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	db, err := openBolt(path)
	if err != nil {
		return err
	}
	db.NoSync = true // one Sync at the end: nobody reads it before the rename
	err = bolt.Compact(db, q.db, batchBytes)
	if err == nil {
		err = db.Update(func(b *bolt.Tx) error { return (&tx{b: b}).del(tabMeta, metaErased) })
	}
	if err == nil {
		err = db.Sync()
	}
	return errors.Join(err, db.Close())
}

// size is the file's length in bytes.
func (q *Queue) size() int64 {
	st, err := os.Stat(q.path)
	if err != nil {
		return 0
	}
	return st.Size()
}

// free is what of it is not in use.
func (q *Queue) free() int64 {
	s := q.db.Stats()
	return int64(s.FreePageN+s.PendingPageN) * pageSize
}

// room refuses a picture of n bytes when the queue or the disk is full.
func (q *Queue) room(n int64) error {
	s, err := q.Stats()
	if err != nil {
		return err
	}
	if s.Used+n > MaxFile || s.DiskFree-n < MinDiskFree {
		return pow.ErrDiskFull
	}
	return nil
}

// Stats are sizes, in bytes, for people and for the guards.
type Stats struct {
	File      int64 `json:"file"`   // queue.db
	Used      int64 `json:"used"`   // of it, in use
	Sealed    int64 `json:"sealed"` // all archives that wait beside it
	DiskFree  int64 `json:"disk_free"`
	Held      int   `json:"held"`       // captures that wait for Register
	HeldBytes int64 `json:"held_bytes"` // of their pictures
	HeldTime  int64 `json:"held_seconds"`
}

// Stats measures the queue.
func (q *Queue) Stats() (s Stats, err error) {
	if err := q.enter(); err != nil {
		return s, err
	}
	s.File = q.size()
	s.Used = s.File - q.free()
	q.mu.RUnlock()
	if s.DiskFree, err = q.cfg.Free(q.cfg.Dir); err != nil {
		return s, fmt.Errorf("ask for free disk space: %w", err)
	}
	for _, h := range q.index.heldCaptures() {
		if h.Removed == "" {
			s.Held++
		}
		s.HeldBytes += h.Size
	}
	for _, u := range q.uncovered() {
		s.HeldTime += int64(u.Interval.Duration().Seconds())
	}
	for h := range q.index.sealedFiles() {
		if st, err := os.Stat(q.sealedPath(h)); err == nil {
			s.Sealed += st.Size()
		}
	}
	return s, nil
}
