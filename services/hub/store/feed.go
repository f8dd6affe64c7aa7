package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// feed tells this hub what the other hubs on its database have stored, in the
// order of their commits: all changes take turns, so that a number that is seen
// is never followed by a lower one.
type feed struct {
	hub     int64 // a random number of this process
	connect func(context.Context) (*pgx.Conn, error)
	arrived atomic.Pointer[func(json []byte)]
	lost    atomic.Pointer[func()]

	mu    sync.Mutex
	seq   int64 // everything up to here was handed over
	floor int64 // what the next prune deletes up to
}

// feedPage bounds how many events of others are read at once.
const feedPage = 200

// OnArrival sets what is called with every event that another hub on the same
// database stored, and what is called when some may have been missed: this hub
// was away for longer than the feed is kept, and its readers must read again.
// Neither may block. On SQLite nothing ever arrives.
func (s *Store) OnArrival(arrived func(json []byte), missed func()) {
	if s.feed != nil {
		s.feed.arrived.Store(&arrived)
		s.feed.lost.Store(&missed)
	}
}

// begin starts behind everything that is stored already.
func (f *feed) begin(ctx context.Context, q querier) error {
	if f == nil {
		return nil
	}
	return q.QueryRowContext(ctx, feedTop).Scan(&f.seq)
}

const feedTop = `SELECT greatest((SELECT coalesce(max(seq), 0) FROM feed), (SELECT value FROM meta WHERE name = 'feed-floor'))`

// catchUp hands over everything that others have committed by now. When it
// returns, the callbacks have returned too.
func (s *Store) catchUp(ctx context.Context) error {
	f := s.feed
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var top, floor int64
	err := s.read.QueryRowContext(ctx, `SELECT (`+feedTop+`), (SELECT value FROM meta WHERE name = 'feed-floor')`).Scan(&top, &floor)
	if err != nil {
		return fmt.Errorf("read what other hubs stored: %w", err)
	}
	if floor > f.seq {
		if missed := f.lost.Load(); missed != nil {
			(*missed)()
		}
		f.seq = top
	}
	for f.seq < top {
		if err := s.readFeed(ctx, top); err != nil {
			return fmt.Errorf("read what other hubs stored: %w", err)
		}
	}
	return nil
}

// readFeed hands over one page up to top. It needs feed.mu.
func (s *Store) readFeed(ctx context.Context, top int64) error {
	f, arrived, n := s.feed, s.feed.arrived.Load(), 0
	err := scan(ctx, s.read, func(rows *sql.Rows) error {
		var json []byte
		var seq int64
		if err := rows.Scan(&seq, &json); err != nil {
			return err
		}
		if json != nil && arrived != nil { // otherwise deleted meanwhile
			(*arrived)(json)
		}
		f.seq = seq
		n++
		return nil
	}, `SELECT seq, json FROM feed LEFT JOIN events USING (id) LEFT JOIN bodies ON n = body
		WHERE seq > $1 AND seq <= $2 AND hub <> $3 ORDER BY seq LIMIT $4`, f.seq, top, f.hub, feedPage)
	if err == nil && n < feedPage {
		f.seq = top
	}
	return err
}

// prune deletes what the feed had at the last prune: a hub that is away for
// longer has its readers read again.
func (s *Store) prune(ctx context.Context) error {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	var top int64
	if err := s.read.QueryRowContext(ctx, feedTop).Scan(&top); err != nil {
		return err
	}
	floor := f.floor
	f.floor = top
	return s.change(ctx, func(w *writer) error {
		if _, err := w.exec(`DELETE FROM feed WHERE seq <= $1`, floor); err != nil {
			return err
		}
		_, err := w.exec(`UPDATE meta SET value = $1 WHERE name = 'feed-floor' AND value < $1`, floor)
		return err
	})
}

// Waits of the listener.
const (
	listenAgain = time.Second      // after a lost connection
	listenCheck = 30 * time.Second // that the connection still lives
)

// listen wakes Watch whenever another hub has committed something, until ctx
// ends. It may miss what is said while it has no connection: Watch looks by
// itself every Poll.
func (f *feed) listen(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		f.hear(ctx, wake)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// hear listens on one connection until it is lost.
func (f *feed) hear(ctx context.Context, wake chan<- struct{}) {
	conn, err := f.connect(ctx)
	if err != nil {
		return // Watch says that the database does not answer
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return
	}
	self := strconv.FormatInt(f.hub, 10)
	for {
		some, cancel := context.WithTimeout(ctx, listenCheck)
		n, err := conn.WaitForNotification(some)
		idle := err != nil && some.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case idle:
			if conn.IsClosed() || conn.Ping(ctx) != nil {
				return
			}
		case err != nil:
			return
		case n.Payload != self:
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}
}
