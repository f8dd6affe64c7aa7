package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"pow.do/services/pow"
)

const (
	keepLetters = 60 * 24 * time.Hour // ids of processed wraps
	keepAside   = 30 * 24 * time.Hour // letters that nobody took up
	keepTrying  = 30 * 24 * time.Hour // to send what no relay takes, as long as relays keep letters
)

// Silent makes sessions due that have been silent for wait: they are closed at
// their last proven instant.
func (l *Ledger) Silent(ctx context.Context, now time.Time, wait time.Duration) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, `UPDATE sessions SET book_at = ?, version = version + 1 WHERE open = 1 AND "end" <= ? AND book_at IS NULL`, ms(now), ms(now.Add(-wait)))
	})
	if err != nil {
		return fmt.Errorf("close silent sessions: %w", err)
	}
	return nil
}

// Expired returns up to n sealed archives whose retention is over.
func (l *Ledger) Expired(ctx context.Context, now time.Time, n int) (out []pow.Hash, err error) {
	err = query(ctx, l.db, "SELECT sealed FROM proofs WHERE until <= ? ORDER BY until LIMIT ?", []any{ms(now), n}, func(s scanner) error {
		var h pow.Hash
		err := s.Scan(text{&h})
		out = append(out, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for expired archives: %w", err)
	}
	return out, nil
}

// RecipientsKept returns the ids of the archive keys that a kept or waiting
// archive is sealed to.
func (l *Ledger) RecipientsKept(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := query(ctx, l.db, `SELECT DISTINCT json_extract(n.doc, '$.recipient') FROM notices n LEFT JOIN proofs p ON p.id = n.id
		WHERE p.until IS NOT NULL OR n.state IN ('received', 'quarantined') AND n.sealed != ''`, nil, func(s scanner) error {
		var id string
		err := s.Scan(&id)
		used[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the archive keys in use: %w", err)
	}
	return used, nil
}

// Erased notes that a sealed archive is gone, and erases its activity rows with
// it. Hashes and times stay.
func (l *Ledger) Erased(ctx context.Context, sealed pow.Hash) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "DELETE FROM activity WHERE proof = (SELECT id FROM proofs WHERE sealed = ?)", sealed.String()); err != nil {
			return err
		}
		return exec(ctx, tx, "UPDATE proofs SET until = NULL WHERE sealed = ?", sealed.String())
	})
	if err != nil {
		return fmt.Errorf("note an erased archive: %w", err)
	}
	return nil
}

// Holds tells whether a sealed archive belongs to an accepted proof whose
// retention goes on, or to one that is being worked on.
func (l *Ledger) Holds(ctx context.Context, sealed pow.Hash) (bool, error) {
	ok, err := has(ctx, l.db, `SELECT 1 FROM proofs WHERE sealed = ?1 AND until IS NOT NULL
		UNION ALL SELECT 1 FROM notices WHERE sealed = ?1 AND state IN ('received', 'quarantined')`, sealed.String())
	if err != nil {
		return false, fmt.Errorf("look for an archive: %w", err)
	}
	return ok, nil
}

// Dismissals returns removed devices that the hubs have not been told about and
// for which no letter waits: after it a hub takes none for them.
func (l *Ledger) Dismissals(ctx context.Context) (out []pow.Key, err error) {
	err = query(ctx, l.db, "SELECT key FROM devices d WHERE dismiss = 1 AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.device = d.key AND o.due IS NOT NULL)", nil, func(s scanner) error {
		var k pow.Key
		err := s.Scan(text{&k})
		out = append(out, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for removed devices: %w", err)
	}
	return out, nil
}

// Dismissed notes that the hubs know that the device is removed.
func (l *Ledger) Dismissed(ctx context.Context, device pow.Key) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "UPDATE devices SET dismiss = 0 WHERE key = ? AND state = 'removed'", device.String())
	})
	if err != nil {
		return fmt.Errorf("note a removed device: %w", err)
	}
	return nil
}

// Prune forgets what need not be remembered any more, and gives up on letters to
// devices that no relay admits.
func (l *Ledger) Prune(ctx context.Context, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "DELETE FROM letters WHERE at < ?", ms(now.Add(-keepLetters))); err != nil {
			return err
		}
		if err := exec(ctx, tx, "UPDATE outgoing SET due = NULL, sent = ?1, letter = NULL WHERE due IS NOT NULL AND created < ?2", ms(now), ms(now.Add(-keepTrying))); err != nil {
			return err
		}
		return exec(ctx, tx, "DELETE FROM aside WHERE at < ?", ms(now.Add(-keepAside)))
	})
	if err != nil {
		return fmt.Errorf("prune the ledger: %w", err)
	}
	return nil
}
