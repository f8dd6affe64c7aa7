package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

var sameProof = cmp.Options{cmpopts.IgnoreFields(pow.Capture{}, "Open"), cmpopts.EquateEmpty()}

func allKeys(t testing.TB) map[string]keys {
	return map[string]keys{"age-pq": agePQ(t), "age-x25519": ageX25519(t), "openpgp-v1": pgpKeys(t, false), "openpgp-v2": pgpKeys(t, true)}
}

func TestRoundTrip(t *testing.T) {
	for name, k := range allKeys(t) {
		t.Run(name, func(t *testing.T) {
			p := proof(t)
			b, want := seal(t, p, k)
			got, err := open(opener(t, k), b, want)
			if err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			if d := cmp.Diff(p, got.Proof, sameProof); d != "" {
				t.Error(d)
			}
			if got.App != "powdo test" || got.Statement.Author != author.Public() || got.Statement.CreatedAt != sealed {
				t.Errorf("%+v", got)
			}
			if want.Size != int64(len(b)) || archive.Padme(want.Size) != want.Size || want.Alg != k.public.Alg || want.Recipient != k.public.ID {
				t.Errorf("%+v", want)
			}
			for _, c := range got.Proof.Captures {
				if c.Open != nil {
					t.Error("a picture can be opened")
				}
			}
		})
	}
}

// A Proof without pictures and rows has a Statement, a manifest and a pad only.
func TestEmptyProof(t *testing.T) {
	k := ageX25519(t)
	p := proof(t)
	p.Captures, p.Activity, p.Note, p.KimaiActivity = nil, pow.Activity{Cause: "off"}, "", ""
	b, want := seal(t, p, k)
	got, err := open(opener(t, k), b, want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, got.Proof, sameProof); d != "" {
		t.Error(d)
	}
}

// Any zip program finds the decrypted archive whole, in the order of the format.
func TestOtherReaders(t *testing.T) {
	k := agePQ(t)
	b, _ := seal(t, proof(t), k)
	id := must[*age.HybridIdentity](t)(age.ParseHybridIdentity(k.secret.Secret))
	r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(b), id))
	plain := must[[]byte](t)(io.ReadAll(r))
	z := must[*zip.Reader](t)(zip.NewReader(bytes.NewReader(plain), int64(len(plain))))
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r := must[io.ReadCloser](t)(f.Open())
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Mode() != 0o666 || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: mode %v, time %v", f.Name, f.Mode(), f.Modified)
		}
	}
	if d := cmp.Diff([]string{"statement.json", "manifest.json", "c0001.png", "c0002.jpg", "activity.ndjson", "pad"}, names); d != "" {
		t.Error(d)
	}
	if _, err := verify(plain); err != nil {
		t.Error(err)
	}
}

