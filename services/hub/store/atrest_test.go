package store_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// TestAtRest looks at the files themselves: their modes, what a deleted letter
// leaves, and that no time finer than an hour stands beside one.
func TestAtRest(t *testing.T) {
	w := storetest.NewWorld(t, storetest.SQLite())
	canary := storetest.Letter(1, storetest.Alice)
	canary.Content = "canary that must not remain"
	want(t, "put", w.PutWait(canary, storetest.DVM), nil)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(w.Config().Path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", suffix, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Dir(w.Config().Path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
	db, err := sql.Open("sqlite", w.Config().Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var expires int64
	if err := db.QueryRow(`SELECT expires_at FROM events`).Scan(&expires); err != nil || expires%3600 != 0 {
		t.Errorf("expires_at %d, %v", expires, err)
	}
	want(t, "delete", w.DeleteWait(storetest.Alice, 0, []pow.Hash{event.ID(canary)}), nil)
	want(t, "purge", w.Purge(t.Context()), nil)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.Config().Path + suffix)
		if err != nil || bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s: the deleted letter is still in the file (%v)", suffix, err)
		}
	}
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
