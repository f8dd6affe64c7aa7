package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"pow.do/services/pow"
)

// Limits of blobs per device.
const (
	BlobBytesStored = 2 << 30
	BlobBytesPerDay = 5 << 30
	UploadsPerHour  = 600
)

// Own records a blob whose bytes lie durably under name ("": its hash): device
// owns it from now on, or its ownership is renewed. created is false when the
// blob was known; then kept is where its bytes lay already, and those under name
// are to be removed if it differs.
func (s *Store) Own(ctx context.Context, x pow.Hash, size int64, name string, device, dvm pow.Key) (kept string, created bool, err error) {
	err = s.change(ctx, func(w *writer) error {
		now := w.now().Unix()
		n, err := w.exec(`INSERT INTO blobs VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, x[:], size, now, name)
		if err != nil {
			return err
		}
		created = n > 0
		err = w.row(`UPDATE blobs SET uploaded = $2 WHERE x = $1 RETURNING name`, []any{x[:], now}, &kept)
		if err != nil {
			return err
		}
		_, err = w.exec(`INSERT INTO owners VALUES ($1, $2, $3, $4) ON CONFLICT (x, device)
			DO UPDATE SET uploaded = excluded.uploaded, dvm = excluded.dvm`, x[:], device[:], dvm[:], now)
		return err
	})
	return kept, created, err
}

// Renew starts the time of a blob again that device owns already, and returns
// its size; pow.ErrNotFound when it does not own it.
func (s *Store) Renew(ctx context.Context, x pow.Hash, device, dvm pow.Key) (size int64, err error) {
	err = s.change(ctx, func(w *writer) error {
		now := w.now().Unix()
		n, err := w.exec(`UPDATE owners SET uploaded = $3, dvm = $4 WHERE x = $1 AND device = $2`, x[:], device[:], now, dvm[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return pow.ErrNotFound
		}
		return w.row(`UPDATE blobs SET uploaded = $2 WHERE x = $1 RETURNING size`, []any{x[:], now}, &size)
	})
	return size, err
}

// Blob returns the size of a blob, where its bytes lie, and the time of its
// newest upload, if by may see it: a device that owns it, or the DVM of one.
// Otherwise pow.ErrNotFound.
func (s *Store) Blob(ctx context.Context, x pow.Hash, by pow.Key) (size int64, name string, uploaded time.Time, err error) {
	var at int64
	err = s.read.QueryRowContext(ctx, `SELECT size, name, uploaded FROM blobs WHERE x = $1
		AND EXISTS (SELECT 1 FROM owners WHERE x = $1 AND (device = $2 OR dvm = $2))`, x[:], by[:]).Scan(&size, &name, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", time.Time{}, pow.ErrNotFound
	}
	return size, name, time.Unix(at, 0), err
}

// Disown ends the ownership of a device, or, for a DVM, that of all its
// devices. orphan tells that nobody owns the blob any more: its row is gone and
// the bytes under name are to be removed. pow.ErrNotFound as for Blob.
func (s *Store) Disown(ctx context.Context, x pow.Hash, by pow.Key) (name string, orphan bool, err error) {
	err = s.change(ctx, func(w *writer) error {
		n, err := w.exec(`DELETE FROM owners WHERE x = $1 AND (device = $2 OR dvm = $2)`, x[:], by[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return pow.ErrNotFound
		}
		orphan, err = w.take(&name, `DELETE FROM blobs WHERE x = $1
			AND NOT EXISTS (SELECT 1 FROM owners WHERE x = $1) RETURNING name`, x[:])
		return err
	})
	return name, orphan, err
}

// take runs a query that returns at most one text.
func (w *writer) take(text *string, query string, args ...any) (found bool, err error) {
	err = w.row(query, args, text)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Stored returns how many bytes of blobs a device owns, and how many it
// uploaded today.
func (s *Store) Stored(ctx context.Context, device pow.Key) (stored, today int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT
		CAST(coalesce((SELECT sum(size) FROM owners JOIN blobs USING (x) WHERE device = $1), 0) AS BIGINT),
		coalesce((SELECT n FROM counters WHERE key = $1 AND name = 'upload-bytes' AND period = $2), 0)`,
		device[:], s.now().Unix()/day).Scan(&stored, &today)
	return stored, today, err
}

// BeginUpload counts an upload of this hour; ErrQuota after UploadsPerHour.
func (s *Store) BeginUpload(ctx context.Context, device pow.Key) error {
	return s.change(ctx, func(w *writer) error { return w.charge(device, "uploads", hour, 1, UploadsPerHour) })
}

// EndUpload counts the bytes that were received, whatever became of them.
func (s *Store) EndUpload(ctx context.Context, device pow.Key, bytes int64) error {
	return s.change(ctx, func(w *writer) error { return w.charge(device, "upload-bytes", day, bytes, 1<<62) })
}

// Expired lists up to limit blobs whose newest upload was before t, or that
// nobody owns.
func (s *Store) Expired(ctx context.Context, t time.Time, limit int) (list []pow.Hash, err error) {
	err = scan(ctx, s.read, func(rows *sql.Rows) error {
		var x []byte
		err := rows.Scan(&x)
		if err == nil && len(x) == 32 {
			list = append(list, pow.Hash(x))
		}
		return err
	}, `SELECT x FROM blobs WHERE uploaded < $1
		UNION SELECT x FROM blobs WHERE NOT EXISTS (SELECT 1 FROM owners WHERE owners.x = blobs.x) LIMIT $2`, t.Unix(), limit)
	return list, err
}

// Drop removes the row of a blob whose newest upload was before t or that
// nobody owns. It tells whether it was removed, and where its bytes lie.
func (s *Store) Drop(ctx context.Context, x pow.Hash, t time.Time) (name string, dropped bool, err error) {
	err = s.change(ctx, func(w *writer) (err error) {
		dropped, err = w.take(&name, `DELETE FROM blobs WHERE x = $1
			AND (uploaded < $2 OR NOT EXISTS (SELECT 1 FROM owners WHERE x = $1)) RETURNING name`, x[:], t.Unix())
		return err
	})
	return name, dropped, err
}

// Known tells whether a blob has a row that says its bytes lie under name.
func (s *Store) Known(ctx context.Context, x pow.Hash, name string) (known bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM blobs WHERE x = $1 AND name = $2)`, x[:], name).Scan(&known)
	return known, err
}

// Each calls f for every blob, in order of their hashes.
func (s *Store) Each(ctx context.Context, f func(x pow.Hash, name string) error) error {
	type row struct {
		x    pow.Hash
		name string
	}
	after := []byte{}
	for {
		var page []row
		err := scan(ctx, s.read, func(rows *sql.Rows) error {
			var x []byte
			var name string
			err := rows.Scan(&x, &name)
			if err == nil && len(x) == 32 {
				page = append(page, row{pow.Hash(x), name})
			}
			return err
		}, `SELECT x, name FROM blobs WHERE x > $1 ORDER BY x LIMIT 500`, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			if err := f(r.x, r.name); err != nil {
				return err
			}
		}
		after = page[len(page)-1].x[:]
	}
}
