package pow

import (
	"io"
	"time"
)

// Capture is one picture of one display and its moment. Pixels are never on a
// disk in clear: Open hands out the plain bytes from wherever they rest encrypted.
type Capture struct {
	ID      string    `json:"id"` // ULID, unique on the device
	Session SessionID `json:"session"`
	At      time.Time `json:"at"`
	Display int       `json:"display"`
	Format  string    `json:"format"` // png or jpg
	Width   int       `json:"width"`  // pixels
	Height  int       `json:"height"`
	Size    int64     `json:"size"` // bytes of the plain picture
	Hash    Hash      `json:"hash"` // of the plain picture
	// Again holds later moments at which this display showed the very same
	// picture: it is not stored again, but counted.
	Again []time.Time `json:"again,omitempty"`
	// Areas and Covered say what the worker made unreadable in it: how many
	// rectangles, and their share of the picture in thousandths. Cropped: it shows
	// a part of the display only.
	Areas   int  `json:"areas,omitempty"`
	Covered int  `json:"covered_permille,omitempty"`
	Cropped bool `json:"cropped,omitempty"`
	// Window is where the active window lay, in the picture's pixels; empty when
	// that is not known. It never leaves the computer.
	Window Rect `json:"window,omitzero"`
	// Open reads the plain picture. The caller closes it.
	Open func() (io.ReadCloser, error) `json:"-"`
}

// Activity is what ActivityWatch reported for one interval. It is
// self-reported by a local service: it never decides whether time is proven.
type Activity struct {
	AsOf        time.Time     `json:"as_of"`           // when it was read
	Provisional bool          `json:"provisional"`     // the last minutes may still change there
	Cause       string        `json:"cause,omitempty"` // why there is nothing, or less: unavailable, unauthorized, no_bucket, no_afk, stale, inconsistent, off
	Active      time.Duration `json:"active"`          // Active + Away + Unknown = the interval's length
	Away        time.Duration `json:"away"`
	Unknown     time.Duration `json:"unknown"`
	Rows        []ActivityRow `json:"rows,omitempty"`
}

// ActivityRow is one stretch of use, in whole milliseconds.
type ActivityRow struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Kind     string    `json:"kind"` // window, web
	App      string    `json:"app,omitempty"`
	Title    string    `json:"title,omitempty"`
	Host     string    `json:"host,omitempty"` // web: host name of the page
	Category string    `json:"category,omitempty"`
}

// Proof is the captures and the activity of one interval of one Session.
type Proof struct {
	Session       SessionID
	Project       ProjectID
	KimaiActivity KimaiActivityID // may be empty
	Note          string          // the worker's own words, ≤ MaxNote runes
	Interval      Interval        // proven time, whole seconds
	Captures      []Capture       // in order of At
	Activity      Activity
	Dropped       int // captures that the worker took out
	Skipped       int // moments at which a picture was due and none was taken
	// Parts of Interval, disjoint and in order: Without is time that the worker kept
	// although its pictures were taken out, Kept was kept by the worker while away,
	// and ByHand belongs to an entry that was corrected (what it said before is
	// not told).
	Without []Interval
	Kept    []Interval
	ByHand  []Interval
	// Consent is the signed agreement under which the work was recorded, as it was
	// signed; empty when there is none.
	Consent []byte
}

// MaxNote bounds the worker's note, in runes.
const MaxNote = 500

// Statement is the signed description of a Proof. It travels inside the
// archive as a signed Nostr event that is never published; ID is that event's id.
type Statement struct {
	ID            Hash            `json:"id"`
	Author        Key             `json:"author"` // identity key, which signs
	Device        Key             `json:"device"`
	DVM           Key             `json:"dvm"`
	Session       SessionID       `json:"session"`
	Project       ProjectID       `json:"project"`
	KimaiActivity KimaiActivityID `json:"kimai_activity,omitempty"`
	Seq           uint64          `json:"seq"`  // per device: 1, 2, 3 … without gaps
	Prev          Hash            `json:"prev"` // Statement with Seq − 1 of this device; zero for 1
	Interval      Interval        `json:"interval"`
	Root          Hash            `json:"root"` // Merkle root over the salted leaves (RFC 6962)
	CreatedAt     time.Time       `json:"created_at"`
}

// Sealed is an encrypted archive, named by the SHA-256 of its bytes. The bytes
// are reached through Open, never held as a whole.
type Sealed struct {
	Hash      Hash                          `json:"hash"`
	Size      int64                         `json:"size"`    // bytes, a Padmé size
	Archive   int                           `json:"archive"` // format version
	Alg       string                        `json:"alg"`
	Recipient string                        `json:"recipient"` // Recipient.ID that it is sealed to
	Open      func() (io.ReadCloser, error) `json:"-"`
}

// ArchiveVersion is the archive format that this program writes.
const ArchiveVersion = 1

// MaxSealed is the largest Sealed that any part of pow.do handles, in bytes.
const MaxSealed = 64 << 20

// Opened is what the DVM learns by opening a Sealed: the Statement, checked
// against its signature, and the Proof, every byte of it checked against the
// Statement's root. Captures carry no Open: pictures stay sealed.
type Opened struct {
	Statement Statement
	Proof     Proof
	App       string // program and version that sealed it
}
