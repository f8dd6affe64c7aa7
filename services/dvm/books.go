package dvm

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	bookers = 4 // queues of the timesheet system that are served at once
	// stopPause is how often a timesheet system that has stopped is asked again.
	stopPause = 5 * time.Minute
)

// bookDesk is where sessions are being booked: one of each queue at a time, a few
// queues at once, none waiting for another.
type bookDesk struct {
	mu    sync.Mutex
	queue map[string]bool // at work
	all   sync.WaitGroup
}

// take tells whether there is a place for the queue now, and takes it.
func (d *bookDesk) take(queue string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue[queue] || len(d.queue) >= bookers {
		return false
	}
	d.queue[queue] = true
	return true
}

func (d *bookDesk) leave(queue string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.queue, queue)
}

// bookDue starts booking the sessions that are due, as far as there are places.
// Whoever leaves a place rings for the next one.
func (w *Worker) bookDue(ctx context.Context) (time.Time, error) {
	due, next, err := w.Ledger.SessionsDue(ctx, w.Now())
	if err != nil {
		return next, err
	}
	for _, d := range due {
		if !w.desk.take(d.Queue) {
			continue
		}
		w.desk.all.Go(func() {
			if err := w.book(ctx, d.Session); err != nil && ctx.Err() == nil {
				w.Log.Error("a session cannot be booked, it is tried again", "error", err)
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
			w.desk.leave(d.Queue)
			w.booking.up()
		})
	}
	return next, nil
}

// book brings the timesheet to the state that the session's proofs demand.
func (w *Worker) book(ctx context.Context, id pow.SessionID) (err error) {
	work, err := w.Ledger.Work(ctx, "", id, pow.Interval{})
	if err != nil {
		return err
	}
	work.Facts.Now, work.Facts.Wait = w.Now(), w.Limits.Silence
	t := w.Measure(work.Facts)
	if work.Runs, err = w.Ledger.SaveTime(ctx, work, t); err != nil {
		return err
	}
	s := pow.Settlement{Session: id, Version: work.Version}
	park := w.park(work, t)
	if park == "" {
		err := w.bookRuns(ctx, work, t)
		if errors.As(err, new(ledgerError)) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			s.Attempts = work.Attempts + 1
			s.Again = w.again(err, s.Attempts)
		}
	}
	w.settle(&s, work, t, park)
	if err := w.Ledger.Settle(ctx, s); err != nil {
		return err
	}
	w.posting.up()
	return nil
}

func (w *Worker) again(err error, attempts int) time.Time {
	if retry.IsPermanent(err) {
		w.Log.Error("the timesheet system has stopped; proofs are still recorded")
		return w.Now().Add(stopPause)
	}
	w.Log.Warn("a session is not booked yet", "attempts", attempts)
	return w.Now().Add(retry.Refused.Wait(err, attempts))
}

// park tells why nothing of a session can be booked, by what the DVM itself knows.
func (w *Worker) park(work pow.SessionWork, t pow.SessionTime) pow.ParkReason {
	switch {
	case t.TooLong && !work.Approved:
		return pow.ParkNeedsApproval
	case !work.Known:
		return pow.ParkProjectUnknown
	case !work.Project.Active, !work.Member.May(work.Project.ID):
		return pow.ParkProjectClosed
	case w.Timesheets == nil:
		return ""
	}
	return w.Timesheets.Unfit(sheetOf(work, 1))
}

// sheetOf is a run of a session as far as it does not depend on its time.
func sheetOf(work pow.SessionWork, run int) pow.Timesheet {
	p := work.Project
	return pow.Timesheet{Session: work.Session, Run: run, Identity: work.Member.Identity, MemberName: work.Member.Name,
		Project: pow.ProjectRef{ID: p.ID, Name: p.Name, Group: p.Group, Color: p.Color}, Note: work.Note,
		KimaiUser: work.Member.KimaiUser, KimaiProject: p.Kimai, KimaiActivity: kimaiActivity(work),
		Marker: pow.Marker(work.Member.Identity, work.Session, run)}
}