func TestReseal(t *testing.T) {
	old, renewed := ageX25519(t), agePQ(t)
	p := proof(t)
	var first, second bytes.Buffer
	s := sealer()
	st, f, head, err := s.Seal(context.Background(), &first, p, 7, pow.Hash{1}, old.public, sealed)
	if err != nil {
		t.Fatal(err)
	}
	st2, f2, err := s.Reseal(context.Background(), &second, head, p, renewed.public, sealed.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if st != st2 || f.Hash == f2.Hash {
		t.Errorf("statement %v, then %v; sealed %v, then %v", st, st2, f.Hash, f2.Hash)
	}
	a := must[pow.Opened](t)(open(opener(t, old), first.Bytes(), noticeOf(st, f)))
	b := must[pow.Opened](t)(open(opener(t, renewed), second.Bytes(), noticeOf(st2, f2)))
	if d := cmp.Diff(a, b, sameProof); d != "" {
		t.Error(d)
	}

	less := p
	less.Captures = p.Captures[:1]
	note := p
	note.Note += "!"
	session := p
	session.Session = "01JD5V3W8Q4N2Z7K9T6M1B0XYB"
	foreign := s
	foreign.DVM = other.Public()
	for name, try := range map[string]func() error{
		"less": func() error {
			_, _, err := s.Reseal(context.Background(), io.Discard, head, less, renewed.public, sealed)
			return err
		},
		"note": func() error {
			_, _, err := s.Reseal(context.Background(), io.Discard, head, note, renewed.public, sealed)
			return err
		},
		"session": func() error {
			_, _, err := s.Reseal(context.Background(), io.Discard, head, session, renewed.public, sealed)
			return err
		},
		"dvm": func() error {
			_, _, err := foreign.Reseal(context.Background(), io.Discard, head, p, renewed.public, sealed)
			return err
		},
		"head": func() error {
			_, _, err := s.Reseal(context.Background(), io.Discard, head[:len(head)-1], p, renewed.public, sealed)
			return err
		},
		"empty": func() error {
			_, _, err := s.Reseal(context.Background(), io.Discard, nil, p, renewed.public, sealed)
			return err
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: sealed again", name)
		}
	}
}

// The Sealer refuses what a DVM would refuse, before anything is handed out.
func TestSealRefuses(t *testing.T) {
	k := ageX25519(t)
	row := func(change func(*pow.ActivityRow)) func(*pow.Proof) {
		return func(p *pow.Proof) { change(&p.Activity.Rows[0]) }
	}
	pic := func(change func(*pow.Capture)) func(*pow.Proof) {
		return func(p *pow.Proof) { change(&p.Captures[0]) }
	}
	for name, c := range map[string]struct {
		change func(*pow.Proof)
		want   error
	}{
		"fraction":  {func(p *pow.Proof) { p.Interval.To = p.Interval.To.Add(time.Millisecond) }, pow.ErrStatement},
		"backwards": {func(p *pow.Proof) { p.Interval.To = p.Interval.From }, pow.ErrArchive},
		"project":   {func(p *pow.Proof) { p.Project = "x" }, pow.ErrStatement},
		"note":      {func(p *pow.Proof) { p.Note = strings.Repeat("ü", 501) }, pow.ErrArchive},
		"sum":       {func(p *pow.Proof) { p.Activity.Active++; p.Activity.Away += time.Second }, pow.ErrArchive},
		"title":     {row(func(r *pow.ActivityRow) { r.Title = strings.Repeat("ü", 1025) }), pow.ErrArchive},
		"kind":      {row(func(r *pow.ActivityRow) { r.Kind = "file" }), pow.ErrArchive},
		"early row": {row(func(r *pow.ActivityRow) { r.From = start.Add(-time.Millisecond) }), pow.ErrArchive},
		"rows":      {func(p *pow.Proof) { p.Activity.Rows = make([]pow.ActivityRow, 100_001) }, pow.ErrTooLarge},
		"pictures":  {func(p *pow.Proof) { p.Captures = make([]pow.Capture, 510) }, pow.ErrTooLarge},
		"format":    {pic(func(c *pow.Capture) { c.Format = "gif" }), pow.ErrArchive},
		"swapped":   {pic(func(c *pow.Capture) { c.Format = "jpg" }), archive.ErrCapture},
		"width":     {pic(func(c *pow.Capture) { c.Width++ }), archive.ErrCapture},
		"hash":      {pic(func(c *pow.Capture) { c.Hash[0]++ }), archive.ErrCapture},
		"longer":    {pic(func(c *pow.Capture) { c.Size-- }), archive.ErrCapture},
		"shorter":   {pic(func(c *pow.Capture) { c.Size++ }), archive.ErrCapture},
		"late":      {pic(func(c *pow.Capture) { c.At = start.Add(601 * time.Second) }), pow.ErrArchive},
		"huge":      {pic(func(c *pow.Capture) { c.Size = 33 << 20 }), pow.ErrArchive},
		"id twice":  {func(p *pow.Proof) { p.Captures[1].ID = p.Captures[0].ID }, pow.ErrArchive},
		"id":        {pic(func(c *pow.Capture) { c.ID = "1" }), pow.ErrArchive},
	} {
		t.Run(name, func(t *testing.T) {
			p := proof(t)
			c.change(&p)
			_, _, head, err := sealer().Seal(context.Background(), io.Discard, p, 1, pow.Hash{}, k.public, sealed)
			if !errors.Is(err, c.want) || head != nil {
				t.Errorf("%v (%v)", err, errors.Unwrap(err))
			}
		})
	}
}

// Trouble with reading or writing is no verdict on the Proof.
func TestSealFails(t *testing.T) {
	k := ageX25519(t)
	broken := errors.New("disk is broken")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	unreadable, unopened := proof(t), proof(t)
	unreadable.Captures[1].Open = func() (io.ReadCloser, error) { return io.NopCloser(failing{broken}), nil }
	unopened.Captures[1].Open = func() (io.ReadCloser, error) { return nil, broken }
	bad := k.public
	bad.ID = "0123456789abcdef"
	for name, c := range map[string]struct {
		ctx  context.Context
		w    io.Writer
		p    pow.Proof
		r    pow.Recipient
		want error
	}{
		"read":  {context.Background(), io.Discard, unreadable, k.public, broken},
		"open":  {context.Background(), io.Discard, unopened, k.public, broken},
		"write": {context.Background(), failing{broken}, proof(t), k.public, broken},
		"ctx":   {ended, io.Discard, proof(t), k.public, context.Canceled},
		"id":    {context.Background(), io.Discard, proof(t), bad, archive.ErrRecipient},
	} {
		_, _, _, err := sealer().Seal(c.ctx, c.w, c.p, 1, pow.Hash{}, c.r, sealed)
		if !errors.Is(err, c.want) || errors.As(err, new(*pow.Error)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := sealer()
	s.Rand = failing{broken}
	if _, _, _, err := s.Seal(context.Background(), io.Discard, proof(t), 1, pow.Hash{}, k.public, sealed); !errors.Is(err, broken) {
		t.Errorf("random: %v", err)
	}
}

// failing fails to read and to write.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)          { return 0, f.err }
func (f failing) Write([]byte) (int, error)         { return 0, f.err }
func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// A disk that fails while an archive is read, at whatever byte, and a context
// that ends say nothing about the archive.
func TestOpenFails(t *testing.T) {
	broken := errors.New("disk is broken")
	for name, k := range allKeys(t) {
		p := proof(t)
		p.Captures = append(p.Captures, captureOf(start.Add(400*time.Second), pngOf(t, 12345, 300, 300), "png", 300, 300))
		b, want := seal(t, p, k)
		o := opener(t, k)
		for at := 0; at < len(b); at += len(b)/40 + 1 {
			_, err := o.Open(context.Background(), &brokenAt{b, at, broken}, int64(len(b)), want)
			if !errors.Is(err, broken) || errors.As(err, new(*pow.Error)) {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := o.Open(ctx, bytes.NewReader(b), int64(len(b)), want); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// brokenAt cannot read the byte at.
type brokenAt struct {
	b   []byte
	at  int
	err error
}

func (r *brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if int(off) <= r.at && r.at < int(off)+len(p) {
		return 0, r.err
	}
	return bytes.NewReader(r.b).ReadAt(p, off)
}

func TestExtract(t *testing.T) {
	k := agePQ(t)
	p := proof(t)
	b, _ := seal(t, p, k)
	o := opener(t, k)
	folder := t.TempDir()
	dir := must[*os.Root](t)(os.OpenRoot(folder))
	defer dir.Close()
	if _, err := o.Extract(context.Background(), bytes.NewReader(b[:len(b)-1]), int64(len(b)-1), dir); !errors.Is(err, pow.ErrArchive) {
		t.Errorf("cut: %v", err)
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(folder)); len(left) > 0 {
		t.Errorf("%v was written before the checks", left)
	}
	got := must[pow.Opened](t)(o.Extract(context.Background(), bytes.NewReader(b), int64(len(b)), dir))
	if d := cmp.Diff(p, got.Proof, sameProof); d != "" {
		t.Error(d)
	}
	var names []string
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(folder)) {
		info := must[fs.FileInfo](t)(e.Info())
		names = append(names, fmt.Sprint(e.Name(), " ", info.Mode()))
	}
	want := []string{"activity.ndjson -rw-------", "c0001.png -rw-------", "c0002.jpg -rw-------", "manifest.json -rw-------", "statement.json -rw-------"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	r := must[io.ReadCloser](t)(p.Captures[0].Open())
	if !bytes.Equal(must[[]byte](t)(dir.ReadFile("c0001.png")), must[[]byte](t)(io.ReadAll(r))) {
		t.Error("picture is another one")
	}
	if _, err := o.Extract(context.Background(), bytes.NewReader(b), int64(len(b)), dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("files that were there: %v", err)
	}
}

// When extracting fails in the middle nothing stays.
func TestExtractCleansUp(t *testing.T) {
	k := ageX25519(t)
	b, _ := seal(t, proof(t), k)
	folder := t.TempDir()
	dir := must[*os.Root](t)(os.OpenRoot(folder))
	defer dir.Close()
	if err := dir.Mkdir("c0002.jpg.part", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := opener(t, k).Extract(context.Background(), bytes.NewReader(b), int64(len(b)), dir); err == nil {
		t.Fatal("extracted over a folder")
	}
	left := must[[]os.DirEntry](t)(os.ReadDir(folder))
	if len(left) != 1 || left[0].Name() != "c0002.jpg.part" {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeyNeverShows(t *testing.T) {
	k := archive.Key{Alg: pow.AgeX25519, Secret: "AGE-SECRET-KEY-1CANARY"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k, "keys", []archive.Key{k})
	_, err := archive.NewOpener(k)
	text := fmt.Sprintf("%v %+v %#v %s %q %x %v %v", k, k, k, k, k, k, &k, []archive.Key{k}) + log.String() + fmt.Sprint(err)
	if strings.Contains(text, "CANARY") || strings.Contains(strings.ToUpper(text), fmt.Sprintf("%X", "CANARY")) {
		t.Error(text)
	}
	if err == nil {
		t.Error("a bad key was taken")
	}
}

func TestPadme(t *testing.T) {
	for n, want := range map[int64]int64{0: 0, 1: 1, 2: 2, 3: 3, 8: 8, 9: 10, 100: 104, 1000: 1024, 65_536: 65_536, 65_537: 67_584,
		1_000_000: 1_015_808, 64 << 20: 64 << 20, 64<<20 - 1: 64 << 20} {
		if got := archive.Padme(n); got != want {
			t.Errorf("Padme(%d) = %d, want %d", n, got, want)
		}
	}
	sizes := map[int64]bool{}
	for n := int64(64 << 10); n <= 64<<20; n += 509 {
		p := archive.Padme(n)
		if p < n || archive.Padme(p) != p || float64(p-n) > float64(n)*0.032 {
			t.Fatalf("Padme(%d) = %d", n, p)
		}
		sizes[p] = true
	}
	if len(sizes) != 321 { // 10 octaves of 32, and the last
		t.Errorf("%d sizes from 64 KiB to 64 MiB", len(sizes))
	}
}

// Rows so alike that they would pack beyond what a reader allows are stored.
func TestRepetitiveRows(t *testing.T) {
	k := ageX25519(t)
	p := proof(t)
	row := p.Activity.Rows[0]
	p.Activity.Rows = nil
	for range 60_000 {
		p.Activity.Rows = append(p.Activity.Rows, row)
	}
	b, want := seal(t, p, k)
	got, err := open(opener(t, k), b, want)
	if err != nil || len(got.Proof.Activity.Rows) != 60_000 || want.Size < 5_000_000 {
		t.Errorf("%d rows in %d bytes: %v", len(got.Proof.Activity.Rows), want.Size, err)
	}
}

// Text that is not UTF-8 is sealed as its reader would see it.
func TestInvalidText(t *testing.T) {
	k := ageX25519(t)
	p := proof(t)
	p.Note, p.Activity.Rows[0].Title = "a\xffb", "\xed\xa0\x80"
	b, want := seal(t, p, k)
	got := must[pow.Opened](t)(open(opener(t, k), b, want))
	if got.Proof.Note != "a\ufffdb" || got.Proof.Activity.Rows[0].Title != "\ufffd\ufffd\ufffd" {
		t.Errorf("%q, %q", got.Proof.Note, got.Proof.Activity.Rows[0].Title)
	}
}

// A Proof over the size limit is refused before its pictures are read.
func TestTooLarge(t *testing.T) {
	p := proof(t)
	p.Captures = nil
	for i := range 3 {
		c := captureOf(start, nil, "png", 40, 30)
		c.ID, c.Size = fmt.Sprintf("01JD5V3W8Q4N2Z7K9T6M1B0XY%d", i), 22<<20
		c.Open = func() (io.ReadCloser, error) { t.Error("a picture was read"); return nil, io.EOF }
		p.Captures = append(p.Captures, c)
	}
	for name, k := range allKeys(t) {
		if _, _, _, err := sealer().Seal(context.Background(), io.Discard, p, 1, pow.Hash{}, k.public, sealed); !errors.Is(err, pow.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
