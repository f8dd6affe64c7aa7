package pow

import "time"

// TimerState is what the timer does.
type TimerState string

// The timer's states. Idle and paused come with reasons.
const (
	Stopped  TimerState = "stopped"
	Tracking TimerState = "tracking"
	Paused   TimerState = "paused"
	Idle     TimerState = "idle"
)

// Status is what the agent is doing: the document of `powdo status --json` and
// all that the window needs for its first look.
type Status struct {
	Timer         TimerStatus   `json:"timer"`
	TodaySeconds  int64         `json:"today_seconds"`
	WeekSeconds   int64         `json:"week_seconds"`
	Held          int           `json:"held"`         // captures that wait for Register
	HeldSeconds   int64         `json:"held_seconds"` // time that waits for Register
	Outbox        map[State]int `json:"outbox"`
	LastReceipt   *LastReceipt  `json:"last_receipt"`
	Relays        []Connection  `json:"relays"`
	ActivityWatch string        `json:"activitywatch"` // ok, absent, locked, off
	LastCapture   *CaptureInfo  `json:"last_capture"`
	Setup         Setup         `json:"setup"`
	Team          string        `json:"team,omitempty"` // the DVM's name
	// Away lists what waits for the person's answer, oldest first.
	Away []AwayQuestion `json:"away,omitempty"`
	// Slot is the span in which the next picture falls; its moment is told to nobody.
	Slot     *Interval `json:"picture_slot,omitempty"`
	Tray     bool      `json:"tray,omitempty"` // there is a status icon
	Warnings []Fault   `json:"warnings,omitempty"`
	// Open is the page that the window is asked to show, in one document only: by
	// the tray, a notification or a second start. "front" only raises the window.
	Open    string `json:"open,omitempty"`
	Version string `json:"version"`
	Pid     int    `json:"pid"`
}

// TimerStatus is the timer's part of Status.
type TimerStatus struct {
	State   TimerState  `json:"state"`
	Reason  string      `json:"reason,omitempty"` // paused: user, off-record, screen-locked, asleep, restarted
	Until   time.Time   `json:"until,omitzero"`   // off the record until then
	Project *ProjectRef `json:"project"`
	Session SessionID   `json:"session,omitempty"`
	Since   time.Time   `json:"since,omitzero"`
	Elapsed int64       `json:"elapsed_seconds"`
	Note    string      `json:"note,omitempty"`
}

// ProjectRef names a project on a screen.
type ProjectRef struct {
	ID    ProjectID `json:"id"`
	Name  string    `json:"name"`
	Group string    `json:"group,omitempty"`
	Color string    `json:"color,omitempty"`
}

// LastReceipt is the newest answer of the DVM.
type LastReceipt struct {
	At   time.Time `json:"at"`
	Code Code      `json:"code"`
}

// Connection is the state of one relay: online, offline, connecting, refused.
type Connection struct {
	URL   string `json:"url"`
	State string `json:"state"`
	Error string `json:"error,omitempty"`
}

// CaptureInfo describes a held capture to a screen.
type CaptureInfo struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Display int       `json:"display"`
	Width   int       `json:"width"`
	Height  int       `json:"height"`
	Size    int64     `json:"size"`
	Format  string    `json:"format"`
	Again   int       `json:"again"` // how often the same picture was seen since
}

// Setup is how far the first run has come.
type Setup struct {
	Key        bool   `json:"key"`             // there is an identity key
	Locked     bool   `json:"locked"`          // it needs a passphrase
	Team       bool   `json:"team"`            // a DVM is pinned and this device is enrolled
	Waits      string `json:"waits,omitempty"` // awaiting-approval, or another join code
	Keyring    bool   `json:"keyring"`         // the system's keyring can hold the keys
	Npub       string `json:"npub,omitempty"`
	DeviceNpub string `json:"device_npub,omitempty"`
}

// Entry is one stretch of today's list.
type Entry struct {
	ID      string     `json:"id"` // names it to EntryEdit
	Session SessionID  `json:"session"`
	Project ProjectRef `json:"project"`
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to,omitzero"` // zero while running
	Seconds int64      `json:"seconds"`
	Note    string     `json:"note,omitempty"`
	State   string     `json:"state"` // tracking, held, or the least State of its deliveries
	// KimaiActivity is the kind of work, where the project has kinds.
	KimaiActivity *KimaiActivity `json:"kimai_activity,omitempty"`
	// Kept tells that the person kept it while away, ByHand that it was corrected;
	// Was then holds what it said before the first correction.
	Kept   bool   `json:"kept,omitempty"`
	ByHand bool   `json:"by_hand,omitempty"`
	Was    *Entry `json:"was,omitempty"`
}

