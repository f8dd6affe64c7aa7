package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// maxBatch bounds how many changes share one transaction, and how many wait.
const maxBatch = 512

var errClosed = errors.New("store is closed")

// op is one change. apply runs inside a transaction; when it refuses with a
// *pow.Error it has written nothing. done runs after the commit, on the
// writer's goroutine: it must not block and must not call the store.
type op struct {
	apply func(*writer) error
	done  func(error)
}

// submit queues a change. It blocks while maxBatch changes wait.
func (s *Store) submit(apply func(*writer) error, done func(error)) {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		done(errClosed)
		return
	}
	s.ops <- op{apply, done}
}

// change submits a change and waits for its commit, unless ctx has ended
// before. It does not stop waiting later: the outcome is always known.
func (s *Store) change(ctx context.Context, apply func(*writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result := make(chan error, 1)
	s.submit(apply, func(err error) { result <- err })
	return <-result
}

// writer is the connection that changes things, with its statements.
type writer struct {
	db     *sql.DB
	conn   *sql.Conn // nil after a failure, until the next transaction
	stmts  map[string]*sql.Stmt
	engine *engine
	now    func() time.Time
	// after holds what must happen in memory once the transaction is committed.
	after []func()
	// loud: other hubs must hear of it.
	loud bool
}

// connectWait bounds how long changes wait for a lost database.
const connectWait = 15 * time.Second

func (w *writer) connect(ctx context.Context) (err error) {
	if w.conn == nil {
		w.conn, err = w.db.Conn(ctx)
	}
	return err
}

// drop closes the connection: after a failure it is not trusted again.
func (w *writer) drop() {
	for _, st := range w.stmts {
		st.Close()
	}
	clear(w.stmts)
	if w.conn != nil {
		w.conn.Raw(func(any) error { return driver.ErrBadConn })
		w.conn.Close()
		w.conn = nil
	}
}

func (s *Store) run(w *writer) {
	defer close(s.idle)
	defer w.drop()
	batch := make([]op, 0, maxBatch)
	for first := range s.ops {
		batch = append(batch[:0], first)
		for len(batch) < maxBatch {
			select {
			case o, ok := <-s.ops:
				if ok {
					batch = append(batch, o)
					continue
				}
			default:
			}
			break
		}
		s.gate.Lock()
		s.commit(w, batch)
		s.gate.Unlock()
	}
}

// commit applies a batch in one transaction. When one change made that fail,
// each gets a transaction of its own, so that it cannot fail the others.
func (s *Store) commit(w *writer, batch []op) {
	results := make([]error, len(batch))
	if err := w.transaction(batch, results); err != nil {
		alone := len(batch) > 1 && s.engine.alone(err)
		for i, o := range batch {
			if alone {
				err = w.transaction([]op{o}, results[i:i+1])
			}
			if err != nil {
				results[i] = err
			}
		}
		if err != nil {
			s.log.Error("changes could not be committed", "err", err)
		}
	}
	for i, o := range batch {
		o.done(results[i])
	}
}

func (w *writer) transaction(batch []op, results []error) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectWait)
	defer cancel()
	if err := w.connect(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	w.after, w.loud = w.after[:0], false
	defer func() {
		if err != nil {
			w.drop()
		}
	}()
	if err := w.say(w.engine.begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for i, o := range batch {
		err := o.apply(w)
		if err != nil && !errors.As(err, new(*pow.Error)) {
			return err
		}
		results[i] = err
	}
	end := "COMMIT"
	if w.loud {
		end = w.engine.commit
	}
	if err := w.say(end); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, f := range w.after {
		f()
	}
	return nil
}

// say runs commands that have no parameters; several may stand in one text.
func (w *writer) say(commands string) error {
	_, err := w.conn.ExecContext(context.Background(), commands)
	return err
}

func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if st, ok := w.stmts[query]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		w.stmts[query] = st
	}
	return st, err
}

// exec runs a constant statement and returns the number of rows it changed.
func (w *writer) exec(query string, args ...any) (int64, error) {
	st, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := st.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row runs a constant query for one row.
func (w *writer) row(query string, args []any, into ...any) error {
	st, err := w.stmt(query)
	if err != nil {
		return err
	}
	return st.QueryRow(args...).Scan(into...)
}
