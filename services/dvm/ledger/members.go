package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

const memberColumns = "id, identity, name, state, kimai_user, projects, joined"

func scanMember(s scanner, more ...any) (m pow.Member, err error) {
	err = s.Scan(append([]any{&m.ID, text{&m.Identity}, &m.Name, &m.State, &m.KimaiUser, doc{&m.Projects}, instant{&m.Joined}}, more...)...)
	return m, err
}

// Member returns the member with this identity, with every device, in whatever
// state; pow.ErrNotFound for a stranger.
func (l *Ledger) Member(ctx context.Context, identity pow.Key) (pow.Member, error) {
	m, err := memberBy(ctx, l.db, "identity = ?", identity.String())
	if err != nil {
		return m, fmt.Errorf("look for a member: %w", err)
	}
	return m, nil
}

func memberBy(ctx context.Context, db queryer, where string, arg any) (pow.Member, error) {
	m, err := scanMember(db.QueryRowContext(ctx, "SELECT "+memberColumns+" FROM members WHERE "+where, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return m, pow.ErrNotFound
	}
	if err != nil {
		return m, err
	}
	m.Devices, err = devicesOf(ctx, db, m.ID)
	return m, err
}

func devicesOf(ctx context.Context, db queryer, member pow.OpaqueID) (out []pow.Device, err error) {
	err = query(ctx, db, "SELECT key, name, state FROM devices WHERE member = ? ORDER BY joined, key", []any{member}, func(s scanner) error {
		var d pow.Device
		err := s.Scan(text{&d.Key}, &d.Name, &d.State)
		out = append(out, d)
		return err
	})
	return out, err
}

// DeviceKnown tells whether any member has this device.
func (l *Ledger) DeviceKnown(ctx context.Context, device pow.Key) (bool, error) {
	ok, err := has(ctx, l.db, "SELECT 1 FROM devices WHERE key = ?", device.String())
	if err != nil {
		return false, fmt.Errorf("look for a device: %w", err)
	}
	return ok, nil
}

// Members returns every member with their devices, by name.
func (l *Ledger) Members(ctx context.Context) (out []pow.Member, err error) {
	err = query(ctx, l.db, "SELECT "+memberColumns+" FROM members ORDER BY name, id", nil, func(s scanner) error {
		m, err := scanMember(s)
		out = append(out, m)
		return err
	})
	for i := range out {
		if err == nil {
			out[i].Devices, err = devicesOf(ctx, l.db, out[i].ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list the members: %w", err)
	}
	return out, nil
}

// SetMember adds a member or changes name, state, Kimai user, projects or
// identity of the one with m.ID; devices and day of joining stay. A member who
// is removed loses the devices. Members who wait for a decision get it.
func (l *Ledger) SetMember(ctx context.Context, m pow.Member, now time.Time) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		if other, err := has(ctx, tx, "SELECT 1 FROM members WHERE identity = ? AND id <> ?", m.Identity.String(), m.ID); err != nil || other {
			return errors.Join(err, &pow.Error{Code: pow.CodeIdentityMismatch, What: "another member has this identity"})
		}
		projects, err := projectList(m.Projects)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, `INSERT INTO members (id, identity, name, state, kimai_user, projects, joined) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, name = excluded.name, state = excluded.state,
				kimai_user = excluded.kimai_user, projects = excluded.projects, revision = revision + 1`,
			m.ID, m.Identity.String(), m.Name, m.State, m.KimaiUser, projects, ms(now)); err != nil {
			return err
		}
		switch m.State {
		case "removed":
			return removeDevices(ctx, tx, m.ID)
		case "active":
			if err := decide(ctx, tx, m.ID, pow.CodeEnrolled, now); err != nil {
				return err
			}
		}
		return rebook(ctx, tx, "member = ?", now, m.ID)
	})
	if err != nil {
		return fmt.Errorf("change a member: %w", err)
	}
	return nil
}

