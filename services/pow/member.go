package pow

import "time"

// Member is a person the DVM knows, by the identity key that signs their Statements.
type Member struct {
	ID        OpaqueID    `json:"id"`
	Identity  Key         `json:"identity"`
	Name      string      `json:"name"`
	State     string      `json:"state"` // active, suspended, removed, pending
	KimaiUser int64       `json:"kimai_user,omitempty"`
	Projects  []ProjectID `json:"projects,omitempty"` // nil: every project
	Devices   []Device    `json:"devices,omitempty"`
	Joined    time.Time   `json:"joined"`
}

// May tells whether the member may book the project.
func (m Member) May(p ProjectID) bool {
	if m.Projects == nil {
		return true
	}
	for _, q := range m.Projects {
		if q == p {
			return true
		}
	}
	return false
}

// Device returns the member's device with this key.
func (m Member) Device(k Key) (Device, bool) {
	for _, d := range m.Devices {
		if d.Key == k {
			return d, true
		}
	}
	return Device{}, false
}

// BookableProject is a Project as the DVM keeps it: with what it is called in
// the timesheet system.
type BookableProject struct {
	Project
	Active     bool                      `json:"active"`
	Kimai      int64                     `json:"kimai_project,omitempty"` // 0: not mapped
	KimaiWork  map[KimaiActivityID]int64 `json:"kimai_activities,omitempty"`
	KimaiOther int64                     `json:"kimai_activity,omitempty"` // booked when a proof names none
}

// Slot is an open invitation at the DVM: the secret of the link is stored as a hash only.
type Slot struct {
	Claim     Hash        `json:"claim"` // sha256 of the claim's 43 characters
	Name      string      `json:"name"`
	KimaiUser int64       `json:"kimai_user,omitempty"`
	Projects  []ProjectID `json:"projects,omitempty"`
	Identity  Key         `json:"identity,omitzero"` // the only identity that may use it
	Expires   time.Time   `json:"expires"`
}

// Checks are the verdicts on one proof, each "ok", "-" (not looked at), or a short reason.
type Checks struct {
	Signature string `json:"signature"`
	Chain     string `json:"chain"`
	Hashes    string `json:"hashes"`
	Window    string `json:"window"`
	Policy    string `json:"policy"`
	// Consent: ok, none, invalid, other (member, DVM or project), less (than is
	// demanded by now). It never decides whether time is proven.
	Consent string `json:"consent"`
}

// ProofReport is one line of `powdo-server proofs --json`.
type ProofReport struct {
	ID             int64      `json:"id"`
	Session        SessionID  `json:"session"`
	Seq            uint64     `json:"seq"`
	MemberNpub     string     `json:"member_npub"`
	Project        ProjectRef `json:"project"`
	From           time.Time  `json:"from"`
	To             time.Time  `json:"to"`
	ReceivedAt     time.Time  `json:"received_at"`
	Sealed         Hash       `json:"sealed_sha256"`
	Root           Hash       `json:"root"`
	Captures       int        `json:"captures"`
	ActivityEvents int        `json:"activity_events"`
	Checks         Checks     `json:"checks"`
	State          string     `json:"state"` // accepted, quarantined, rejected
	Code           Code       `json:"code"`
	Reason         string     `json:"reason,omitempty"`
	// Marks: kept, by-hand, edited, without-picture, overlap, repeated, …
	Marks []string `json:"marks,omitempty"`
}

// SessionReport is one line of `powdo-server sessions --json`.
type SessionReport struct {
	Session   SessionID  `json:"session"`
	Member    MemberRef  `json:"member"`
	Project   ProjectRef `json:"project"`
	Begin     time.Time  `json:"begin"`
	End       time.Time  `json:"end"`
	Proven    int64      `json:"proven_seconds"`
	Intervals []Interval `json:"intervals"`
	Proofs    int        `json:"proofs"`
	State     string     `json:"state"` // open, closed
	Booking   Booking    `json:"booking"`
}

// MemberRef names a member in a report.
type MemberRef struct {
	Npub string `json:"npub"`
	Name string `json:"name"`
}

// Quarantined is a Letter that could not be processed and waits for a person.
type Quarantined struct {
	ID       int64     `json:"id"`
	Letter   Hash      `json:"letter"`
	Step     string    `json:"step"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	At       time.Time `json:"at"`
}

// Admin is a person who may look at evidence.
type Admin struct {
	Name     string    `json:"name"`
	Identity Key       `json:"identity,omitzero"` // of their Nostr key, where they sign in with one
	Since    time.Time `json:"since"`
}

// Look is one entry of the log of who saw or decided what.
type Look struct {
	At     time.Time `json:"at"`
	Admin  string    `json:"admin"`
	Act    string    `json:"act"`    // signed-in, day, proof, picture, approved, refused, retried, dropped, export
	Target string    `json:"target"` // a member, session or proof
}
