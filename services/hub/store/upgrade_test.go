package store_test

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
)

// schema1 unpacks a file that the program with one migration wrote: 20 letters to
// Alice, two deleted ids, a claim that bob used, and a blob of both.
func schema1(t *testing.T) (path string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "schema1.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "hub.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUpgrade opens a database of the first schema: everything in it works on, and
// opening it again changes nothing (F31).
func TestUpgrade(t *testing.T) {
	path := schema1(t)
	now := time.Unix(1_795_190_700, 0)
	cfg := store.Config{Path: path, DVMs: []pow.Key{storetest.DVM}, Now: func() time.Time { return now }}
	for range 2 {
		s, err := store.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		z, err := s.Size(t.Context())
		if err != nil || z.Letters != 20 || z.Devices != 2 || z.Blobs != 1 || z.BlobBytes != 1000 || z.Tombstones != 2 || z.Claims != 1 {
			t.Errorf("%+v %v", z, err)
		}
		if found := storetest.Found(t, s, storetest.Alice); len(found) != 20 || !slices.Contains(found, storetest.Letter(7, storetest.Alice).ID) {
			t.Errorf("%d letters", len(found))
		}
		if size, name, _, err := s.Blob(t.Context(), pow.Hash{1}, storetest.Alice); size != 1000 || name != "" || err != nil {
			t.Errorf("blob: %d %q %v", size, name, err)
		}
		if err := s.Join(t.Context(), pow.Key{3}, storetest.DVM, "claim", now.Add(time.Hour)); err != store.ErrClaimUsed {
			t.Errorf("the used claim: %v", err)
		}
		if version, err := store.Ask(t.Context(), s, "PRAGMA user_version"); version != "3" || err != nil {
			t.Errorf("schema %s %v", version, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecondUpgrade: of two processes that open an old file at once, one upgrades
// it and the other waits.
func TestSecondUpgrade(t *testing.T) {
	cfg := store.Config{Path: schema1(t)}
	errs := make(chan error)
	for range 4 {
		go func() {
			s, err := store.Open(context.Background(), cfg)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
