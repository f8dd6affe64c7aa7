package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// TestPowerCut cuts the power of the disk while letters are stored: what was
// acknowledged is there afterwards, and the file is whole (F3). The control, a
// database that does not wait for the disk, must lose something; otherwise the
// test would prove nothing.
func TestPowerCut(t *testing.T) {
	rounds := storetest.Rounds(4)
	disk := storetest.NewDisk(t)
	path := filepath.Join(disk.Dir, "hub", "hub.db")
	acknowledged := map[string]bool{}
	for round := range rounds {
		for _, id := range untilPowerCut(t, disk, "POWDO_TEST_WRITE="+path, 100+round*37%500) {
			acknowledged[id] = true
		}
		s, err := store.Open(t.Context(), store.Config{Path: path, DVMs: []pow.Key{storetest.DVM}})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		found := storetest.Found(t, s, storetest.DVM)
		if whole, err := store.Ask(t.Context(), s, "PRAGMA integrity_check"); whole != "ok" || err != nil {
			t.Errorf("round %d: %s %v", round, whole, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		for id := range acknowledged {
			if _, ok := slices.BinarySearch(found, id); !ok {
				t.Fatalf("round %d: %s was acknowledged and is lost", round, id)
			}
		}
	}
	t.Logf("%d cuts, %d letters acknowledged, none lost", rounds, len(acknowledged))
}

func TestPowerCutControl(t *testing.T) {
	disk := storetest.NewDisk(t)
	lost := 0
	for range storetest.Rounds(4) {
		path := filepath.Join(disk.Dir, "control.db")
		ids := untilPowerCut(t, disk, "POWDO_TEST_CONTROL="+path, 300)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			var n int
			if db.QueryRow(`SELECT count(*) FROM ids WHERE id = $1`, id).Scan(&n) != nil || n == 0 {
				lost++
			}
		}
		db.Close()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(path + suffix)
		}
	}
	if lost == 0 {
		t.Error("a database that does not wait for the disk lost nothing: the cuts cut nothing")
	}
	t.Logf("the control lost %d", lost)
}

// untilPowerCut runs this program as a writer, cuts the power after so many
// acknowledged ids, and returns all that were.
func untilPowerCut(t *testing.T, disk *storetest.Disk, env string, after int) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(lines.Text()) == 64 {
			ids = append(ids, lines.Text())
		}
		if len(ids) == after {
			disk.Cut()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait() // killed
	if len(ids) < after {
		t.Fatalf("the writer ended by itself after %d", len(ids))
	}
	disk.Again()
	return ids
}

// TestFullDisk stores until the disk is full: what was acknowledged is there, and
// with room again the store goes on, without a restart (F6).
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting takes root")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skip("mount: ", err, string(out))
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "hub", "hub.db"), DVMs: []pow.Key{storetest.DVM},
		Space: func() (int64, int64, error) { return 1 << 40, 0, nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want(t, "allow", s.Allow(t.Context(), storetest.Alice, storetest.DVM), nil)
	var kept []string
	put := func(n int) error {
		l := storetest.Letter(n, storetest.Alice)
		result := make(chan error, 1)
		s.Put(l, event.Marshal(l), time.Now().Add(time.Hour), storetest.DVM, func(err error) { result <- err })
		err := <-result
		if err == nil {
			kept = append(kept, l.ID)
		}
		return err
	}
	n, failed := 0, 0
	for ; failed < 20 && n < 20_000; n++ {
		if put(n) != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("the disk did not get full")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	want(t, "with room again", put(n), nil)
	found := storetest.Found(t, s, storetest.Alice)
	for _, id := range kept {
		if !slices.Contains(found, id) {
			t.Fatalf("%s was acknowledged and is lost", id)
		}
	}
}
