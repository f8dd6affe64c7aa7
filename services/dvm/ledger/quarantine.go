package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// Quarantine lists what waits for a person, oldest first.
func (l *Ledger) Quarantine(ctx context.Context) ([]pow.Quarantined, error) {
	out := []pow.Quarantined{}
	err := query(ctx, l.db, "SELECT id, wrap, step, reason, attempts, at FROM quarantine ORDER BY id", nil, func(s scanner) error {
		var q pow.Quarantined
		err := s.Scan(&q.ID, text{&q.Letter}, &q.Step, &q.Reason, &q.Attempts, instant{&q.At})
		out = append(out, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return out, nil
}

// Quarantined returns one of them with the proof it is about, as far as it was
// read; pow.ErrNotFound when there is none.
func (l *Ledger) Quarantined(ctx context.Context, id int64, f Filter) (q pow.Quarantined, p *pow.ProofReport, err error) {
	var notice sql.NullInt64
	err = l.db.QueryRowContext(ctx, "SELECT id, wrap, step, reason, attempts, at, notice FROM quarantine WHERE id = ?", id).
		Scan(&q.ID, text{&q.Letter}, &q.Step, &q.Reason, &q.Attempts, instant{&q.At}, &notice)
	if errors.Is(err, sql.ErrNoRows) {
		err = pow.ErrNotFound
	}
	if err != nil {
		return q, nil, fmt.Errorf("look into the quarantine: %w", err)
	}
	if !notice.Valid {
		return q, nil, nil
	}
	f.Proof = notice.Int64
	all, err := l.Proofs(ctx, f)
	if err != nil || len(all) == 0 {
		return q, nil, err
	}
	return q, &all[0], nil
}

// Retry has it processed again, with a fresh count of attempts.
func (l *Ledger) Retry(ctx context.Context, id int64, now time.Time) error {
	return l.release(ctx, id, func(tx *sql.Tx, wrap string, letter []byte, notice sql.NullInt64) error {
		if notice.Valid {
			return exec(ctx, tx, "UPDATE notices SET state = 'received', code = '', reason = '', attempts = 0, waits = 0, next = 0 WHERE id = ?", notice.Int64)
		}
		if err := exec(ctx, tx, "DELETE FROM letters WHERE wrap = ?", wrap); err != nil {
			return err
		}
		return exec(ctx, tx, "INSERT INTO aside (wrap, letter, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", wrap, letter, ms(now))
	})
}

// Drop refuses it for good. The device is told where the Notice could be read.
func (l *Ledger) Drop(ctx context.Context, id int64, now time.Time) error {
	return l.release(ctx, id, func(tx *sql.Tx, _ string, _ []byte, notice sql.NullInt64) error {
		if !notice.Valid {
			return nil
		}
		var n pow.Notice
		if err := tx.QueryRowContext(ctx, "SELECT doc FROM notices WHERE id = ?", notice.Int64).Scan(doc{&n}); err != nil {
			return err
		}
		if err := exec(ctx, tx, "UPDATE notices SET state = 'refused', code = ? WHERE id = ?", string(pow.CodeRejected), notice.Int64); err != nil {
			return err
		}
		return post(ctx, tx, n.Reply(pow.CodeRejected, now), now, now)
	})
}

func (l *Ledger) release(ctx context.Context, id int64, f func(*sql.Tx, string, []byte, sql.NullInt64) error) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		var wrap string
		var letter []byte
		var notice sql.NullInt64
		err := tx.QueryRowContext(ctx, "DELETE FROM quarantine WHERE id = ? RETURNING wrap, letter, notice", id).Scan(&wrap, &letter, &notice)
		if errors.Is(err, sql.ErrNoRows) {
			return pow.ErrNotFound
		}
		if err != nil {
			return err
		}
		return f(tx, wrap, letter, notice)
	})
	if err != nil {
		return fmt.Errorf("release from quarantine: %w", err)
	}
	return nil
}
