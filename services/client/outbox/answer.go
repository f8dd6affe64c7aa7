package outbox

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	pausedFor    = time.Hour
	pausedRounds = 24               // hourly refusals everywhere before a person is called
	rateWait     = 30 * time.Second // the least wait after rate-limited
	maxAnswer    = 200              // runes of a stranger's words that are kept
)

// place returns the entry of url, made if absent.
func place(ps *[]pow.Place, url string) *pow.Place {
	i := slices.IndexFunc(*ps, func(p pow.Place) bool { return p.URL == url })
	if i < 0 {
		*ps = append(*ps, pow.Place{URL: url, State: pow.PlaceTodo})
		i = len(*ps) - 1
	}
	return &(*ps)[i]
}

// relayAnswer is what came of sending a Letter to one relay.
type relayAnswer struct {
	url    string
	letter pow.Hash
	probe  bool // it had said OK before
	answer pow.Answer
	err    error // no answer came
}

// relayAnswered is the table of protocol §8 for relays.
func relayAnswered(d *pow.Delivery, r relayAnswer, now time.Time) {
	if ended(*d) || d.Letter == nil {
		return // a Receipt was faster
	}
	p := place(&d.Relays, r.url)
	before := *p
	p.At, p.Letter, p.Answer = now, r.letter, ""
	if r.err != nil {
		if errors.Is(r.err, pow.ErrNotAdmitted) {
			p.Answer = string(codeNotAdmitted)
			pausePlace(p, before, now)
		} else {
			noAnswer(p, before, r.probe, now)
		}
		relaysSettled(d, now)
		return
	}
	p.Answer = clean(r.answer.Prefix + ": " + r.answer.Text)
	if r.answer.OK || r.answer.Prefix == "duplicate" {
		*p = pow.Place{URL: p.URL, State: pow.PlaceDone, At: now, Letter: r.letter, Answer: clean(r.answer.Text)}
		relayed(d, now)
		return
	}
	refusedLetter(d, p, before, r, now)
	relaysSettled(d, now)
}

func relayed(d *pow.Delivery, now time.Time) {
	d.LastOK = now
	if d.FirstOK.IsZero() {
		d.FirstOK, d.Next = now, now.Add(rewrapAfter)
	}
	if d.State == pow.Uploaded || d.State == pow.Attention && d.LastError != nil && d.LastError.Code == codeNotAdmitted {
		settle(d, pow.Relayed)
	}
}

// noAnswer: the result is unknown, so the same bytes are sent again. A place
// that said OK once stays done.
func noAnswer(p *pow.Place, before pow.Place, probe bool, now time.Time) {
	p.Attempts++
	p.Next = now.Add(retry.Connecting.After(p.Attempts))
	if probe {
		p.At, p.Letter = before.At, before.Letter
		return
	}
	p.State = pow.PlaceWait
}

func refusedLetter(d *pow.Delivery, p *pow.Place, before pow.Place, r relayAnswer, now time.Time) {
	prefix := r.answer.Prefix
	if r.probe {
		refusedProbe(d, p, before, prefix, now)
		return
	}
	switch prefix {
	case "restricted":
		pausePlace(p, before, now)
	case "auth-required":
		// The connection has answered the challenge and sent the event again. One
		// more try, for a relay that asks late; then it is not admitted there.
		if strings.HasPrefix(before.Answer, prefix) {
			pausePlace(p, before, now)
		} else {
			waitPlace(p, now.Add(retry.Refused.Base))
		}
	case "rate-limited":
		waitPlace(p, now.Add(max(rateWait, retry.Refused.After(p.Attempts+1))))
	case "invalid":
		if before.Rewrapped {
			p.State = pow.PlaceRefused
			return
		}
		p.Rewrapped = true
		waitPlace(p, now)
		d.Letter.Made = time.Time{} // too old for everybody: wrapped anew
	case "blocked", "deleted", "mute", "pow":
		p.State = pow.PlaceRefused
	default: // error, replaced, unknown
		waitPlace(p, now.Add(retry.Refused.After(p.Attempts+1)))
	}
}

// refusedProbe: the Letter was taken or is gone, so a new one makes the DVM
// repeat its Receipt. Only some refusals say nothing about the Letter.
func refusedProbe(d *pow.Delivery, p *pow.Place, before pow.Place, prefix string, now time.Time) {
	p.At, p.Letter = before.At, before.Letter
	switch prefix {
	case "auth-required", "rate-limited", "error":
		p.Attempts++
		p.Next = now.Add(max(rateWait, retry.Refused.After(p.Attempts)))
	default:
		d.Next = now
	}
}