// Decline answers a member who waits for approval with no.
func (l *Ledger) Decline(ctx context.Context, member pow.OpaqueID, now time.Time) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		ok, err := changed(ctx, tx, "UPDATE members SET state = 'removed' WHERE id = ? AND state = 'pending'", member)
		if err != nil {
			return err
		}
		if !ok {
			return pow.ErrNotFound
		}
		if err := decide(ctx, tx, member, pow.CodeRefused, now); err != nil {
			return err
		}
		return removeDevices(ctx, tx, member)
	})
	if err != nil {
		return fmt.Errorf("decline a member: %w", err)
	}
	return nil
}

// decide answers the request of a member who waited.
func decide(ctx context.Context, tx *sql.Tx, member pow.OpaqueID, code pow.Code, now time.Time) error {
	var r pow.Receipt
	if err := tx.QueryRowContext(ctx, "SELECT request FROM members WHERE id = ?", member).Scan(doc{&r}); err != nil {
		return err
	}
	if r.Answers.IsZero() {
		return nil
	}
	r.Code, r.CreatedAt = code, now
	if err := post(ctx, tx, r, now, now); err != nil {
		return err
	}
	return exec(ctx, tx, "UPDATE members SET request = NULL WHERE id = ?", member)
}

func removeDevices(ctx context.Context, tx *sql.Tx, member pow.OpaqueID) error {
	return exec(ctx, tx, "UPDATE devices SET state = 'removed', dismiss = 1 WHERE member = ? AND state = 'active'", member)
}

// RemoveDevice marks a member's device as removed; pow.ErrNotFound when there is none.
func (l *Ledger) RemoveDevice(ctx context.Context, device pow.Key) error {
	err := l.admin(ctx, func(tx *sql.Tx) error { return removeDevice(ctx, tx, device) })
	if err != nil {
		return fmt.Errorf("remove a device: %w", err)
	}
	return nil
}

func removeDevice(ctx context.Context, tx *sql.Tx, device pow.Key) error {
	ok, err := changed(ctx, tx, "UPDATE devices SET state = 'removed', dismiss = 1 WHERE key = ? AND state = 'active'", device.String())
	if err != nil {
		return err
	}
	if !ok {
		return pow.ErrNotFound
	}
	return exec(ctx, tx, "UPDATE members SET revision = revision + 1 WHERE id = (SELECT member FROM devices WHERE key = ?)", device.String())
}

// Erase removes what the DVM holds of a member besides the hours that were
// proven: sealed archives (by the next retention run), activity, notes, device
// names and the member's name. It also answers the member's own request.
func (l *Ledger) Erase(ctx context.Context, member pow.OpaqueID, now time.Time) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		if ok, err := has(ctx, tx, "SELECT 1 FROM members WHERE id = ?", member); err != nil || !ok {
			return errors.Join(err, pow.ErrNotFound)
		}
		if err := decide(ctx, tx, member, pow.CodeDone, now); err != nil {
			return err
		}
		for _, text := range []string{
			"UPDATE members SET name = 'erased', state = 'removed', erase = 0, request = NULL WHERE id = ?1",
			"UPDATE devices SET name = '' WHERE member = ?1",
			"UPDATE slots SET name = '' WHERE used_by = (SELECT identity FROM members WHERE id = ?1)",
			"UPDATE sessions SET note = '' WHERE member = ?1",
			"DELETE FROM activity WHERE proof IN (SELECT id FROM proofs WHERE member = ?1)",
			"DELETE FROM captures WHERE proof IN (SELECT id FROM proofs WHERE member = ?1)",
			"UPDATE notices SET seal = NULL WHERE member = ?1",
			"UPDATE proofs SET note = '', until = 0 WHERE member = ?1 AND until IS NOT NULL",
			"DELETE FROM quarantine WHERE notice IN (SELECT id FROM notices WHERE member = ?1)",
		} {
			if err := exec(ctx, tx, text, member); err != nil {
				return err
			}
		}
		return removeDevices(ctx, tx, member)
	})
	if err == nil {
		_, err = l.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err != nil {
		return fmt.Errorf("erase a member: %w", err)
	}
	return nil
}

