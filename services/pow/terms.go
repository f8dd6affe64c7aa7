package pow

import "time"

// Consent is where the agreement to a project's terms stands.
type Consent string

// The states of a consent.
const (
	ConsentNeeded    Consent = "needed"    // never agreed: no timer, no capture
	ConsentGiven     Consent = "given"     // agreed to what holds now
	ConsentChanged   Consent = "changed"   // the terms ask for more since: no capture until agreed
	ConsentWithdrawn Consent = "withdrawn" // taken back by the member
)

// Terms is what one project asks of a member, what the member chose inside
// that, and what was agreed to.
type Terms struct {
	Project  Project `json:"project"`
	Team     string  `json:"team"`
	DVMNpub  string  `json:"dvm_npub"`
	Policy   string  `json:"policy,omitempty"` // the team's policy text
	Language string  `json:"policy_lang,omitempty"`
	Hash     Hash    `json:"hash"` // of everything that is agreed to: what Agree signs
	Consent  Consent `json:"consent"`
	// AgreedAt and Agreed are the last agreement, when there is one.
	AgreedAt time.Time `json:"agreed_at,omitzero"`
	Agreed   *Project  `json:"agreed,omitempty"`
	// PolicyChanged: the policy text is another one than the agreed.
	PolicyChanged bool          `json:"policy_changed,omitempty"`
	Choice        ProjectChoice `json:"choice"`
	Relays        []string      `json:"relays"`
	Blossom       []string      `json:"blossom"`
}

// ProjectChoice is what the member decides for one project, inside its terms.
type ProjectChoice struct {
	Project ProjectID `json:"project"`
	// Pictures of a project where they are optional: taken or not.
	Pictures bool `json:"pictures"`
	// Interval in seconds between pictures, not longer than the project asks; 0:
	// the project's own.
	Interval int `json:"interval,omitempty"`
	// Detail is the most that leaves, never more than the project asks.
	Detail Detail `json:"detail"`
	// ShowTimer sends the start and stop of the timer to the team at once.
	ShowTimer bool `json:"show_timer,omitempty"`
	// SealAfter registers held work by itself after so many seconds; 0: never.
	SealAfter int `json:"seal_after_seconds,omitempty"`
}

// AgreeRequest signs the consent to a project's terms. Hash is what the person
// has seen: when the terms are others by then, nothing is signed.
type AgreeRequest struct {
	Project ProjectID     `json:"project"`
	Hash    Hash          `json:"hash"`
	Choice  ProjectChoice `json:"choice"`
}
