// Package store keeps what the public server keeps: gift wraps and
// announcements, tombstones, the whitelist of devices, used claims, owners of
// blobs, and counters for quotas. It lies in one SQLite file, or in a PostgreSQL
// database that several hubs share.
//
// What is not there matters more. No address of a peer, no authenticated key
// and no time of arrival is stored with an event, and rows have no number that
// would tell the order of arrival. In SQLite, deleted rows are overwritten
// (secure_delete). In PostgreSQL they stay in the files until a vacuum, and the
// order of the last minutes' events stands in the table feed.
//
// All changes go through one goroutine, which commits everything that waits in
// one transaction (group commit). A change counts only once that transaction is
// on the disk: WAL with synchronous=FULL, or synchronous_commit. Reading uses
// connections of its own.
//
// A second process may open the same file, for instance to allow or deny a
// device while the server runs: Watch notices within a second. Hubs that share a
// PostgreSQL database take turns in changing it, so that every limit and every
// single use holds for all of them together; Watch hands what the others stored
// to OnArrival, wakes by LISTEN/NOTIFY, and reads by sequence, so that a lost
// connection loses nothing.
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
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	URL  string    // postgres://…, instead of Path
	DVMs []pow.Key // whose devices count as members
	// Space returns the free and the total bytes of the SQLite file's disk; nil
	// asks the system.
	Space func() (free, total int64, err error)
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default
}

// Store is the open database. All methods are safe for concurrent use.
type Store struct {
	now    func() time.Time
	log    *slog.Logger
	dvms   map[pow.Key]bool
	disk   *Disk  // nil: the database lies elsewhere
	path   string // of the SQLite file
	engine engine

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
	feed    *feed // nil: no other hub can store here
}

// engine is what SQLite and PostgreSQL do not have in common. Queries are the
// same on both: numbered parameters, conflict targets and casts are written out.
type engine struct {
	migrations string // folder
	begin      string
	commit     string // of a transaction that stored an event or changed the whitelist
	// version returns how many migrations were applied; migrated notes one more.
	version  func(context.Context, *sql.Conn) (int, error)
	migrated func(context.Context, *sql.Conn, int) error
	// ask asks for the facts about a letter; when they allow it to be stored, store
	// does so, or refuses with ErrQuota, or it has been done already.
	ask func(*writer, record, terms) (f facts, store func() error, err error)
	// insert stores an event that passed every check.
	insert func(*writer, record, int64) error
	// alone tells whether a failed batch is worth trying one by one.
	alone func(error) bool
	// clean does what follows a purge.
	clean func(context.Context) error
}

//go:embed migrations
var migrations embed.FS

// Open opens or creates the database and starts the writer, which Close ends.
// A database made by a newer version gives pow.ErrVersion.
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
	var err error
	if cfg.URL != "" {
		err = s.openPostgres(cfg.URL)
	} else {
		s.disk = NewDisk(filepath.Dir(cfg.Path), cfg.Space)
		err = s.openSQLite(cfg.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), s.read.Close(), s.write.Close())
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) (err error) {
	w := &writer{db: s.write, stmts: map[string]*sql.Stmt{}, engine: &s.engine, now: s.now}
	if err := w.connect(ctx); err != nil {
		return err
	}
	if err = s.prepare(ctx, w.conn); err != nil {
		w.drop()
		return err
	}
	go s.run(w)
	return nil
}

func (s *Store) prepare(ctx context.Context, conn *sql.Conn) (err error) {
	if err := s.engine.migrate(ctx, conn); err != nil {
		return err
	}
	if err := s.loadRoster(ctx, conn); err != nil {
		return err
	}
	if err := s.feed.begin(ctx, conn); err != nil {
		return err
	}
	s.load, err = s.read.PrepareContext(ctx, loadQuery)
	return err
}

// migrate brings the schema up to date in one transaction; on PostgreSQL, hubs
// that start together wait for the first.
func (e *engine) migrate(ctx context.Context, c *sql.Conn) (err error) {
	files, err := fs.Glob(migrations, "migrations/"+e.migrations+"/*.sql")
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, e.begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	have, err := e.version(ctx, c)
	if err != nil {
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
		if _, err := c.ExecContext(ctx, strings.TrimSpace(string(text))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := e.migrated(ctx, c, have+i+1); err != nil {
			return err
		}
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}

// Disk returns the guard of the disk that the SQLite file lies on; nil when the
// database is elsewhere.
func (s *Store) Disk() *Disk { return s.disk }

// Close waits for what was already submitted and closes the database. It may be
// called once.
func (s *Store) Close() error {
	s.closing.Lock()
	s.closed = true
	close(s.ops)
	s.closing.Unlock()
	<-s.idle
	return errors.Join(s.load.Close(), s.read.Close(), s.write.Close())
}
