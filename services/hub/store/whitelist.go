package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"sync"
	"time"

	"pow.do/services/pow"
)

// DevicesPerDVM bounds how many devices the claims of one DVM can admit.
const DevicesPerDVM = 1_000

// Poll is how often Watch looks for changes made by another process.
const Poll = time.Second

// Device is one row of the whitelist.
type Device struct {
	Key pow.Key   `json:"device"`
	DVM pow.Key   `json:"dvm"`
	How string    `json:"how"` // claim, hand
	Day time.Time `json:"day"` // of admission, midnight UTC
}

// roster is the whitelist in memory; it is replaced, never changed.
type roster struct {
	generation int64
	dvm        map[pow.Key]pow.Key // of each device
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// loadRoster reads generation first: a change in between is then seen again.
func (s *Store) loadRoster(ctx context.Context, q querier) error {
	r := &roster{dvm: map[pow.Key]pow.Key{}}
	if err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'generation'`).Scan(&r.generation); err != nil {
		return err
	}
	err := scan(ctx, q, func(rows *sql.Rows) error {
		var device, dvm []byte
		err := rows.Scan(&device, &dvm)
		if err == nil && len(device) == 32 && len(dvm) == 32 {
			r.dvm[pow.Key(device)] = pow.Key(dvm)
		}
		return err
	}, `SELECT device, dvm FROM whitelist`)
	if err == nil {
		err = s.loadBanned(ctx, q)
	}
	if err != nil {
		return err
	}
	s.roster.Store(r)
	return nil
}

// scan calls each for every row of a query.
func scan(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return collect(rows, func() error { return each(rows) })
}

// DVMOf returns the DVM that a device is a member of. ok is false for devices
// that are not on the whitelist, or whose DVM this hub does not serve.
func (s *Store) DVMOf(device pow.Key) (dvm pow.Key, ok bool) {
	dvm, ok = s.roster.Load().dvm[device]
	return dvm, ok && s.dvms[dvm]
}

// OnChange sets what is called after the whitelist changed. It may run on the
// writer's goroutine: it must not block or change the store.
func (s *Store) OnChange(f func()) { s.changed.Store(&f) }

// Watch notices what others did, until ctx ends: changes of the whitelist by
// another process, and on PostgreSQL what other hubs stored.
func (s *Store) Watch(ctx context.Context) error {
	tick := time.NewTicker(Poll)
	defer tick.Stop()
	wake := make(chan struct{}, 1)
	if s.feed != nil {
		var listener sync.WaitGroup
		defer listener.Wait()
		listener.Go(func() { s.feed.listen(ctx, wake) })
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-wake:
		}
		if err := errors.Join(s.refresh(ctx), s.catchUp(ctx)); err != nil && ctx.Err() == nil {
			s.log.Error("the database could not be read", "err", err)
		}
	}
}

// refresh reads the whitelist again if another process changed it.
func (s *Store) refresh(ctx context.Context) error {
	var generation int64
	err := s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'generation'`).Scan(&generation)
	if err != nil || generation == s.roster.Load().generation {
		return err
	}
	if err := s.reload(ctx); err != nil {
		return err
	}
	s.tell()
	return nil
}

// reload runs on the writer, so that it cannot undo a change made meanwhile. Once
// it has begun it does not end with ctx: others share its transaction.
func (s *Store) reload(ctx context.Context) error {
	return s.change(ctx, func(w *writer) error { return s.loadRoster(context.WithoutCancel(ctx), w.conn) })
}

func (s *Store) tell() {
	if f := s.changed.Load(); f != nil {
		(*f)()
	}
}

// touch raises the generation, and after the commit applies f to a copy of the roster.
func (s *Store) touch(w *writer, f func(map[pow.Key]pow.Key)) error {
	var generation int64
	err := w.row(`UPDATE meta SET value = value + 1 WHERE name = 'generation' RETURNING value`, nil, &generation)
	if err != nil {
		return err
	}
	w.loud = true
	w.after = append(w.after, func() {
		old := s.roster.Load()
		r := &roster{generation: generation, dvm: maps.Clone(old.dvm)}
		if old.generation != generation-1 {
			r.generation = old.generation // another process changed it too: Watch will read all
		}
		f(r.dvm)
		s.roster.Store(r)
		s.tell()
	})
	return nil
}

