// Package ledger is the DVM's memory: members, projects, letters, proofs, time,
// bookings and the answers that are still to be sent, in one SQLite file.
//
// Whatever belongs together is written in one transaction: a proof and the
// Receipt that follows from it, a request to the timesheet and the intent to
// make it. A process that dies between two calls loses nothing that was
// promised and does nothing twice. Commits are durable (WAL with synchronous=FULL)
// before a call returns, and deleted content is overwritten (secure_delete).
//
// Only an accepted Proof takes its sealed hash, its statement id and its place
// (device, seq); a Notice alone reserves nothing, so nobody can block another
// member's proof by naming its hash first.
//
// The command line opens the same file while the server runs; SQLite keeps the
// two apart. A file written by a newer program is refused and left untouched.
// SCHEMA.md describes the tables for whoever wants to ask them with sqlite3.
package ledger

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer tells that the file was written by a newer program.
var ErrNewer = &pow.Error{Code: "ledger-newer", What: "the ledger was written by a newer version", Mend: "install the newer powdo-server"}

// Ledger is an open ledger file. Its methods may be called at the same time.
type Ledger struct {
	db   *sql.DB
	path string
	// writing keeps this process's writers in line, so that they wait for each
	// other here and not by polling the file's lock.
	writing sync.Mutex
}

// Open opens the ledger at path and brings its tables up to date. Folder and
// file are made when they are missing, for the owner only.
func Open(ctx context.Context, path string) (*Ledger, error) {
	if err := prepare(path); err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)",
	}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	l := &Ledger{db: db, path: path}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger: %w", err), db.Close())
	}
	return l, nil
}

// Close closes the file after the calls under way.
func (l *Ledger) Close() error {
	if err := l.db.Close(); err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

// prepare makes the file with the right mode before SQLite does, and refuses a
// newer one by its header, before anything could write to it.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	header := make([]byte, 64)
	if n, err := io.ReadFull(f, header); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("not a ledger: %w", err)
	}
	// The schema's version, see "user_version" in SQLite's file format.
	if int(binary.BigEndian.Uint32(header[60:])) > len(versions()) {
		return ErrNewer
	}
	return nil
}

func versions() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	return names
}

// migrate runs the numbered scripts that the file has not seen, each in its own
// transaction together with its number.
func (l *Ledger) migrate(ctx context.Context) error {
	names := versions()
	for {
		done := false
		err := l.write(ctx, func(tx *sql.Tx) error {
			var have int
			if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
				return err
			}
			if have > len(names) {
				return ErrNewer
			}
			if done = have == len(names); done {
				return nil
			}
			script, err := migrations.ReadFile(names[have])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(script)); err != nil {
				return fmt.Errorf("%s: %w", names[have], err)
			}
			_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", have+1))
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// write runs f in one transaction. An error that lies in what was to be written,
// not in the file or the disk, is permanent (see package retry).
func (l *Ledger) write(ctx context.Context, f func(*sql.Tx) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.transact(ctx, f)
	var code interface{ Code() int }
	if errors.As(err, &code) && slices.Contains(badValue, code.Code()&0xff) {
		return retry.Permanent(err)
	}
	return err
}

// badValue lists the primary result codes of SQLite that blame the statement's
// values: TOOBIG, CONSTRAINT, MISMATCH, RANGE.
var badValue = []int{18, 19, 20, 25}

func (l *Ledger) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Changed returns a number that changes when another process, or another call
// of this one, wrote to the file: the command line has no other way to call the
// running server.
func (l *Ledger) Changed(ctx context.Context) (n int64, err error) {
	if err := l.db.QueryRowContext(ctx, "SELECT n FROM counters WHERE name = 'admin'").Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("look for changes: %w", err)
	}
	return n, nil
}

// count adds one to a counter.
func count(ctx context.Context, tx *sql.Tx, name string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", name)
	return err
}

// Counters returns how often what happened, for metrics: letters by outcome,
// what was quarantined, changes by an admin.
func (l *Ledger) Counters(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := query(ctx, l.db, "SELECT name, n FROM counters", nil, func(s scanner) error {
		var name string
		var n int64
		err := s.Scan(&name, &n)
		out[name] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the counters: %w", err)
	}
	return out, nil
}
