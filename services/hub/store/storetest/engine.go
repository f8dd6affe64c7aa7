// Package storetest checks a hub's store: one suite that every engine must pass,
// and one for several hubs on one database. It also makes throw-away databases.
//
// PostgreSQL is the server that POWDO_TEST_POSTGRES_URL names, as a user that
// may make databases; without it, tests that need it are skipped. `make test`
// starts one.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"pow.do/services/hub/store"
)

// Engine makes empty databases.
type Engine struct {
	Name   string
	Fresh  func(testing.TB) store.Config // with Path or URL only
	driver string
}

// SQLite makes files.
func SQLite() Engine {
	return Engine{Name: "SQLite", driver: "sqlite", Fresh: func(t testing.TB) store.Config {
		return store.Config{Path: filepath.Join(t.TempDir(), "hub", "hub.db")}
	}}
}

// Postgres makes databases on a real server; see Package.
func Postgres() Engine {
	return Engine{Name: "PostgreSQL", driver: "pgx", Fresh: func(t testing.TB) store.Config {
		return store.Config{URL: PostgresURL(t)}
	}}
}

// PostgresURL names a new empty database, which is dropped after the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("POWDO_TEST_POSTGRES_URL")
	if server == "" {
		t.Skip("POWDO_TEST_POSTGRES_URL names no PostgreSQL server")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("powdo_%016x", rand.Uint64())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// Exec runs a statement behind the store's back.
func (e Engine) Exec(t testing.TB, cfg store.Config, query string, args ...any) {
	t.Helper()
	db := e.open(t, cfg)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// Number runs a query for one number behind the store's back.
func (e Engine) Number(t testing.TB, cfg store.Config, query string, args ...any) (n int64) {
	t.Helper()
	db := e.open(t, cfg)
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (e Engine) open(t testing.TB, cfg store.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open(e.driver, cfg.URL+cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Rounds is how often a crash is repeated: POWDO_CRASH_ROUNDS, or a few.
func Rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("POWDO_CRASH_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return few
}
