package outbox

import (
	"net/url"
	"slices"
	"time"

	"pow.do/services/pow"
)

// The clock of resending (protocol §4.6, §8).
const (
	letterFresh  = time.Hour           // a Letter is sent only so long after its making
	probeAfter   = 6 * time.Hour       // without any Receipt since the last OK
	rewrapAfter  = 24 * time.Hour      // without a Receipt, then again and again
	receivedWait = 72 * time.Hour      // between received and accepted
	silence      = 14 * 24 * time.Hour // without any Receipt since the first OK: attention
	sunsetMargin = 48 * time.Hour      // a blob that ends sooner is uploaded again
	askAfter     = 48 * time.Hour      // accepted, but neither booked nor parked
	askEvery     = 24 * time.Hour
	askFor       = 14 * 24 * time.Hour
	maxPause     = 120 * time.Second // between upload and publication, when nobody is in a hurry
	hedge        = 30 * time.Second  // an upload that takes longer lets the next server begin
)

// blobKept is what a Receipt says of a blob that the DVM may not delete.
const blobKept = "kept"

// maxServers is how many servers a Notice may name.
const maxServers = 4

// verb is one kind of step.
type verb int

const (
	doSeal    verb = iota + 1 // take a seq, make the Sealed
	doReseal                  // make another Sealed of the same Statement
	doUpload                  // to one server
	doNotice                  // rumor and seal
	doWrap                    // a new Letter, for the relays that need one
	doRewrap                  // a new Letter, for all relays; look after the blob first
	doPublish                 // to one relay
	doProbe                   // the same, for one that said OK long ago
	doSilence                 // nobody answered for too long
	doResume                  // the archive keys are in order again
	doEndLife                 // finish an erasure
	doDelete                  // blobs that the DVM could not delete
	doAsk                     // for a Receipt that may be lost
)

// step is something to be done for a Delivery, and the time before which it is
// not. url is the place, where there is one.
type step struct {
	verb verb
	url  string
	at   time.Time
}

// Codes of attention that the outbox gives by itself.
const (
	codeSilent      pow.Code = "no-receipt"
	codeNotAdmitted pow.Code = "not-admitted"
	codeRefused     pow.Code = "places-refused"
	codeNoRecipient pow.Code = "no-recipient" // the DVM's archive keys are out of date
)

// goesOn tells whether a Delivery in Attention is still worked on.
func goesOn(d pow.Delivery) bool {
	return d.LastError != nil && (d.LastError.Code == codeSilent || d.LastError.Code == codeNotAdmitted)
}

// phase is the state by what is stored, where the shown one is Attention.
func phase(d pow.Delivery) pow.State {
	switch {
	case d.State != pow.Attention:
		return d.State
	case d.Statement == nil:
		return pow.Queued
	case d.Notice == nil:
		return pow.Sealing
	case d.FirstOK.IsZero():
		return pow.Uploaded
	}
	return pow.Relayed
}

// ended tells whether a Receipt has ended the proof's life.
func ended(d pow.Delivery) bool { return d.Receipt != nil && d.Receipt.Code.EndsLife() }

// plan says what is to be done for a Delivery. It reads nothing but its arguments.
func plan(d pow.Delivery, t Team, now time.Time) []step {
	if ended(d) {
		return planEnded(d)
	}
	if d.State == pow.Attention && !goesOn(d) {
		return planResume(d, t, now)
	}
	switch phase(d) {
	case pow.Queued:
		if d.Statement != nil {
			return []step{{doReseal, "", d.Next}}
		}
		return []step{{doSeal, "", d.Next}}
	case pow.Sealing:
		return planUpload(d, t)
	case pow.Uploaded, pow.Relayed, pow.Received:
		return planPublish(d, t, now)
	}
	return nil
}

