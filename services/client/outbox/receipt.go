package outbox

import (
	"slices"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

// maxRetry caps the "not before" of a Receipt.
const maxRetry = 24 * time.Hour

// rank orders Receipts of one proof: the highest is kept, of equals the newest.
func rank(c pow.Code) int {
	switch c {
	case pow.CodeBooked:
		return 5
	case pow.CodeRejected: // follows parked
		return 4
	case pow.CodeParked:
		return 3
	case pow.CodeAccepted:
		return 2
	}
	return 1
}

// supersedes tells whether r counts more than what is there. An error counts
// more than a received of the same second.
func supersedes(r pow.Receipt, old *pow.Receipt) bool {
	if old == nil {
		return true
	}
	if a, b := rank(r.Code), rank(old.Code); a != b {
		return a > b
	}
	if c := r.CreatedAt.Compare(old.CreatedAt); c != 0 {
		return c > 0
	}
	return r.ID != old.ID && r.Code != pow.CodeReceived
}

// concerns tells whether r answers something that d has issued (protocol §4.2).
func concerns(d pow.Delivery, r pow.Receipt) bool {
	s := d.Statement
	return s != nil && r.DVM == s.DVM && r.Device == s.Device && r.Session == s.Session && r.Seq == s.Seq &&
		slices.Contains(d.NoticeIDs, r.Answers) && slices.Contains(d.SealedHashes, r.Sealed)
}

// stale tells whether r speaks of a Sealed or a Notice that has been replaced
// since. Only what ends the proof's life still counts then.
func stale(d pow.Delivery, r pow.Receipt) bool {
	if r.Code.EndsLife() {
		return false
	}
	return d.Sealed == nil || r.Sealed != d.Sealed.Hash || d.Notice == nil && !ended(d) || d.Notice != nil && r.Answers != d.Notice.ID
}

// receiptArrived applies a Receipt to the Delivery that it concerns and tells
// whether it changed anything (protocol §4.3, §4.5).
func receiptArrived(d *pow.Delivery, r pow.Receipt, now time.Time) bool {
	if !concerns(*d, r) || stale(*d, r) || !supersedes(r, d.Receipt) || !forNotices(r.Code) {
		return false
	}
	wasEnded := ended(*d)
	d.Receipt = &r
	// The DVM has the Letter: no relay needs it any more, and one has had it,
	// even if its OK was lost.
	if d.FirstOK.IsZero() {
		d.FirstOK = now
	}
	for i, p := range d.Relays {
		if p.State != pow.PlaceDone && p.State != pow.PlacePaused {
			d.Relays[i] = pow.Place{URL: p.URL, State: pow.PlaceDone, At: now, Letter: p.Letter}
		}
	}
	switch {
	case r.Code == pow.CodeBooked:
		settle(d, pow.Booked)
	case r.Code == pow.CodeAccepted || r.Code == pow.CodeParked:
		settle(d, pow.Accepted)
		d.Next = time.Time{}
	case r.Code == pow.CodeReceived:
		settle(d, pow.Received)
		d.Next = now.Add(receivedWait)
	case wasEnded:
		attention(d, r.Code, now)
	default:
		errorArrived(d, r, now)
	}
	return true
}

// forNotices tells whether a code can answer a Notice; others answer Account
// requests. A code that this program does not know counts as an error.
func forNotices(c pow.Code) bool {
	switch c {
	case pow.CodeReceived, pow.CodeAccepted, pow.CodeBooked, pow.CodeParked:
		return true
	}
	return c.Status() == "error"
}

func settle(d *pow.Delivery, s pow.State) {
	d.State, d.LastError, d.Attempts = s, nil, 0
}

// attention calls for a person. Nothing is deleted.
func attention(d *pow.Delivery, c pow.Code, now time.Time) {
	d.State, d.LastError = pow.Attention, fault(c, now)
}

// fault carries no text: the code is the key of the words that a person sees,
// and the DVM's own words rest encrypted with the Receipt.
func fault(c pow.Code, now time.Time) *pow.Fault { return &pow.Fault{Code: c, At: now} }

// errorArrived answers an error Receipt by itself where protocol §4.3 knows how.
func errorArrived(d *pow.Delivery, r pow.Receipt, now time.Time) {
	if reseals(r.Code) && d.Resealed == 0 {
		d.State, d.LastError, d.Next = pow.Queued, fault(r.Code, now), time.Time{}
		return
	}
	if r.Retry.IsZero() {
		attention(d, r.Code, now)
		return
	}
	d.Attempts++
	d.LastError = fault(r.Code, now)
	d.Next = notBefore(r.Retry, d.Attempts, now)
	switch r.Code {
	case pow.CodeBlobUnavailable, pow.CodeHashMismatch:
		d.State, d.Letter = pow.Sealing, nil
		for i, p := range d.Servers {
			if p.State == pow.PlaceDone {
				d.Servers[i].State, d.Servers[i].Next = pow.PlaceWait, time.Time{}
			}
		}
	default:
		d.State = pow.Relayed // re-wrapped at Next
	}
}

// reseals tells whether another Sealed of the same Statement may help.
func reseals(c pow.Code) bool {
	return c == pow.CodeRecipientExpired || c == pow.CodeDecryptFailed || c == pow.CodeArchiveInvalid
}

// notBefore is the moment that the DVM names, within reason: neither so soon
// that two programs chase each other, nor so late that nobody remembers.
func notBefore(asked time.Time, attempts int, now time.Time) time.Time {
	at := later(asked, now.Add(retry.Refused.After(attempts)))
	if last := now.Add(maxRetry); at.After(last) {
		return last
	}
	return at
}