// Invite opens a slot that one enrolment can use.
func (l *Ledger) Invite(ctx context.Context, s pow.Slot) error {
	err := l.admin(ctx, func(tx *sql.Tx) error {
		projects, err := projectList(s.Projects)
		if err != nil {
			return err
		}
		var identity any
		if !s.Identity.IsZero() {
			identity = s.Identity.String()
		}
		return exec(ctx, tx, "INSERT INTO slots (claim, name, kimai_user, projects, identity, expires) VALUES (?, ?, ?, ?, ?, ?)",
			s.Claim.String(), s.Name, s.KimaiUser, projects, identity, ms(s.Expires))
	})
	if err != nil {
		return fmt.Errorf("open an invitation: %w", err)
	}
	return nil
}

// Slots returns the invitations that can still be used.
func (l *Ledger) Slots(ctx context.Context, now time.Time) (out []pow.Slot, err error) {
	err = query(ctx, l.db, "SELECT claim, name, kimai_user, projects, identity, expires FROM slots WHERE used_by IS NULL AND expires > ? ORDER BY expires, claim", []any{ms(now)}, func(s scanner) error {
		var o pow.Slot
		err := s.Scan(text{&o.Claim}, &o.Name, &o.KimaiUser, doc{&o.Projects}, text{&o.Identity}, instant{&o.Expires})
		out = append(out, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the invitations: %w", err)
	}
	return out, nil
}

// SetProject adds or changes a project; every member's catalogue gets a new revision.
func (l *Ledger) SetProject(ctx context.Context, p pow.BookableProject, now time.Time) error {
	b, err := json.Marshal(p)
	if err == nil {
		err = l.admin(ctx, func(tx *sql.Tx) error {
			if err := exec(ctx, tx, `INSERT INTO projects VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
				SET name = excluded.name, active = excluded.active, doc = excluded.doc`, p.ID, p.Name, p.Active, string(b)); err != nil {
				return err
			}
			if err := exec(ctx, tx, "UPDATE members SET revision = revision + 1"); err != nil {
				return err
			}
			return rebook(ctx, tx, "project = ?", now, p.ID)
		})
	}
	if err != nil {
		return fmt.Errorf("change a project: %w", err)
	}
	return nil
}

// Projects returns every project, by name.
func (l *Ledger) Projects(ctx context.Context) ([]pow.BookableProject, error) {
	out, err := projects(ctx, l.db, "1", nil)
	if err != nil {
		return nil, fmt.Errorf("list the projects: %w", err)
	}
	return out, nil
}

// Project returns one project; pow.ErrNotFound when there is none.
func (l *Ledger) Project(ctx context.Context, id pow.ProjectID) (pow.BookableProject, error) {
	out, err := projects(ctx, l.db, "id = ?", []any{id})
	if err == nil && len(out) == 0 {
		err = pow.ErrNotFound
	}
	if err != nil {
		return pow.BookableProject{}, fmt.Errorf("look for a project: %w", err)
	}
	return out[0], nil
}

func projects(ctx context.Context, db queryer, where string, args []any) (out []pow.BookableProject, err error) {
	err = query(ctx, db, "SELECT doc FROM projects WHERE "+where+" ORDER BY name, id", args, func(s scanner) error {
		var p pow.BookableProject
		err := s.Scan(doc{&p})
		out = append(out, p)
		return err
	})
	return out, err
}

// admin is write for changes by a person, which the running server has to notice.
func (l *Ledger) admin(ctx context.Context, f func(*sql.Tx) error) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return count(ctx, tx, "admin")
	})
}

// rebook makes sessions that are not fully booked due: what kept them may be gone.
func rebook(ctx context.Context, tx *sql.Tx, where string, now time.Time, args ...any) error {
	return exec(ctx, tx, "UPDATE sessions SET book_at = ?, version = version + 1, attempts = 0 WHERE "+where+
		" AND (book_at IS NOT NULL OR json_extract(booking, '$.state') <> 'booked')", append([]any{ms(now)}, args...)...)
}
