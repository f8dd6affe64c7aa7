package store

import (
	"context"
	"time"

	"pow.do/services/pow"
)

// Periods of counters, in seconds.
const (
	hour = 3_600
	day  = 86_400
)

// charge adds n to a counter of the running period, or refuses with ErrQuota
// when that would exceed most.
func (w *writer) charge(key pow.Key, name string, period, n, most int64) error {
	now := w.now().Unix()
	if n > most {
		return ErrQuota
	}
	counted, err := w.exec(`INSERT INTO counters AS c (key, name, period, until, n) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key, name, period) DO UPDATE SET n = c.n + excluded.n WHERE c.n + excluded.n <= $6`,
		key[:], name, now/period, (now/period+1)*period, n, most)
	if err == nil && counted == 0 {
		return ErrQuota
	}
	return err
}

// purgeChunk bounds how long a purge keeps other changes waiting.
const purgeChunk = 500

// Purge removes expired events, tombstones, claims and counters.
func (s *Store) Purge(ctx context.Context) error {
	for _, query := range []string{
		`DELETE FROM events WHERE id IN (SELECT id FROM events WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM tombstones WHERE (id, author) IN (SELECT id, author FROM tombstones WHERE until <= $1 LIMIT $2)`,
		`DELETE FROM erased WHERE (pubkey, d) IN (SELECT pubkey, d FROM erased WHERE until <= $1 LIMIT $2)`,
		`DELETE FROM claims WHERE (dvm, id) IN (SELECT dvm, id FROM claims WHERE until <= $1 LIMIT $2)`,
		`DELETE FROM counters WHERE (key, name, period) IN (SELECT key, name, period FROM counters WHERE until <= $1 LIMIT $2)`,
	} {
		for n := int64(purgeChunk); n == purgeChunk; {
			err := s.change(ctx, func(w *writer) (err error) {
				n, err = w.exec(query, w.now().Unix(), purgeChunk)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return s.engine.clean(ctx)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Size counts what is stored.
type Size struct {
	Letters, LetterBytes int64
	Announcements        int64
	Devices              int64
	Blobs, BlobBytes     int64
	Tombstones, Claims   int64
	OldestBlob           time.Time // zero: none
}

// Size counts what is stored, for metrics. It may take a while.
func (s *Store) Size(ctx context.Context) (z Size, err error) {
	var oldest int64
	err = s.read.QueryRowContext(ctx, `SELECT
		(SELECT CAST(coalesce(sum(letters), 0) AS BIGINT) FROM mailboxes), (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM mailboxes),
		(SELECT count(*) FROM events WHERE kind = 31990), (SELECT count(*) FROM whitelist),
		(SELECT count(*) FROM blobs), (SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM blobs),
		(SELECT count(*) FROM tombstones), (SELECT count(*) FROM claims),
		(SELECT coalesce(min(uploaded), 0) FROM blobs)`).
		Scan(&z.Letters, &z.LetterBytes, &z.Announcements, &z.Devices, &z.Blobs, &z.BlobBytes, &z.Tombstones, &z.Claims, &oldest)
	if oldest > 0 {
		z.OldestBlob = time.Unix(oldest, 0)
	}
	return z, err
}
