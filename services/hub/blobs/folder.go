package blobs

import (
	"context"
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

// Bytes keeps what blobs consist of. A blob lies under its hash and a name; ""
// is the only name where one process owns all of it.
type Bytes interface {
	// Put makes a verified file durable, with its size and under a name that no
	// other upload has. It may take the file away. Until it returns, nothing is
	// seen under that name but nothing or the whole.
	Put(ctx context.Context, x pow.Hash, f *os.File, size int64) (name string, err error)
	// Open returns the bytes, or fs.ErrNotExist.
	Open(ctx context.Context, x pow.Hash, name string) (io.ReadSeekCloser, error)
	// Remove deletes them. It is no error when they are not there.
	Remove(ctx context.Context, x pow.Hash, name string) error
	// Each calls f for everything, ordered by hash; old tells that it was written
	// before a time. What is not a blob at all and old, Each removes.
	Each(ctx context.Context, before time.Time, f func(x pow.Hash, name string, old bool) error) error
	// Ready tells whether new blobs can be kept.
	Ready(ctx context.Context) error
}

// Folder keeps blobs as files blobs/<first two digits>/<hash> in a folder that
// only one process may use.
type Folder struct{ dir string }

// OpenFolder makes every folder in advance, 0700, so that an upload only renames.
// Temporary files must lie in the same file system.
func OpenFolder(dir string) (*Folder, error) {
	dir = filepath.Join(dir, "blobs")
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(dir, fmt.Sprintf("%02x", i)), 0o700); err != nil {
			return nil, fmt.Errorf("open the blob folder: %w", err)
		}
	}
	if err := errors.Join(syncDir(dir), syncDir(filepath.Dir(dir))); err != nil {
		return nil, fmt.Errorf("open the blob folder: %w", err)
	}
	return &Folder{dir}, nil
}

func (d *Folder) path(x pow.Hash) string {
	name := x.String()
	return filepath.Join(d.dir, name[:2], name)
}

// syncDir makes new names in a folder durable. Windows cannot flush a folder;
// NTFS keeps names in its journal.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Put flushes the file, renames it, and flushes the folder.
func (d *Folder) Put(_ context.Context, x pow.Hash, f *os.File, _ int64) (string, error) {
	if err := f.Sync(); err != nil {
		return "", err
	}
	if err := os.Rename(f.Name(), d.path(x)); err != nil {
		return "", err
	}
	return "", syncDir(filepath.Dir(d.path(x)))
}

// Open implements Bytes.
func (d *Folder) Open(_ context.Context, x pow.Hash, _ string) (io.ReadSeekCloser, error) {
	f, err := os.Open(d.path(x))
	if err != nil {
		return nil, err // not f, which would be a non-nil interface
	}
	return f, nil
}

// Remove implements Bytes.
func (d *Folder) Remove(_ context.Context, x pow.Hash, _ string) error {
	if err := os.Remove(d.path(x)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Each implements Bytes.
func (d *Folder) Each(ctx context.Context, before time.Time, f func(x pow.Hash, name string, old bool) error) error {
	for i := range 256 {
		dir := filepath.Join(d.dir, fmt.Sprintf("%02x", i))
		err := eachFile(dir, func(path string, at time.Time) error {
			old := !at.After(before)
			x, err := pow.ParseHash(filepath.Base(path))
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == nil:
				return f(x, "", old)
			case old:
				return os.Remove(path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachFile calls f for every file of a folder, with the time it was last written.
func eachFile(dir string, f func(path string, at time.Time) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil {
			err = f(filepath.Join(dir, entry.Name()), info.ModTime())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // renamed or deleted meanwhile
			return err
		}
	}
	return nil
}

// Ready implements Bytes: the disk's room is somebody else's question.
func (d *Folder) Ready(context.Context) error {
	_, err := os.Stat(d.dir)
	return err
}