// OutboxItem is one line of `powdo outbox`.
type OutboxItem struct {
	ID          string       `json:"id"`
	Session     SessionID    `json:"session"`
	Seq         uint64       `json:"seq"`
	Project     *ProjectRef  `json:"project"`
	From        time.Time    `json:"from"`
	To          time.Time    `json:"to"`
	Captures    int          `json:"captures"`
	SealedHash  Hash         `json:"sealed_sha256,omitzero"`
	Size        int64        `json:"size"`
	State       State        `json:"state"`
	Attempts    int          `json:"attempts"`
	NextAttempt time.Time    `json:"next_attempt,omitzero"`
	LastError   *Fault       `json:"last_error"`
	Receipt     *ReceiptInfo `json:"receipt"`
	Servers     []Place      `json:"servers,omitempty"`
	Relays      []Place      `json:"relays,omitempty"`
	// Sent counts the bytes of a running upload, of Size.
	Sent int64 `json:"sent,omitempty"`
	// Steps holds when each State was first reached.
	Steps map[State]time.Time `json:"steps,omitempty"`
}

// ReceiptInfo is a Receipt as `powdo outbox` shows it.
type ReceiptInfo struct {
	Code      Code      `json:"code"`
	At        time.Time `json:"at"`
	Timesheet int64     `json:"timesheet,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Text      string    `json:"text,omitempty"`
}

// JoinPreview is what an invite link says, before anybody is asked.
type JoinPreview struct {
	Name    string    `json:"name"`
	DVMNpub string    `json:"dvm_npub"`
	Relays  []string  `json:"relays"`
	Blossom []string  `json:"blossom"`
	Expires time.Time `json:"expires"`
}

// Joined is the outcome of joining.
type Joined struct {
	Team     string    `json:"team"`
	Member   string    `json:"member"`
	Code     Code      `json:"code"` // enrolled or awaiting-approval
	Projects []Project `json:"projects"`
	// Policy is the team's policy text that joining accepted.
	Policy string `json:"policy,omitempty"`
}

// Check is one line of `doctor`: what was looked at, whether it is well, and the mend.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warning, failed, unused
	Detail string `json:"detail"`
	Mend   string `json:"mend,omitempty"`
}

// StartRequest starts the timer, or switches it when another project runs.
type StartRequest struct {
	Project       string          `json:"project"` // id or name
	KimaiActivity KimaiActivityID `json:"kimai_activity,omitempty"`
	Note          string          `json:"note,omitempty"`
}

// Preview says exactly what Register would send, before it is sent.
type Preview struct {
	Project   ProjectRef    `json:"project"`  // of the newest Session
	Projects  []ProjectRef  `json:"projects"` // every one that is concerned
	Parts     []PreviewPart `json:"proofs"`
	Seconds   int64         `json:"seconds"`
	Captures  int           `json:"captures"`
	Bytes     int64         `json:"bytes"` // about, before sealing
	Rows      int           `json:"activity_rows"`
	Detail    Detail        `json:"detail"`
	Team      string        `json:"team"`
	DVMNpub   string        `json:"dvm_npub"`
	Alg       string        `json:"alg"`
	Recipient string        `json:"recipient"` // archive key id
	Servers   []string      `json:"servers"`
	Relays    []string      `json:"relays"`
	Retention int           `json:"retention_days"`
	// Edited, Removed and Skipped count pictures; Kept and ByHand are seconds.
	Edited  int   `json:"edited,omitempty"`
	Removed int   `json:"removed,omitempty"`
	Skipped int   `json:"skipped,omitempty"`
	Kept    int64 `json:"kept_seconds,omitempty"`
	ByHand  int64 `json:"by_hand_seconds,omitempty"`
	// Cuts are the times inside that do not go out: removed, or not answered yet.
	Cuts []Interval `json:"cuts,omitempty"`
	// Away blocks Register: questions that only the person can answer.
	Away []AwayQuestion `json:"away,omitempty"`
}

// PreviewPart is one proof that Register would make.
type PreviewPart struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Captures int       `json:"captures"`
}

// KeyRequest creates or restores the identity key.
type KeyRequest struct {
	// Restore is a mnemonic, an nsec or an ncryptsec; empty makes a new key.
	Restore           string `json:"restore,omitempty"`
	RestorePassphrase string `json:"restore_passphrase,omitempty"` // of an ncryptsec
	// Passphrase protects the keys at rest; empty uses the system's keyring.
	Passphrase string `json:"passphrase,omitempty"`
}

// KeyReply tells the new identity. Mnemonic is set for a new key only, to be
// shown once and never stored in clear.
type KeyReply struct {
	Npub     string `json:"npub"`
	Mnemonic string `json:"mnemonic,omitempty"`
}

// JoinRequest enrols this device.
type JoinRequest struct {
	Link string `json:"link"`
	Name string `json:"name,omitempty"` // of the device, chosen by the user
}
