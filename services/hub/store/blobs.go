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

// Own records a blob that lies under its final name: device owns it from now
// on, or its ownership is renewed. created is false when the blob was known.
func (s *Store) Own(ctx context.Context, x pow.Hash, size int64, device, dvm pow.Key) (created bool, err error) {
	err = s.change(ctx, func(w *writer) error {
		var known bool
		if err := w.row(`SELECT EXISTS (SELECT 1 FROM blobs WHERE x = ?)`, []any{x[:]}, &known); err != nil {
			return err
		}
		now := w.now().Unix()
		if _, err := w.exec(`INSERT INTO blobs VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET uploaded = excluded.uploaded`, x[:], size, now); err != nil {
			return err
		}
		created = !known
		_, err := w.exec(`INSERT INTO owners VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET uploaded = excluded.uploaded, dvm = excluded.dvm`, x[:], device[:], dvm[:], now)
		return err
	})
	return created, err
}

// Blob returns the size of a blob and the time of its newest upload, if by may
// see it: a device that owns it, or the DVM of one. Otherwise pow.ErrNotFound.
func (s *Store) Blob(ctx context.Context, x pow.Hash, by pow.Key) (size int64, uploaded time.Time, err error) {
	var at int64
	err = s.read.QueryRowContext(ctx, `SELECT size, uploaded FROM blobs WHERE x = ?1
		AND EXISTS (SELECT 1 FROM owners WHERE x = ?1 AND (device = ?2 OR dvm = ?2))`, x[:], by[:]).Scan(&size, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, pow.ErrNotFound
	}
	return size, time.Unix(at, 0), err
}

// Disown ends the ownership of a device, or, for a DVM, that of all its
// devices. orphan tells that nobody owns the blob any more: its row is gone and
// the file is to be removed. pow.ErrNotFound as for Blob.
func (s *Store) Disown(ctx context.Context, x pow.Hash, by pow.Key) (orphan bool, err error) {
	err = s.change(ctx, func(w *writer) error {
		n, err := w.exec(`DELETE FROM owners WHERE x = ?1 AND (device = ?2 OR dvm = ?2)`, x[:], by[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return pow.ErrNotFound
		}
		n, err = w.exec(`DELETE FROM blobs WHERE x = ?1 AND NOT EXISTS (SELECT 1 FROM owners WHERE x = ?1)`, x[:])
		orphan = n > 0
		return err
	})
	return orphan, err
}

// Stored returns how many bytes of blobs a device owns, and how many it
// uploaded today.
func (s *Store) Stored(ctx context.Context, device pow.Key) (stored, today int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT
		coalesce((SELECT sum(size) FROM owners JOIN blobs USING (x) WHERE device = ?1), 0),
		coalesce((SELECT n FROM counters WHERE key = ?1 AND name = 'upload-bytes' AND period = ?2), 0)`,
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
	}, `SELECT x FROM blobs WHERE uploaded < ?1
		UNION SELECT x FROM blobs WHERE NOT EXISTS (SELECT 1 FROM owners WHERE owners.x = blobs.x) LIMIT ?2`, t.Unix(), limit)
	return list, err
}

// Drop removes the row of a blob whose newest upload was before t or that
// nobody owns, and tells whether it was removed.
func (s *Store) Drop(ctx context.Context, x pow.Hash, t time.Time) (dropped bool, err error) {
	err = s.change(ctx, func(w *writer) error {
		n, err := w.exec(`DELETE FROM blobs WHERE x = ?1
			AND (uploaded < ?2 OR NOT EXISTS (SELECT 1 FROM owners WHERE x = ?1))`, x[:], t.Unix())
		dropped = n > 0
		return err
	})
	return dropped, err
}

// Known tells whether a blob has a row.
func (s *Store) Known(ctx context.Context, x pow.Hash) (known bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM blobs WHERE x = ?)`, x[:]).Scan(&known)
	return known, err
}

// Each calls f for every known blob, in order of their hashes.
func (s *Store) Each(ctx context.Context, f func(x pow.Hash) error) error {
	after := []byte{}
	for {
		var page []pow.Hash
		err := scan(ctx, s.read, func(rows *sql.Rows) error {
			var x []byte
			err := rows.Scan(&x)
			if err == nil && len(x) == 32 {
				page = append(page, pow.Hash(x))
			}
			return err
		}, `SELECT x FROM blobs WHERE x > ? ORDER BY x LIMIT 500`, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, x := range page {
			if err := f(x); err != nil {
				return err
			}
		}
		after = page[len(page)-1][:]
	}
}
