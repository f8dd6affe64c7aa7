package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// TakeNotice stores an unwrapped Notice and decides, in the same transaction,
// what its arrival means (the duplicate table of protocol §4.4). verdict is the
// Receipt that a Notice which is new gets: received, to be sent at send unless
// something higher follows before, or an error that ends it here.
func (l *Ledger) TakeNotice(ctx context.Context, m pow.Mail, member pow.Member, verdict pow.Receipt, send, now time.Time) (taken pow.Taken, err error) {
	t := taking{ctx: ctx, n: *m.Notice, mail: m, member: member, verdict: verdict, send: send, now: now}
	err = l.write(ctx, func(tx *sql.Tx) (err error) {
		t.tx = tx
		taken, err = t.take()
		return err
	})
	if err != nil {
		return pow.Taken{}, fmt.Errorf("take a notice: %w", err)
	}
	return taken, nil
}

// taking is one call of TakeNotice.
type taking struct {
	ctx       context.Context
	tx        *sql.Tx
	n         pow.Notice
	mail      pow.Mail
	member    pow.Member
	verdict   pow.Receipt
	send, now time.Time
}

func (t *taking) exec(text string, args ...any) error { return exec(t.ctx, t.tx, text, args...) }

func (t *taking) has(text string, args ...any) (bool, error) { return has(t.ctx, t.tx, text, args...) }

func (t *taking) take() (pow.Taken, error) {
	if err := seen(t.ctx, t.tx, t.mail.Wrap, "taken", t.now); err != nil {
		return pow.Taken{}, err
	}
	var state string
	var code pow.Code
	err := t.tx.QueryRowContext(t.ctx, "SELECT state, code FROM notices WHERE rumor = ?", t.n.ID.String()).Scan(&state, &code)
	switch {
	case err == nil:
		return t.again(state, code)
	case !errors.Is(err, sql.ErrNoRows):
		return pow.Taken{}, err
	case t.n.IsHint():
		return pow.Taken{}, t.hint()
	}
	return t.first()
}

// again takes a rumor that is known: its last Receipt is said again, and what may
// pass now is tried again.
func (t *taking) again(state string, code pow.Code) (pow.Taken, error) {
	if err := count(t.ctx, t.tx, "notices/again"); err != nil {
		return pow.Taken{}, err
	}
	if state == "refused" && code.Retryable() {
		if t.verdict.Code.Status() == "error" {
			return pow.Taken{}, t.answer(t.verdict, t.now)
		}
		err := t.exec("UPDATE notices SET state = 'received', code = '', reason = '', attempts = 0, waits = 0, next = 0 WHERE rumor = ?", t.n.ID.String())
		if err != nil {
			return pow.Taken{}, err
		}
		state = "received"
	}
	return pow.Taken{Accepted: state == "accepted", Work: state == "received"}, repeat(t.ctx, t.tx, t.n.ID, t.now)
}

// hint remembers a start or stop without a proof. It gets no Receipt.
func (t *taking) hint() error {
	if _, err := t.insert("hint", t.verdict); err != nil {
		return err
	}
	if t.n.Action != pow.ActionStop || t.verdict.Code.Status() == "error" {
		return nil
	}
	return t.stop(t.n.At)
}

func (t *taking) stop(at time.Time) error {
	return stop(t.ctx, t.tx, t.n, at, t.now)
}

func stop(ctx context.Context, tx *sql.Tx, n pow.Notice, at, now time.Time) error {
	if err := exec(ctx, tx, "INSERT INTO stops VALUES (?, ?, ?) ON CONFLICT DO NOTHING", string(n.Session), n.Device.String(), at.UnixMilli()); err != nil {
		return err
	}
	return exec(ctx, tx, "UPDATE sessions SET book_at = ?, version = version + 1 WHERE id = ? AND device = ?", ms(now), string(n.Session), n.Device.String())
}

