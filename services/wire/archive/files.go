package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"pow.do/services/pow"
)

// VerifyFiles checks the files of an archive that somebody extracted, as Verify
// does. The pad is not among them and says nothing; any other file that the
// manifest does not vouch for is refused, so that nobody takes it for evidence.
func VerifyFiles(ctx context.Context, files fs.FS) (pow.Opened, error) {
	names, err := fs.ReadDir(files, ".")
	if err != nil {
		return pow.Opened{}, fmt.Errorf("list the files of an archive: %w", err)
	}
	var plain bytes.Buffer
	z := &zipWriter{w: &plain}
	for i, name := range inOrder(names) {
		if err := (entry{name: name}).check(i, len(names)+1); err != nil {
			return pow.Opened{}, pow.ErrArchive.With(fmt.Errorf("file %d: %w", i, err))
		}
		b, err := readFile(files, name, pow.MaxSealed-int64(plain.Len()))
		if err != nil {
			return pow.Opened{}, err
		}
		z.add(name, b)
	}
	z.pad(0)
	z.write(tail(z.entries))
	if z.err != nil {
		return pow.Opened{}, z.err
	}
	return Verify(ctx, bytes.NewReader(plain.Bytes()), int64(plain.Len()))
}

// inOrder returns the names as they stand in an archive.
func inOrder(files []fs.DirEntry) []string {
	var first, rest, last []string
	for _, f := range files { // by name: c0001, c0002 …
		switch f.Name() {
		case nameStatement:
			first = append([]string{nameStatement}, first...)
		case nameManifest:
			first = append(first, nameManifest)
		case nameActivity: // before consent.json in their order by name, too
			last = append(last, nameActivity)
		case nameConsent:
			last = append(last, nameConsent)
		default:
			rest = append(rest, f.Name())
		}
	}
	return append(append(first, rest...), last...)
}

// readFile reads a whole regular file of at most limit bytes.
func readFile(files fs.FS, name string, limit int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read a file of an archive: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read a file of an archive: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, pow.ErrArchive.With(errors.New("not a regular file"))
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read a file of an archive: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, pow.ErrTooLarge
	}
	return b, nil
}

// Picture returns the bytes of one picture, counted from 0, of an archive that
// is checked as a whole before. Errors: as Open; pow.ErrNotFound.
func (o *Opener) Picture(ctx context.Context, r io.ReaderAt, size int64, n int) ([]byte, error) {
	src := &source{ctx: ctx, r: r}
	a, err := o.begin(src, size, "")
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, src.verdict(err)
	}
	if n < 0 || n >= len(a.opened.Proof.Captures) {
		return nil, pow.ErrNotFound
	}
	b, err := io.ReadAll(a.entries[2+n].open(a.r))
	return b, src.verdict(err)
}
