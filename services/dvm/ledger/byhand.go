package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// LetterByHand keeps a letter that an admin brought until the worker takes it.
// It comes before the letters of strangers, and there is always room for it.
// fresh is false when it was taken before.
func (l *Ledger) LetterByHand(ctx context.Context, m pow.Letter, now time.Time) (fresh bool, err error) {
	err = l.admin(ctx, func(tx *sql.Tx) error {
		known, err := has(ctx, tx, "SELECT 1 FROM letters WHERE wrap = ?", m.ID.String())
		if fresh = !known; err != nil || known {
			return err
		}
		return exec(ctx, tx, `INSERT INTO aside (id, wrap, letter, at) VALUES ((SELECT coalesce(min(id), 0) - 1 FROM aside), ?, ?, ?)
			ON CONFLICT DO NOTHING`, m.ID.String(), m.JSON, ms(now))
	})
	if err != nil {
		return false, fmt.Errorf("take a letter by hand: %w", err)
	}
	return fresh, nil
}

// Answer returns the last Receipt for a rumor once it is sealed, to be carried
// back by hand. pow.ErrNotFound: there is none yet.
func (l *Ledger) Answer(ctx context.Context, rumor pow.Hash) (o pow.Outgoing, err error) {
	err = query(ctx, l.db, "SELECT id, version, device, receipt, seal FROM outgoing WHERE topic = ? AND seal IS NOT NULL", []any{rumor.String()}, func(s scanner) error {
		return s.Scan(&o.ID, &o.Version, text{&o.Device}, doc{&o.Receipt}, &o.Seal)
	})
	if err == nil && o.Seal == nil {
		err = pow.ErrNotFound
	}
	if err != nil {
		return o, fmt.Errorf("look for the answer to a letter: %w", err)
	}
	return o, nil
}
