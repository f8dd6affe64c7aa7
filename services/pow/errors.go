package pow

// Error is a failure with a stable code: the same word in --json output, in
// locale files and over the control socket. What says what went wrong, Mend
// what to do about it; both are one line for people. Err keeps the cause for
// the log; it may not carry a secret, a title or a picture.
type Error struct {
	Code Code   `json:"code"`
	What string `json:"what"`
	Mend string `json:"mend,omitempty"`
	Err  error  `json:"-"`
}

// Error returns What, and Mend where there is one.
func (e *Error) Error() string {
	if e.Mend == "" {
		return e.What
	}
	return e.What + "; " + e.Mend
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is compares codes, so that errors.Is(err, pow.ErrLocked) holds for every
// locked error, whatever its words.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With returns the same error with a cause.
func (e *Error) With(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Errors of setting up and of reaching the program. The command line turns
// them into its exit codes (cli.md).
var (
	ErrUsage    = &Error{Code: "usage", What: "wrong usage"}
	ErrNoKey    = &Error{Code: "no-key", What: "no identity key yet", Mend: "open pow.do, or run powdo join LINK"}
	ErrNoTeam   = &Error{Code: "no-team", What: "not connected to a team yet", Mend: "run powdo join LINK with the invite link you were sent"}
	ErrLocked   = &Error{Code: "locked", What: "the keys are locked", Mend: "unlock them, or name a --passphrase-file"}
	ErrTimeout  = &Error{Code: "timeout", What: "timed out"}
	ErrNoAgent  = &Error{Code: "no-agent", What: "no agent is running"}
	ErrNoWindow = &Error{Code: "no-window", What: "no window is open", Mend: "open one with powdo"}
	ErrInUse    = &Error{Code: "in-use", What: "another program uses this home folder"}
	ErrNotFound = &Error{Code: CodeNotFound, What: "not found"}
)

// Errors of a running timer.
var (
	ErrNotTracking    = &Error{Code: "not-tracking", What: "no timer is running", Mend: "start one with powdo start PROJECT"}
	ErrUnknownProject = &Error{Code: "unknown-project", What: "no such project", Mend: "see powdo projects"}
	ErrAmbiguous      = &Error{Code: "ambiguous", What: "more than one project matches", Mend: "use the project's id; see powdo projects --json"}
	ErrNothingHeld    = &Error{Code: "nothing-held", What: "there is nothing to register", Mend: "start the timer first"}
	ErrNoDisplay      = &Error{Code: "no-display", What: "no display to take a picture of"}
	ErrForbidden      = &Error{Code: "pictures-forbidden", What: "this project takes no pictures"}
	ErrConsent        = &Error{Code: "consent-needed", What: "you have not agreed to what this project asks for", Mend: "see powdo projects show PROJECT, then powdo projects agree PROJECT"}
	ErrConsentChanged = &Error{Code: "terms-changed", What: "this project asks for more than you agreed to", Mend: "see powdo projects show PROJECT, then powdo projects agree PROJECT"}
	ErrWithdrawn      = &Error{Code: "consent-withdrawn", What: "you withdrew your agreement to this project", Mend: "see powdo projects show PROJECT, then powdo projects agree PROJECT"}
	ErrTermsChanged   = &Error{Code: CodePolicyChanged, What: "the project asks for something else by now", Mend: "read it again"}
	ErrDiskFull       = &Error{Code: "disk-full", What: "the disk is nearly full", Mend: "free some space; pictures stop until then, the timer goes on"}
)

// Errors of opening and judging an archive. Each carries the Receipt's code.
var (
	ErrDecrypt   = &Error{Code: CodeDecryptFailed, What: "the archive cannot be opened with this key"}
	ErrArchive   = &Error{Code: CodeArchiveInvalid, What: "the archive is not valid"}
	ErrStatement = &Error{Code: CodeStatementInvalid, What: "the statement is not valid"}
	ErrMismatch  = &Error{Code: CodeMismatch, What: "notice and statement differ"}
	ErrTooLarge  = &Error{Code: CodeTooLarge, What: "over the size limit"}
	ErrVersion   = &Error{Code: CodeUnsupported, What: "made by a newer version"}
)

// Errors of blobs and relays.
var (
	ErrBlobMissing  = &Error{Code: CodeBlobUnavailable, What: "the server does not have the file"}
	ErrHashMismatch = &Error{Code: CodeHashMismatch, What: "the bytes do not have the expected hash"}
	ErrNotAdmitted  = &Error{Code: "not-admitted", What: "the server does not know this device"}
	ErrOffline      = &Error{Code: "offline", What: "the server cannot be reached"}
)
