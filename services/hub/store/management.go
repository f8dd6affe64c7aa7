package store

import (
	"context"
	"database/sql"
	"maps"
	"time"

	"pow.do/services/pow"
)

// AuditLife is how long what admins did is kept.
const AuditLife = 365 * 24 * time.Hour

// Deed is one row of the audit log.
type Deed struct {
	At     time.Time
	By     pow.Key // zero: somebody with a shell on the hub
	Name   string  // of By, as it was configured then
	Method string  // of NIP-86
	Target pow.Key // zero: none
}

// Record writes what is about to be done into the audit log. It returns once
// that is durable; without it nothing may be done.
func (s *Store) Record(ctx context.Context, by pow.Key, name, method string, target pow.Key) error {
	return s.change(ctx, func(w *writer) error {
		now := w.now()
		if _, err := w.exec(`DELETE FROM audit WHERE at < $1`, now.Add(-AuditLife).Unix()); err != nil {
			return err
		}
		_, err := w.exec(`INSERT INTO audit VALUES ((SELECT coalesce(max(n), 0) + 1 FROM audit), $1, $2, $3, $4, $5)`,
			now.Unix(), blob(by), name, method, blob(target))
		return err
	})
}

func blob(k pow.Key) []byte {
	if k.IsZero() {
		return []byte{}
	}
	return k[:]
}

// Audit returns up to most of the newest deeds, the newest last.
func (s *Store) Audit(ctx context.Context, most int) (deeds []Deed, err error) {
	err = scan(ctx, s.read, func(rows *sql.Rows) error {
		var at, n int64
		var by, target []byte
		var d Deed
		err := rows.Scan(&n, &at, &by, &d.Name, &d.Method, &target)
		d.At = time.Unix(at, 0).UTC()
		copy(d.By[:], by)
		copy(d.Target[:], target)
		deeds = append(deeds, d)
		return err
	}, `SELECT n, at, signer, name, method, target FROM (SELECT * FROM audit ORDER BY n DESC LIMIT $1) AS newest ORDER BY n`, most)
	return deeds, err
}

// Ban shuts a key out: it is taken off the whitelist with its mail, and Banned
// from then on. The reason is for other admins.
func (s *Store) Ban(ctx context.Context, key pow.Key, reason string) error {
	return s.change(ctx, func(w *writer) error {
		if _, err := w.exec(`INSERT INTO banned VALUES ($1, $2)
			ON CONFLICT (pubkey) DO UPDATE SET reason = excluded.reason`, key[:], reason); err != nil {
			return err
		}
		s.amend(w, func(m map[pow.Key]bool) { m[key] = true })
		if found, err := s.remove(w, key); found || err != nil {
			return err
		}
		return s.touch(w, func(map[pow.Key]pow.Key) {})
	})
}

// Unban lets a key in again; it is no member by that. It is not an error when
// it was not banned.
func (s *Store) Unban(ctx context.Context, key pow.Key) error {
	return s.change(ctx, func(w *writer) error {
		if _, err := w.exec(`DELETE FROM banned WHERE pubkey = $1`, key[:]); err != nil {
			return err
		}
		s.amend(w, func(m map[pow.Key]bool) { delete(m, key) })
		return s.touch(w, func(map[pow.Key]pow.Key) {})
	})
}

// Banned tells whether a key is shut out. It does not block.
func (s *Store) Banned(key pow.Key) bool { return (*s.banned.Load())[key] }

// EachBanned calls each for every banned key, in their order.
func (s *Store) EachBanned(ctx context.Context, each func(key pow.Key, reason string) error) error {
	return eachBanned(ctx, s.read, each)
}

func eachBanned(ctx context.Context, q querier, each func(pow.Key, string) error) error {
	return scan(ctx, q, func(rows *sql.Rows) error {
		var key []byte
		var reason string
		if err := rows.Scan(&key, &reason); err != nil || len(key) != 32 {
			return err
		}
		return each(pow.Key(key), reason)
	}, `SELECT pubkey, reason FROM banned ORDER BY pubkey`)
}

// EachDevice calls each for every device on the whitelist, in the order of List.
func (s *Store) EachDevice(ctx context.Context, each func(device, dvm pow.Key, how string) error) error {
	list, err := s.List(ctx)
	for _, d := range list {
		if err == nil {
			err = each(d.Key, d.DVM, d.How)
		}
	}
	return err
}

// loadBanned reads the banned keys; see loadRoster.
func (s *Store) loadBanned(ctx context.Context, q querier) error {
	m := map[pow.Key]bool{}
	err := eachBanned(ctx, q, func(key pow.Key, _ string) error { m[key] = true; return nil })
	if err == nil {
		s.banned.Store(&m)
	}
	return err
}

// amend changes a copy of the banned keys after the commit. Call touch after it.
func (s *Store) amend(w *writer, f func(map[pow.Key]bool)) {
	w.after = append(w.after, func() {
		m := maps.Clone(*s.banned.Load())
		f(m)
		s.banned.Store(&m)
	})
}
