package pow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"
)

// Run is an uninterrupted stretch of a Session: proven intervals that touch or
// lie at most a minute apart. Each Run is one record in the timesheet, because a
// record cannot have a hole and unproven time is never booked.
type Run struct {
	Number   int      // from 1; hashed into the marker
	Interval Interval // zero: a late proof joined it to an earlier Run, nothing is left for it
	// Pinned is set once a record was asked for under this number. A pinned Run
	// keeps its number for ever, so that its marker is found again.
	Pinned bool
}

// SessionFacts is all that decides a Session's time. The order of the slices
// does not matter, nor does a fact that is there twice.
type SessionFacts struct {
	Proven []Interval    // of accepted Proofs
	Held   []Interval    // of accepted Proofs that a person has to approve before they are booked
	Taken  []Interval    // counted already in the member's earlier Sessions: nobody works twice at a time
	Stops  []time.Time   // moments at which the member stopped the timer
	Runs   []Run         // as computed last; only pinned ones matter
	Now    time.Time     // the moment of judging
	Wait   time.Duration // silence after which a Session is closed
}

// SessionTime is what the meter makes of SessionFacts.
type SessionTime struct {
	Intervals []Interval    // union of Proven and Held without Taken, in order
	Begin     time.Time     // of the first interval, taken or not; zero without any
	End       time.Time     // of the last interval: a Session is closed at its last proven instant
	Proven    time.Duration // length of Intervals
	Open      bool          // more may come: not stopped, and silent for less than Wait
	TooLong   bool          // more proven time than one Session may have
	Runs      []Run         // of Proven only, in order of Number
}

// Timesheet is one Run as the timesheet system is to show it. It is a state,
// not an event: the newest Want replaces every earlier one.
type Timesheet struct {
	Session       SessionID
	Run           int
	Identity      Key // of the member
	MemberName    string
	Project       ProjectRef
	KimaiUser     int64
	KimaiProject  int64
	KimaiActivity int64
	Want          Interval // UTC, whole seconds; not Valid: nothing is left for this Run
	Open          bool     // the Session may still grow
	Note          string   // the member's words for the description; may be empty
	Marker        string   // powdo-<16 hex>, without brackets; see Marker
	Last          TimesheetRecord
	// Controls are records of other Runs known to be booked, newest first: a
	// search that does not find them does not work (positive control).
	Controls []TimesheetControl
}

// TimesheetControl names a booked record for the positive control.
type TimesheetControl struct {
	ID        int64
	KimaiUser int64
	Marker    string
}

// TimesheetState is how far the record of a Run has come.
type TimesheetState string

// The states of a record. A request is preceded by a stored TimesheetIntended
// and followed by a stored result.
const (
	TimesheetNone     TimesheetState = ""
	TimesheetIntended TimesheetState = "intended" // a create was, or may have been, sent; its result is unknown
	TimesheetBooked   TimesheetState = "booked"
	TimesheetParked   TimesheetState = "parked" // a person decides, see Reason
)

// TimesheetRecord is what is stored about the record of a Run: before each
// request what will be sent, after it what came back.
type TimesheetRecord struct {
	State       TimesheetState
	Reason      ParkReason    // with TimesheetParked
	Detail      string        // for the admin: a foreign server's text, cut and cleaned; never in a Receipt
	ID          int64         // of the record; 0: none known
	Sent        Interval      // what was asked for last; may be clipped against neighbours
	Got         Interval      // what came back
	GotDuration time.Duration // as computed there
	Rounded     bool          // Got differs from Sent within the tolerance
	DayFix      int           // step reached in repairing the record's calendar day; 0: nothing to do or done
	Again       time.Time     // parked, but to be tried again by itself at this time; zero: not by itself
	Updated     time.Time
}

// ParkReason says why verified time is not booked.
type ParkReason string

// Reasons from the timesheet system.
const (
	ParkOverlap        ParkReason = "overlap"         // another record covers the time
	ParkOwnTimer       ParkReason = "own-timer"       // the member's own timer runs there
	ParkAbsorbed       ParkReason = "absorbed"        // a neighbour's rounding covers all of it so far
	ParkLocked         ParkReason = "locked"          // the period is closed
	ParkExported       ParkReason = "exported"        // already invoiced
	ParkUserUnmapped   ParkReason = "user-unmapped"   // the member has no usable user there
	ParkProjectUnknown ParkReason = "project-unknown" // project or kind of work is not mapped or not listed
	ParkProjectClosed  ParkReason = "project-closed"  // hidden there
	ParkRefused        ParkReason = "refused"         // a rule of the server says no
	ParkChanged        ParkReason = "changed"         // a person edited the record
	ParkDeleted        ParkReason = "deleted"         // a person removed the record; never made again
	ParkDuplicate      ParkReason = "duplicate"       // two records carry the marker
	ParkUncertain      ParkReason = "uncertain"       // cannot tell whether a record was made
	ParkMismatch       ParkReason = "mismatch"        // times came back beyond the tolerance
	ParkJoined         ParkReason = "joined"          // joined to an earlier run, the rest must be removed by hand
	ParkDefect         ParkReason = "defect"          // an answer that must not happen
)

// Reasons from the DVM's own checks.
const (
	ParkLate            ParkReason = "late"
	ParkCapturesMissing ParkReason = "captures-missing"
	ParkChainGap        ParkReason = "chain-gap"
	ParkNeedsApproval   ParkReason = "needs-approval"
)

// Receipt returns the word that a Receipt says for the reason (protocol §4.3).
func (r ParkReason) Receipt() string {
	switch r {
	case ParkOwnTimer, ParkAbsorbed:
		return string(ParkOverlap)
	case ParkRefused, ParkChanged, ParkDeleted, ParkDuplicate, ParkUncertain, ParkMismatch, ParkJoined, ParkDefect:
		return "booking-refused"
	}
	return string(r)
}

// Marker returns powdo-<16 hex>, by which the record of a run is found again:
// the first 8 bytes of SHA-256 over "powdo-kimai-1", the identity key, the
// Session id and the run's number in decimal, each preceded by its length in 4
// bytes, big endian. It says nothing to whoever reads it and never changes.
func Marker(identity Key, session SessionID, run int) string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte("powdo-kimai-1"), identity[:], []byte(session), []byte(strconv.Itoa(run))} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return "powdo-" + hex.EncodeToString(h.Sum(nil)[:8])
}
