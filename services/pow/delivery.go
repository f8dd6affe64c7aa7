package pow

import "time"

// State is where a Proof is on its way (protocol §4.5).
type State string

// The states in order. Attention can follow any of them; nothing is deleted in it.
const (
	Queued    State = "queued"    // closed; seq and prev not taken yet
	Sealing   State = "sealed"    // Statement signed, Sealed on disk
	Uploaded  State = "uploaded"  // enough Blossom servers hold it; rumor and seal made
	Relayed   State = "relayed"   // at least one relay said OK
	Received  State = "received"  // the DVM has the Notice
	Accepted  State = "accepted"  // the DVM verified it; local captures erased
	Booked    State = "booked"    // in the timesheet
	Attention State = "attention" // a person is needed
)

// States lists every state in order, for counting and for screens.
var States = []State{Queued, Sealing, Uploaded, Relayed, Received, Accepted, Booked, Attention}

// Delivery is one Proof on its way from the queue to the DVM's Receipt: what is
// stored on the client before each step. JSON adds fields to cli.md's outbox.
type Delivery struct {
	ID            string          `json:"id"` // ULID
	Session       SessionID       `json:"session"`
	Project       ProjectID       `json:"project"`
	KimaiActivity KimaiActivityID `json:"kimai_activity,omitempty"`
	Interval      Interval        `json:"interval"`
	Action        Action          `json:"action"`
	Captures      int             `json:"captures"`
	CaptureIDs    []string        `json:"capture_ids,omitempty"` // in the queue until the Proof's life ends
	// Without is the part of Interval whose pictures were taken out.
	Without []Interval `json:"without,omitempty"`
	State   State      `json:"state"`

	// Sealed and after.
	Statement *Statement `json:"statement,omitempty"`
	Sealed    *Sealed    `json:"sealed,omitempty"`
	Resealed  int        `json:"resealed,omitempty"` // how often it was sealed again
	// SealedHashes holds every Sealed of the Statement: a Receipt may name an
	// earlier one than the last.
	SealedHashes []Hash `json:"sealed_hashes,omitempty"`

	// Uploaded and after. Rumor and seal are made once per Notice.
	Servers   []Place `json:"servers,omitempty"`
	Notice    *Notice `json:"notice,omitempty"`
	SealEvent []byte  `json:"seal_event,omitempty"` // kind 13, opaque here
	NoticeIDs []Hash  `json:"notice_ids,omitempty"` // all ever issued; a Receipt may answer any

	// Relayed and after.
	Letter  *Letter   `json:"letter,omitempty"`
	Relays  []Place   `json:"relays,omitempty"`
	FirstOK time.Time `json:"first_ok,omitzero"`
	LastOK  time.Time `json:"last_ok,omitzero"`
	Wrapped time.Time `json:"wrapped,omitzero"` // of the newest Letter

	Attempts  int       `json:"attempts"`
	Next      time.Time `json:"next_attempt,omitzero"`
	LastError *Fault    `json:"last_error,omitempty"`
	Receipt   *Receipt  `json:"receipt,omitempty"` // highest so far
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	// Hurry is set when a person pressed Register: no random pause.
	Hurry bool `json:"hurry,omitempty"`
	// Steps holds when each State was first reached.
	Steps map[State]time.Time `json:"steps,omitempty"`
}

// Fault is a stored error: a stable code and a line for people. Text of a
// foreign server is cut and cleaned before it gets here.
type Fault struct {
	Code Code      `json:"code"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// Place is one relay or Blossom server of one Delivery; each is tried on its own.
type Place struct {
	URL      string     `json:"url"`
	State    PlaceState `json:"state"`
	Attempts int        `json:"attempts"`
	Next     time.Time  `json:"next_attempt,omitzero"`
	Answer   string     `json:"answer,omitempty"` // its last answer, cut and cleaned
	At       time.Time  `json:"at,omitzero"`
	// Letter is the wrap that this relay was given last.
	Letter Hash `json:"letter,omitzero"`
	// Rewrapped tells that an invalid: was already answered with a new wrap.
	Rewrapped bool `json:"rewrapped,omitempty"`
}

// PlaceState is what a relay or server made of a Delivery.
type PlaceState string

// The states of protocol §8.
const (
	PlaceTodo    PlaceState = "todo"
	PlaceDone    PlaceState = "done"
	PlaceWait    PlaceState = "wait"    // tried, will be tried again at Next
	PlacePaused  PlaceState = "paused"  // not admitted there; hourly
	PlaceRefused PlaceState = "refused" // final for this Sealed or Letter
)

// rank orders the states that only a Receipt may move forward.
func (s State) rank() int {
	for i, t := range States {
		if s == t {
			return i
		}
	}
	return -1
}

// Before tells whether s comes earlier on the way than t.
func (s State) Before(t State) bool { return s.rank() < t.rank() }

// Settled tells whether nothing more is to be done for it.
func (s State) Settled() bool { return s == Booked || s == Attention }

// Answer is a relay's OK to an event: whether it is stored there, and
// otherwise why not, by the machine-readable prefix of NIP-01 (without colon).
type Answer struct {
	OK     bool   `json:"ok"`
	Prefix string `json:"prefix,omitempty"` // duplicate, blocked, restricted, rate-limited, invalid, pow, error, auth-required, …
	Text   string `json:"text,omitempty"`   // cut and cleaned, for people
}

// PlaceError is a Blossom server's refusal in the terms of protocol §8: what
// the outbox is to make of it. State is wait, paused or refused; Code is one of
// server-error, not-admitted, refused, conflict (409), too-large (413),
// payment (402), clock (401), bad-descriptor, offline, unknown-result.
type PlaceError struct {
	State  PlaceState
	Code   Code
	Wait   time.Duration // asked for by the server; 0: the caller's own back-off
	Answer string        // cut and cleaned, for people
	Err    error
}

// Error returns the code and the server's own words.
func (e *PlaceError) Error() string {
	if e.Answer == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Answer
}

// Unwrap returns the cause.
func (e *PlaceError) Unwrap() error { return e.Err }
