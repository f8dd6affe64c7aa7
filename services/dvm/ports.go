package dvm

import (
	"context"
	"io"
	"time"

	"pow.do/services/pow"
)

// Unwrapper opens a Letter with every check of the unwrap checklist (protocol
// §5.3). Before it decrypts the seal of a key it does not know it asks
// [Worker.Allow] and returns that error, wrapped, when the answer is no. Every
// other error means that the author is not proven and the Letter is dropped; an
// error with a method Step() string names the counter.
type Unwrapper interface {
	Open(letter []byte, now time.Time) (pow.Mail, error)
}

// Fetcher downloads from and deletes on one Blossom server. Get writes at most
// size bytes; pow.ErrBlobMissing says that the server does not have the blob,
// pow.ErrHashMismatch that it has other bytes, any other error that it cannot
// be reached now.
type Fetcher interface {
	Get(ctx context.Context, origin string, h pow.Hash, size int64, w io.Writer) error
	Delete(ctx context.Context, origin string, h pow.Hash) error
}

// Opener opens a Sealed and checks it against the Notice. A *pow.Error carries
// the code of the Receipt; anything else is a failure of the program.
type Opener interface {
	Open(ctx context.Context, r io.ReaderAt, size int64, want pow.Notice) (pow.Opened, error)
}

// Timesheets brings one run of a session into the timesheet system. It calls
// save before each request that changes something there and does not send it
// when save fails; t.Last is what was saved last. The record it returns is
// booked or parked, or has no state when nothing is left for the run. An error
// means: again later (retry.Later: not before), and retry.Permanent: the
// integration has stopped for everybody until somebody mends it.
//
// Package kimai and package sheetfile are two of them; a third needs these three
// methods and nothing else.
type Timesheets interface {
	// System names it in Receipts and reports, in at most 16 letters.
	System() string
	// Unfit tells why a sheet cannot be booked before anything is asked: what an
	// admin has not mapped yet. Want and Last are not set.
	Unfit(t pow.Timesheet) pow.ParkReason
	Book(ctx context.Context, t pow.Timesheet, save func(pow.TimesheetRecord) error) (pow.TimesheetRecord, error)
}

// Wrapper makes the DVM's letters: a seal once, a wrap as often as needed.
type Wrapper interface {
	SealReceipt(r pow.Receipt) (rumor pow.Hash, seal []byte, err error)
	SealCatalogue(device pow.Key, c pow.Catalogue) (seals [][]byte, err error)
	Wrap(seal []byte, to pow.Key, now time.Time) (pow.Letter, error)
}

// Publisher sends an event to one relay and returns the relay's answer.
type Publisher interface {
	Publish(ctx context.Context, origin string, event []byte) (pow.Answer, error)
}

// Deleter asks every relay to delete processed letters (NIP-09). It is a
// request: what stays comes again, is recognised, and is deleted again.
type Deleter interface {
	DeleteLetters(ctx context.Context, wraps []pow.Hash) error
}

// Hubs takes the right to write from a removed device (NIP-86).
type Hubs interface {
	Dismiss(ctx context.Context, device pow.Key) error
}

// Ledger is the worker's memory. Each call is one durable transaction; see
// package ledger for what the methods do.
type Ledger interface {
	Inbox
	Desk
	Books
	Outbox
	House
}

// Inbox takes letters.
type Inbox interface {
	LetterSeen(ctx context.Context, wrap pow.Hash) (bool, error)
	LetterDropped(ctx context.Context, wrap pow.Hash, step string, now time.Time) error
	LetterQuarantined(ctx context.Context, l pow.Letter, step, reason string, now time.Time) error
	LetterAside(ctx context.Context, l pow.Letter, now time.Time) (kept bool, err error)
	LettersAside(ctx context.Context, n int) ([]pow.Letter, error)
	Member(ctx context.Context, identity pow.Key) (pow.Member, error)
	DeviceKnown(ctx context.Context, device pow.Key) (bool, error)
	Slots(ctx context.Context, now time.Time) ([]pow.Slot, error)
	TakeNotice(ctx context.Context, m pow.Mail, member pow.Member, verdict pow.Receipt, send, now time.Time) (pow.Taken, error)
	TakeAccount(ctx context.Context, m pow.Mail, member pow.Member, now time.Time) (pow.Code, error)
	TakeAnswer(ctx context.Context, m pow.Mail, r pow.Receipt, now time.Time) error
	Enrol(ctx context.Context, m pow.Mail, e pow.Enrolment) (pow.Code, error)
}

// Desk holds the Notices that are worked on.
type Desk interface {
	DevicesAtWork(ctx context.Context) ([]pow.Key, error)
	NextTask(ctx context.Context, device pow.Key, now time.Time) (t pow.Task, next time.Time, err error)
	Postpone(ctx context.Context, t pow.Task, until time.Time) error
	Refuse(ctx context.Context, t pow.Task, r pow.Receipt, now time.Time) error
	QuarantineTask(ctx context.Context, t pow.Task, step, reason string, now time.Time) error
	Accept(ctx context.Context, e pow.Evidence) (pow.Code, error)
}

// Books holds sessions and what is booked of them.
type Books interface {
	Project(ctx context.Context, id pow.ProjectID) (pow.BookableProject, error)
	Work(ctx context.Context, member pow.OpaqueID, id pow.SessionID, add pow.Interval) (pow.SessionWork, error)
	SessionsDue(ctx context.Context, now time.Time) (due []pow.SessionDue, next time.Time, err error)
	SaveTime(ctx context.Context, w pow.SessionWork, t pow.SessionTime) (map[int]pow.RunRecord, error)
	SaveRecord(ctx context.Context, session pow.SessionID, run int, kimaiUser int64, t pow.TimesheetRecord, done pow.Interval) error
	Controls(ctx context.Context, session pow.SessionID, kimaiUser int64) ([]pow.TimesheetControl, error)
	Settle(ctx context.Context, s pow.Settlement) error
}

// Outbox holds letters to devices until a relay has them.
type Outbox interface {
	Due(ctx context.Context, now time.Time, n int) (due []pow.Outgoing, next time.Time, err error)
	SaveLetter(ctx context.Context, o pow.Outgoing, rumor pow.Hash) error
	Sent(ctx context.Context, o pow.Outgoing, now time.Time) error
	SendLater(ctx context.Context, o pow.Outgoing, until time.Time) error
	CataloguesDue(ctx context.Context, announcement pow.Hash, revision int) ([]pow.CatalogueDue, error)
	PostCatalogue(ctx context.Context, d pow.CatalogueDue, seals [][]byte, now time.Time) error
}

// House is for what happens by the clock.
type House interface {
	Changed(ctx context.Context) (int64, error)
	Silent(ctx context.Context, now time.Time, wait time.Duration) error
	Expired(ctx context.Context, now time.Time, n int) ([]pow.Hash, error)
	Erased(ctx context.Context, sealed pow.Hash) error
	Holds(ctx context.Context, sealed pow.Hash) (bool, error)
	Dismissals(ctx context.Context) ([]pow.Key, error)
	Dismissed(ctx context.Context, device pow.Key) error
	Prune(ctx context.Context, now time.Time) error
}
