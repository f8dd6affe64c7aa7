package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// rejected is the hold of a proof that an admin declined: it proves nothing.
const rejected = "rejected"

// Work returns everything that decides a session's time and booking. With a valid
// add, it returns what decides the time as if add were accepted already, and
// neither runs nor proofs. For a session that is new, only the member and the
// facts are set.
func (l *Ledger) Work(ctx context.Context, member pow.OpaqueID, id pow.SessionID, add pow.Interval) (w pow.SessionWork, err error) {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return w, fmt.Errorf("read a session: %w", err)
	}
	defer tx.Rollback()
	w = pow.SessionWork{Session: id, Runs: map[int]pow.RunRecord{}}
	reads := []func(context.Context, queryer, *pow.SessionWork) error{readSession, readProofs, readStops}
	if !add.Valid() {
		reads = append(reads, readRuns, readAnswers)
	}
	for _, read := range reads {
		if err = read(ctx, tx, &w); err != nil {
			return w, fmt.Errorf("read a session: %w", err)
		}
	}
	if w.Version == 0 {
		w.Member.ID = member
	}
	if add.Valid() {
		w.Facts.Proven = append(w.Facts.Proven, add)
	}
	if err = readTaken(ctx, tx, &w); err == nil && w.Version > 0 {
		w.Member, err = memberBy(ctx, tx, "id = ?", w.Member.ID)
	}
	if err != nil {
		return w, fmt.Errorf("read a session: %w", err)
	}
	return w, nil
}

func readSession(ctx context.Context, db queryer, w *pow.SessionWork) error {
	err := db.QueryRowContext(ctx, "SELECT member, device, project, activity, note, approved, version, attempts FROM sessions WHERE id = ?", string(w.Session)).
		Scan(&w.Member.ID, text{&w.Device}, &w.Project.ID, &w.KimaiActivity, &w.Note, &w.Approved, &w.Version, &w.Attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	known, err := projects(ctx, db, "id = ?", []any{w.Project.ID})
	if err == nil && len(known) == 1 {
		w.Project, w.Known = known[0], true
	}
	return err
}

// readProofs reads the proven time. The index holds all of it.
func readProofs(ctx context.Context, db queryer, w *pow.SessionWork) error {
	return query(ctx, db, `SELECT "from", "to", hold FROM proofs WHERE session = ?`, []any{string(w.Session)}, func(s scanner) error {
		var i pow.Interval
		var hold string
		err := s.Scan(instant{&i.From}, instant{&i.To}, &hold)
		switch {
		case hold == rejected:
		case hold == "" || w.Approved:
			w.Facts.Proven = append(w.Facts.Proven, i)
		default:
			w.Facts.Held = append(w.Facts.Held, i)
		}
		return err
	})
}

// readAnswers reads the proofs whose devices have more to hear: not yet that they
// are booked.
func readAnswers(ctx context.Context, db queryer, w *pow.SessionWork) error {
	return query(ctx, db, `SELECT p.device, p.sealed, p.seq, p."from", p."to", p.hold, n.rumor, o.code, o.reason FROM proofs p
		JOIN notices n ON n.id = (SELECT max(id) FROM notices WHERE statement = p.statement AND member = p.member AND state = 'accepted')
		JOIN outgoing o ON o.topic = n.rumor AND o.code NOT IN ('booked', 'rejected')
		WHERE p.session = ? ORDER BY p.seq`, []any{string(w.Session)}, func(s scanner) error {
		var a pow.ProofAnswer
		err := s.Scan(text{&a.Device}, text{&a.Sealed}, &a.Seq, instant{&a.Interval.From}, instant{&a.Interval.To}, &a.Hold, text{&a.Notice}, &a.Code, &a.Reason)
		if w.Approved {
			a.Hold = ""
		}
		w.Proofs = append(w.Proofs, a)
		return err
	})
}

func readStops(ctx context.Context, db queryer, w *pow.SessionWork) error {
	return query(ctx, db, "SELECT at FROM stops WHERE session = ? AND device = ?", []any{string(w.Session), w.Device.String()}, func(s scanner) error {
		var at time.Time
		err := s.Scan(instant{&at})
		w.Facts.Stops = append(w.Facts.Stops, at)
		return err
	})
}

func readRuns(ctx context.Context, db queryer, w *pow.SessionWork) error {
	return query(ctx, db, `SELECT id, run, begin, "end", pinned, done_begin, done_end, state, reason, detail, timesheet, sent_begin, sent_end,
		got_begin, got_end, got_duration, rounded, day_fix, again, updated FROM runs WHERE session = ? ORDER BY run`, []any{string(w.Session)}, func(s scanner) error {
		var r pow.Run
		var k pow.RunRecord
		var id, seconds sql.NullInt64
		t := &k.Record
		err := s.Scan(&k.Row, &r.Number, instant{&r.Interval.From}, instant{&r.Interval.To}, &r.Pinned, instant{&k.Done.From}, instant{&k.Done.To},
			&t.State, &t.Reason, &t.Detail, &id, instant{&t.Sent.From}, instant{&t.Sent.To},
			instant{&t.Got.From}, instant{&t.Got.To}, &seconds, &t.Rounded, &t.DayFix, instant{&t.Again}, instant{&t.Updated})
		t.ID, t.GotDuration = id.Int64, time.Duration(seconds.Int64)*time.Second
		w.Runs[r.Number] = k
		w.Facts.Runs = append(w.Facts.Runs, r)
		return err
	})
}

// readTaken finds the time that the member proved in earlier sessions, as far as
// it touches this one's.
func readTaken(ctx context.Context, db queryer, w *pow.SessionWork) error {
	all := pow.Union(append(append([]pow.Interval{}, w.Facts.Proven...), w.Facts.Held...))
	if len(all) == 0 {
		return nil
	}
	from, to := all[0].From, all[len(all)-1].To
	return query(ctx, db, `SELECT "from", "to" FROM proofs WHERE member = ? AND session < ? AND "from" < ? AND "from" > ? AND "to" > ? AND hold <> ?`,
		[]any{w.Member.ID, string(w.Session), ms(to), ms(from.Add(-longest)), ms(from), rejected}, func(s scanner) error {
			var i pow.Interval
			err := s.Scan(instant{&i.From}, instant{&i.To})
			w.Facts.Taken = append(w.Facts.Taken, i)
			return err
		})
}

// SaveTime stores what the meter made of the session and returns its runs as
// they are known now. Runs that were never booked and are no more are forgotten.
func (l *Ledger) SaveTime(ctx context.Context, w pow.SessionWork, t pow.SessionTime) (map[int]pow.RunRecord, error) {
	after := pow.SessionWork{Session: w.Session, Runs: map[int]pow.RunRecord{}}
	err := l.write(ctx, func(tx *sql.Tx) error {
		intervals, err := toJSON(t.Intervals)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, `UPDATE sessions SET begin = coalesce(?, begin), "end" = coalesce(?, "end"), proven = ?, intervals = ?, open = ? WHERE id = ?`,
			ms(t.Begin), ms(t.End), int64(t.Proven/time.Second), intervals, t.Open, string(w.Session)); err != nil {
			return err
		}
		if err := exec(ctx, tx, "DELETE FROM runs WHERE session = ? AND pinned = 0", string(w.Session)); err != nil {
			return err
		}
		for _, r := range t.Runs {
			if err := exec(ctx, tx, `INSERT INTO runs (session, run, begin, "end", marker) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (session, run) DO UPDATE SET begin = excluded.begin, "end" = excluded."end"`,
				string(w.Session), r.Number, ms(r.Interval.From), ms(r.Interval.To), pow.Marker(w.Member.Identity, w.Session, r.Number)); err != nil {
				return err
			}
		}
		return readRuns(ctx, tx, &after)
	})
	if err != nil {
		return nil, fmt.Errorf("store a session's time: %w", err)
	}
	return after.Runs, nil
}