func kimaiActivity(work pow.SessionWork) int64 {
	if work.KimaiActivity == "" {
		return work.Project.KimaiOther
	}
	return work.Project.KimaiWork[work.KimaiActivity]
}

// bookRuns books every run; the emptied ones first, because their time may be
// wanted for another.
func (w *Worker) bookRuns(ctx context.Context, work pow.SessionWork, t pow.SessionTime) error {
	runs := slices.Clone(t.Runs)
	slices.SortStableFunc(runs, func(a, b pow.Run) int { return cmp.Compare(filled(a), filled(b)) })
	for _, r := range runs {
		have := work.Runs[r.Number]
		record, done, err := w.bookRun(ctx, work, t, r, have)
		if err != nil {
			return err
		}
		if record == have.Record && (done == have.Done || !done.Valid()) {
			continue
		}
		if work.Runs[r.Number], err = w.saveRun(ctx, work, r, have, record, done); err != nil {
			return ledgerError{err}
		}
	}
	return nil
}

// saveRun stores the result of booking a run. A record that another run has is
// not taken: a person has to look at it.
func (w *Worker) saveRun(ctx context.Context, work pow.SessionWork, r pow.Run, have pow.RunRecord, record pow.TimesheetRecord, done pow.Interval) (pow.RunRecord, error) {
	record.Updated = w.Now()
	err := w.Ledger.SaveRecord(ctx, work.Session, r.Number, work.Member.KimaiUser, record, done)
	if retry.IsPermanent(err) {
		record = pow.TimesheetRecord{State: pow.TimesheetParked, Reason: pow.ParkDuplicate, Updated: record.Updated,
			Detail: "record " + strconv.FormatInt(record.ID, 10) + " belongs to another run"}
		done = pow.Interval{}
		err = w.Ledger.SaveRecord(ctx, work.Session, r.Number, work.Member.KimaiUser, record, done)
	}
	have.Record = record
	if done.Valid() {
		have.Done = done
	}
	return have, err
}

func filled(r pow.Run) int {
	if r.Interval.Valid() {
		return 1
	}
	return 0
}

// bookRun returns what is known of the run's record afterwards, and what it shows.
// A run that was booked in the ledger stays there when a timesheet system is
// added later.
func (w *Worker) bookRun(ctx context.Context, work pow.SessionWork, t pow.SessionTime, r pow.Run, have pow.RunRecord) (pow.TimesheetRecord, pow.Interval, error) {
	last := have.Record
	if w.Timesheets == nil || last.State == pow.TimesheetBooked && last.ID == 0 {
		return inLedger(r, have)
	}
	if w.settled(t, r, have) {
		return last, have.Done, nil
	}
	sheet := sheetOf(work, r.Number)
	sheet.Want, sheet.Open, sheet.Last = r.Interval, t.Open, last
	if last.ID == 0 {
		var err error
		if sheet.Controls, err = w.Ledger.Controls(ctx, work.Session, sheet.KimaiUser); err != nil {
			return last, have.Done, ledgerError{err}
		}
	}
	record, err := w.Timesheets.Book(ctx, sheet, func(k pow.TimesheetRecord) error {
		k.Updated = w.Now()
		return w.Ledger.SaveRecord(ctx, work.Session, r.Number, sheet.KimaiUser, k, pow.Interval{})
	})
	if err != nil {
		return last, have.Done, err
	}
	if record.State == pow.TimesheetBooked {
		return record, r.Interval, nil
	}
	return record, pow.Interval{}, nil
}

// inLedger books a run where the ledger is the timesheet.
func inLedger(r pow.Run, have pow.RunRecord) (pow.TimesheetRecord, pow.Interval, error) {
	if !r.Interval.Valid() {
		return pow.TimesheetRecord{}, pow.Interval{}, nil
	}
	if have.Record.State == pow.TimesheetBooked && same(have.Done, r.Interval) {
		return have.Record, have.Done, nil
	}
	return pow.TimesheetRecord{State: pow.TimesheetBooked, Sent: r.Interval, Got: r.Interval, GotDuration: r.Interval.Duration()}, r.Interval, nil
}

