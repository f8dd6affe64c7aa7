package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Opener opens Sealed archives with a set of secret keys.
type Opener struct{ keys keyring }

// NewOpener returns an Opener that tries each of the keys: the current one and
// those that were rotated but may still be in use.
func NewOpener(keys ...Key) (*Opener, error) {
	o := new(Opener)
	for _, k := range keys {
		if err := o.keys.add(k); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Open reads the Sealed of want, which r holds in size bytes, and checks
// everything: sizes, the header before any key is used, the zip's structure,
// the Statement and its signature, its equality with want, the manifest and its
// signed root, and every byte of every file. The caller has compared the bytes
// with want.Sealed. Captures in the result carry no Open.
//
// Errors: pow.ErrTooLarge, ErrArchive, ErrDecrypt, ErrVersion, ErrStatement and
// ErrMismatch are verdicts on the archive; any other means that r failed or ctx
// ended.
func (o *Opener) Open(ctx context.Context, r io.ReaderAt, size int64, want pow.Notice) (pow.Opened, error) {
	src := &source{ctx: ctx, r: r}
	opened, err := o.open(src, size, want)
	return opened, src.verdict(err)
}

func (o *Opener) open(src *source, size int64, want pow.Notice) (none pow.Opened, err error) {
	if err := checkNotice(size, want); err != nil {
		return none, err
	}
	a, err := o.begin(src, size, want.Alg)
	if err != nil {
		return none, err
	}
	if field := want.Equal(a.opened.Statement); field != "" {
		return none, pow.ErrMismatch.With(fmt.Errorf("%s differs", field))
	}
	if err := a.finish(); err != nil {
		return none, err
	}
	return a.opened, nil
}

// Verify checks an archive that somebody decrypted already, as Open does, but
// without a Notice to compare it with.
func Verify(ctx context.Context, r io.ReaderAt, size int64) (pow.Opened, error) {
	src := &source{ctx: ctx, r: r}
	a, err := readStart(src, size)
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return pow.Opened{}, src.verdict(err)
	}
	return a.opened, nil
}

// checkNotice compares what needs no look into the file.
func checkNotice(size int64, want pow.Notice) error {
	switch {
	case want.Archive > pow.ArchiveVersion:
		return pow.ErrVersion.With(fmt.Errorf("archive version %d", want.Archive))
	case want.Archive != pow.ArchiveVersion:
		return pow.ErrArchive.With(errors.New("no such archive version"))
	case want.Alg != pow.AgePQ && want.Alg != pow.AgeX25519 && want.Alg != pow.OpenPGP:
		return pow.ErrVersion.With(errors.New("encryption that this version does not know"))
	case size != want.Size:
		return pow.ErrArchive.With(errors.New("size is not the one of the notice"))
	}
	return nil
}

// begin checks the sizes, decrypts as far as needed and reads up to the
// Statement. alg is what the archive should be encrypted with; empty: anything.
func (o *Opener) begin(src *source, size int64, alg string) (*reading, error) {
	if size > pow.MaxSealed {
		return nil, pow.ErrTooLarge.With(fmt.Errorf("archive of %d bytes", size))
	}
	if size < 1 || Padme(size) != size {
		return nil, pow.ErrArchive.With(errors.New("size is not a Padmé size"))
	}
	plain, n, err := o.decrypt(src, size, alg)
	if err != nil {
		return nil, err
	}
	return readStart(plain, n)
}

// decrypt returns the plaintext and its size.
func (o *Opener) decrypt(src io.ReaderAt, size int64, alg string) (plain io.ReaderAt, n int64, err error) {
	start := make([]byte, min(size, maxHeader))
	if err := readAt(src, start, 0); err != nil {
		return nil, 0, coded(pow.ErrArchive, err)
	}
	algs, err := sniff(start)
	if err != nil {
		return nil, 0, coded(pow.ErrArchive, err)
	}
	if alg != "" && !algs[alg] {
		return nil, 0, pow.ErrMismatch.With(errors.New("encryption is not the one of the notice"))
	}
	if algs[pow.OpenPGP] {
		b, err := openPGP(src, size, o.keys.pgp)
		return bytes.NewReader(b), int64(len(b)), coded(pow.ErrDecrypt, err)
	}
	plain, n, err = openAge(src, size, o.keys.age)
	return plain, n, coded(pow.ErrDecrypt, err)
}

// sniff tells from its first bytes what an archive is encrypted with.
func sniff(start []byte) (algs map[string]bool, err error) {
	switch {
	case bytes.HasPrefix(start, []byte(ageIntro)):
		return ageAlgs(start)
	case bytes.HasPrefix(start, []byte(zipPrefix)):
		return nil, ErrPlaintext
	case bytes.HasPrefix(start, []byte(ageArmor)), bytes.HasPrefix(start, []byte(pgpArmor)):
		return nil, errors.New("armored; archives are binary")
	case len(start) > 0 && start[0]&0x80 != 0:
		return map[string]bool{pow.OpenPGP: true}, nil
	}
	return nil, errors.New("neither age nor OpenPGP")
}

// reading is an archive while it is being checked. Nothing in opened may be
// used before finish returns nil.
type reading struct {
	r       io.ReaderAt
	entries []entry
	opened  pow.Opened
}

// readStart checks the structure of a plain archive, then its Statement.
func readStart(r io.ReaderAt, size int64) (*reading, error) {
	entries, err := readDirectory(r, size)
	if err != nil {
		return nil, coded(pow.ErrArchive, err)
	}
	a := &reading{r: r, entries: entries}
	b, err := io.ReadAll(entries[0].open(r))
	if err != nil {
		return nil, coded(pow.ErrArchive, err)
	}
	a.opened.Statement, err = parseStatement(b)
	return a, err
}

// finish checks the manifest and every file, and fills in the Proof.
func (a *reading) finish() error {
	s := a.opened.Statement
	b, err := io.ReadAll(a.entries[1].open(a.r))
	if err != nil {
		return coded(pow.ErrArchive, err)
	}
	m, err := parseManifest(b, s)
	if err != nil {
		return err
	}
	files := a.entries[2 : len(a.entries)-1]
	if len(files) != len(m.Files) {
		return pow.ErrArchive.With(errors.New("files are not those of the manifest"))
	}
	h := m.Head
	a.opened.App = string(h.App)
	a.opened.Proof = pow.Proof{Session: s.Session, Project: s.Project, KimaiActivity: s.KimaiActivity, Interval: s.Interval,
		Note: string(h.Note), Dropped: h.Dropped, Skipped: h.Skipped,
		Without: intervalsOf(h.Without), Kept: intervalsOf(h.Kept), ByHand: intervalsOf(h.ByHand), Activity: pow.Activity{AsOf: moment(h.Activity.AsOf),
			Provisional: h.Activity.Provisional, Cause: string(h.Activity.Cause), Active: ms(h.Activity.Active),
			Away: ms(h.Activity.Away), Unknown: ms(h.Activity.Unknown)}}
	for i, e := range files {
		if err := a.checkFile(e, m.Files[i]); err != nil {
			return coded(pow.ErrArchive, fmt.Errorf("file %d: %w", i, err))
		}
	}
	return coded(pow.ErrArchive, a.checkPad())
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// checkFile reads one file to its end and adds it to the Proof.
func (a *reading) checkFile(e entry, f file) error {
	if e.name != string(f.Name) || e.size != f.Size {
		return errors.New("name or size is not the one of the manifest")
	}
	sum := sha256.New()
	r := io.TeeReader(e.open(a.r), sum)
	p := &a.opened.Proof
	switch {
	case f.Picture != nil:
		c := capture(f, p.Session)
		if err := checkPicture(r, c.Format, c.Width, c.Height); err != nil {
			return err
		}
		p.Captures = append(p.Captures, c)
	case f.Name == nameConsent: // who signed it, and for what, is for others to read
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		p.Consent = b
	default:
		rows, err := parseActivity(r, p.Interval)
		if err != nil {
			return err
		}
		p.Activity.Rows = rows
	}
	if pow.Hash(sum.Sum(nil)) != f.SHA256 {
		return errors.New("hash is not the one of the manifest")
	}
	return nil
}

// capture turns a manifest's file into a Capture without Open.
func capture(f file, s pow.SessionID) pow.Capture {
	_, format, _ := strings.Cut(string(f.Name), ".")
	c := pow.Capture{ID: string(f.Picture.ID), Session: s, At: time.UnixMilli(f.Picture.At).UTC(), Display: f.Picture.Display,
		Format: format, Width: f.Picture.Width, Height: f.Picture.Height, Size: f.Size, Hash: f.SHA256,
		Areas: f.Picture.Areas, Covered: f.Picture.Covered, Cropped: f.Picture.Cropped}
	for _, t := range f.Picture.Again {
		c.Again = append(c.Again, time.UnixMilli(t).UTC())
	}
	return c
}

// checkPad wants nothing but zeros where no leaf vouches for the bytes.
func (a *reading) checkPad() error {
	r, buf := a.entries[len(a.entries)-1].open(a.r), make([]byte, blockSize)
	for {
		n, err := r.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("padding is not zeros")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// source is the file that an archive is read from. It remembers whether reading
// itself failed, which is never the archive's fault.
type source struct {
	ctx context.Context
	r   io.ReaderAt
	err error
}

// ReadAt implements io.ReaderAt.
func (s *source) ReadAt(p []byte, at int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *source) verdict(err error) error {
	if err != nil && s.err != nil {
		return fmt.Errorf("read archive: %w", s.err)
	}
	return err
}
