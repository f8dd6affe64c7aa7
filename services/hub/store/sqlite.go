package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

func (s *Store) openSQLite(path string) (err error) {
	s.path = path
	if err := create(path); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	common := []string{"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)"}
	s.write, err = sql.Open("sqlite", dsn(path, append(common, "synchronous(FULL)", "secure_delete(1)")))
	if err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	s.read, err = sql.Open("sqlite", dsn(path, append(common, "query_only(1)")))
	if err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	s.engine = engine{
		migrations: "sqlite", begin: "BEGIN IMMEDIATE", commit: "COMMIT",
		version: userVersion, migrated: setUserVersion, ask: askSQLite, insert: insertSQLite,
		alone: func(error) bool { return true }, clean: s.truncate,
	}
	return nil
}

// create makes the folder and an empty file that nobody else can read; SQLite
// gives its WAL the mode of the file.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), syncDir(dir))
}

// syncDir makes new names in a folder durable. Windows cannot flush a folder;
// NTFS keeps names in its journal.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func dsn(path string, pragmas []string) string {
	q := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// The number of the last migration stands in user_version.
func userVersion(ctx context.Context, c *sql.Conn) (have int, err error) {
	err = c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have)
	return have, err
}

func setUserVersion(ctx context.Context, c *sql.Conn, n int) error {
	_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", n))
	return err
}

func askSQLite(w *writer, r record, t terms) (f facts, store func() error, err error) {
	err = w.row(`SELECT `+asking, r.asked(w.now().Unix()), &f.stored, &f.deleted, &f.vanished, &f.mailbox, &f.letters, &f.bytes)
	return f, func() error {
		if err := w.charge(t.payer, "letters", day, 1, t.perDay); err != nil {
			return err
		}
		return w.insert(r)
	}, err
}

func insertSQLite(w *writer, r record, n int64) error {
	if _, err := w.exec(`INSERT INTO bodies VALUES ($1, $2)`, n, r.json); err != nil {
		return err
	}
	_, err := w.exec(`INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, r.values(n)...)
	return err
}

// truncate empties the write-ahead log, where deleted rows live on until they
// are overwritten. A reader that is busy only postpones it.
func (s *Store) truncate(ctx context.Context) error {
	var busy, log, moved int
	return s.read.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved)
}

// Backup writes a copy of the SQLite file to path, which must not exist. Changes
// go on meanwhile; the copy is of one moment.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if s.path == "" {
		return errors.ErrUnsupported
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // VACUUM INTO takes an empty file
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(s.path, []string{"busy_timeout(5000)"}))
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}
