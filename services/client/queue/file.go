package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	fileName       = "queue.db"
	lockName       = "queue.lock"
	tempSuffix     = ".tmp"
	salvagedSuffix = ".salvaged"

	dirMode, fileMode = 0o700, 0o600

	// lockWait is how long Open waits for another owner to end.
	lockWait = time.Second
)

var errFault = fmt.Errorf("%w: memory fault", ErrDamaged)

// guarded turns a memory fault (the mapped file lost its disk, or its end) into
// an error. bbolt's handle is not trusted after one.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if _, fault := p.(interface{ Addr() uintptr }); fault {
			err = errFault
		} else if p != nil {
			panic(p)
		}
	}()
	return fn()
}

// openBolt opens a file that inspect has passed. Should bbolt stumble all the
// same, the handle is abandoned: closing it would hang.
func openBolt(path string) (db *bolt.DB, err error) {
	err = guarded(func() error {
		defer func() {
			if p := recover(); p != nil {
				err = damaged("%v", p)
			}
		}()
		db, err = bolt.Open(path, fileMode, &bolt.Options{
			Timeout: lockWait, PageSize: pageSize, FreelistType: bolt.FreelistMapType,
		})
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, inUse(path)
	case err != nil:
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return db, nil
}

// createFile makes an empty queue under path, complete or not at all: bbolt's
// own first write is not safe against a power cut.
func createFile(path string) error {
	temp := path + tempSuffix
	if err := os.RemoveAll(temp); err != nil {
		return fmt.Errorf("create the queue: %w", err)
	}
	db, err := openBolt(temp)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(createTables), db.Close()); err != nil {
		return fmt.Errorf("create the queue: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("create the queue: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func createTables(b *bolt.Tx) error {
	for _, t := range tables {
		if _, err := b.CreateBucketIfNotExists([]byte(t.name)); err != nil {
			return err
		}
	}
	return nil
}

// prepareDir makes the home folder and the one for Sealed files, for this user only.
func prepareDir(dir string) error {
	for _, d := range []string{dir, filepath.Join(dir, sealedDir)} {
		if err := os.MkdirAll(d, dirMode); err != nil {
			return fmt.Errorf("make the home folder: %w", err)
		}
		if err := os.Chmod(d, dirMode); err != nil {
			return fmt.Errorf("protect the home folder: %w", err)
		}
	}
	return nil
}

// openFile opens the queue at path, new where there is none, and salvaged where
// it is damaged. It is called by the one owner only.
func openFile(path string, now time.Time) (db *bolt.DB, version uint64, r Report, err error) {
	if err := os.RemoveAll(path + tempSuffix); err != nil {
		return nil, 0, r, fmt.Errorf("open the queue: %w", err)
	}
	if err := ensureFile(path); err != nil {
		return nil, 0, r, err
	}
	version, err = inspectAt(path)
	if err == nil {
		db, err = openBolt(path)
	}
	if errors.Is(err, ErrDamaged) {
		var found rescue
		r.Quarantined, found, err = salvage(path, now)
		r.Salvaged, r.Damaged = len(found.rows), found.broken
		if err != nil {
			return nil, 0, r, err
		}
		version = found.version
		db, err = openBolt(path)
	}
	if err != nil {
		return nil, 0, r, err
	}
	return db, version, r, db.Update(createTables)
}

// ensureFile leaves something to be inspected at path.
func ensureFile(path string) error {
	_, err := os.Lstat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Lstat(path + salvagedSuffix); err == nil {
		return finishSalvage(path)
	}
	return createFile(path)
}

// inspectAt is inspect for whatever may lie at path.
func inspectAt(path string) (uint64, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return 0, fmt.Errorf("open the queue: %w", err)
	}
	if !st.Mode().IsRegular() {
		return 0, damaged("not a file")
	}
	if err := os.Chmod(path, fileMode); err != nil {
		return 0, fmt.Errorf("protect the queue: %w", err)
	}
	return inspect(path)
}
