package pow

import "time"

// PictureState is what becomes of a captured moment at the next Register.
type PictureState string

// The states of a picture in review.
const (
	PictureHeld     PictureState = "held"            // waits for review; goes out as it is
	PictureApproved PictureState = "approved"        // looked at
	PictureEdited   PictureState = "edited"          // goes out with areas covered, or cropped
	PictureRemoved  PictureState = "picture-removed" // stays here, its time goes out marked as without picture
	TimeRemoved     PictureState = "removed"         // neither picture nor time goes out
	PictureSkipped  PictureState = "skipped"         // was never taken; Reason says why
	PictureSealed   PictureState = "sealed"          // part of a proof; read only
)

// SkipReason is why no picture was taken at a moment that was due.
type SkipReason string

// The reasons of a skipped picture.
const (
	SkipApp       SkipReason = "excluded-app"
	SkipTitle     SkipReason = "excluded-title"
	SkipPrivate   SkipReason = "private-window"
	SkipOffRecord SkipReason = "off-record"
	SkipLocked    SkipReason = "screen-locked"
	SkipOwnWindow SkipReason = "own-window"
	SkipDisk      SkipReason = "disk-full"
	SkipDenied    SkipReason = "not-allowed"
	SkipFailed    SkipReason = "failed"
	SkipAway      SkipReason = "away"
)

// Picture is one cell of the review grid: a capture, or the row that says why
// there is none.
type Picture struct {
	CaptureInfo
	Session SessionID    `json:"session"`
	Project ProjectRef   `json:"project"`
	State   PictureState `json:"state"`
	Reason  SkipReason   `json:"reason,omitempty"`
	// Areas and Covered say what an edited picture lost: how many rectangles, and
	// their share of it in thousandths.
	Areas   int  `json:"areas,omitempty"`
	Covered int  `json:"covered_permille,omitempty"`
	Cropped bool `json:"cropped,omitempty"`
	// Window is where the active window lay when the picture was taken, in the
	// picture's pixels; empty when that is not known.
	Window Rect `json:"window,omitzero"`
	// Undo tells that an edit or removal can be taken back.
	Undo bool `json:"undo,omitempty"`
	// Damaged: its bytes cannot be read any more; it can only be removed.
	Damaged bool `json:"damaged,omitempty"`
	// SealsAt is when it is registered by itself; zero: never.
	SealsAt time.Time `json:"seals_at,omitzero"`
	// Delivery names the proof that it went into, from PictureSealed on.
	Delivery string `json:"delivery,omitempty"`
}

// Rect is an area of a picture, in its pixels.
type Rect struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Empty tells whether r covers nothing.
func (r Rect) Empty() bool { return r.W <= 0 || r.H <= 0 }

// EditKind is what an Edit does to a picture.
type EditKind string

// The edits. Redact and blur with an empty Rect concern the whole picture.
const (
	EditRedact EditKind = "redact" // solid, in the pixels
	EditBlur   EditKind = "blur"
	EditCrop   EditKind = "crop"
)

// Edit is one change of a picture; edits apply in order.
type Edit struct {
	Kind EditKind `json:"kind"`
	Rect Rect     `json:"rect"`
}

// EditRequest adds edits to held pictures. For EditCrop an empty Rect is the
// picture's own Window; pictures without one are left as they are.
type EditRequest struct {
	IDs   []string `json:"ids"`
	Edits []Edit   `json:"edits"`
}

// RemoveRequest takes pictures, or pictures and their time, out of what will be
// sent. DryRun only tells the effect.
type RemoveRequest struct {
	IDs      []string `json:"ids"`
	KeepTime bool     `json:"keep_time"`
	DryRun   bool     `json:"dry_run"`
}

// Effect is what an act does to the time, told before it is confirmed.
type Effect struct {
	Pictures int        `json:"pictures"`
	Lost     []Interval `json:"lost,omitempty"` // not claimed any more
	// Unverified stays claimed, without a picture.
	Unverified        []Interval `json:"unverified,omitempty"`
	LostSeconds       int64      `json:"lost_seconds"`
	UnverifiedSeconds int64      `json:"unverified_seconds"`
	// Confirm: the project asks for pictures, so the admin may have to confirm.
	Confirm bool `json:"confirm,omitempty"`
}

// PictureRequest asks for a picture at the size of a view. It comes as a PNG or
// JPEG that fits into MaxWidth by MaxHeight; 0 is the picture's own size.
type PictureRequest struct {
	ID        string `json:"id"`
	MaxWidth  int    `json:"max_width,omitempty"`
	MaxHeight int    `json:"max_height,omitempty"`
	// Original asks for it as it was before all edits.
	Original bool `json:"original,omitempty"`
}

// AppTime is one row of activity exactly as it would leave this computer.
type AppTime struct {
	ID      string     `json:"id"` // stable while nothing is registered
	Session SessionID  `json:"session"`
	Project ProjectRef `json:"project"`
	ActivityRow
	// LeftOut: the member took this row out; Rule names the exclusion that did.
	LeftOut bool   `json:"left_out,omitempty"`
	Rule    string `json:"rule,omitempty"`
	// Provisional rows may still change in ActivityWatch.
	Provisional bool `json:"provisional,omitempty"`
}

// LeaveOut takes rows of activity out, or back in: by their ids, or for good by
// app, or only an app's titles for good.
type LeaveOut struct {
	IDs    []string `json:"ids,omitempty"`
	App    string   `json:"app,omitempty"`
	Titles bool     `json:"titles,omitempty"` // with App: only its titles
	Back   bool     `json:"back,omitempty"`
}

// EntryEdit corrects an entry that is not registered. The end and the beginning
// can only be cut: time that nobody recorded cannot be added. The entry keeps
// what it said before (Entry.Was).
type EntryEdit struct {
	ID            string          `json:"id"`
	From          time.Time       `json:"from,omitzero"` // zero: as it is
	To            time.Time       `json:"to,omitzero"`
	Project       ProjectID       `json:"project,omitempty"`
	KimaiActivity KimaiActivityID `json:"kimai_activity,omitempty"`
	Note          *string         `json:"note,omitempty"`
}
