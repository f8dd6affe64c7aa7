package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// MaxPending bounds the strangers who wait for an admin's decision.
const MaxPending = 20

// Enrol judges an enrol request and, in the same transaction, makes member and
// device, uses up the claim and posts the answer (protocol §3.5). The catalogue
// follows, because a new device has none.
func (l *Ledger) Enrol(ctx context.Context, m pow.Mail, e pow.Enrolment) (code pow.Code, err error) {
	err = l.write(ctx, func(tx *sql.Tx) error {
		if known, err := l.takeRumor(ctx, tx, m, "enrol", e.Now); err != nil || known {
			code = pow.CodeDone
			return err
		}
		code, err = enrol(ctx, tx, *m.Account, e)
		if err != nil {
			return err
		}
		r := m.Account.Reply(code, e.Now)
		if code == pow.CodePolicyChanged {
			r.Retry = e.Now
		}
		if code == pow.CodeAwaitingApproval {
			b, err := toJSON(r)
			if err != nil {
				return err
			}
			if err := exec(ctx, tx, "UPDATE members SET request = ? WHERE identity = ?", b, m.Author.String()); err != nil {
				return err
			}
		}
		if err := count(ctx, tx, "enrol/"+string(code)); err != nil {
			return err
		}
		return post(ctx, tx, r, e.Now, e.Now)
	})
	if err != nil {
		return "", fmt.Errorf("enrol: %w", err)
	}
	return code, nil
}

func enrol(ctx context.Context, tx *sql.Tx, a pow.Account, e pow.Enrolment) (pow.Code, error) {
	if !a.Bound {
		return pow.CodeRefused, nil
	}
	bound, err := has(ctx, tx, "SELECT 1 FROM devices d JOIN members m ON m.id = d.member WHERE d.key = ? AND m.identity <> ?", a.Device.String(), a.Author.String())
	if err != nil || bound {
		return pow.CodeDeviceBound, err
	}
	have, err := memberBy(ctx, tx, "identity = ?", a.Author.String())
	if err != nil && !errors.Is(err, pow.ErrNotFound) {
		return "", err
	}
	slot, code, err := slotFor(ctx, tx, a, e.Now)
	if err != nil || code != "" {
		return code, err
	}
	if a.Policy != e.Policy {
		return pow.CodePolicyChanged, nil
	}
	state := admit(have.State, slot != nil, e)
	if state == "" {
		return pow.CodeRefused, nil
	}
	if state == "pending" && have.State != "pending" {
		if full, err := has(ctx, tx, "SELECT 1 FROM members WHERE state = 'pending' LIMIT 1 OFFSET ?", MaxPending-1); err != nil || full {
			return pow.CodeRefused, err
		}
	}
	if err := joined(ctx, tx, a, have, slot, state, e); err != nil {
		return "", err
	}
	if state == "pending" {
		return pow.CodeAwaitingApproval, nil
	}
	return pow.CodeEnrolled, nil
}

// slotFor finds the invitation that the claim opens; nil without a claim.
func slotFor(ctx context.Context, tx *sql.Tx, a pow.Account, now time.Time) (*pow.Slot, pow.Code, error) {
	if a.Claim == "" {
		return nil, "", nil
	}
	s := pow.Slot{Claim: pow.Hash(sha256.Sum256([]byte(a.Claim)))}
	var user pow.Key
	err := tx.QueryRowContext(ctx, "SELECT name, kimai_user, projects, identity, expires, used_by FROM slots WHERE claim = ?", s.Claim.String()).
		Scan(&s.Name, &s.KimaiUser, doc{&s.Projects}, text{&s.Identity}, instant{&s.Expires}, text{&user})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, pow.CodeClaimInvalid, nil
	case err != nil:
		return nil, "", err
	case !user.IsZero() && user != a.Author:
		return nil, pow.CodeClaimUsed, nil
	case user.IsZero() && !now.Before(s.Expires):
		return nil, pow.CodeClaimInvalid, nil
	case !s.Identity.IsZero() && s.Identity != a.Author:
		return nil, pow.CodeIdentityMismatch, nil
	}
	return &s, "", nil
}

// admit returns the state that the member gets, or "" for a refusal.
func admit(have string, claim bool, e pow.Enrolment) string {
	switch {
	case have == "active":
		return have
	case have == "suspended":
		return ""
	case claim && !e.Confirm:
		return "active"
	case claim || have == "pending" || have == "" && e.Knock:
		return "pending"
	}
	return ""
}

