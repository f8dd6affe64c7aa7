package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// writeUntilKilled stores letters and prints the id of each once it is said to
// be durable. where is the path of a SQLite file or the URL of a database.
func writeUntilKilled(where string) {
	ctx := context.Background()
	cfg := store.Config{Path: where, DVMs: []pow.Key{storetest.DVM}, Space: func() (int64, int64, error) { return 1 << 40, 0, nil }}
	if strings.HasPrefix(where, "postgres:") {
		cfg.Path, cfg.URL = "", where
	}
	s, err := store.Open(ctx, cfg)
	if err == nil {
		err = s.Allow(ctx, storetest.Alice, storetest.DVM)
	}
	if err != nil {
		panic(err)
	}
	start := int(time.Now().UnixNano())
	for i := 0; ; i++ {
		e := storetest.Letter(start+i, storetest.DVM) // whose mailbox is the largest
		s.Put(e, event.Marshal(e), time.Now().Add(time.Hour), storetest.DVM, func(err error) {
			if err == nil {
				fmt.Println(e.ID)
			}
		})
	}
}

// TestKill kills a writing process again and again: what was acknowledged is
// there afterwards (F1).
func TestKill(t *testing.T) {
	for _, e := range []storetest.Engine{storetest.SQLite(), storetest.Postgres()} {
		t.Run(e.Name, func(t *testing.T) { testKill(t, e) })
	}
}

func testKill(t *testing.T, e storetest.Engine) {
	rounds := storetest.Rounds(20)
	if testing.Short() {
		rounds = 3
	}
	cfg := e.Fresh(t)
	acknowledged := map[string]bool{}
	for round := range rounds {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "POWDO_TEST_WRITE="+cfg.Path+cfg.URL)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if len(lines.Text()) == 64 { // the last line may be cut
				acknowledged[lines.Text()] = true
			}
			if n == 50+round*17%400 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the writer ended by itself: %v", err)
		}
	}
	cfg.DVMs = []pow.Key{storetest.DVM}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := storetest.Found(t, s, storetest.DVM)
	slices.Sort(found)
	for id := range acknowledged {
		if _, ok := slices.BinarySearch(found, id); !ok {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if len(acknowledged) < 50*rounds {
		t.Errorf("only %d letters were acknowledged", len(acknowledged))
	}
}

// writeControl is a writer as a careless one would be.
func writeControl(path string) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err == nil {
		_, err = db.ExecContext(context.Background(), `CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY)`)
	}
	if err != nil {
		panic(err)
	}
	start := int(time.Now().UnixNano())
	for i := 0; ; i++ {
		id := event.ID(storetest.Letter(start+i, storetest.Alice))
		if _, err := db.ExecContext(context.Background(), `INSERT INTO ids VALUES ($1)`, id.String()); err == nil {
			fmt.Println(id)
		}
	}
}
