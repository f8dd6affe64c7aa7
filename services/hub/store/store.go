// Package store keeps what the public server keeps, in one SQLite file: gift
// wraps and announcements, tombstones, the whitelist of devices, used claims,
// owners of blobs, and counters for quotas.
//
// What is not there matters more. No address of a peer, no authenticated key
// and no time of arrival is stored with an event, and rows have no number that
// would tell the order of arrival. Deleted rows are overwritten (secure_delete).
//
// All changes go through one goroutine, which commits everything that waits in
// one transaction (group commit). A change counts only once that transaction is
// on the disk: WAL with synchronous=FULL. Reading uses connections of its own.
//
// A second process may open the same file, for instance to allow or deny a
// device while the server runs: Watch notices within a second.
//
// Refusals are *pow.Error with one of the codes below; every other error means
// that the database or the disk failed.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"pow.do/services/pow"
)

// Refusals. Callers tell them apart by code.
var (
	ErrDuplicate   = &pow.Error{Code: "duplicate", What: "already stored"}
	ErrReplaced    = &pow.Error{Code: "replaced", What: "a newer version is stored"}
	ErrDeleted     = &pow.Error{Code: "deleted", What: "deleted"}
	ErrVanished    = &pow.Error{Code: "vanished", What: "the key asked to vanish"}
	ErrNoMailbox   = &pow.Error{Code: "no-mailbox", What: "no such mailbox"}
	ErrMailboxFull = &pow.Error{Code: "mailbox-full", What: "the mailbox is full"}
	ErrQuota       = &pow.Error{Code: "quota", What: "the quota of this key is used up"}
	ErrMember      = &pow.Error{Code: "member", What: "already a member"}
	ErrClaimUsed   = &pow.Error{Code: pow.CodeClaimUsed, What: "the claim was used by another device"}
)

// Config says where the store lies and whose members it serves.
type Config struct {
	Path string    // of the SQLite file; its folder is made 0700 when missing
	DVMs []pow.Key // whose devices count as members
	// Free returns the free bytes of the disk; nil asks the system.
	Free func() (int64, error)
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: slog.Default
}

// Store is the open file. All methods are safe for concurrent use.
type Store struct {
	now  func() time.Time
	log  *slog.Logger
	dvms map[pow.Key]bool
	disk *Disk

	write *sql.DB // one connection, used by the writer goroutine only
	read  *sql.DB
	load  *sql.Stmt // of read: chunk events by id
	ops   chan op
	idle  chan struct{} // closed when the writer has ended
	// gate is held from commit until every done callback of it has returned.
	gate sync.Mutex
	// closing guards ops against being used after Close.
	closing sync.RWMutex
	closed  bool

	roster  atomic.Pointer[roster]
	banned  atomic.Pointer[map[pow.Key]bool]
	changed atomic.Pointer[func()]
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens or creates the file and starts the writer, which Close ends.
// A file made by a newer version gives pow.ErrVersion.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{
		now: cfg.Now, log: cmp.Or(cfg.Log, slog.Default()), dvms: map[pow.Key]bool{},
		ops: make(chan op, maxBatch), idle: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, k := range cfg.DVMs {
		s.dvms[k] = true
	}
	s.disk = NewDisk(filepath.Dir(cfg.Path), cfg.Free)
	if err := create(cfg.Path); err != nil {
		return nil, fmt.Errorf("create %s: %w", cfg.Path, err)
	}
	if err := s.open(ctx, cfg.Path); err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, err)
	}
	return s, nil
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

func (s *Store) open(ctx context.Context, path string) (err error) {
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
	conn, err := s.write.Conn(ctx)
	if err == nil {
		if err = s.prepare(ctx, conn); err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err != nil {
		return errors.Join(err, s.read.Close(), s.write.Close())
	}
	go s.run(&writer{conn: conn, stmts: map[string]*sql.Stmt{}, now: s.now})
	return nil
}

func (s *Store) prepare(ctx context.Context, conn *sql.Conn) (err error) {
	if err := migrate(ctx, conn); err != nil {
		return err
	}
	if err := s.loadRoster(ctx, conn); err != nil {
		return err
	}
	s.load, err = s.read.PrepareContext(ctx, loadQuery)
	return err
}

func dsn(path string, pragmas []string) string {
	q := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// migrate brings the schema up to date in one transaction. The number of the
// last migration stands in user_version.
func migrate(ctx context.Context, c *sql.Conn) (err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	var have int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have > len(files) {
		return pow.ErrVersion.With(fmt.Errorf("schema %d, this program knows %d", have, len(files)))
	}
	for i, name := range files[have:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		version := fmt.Sprintf("; PRAGMA user_version = %d", have+i+1)
		if _, err := c.ExecContext(ctx, strings.TrimSpace(string(text))+version); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}

// Disk returns the guard of the disk that the store lies on.
func (s *Store) Disk() *Disk { return s.disk }

// Close waits for what was already submitted and closes the file. It may be
// called once.
func (s *Store) Close() error {
	s.closing.Lock()
	s.closed = true
	close(s.ops)
	s.closing.Unlock()
	<-s.idle
	return errors.Join(s.load.Close(), s.read.Close(), s.write.Close())
}
