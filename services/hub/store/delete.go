package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// TombstoneLife is how long a deleted id is refused.
const TombstoneLife = 30 * 24 * time.Hour

// Delete does what a deletion request (NIP-09) of author asks for: it removes
// the events with these ids that author wrote or, if they are gift wraps,
// received, and announcements of author at these d values up to the second at.
// Each id is refused for TombstoneLife from then on, also one that is not here:
// it may still come from elsewhere. done gets nil or ErrQuota; see Put.
func (s *Store) Delete(author pow.Key, at time.Time, ids []pow.Hash, ds []string, done func(error)) {
	most := DeletionsPerDay * factor(s.dvms[author])
	ds = slices.DeleteFunc(slices.Clone(ds), func(d string) bool { return strings.ContainsRune(d, 0) }) // nothing is stored under such
	s.submit(func(w *writer) error {
		if err := w.charge(author, "deletions", day, int64(len(ids)+len(ds)), most); err != nil {
			return err
		}
		until := w.now().Add(TombstoneLife).Unix()
		for _, id := range ids {
			if err := w.deleteID(author, id, until); err != nil {
				return err
			}
		}
		for _, d := range ds {
			if err := w.deleteAddress(author, d, at.Unix(), until); err != nil {
				return err
			}
		}
		return nil
	}, done)
}

func (w *writer) deleteID(author pow.Key, id pow.Hash, until int64) error {
	if _, err := w.exec(`INSERT INTO tombstones AS t VALUES ($1, $2, $3)
		ON CONFLICT (id, author) DO UPDATE SET until = CASE WHEN t.until > excluded.until THEN t.until ELSE excluded.until END`, id[:], author[:], until); err != nil {
		return err
	}
	_, err := w.exec(`DELETE FROM events WHERE id = $1 AND (pubkey = $2 OR kind = 1059 AND p = $2)`, id[:], author[:])
	return err
}

func (w *writer) deleteAddress(author pow.Key, d string, upto, until int64) error {
	if _, err := w.exec(`INSERT INTO erased AS t VALUES ($1, $2, $3, $4) ON CONFLICT (pubkey, d) DO UPDATE
		SET upto = CASE WHEN t.upto > excluded.upto THEN t.upto ELSE excluded.upto END,
			until = CASE WHEN t.until > excluded.until THEN t.until ELSE excluded.until END`, author[:], d, upto, until); err != nil {
		return err
	}
	_, err := w.exec(`DELETE FROM events WHERE kind = 31990 AND pubkey = $1 AND d = $2 AND created_at <= $3`, author[:], d, upto)
	return err
}

// Vanish does what NIP-62 asks for: everything that key wrote up to at, all
// gift wraps to it, its place on the whitelist and its ownership of blobs go;
// older events of it are refused for ever. Blobs without an owner are left for
// Orphans. It returns once that is durable.
func (s *Store) Vanish(ctx context.Context, key pow.Key, at time.Time) error {
	return s.change(ctx, func(w *writer) error {
		for _, q := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM events WHERE pubkey = $1 AND created_at <= $2`, []any{key[:], at.Unix()}},
			{`DELETE FROM events WHERE kind = 1059 AND p = $1`, []any{key[:]}},
			{`DELETE FROM owners WHERE device = $1`, []any{key[:]}},
			{`INSERT INTO vanished AS t VALUES ($1, $2) ON CONFLICT (pubkey) DO UPDATE
				SET upto = CASE WHEN t.upto > excluded.upto THEN t.upto ELSE excluded.upto END`, []any{key[:], at.Unix()}},
		} {
			if _, err := w.exec(q.query, q.args...); err != nil {
				return err
			}
		}
		_, err := s.remove(w, key)
		return err
	})
}
