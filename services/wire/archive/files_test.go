package archive_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

// extracted is a folder with the files of an archive.
func extracted(t *testing.T) (dir string, opened pow.Opened) {
	t.Helper()
	k := ageX25519(t)
	b, _ := seal(t, proof(t), k)
	dir = t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	opened, err = opener(t, k).Extract(t.Context(), bytes.NewReader(b), int64(len(b)), root)
	if err != nil {
		t.Fatal(err)
	}
	return dir, opened
}

func TestVerifyFiles(t *testing.T) {
	dir, want := extracted(t)
	got, err := archive.VerifyFiles(t.Context(), os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, sameProof); d != "" {
		t.Error(d)
	}
}

// One byte, one file more or one less is noticed.
func TestVerifyFilesRefuses(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"another byte": func(dir string) error {
			file := filepath.Join(dir, "c0001.png")
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(file, b, 0o600)
		},
		"a file more":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "c9999.png"), nil, 0o600) },
		"a foreign one": func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600) },
		"a folder":      func(dir string) error { return os.Mkdir(filepath.Join(dir, "zzz"), 0o700) },
		"a file less":   func(dir string) error { return os.Remove(filepath.Join(dir, "activity.ndjson")) },
		"no statement":  func(dir string) error { return os.Remove(filepath.Join(dir, "statement.json")) },
		"empty": func(dir string) error {
			names, err := filepath.Glob(filepath.Join(dir, "*"))
			for _, n := range names {
				err = errors.Join(err, os.Remove(n))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := extracted(t)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := archive.VerifyFiles(t.Context(), os.DirFS(dir)); !errors.Is(err, pow.ErrArchive) {
				t.Error(err)
			}
		})
	}
	if _, err := archive.VerifyFiles(t.Context(), os.DirFS(filepath.Join(t.TempDir(), "missing"))); !errors.Is(err, fs.ErrNotExist) {
		t.Error("no folder:", err)
	}
}

func TestPicture(t *testing.T) {
	k, p := ageX25519(t), proof(t)
	b, _ := seal(t, p, k)
	o := opener(t, k)
	for i, c := range p.Captures {
		r, err := c.Open()
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if _, err := want.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		got, err := o.Picture(t.Context(), bytes.NewReader(b), int64(len(b)), i)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("picture %d: %d bytes, %v", i, len(got), err)
		}
	}
	for _, i := range []int{-1, len(p.Captures)} {
		if _, err := o.Picture(t.Context(), bytes.NewReader(b), int64(len(b)), i); !errors.Is(err, pow.ErrNotFound) {
			t.Errorf("picture %d: %v", i, err)
		}
	}
	if _, err := opener(t, agePQ(t)).Picture(t.Context(), bytes.NewReader(b), int64(len(b)), 0); !errors.Is(err, pow.ErrDecrypt) {
		t.Error("with another key:", err)
	}
}

// The id follows from the fields, and from every one of them.
func TestStatementID(t *testing.T) {
	_, opened := extracted(t)
	s := opened.Statement
	if id, err := archive.StatementID(s); err != nil || id != s.ID {
		t.Errorf("id %v, %v; want %v", id, err, s.ID)
	}
	for name, change := range map[string]func(*pow.Statement){
		"author": func(s *pow.Statement) { s.Author[0] ^= 1 }, "seq": func(s *pow.Statement) { s.Seq++ },
		"root": func(s *pow.Statement) { s.Root[0] ^= 1 }, "prev": func(s *pow.Statement) { s.Prev[0] ^= 1 },
		"to": func(s *pow.Statement) { s.Interval.To = s.Interval.To.Add(1e9) }, "made": func(s *pow.Statement) { s.CreatedAt = s.CreatedAt.Add(1e9) },
	} {
		other := s
		change(&other)
		if id, err := archive.StatementID(other); err != nil || id == s.ID {
			t.Errorf("%s changes nothing (%v)", name, err)
		}
	}
}
