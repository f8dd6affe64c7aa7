package store_test

import (
	"net/url"
	"os"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("POWDO_TEST_WRITE"); path != "" {
		writeUntilKilled(path)
	}
	if path := os.Getenv("POWDO_TEST_CONTROL"); path != "" {
		writeControl(path)
	}
	goleak.VerifyTestMain(m)
}

func TestSQLite(t *testing.T)   { storetest.Run(t, storetest.SQLite()) }
func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres()) }
func TestHubs(t *testing.T)     { storetest.RunHubs(t, storetest.Postgres()) }

// TestDurable asks the connection that writes whether it waits for the disk.
func TestDurable(t *testing.T) {
	for engine, wanted := range map[*storetest.Engine]map[string]string{
		new(storetest.SQLite()):   {"PRAGMA synchronous": "2", "PRAGMA journal_mode": "wal", "PRAGMA secure_delete": "1", "PRAGMA foreign_keys": "1"},
		new(storetest.Postgres()): {"SHOW synchronous_commit": "on", "SHOW statement_timeout": "10s", "SHOW idle_in_transaction_session_timeout": "10s"},
	} {
		t.Run(engine.Name, func(t *testing.T) {
			w := storetest.NewWorld(t, *engine)
			for query, answer := range wanted {
				if got, err := store.Ask(t.Context(), w.Store, query); got != answer || err != nil {
					t.Errorf("%s: %q %v, want %q", query, got, err, answer)
				}
			}
		})
	}
}

// TestAsynchronousDatabase: an operator's setting that would make OK a lie is overruled.
func TestAsynchronousDatabase(t *testing.T) {
	e := storetest.Postgres()
	cfg := e.Fresh(t)
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	e.Exec(t, cfg, "ALTER DATABASE "+u.Path[1:]+" SET synchronous_commit = off")
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := store.Ask(t.Context(), s, "SHOW synchronous_commit"); got != "on" || err != nil {
		t.Errorf("synchronous_commit is %q, %v", got, err)
	}
}