// settled tells whether the timesheet system need not be asked: it shows what is
// wanted, or a person has to act there first.
func (w *Worker) settled(t pow.SessionTime, r pow.Run, have pow.RunRecord) bool {
	switch have.Record.State {
	case pow.TimesheetParked:
		return have.Record.Again.IsZero()
	case pow.TimesheetBooked:
		last := r.Interval.To.Equal(t.End)
		return have.Record.DayFix == 0 && same(have.Done, r.Interval) && (t.Open || !last)
	}
	return !r.Interval.Valid() && have.Record.State == pow.TimesheetNone
}

func same(a, b pow.Interval) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }

// settle makes the session's booking and what its devices are told.
func (w *Worker) settle(s *pow.Settlement, work pow.SessionWork, t pow.SessionTime, park pow.ParkReason) {
	s.Now = w.Now()
	s.Booking = w.summary(work, t, park)
	for _, r := range t.Runs {
		k := work.Runs[r.Number].Record
		if k.State == pow.TimesheetParked && !k.Again.IsZero() && (s.Again.IsZero() || k.Again.Before(s.Again)) {
			s.Again = latest(k.Again, s.Now.Add(time.Second))
		}
	}
	for _, p := range work.Proofs {
		booking := w.outcome(work, t, park, p)
		code := pow.Code(booking.State)
		if booking.State == "none" || p.Code == pow.CodeBooked || p.Code == code && p.Reason == booking.Reason {
			continue
		}
		s.Answers = append(s.Answers, pow.Receipt{
			DVM: w.Key, Device: p.Device, CreatedAt: s.Now, Answers: p.Notice, Sealed: p.Sealed, Session: work.Session, Seq: p.Seq,
			Code: code, Reason: booking.Reason, Blob: "deleted",
			Span: pow.Interval{From: t.Begin, To: t.End}, Proven: int64(t.Proven / time.Second), Booking: booking,
		})
	}
}

// outcome is what became of one proof of the session.
func (w *Worker) outcome(work pow.SessionWork, t pow.SessionTime, park pow.ParkReason, p pow.ProofAnswer) pow.Booking {
	switch {
	case p.Hold != "":
		return w.parked(p.Hold)
	case park != "":
		return w.parked(park)
	}
	out := w.parked(pow.ParkOverlap) // all of it counts in another session
	for _, r := range t.Runs {
		if r.Interval.Intersect(p.Interval).Valid() {
			if out = w.shown(r, work.Runs[r.Number]); out.State != "booked" {
				return out
			}
		}
	}
	return out
}

// shown is what the timesheet shows of a run.
func (w *Worker) shown(r pow.Run, k pow.RunRecord) pow.Booking {
	switch {
	case k.Record.State == pow.TimesheetParked:
		b := w.parked(k.Record.Reason)
		b.Timesheet = k.Record.ID
		return b
	case k.Record.State != pow.TimesheetBooked || !same(k.Done, r.Interval):
		return pow.Booking{State: "none", System: w.system()}
	case k.Record.ID == 0:
		return pow.Booking{State: "booked", System: "ledger", Timesheet: k.Row}
	}
	return pow.Booking{State: "booked", System: w.system(), Timesheet: k.Record.ID}
}

func (w *Worker) parked(r pow.ParkReason) pow.Booking {
	return pow.Booking{State: "parked", System: w.system(), Reason: r.Receipt()}
}

func (w *Worker) system() string {
	if w.Timesheets == nil {
		return "ledger"
	}
	return w.Timesheets.System()
}

// summary is the session's booking in reports: the worst of its parts.
func (w *Worker) summary(work pow.SessionWork, t pow.SessionTime, park pow.ParkReason) pow.Booking {
	if park != "" {
		return w.parked(park)
	}
	out := pow.Booking{State: "none", System: w.system()}
	for i, r := range t.Runs {
		b := w.shown(r, work.Runs[r.Number])
		if i == 0 || b.State == "parked" || b.State == "none" && out.State == "booked" && r.Interval.Valid() {
			out = b
		}
		if out.State == "parked" {
			return out
		}
	}
	if len(work.Facts.Held) > 0 {
		for _, p := range work.Proofs {
			if p.Hold != "" {
				return w.parked(p.Hold)
			}
		}
	}
	return out
}