func waitPlace(p *pow.Place, until time.Time) {
	p.State, p.Next = pow.PlaceWait, until
	p.Attempts++
}

// pausePlace counts the hourly refusals in a row.
func pausePlace(p *pow.Place, before pow.Place, now time.Time) {
	if before.State != pow.PlacePaused {
		p.Attempts = 0
	}
	p.State, p.Next = pow.PlacePaused, now.Add(pausedFor)
	p.Attempts++
}

func relaysSettled(d *pow.Delivery, now time.Time) {
	if c := placesVerdict(d.Relays); c != "" && d.State != pow.Attention {
		attention(d, c, now)
	}
}

// placesVerdict tells whether no place is left that could take it: all refused
// for good, or all did not admit us for a day.
func placesVerdict(ps []pow.Place) pow.Code {
	refused, paused := 0, 0
	for _, p := range ps {
		switch {
		case p.State == pow.PlaceRefused:
			refused++
		case p.State == pow.PlacePaused && p.Attempts >= pausedRounds:
			paused++
		}
	}
	switch {
	case len(ps) == 0 || refused+paused < len(ps):
		return ""
	case paused > 0:
		return codeNotAdmitted
	}
	return codeRefused
}

// Blossom codes that need more than waiting (pow.PlaceError).
const (
	codeConflict pow.Code = "conflict"
	codeClock    pow.Code = "clock"
)

// blossomAnswered is the table of protocol §8 for Blossom servers. err is nil
// when the server holds the blob. intact tells, after a conflict or a hash
// mismatch, that the own Sealed is whole.
func blossomAnswered(d *pow.Delivery, url string, err error, intact bool, now time.Time) {
	if ended(*d) || d.Sealed == nil {
		return
	}
	p := place(&d.Servers, url)
	before := *p
	p.At, p.Answer = now, ""
	if err == nil {
		*p = pow.Place{URL: url, State: pow.PlaceDone, At: now}
		return
	}
	var refusal *pow.PlaceError
	if !errors.As(err, &refusal) {
		p.Attempts++
		p.State, p.Next = pow.PlaceWait, now.Add(retry.Connecting.Wait(err, p.Attempts))
		return
	}
	p.Answer = clean(refusal.Error())
	switch {
	case refusal.Code == codeConflict && !intact:
		d.State, d.LastError, d.Next = pow.Queued, fault(pow.CodeHashMismatch, now), time.Time{} // local damage: seal again
	case refusal.Code == codeConflict && !before.Rewrapped:
		p.Rewrapped = true // sent again once
		waitPlace(p, now)
	case refusal.Code == codeConflict || refusal.State == pow.PlaceRefused:
		p.State = pow.PlaceRefused
	case refusal.State == pow.PlacePaused:
		pausePlace(p, before, now)
	default:
		waitBlossom(p, refusal, now)
	}
}

func waitBlossom(p *pow.Place, refusal *pow.PlaceError, now time.Time) {
	pace := retry.Refused
	if refusal.Code == pow.ErrOffline.Code {
		pace = retry.Connecting
		p.Answer = "" // nobody answered: the endpoint is paced, not the proof
	}
	wait := min(refusal.Wait, retry.MaxWait)
	if wait <= 0 {
		wait = pace.After(p.Attempts + 1)
	}
	waitPlace(p, now.Add(wait))
}

// serversVerdict: enough servers can no longer be reached by waiting. A blob
// that is too large everywhere is rebuilt in halves.
func serversVerdict(ps []pow.Place, need int) pow.Code {
	left := len(ps) - countState(ps, pow.PlaceRefused)
	if left >= need {
		if c := placesVerdict(ps); c == codeNotAdmitted {
			return c
		}
		return ""
	}
	for _, p := range ps {
		if p.State == pow.PlaceRefused && !strings.HasPrefix(p.Answer, string(pow.CodeTooLarge)) {
			return codeRefused
		}
	}
	return pow.CodeTooLarge
}

// clean makes a stranger's words fit to be stored and shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimPrefix(strings.TrimSpace(s), ": ")
	if r := []rune(s); len(r) > maxAnswer {
		return string(r[:maxAnswer])
	}
	return s
}
