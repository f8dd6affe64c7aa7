package queue

import (
	"errors"
	"fmt"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

var errClosed = errors.New("the queue is closed")

// enter takes q.mu for reading. After an I/O error it first opens the file anew.
func (q *Queue) enter() error {
	q.mu.RLock()
	for q.state == suspect {
		q.mu.RUnlock()
		if err := q.reopen(); err != nil {
			return err
		}
		q.mu.RLock()
	}
	if q.state == usable {
		return nil
	}
	defer q.mu.RUnlock()
	if q.state == faulted {
		return fmt.Errorf("%w: start the program again", errFault)
	}
	return errClosed
}

// reopen puts the file through the same door as Open.
func (q *Queue) reopen() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != suspect {
		return nil
	}
	q.state = closed
	if err := q.db.Close(); err != nil {
		return fmt.Errorf("close the queue after a disk error: %w", err)
	}
	_, err := q.load(false)
	return err
}

// distrust notes that err came from the disk itself.
func (q *Queue) distrust(err error) {
	next := suspect
	switch {
	case errors.Is(err, errFault):
		next = faulted // not even closing is safe now
	case !errors.Is(err, syscall.EIO):
		return
	}
	q.mu.Lock()
	if q.state == usable {
		q.state = next
	}
	q.mu.Unlock()
	q.cfg.Log.Error("the queue's disk failed; the file is inspected before it is used again")
}

// view runs fn in a transaction that sees one moment.
func (q *Queue) view(fn func(*tx) error) error {
	if err := q.enter(); err != nil {
		return err
	}
	err := guarded(func() error {
		return q.db.View(func(b *bolt.Tx) error { return fn(&tx{b: b}) })
	})
	q.mu.RUnlock()
	q.distrust(err)
	return err
}

// update runs fn in a transaction that is durable when update returns nil, and
// then what fn left in after.
func (q *Queue) update(fn func(*tx) error) error {
	if err := q.enter(); err != nil {
		return err
	}
	err := q.commit(fn)
	q.mu.RUnlock()
	q.distrust(err)
	return err
}

// commit is update for a caller that holds q.mu.
func (q *Queue) commit(fn func(*tx) error) error {
	q.write.Lock()
	defer q.write.Unlock()
	q.version++
	t := &tx{version: q.version}
	err := guarded(func() error {
		return q.db.Update(func(b *bolt.Tx) error {
			t.b = b
			return fn(t)
		})
	})
	if err != nil {
		return err
	}
	for _, f := range t.after {
		f()
	}
	return nil
}
