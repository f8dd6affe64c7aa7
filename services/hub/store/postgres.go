package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Names that all hubs on one database share.
const (
	turnLock = 0x706f77646f // held from the beginning to the commit of every change
	channel  = "powdo_hub"  // NOTIFY; the payload is the number of the process
)

// poolSize bounds the connections that read. With the writer's and the
// listener's there are two more.
const poolSize = 14

// settings hold for every connection. A hub that hangs inside a transaction is
// cut off, because the others wait for their turn.
var settings = map[string]string{
	"application_name": "powdo-hub", "statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s",
	"timezone": "UTC", "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
}

// connectTime bounds reaching the database.
const connectTime = 10 * time.Second

func (s *Store) openPostgres(url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return err // it hides the password
	}
	cfg.ConnectTimeout = connectTime
	for name, value := range settings {
		cfg.RuntimeParams[name] = value
	}
	s.write = stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(durable))
	s.write.SetMaxOpenConns(1)
	s.read = stdlib.OpenDB(*cfg)
	s.read.SetMaxOpenConns(poolSize)
	s.read.SetMaxIdleConns(poolSize / 2)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	hub := rand.Int64()
	s.feed = &feed{hub: hub, connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg.Copy()) }}
	s.engine = engine{
		migrations: "postgres",
		begin:      fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", turnLock),
		commit:     fmt.Sprintf("SELECT pg_notify('%s', '%d'); COMMIT", channel, hub),
		version:    schemaVersion, migrated: setSchemaVersion,
		ask:    func(w *writer, r record, t terms) (facts, func() error, error) { return askPostgres(w, r, t, hub) },
		insert: func(w *writer, r record, n int64) error { return insertPostgres(w, r, n, hub) },
		alone:  ownFault, clean: s.prune,
	}
	return nil
}

// durable refuses to answer OK for what a power cut could take back.
func durable(ctx context.Context, c *pgx.Conn) error {
	var commit string
	if err := c.QueryRow(ctx, "SHOW synchronous_commit").Scan(&commit); err != nil || commit != "off" {
		return err
	}
	_, err := c.Exec(ctx, "SET synchronous_commit = on")
	return err
}

// schemaVersion runs while the turn is held, so that hubs that start together
// migrate once.
func schemaVersion(ctx context.Context, c *sql.Conn) (have int, err error) {
	if _, err := c.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (n BIGINT NOT NULL PRIMARY KEY)`); err != nil {
		return 0, err
	}
	err = c.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) FROM migrations`).Scan(&have)
	return have, err
}

func setSchemaVersion(ctx context.Context, c *sql.Conn, n int) error {
	_, err := c.ExecContext(ctx, `INSERT INTO migrations VALUES ($1)`, n)
	return err
}

// askPostgres needs one round trip for a letter: where the facts allow it and the
// payer's quota too, it is stored by the same statement.
func askPostgres(w *writer, r record, t terms, hub int64) (f facts, store func() error, err error) {
	now := w.now().Unix()
	var charged bool
	err = w.row(`WITH facts AS MATERIALIZED (SELECT `+asking+`),
		charged AS (
			INSERT INTO counters AS c (key, name, period, until, n)
			SELECT $6, 'letters', $7, $8, 1 FROM facts
			WHERE NOT stored AND NOT deleted AND NOT vanished AND (mailbox OR $9) AND letters < $10 AND bytes + $14 <= $11
			ON CONFLICT (key, name, period) DO UPDATE SET n = c.n + 1 WHERE c.n < $12
			RETURNING 1),
		body AS (INSERT INTO bodies SELECT $13, $15 FROM charged),
		fed AS (INSERT INTO feed (hub, id) SELECT $16, $1 FROM charged),
		event AS (INSERT INTO events SELECT $1, 1059, $2, $4, $3, '', $13, $14, $17 FROM charged)
		SELECT stored, deleted, vanished, mailbox, letters, bytes, EXISTS (SELECT 1 FROM charged) FROM facts`,
		append(r.asked(now), t.payer[:], now/day, (now/day+1)*day, t.dvm, t.letters, int64(MailboxBytes), t.perDay,
			rand.Int64(), int64(len(r.json)), r.json, hub, r.expires),
		&f.stored, &f.deleted, &f.vanished, &f.mailbox, &f.letters, &f.bytes, &charged)
	w.loud = w.loud || charged
	return f, func() error {
		if !charged {
			return ErrQuota
		}
		return nil
	}, err
}

func insertPostgres(w *writer, r record, n, hub int64) error {
	_, err := w.exec(`WITH b AS (INSERT INTO bodies VALUES ($7, $10)),
		f AS (INSERT INTO feed (hub, id) VALUES ($11, $1))
		INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, append(r.values(n), r.json, hub)...)
	return err
}

// ownFault tells whether one change was at fault, not the database: its data
// could not be stored (classes 22 and 23 of SQLSTATE).
func ownFault(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (strings.HasPrefix(e.Code, "22") || strings.HasPrefix(e.Code, "23"))
}
