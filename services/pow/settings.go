package pow

import "time"

// Settings are the member's own, for one home folder. What a project asks for
// bounds them; a zero Settings is not valid, DefaultSettings is where they start.
type Settings struct {
	StartAtLogin bool   `json:"start_at_login"`
	Language     string `json:"language,omitempty"` // "" is the desktop's
	WeekStart    int    `json:"week_start"`         // time.Weekday: 0 Sunday, 1 Monday
	WeekLimit    int    `json:"week_limit_seconds"` // 0: none

	AwayAfter int `json:"away_after_seconds"` // without input; 0: never ask
	StopAfter int `json:"stop_after_seconds"` // away so long ends the session
	// Remind to start the timer after so long without one; 0: off. Within the hours
	// of RemindFrom and RemindTo (minutes of the day) on RemindDays (bit 0 is Sunday).
	Remind     int `json:"remind_after_seconds,omitempty"`
	RemindFrom int `json:"remind_from_minute,omitempty"`
	RemindTo   int `json:"remind_to_minute,omitempty"`
	RemindDays int `json:"remind_days,omitempty"`

	Displays   []int       `json:"displays,omitempty"`   // monitors to take; empty: every one
	HalfSize   bool        `json:"half_size,omitempty"`  // pictures of half the size
	Toast      ToastKind   `json:"toast"`                // how a taken picture is shown
	ToastFor   int         `json:"toast_seconds"`        // seconds
	Exclusions []Exclusion `json:"exclusions,omitempty"` // windows that no picture may show

	ActivityURL string     `json:"activitywatch_url,omitempty"` // "": found by itself
	ActivityKey string     `json:"activitywatch_key,omitempty"` // secret
	ActivityOff bool       `json:"activitywatch_off,omitempty"`
	AppsOut     []string   `json:"apps_out,omitempty"`   // never leave
	TitlesOut   []string   `json:"titles_out,omitempty"` // apps whose titles never leave
	LockAfter   int        `json:"lock_after_seconds,omitempty"`
	Proxy       string     `json:"proxy,omitempty"` // socks5://host:port
	TorOnly     bool       `json:"tor_only,omitempty"`
	Notify      NotifyKind `json:"notify"`
}

// DefaultSettings is where every home folder starts.
func DefaultSettings() Settings {
	return Settings{WeekStart: int(time.Monday), AwayAfter: 5 * 60, StopAfter: 8 * 3600, Toast: ToastNotification, ToastFor: 8,
		Exclusions: []Exclusion{{Private: true}}, Notify: NotifyPlain}
}

// ToastKind is how a taken picture is shown.
type ToastKind string

// The kinds of toast.
const (
	ToastOff          ToastKind = "off"
	ToastWindow       ToastKind = "window"       // with the picture, by the window
	ToastNotification ToastKind = "notification" // without picture or names, by the desktop
)

// NotifyKind is how much a desktop notification may say.
type NotifyKind string

// The kinds of notification; daemons may keep them on a disk.
const (
	NotifyOff   NotifyKind = "off"
	NotifyPlain NotifyKind = "plain" // no project, no note, no title
	NotifyNames NotifyKind = "names"
)

// Exclusion keeps a window out of every picture. Exactly one field is set.
type Exclusion struct {
	App     string `json:"app,omitempty"`   // the program's name, whole, any case
	Title   string `json:"title,omitempty"` // a pattern with * and ?, any case
	Private bool   `json:"private,omitempty"`
}

// OpenWindow is a window that can be seen now, and the exclusion that it meets.
type OpenWindow struct {
	App      string `json:"app"`
	Title    string `json:"title"`
	Display  int    `json:"display"`
	Private  bool   `json:"private,omitempty"`
	Excluded bool   `json:"excluded"`
	Rule     string `json:"rule,omitempty"`
}

// AwayQuestion is a stretch without the person, about which only the person can
// decide. Until then it belongs to no proof.
type AwayQuestion struct {
	ID      string     `json:"id"`
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to,omitzero"` // zero: not back yet
	Reason  string     `json:"reason"`      // idle, screen-locked, asleep
	Project ProjectRef `json:"project"`
}