// first takes a rumor that is new.
func (t *taking) first() (pow.Taken, error) {
	if t.verdict.Code == pow.CodeNotMember || t.verdict.Code == pow.CodeDeviceUnknown {
		return pow.Taken{}, t.refuse(t.verdict)
	}
	if err := t.place(); err != nil {
		return pow.Taken{}, err
	}
	if err := t.outdated(); err != nil {
		return pow.Taken{}, err
	}
	if done, err := t.accepted(); err != nil || done {
		return pow.Taken{Accepted: done}, err
	}
	code, err := t.conflict()
	switch {
	case err != nil:
		return pow.Taken{}, err
	case code != "":
		return pow.Taken{}, t.refuse(t.n.Reply(code, t.now))
	}
	if forked, err := t.fork(); err != nil || forked {
		return pow.Taken{}, err
	}
	if err := t.replace(); err != nil {
		return pow.Taken{}, err
	}
	if t.verdict.Code.Status() == "error" {
		return pow.Taken{}, t.refuse(t.verdict)
	}
	if _, err := t.insert("received", t.verdict); err != nil {
		return pow.Taken{}, err
	}
	return pow.Taken{Work: true}, t.answer(t.verdict, t.send)
}

func (t *taking) insert(state string, r pow.Receipt) (int64, error) {
	b, err := toJSON(t.n)
	if err != nil {
		return 0, err
	}
	res, err := t.tx.ExecContext(t.ctx, `INSERT INTO notices (rumor, member, device, statement, sealed, session, seq, doc, seal, state, code, reason, arrived)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, t.n.ID.String(), t.member.ID, t.n.Device.String(), hex(t.n.Statement), hex(t.n.Sealed),
		string(t.n.Session), int64(t.n.Seq), b, t.mail.SealEvent, state, string(r.Code), r.Reason, ms(t.now))
	if err != nil {
		return 0, err
	}
	if err := count(t.ctx, t.tx, "notices/"+state); err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (t *taking) answer(r pow.Receipt, due time.Time) error {
	return post(t.ctx, t.tx, r, due, t.now)
}

// refuse ends the Notice here. A former member is told once a day, and nothing is
// told to a device that is another member's.
func (t *taking) refuse(r pow.Receipt) error {
	if r.Code == pow.CodeNotMember && t.member.State == "removed" {
		told, err := t.has("SELECT 1 FROM notices WHERE member = ? AND code = ? AND arrived > ?", t.member.ID, string(r.Code), ms(t.now.Add(-refuseEvery)))
		if err != nil {
			return err
		}
		if told {
			return count(t.ctx, t.tx, "notices/former-member")
		}
	}
	if _, err := t.insert("refused", r); err != nil {
		return err
	}
	theirs, err := t.has("SELECT 1 FROM devices WHERE key = ? AND member <> ?", t.n.Device.String(), t.member.ID)
	if err != nil || theirs {
		return err
	}
	return t.answer(r, t.now)
}

// place keeps the Notice's place in the chain of its device, whatever becomes of
// its Sealed, and closes the link of the proof that comes after it.
func (t *taking) place() error {
	if err := t.exec("INSERT INTO places VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		t.n.Device.String(), int64(t.n.Seq), t.n.Statement.String(), t.n.Prev.String(), ms(t.now)); err != nil {
		return err
	}
	return t.exec(`UPDATE proofs SET checks = json_set(checks, '$.chain', CASE prev WHEN ? THEN 'ok' ELSE 'broken' END)
		WHERE device = ? AND seq = ? AND json_extract(checks, '$.chain') = 'gap'`, t.n.Statement.String(), t.n.Device.String(), int64(t.n.Seq)+1)
}

// outdated sends the catalogue to a device that uses an old one.
func (t *taking) outdated() error {
	old, err := t.has("SELECT 1 FROM devices d JOIN members m ON m.id = d.member WHERE d.key = ? AND m.revision > ? AND d.catalogue = m.revision",
		t.n.Device.String(), t.n.Catalogue)
	if err != nil || !old {
		return err
	}
	return wantCatalogue(t.ctx, t.tx, t.n.Device, t.now, repeatEvery)
}

// accepted answers a Statement of this member that was accepted before.
func (t *taking) accepted() (bool, error) {
	var r pow.Receipt
	err := t.tx.QueryRowContext(t.ctx, `SELECT o.receipt FROM proofs p JOIN notices n ON n.statement = p.statement AND n.member = p.member
		JOIN outgoing o ON o.topic = n.rumor
		WHERE p.statement = ? AND p.member = ? AND n.state = 'accepted' ORDER BY n.id DESC LIMIT 1`, t.n.Statement.String(), t.member.ID).Scan(doc{&r})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.Answers, r.Sealed, r.Device, r.CreatedAt = t.n.ID, t.n.Sealed, t.n.Device, t.now
	if _, err := t.insert("accepted", r); err != nil {
		return false, err
	}
	return true, t.answer(r, t.now)
}

// conflict tells whether an accepted proof already has what this one claims.
func (t *taking) conflict() (pow.Code, error) {
	return conflict(t.ctx, t.tx, t.n)
}

func conflict(ctx context.Context, tx *sql.Tx, n pow.Notice) (pow.Code, error) {
	taken, err := has(ctx, tx, "SELECT 1 FROM proofs WHERE device = ? AND seq = ? AND statement <> ?", n.Device.String(), int64(n.Seq), n.Statement.String())
	if err != nil || taken {
		return pow.CodeStatementConflict, err
	}
	taken, err = has(ctx, tx, "SELECT 1 FROM proofs WHERE sealed = ? AND statement <> ?", n.Sealed.String(), n.Statement.String())
	if err != nil || taken {
		return pow.CodeDuplicateBlob, err
	}
	return "", nil
}

// fork quarantines a Statement whose place another one claims, and that other
// one too unless its fate is sealed already: a person looks at both.
func (t *taking) fork() (bool, error) {
	forked, err := t.has("SELECT 1 FROM places WHERE device = ? AND seq = ? AND statement <> ?", t.n.Device.String(), int64(t.n.Seq), t.n.Statement.String())
	if err != nil || !forked {
		return false, err
	}
	var others []task
	err = query(t.ctx, t.tx, "SELECT id, doc FROM notices WHERE device = ? AND seq = ? AND state = 'received'", []any{t.n.Device.String(), int64(t.n.Seq)}, func(s scanner) error {
		var o task
		err := s.Scan(&o.id, doc{&o.n})
		others = append(others, o)
		return err
	})
	if err != nil {
		return false, err
	}
	id, err := t.insert("quarantined", t.n.Reply(pow.CodeStatementConflict, t.now))
	if err != nil {
		return false, err
	}
	for _, o := range append(others, task{id, t.n}) {
		if err := quarantine(t.ctx, t.tx, o.id, "chain", "fork", pow.CodeStatementConflict, t.now); err != nil {
			return false, err
		}
		if err := t.answer(o.n.Reply(pow.CodeStatementConflict, t.now), t.now); err != nil {
			return false, err
		}
	}
	return true, nil
}

type task struct {
	id int64
	n  pow.Notice
}

// replace ends earlier Notices of the same Statement: the newest one names the
// right servers and the right Sealed.
func (t *taking) replace() error {
	args := []any{t.n.Statement.String(), t.member.ID}
	const which = "statement = ? AND member = ? AND state IN ('received', 'refused', 'quarantined')"
	if err := t.exec("DELETE FROM outgoing WHERE sent IS NULL AND topic IN (SELECT rumor FROM notices WHERE "+which+")", args...); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM quarantine WHERE notice IN (SELECT id FROM notices WHERE "+which+")", args...); err != nil {
		return err
	}
	return t.exec("UPDATE notices SET state = 'replaced' WHERE "+which, args...)
}

// quarantine stops work on a Notice until a person decides.
func quarantine(ctx context.Context, tx *sql.Tx, notice int64, step, reason string, code pow.Code, now time.Time) error {
	if err := exec(ctx, tx, `INSERT INTO quarantine (wrap, notice, step, reason, attempts, at)
		SELECT rumor, id, ?, ?, attempts, ? FROM notices WHERE id = ?`, step, reason, ms(now), notice); err != nil {
		return err
	}
	if err := count(ctx, tx, "quarantined/"+step); err != nil {
		return err
	}
	return exec(ctx, tx, "UPDATE notices SET state = 'quarantined', code = ?, reason = ? WHERE id = ?", string(code), reason, notice)
}
