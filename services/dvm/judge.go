package dvm

import (
	"context"
	"slices"
	"time"

	"pow.do/services/pow"
)

// maxSeq is the largest place in a chain that fits every store.
const maxSeq = 1 << 53

// verdict judges a Notice by itself, at arrival: received, or the error that ends
// it. A device that belongs to another member is unknown here.
func (w *Worker) verdict(n pow.Notice, m pow.Member, now time.Time) pow.Receipt {
	r := n.Reply(pow.CodeReceived, now)
	r.Blob = "kept"
	device, mine := m.Device(n.Device)
	switch {
	case m.State == "suspended":
		r.Code = pow.CodeMemberSuspended
	case m.State != "active":
		r.Code = pow.CodeNotMember
	case !mine || device.State != "active":
		r.Code = pow.CodeDeviceUnknown
	case n.IsHint():
	default:
		w.judgeNotice(n, now, &r)
	}
	return r
}

func (w *Worker) judgeNotice(n pow.Notice, now time.Time, r *pow.Receipt) {
	ahead := now.Add(pow.MaxAhead)
	switch {
	case !n.Interval.Valid(), n.Size < 1, n.Seq < 1, n.Seq > maxSeq, n.DVM != w.Key, n.Statement.IsZero():
		r.Code = pow.CodeBadNotice
	case n.Archive != pow.ArchiveVersion:
		r.Code = pow.CodeUnsupported
	case n.Size > w.Limits.Sealed:
		r.Code = pow.CodeTooLarge
	case n.Interval.Duration() > w.Limits.Proof:
		r.Code = pow.CodeTooLong
	case n.Interval.To.After(ahead), n.CreatedAt.After(ahead):
		r.Code, r.Retry = pow.CodeFuture, latest(n.Interval.To, n.CreatedAt).Add(-pow.MaxAhead)
	case len(w.servers(n)) == 0:
		r.Code, r.Reason, r.Retry = pow.CodeBlobUnavailable, "server-not-listed", now.Add(time.Hour)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// servers returns the servers of the Notice that are configured here. Nothing
// else is ever dialled.
func (w *Worker) servers(n pow.Notice) (out []string) {
	for _, s := range n.Servers {
		if slices.Contains(w.Blossom, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// refusal ends an item with an error Receipt.
type refusal struct {
	code   pow.Code
	reason string
	retry  time.Time
}

func (r *refusal) Error() string { return "refused: " + string(r.code) }

// appraise judges an opened proof against project, member and session, and
// fills in what is recorded about it.
func (w *Worker) appraise(ctx context.Context, e *pow.Evidence) error {
	n, p := e.Task.Notice, &e.Opened.Proof
	if what := n.Equal(e.Opened.Statement); what != "" {
		return &refusal{code: pow.CodeMismatch, reason: what}
	}
	work, err := w.Ledger.Work(ctx, e.Task.Member, n.Session, n.Interval)
	if err != nil {
		return ledgerError{err}
	}
	if work.Version > 0 && (work.Member.ID != e.Task.Member || work.Device != n.Device || work.Project.ID != n.Project) {
		return &refusal{code: pow.CodeMismatch, reason: "session"}
	}
	member, err := w.Ledger.Member(ctx, n.Author)
	if err != nil {
		return ledgerError{err}
	}
	if member.State != "active" {
		return &refusal{code: pow.CodeNotMember}
	}
	project, known, err := w.project(ctx, n.Project)
	if err != nil {
		return ledgerError{err}
	}
	if known && work.Version == 0 && !member.May(n.Project) {
		return &refusal{code: pow.CodeNotMember, reason: "project"}
	}
	e.Checks = pow.Checks{Signature: "ok", Hashes: "ok", Window: "ok", Policy: "ok", Consent: unlooked}
	e.Marks = append(e.Marks, marksOf(p)...)
	if known {
		e.Checks.Consent = w.consent(n.Author, project, p)
		if err := policy(project, e); err != nil {
			return err
		}
	}
	if n.Interval.To.Before(e.Task.Arrived.Add(-w.Limits.Late)) {
		e.Checks.Window, e.Hold = "late", pow.ParkLate
	}
	e.Until = n.Interval.To.AddDate(0, 0, retention(project))
	if e.Until.Before(e.Now) {
		e.Until = e.Now // its evidence is kept until the next retention run
	}
	w.measure(e, work)
	p.Note = clip(p.Note, pow.MaxNote)
	return nil
}

// measure fills in the session's time with this proof.
func (w *Worker) measure(e *pow.Evidence, work pow.SessionWork) {
	work.Facts.Now, work.Facts.Wait = e.Now, w.Limits.Silence
	if e.Task.Notice.Action == pow.ActionStop {
		work.Facts.Stops = append(work.Facts.Stops, e.Task.Notice.Interval.To)
	}
	if e.Hold != "" && !work.Approved {
		last := len(work.Facts.Proven) - 1
		work.Facts.Held = append(work.Facts.Held, work.Facts.Proven[last])
		work.Facts.Proven = work.Facts.Proven[:last]
	}
	e.Time = w.Measure(work.Facts)
}

// picturesMissing tells whether a proof without pictures should have some: each
// interval has its picture at a random moment, so only a proof that is at least
// two intervals long surely holds a whole one. A picture that the worker took out
// is missing however short the proof is, and so is one whose time the proof
// itself names as without picture.
func picturesMissing(project pow.BookableProject, p *pow.Proof) bool {
	if len(p.Without) > 0 {
		return true
	}
	if len(p.Captures) > 0 {
		return false
	}
	every := time.Duration(project.Interval) * time.Second
	return p.Dropped > 0 || p.Interval.Duration() >= 2*every
}

// policy holds the proof against what its project wants.
func policy(project pow.BookableProject, e *pow.Evidence) error {
	p := &e.Opened.Proof
	switch {
	case project.Pictures == pow.Forbidden && len(p.Captures) > 0:
		return &refusal{code: pow.CodePolicyViolation}
	case project.Pictures == pow.Required && picturesMissing(project, p):
		e.Checks.Policy, e.Hold = string(pow.ParkCapturesMissing), pow.ParkCapturesMissing
	}
	if project.ActivityRule == pow.Required && p.KimaiActivity == "" {
		e.Marks = append(e.Marks, "activity-missing")
	}
	if reduce(p.Activity.Rows, project.Detail) {
		e.Marks = append(e.Marks, "detail")
	}
	if project.Detail == pow.DetailOff {
		p.Activity.Rows = nil
	}
	return nil
}

// reduce erases what goes beyond the detail that the project wants, and tells
// whether there was any: it is not kept just because it was sent.
func reduce(rows []pow.ActivityRow, detail pow.Detail) (more bool) {
	for i := range rows {
		r := &rows[i]
		before := *r
		switch detail {
		case pow.DetailOff, pow.DetailCategory:
			r.App, r.Title, r.Host = "", "", ""
		case pow.DetailApp:
			r.Title, r.Host = "", ""
		}
		more = more || before != *r || detail == pow.DetailOff
	}
	return more
}

// defaultRetention is how many days a Sealed is kept unless its project says
// otherwise (protocol §10).
const defaultRetention = 30

func retention(p pow.BookableProject) int {
	if p.Retention < 1 {
		return defaultRetention
	}
	return p.Retention
}

func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}
	return s
}
