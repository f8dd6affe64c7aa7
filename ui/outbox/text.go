package outbox

import (
	"fmt"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/words"
)

// name returns the project's name; a proof of a project that is gone has none.
func name(i pow.OutboxItem) string {
	if i.Project == nil {
		return words.T("outbox.unknown_project")
	}
	return words.Name(i.Project.Name)
}

func mark(i pow.OutboxItem) words.Mark {
	code := pow.Code("")
	if i.Receipt != nil {
		code = i.Receipt.Code
	}
	return words.Proof(i.State, code)
}

// nextLine says what happens next, and when.
func nextLine(i pow.OutboxItem, team string, now time.Time) string {
	data := words.Data{"Team": team, "Time": words.When(i.NextAttempt, now)}
	switch NextFor(i, now) {
	case Finished:
		return words.T("outbox.next.finished")
	case Yours:
		return words.T("outbox.next.yours")
	case Later:
		return words.T("outbox.next.later", data)
	case Answer:
		return words.T("outbox.next.answer", data)
	}
	return words.T("outbox.next.working")
}

// rowLine is the second line of a proof in the list.
func rowLine(i pow.OutboxItem, now time.Time) string {
	return words.Span(i.From, i.To, now) + " · " + words.N("outbox.pictures", i.Captures)
}

// act is the short form of what happens next, for the list.
func act(i pow.OutboxItem, now time.Time) string {
	switch n := NextFor(i, now); {
	case i.Receipt != nil && i.Receipt.Timesheet != 0:
		return words.T("outbox.timesheet", words.Data{"N": i.Receipt.Timesheet})
	case n == Later:
		return words.T("outbox.try_at", words.Data{"Time": words.When(i.NextAttempt, now)})
	case n == Working:
		return words.T("outbox.now")
	}
	return ""
}

// wrong says what went wrong, in our words, and quotes a stranger's below.
// Empty where nothing did.
func wrong(i pow.OutboxItem, team string, now time.Time) (what, quoted string) {
	data := words.Data{"Team": team, "Time": words.When(i.NextAttempt, now)}
	if r := i.Receipt; r != nil && r.Code.Status() != "success" && r.Code != pow.CodeReceived {
		if r.Code == pow.CodeParked {
			return words.Parked(r.Reason, data), words.Foreign(r.Text)
		}
		if s, ok := words.Code(r.Code, data); ok {
			return s, words.Foreign(r.Text)
		}
		return words.T("outbox.refused", data), words.Foreign(r.Text)
	}
	if f := i.LastError; f != nil {
		if s, ok := words.Code(f.Code, data); ok {
			return s, words.Foreign(f.Text)
		}
		return words.T("outbox.failed"), words.Foreign(f.Text)
	}
	return "", ""
}

// place says how one server or relay stands.
func place(p pow.Place, now time.Time) string {
	s := words.T("place." + string(p.State))
	if p.State == pow.PlaceWait && p.Next.After(now) {
		s += " · " + words.T("outbox.try_at", words.Data{"Time": words.When(p.Next, now)})
	}
	if p.Answer != "" && p.State != pow.PlaceDone {
		s += " · “" + words.Foreign(p.Answer) + "”"
	}
	return s
}

// details is what Copy details puts on the clipboard: nothing that names a
// project, a note or a picture.
func details(i pow.OutboxItem) string {
	var b strings.Builder
	fmt.Fprintf(&b, "id %s\nsession %s\nseq %d\nstate %s\nattempts %d\nsize %d\n", i.ID, i.Session, i.Seq, i.State, i.Attempts, i.Size)
	if !i.SealedHash.IsZero() {
		fmt.Fprintf(&b, "sealed %s\n", i.SealedHash)
	}
	if i.LastError != nil {
		fmt.Fprintf(&b, "error %s %s\n", i.LastError.Code, i.LastError.At.UTC().Format(time.RFC3339))
	}
	if i.Receipt != nil {
		fmt.Fprintf(&b, "receipt %s %s %s\n", i.Receipt.Code, i.Receipt.Reason, i.Receipt.At.UTC().Format(time.RFC3339))
	}
	for _, p := range append(append([]pow.Place{}, i.Servers...), i.Relays...) {
		fmt.Fprintf(&b, "%s %s %d\n", p.URL, p.State, p.Attempts)
	}
	return b.String()
}
