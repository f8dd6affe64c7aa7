package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pow.do/services/pow"
)

// DevicesAtWork returns the devices that have a Notice to be worked on, now or later.
func (l *Ledger) DevicesAtWork(ctx context.Context) (out []pow.Key, err error) {
	err = query(ctx, l.db, "SELECT DISTINCT device FROM notices WHERE state = 'received'", nil, func(s scanner) error {
		var k pow.Key
		err := s.Scan(text{&k})
		out = append(out, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for work: %w", err)
	}
	return out, nil
}

// NextTask returns the device's Notice with the lowest seq that is due. Without
// one, next is when there will be (zero: there is none); pow.ErrNotFound tells so.
func (l *Ledger) NextTask(ctx context.Context, device pow.Key, now time.Time) (t pow.Task, next time.Time, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT id, doc, member, arrived, attempts, waits FROM notices
		WHERE device = ? AND state = 'received' AND next <= ? ORDER BY seq, id LIMIT 1`, device.String(), ms(now)).
		Scan(&t.ID, doc{&t.Notice}, &t.Member, instant{&t.Arrived}, &t.Attempts, &t.Waits)
	if err == nil {
		return t, now, nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = l.db.QueryRowContext(ctx, "SELECT min(next) FROM notices WHERE device = ? AND state = 'received'", device.String()).Scan(instant{&next})
		if err == nil {
			return t, next, pow.ErrNotFound
		}
	}
	return t, next, fmt.Errorf("look for work: %w", err)
}

// Postpone stores the task's failures and when to try again.
func (l *Ledger) Postpone(ctx context.Context, t pow.Task, until time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "UPDATE notices SET attempts = ?, waits = ?, next = ? WHERE id = ? AND state = 'received'",
			t.Attempts, t.Waits, ms(until), t.ID)
	})
	if err != nil {
		return fmt.Errorf("postpone a task: %w", err)
	}
	return nil
}

// Refuse ends the task with an error Receipt. When its code may pass later, the
// same rumor starts it again.
func (l *Ledger) Refuse(ctx context.Context, t pow.Task, r pow.Receipt, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error { return refuse(ctx, tx, t, r, now) })
	if err != nil {
		return fmt.Errorf("refuse a proof: %w", err)
	}
	return nil
}

func refuse(ctx context.Context, tx *sql.Tx, t pow.Task, r pow.Receipt, now time.Time) error {
	ok, err := changed(ctx, tx, "UPDATE notices SET state = 'refused', code = ?, reason = ? WHERE id = ? AND state = 'received'", string(r.Code), r.Reason, t.ID)
	if err != nil || !ok {
		return err
	}
	if err := count(ctx, tx, "refused/"+string(r.Code)); err != nil {
		return err
	}
	return post(ctx, tx, r, now, now)
}

// QuarantineTask stops work on a Notice that failed by itself until a person decides.
func (l *Ledger) QuarantineTask(ctx context.Context, t pow.Task, step, reason string, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "UPDATE notices SET attempts = ? WHERE id = ?", t.Attempts, t.ID); err != nil {
			return err
		}
		return quarantine(ctx, tx, t.ID, step, reason, "", now)
	})
	if err != nil {
		return fmt.Errorf("quarantine a notice: %w", err)
	}
	return nil
}

// Accept records a verified proof, its session's time and the pending Receipt in
// one transaction. When another proof was accepted meanwhile that has the same
// Sealed or the same place in the chain, the task is refused and its code returned.
// pow.ErrNotFound: a newer Notice took the task's place, that one is worked on.
func (l *Ledger) Accept(ctx context.Context, e pow.Evidence) (code pow.Code, err error) {
	a := accepting{ctx: ctx, e: e, n: e.Task.Notice, device: e.Task.Notice.Device.String()}
	err = l.write(ctx, func(tx *sql.Tx) (err error) {
		a.tx = tx
		code, err = a.accept()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("record a proof: %w", err)
	}
	return code, nil
}

// longest bounds how far before a moment a proof that covers it can begin.
const longest = 24 * time.Hour

type accepting struct {
	ctx    context.Context
	tx     *sql.Tx
	e      pow.Evidence
	n      pow.Notice
	device string
}

func (a *accepting) exec(text string, args ...any) error { return exec(a.ctx, a.tx, text, args...) }

func (a *accepting) accept() (pow.Code, error) {
	code, err := conflict(a.ctx, a.tx, a.n)
	if err != nil {
		return "", err
	}
	if code != "" {
		return code, refuse(a.ctx, a.tx, a.e.Task, a.n.Reply(code, a.e.Now), a.e.Now)
	}
	ok, err := changed(a.ctx, a.tx, "UPDATE notices SET state = 'accepted', code = 'accepted' WHERE id = ? AND state = 'received'", a.e.Task.ID)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", pow.ErrNotFound
	}
	for _, step := range []func() error{a.chain, a.session, a.marks, a.proof, a.pictures, a.rows, a.neighbours} {
		if err := step(); err != nil {
			return "", err
		}
	}
	if err := count(a.ctx, a.tx, "accepted"); err != nil {
		return "", err
	}
	return "", post(a.ctx, a.tx, a.e.Receipt, a.e.Send, a.e.Now)
}

// chain looks whether the Statement before this one is known.
func (a *accepting) chain() error {
	var before string
	err := a.tx.QueryRowContext(a.ctx, "SELECT statement FROM places WHERE device = ? AND seq = ? ORDER BY statement = ? DESC LIMIT 1",
		a.device, int64(a.n.Seq)-1, a.n.Prev.String()).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	switch {
	case a.n.Seq == 1 && a.n.Prev.IsZero(), before == a.n.Prev.String():
		a.e.Checks.Chain = "ok"
	case a.n.Seq > 1 && before == "":
		a.e.Checks.Chain = "gap"
	default:
		a.e.Checks.Chain = "broken"
	}
	return nil
}

// session makes or extends the session. Its runs are computed when it is booked.
func (a *accepting) session() error {
	t, p := a.e.Time, a.e.Opened.Proof
	intervals, err := toJSON(t.Intervals)
	if err != nil {
		return err
	}
	if err := a.exec(`INSERT INTO sessions (id, member, device, project, activity, note, begin, "end", proven, intervals, open, book_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET note = CASE excluded.note WHEN '' THEN note ELSE excluded.note END,
			activity = CASE excluded.activity WHEN '' THEN activity ELSE excluded.activity END,
			begin = excluded.begin, "end" = excluded."end", proven = excluded.proven, intervals = excluded.intervals,
			open = excluded.open, book_at = excluded.book_at, attempts = 0, version = version + 1`,
		string(a.n.Session), a.e.Task.Member, a.device, a.n.Project, a.n.KimaiActivity, p.Note,
		ms(t.Begin), ms(t.End), int64(t.Proven/time.Second), intervals, t.Open, ms(a.e.Now)); err != nil {
		return err
	}
	if a.n.Action != pow.ActionStop {
		return nil
	}
	return stop(a.ctx, a.tx, a.n, a.n.Interval.To, a.e.Now)
}

// marks adds what only the ledger can see: time proven in another session too,
// and pictures known from another proof.
func (a *accepting) marks() error {
	twice, err := has(a.ctx, a.tx, `SELECT 1 FROM proofs WHERE member = ? AND session <> ? AND "from" < ? AND "from" > ? AND "to" > ?`,
		a.e.Task.Member, string(a.n.Session), ms(a.n.Interval.To), ms(a.n.Interval.From.Add(-longest)), ms(a.n.Interval.From))
	if err != nil {
		return err
	}
	if twice {
		a.e.Marks = append(a.e.Marks, "overlap")
	}
	for _, c := range a.e.Opened.Proof.Captures {
		known, err := has(a.ctx, a.tx, "SELECT 1 FROM captures WHERE hash = ?", c.Hash.String())
		if err != nil {
			return err
		}
		if known {
			a.e.Marks = append(a.e.Marks, "repeated")
			break
		}
	}
	slices.Sort(a.e.Marks)
	a.e.Marks = slices.Compact(a.e.Marks)
	return nil
}

func (a *accepting) proof() error {
	checks, err := json.Marshal(a.e.Checks)
	if err != nil {
		return err
	}
	s, p, n := a.e.Opened.Statement, a.e.Opened.Proof, a.n
	return a.exec(`INSERT INTO proofs (id, statement, sealed, device, seq, prev, root, size, member, session, project, activity, note,
		"from", "to", signed, accepted, captures, dropped, rows, active, away, app, hold, marks, checks, until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.e.Task.ID, n.Statement.String(), n.Sealed.String(), a.device, int64(n.Seq), n.Prev.String(), s.Root.String(), n.Size,
		a.e.Task.Member, string(n.Session), n.Project, n.KimaiActivity, p.Note, ms(n.Interval.From), ms(n.Interval.To),
		s.CreatedAt.UnixMilli(), ms(a.e.Now), len(p.Captures), p.Dropped, len(p.Activity.Rows),
		int64(p.Activity.Active/time.Second), int64(p.Activity.Away/time.Second), a.e.Opened.App,
		string(a.e.Hold), strings.Join(a.e.Marks, ","), string(checks), ms(a.e.Until))
}

func (a *accepting) pictures() error {
	for i, c := range a.e.Opened.Proof.Captures {
		if err := a.exec("INSERT INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", a.e.Task.ID, i, c.At.UnixMilli(), c.Display, c.Format,
			c.Width, c.Height, c.Size, c.Hash.String(), len(c.Again)); err != nil {
			return err
		}
	}
	return nil
}

func (a *accepting) rows() error {
	for i, r := range a.e.Opened.Proof.Activity.Rows {
		if err := a.exec("INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", a.e.Task.ID, i, r.From.UnixMilli(), r.To.UnixMilli(), r.Kind, r.App, r.Title, r.Host, r.Category); err != nil {
			return err
		}
	}
	return nil
}

// neighbours has the member's later sessions judged again where this proof
// takes time from them.
func (a *accepting) neighbours() error {
	return a.exec(`UPDATE sessions SET book_at = ?, version = version + 1 WHERE member = ? AND id > ? AND begin < ? AND "end" > ?`,
		ms(a.e.Now), a.e.Task.Member, string(a.n.Session), ms(a.n.Interval.To), ms(a.n.Interval.From))
}
