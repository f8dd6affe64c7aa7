package words

import (
	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
)

// Mark is a state as it is shown everywhere: icon, colour role and word.
type Mark struct {
	Icon theme.IconName
	Role fyne.ThemeColorName
	Word string
}

// Reasons of a paused timer that have a word of their own.
const (
	reasonOffRecord = "off-record"
	reasonRestarted = "restarted"
)

// Timer returns the mark of the timer's state.
func Timer(s pow.TimerState, reason string) Mark {
	switch {
	case s == pow.Tracking:
		return Mark{theme.Tracking, theme.Primary, T("timer.tracking")}
	case s == pow.Idle:
		return Mark{theme.Away, theme.Warning, T("timer.away")}
	case s == pow.Paused && reason == reasonOffRecord:
		return Mark{theme.OffRecord, theme.Off, T("timer.off_record")}
	case s == pow.Paused && reason == reasonRestarted:
		return Mark{theme.Paused, theme.Warning, T("timer.paused")}
	case s == pow.Paused:
		return Mark{theme.Paused, theme.Muted, T("timer.paused")}
	}
	return Mark{theme.Stopped, theme.Muted, T("timer.stopped")}
}

// Proof returns the mark of a proof; code is its Receipt's, or empty.
func Proof(s pow.State, code pow.Code) Mark {
	if s == pow.Accepted && code == pow.CodeParked {
		return Mark{theme.Parked, theme.Warning, T("proof.parked")}
	}
	m := map[pow.State]Mark{
		pow.Queued:    {theme.Queued, theme.Muted, T("proof.queued")},
		pow.Sealing:   {theme.Sealed, theme.Info, T("proof.sealed")},
		pow.Uploaded:  {theme.Uploaded, theme.Info, T("proof.uploaded")},
		pow.Relayed:   {theme.Sent, theme.Info, T("proof.relayed")},
		pow.Received:  {theme.Arrived, theme.Info, T("proof.received")},
		pow.Accepted:  {theme.Verified, theme.Success, T("proof.accepted")},
		pow.Booked:    {theme.Booked, theme.Success, T("proof.booked")},
		pow.Attention: {theme.Attention, theme.Danger, T("proof.attention")},
	}
	if k, ok := m[s]; ok {
		return k
	}
	return Mark{theme.Queued, theme.Muted, Foreign(string(s))}
}

// Entry returns the mark of one stretch of the day's list.
func Entry(state string) Mark {
	switch state {
	case string(pow.Tracking):
		return Timer(pow.Tracking, "")
	case string(pow.Paused), string(pow.Idle):
		return Timer(pow.TimerState(state), "")
	case "held":
		return Mark{theme.Held, theme.Muted, T("entry.held")}
	}
	return Proof(pow.State(state), "")
}

// Connection returns the mark of all relays together. "Partly" counts them.
func Connection(relays []pow.Connection) Mark {
	on, refused := 0, 0
	for _, r := range relays {
		switch r.State {
		case "online":
			on++
		case "refused":
			refused++
		}
	}
	switch {
	case len(relays) == 0:
		return Mark{theme.Offline, theme.Muted, T("link.none")}
	case on == len(relays):
		return Mark{theme.Online, theme.Success, T("link.online")}
	case on > 0:
		return Mark{theme.Partly, theme.Warning, T("link.partly", Data{"On": on, "All": len(relays)})}
	case refused > 0:
		return Mark{theme.Refused, theme.Danger, T("link.refused")}
	}
	return Mark{theme.Offline, theme.Warning, T("link.offline")}
}

// Apps returns the mark of ActivityWatch; ok is false where it is switched off.
func Apps(state string) (m Mark, ok bool) {
	switch state {
	case "ok":
		return Mark{theme.Apps, theme.Muted, T("apps.ok")}, true
	case "absent":
		return Mark{theme.Apps, theme.Warning, T("apps.absent")}, true
	case "locked":
		return Mark{theme.Apps, theme.Warning, T("apps.locked")}, true
	}
	return Mark{}, false
}

// Code returns what a refusal means, or ok false where there is no sentence for
// it; then the text that came with it is shown as a quotation.
func Code(c pow.Code, data Data) (sentence string, ok bool) {
	if !Has("code." + string(c)) {
		return "", false
	}
	return T("code."+string(c), data), true
}

// Parked returns why a verified proof was not booked.
func Parked(reason string, data Data) string {
	if Has("parked." + reason) {
		return T("parked."+reason, data)
	}
	return T("parked.needs-approval", data)
}
