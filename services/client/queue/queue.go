// Package queue keeps what the client must not lose and nobody may read: held
// captures, tracked time, proofs on their way, small settings. It is one bbolt
// file (queue.db) in the home folder, with the Sealed archives as files beside
// it (outbox/<sha256>.sealed), all 0600 in folders 0700.
//
// # At rest
//
// Pictures, thumbnails, details of captures, notes, activity, secret documents,
// heads of archives and texts of Receipts are encrypted with the public half of
// a review key (Box) before they enter the file, so that tracking goes on while
// the program is locked. Reading them needs the secret half (Opener); without
// it every such read returns pow.ErrLocked. In clear are ids, times, states,
// sizes, hashes and URLs only.
//
// # Crashes
//
// Every change is one durable transaction. What was acknowledged survives a
// kill and a power cut. A running segment ends at its last Tick. Files without a
// row are removed by Open.
//
// # Damage
//
// bbolt maps its file, and a short or garbled file ends the process. So Open
// first reads the whole file itself (meta pages, tree, list of free pages, the
// checksum in every value). A file that fails is renamed to
// queue.db.corrupt-<time>, its whole rows are copied into a new one, and Report
// says so. An I/O error at run time makes the next call go through the same door.
//
// # Erasing
//
// bbolt leaves deleted bytes in the file. DropCaptures, EraseUnsent and an
// Enqueue that erases therefore rewrite it before they return; EndLife marks it,
// and Tidy rewrites it once for many. A kill in between is made good by Open.
//
// # Review
//
// What a person decides about held captures can be taken back until Enqueue: an
// edited picture has its original beside it, a removed one stays where it is,
// and the time that went with it is only left out. What the other methods return
// is what will be sealed. Enqueue makes it final and erases the rest, in one
// transaction with the proofs.
//
// One process owns a queue at a time (queue.lock); the next one gets
// pow.ErrInUse after a second. Methods may be called from any goroutine.
package queue

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"pow.do/services/pow"
)

// Box encrypts to the review key's public half. It is called from many
// goroutines, also while the program is locked.
type Box interface {
	Seal(plain []byte) ([]byte, error)
}

// Opener is the secret half of the review key.
type Opener interface {
	Open(ciphertext []byte) ([]byte, error)
}

// Config says where a queue lives and who encrypts for it.
type Config struct {
	Dir string // the home folder; made if absent
	Box Box
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discarded
	// Free returns the free bytes of a folder's disk. nil: ask the system.
	Free func(dir string) (int64, error)
}

// Report is what Open found.
type Report struct {
	Quarantined string   // where the damaged file was put; "": it was whole
	Salvaged    int      // rows that were taken over from it
	Damaged     int      // rows in it that could not be read
	Interrupted *Segment // tracked time that a crash cut short, now closed
}

// state of the bbolt handle.
type state int

const (
	closed  state = iota
	usable        // all is well
	suspect       // an I/O error was seen: inspect before the next use
	faulted       // a memory fault was seen: neither use nor close it
)

// Queue is an open queue.
type Queue struct {
	cfg  Config
	path string
	lock *os.File

	mu    sync.RWMutex // held for writing while db is replaced
	db    *bolt.DB
	state state

	write   sync.Mutex // one writer; guards version
	version uint64     // of the newest row

	sealing sync.Mutex // one seq is taken at a time

	index index // what is asked every second, without touching the file

	openerMu sync.RWMutex
	opener   Opener
}

// Open opens or makes the queue in cfg.Dir, mends what a crash left behind, and
// becomes its owner. Errors: pow.ErrInUse when another process owns it,
// pow.ErrVersion when a newer program made it.
func Open(cfg Config) (*Queue, Report, error) {
	if cfg.Box == nil {
		panic("queue: no Box")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Free == nil {
		cfg.Free = diskFree
	}
	if err := prepareDir(cfg.Dir); err != nil {
		return nil, Report{}, err
	}
	lock, err := takeLock(filepath.Join(cfg.Dir, lockName))
	if err != nil {
		return nil, Report{}, err
	}
	q := &Queue{cfg: cfg, path: filepath.Join(cfg.Dir, fileName), lock: lock}
	r, err := q.load(true)
	if err != nil {
		return nil, r, errors.Join(err, q.Close())
	}
	return q, r, nil
}

// takeLock waits up to lockWait for the lock, and leaves the owner's pid in the file.
func takeLock(path string) (*os.File, error) {
	const pause = 50 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		f, busy, err := lockFile(path)
		switch {
		case err == nil:
			pid := strconv.Itoa(os.Getpid())
			_, werr := f.WriteAt([]byte(pid), 0)
			if err := errors.Join(f.Truncate(int64(len(pid))), werr); err != nil {
				return nil, errors.Join(fmt.Errorf("lock the home folder: %w", err), f.Close())
			}
			return f, nil
		case !busy:
			return nil, fmt.Errorf("lock the home folder: %w", err)
		case waited >= lockWait:
			return nil, inUse(path)
		}
		time.Sleep(pause)
	}
}

// inUse names the owner where it can be known.
func inUse(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return pow.ErrInUse
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 20))
	pid, perr := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || perr != nil {
		return pow.ErrInUse
	}
	e := *pow.ErrInUse
	e.What = fmt.Sprintf("%s (process %d)", e.What, pid)
	return &e
}

// load opens the file and mends what a crash left; first tells that this
// process starts with it. q.mu is held, or nobody else knows q yet.
func (q *Queue) load(first bool) (r Report, err error) {
	q.db, q.version, r, err = openFile(q.path, q.cfg.Now())
	if err != nil {
		return r, err
	}
	q.state = usable
	if r.Quarantined != "" {
		q.cfg.Log.Warn("the queue was damaged and has been salvaged", "rows", r.Salvaged, "damaged", r.Damaged)
	}
	return r, q.mend(&r, first)
}

// SetOpener hands over the secret half of the review key; nil locks the queue.
func (q *Queue) SetOpener(o Opener) {
	q.openerMu.Lock()
	defer q.openerMu.Unlock()
	q.opener = o
}

// unseal decrypts what q.cfg.Box encrypted. Errors: pow.ErrLocked.
func (q *Queue) unseal(ciphertext []byte) ([]byte, error) {
	q.openerMu.RLock()
	o := q.opener
	q.openerMu.RUnlock()
	if o == nil {
		return nil, pow.ErrLocked
	}
	plain, err := o.Open(ciphertext)
	if err != nil {
		return nil, fmt.Errorf("decrypt from the queue: %w", err)
	}
	return plain, nil
}

func (q *Queue) seal(plain []byte) ([]byte, error) {
	ciphertext, err := q.cfg.Box.Seal(plain)
	if err != nil {
		return nil, fmt.Errorf("encrypt for the queue: %w", err)
	}
	return ciphertext, nil
}

// Close gives the queue up. Later calls fail.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var err error
	if q.state == usable || q.state == suspect {
		err = q.db.Close()
	}
	q.state = closed
	if q.lock != nil {
		err = errors.Join(err, q.lock.Close())
		q.lock = nil
	}
	return err
}

func (q *Queue) unlocked() bool {
	q.openerMu.RLock()
	defer q.openerMu.RUnlock()
	return q.opener != nil
}