// SaveRecord stores what is known of a run's record: before a request what will
// be sent, after it what came back. done is what the record shows, as wanted;
// an empty one leaves that as it is. From now on the run keeps its number.
func (l *Ledger) SaveRecord(ctx context.Context, session pow.SessionID, run int, kimaiUser int64, t pow.TimesheetRecord, done pow.Interval) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		var id any
		if t.ID != 0 {
			id = t.ID
		}
		return exec(ctx, tx, `UPDATE runs SET pinned = 1, kimai_user = ?, done_begin = coalesce(?, done_begin), done_end = coalesce(?, done_end),
			state = ?, reason = ?, detail = ?, timesheet = ?, sent_begin = ?, sent_end = ?, got_begin = ?, got_end = ?, got_duration = ?,
			rounded = ?, day_fix = ?, again = ?, updated = ? WHERE session = ? AND run = ?`,
			kimaiUser, ms(done.From), ms(done.To), string(t.State), string(t.Reason), t.Detail, id, ms(t.Sent.From), ms(t.Sent.To),
			ms(t.Got.From), ms(t.Got.To), int64(t.GotDuration/time.Second), t.Rounded, t.DayFix, ms(t.Again), ms(t.Updated), string(session), run)
	})
	if err != nil {
		return fmt.Errorf("store a booking: %w", err)
	}
	return nil
}

