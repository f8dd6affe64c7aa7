package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pow.do/services/pow"
)

// Filter narrows a report. Zero fields do not narrow.
type Filter struct {
	Member  pow.OpaqueID
	Project pow.ProjectID
	Session pow.SessionID
	Device  pow.Key
	From    time.Time // what ends after
	To      time.Time // what begins before
	Proof   int64     // only this proof
	// Npub turns an identity into the form for people (NIP-19).
	Npub func(pow.Key) string
}

func (f Filter) npub(k pow.Key) string {
	if f.Npub == nil {
		return k.String()
	}
	return f.Npub(k)
}

// Sessions reports what was proven and booked, newest first.
func (l *Ledger) Sessions(ctx context.Context, f Filter) ([]pow.SessionReport, error) {
	out := []pow.SessionReport{}
	err := query(ctx, l.db, `SELECT s.id, m.identity, m.name, s.project, coalesce(p.doc, ''), s.begin, s."end", s.proven, s.intervals,
			(SELECT count(*) FROM proofs WHERE session = s.id), CASE s.open WHEN 1 THEN 'open' ELSE 'closed' END, s.booking
		FROM sessions s JOIN members m ON m.id = s.member LEFT JOIN projects p ON p.id = s.project
		WHERE (?1 = '' OR s.member = ?1) AND (?2 = '' OR s.project = ?2) AND (?3 = '' OR s.id = ?3)
			AND (?4 IS NULL OR s."end" > ?4) AND (?5 IS NULL OR s.begin < ?5) AND (?6 = '' OR s.device = ?6)
		ORDER BY s.begin DESC, s.id`, []any{f.Member, f.Project, string(f.Session), ms(f.From), ms(f.To), hex(pow.Hash(f.Device))}, func(s scanner) error {
		r := pow.SessionReport{Intervals: []pow.Interval{}}
		var who pow.Key
		var id pow.ProjectID
		var p pow.BookableProject
		if err := s.Scan(&r.Session, text{&who}, &r.Member.Name, &id, doc{&p}, instant{&r.Begin}, instant{&r.End}, &r.Proven,
			doc{&r.Intervals}, &r.Proofs, &r.State, doc{&r.Booking}); err != nil {
			return err
		}
		r.Member.Npub = f.npub(who)
		r.Project = pow.ProjectRef{ID: id, Name: p.Name, Group: p.Group, Color: p.Color}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("report the sessions: %w", err)
	}
	return out, nil
}

// Proofs reports every proof with its checks, newest first: accepted,
// quarantined and rejected ones. Hints and replaced Notices are left out.
func (l *Ledger) Proofs(ctx context.Context, f Filter) ([]pow.ProofReport, error) {
	out := []pow.ProofReport{}
	err := query(ctx, l.db, `SELECT n.id, n.doc, m.identity, coalesce(j.doc, ''), n.arrived, coalesce(p.root, ''), coalesce(p.captures, 0), coalesce(p.rows, 0),
			coalesce(p.checks, ''), coalesce(p.hold, ''), coalesce(p.marks, ''), n.state, n.reason, n.code, coalesce(o.code, ''), coalesce(o.reason, '')
		FROM notices n JOIN members m ON m.id = n.member LEFT JOIN proofs p ON p.id = n.id
		LEFT JOIN projects j ON j.id = json_extract(n.doc, '$.project') LEFT JOIN outgoing o ON o.topic = n.rumor
		WHERE n.state IN ('received', 'accepted', 'refused', 'quarantined') AND (n.state <> 'accepted' OR p.id IS NOT NULL)
			AND (?1 = '' OR n.member = ?1) AND (?2 = '' OR json_extract(n.doc, '$.project') = ?2) AND (?3 = '' OR n.session = ?3)
			AND (?4 = '' OR n.device = ?4) AND (?5 = 0 OR n.id = ?5)
		ORDER BY n.id DESC`, []any{f.Member, f.Project, string(f.Session), hex(pow.Hash(f.Device)), f.Proof}, func(s scanner) error {
		r, err := f.scanProof(s)
		if err != nil {
			return err
		}
		if (f.From.IsZero() || r.To.After(f.From)) && (f.To.IsZero() || r.From.Before(f.To)) {
			out = append(out, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("report the proofs: %w", err)
	}
	return out, nil
}

func (f Filter) scanProof(s scanner) (r pow.ProofReport, err error) {
	var n pow.Notice
	var who pow.Key
	var p pow.BookableProject
	var hold, marks, reason string
	var said pow.Code
	err = s.Scan(&r.ID, doc{&n}, text{&who}, doc{&p}, instant{&r.ReceivedAt}, text{&r.Root}, &r.Captures, &r.ActivityEvents,
		doc{&r.Checks}, &hold, &marks, &r.State, &r.Reason, &r.Code, &said, &reason)
	r.Session, r.Seq, r.Sealed, r.From, r.To = n.Session, n.Seq, n.Sealed, n.Interval.From, n.Interval.To
	r.MemberNpub = f.npub(who)
	r.Project = pow.ProjectRef{ID: n.Project, Name: p.Name, Group: p.Group, Color: p.Color}
	switch r.State {
	case "accepted":
		r.Code, r.Reason = said, reason
	case "refused":
		r.State = "rejected"
	}
	if r.Checks == (pow.Checks{}) {
		r.Checks = unchecked
	}
	if r.Checks.Consent == "" { // judged before there were any
		r.Checks.Consent = unchecked.Consent
	}
	if marks != "" {
		r.Marks = strings.Split(marks, ",")
	}
	if r.Reason == "" {
		r.Reason = hold
	}
	if r.Reason == "" {
		r.Reason = marks
	}
	return r, err
}

// ActivityOf returns every activity row that is kept of a member, in order of time.
func (l *Ledger) ActivityOf(ctx context.Context, member pow.OpaqueID) ([]pow.ActivityRow, error) {
	out := []pow.ActivityRow{}
	err := query(ctx, l.db, `SELECT a."from", a."to", a.kind, a.app, a.title, a.host, a.category FROM activity a JOIN proofs p ON p.id = a.proof
		WHERE p.member = ? ORDER BY a."from", a.proof, a.n`, []any{member}, func(s scanner) error {
		var r pow.ActivityRow
		err := s.Scan(instant{&r.From}, instant{&r.To}, &r.Kind, &r.App, &r.Title, &r.Host, &r.Category)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the activity of a member: %w", err)
	}
	return out, nil
}

var unchecked = pow.Checks{Signature: "-", Chain: "-", Hashes: "-", Window: "-", Policy: "-", Consent: "-"}
