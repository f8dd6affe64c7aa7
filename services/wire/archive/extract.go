package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"pow.do/services/pow"
)

// Extract checks an archive as Open does, except that there is no Notice to
// compare it with, and then writes its files (all but the pad) into dir, mode
// 0600. A file that is there already is never touched: that is fs.ErrExist.
// After an error nothing of the archive stays in dir.
func (o *Opener) Extract(ctx context.Context, r io.ReaderAt, size int64, dir *os.Root) (pow.Opened, error) {
	src := &source{ctx: ctx, r: r}
	a, err := o.begin(src, size, "")
	if err == nil {
		err = a.finish()
	}
	if err == nil {
		err = a.extract(ctx, dir)
	}
	if err != nil {
		return pow.Opened{}, src.verdict(err)
	}
	return a.opened, nil
}

// extract writes the entries. Their names are on the archive's list, and dir
// keeps them inside whatever they are.
func (a *reading) extract(ctx context.Context, dir *os.Root) (err error) {
	files := a.entries[:len(a.entries)-1]
	for _, e := range files {
		if _, err := dir.Lstat(e.name); err == nil {
			return fmt.Errorf("extract: %w", fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("extract: %w", err)
		}
	}
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, name := range made {
			err = errors.Join(err, dir.Remove(name))
		}
	}()
	for _, e := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeFile(dir, e.name, e.open(a.r)); err != nil {
			return fmt.Errorf("extract: %w", err)
		}
		made = append(made, e.name)
	}
	return syncDir(dir)
}

// writeFile makes a whole file visible under its name, or nothing.
func writeFile(dir *os.Root, name string, r io.Reader) error {
	part := name + ".part"
	f, err := dir.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = dir.Rename(part, name)
	}
	if err != nil {
		return errors.Join(err, dir.Remove(part))
	}
	return nil
}

// syncDir makes the new names last. Windows has no such call.
func syncDir(dir *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := dir.Open(".")
	if err != nil {
		return fmt.Errorf("extract: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