// SessionsDue returns sessions to be booked, the longest waiting one of each
// queue; next is when there will be more (zero: not before a new fact).
func (l *Ledger) SessionsDue(ctx context.Context, now time.Time) (out []pow.SessionDue, next time.Time, err error) {
	err = query(ctx, l.db, `SELECT s.id, CASE m.kimai_user WHEN 0 THEN 'member/' || m.id ELSE 'kimai/' || m.kimai_user END AS queue, min(s.book_at)
		FROM sessions s JOIN members m ON m.id = s.member WHERE s.book_at <= ? GROUP BY queue`, []any{ms(now)}, func(s scanner) error {
		var d pow.SessionDue
		var at int64
		err := s.Scan(&d.Session, &d.Queue, &at)
		out = append(out, d)
		return err
	})
	if err == nil {
		err = l.db.QueryRowContext(ctx, "SELECT min(book_at) FROM sessions WHERE book_at > ?", ms(now)).Scan(instant{&next})
	}
	if err != nil {
		return nil, next, fmt.Errorf("look for sessions to book: %w", err)
	}
	return out, next, nil
}

// Controls returns the newest booked records of other sessions, the same user's
// first if there are any.
func (l *Ledger) Controls(ctx context.Context, session pow.SessionID, kimaiUser int64) (out []pow.TimesheetControl, err error) {
	for _, where := range []string{"AND kimai_user = ?2 ORDER BY updated DESC", "AND kimai_user <> ?2 ORDER BY id DESC"} {
		err = query(ctx, l.db, `SELECT timesheet, kimai_user, marker FROM runs WHERE state = 'booked' AND timesheet IS NOT NULL AND session <> ?1 `+
			where+` LIMIT 3`, []any{string(session), kimaiUser}, func(s scanner) error {
			var c pow.TimesheetControl
			err := s.Scan(&c.ID, &c.KimaiUser, &c.Marker)
			out = append(out, c)
			return err
		})
		if err != nil || len(out) > 0 {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look for booked records: %w", err)
	}
	return out, nil
}

// Settle ends a round of booking: Receipts for the session's devices and the
// time of the next round. A fact that came meanwhile keeps the session due.
func (l *Ledger) Settle(ctx context.Context, s pow.Settlement) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		booking, err := toJSON(s.Booking)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, `UPDATE sessions SET booking = ?, attempts = ?, book_at = CASE version WHEN ? THEN ? ELSE book_at END WHERE id = ?`,
			booking, s.Attempts, s.Version, ms(s.Again), string(s.Session)); err != nil {
			return err
		}
		for _, r := range s.Answers {
			if err := post(ctx, tx, r, s.Now, s.Now); err != nil {
				return err
			}
			if err := count(ctx, tx, "answered/"+string(r.Code)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle a session: %w", err)
	}
	return nil
}

// Approve lets everything of the session be booked that was held.
func (l *Ledger) Approve(ctx context.Context, session pow.SessionID, now time.Time) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		ok, err := changed(ctx, tx, "UPDATE sessions SET approved = 1, book_at = ?, attempts = 0, version = version + 1 WHERE id = ?", ms(now), string(session))
		if err == nil && !ok {
			err = pow.ErrNotFound
		}
		if err != nil {
			return err
		}
		// What was parked for a person is tried again now that one has looked at it.
		return exec(ctx, tx, "UPDATE runs SET again = ? WHERE session = ? AND state = 'parked'", ms(now), string(session))
	})
	if err != nil {
		return fmt.Errorf("approve a session: %w", err)
	}
	return nil
}

// Reject declines what is held of a session, or all of a session of which
// nothing could be booked: those proofs count no more, and their device is told
// so with the admin's words. pow.ErrNotFound when there is nothing to decline.
func (l *Ledger) Reject(ctx context.Context, session pow.SessionID, words string, now time.Time) error {
	w, err := l.Work(ctx, "", session, pow.Interval{})
	all := err == nil && len(w.Facts.Held) == 0
	if all && (len(w.Proofs) == 0 || recorded(w.Runs)) {
		err = pow.ErrNotFound
	}
	if err == nil {
		err = l.admin(ctx, func(tx *sql.Tx) error {
			for _, p := range w.Proofs {
				if p.Hold == "" && !all || p.Hold == rejected {
					continue
				}
				if err := exec(ctx, tx, "UPDATE proofs SET hold = ? WHERE device = ? AND seq = ?", rejected, p.Device.String(), int64(p.Seq)); err != nil {
					return err
				}
				r := pow.Receipt{Device: p.Device, CreatedAt: now, Answers: p.Notice, Sealed: p.Sealed, Session: session, Seq: p.Seq, Code: pow.CodeRejected, Text: words}
				if err := post(ctx, tx, r, now, now); err != nil {
					return err
				}
			}
			return exec(ctx, tx, "UPDATE sessions SET book_at = ?, version = version + 1 WHERE id = ?", ms(now), string(session))
		})
	}
	if err != nil {
		return fmt.Errorf("decline a session: %w", err)
	}
	return nil
}

// recorded tells whether the timesheet may show something of the session: what
// stands there is taken back there, by a person.
func recorded(runs map[int]pow.RunRecord) bool {
	for _, r := range runs {
		if r.Record.ID != 0 || r.Record.State == pow.TimesheetBooked || r.Record.State == pow.TimesheetIntended {
			return true
		}
	}
	return false
}
