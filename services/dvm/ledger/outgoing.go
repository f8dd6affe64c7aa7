package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"pow.do/services/pow"
)

// Due returns up to n letters to devices that are due, oldest first; next is when
// there will be more (zero: not before something new).
func (l *Ledger) Due(ctx context.Context, now time.Time, n int) (out []pow.Outgoing, next time.Time, err error) {
	err = query(ctx, l.db, "SELECT id, version, device, receipt, seal, letter_id, letter, made, attempts FROM outgoing WHERE due <= ? ORDER BY due LIMIT ?", []any{ms(now), n}, func(s scanner) error {
		var o pow.Outgoing
		var made int64
		err := s.Scan(&o.ID, &o.Version, text{&o.Device}, doc{&o.Receipt}, &o.Seal, text{&o.Letter.ID}, &o.Letter.JSON, &made, &o.Attempts)
		o.Letter.Made = time.UnixMilli(made).UTC()
		out = append(out, o)
		return err
	})
	if err == nil {
		err = l.db.QueryRowContext(ctx, "SELECT min(due) FROM outgoing WHERE due > ?", ms(now)).Scan(instant{&next})
	}
	if err != nil {
		return nil, next, fmt.Errorf("look for outgoing letters: %w", err)
	}
	return out, next, nil
}

// SaveLetter stores the seal, which is made once, and the wrap before it is
// published. pow.ErrNotFound: something newer took its place.
func (l *Ledger) SaveLetter(ctx context.Context, o pow.Outgoing, rumor pow.Hash) error {
	return l.outgoing(ctx, "UPDATE outgoing SET rumor = CASE ? WHEN '' THEN rumor ELSE ? END, seal = ?, letter_id = ?, letter = ?, made = ? WHERE id = ? AND version = ?",
		hex(rumor), hex(rumor), o.Seal, o.Letter.ID.String(), o.Letter.JSON, ms(o.Letter.Made), o.ID, o.Version)
}

// Sent notes that a relay has the letter. pow.ErrNotFound: something newer took its place.
func (l *Ledger) Sent(ctx context.Context, o pow.Outgoing, now time.Time) error {
	return l.outgoing(ctx, "UPDATE outgoing SET due = NULL, sent = ?, letter = NULL WHERE id = ? AND version = ?", ms(now), o.ID, o.Version)
}

// SendLater notes that no relay took the letter. pow.ErrNotFound: something newer took its place.
func (l *Ledger) SendLater(ctx context.Context, o pow.Outgoing, until time.Time) error {
	return l.outgoing(ctx, "UPDATE outgoing SET attempts = ?, due = ? WHERE id = ? AND version = ?", o.Attempts, ms(until), o.ID, o.Version)
}

func (l *Ledger) outgoing(ctx context.Context, text string, args ...any) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		ok, err := changed(ctx, tx, text, args...)
		if err == nil && !ok {
			err = pow.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("note an outgoing letter: %w", err)
	}
	return nil
}

// CataloguesDue returns the catalogues that active devices have not been sent.
// A change of the announcement is a change of every catalogue: the first call
// with another id or revision makes new revisions of all.
func (l *Ledger) CataloguesDue(ctx context.Context, announcement pow.Hash, revision int) (out []pow.CatalogueDue, err error) {
	if err := l.announced(ctx, fmt.Sprintf("%s/%d", announcement, revision)); err != nil {
		return nil, fmt.Errorf("look for catalogues: %w", err)
	}
	type due struct {
		device   pow.Key
		identity string
		revision int
	}
	var all []due
	err = query(ctx, l.db, `SELECT d.key, m.identity, m.revision FROM devices d JOIN members m ON m.id = d.member
		WHERE d.state = 'active' AND m.state IN ('active', 'suspended') AND d.catalogue < m.revision`, nil, func(s scanner) error {
		var d due
		err := s.Scan(text{&d.device}, &d.identity, &d.revision)
		all = append(all, d)
		return err
	})
	for _, d := range all {
		if err != nil {
			break
		}
		var c pow.Catalogue
		c, err = l.catalogue(ctx, d.identity, d.revision)
		c.Announcement, c.AnnRevision = announcement, revision
		out = append(out, pow.CatalogueDue{Device: d.device, Catalogue: c})
	}
	if err != nil {
		return nil, fmt.Errorf("look for catalogues: %w", err)
	}
	return out, nil
}

func (l *Ledger) announced(ctx context.Context, value string) error {
	if same, err := has(ctx, l.db, "SELECT 1 FROM settings WHERE name = 'announcement' AND value = ?", value); err != nil || same {
		return err
	}
	return l.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, "INSERT INTO settings VALUES ('announcement', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", value); err != nil {
			return err
		}
		return exec(ctx, tx, "UPDATE members SET revision = revision + 1")
	})
}

func (l *Ledger) catalogue(ctx context.Context, identity string, revision int) (pow.Catalogue, error) {
	m, err := memberBy(ctx, l.db, "identity = ?", identity)
	if err != nil {
		return pow.Catalogue{}, err
	}
	c := pow.Catalogue{Revision: revision, MemberID: m.ID, MemberName: m.Name, MemberState: m.State, Devices: m.Devices, Projects: []pow.Project{}}
	all, err := projects(ctx, l.db, "active = 1", nil)
	for _, p := range all {
		if m.May(p.ID) {
			c.Projects = append(c.Projects, p.Project)
		}
	}
	return c, err
}

// PostCatalogue puts a sealed catalogue into the outgoing mail, in the place of
// older revisions for the same device.
func (l *Ledger) PostCatalogue(ctx context.Context, d pow.CatalogueDue, seals [][]byte, now time.Time) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		topic := "catalogue/" + d.Device.String() + "/"
		if err := exec(ctx, tx, "DELETE FROM outgoing WHERE topic GLOB ?", topic+"*"); err != nil {
			return err
		}
		for i, seal := range seals {
			if err := exec(ctx, tx, "INSERT INTO outgoing (topic, device, code, receipt, seal, due, created) VALUES (?, ?, '', '', ?, ?, ?)",
				fmt.Sprintf("%s%d/%d", topic, d.Catalogue.Revision, i+1), d.Device.String(), seal, ms(now), ms(now)); err != nil {
				return err
			}
		}
		return exec(ctx, tx, "UPDATE devices SET catalogue = ? WHERE key = ?", d.Catalogue.Revision, d.Device.String())
	})
	if err != nil {
		return fmt.Errorf("post a catalogue: %w", err)
	}
	return nil
}