// planEnded finishes an erasure that a kill interrupted, and asks for a lost
// late Receipt.
func planEnded(d pow.Delivery) []step {
	if d.SealEvent != nil || d.Letter != nil || len(d.CaptureIDs) > 0 {
		return []step{{doEndLife, "", time.Time{}}}
	}
	if d.Receipt.Blob == blobKept && d.Servers != nil {
		return []step{{doDelete, "", time.Time{}}}
	}
	from := d.Receipt.CreatedAt.Add(askAfter)
	if d.State != pow.Accepted || d.Receipt.Code != pow.CodeAccepted || d.Next.After(from.Add(askFor)) {
		return nil
	}
	return []step{{doAsk, "", later(d.Next, from)}}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// planResume waits for nothing but new archive keys.
func planResume(d pow.Delivery, t Team, now time.Time) []step {
	if d.LastError == nil || d.LastError.Code != codeNoRecipient {
		return nil
	}
	if _, ok := t.Announcement.Usable(now, t.Algs); !ok {
		return nil
	}
	return []step{{doResume, "", time.Time{}}}
}

// places brings the stored places in line with the team's list: new ones are
// added, and those that left the list are dropped unless they are done.
func places(have []pow.Place, want []string) []pow.Place {
	var out []pow.Place
	for _, u := range want {
		i := slices.IndexFunc(have, func(p pow.Place) bool { return p.URL == u })
		if i < 0 {
			out = append(out, pow.Place{URL: u, State: pow.PlaceTodo})
		} else {
			out = append(out, have[i])
		}
	}
	for _, p := range have {
		if p.State == pow.PlaceDone && !slices.Contains(want, p.URL) {
			out = append(out, p)
		}
	}
	return out
}

func countState(ps []pow.Place, s pow.PlaceState) (n int) {
	for _, p := range ps {
		if p.State == s {
			n++
		}
	}
	return n
}

// copies is how many servers must hold the blob before its Notice is made.
func copies(t Team) int { return max(1, min(t.Announcement.Copies, len(t.Blossom), maxServers)) }

// planUpload tries as many servers at once as copies are missing, in order of
// preference. One that waits or is in trouble lets the next begin.
func planUpload(d pow.Delivery, t Team) (out []step) {
	ps := places(d.Servers, t.Blossom)
	missing := copies(t) - countState(ps, pow.PlaceDone)
	if missing <= 0 {
		return []step{{doNotice, "", time.Time{}}}
	}
	fresh := 0
	for _, p := range ps {
		switch {
		case p.State == pow.PlaceTodo && fresh < missing:
			fresh++
			out = append(out, step{doUpload, p.URL, p.Next})
		case p.State == pow.PlaceTodo: // a reserve: its turn comes when one before it fails or is slow
			out = append(out, step{doUpload, p.URL, later(p.Next, d.Updated.Add(time.Duration(fresh)*hedge))})
			fresh++
		case p.State == pow.PlaceWait, p.State == pow.PlacePaused:
			out = append(out, step{doUpload, p.URL, p.Next})
		}
	}
	return out
}

// planPublish sends the Letter to each relay on its own.
func planPublish(d pow.Delivery, t Team, now time.Time) (out []step) {
	if d.Letter == nil {
		return []step{{doWrap, "", d.Next}}
	}
	if !d.FirstOK.IsZero() {
		out = append(out, step{doRewrap, "", d.Next})
		if d.Receipt == nil && d.State != pow.Attention {
			out = append(out, step{doSilence, "", d.FirstOK.Add(silence)})
		}
	}
	stale := d.Letter.Made.Add(letterFresh)
	for _, p := range places(d.Relays, t.Relays) {
		switch p.State {
		case pow.PlaceTodo, pow.PlaceWait, pow.PlacePaused:
			if now.Before(stale) && p.Next.Before(stale) {
				out = append(out, step{doPublish, p.URL, p.Next})
			}
			out = append(out, step{doWrap, "", later(p.Next, stale)})
		case pow.PlaceDone:
			if d.Receipt == nil && p.Letter == d.Letter.ID {
				out = append(out, step{doProbe, p.URL, later(p.Next, p.At.Add(probeAfter))})
			}
		}
	}
	return out
}

// pause is the random wait between upload and first publication. It hides
// nothing where one host is both relay and server, and nobody wants it who has
// pressed Register.
func pause(d pow.Delivery, t Team, random func(time.Duration) time.Duration) time.Duration {
	if d.Hurry {
		return 0
	}
	for _, r := range t.Relays {
		for _, b := range t.Blossom {
			if h := host(r); h != "" && h == host(b) {
				return 0
			}
		}
	}
	return random(maxPause + 1)
}

func host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
