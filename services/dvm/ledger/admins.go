package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// SetAdmin lets a person look at evidence, or changes their key. A zero
// identity leaves them the one-time links of the command line.
func (l *Ledger) SetAdmin(ctx context.Context, a pow.Admin) error {
	var identity any
	if !a.Identity.IsZero() {
		identity = a.Identity.String()
	}
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "INSERT INTO admins VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET identity = excluded.identity", a.Name, identity, ms(a.Since))
	})
	if err != nil {
		return fmt.Errorf("set an admin: %w", err)
	}
	return nil
}

// RemoveAdmin ends a person's access; pow.ErrNotFound when there is none. What
// they looked at stays in the log.
func (l *Ledger) RemoveAdmin(ctx context.Context, name string) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		ok, err := changed(ctx, tx, "DELETE FROM admins WHERE name = ?", name)
		if err == nil && !ok {
			err = pow.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove an admin: %w", err)
	}
	return nil
}

// Admins lists who may look at evidence.
func (l *Ledger) Admins(ctx context.Context) ([]pow.Admin, error) {
	out := []pow.Admin{}
	err := query(ctx, l.db, "SELECT name, identity, since FROM admins ORDER BY name", nil, func(s scanner) error {
		var a pow.Admin
		err := s.Scan(&a.Name, text{&a.Identity}, instant{&a.Since})
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the admins: %w", err)
	}
	return out, nil
}

// AdminOf returns whose key it is; pow.ErrNotFound when nobody's.
func (l *Ledger) AdminOf(ctx context.Context, identity pow.Key) (name string, err error) {
	return l.adminName(ctx, "SELECT name FROM admins WHERE identity = ?", identity.String())
}

// HasAdmin tells whether the person may still look; pow.ErrNotFound when not.
func (l *Ledger) HasAdmin(ctx context.Context, name string) error {
	_, err := l.adminName(ctx, "SELECT name FROM admins WHERE name = ?", name)
	return err
}

func (l *Ledger) adminName(ctx context.Context, text string, arg string) (name string, err error) {
	err = l.db.QueryRowContext(ctx, text, arg).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		err = pow.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("find an admin: %w", err)
	}
	return name, nil
}

// AddLink keeps a one-time link by the hash of its secret.
func (l *Ledger) AddLink(ctx context.Context, hash pow.Hash, admin string, expires time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "INSERT INTO links VALUES (?, ?, ?)", hash.String(), admin, ms(expires))
	})
	if err != nil {
		return fmt.Errorf("keep a link: %w", err)
	}
	return nil
}

// UseLink returns whose link it is, once; pow.ErrNotFound when it was used, is
// over, or never was.
func (l *Ledger) UseLink(ctx context.Context, hash pow.Hash, now time.Time) (admin string, err error) {
	err = l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "DELETE FROM links WHERE expires <= ?", ms(now)); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, "DELETE FROM links WHERE hash = ? RETURNING admin", hash.String()).Scan(&admin)
		if errors.Is(err, sql.ErrNoRows) {
			return pow.ErrNotFound
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("use a link: %w", err)
	}
	return admin, nil
}

// Looked notes what an admin is about to see or do. Without it nothing may be
// shown or done.
func (l *Ledger) Looked(ctx context.Context, k pow.Look) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "INSERT INTO looks (at, admin, act, target) VALUES (?, ?, ?, ?)", ms(k.At), k.Admin, k.Act, k.Target)
	})
	if err != nil {
		return fmt.Errorf("note a look: %w", err)
	}
	return nil
}

// Looks returns up to n of the newest looks, newest first.
func (l *Ledger) Looks(ctx context.Context, n int) ([]pow.Look, error) {
	out := []pow.Look{}
	err := query(ctx, l.db, "SELECT at, admin, act, target FROM looks ORDER BY id DESC LIMIT ?", []any{n}, func(s scanner) error {
		var k pow.Look
		err := s.Scan(instant{&k.At}, &k.Admin, &k.Act, &k.Target)
		out = append(out, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the looks: %w", err)
	}
	return out, nil
}

// Pictures lists the pictures of an accepted proof in their order in the archive.
func (l *Ledger) Pictures(ctx context.Context, proof int64) ([]pow.Capture, error) {
	out := []pow.Capture{}
	err := query(ctx, l.db, "SELECT at, display, format, width, height, size, hash FROM captures WHERE proof = ? ORDER BY n", []any{proof}, func(s scanner) error {
		var c pow.Capture
		err := s.Scan(instant{&c.At}, &c.Display, &c.Format, &c.Width, &c.Height, &c.Size, text{&c.Hash})
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the pictures of a proof: %w", err)
	}
	return out, nil
}

// ActivityIn lists the activity rows of an accepted proof.
func (l *Ledger) ActivityIn(ctx context.Context, proof int64) ([]pow.ActivityRow, error) {
	out := []pow.ActivityRow{}
	err := query(ctx, l.db, `SELECT "from", "to", kind, app, title, host, category FROM activity WHERE proof = ? ORDER BY n`, []any{proof}, func(s scanner) error {
		var r pow.ActivityRow
		err := s.Scan(instant{&r.From}, instant{&r.To}, &r.Kind, &r.App, &r.Title, &r.Host, &r.Category)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the activity of a proof: %w", err)
	}
	return out, nil
}
