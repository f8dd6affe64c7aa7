package dvm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"pow.do/services/pow"
)

// temporary is the folder of downloads under way. They are sealed as well.
const temporary = "tmp"

// SealedPath is where a DVM with this folder keeps a sealed archive:
// <folder>/<first two digits>/<sha256>.
func SealedPath(folder string, h pow.Hash) string {
	name := h.String()
	return filepath.Join(folder, name[:2], name)
}

// shelf keeps sealed archives under their hash. What has its final name is whole.
type shelf struct{ folder string }

// find opens an archive that is there already, whole, with this size and hash.
func (s shelf) find(h pow.Hash, size int64) (*os.File, bool) {
	f, err := os.Open(SealedPath(s.folder, h))
	if err != nil {
		return nil, false
	}
	sum := sha256.New()
	if n, err := io.Copy(sum, f); err != nil || n != size || pow.Hash(sum.Sum(nil)) != h {
		f.Close()
		return nil, false
	}
	return f, true
}

// put stores what get writes, if it is exactly the expected bytes, and opens it.
// pow.ErrHashMismatch: it is something else.
func (s shelf) put(h pow.Hash, size int64, get func(io.Writer) error) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Join(s.folder, temporary), h.String()[:16]+"-")
	if err != nil {
		return nil, diskError{err}
	}
	keep := false
	defer func() {
		if !keep {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	sum := sha256.New()
	// The disk's errors must not look like the server's.
	disk := &diskWriter{w: f}
	limit := &limitWriter{w: io.MultiWriter(disk, sum), left: size}
	if err := get(limit); err != nil {
		return nil, errors.Join(disk.failure(), err)
	}
	if disk.err != nil {
		return nil, disk.failure()
	}
	if limit.left != 0 || pow.Hash(sum.Sum(nil)) != h {
		return nil, pow.ErrHashMismatch
	}
	if err := s.publish(f, h); err != nil {
		return nil, diskError{err}
	}
	keep = true
	return f, nil
}

// Shelve puts a Sealed that came by hand where a DVM with this folder looks
// first. pow.ErrHashMismatch: it is something else.
func Shelve(folder string, h pow.Hash, size int64, r io.Reader) error {
	if err := os.MkdirAll(filepath.Join(folder, temporary), 0o700); err != nil {
		return fmt.Errorf("shelve an archive: %w", err)
	}
	f, err := shelf{folder}.put(h, size, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	if err != nil {
		return fmt.Errorf("shelve an archive: %w", err)
	}
	return f.Close()
}

// publish gives the file its final name, durably.
func (s shelf) publish(f *os.File, h pow.Hash) error {
	if err := f.Sync(); err != nil {
		return err
	}
	path := SealedPath(s.folder, h)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return syncFolder(s.folder)
}

// drop removes an archive; one that is not there is no error.
func (s shelf) drop(h pow.Hash) error {
	path := SealedPath(s.folder, h)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an archive: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an archive: %w", err)
	}
	return nil
}

// sweep removes downloads that a stop cut off.
func (s shelf) sweep() error {
	names, err := filepath.Glob(filepath.Join(s.folder, temporary, "*"))
	for _, n := range names {
		err = errors.Join(err, os.Remove(n))
	}
	if err != nil {
		return fmt.Errorf("remove unfinished downloads: %w", err)
	}
	return nil
}

// strays calls f for every archive older than age.
func (s shelf) strays(ctx context.Context, now time.Time, age time.Duration, f func(pow.Hash) error) error {
	names, err := filepath.Glob(filepath.Join(s.folder, "[0-9a-f][0-9a-f]", "*"))
	for _, n := range names {
		if ctx.Err() != nil || err != nil {
			break
		}
		h, bad := pow.ParseHash(filepath.Base(n))
		info, gone := os.Stat(n)
		if bad != nil || gone != nil || now.Sub(info.ModTime()) < age {
			continue
		}
		err = f(h)
	}
	return err
}

// syncFolder makes names in a folder durable.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// diskError is a failure of this machine's disk: no fault of an item or a server.
type diskError struct{ err error }

func (e diskError) Error() string { return "the disk failed" }
func (e diskError) Unwrap() error { return e.err }

type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		d.err = err
	}
	return n, err
}

func (d *diskWriter) failure() error {
	if d.err == nil {
		return nil
	}
	return diskError{d.err}
}

// limitWriter refuses more bytes than were announced.
type limitWriter struct {
	w    io.Writer
	left int64
}

func (l *limitWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, pow.ErrHashMismatch
	}
	l.left -= int64(len(p))
	return l.w.Write(p)
}
