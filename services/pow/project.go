package pow

import (
	"encoding/json"
	"time"
)

// Project is what time is spent on. Its ID is opaque; its name travels only
// inside gift wraps and rests only encrypted. JSON as in the catalogue
// (protocol §2.3).
type Project struct {
	ID              ProjectID       `json:"id"`
	Name            string          `json:"name"`
	Group           string          `json:"group,omitempty"` // usually the customer
	Color           string          `json:"color,omitempty"` // #rrggbb
	KimaiActivities []KimaiActivity `json:"acts,omitempty"`
	ActivityRule    Rule            `json:"act,omitempty"`       // whether a Notice must name a KimaiActivity
	Pictures        Rule            `json:"capture,omitempty"`   // captures of the screen
	Interval        int             `json:"interval,omitempty"`  // target seconds between captures, 60…3600
	Detail          Detail          `json:"detail,omitempty"`    // most detailed activity data that may leave the device
	Retention       int             `json:"retention,omitempty"` // days that the DVM keeps the Sealed
}

// KimaiActivity is a kind of work inside a project. In JSON it is a pair: ["id","name"].
type KimaiActivity struct {
	ID   KimaiActivityID
	Name string
}

// Rule says whether something is demanded, left to the member, or not wanted.
type Rule string

// The rules of protocol §2.3. "none" is used for KimaiActivities, "forbidden" for pictures.
const (
	Required  Rule = "required"
	Optional  Rule = "optional"
	Forbidden Rule = "forbidden"
	None      Rule = "none"
)

// Detail is the level of activity data that may leave a device (activitywatch §8).
type Detail string

// Levels of detail, each including less than the next.
const (
	DetailOff      Detail = "off"
	DetailCategory Detail = "category"
	DetailApp      Detail = "app"
	DetailTitle    Detail = "title"
)

// Limits are what the DVM announces (protocol §2.2).
type Limits struct {
	Sealed  int64         // largest Sealed, bytes
	Proof   time.Duration // longest Proof
	Silence time.Duration // a session without a proof for so long is closed
	Late    time.Duration // a proof older than this at arrival is parked
}

// DefaultLimits are announced unless the admin says otherwise.
var DefaultLimits = Limits{Sealed: 16 << 20, Proof: time.Hour, Silence: 15 * time.Minute, Late: 7 * 24 * time.Hour}

// MaxAhead is how far into the future a proof may reach at arrival (protocol §4.3).
const MaxAhead = 600 * time.Second

// Catalogue is what a member may book, in one revision (protocol §2.3).
type Catalogue struct {
	Revision     int       `json:"rev"`
	MemberID     OpaqueID  `json:"member_id"`
	MemberName   string    `json:"member_name"`
	MemberState  string    `json:"member_state"` // active, suspended, removed
	Announcement Hash      `json:"ann_id"`
	AnnRevision  int       `json:"ann_rev"`
	Devices      []Device  `json:"devices"`
	Projects     []Project `json:"projects"`
}

// Device is one of a member's devices as the DVM lists it.
type Device struct {
	Key   Key    `json:"key"`
	Name  string `json:"name"`
	State string `json:"state"` // active, removed
}

// Announcement is what the DVM says about itself in its kind 31990 event (protocol §2.2).
type Announcement struct {
	ID         Hash        `json:"id"`
	DVM        Key         `json:"dvm"`
	Name       string      `json:"name"`
	About      string      `json:"about,omitempty"`
	Revision   int         `json:"rev"`
	Recipients []Recipient `json:"recipients"`
	Relays     []string    `json:"relays"`
	Blossom    []string    `json:"blossom"`
	Copies     int         `json:"copies"`
	Limits     Limits      `json:"limits"`
	PolicyHash Hash        `json:"policy_hash"`
	PolicyText string      `json:"policy_text"`
	PolicyLang string      `json:"policy_lang"`
}

// Recipient is one public archive key of the DVM.
type Recipient struct {
	ID        string    `json:"id"`  // first 16 hex of sha256 over Key (age), or over the binary key (OpenPGP)
	Alg       string    `json:"alg"` // age-pq, age-x25519, openpgp
	Key       string    `json:"key"` // age recipient string, or the armored OpenPGP key
	NotBefore time.Time `json:"nbf"`
	Expires   time.Time `json:"exp"` // zero: never
}

// The archive encryptions of protocol §2.2.
const (
	AgePQ     = "age-pq"
	AgeX25519 = "age-x25519"
	OpenPGP   = "openpgp"
)

// Usable returns the first recipient that is valid at now and whose algorithm
// is in algs (nil: any). ok is false when the DVM's archive keys are out of date.
func (a Announcement) Usable(now time.Time, algs []string) (r Recipient, ok bool) {
	for _, r := range a.Recipients {
		if now.Before(r.NotBefore) || (!r.Expires.IsZero() && !now.Before(r.Expires)) {
			continue
		}
		if algs == nil {
			return r, true
		}
		for _, alg := range algs {
			if alg == r.Alg {
				return r, true
			}
		}
	}
	return Recipient{}, false
}

// MarshalJSON writes ["id","name"].
func (a KimaiActivity) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]string{string(a.ID), a.Name})
}

// UnmarshalJSON reads ["id","name"].
func (a *KimaiActivity) UnmarshalJSON(b []byte) error {
	var p [2]string
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	id, err := ParseOpaqueID(p[0])
	a.ID, a.Name = id, p[1]
	return err
}
