package pow

import "time"

// Action is what a Notice does to its Session.
type Action string

// The actions of protocol §4.1.
const (
	ActionStart  Action = "start"
	ActionExtend Action = "extend"
	ActionStop   Action = "stop"
)

// Notice says where a Sealed lies, for whom, and which Session and seq it
// belongs to. It never leaves a gift wrap. A Notice without a Sealed hash is a
// hint: it proves no time and gets no Receipt.
type Notice struct {
	ID            Hash            `json:"id"`     // rumor id
	Author        Key             `json:"author"` // identity key of the seal
	CreatedAt     time.Time       `json:"created_at"`
	DVM           Key             `json:"dvm"`
	Sealed        Hash            `json:"sealed"`
	Size          int64           `json:"size"`
	Archive       int             `json:"archive"`
	Alg           string          `json:"alg"`
	Recipient     string          `json:"recipient"`
	Servers       []string        `json:"servers"` // origins, order of upload
	Statement     Hash            `json:"statement"`
	Action        Action          `json:"action"`
	Device        Key             `json:"device"`
	Project       ProjectID       `json:"project"`
	KimaiActivity KimaiActivityID `json:"kimai_activity,omitempty"`
	Session       SessionID       `json:"session"`
	Seq           uint64          `json:"seq"`
	Prev          Hash            `json:"prev"`
	Interval      Interval        `json:"interval"`
	Catalogue     int             `json:"catalogue"` // revision in use, 0 = none
	At            time.Time       `json:"at"`        // hints: moment of start or stop
}

// IsHint tells whether n carries no Proof.
func (n Notice) IsHint() bool { return n.Sealed.IsZero() }

// Equal checks everything in n that also stands in the Statement: the
// Statement is the signed truth, the Notice is routing (protocol §4.1). It
// returns the name of the first field that differs, or "".
func (n Notice) Equal(s Statement) (differs string) {
	switch {
	case n.Author != s.Author:
		return "identity"
	case n.Statement != s.ID:
		return "statement"
	case n.DVM != s.DVM:
		return "dvm"
	case n.Device != s.Device:
		return "device"
	case n.Project != s.Project:
		return "project"
	case n.KimaiActivity != s.KimaiActivity:
		return "activity"
	case n.Session != s.Session:
		return "session"
	case n.Seq != s.Seq:
		return "seq"
	case n.Prev != s.Prev:
		return "prev"
	case !n.Interval.From.Equal(s.Interval.From):
		return "from"
	case !n.Interval.To.Equal(s.Interval.To):
		return "to"
	}
	return ""
}

// Letter is a gift wrap (NIP-59), opaque: its event id and the bytes as they
// are sent to a relay. It is disposable; the rumor and seal inside are not.
type Letter struct {
	ID   Hash      `json:"id"`
	JSON []byte    `json:"json"`
	Made time.Time `json:"made"` // own clock; not the back-dated created_at
}

// Account is a member's request about its own account: enrol, catalogue,
// status, remove-device, leave (rumor kind 5941, protocol §3.5).
type Account struct {
	ID        Hash
	Author    Key
	CreatedAt time.Time
	DVM       Key
	Action    string
	Device    Key
	Ann       int       // announcement revision in use
	Session   SessionID // status
	Target    Key       // remove-device
	Claim     string    // enrol: 43 characters, or empty
	Name      string    // enrol: device name chosen by the user
	Policy    Hash      // enrol: hash of the policy text that was accepted
	App       string
	// Bound is true when the device's own signature over this identity and DVM
	// was found and holds.
	Bound bool
}

// Mail is what was found inside a Letter after every check of the unwrap
// checklist (protocol §5.3): exactly one of Notice, Account, Receipt and Part is
// set, or Bad says why an authentic rumor of a known kind is malformed.
type Mail struct {
	Wrap      Hash      // event id of the Letter
	WrapTime  time.Time // its back-dated created_at
	Rumor     Hash
	Author    Key // verified key of the seal = of the rumor
	CreatedAt time.Time
	SealEvent []byte // kind 13, kept as evidence
	Notice    *Notice
	Account   *Account
	Receipt   *Receipt
	Part      *CataloguePart
	Bad       string
	// Device is where to answer, as far as a malformed rumor names one.
	Device Key
}

// CataloguePart is one rumor of a catalogue revision; parts are counted from 1.
type CataloguePart struct {
	Revision int    `json:"rev"`
	Part     int    `json:"part"`
	Parts    int    `json:"parts"`
	Content  []byte `json:"content"` // JSON (protocol §2.3)
}
