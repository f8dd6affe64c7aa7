package server

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"pow.do/services/pow"
)

// A backup is a tar file: the database as it was at one moment, then the blobs.
// Everything in it is what the hub itself holds: ciphertext, keys of devices and
// DVMs. It keeps what is deleted afterwards, until the backup itself is deleted.
const backedDatabase = "hub.db"

var backedBlob = regexp.MustCompile(`^blobs/([0-9a-f]{2})/([0-9a-f]{64})$`)

type hubBackupCmd struct {
	File string `arg:"" help:"Where to write it." type:"path"`
}

// Run writes a backup of the hub, which may go on running meanwhile.
func (c *hubBackupCmd) Run(p *program) error {
	if err := p.ownFiles("backup"); err != nil {
		return err
	}
	return p.withHub(func(ctx context.Context, h *Hub) error {
		blobs, err := h.backup(ctx, c.File)
		if err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		_, err = fmt.Fprintf(p.s.Out, "%s: the database and %d blobs\n", c.File, blobs)
		return err
	})
}

// ownFiles refuses what only makes sense for a hub whose data lies in its folder.
func (p *program) ownFiles(verb string) error {
	if strings.HasPrefix(p.g.Database, "postgres") || strings.HasPrefix(p.g.Blobs, "s3:") {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "hub " + verb + " is for a hub that keeps its data in its own folder",
			Mend: "use pg_dump for PostgreSQL, and what your object store offers for the bucket"}
	}
	return nil
}

// backup writes first the database, then the files, of which none is changed
// once it is there: what was deleted meanwhile is missing, and found missing
// when the backup is used.
func (h *Hub) backup(ctx context.Context, file string) (blobs int, err error) {
	work, err := os.MkdirTemp(filepath.Dir(file), ".powdo-backup-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	database := filepath.Join(work, backedDatabase)
	if err := h.store.Backup(ctx, database); err != nil {
		return 0, err
	}
	whole := filepath.Join(work, "backup.tar")
	f, err := os.OpenFile(whole, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	blobs, err = h.writeBackup(ctx, f, database)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(whole, file); err != nil {
		return 0, err
	}
	return blobs, syncDir(filepath.Dir(file))
}

func (h *Hub) writeBackup(ctx context.Context, to io.Writer, database string) (blobs int, err error) {
	w := tar.NewWriter(to)
	if err := addFile(w, backedDatabase, database); err != nil {
		return 0, err
	}
	root := filepath.Join(h.dir, "blobs")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(h.dir, path)
		if name := filepath.ToSlash(rel); err == nil && backedBlob.MatchString(name) {
			err = addFile(w, name, path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			blobs++
		}
		return errors.Join(err, ctx.Err())
	})
	return blobs, errors.Join(err, w.Close())
}

func addFile(w *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Size: info.Size(), Mode: 0o600, ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, info.Size())
	return err
}

type hubRestoreCmd struct {
	File string `arg:"" help:"A backup." type:"existingfile"`
}

// Run makes the hub's folder from a backup.
func (c *hubRestoreCmd) Run(p *program) error {
	if err := p.ownFiles("restore"); err != nil {
		return err
	}
	dir, err := p.dir()
	if err != nil {
		return err
	}
	unlock, err := lockFile(filepath.Join(dir, "hub.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	hub := filepath.Join(dir, "hub")
	if _, err := os.Stat(filepath.Join(hub, backedDatabase)); !errors.Is(err, fs.ErrNotExist) {
		return &pow.Error{Code: "exists", What: "there is a hub in " + hub, Mend: "move it away first: mv " + hub + " " + hub + ".old", Err: err}
	}
	blobs, damaged, err := restore(p.ctx, c.File, dir)
	if err != nil {
		return fmt.Errorf("restore the hub: %w", err)
	}
	_, err = fmt.Fprintf(p.s.Out, "%s: the database and %d blobs; %d were damaged and left out\n", hub, blobs, damaged)
	return err
}

// restore makes dir/hub, at once and whole.
func restore(ctx context.Context, file, dir string) (blobs, damaged int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	work, err := os.MkdirTemp(dir, ".powdo-restore-") // 0700
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	root, err := os.OpenRoot(work)
	if err != nil {
		return 0, 0, err
	}
	defer root.Close()
	blobs, damaged, err = readBackup(ctx, tar.NewReader(f), root)
	if err != nil {
		return 0, 0, err
	}
	s, err := openStore(ctx, HubConfig{Dir: work}) // it is one, and is upgraded
	if err != nil {
		return 0, 0, errors.Join(errNoBackup, err)
	}
	if err := s.Close(); err != nil {
		return 0, 0, err
	}
	if err := os.Remove(filepath.Join(dir, "hub")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err // not empty
	}
	if err := os.Rename(work, filepath.Join(dir, "hub")); err != nil {
		return 0, 0, err
	}
	return blobs, damaged, syncDir(dir)
}

var errNoBackup = errors.New("this is not a backup of a hub")

func readBackup(ctx context.Context, r *tar.Reader, root *os.Root) (blobs, damaged int, err error) {
	for n := 0; ; n++ {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return blobs, damaged, nil
		case err != nil:
			return 0, 0, errors.Join(errNoBackup, err)
		case ctx.Err() != nil:
			return 0, 0, ctx.Err()
		}
		blob := backedBlob.FindStringSubmatch(h.Name)
		switch {
		case h.Typeflag != tar.TypeReg, (n == 0) != (h.Name == backedDatabase), n > 0 && (blob == nil || blob[1] != blob[2][:2]):
			return 0, 0, errNoBackup
		}
		sum, err := takeFile(r, root, h.Name)
		if err != nil {
			return 0, 0, err
		}
		switch {
		case n == 0:
		case sum.String() != blob[2]:
			damaged++
			err = root.Remove(h.Name)
		default:
			blobs++
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// takeFile writes one file durably and returns its hash.
func takeFile(r io.Reader, root *os.Root, name string) (sum pow.Hash, err error) {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return sum, err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	return pow.Hash(h.Sum(nil)), errors.Join(err, f.Sync(), f.Close())
}