// AwayChoice answers an AwayQuestion.
type AwayChoice string

// The four choices.
const (
	AwayKeep    AwayChoice = "keep"             // counts, marked as kept by the person
	AwayDiscard AwayChoice = "discard"          // does not count; the timer went on after it
	AwayStop    AwayChoice = "discard-and-stop" // and the timer ends where it began
	AwayOther   AwayChoice = "other"            // counts for another project, marked
)

// AwayAnswer is a choice; Project goes with AwayOther.
type AwayAnswer struct {
	ID      string     `json:"id"`
	Choice  AwayChoice `json:"choice"`
	Project string     `json:"project,omitempty"`
}

// OffRecord pauses everything: no time, no picture, no activity. Until zero is
// until the person resumes.
type OffRecord struct {
	Until time.Time `json:"until,omitzero"`
}

// ForgetRequest erases from this computer what was not registered, of the last
// Span, of one Project, or everything. DryRun only tells.
type ForgetRequest struct {
	Span       time.Duration `json:"span,omitempty"` // back from now; 0: all times
	Project    ProjectID     `json:"project,omitempty"`
	Everything bool          `json:"everything,omitempty"` // keys, team and history too
	DryRun     bool          `json:"dry_run,omitempty"`
}

// Forgotten is what a ForgetRequest erased, or would erase, and what it cannot reach.
type Forgotten struct {
	Pictures int       `json:"pictures"`
	Seconds  int64     `json:"seconds"` // of time that was never registered
	Before   int64     `json:"bytes_before"`
	After    int64     `json:"bytes_after"`
	Remains  []Remains `json:"remains,omitempty"`
}

// Remains is what lies elsewhere of what was registered, and until when.
type Remains struct {
	Where  string    `json:"where"`
	Proofs int       `json:"proofs"`
	Until  time.Time `json:"until,omitzero"`
}

// Sizes are the bytes that this home folder holds.
type Sizes struct {
	Queue    int64 `json:"queue"`
	Pictures int64 `json:"pictures"`
	Waiting  int64 `json:"waiting"` // sealed, not delivered
	Limit    int64 `json:"limit"`
	Free     int64 `json:"disk_free"`
}

// KeysInfo is what may be shown of the keys: public halves and how they rest.
type KeysInfo struct {
	Npub         string    `json:"npub"`
	DeviceNpub   string    `json:"device_npub"`
	Storage      string    `json:"storage"` // keyring or passphrase
	Locked       bool      `json:"locked"`
	BackupTested time.Time `json:"backup_tested_at,omitzero"`
	Devices      []Device  `json:"devices,omitempty"`
}

// Rehearsal is what a practice round did: a picture taken, covered, sealed to a
// throw-away key, opened again and erased. Nothing of it left this computer.
type Rehearsal struct {
	Before []byte `json:"before"` // PNG or JPEG, as taken
	After  []byte `json:"after"`  // as it came out of the opened archive
	Size   int64  `json:"sealed_bytes"`
	Hash   Hash   `json:"sealed_sha256"`
	Opened bool   `json:"opened"` // opened with the throw-away key and found whole
	Denied bool   `json:"denied"` // another key could not open it
}

// HistoryDay is the time of one project on one local day, split by coverage.
// The seconds add up to Total.
type HistoryDay struct {
	Day          time.Time  `json:"day"` // its local midnight
	Project      ProjectRef `json:"project"`
	Total        int64      `json:"total_seconds"`
	Booked       int64      `json:"booked_seconds"`
	Verified     int64      `json:"verified_seconds"` // not booked
	OnTheWay     int64      `json:"on_the_way_seconds"`
	Unregistered int64      `json:"unregistered_seconds"`
	// Kept and ByHand are parts of the above: kept while away, changed by hand.
	Kept   int64 `json:"kept_seconds,omitempty"`
	ByHand int64 `json:"by_hand_seconds,omitempty"`
	// Difference is what the team booked beyond (or below, negative) our proven time.
	Difference int64 `json:"difference_seconds,omitempty"`
}
