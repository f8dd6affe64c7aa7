package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// MaxAside bounds the letters of strangers that wait for the enrol lane.
const MaxAside = 1000

const (
	repeatEvery = 10 * time.Minute // the same Receipt for the same rumor at most so often
	refuseEvery = 24 * time.Hour   // and a former member is told so at most so often
)

// LetterSeen tells whether a letter with this event id was processed or dropped before.
func (l *Ledger) LetterSeen(ctx context.Context, wrap pow.Hash) (bool, error) {
	ok, err := has(ctx, l.db, "SELECT 1 FROM letters WHERE wrap = ?", wrap.String())
	if err != nil {
		return false, fmt.Errorf("look for a letter: %w", err)
	}
	return ok, nil
}

// LetterDropped remembers that a letter was dropped at the named step, and counts it.
func (l *Ledger) LetterDropped(ctx context.Context, wrap pow.Hash, step string, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		if err := count(ctx, tx, "dropped/"+step); err != nil {
			return err
		}
		return seen(ctx, tx, wrap, step, now)
	})
	if err != nil {
		return fmt.Errorf("drop a letter: %w", err)
	}
	return nil
}

// LetterAside keeps an undecrypted letter of a stranger for later. It returns
// false when MaxAside letters wait already.
func (l *Ledger) LetterAside(ctx context.Context, m pow.Letter, now time.Time) (kept bool, err error) {
	err = l.write(ctx, func(tx *sql.Tx) (err error) {
		kept, err = changed(ctx, tx, `INSERT INTO aside (wrap, letter, at) SELECT ?, ?, ?
			WHERE (SELECT count(*) FROM aside) < ? ON CONFLICT DO NOTHING`, m.ID.String(), m.JSON, ms(now), MaxAside)
		if err != nil || kept {
			return err
		}
		kept, err = has(ctx, tx, "SELECT 1 FROM aside WHERE wrap = ?", m.ID.String())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("put a letter aside: %w", err)
	}
	return kept, nil
}

// LettersAside returns the oldest n letters that were put aside. They stay until
// they are taken, dropped or quarantined.
func (l *Ledger) LettersAside(ctx context.Context, n int) (out []pow.Letter, err error) {
	err = query(ctx, l.db, "SELECT wrap, letter FROM aside ORDER BY id LIMIT ?", []any{n}, func(s scanner) error {
		var m pow.Letter
		err := s.Scan(text{&m.ID}, &m.JSON)
		out = append(out, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the letters aside: %w", err)
	}
	return out, nil
}

// LetterQuarantined keeps a letter that made the program fail for a person to look at.
func (l *Ledger) LetterQuarantined(ctx context.Context, m pow.Letter, step, reason string, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "INSERT INTO quarantine (wrap, letter, step, reason, attempts, at) VALUES (?, ?, ?, ?, 1, ?)",
			m.ID.String(), m.JSON, step, reason, ms(now)); err != nil {
			return err
		}
		if err := count(ctx, tx, "quarantined/"+step); err != nil {
			return err
		}
		return seen(ctx, tx, m.ID, "quarantined", now)
	})
	if err != nil {
		return fmt.Errorf("quarantine a letter: %w", err)
	}
	return nil
}

func seen(ctx context.Context, tx *sql.Tx, wrap pow.Hash, outcome string, now time.Time) error {
	if err := exec(ctx, tx, "INSERT INTO letters VALUES (?, ?, ?) ON CONFLICT DO NOTHING", wrap.String(), outcome, ms(now)); err != nil {
		return err
	}
	return exec(ctx, tx, "DELETE FROM aside WHERE wrap = ?", wrap.String())
}

// TakeAnswer takes a rumor that has no effect but its answer: a malformed or an
// unsupported one. A rumor that is known is answered again as it was.
func (l *Ledger) TakeAnswer(ctx context.Context, m pow.Mail, r pow.Receipt, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		known, err := l.takeRumor(ctx, tx, m, string(r.Code), now)
		if err != nil || known {
			return err
		}
		return post(ctx, tx, r, now, now)
	})
	if err != nil {
		return fmt.Errorf("take a letter: %w", err)
	}
	return nil
}

// takeRumor remembers wrap and rumor. For a known rumor its Receipt is due again.
func (l *Ledger) takeRumor(ctx context.Context, tx *sql.Tx, m pow.Mail, action string, now time.Time) (known bool, err error) {
	if err := seen(ctx, tx, m.Wrap, "taken", now); err != nil {
		return false, err
	}
	fresh, err := changed(ctx, tx, "INSERT INTO rumors VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		m.Rumor.String(), m.Author.String(), action, ms(now))
	if err != nil || fresh {
		return false, err
	}
	return true, repeat(ctx, tx, m.Rumor, now)
}

// repeat makes the last Receipt for a rumor due again.
func repeat(ctx context.Context, tx *sql.Tx, rumor pow.Hash, now time.Time) error {
	return exec(ctx, tx, `UPDATE outgoing SET due = ?, letter = NULL, letter_id = '', attempts = 0, version = version + 1
		WHERE topic = ? AND due IS NULL AND sent <= ?`, ms(now), rumor.String(), ms(now.Add(-repeatEvery)))
}

// post puts a Receipt into the outgoing mail, in the place of an earlier one for
// the same rumor. Nothing replaces booked, and only errors are said twice: they
// carry the time before which nothing should be tried again.
func post(ctx context.Context, tx *sql.Tx, r pow.Receipt, due, now time.Time) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write a receipt: %w", err)
	}
	return exec(ctx, tx, `INSERT INTO outgoing (topic, device, code, reason, receipt, due, created) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (topic) DO UPDATE SET device = excluded.device, code = excluded.code, reason = excluded.reason,
			receipt = excluded.receipt, due = excluded.due, rumor = '', seal = NULL, letter = NULL, letter_id = '',
			attempts = 0, sent = NULL, created = excluded.created, version = version + 1
		WHERE outgoing.code <> 'booked' AND (? OR outgoing.code <> excluded.code OR outgoing.reason <> excluded.reason)`,
		r.Answers.String(), r.Device.String(), string(r.Code), r.Reason, b, ms(due), ms(now), r.Code.Status() == "error")
}