func joined(ctx context.Context, tx *sql.Tx, a pow.Account, have pow.Member, slot *pow.Slot, state string, e pow.Enrolment) error {
	m := have
	if m.ID == "" {
		m = pow.Member{ID: e.NewID, Identity: a.Author, Name: a.Name}
	}
	if slot != nil && have.State != "active" {
		m.Name, m.KimaiUser, m.Projects = slot.Name, slot.KimaiUser, slot.Projects
	}
	projects, err := projectList(m.Projects)
	if err != nil {
		return err
	}
	if err := exec(ctx, tx, `INSERT INTO members (id, identity, name, state, kimai_user, projects, joined) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, kimai_user = excluded.kimai_user,
			projects = excluded.projects, revision = revision + 1`,
		m.ID, a.Author.String(), m.Name, state, m.KimaiUser, projects, ms(e.Now)); err != nil {
		return err
	}
	if err := exec(ctx, tx, `INSERT INTO devices (key, member, name, state, joined) VALUES (?, ?, ?, 'active', ?)
		ON CONFLICT (key) DO UPDATE SET name = excluded.name, state = 'active', dismiss = 0, catalogue = 0`,
		a.Device.String(), m.ID, a.Name, ms(e.Now)); err != nil {
		return err
	}
	if slot == nil {
		return nil
	}
	return exec(ctx, tx, "UPDATE slots SET used_by = ?, used_at = ? WHERE claim = ? AND used_by IS NULL", a.Author.String(), ms(e.Now), slot.Claim.String())
}

// TakeAccount carries out a member's request about their account, other than
// enrolling, and posts the answer in the same transaction.
func (l *Ledger) TakeAccount(ctx context.Context, m pow.Mail, member pow.Member, now time.Time) (code pow.Code, err error) {
	err = l.write(ctx, func(tx *sql.Tx) error {
		if known, err := l.takeRumor(ctx, tx, m, m.Account.Action, now); err != nil || known {
			code = pow.CodeDone
			return err
		}
		r := m.Account.Reply("", now)
		r.Code, err = carryOut(ctx, tx, *m.Account, member, now)
		if err != nil {
			return err
		}
		code = r.Code
		if m.Account.Action == "erase" {
			b, err := toJSON(r)
			if err != nil {
				return err
			}
			if err := exec(ctx, tx, "UPDATE members SET request = ?, erase = 1 WHERE id = ?", b, member.ID); err != nil {
				return err
			}
		}
		return post(ctx, tx, r, now, now)
	})
	if err != nil {
		return "", fmt.Errorf("carry out an account request: %w", err)
	}
	return code, nil
}

func carryOut(ctx context.Context, tx *sql.Tx, a pow.Account, m pow.Member, now time.Time) (pow.Code, error) {
	switch a.Action {
	case "catalogue":
		return pow.CodeDone, wantCatalogue(ctx, tx, a.Device, now, 0)
	case "status":
		return pow.CodeDone, exec(ctx, tx, `UPDATE outgoing SET due = ?, letter = NULL, letter_id = '', attempts = 0, version = version + 1
			WHERE due IS NULL AND topic IN (SELECT rumor FROM notices WHERE session = ? AND member = ?)`, ms(now), string(a.Session), m.ID)
	case "remove-device":
		if _, ok := m.Device(a.Target); !ok {
			return pow.CodeNotFound, nil
		}
		err := removeDevice(ctx, tx, a.Target)
		if errors.Is(err, pow.ErrNotFound) {
			return pow.CodeNotFound, nil
		}
		return pow.CodeDone, err
	case "leave", "erase":
		if err := exec(ctx, tx, "UPDATE members SET state = 'removed', revision = revision + 1 WHERE id = ?", m.ID); err != nil {
			return "", err
		}
		code := pow.CodeDone
		if a.Action == "erase" {
			code = pow.CodeAwaitingApproval
		}
		return code, removeDevices(ctx, tx, m.ID)
	}
	return pow.CodeUnsupported, nil
}

// wantCatalogue has the catalogue sent to the device again, unless that was done
// within the given time.
func wantCatalogue(ctx context.Context, tx *sql.Tx, device pow.Key, now time.Time, within time.Duration) error {
	return exec(ctx, tx, "UPDATE devices SET catalogue = 0, asked = ? WHERE key = ? AND state = 'active' AND asked <= ?",
		ms(now), device.String(), ms(now.Add(-within)))
}