func (s *Store) add(w *writer, device, dvm pow.Key, how string) error {
	today := w.now().Unix() / 86_400
	if _, err := w.exec(`INSERT INTO whitelist VALUES ($1, $2, $3, $4)
		ON CONFLICT (device) DO UPDATE SET dvm = excluded.dvm, how = excluded.how, day = excluded.day`,
		device[:], dvm[:], how, today); err != nil {
		return err
	}
	return s.touch(w, func(m map[pow.Key]pow.Key) { m[device] = dvm })
}

// remove takes a device off the whitelist and deletes its mail. Its blobs stay
// until they expire: they may be undelivered work.
func (s *Store) remove(w *writer, device pow.Key) (found bool, err error) {
	n, err := w.exec(`DELETE FROM whitelist WHERE device = $1`, device[:])
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := w.exec(`DELETE FROM events WHERE kind = 1059 AND p = $1`, device[:]); err != nil {
		return false, err
	}
	return true, s.touch(w, func(m map[pow.Key]pow.Key) { delete(m, device) })
}

// Join admits a device by a checked claim of its DVM, once: the claim (by its
// id) is marked as used until it has expired. It returns ErrMember when the
// device is a member already, which spends no claim, ErrClaimUsed when another
// device spent it, and ErrQuota when the DVM has DevicesPerDVM devices.
func (s *Store) Join(ctx context.Context, device, dvm pow.Key, claim string, expires time.Time) error {
	return s.change(ctx, func(w *writer) error {
		var member, used bool
		var devices int
		err := w.row(`SELECT
			EXISTS (SELECT 1 FROM whitelist WHERE device = $1),
			EXISTS (SELECT 1 FROM claims WHERE dvm = $2 AND id = $3 AND device <> $1),
			(SELECT count(*) FROM whitelist WHERE dvm = $2)`,
			[]any{device[:], dvm[:], claim}, &member, &used, &devices)
		switch {
		case err != nil:
			return err
		case member && s.serves(device):
			return ErrMember
		case used:
			return ErrClaimUsed
		case devices >= DevicesPerDVM:
			return ErrQuota
		}
		until := expires.Add(10 * time.Minute).Unix()
		if _, err := w.exec(`INSERT INTO claims VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			dvm[:], claim, device[:], until); err != nil {
			return err
		}
		return s.add(w, device, dvm, "claim")
	})
}

func (s *Store) serves(device pow.Key) bool { _, ok := s.DVMOf(device); return ok }

// Leave takes a device off the whitelist at its own wish. It is not an error
// when it was not there.
func (s *Store) Leave(ctx context.Context, device pow.Key) error {
	return s.change(ctx, func(w *writer) error { _, err := s.remove(w, device); return err })
}

// Allow puts a device on the whitelist by hand.
func (s *Store) Allow(ctx context.Context, device, dvm pow.Key) error {
	return s.change(ctx, func(w *writer) error { return s.add(w, device, dvm, "hand") })
}

// Deny takes a device off the whitelist and deletes its mail; pow.ErrNotFound
// when it was not there.
func (s *Store) Deny(ctx context.Context, device pow.Key) error {
	return s.change(ctx, func(w *writer) error {
		found, err := s.remove(w, device)
		if err == nil && !found {
			return pow.ErrNotFound
		}
		return err
	})
}

// List returns the whitelist, ordered by DVM and device.
func (s *Store) List(ctx context.Context) (list []Device, err error) {
	err = scan(ctx, s.read, func(rows *sql.Rows) error {
		var device, dvm []byte
		var d Device
		var today int64
		err := rows.Scan(&device, &dvm, &d.How, &today)
		if err == nil && len(device) == 32 && len(dvm) == 32 {
			d.Key, d.DVM, d.Day = pow.Key(device), pow.Key(dvm), time.Unix(today*86_400, 0).UTC()
			list = append(list, d)
		}
		return err
	}, `SELECT device, dvm, how, day FROM whitelist ORDER BY dvm, device`)
	return list, err
}
