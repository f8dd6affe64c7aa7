package pow

import "time"

// Receipt is the DVM's signed answer to a Notice or an Account request. Relay
// OK and Blossom 200 are not Receipts: only a Receipt ends a Proof's life on
// the client.
type Receipt struct {
	ID        Hash      `json:"id"` // rumor id
	DVM       Key       `json:"dvm"`
	Device    Key       `json:"device"`
	CreatedAt time.Time `json:"at"`
	Answers   Hash      `json:"answers"` // rumor id of the Notice or Account request
	Sealed    Hash      `json:"sealed"`  // zero for Account requests
	Session   SessionID `json:"session,omitempty"`
	Seq       uint64    `json:"seq,omitempty"`
	Code      Code      `json:"code"`
	Text      string    `json:"text,omitempty"`   // for people, never parsed
	Reason    string    `json:"reason,omitempty"` // with parked
	// Retry is the time before which nothing should be tried again; zero means
	// that an error is final.
	Retry   time.Time `json:"retry,omitzero"`
	Blob    string    `json:"blob,omitempty"` // kept, deleted
	Span    Interval  `json:"span,omitzero"`  // of the Session so far
	Proven  int64     `json:"proven_seconds"` // of the Session so far
	Booking Booking   `json:"booking,omitzero"`
}

// Booking is what became of a Session in the timesheet.
type Booking struct {
	State     string `json:"state"`            // none, booked, parked, failed
	System    string `json:"system,omitempty"` // kimai, ledger
	Timesheet int64  `json:"timesheet,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Code is the stable word for an outcome: the Receipt's code, the locale key
// and the code in --json are the same.
type Code string

// The codes of protocol §3.5 and §4.3.
const (
	CodeReceived          Code = "received"
	CodeAccepted          Code = "accepted"
	CodeBooked            Code = "booked"
	CodeParked            Code = "parked"
	CodeRejected          Code = "rejected"
	CodeBlobUnavailable   Code = "blob-unavailable"
	CodeHashMismatch      Code = "hash-mismatch"
	CodeBusy              Code = "busy"
	CodeInternal          Code = "internal"
	CodeStorageFull       Code = "storage-full"
	CodeFuture            Code = "future"
	CodeNotMember         Code = "not-member"
	CodeMemberSuspended   Code = "member-suspended"
	CodeDeviceUnknown     Code = "device-unknown"
	CodeBadNotice         Code = "bad-notice"
	CodeUnsupported       Code = "unsupported"
	CodeRecipientExpired  Code = "recipient-expired"
	CodeDecryptFailed     Code = "decrypt-failed"
	CodeArchiveInvalid    Code = "archive-invalid"
	CodeStatementInvalid  Code = "statement-invalid"
	CodeMismatch          Code = "mismatch"
	CodeStatementConflict Code = "statement-conflict"
	CodeDuplicateBlob     Code = "duplicate-blob"
	CodePolicyViolation   Code = "policy-violation"
	CodeTooLarge          Code = "too-large"
	CodeTooLong           Code = "too-long"
	CodeEnrolled          Code = "enrolled"
	CodeAwaitingApproval  Code = "awaiting-approval"
	CodeClaimInvalid      Code = "claim-invalid"
	CodeClaimUsed         Code = "claim-used"
	CodeIdentityMismatch  Code = "identity-mismatch"
	CodeDeviceBound       Code = "device-bound"
	CodeRefused           Code = "refused"
	CodePolicyChanged     Code = "policy-changed"
	CodeDone              Code = "done"
	CodeNotFound          Code = "not-found"
)

// Status is the NIP-90 word that goes with the code: processing, success,
// partial or error.
func (c Code) Status() string {
	switch c {
	case CodeReceived, CodeAwaitingApproval:
		return "processing"
	case CodeAccepted, CodeBooked, CodeEnrolled, CodeDone:
		return "success"
	case CodeParked:
		return "partial"
	}
	return "error"
}

// Known tells whether this program knows the code.
func (c Code) Known() bool {
	if c.Status() != "error" {
		return true
	}
	_, ok := errorCodes[c]
	return ok
}

// errorCodes maps every code with status error to whether trying again can help.
var errorCodes = map[Code]bool{
	CodeRejected: false, CodeBlobUnavailable: true, CodeHashMismatch: true,
	CodeBusy: true, CodeInternal: true, CodeStorageFull: true, CodeFuture: true,
	CodeNotMember: false, CodeMemberSuspended: false, CodeDeviceUnknown: false,
	CodeBadNotice: false, CodeUnsupported: false, CodeRecipientExpired: false,
	CodeDecryptFailed: false, CodeArchiveInvalid: false, CodeStatementInvalid: false,
	CodeMismatch: false, CodeStatementConflict: false, CodeDuplicateBlob: false,
	CodePolicyViolation: false, CodeTooLarge: false, CodeTooLong: false,
	CodeClaimInvalid: false, CodeClaimUsed: false, CodeIdentityMismatch: false,
	CodeDeviceBound: false, CodeRefused: false, CodePolicyChanged: true, CodeNotFound: false,
}

// Retryable tells whether an error code may pass later.
func (c Code) Retryable() bool { return errorCodes[c] }

// EndsLife tells whether a Receipt with this code lets the client erase the
// Sealed and its captures (protocol §4.5).
func (c Code) EndsLife() bool { return c == CodeAccepted || c == CodeBooked || c == CodeParked }
