package pow

import "time"

// Task is a Notice that the DVM has stored and still has to work on.
type Task struct {
	ID       int64
	Notice   Notice
	Member   OpaqueID
	Arrived  time.Time
	Attempts int // failures of its own; outages do not count
	Waits    int // outages, and rounds in which no server had the blob
}

// Taken tells what became of a Letter.
type Taken struct {
	// Accepted: the Proof was accepted before; its blob is not needed again.
	Accepted bool
	// Work: there is a Task for the device.
	Work bool
}

// Evidence is an accepted Proof with everything that is recorded about it in
// one step.
type Evidence struct {
	Task    Task
	Opened  Opened
	Checks  Checks
	Marks   []string    // shown in reports: overlap, repeated, detail, …
	Hold    ParkReason  // not booked until a person approves; may be empty
	Until   time.Time   // end of the retention of the Sealed
	Time    SessionTime // of the Session with this Proof
	Receipt Receipt     // to be sent at Send unless a higher one follows before
	Send    time.Time
	Now     time.Time
}

// SessionWork is all that is needed to bring a Session into the timesheet.
type SessionWork struct {
	Session       SessionID
	Version       int64 // changes with every new fact; 0: the Session is new
	Member        Member
	Device        Key
	Project       BookableProject // ID only when the DVM does not know it
	Known         bool            // the DVM knows the project
	KimaiActivity KimaiActivityID
	Note          string
	Approved      bool // a person approved what was held
	Facts         SessionFacts
	Runs          map[int]RunRecord
	Proofs        []ProofAnswer // that are not known to be booked on their device
	Attempts      int
}

// RunRecord is what is stored about a Run besides its numbers.
type RunRecord struct {
	Row    int64    // of the ledger, the timesheet's id where the ledger is the timesheet
	Done   Interval // what the timesheet shows, as wanted then
	Record TimesheetRecord
}

// ProofAnswer is an accepted Proof and what its device was told last.
type ProofAnswer struct {
	Notice   Hash // newest rumor id
	Device   Key
	Sealed   Hash
	Seq      uint64
	Interval Interval
	Hold     ParkReason
	Code     Code
	Reason   string
}

// SessionDue is a Session to be booked. Sessions of one Queue are booked one
// after the other: they write to the same user's timesheet.
type SessionDue struct {
	Session SessionID
	Queue   string
}

// Settlement ends one round of booking a Session: what its devices are told and
// when to look at it again (zero: not before a new fact).
type Settlement struct {
	Session  SessionID
	Version  int64
	Booking  Booking
	Answers  []Receipt
	Again    time.Time
	Attempts int
	Now      time.Time
}

// Outgoing is something for a device: a Receipt not yet sealed, or a sealed
// event to be wrapped.
type Outgoing struct {
	ID       int64
	Version  int64 // changes when something newer takes its place
	Device   Key
	Receipt  Receipt // meaningless when Seal is set
	Seal     []byte  // kind 13, opaque here
	Letter   Letter  // the wrap that was tried last; zero: none yet
	Attempts int
}

// Enrolment is what decides on an enrol request besides the request itself.
type Enrolment struct {
	NewID   OpaqueID // for a member who is new
	Policy  Hash     // of the current policy text; zero: none to accept
	Knock   bool     // strangers without a claim may ask
	Confirm bool     // an admin confirms every new member
	Now     time.Time
}

// CatalogueDue is a catalogue that a device has not been sent yet.
type CatalogueDue struct {
	Device    Key
	Catalogue Catalogue // without the announcement
}

// Reply makes the Receipt that answers n, without session time and booking.
func (n Notice) Reply(code Code, now time.Time) Receipt {
	return Receipt{DVM: n.DVM, Device: n.Device, CreatedAt: now, Answers: n.ID,
		Sealed: n.Sealed, Session: n.Session, Seq: n.Seq, Code: code}
}

// Reply makes the Receipt that answers a.
func (a Account) Reply(code Code, now time.Time) Receipt {
	return Receipt{DVM: a.DVM, Device: a.Device, CreatedAt: now, Answers: a.ID, Session: a.Session, Code: code}
}
