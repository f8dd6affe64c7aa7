package outbox

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
)

var (
	t0     = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	rumor  = pow.Hash{1}
	blob   = pow.Hash{2}
	device = pow.Key{3}
	dvm    = pow.Key{4}
)

const relayA, relayB, serverA, serverB = "wss://a.example", "wss://b.example", "https://a.example", "https://b.example"

// onItsWay is a Delivery that one relay has taken.
func onItsWay() pow.Delivery {
	return pow.Delivery{
		ID: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Session: "S", State: pow.Relayed, CaptureIDs: []string{"c"},
		Statement:    &pow.Statement{Device: device, DVM: dvm, Session: "S", Seq: 7},
		Sealed:       &pow.Sealed{Hash: blob, Size: 10},
		SealedHashes: []pow.Hash{{99}, blob},
		Notice:       &pow.Notice{ID: rumor, DVM: dvm, Servers: []string{serverA}}, SealEvent: []byte("seal"),
		NoticeIDs: []pow.Hash{{98}, rumor},
		Letter:    &pow.Letter{ID: pow.Hash{5}, Made: t0},
		Servers:   []pow.Place{{URL: serverA, State: pow.PlaceDone, At: t0}},
		Relays:    []pow.Place{{URL: relayA, State: pow.PlaceDone, At: t0, Letter: pow.Hash{5}}, {URL: relayB, State: pow.PlaceWait}},
		FirstOK:   t0, LastOK: t0, Wrapped: t0, Next: t0.Add(rewrapAfter),
	}
}

func receipt(c pow.Code) pow.Receipt {
	return pow.Receipt{ID: pow.Hash{6}, DVM: dvm, Device: device, CreatedAt: t0, Answers: rumor, Sealed: blob, Session: "S", Seq: 7, Code: c}
}

// TestReceipts is "Receipt in → state out" for every code of protocol §4.3.
func TestReceipts(t *testing.T) {
	final := []pow.Code{
		pow.CodeRejected, pow.CodeNotMember, pow.CodeMemberSuspended, pow.CodeDeviceUnknown, pow.CodeBadNotice,
		pow.CodeUnsupported, pow.CodeStatementInvalid, pow.CodeMismatch, pow.CodeStatementConflict,
		pow.CodeDuplicateBlob, pow.CodePolicyViolation, pow.CodeTooLarge, pow.CodeTooLong, "a-new-code",
	}
	type row struct {
		code  pow.Code
		retry bool
		state pow.State
		next  time.Duration // from now; at least
		fault pow.Code
	}
	rows := []row{
		{pow.CodeReceived, false, pow.Received, receivedWait, ""},
		{pow.CodeAccepted, false, pow.Accepted, 0, ""},
		{pow.CodeParked, false, pow.Accepted, 0, ""},
		{pow.CodeBooked, false, pow.Booked, 0, ""},
		{pow.CodeBlobUnavailable, true, pow.Sealing, 2 * time.Hour, pow.CodeBlobUnavailable},
		{pow.CodeHashMismatch, true, pow.Sealing, 2 * time.Hour, pow.CodeHashMismatch},
		{pow.CodeBusy, true, pow.Relayed, 2 * time.Hour, pow.CodeBusy},
		{pow.CodeInternal, true, pow.Relayed, 2 * time.Hour, pow.CodeInternal},
		{pow.CodeStorageFull, true, pow.Relayed, 2 * time.Hour, pow.CodeStorageFull},
		{pow.CodeFuture, true, pow.Relayed, 2 * time.Hour, pow.CodeFuture},
		{pow.CodeBusy, false, pow.Attention, 0, pow.CodeBusy}, // no retry tag: final
		{pow.CodeRecipientExpired, false, pow.Queued, 0, pow.CodeRecipientExpired},
		{pow.CodeDecryptFailed, false, pow.Queued, 0, pow.CodeDecryptFailed},
		{pow.CodeArchiveInvalid, false, pow.Queued, 0, pow.CodeArchiveInvalid},
		{"a-new-code", true, pow.Relayed, 2 * time.Hour, "a-new-code"},
	}
	for _, c := range final {
		rows = append(rows, row{c, false, pow.Attention, 0, c})
	}
	for _, row := range rows {
		t.Run(string(row.code), func(t *testing.T) {
			d, r := onItsWay(), receipt(row.code)
			if row.retry {
				r.Retry = t0.Add(2 * time.Hour)
			}
			if !receiptArrived(&d, r, t0) {
				t.Fatal("not used")
			}
			got := pow.Code("")
			if d.LastError != nil {
				got = d.LastError.Code
			}
			if d.State != row.state || got != row.fault || d.Next.Before(t0.Add(row.next)) && row.next > 0 {
				t.Errorf("state %s, fault %s, next %v", d.State, got, d.Next.Sub(t0))
			}
			if d.Receipt == nil || d.Receipt.Code != row.code {
				t.Error("the Receipt is not kept")
			}
			if again := d; receiptArrived(&again, r, t0) {
				t.Error("the same Receipt is used twice")
			}
		})
	}
}

func TestReceiptsThatAreNotOurs(t *testing.T) {
	for name, spoil := range map[string]func(*pow.Receipt){
		"dvm":     func(r *pow.Receipt) { r.DVM = pow.Key{9} },
		"device":  func(r *pow.Receipt) { r.Device = pow.Key{9} },
		"answers": func(r *pow.Receipt) { r.Answers = pow.Hash{9} },
		"sealed":  func(r *pow.Receipt) { r.Sealed = pow.Hash{9} },
		"session": func(r *pow.Receipt) { r.Session = "T" },
		"seq":     func(r *pow.Receipt) { r.Seq = 8 },
		"kind":    func(r *pow.Receipt) { r.Code = pow.CodeEnrolled },
	} {
		d, r := onItsWay(), receipt(pow.CodeAccepted)
		spoil(&r)
		if receiptArrived(&d, r, t0) || d.State != pow.Relayed || d.Receipt != nil {
			t.Errorf("%s: used", name)
		}
	}
}

func TestReceiptsOfReplacedSealed(t *testing.T) {
	old := receipt(pow.CodeAccepted)
	old.Answers, old.Sealed = pow.Hash{98}, pow.Hash{99}
	d := onItsWay()
	if !receiptArrived(&d, old, t0) || d.State != pow.Accepted {
		t.Error("an accepted Receipt for an earlier Sealed ends the life all the same")
	}
	old.Code = pow.CodeDecryptFailed
	d = onItsWay()
	if receiptArrived(&d, old, t0) {
		t.Error("an error about an earlier Sealed says nothing about this one")
	}
}

// TestReceiptOrder: the highest rank stays, then the newest, whatever the order of arrival.
func TestReceiptOrder(t *testing.T) {
	at := func(c pow.Code, s int) pow.Receipt {
		r := receipt(c)
		r.ID, r.CreatedAt = pow.Hash{byte(s), byte(len(c))}, t0.Add(time.Duration(s)*time.Second)
		return r
	}
	for _, row := range []struct {
		in    []pow.Receipt
		state pow.State
	}{
		{[]pow.Receipt{at(pow.CodeBooked, 9), at(pow.CodeAccepted, 5), at(pow.CodeReceived, 1)}, pow.Booked},
		{[]pow.Receipt{at(pow.CodeParked, 1), at(pow.CodeBooked, 2)}, pow.Booked},
		{[]pow.Receipt{at(pow.CodeParked, 1), at(pow.CodeRejected, 2)}, pow.Attention},
		{[]pow.Receipt{at(pow.CodeAccepted, 1), at(pow.CodeNotMember, 2)}, pow.Accepted},
		{[]pow.Receipt{at(pow.CodeNotMember, 5), at(pow.CodeReceived, 1)}, pow.Attention},
		{[]pow.Receipt{at(pow.CodeNotMember, 1), at(pow.CodeReceived, 5)}, pow.Received},
		{[]pow.Receipt{at(pow.CodeNotMember, 1), at(pow.CodeAccepted, 1)}, pow.Accepted}, // late, in Attention
		{[]pow.Receipt{at(pow.CodeReceived, 1), at(pow.CodeNotMember, 1)}, pow.Attention},
	} {
		d := onItsWay()
		for _, r := range row.in {
			receiptArrived(&d, r, t0)
			if ended(d) {
				d.Notice, d.SealEvent, d.Letter, d.CaptureIDs = nil, nil, nil, nil // as EndLife does
			}
		}
		if d.State != row.state {
			t.Errorf("%v: %s, want %s", row.in[0].Code, d.State, row.state)
		}
	}
}

// TestReceiptBeforeAnyOK: a Receipt shows that a relay had the Letter.
func TestReceiptBeforeAnyOK(t *testing.T) {
	d, r := onItsWay(), receipt(pow.CodeBusy)
	d.FirstOK, d.State, r.Retry = time.Time{}, pow.Uploaded, t0.Add(time.Hour)
	receiptArrived(&d, r, t0)
	if late := t0.Add(2 * time.Hour); !has(plan(d, team(), late), doRewrap, late) {
		t.Errorf("not wrapped again: %+v", plan(d, team(), late))
	}
}

func TestResealOnceOnly(t *testing.T) {
	d := onItsWay()
	d.Resealed = 1
	receiptArrived(&d, receipt(pow.CodeDecryptFailed), t0)
	if d.State != pow.Attention {
		t.Errorf("state %s", d.State)
	}
}

func TestRetryIsWithinReason(t *testing.T) {
	for _, asked := range []time.Time{t0.Add(-time.Hour), t0, t0.Add(100 * 365 * 24 * time.Hour)} {
		d, r := onItsWay(), receipt(pow.CodeBusy)
		r.Retry = asked
		receiptArrived(&d, r, t0)
		if w := d.Next.Sub(t0); w < time.Second || w > maxRetry {
			t.Errorf("%v from now", w)
		}
	}
}

// TestRelayAnswers is the first table of protocol §8.
func TestRelayAnswers(t *testing.T) {
	lost := errors.New("socket lost")
	for _, row := range []struct {
		name     string
		answer   pow.Answer
		err      error
		state    pow.PlaceState
		min, max time.Duration // until the next attempt
	}{
		{"ok", pow.Answer{OK: true}, nil, pow.PlaceDone, 0, 0},
		{"ok with words", pow.Answer{OK: true, Prefix: "duplicate", Text: "have it"}, nil, pow.PlaceDone, 0, 0},
		{"duplicate", pow.Answer{Prefix: "duplicate"}, nil, pow.PlaceDone, 0, 0},
		{"restricted", pow.Answer{Prefix: "restricted"}, nil, pow.PlacePaused, time.Hour, time.Hour},
		{"blocked", pow.Answer{Prefix: "blocked"}, nil, pow.PlaceRefused, 0, 0},
		{"deleted", pow.Answer{Prefix: "deleted"}, nil, pow.PlaceRefused, 0, 0},
		{"pow", pow.Answer{Prefix: "pow"}, nil, pow.PlaceRefused, 0, 0},
		{"mute", pow.Answer{Prefix: "mute"}, nil, pow.PlaceRefused, 0, 0},
		{"rate-limited", pow.Answer{Prefix: "rate-limited"}, nil, pow.PlaceWait, 30 * time.Second, 15 * time.Minute},
		{"error", pow.Answer{Prefix: "error"}, nil, pow.PlaceWait, time.Second, 15 * time.Minute},
		{"replaced", pow.Answer{Prefix: "replaced"}, nil, pow.PlaceWait, time.Second, 15 * time.Minute},
		{"unknown", pow.Answer{Prefix: "tired"}, nil, pow.PlaceWait, time.Second, 15 * time.Minute},
		{"auth-required", pow.Answer{Prefix: "auth-required"}, nil, pow.PlaceWait, time.Second, time.Second},
		{"no answer", pow.Answer{}, lost, pow.PlaceWait, time.Second, 30 * time.Second},
		{"not admitted", pow.Answer{}, pow.ErrNotAdmitted, pow.PlacePaused, time.Hour, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := onItsWay()
			relayAnswered(&d, relayAnswer{url: relayB, letter: pow.Hash{5}, answer: row.answer, err: row.err}, t0)
			p := d.Relays[1]
			if wait := p.Next.Sub(t0); p.State != row.state || row.max > 0 && (wait < row.min || wait > row.max) {
				t.Errorf("%s, next in %v", p.State, wait)
			}
			if d.State != pow.Relayed || d.Sealed == nil {
				t.Errorf("a relay's answer changed the Delivery: %s", d.State)
			}
		})
	}
}

func TestInvalidIsWrappedOnce(t *testing.T) {
	d := onItsWay()
	bad := relayAnswer{url: relayB, letter: pow.Hash{5}, answer: pow.Answer{Prefix: "invalid"}}
	relayAnswered(&d, bad, t0)
	if !has(plan(d, team(), t0), doWrap, t0) || d.Relays[1].State != pow.PlaceWait {
		t.Errorf("no new Letter: %+v", plan(d, team(), t0))
	}
	newLetter(&d, pow.Letter{ID: pow.Hash{55}}, team(), false, t0)
	if d.Relays[0].State != pow.PlaceDone {
		t.Error("the other relay is disturbed")
	}
	relayAnswered(&d, bad, t0)
	if d.Relays[1].State != pow.PlaceRefused {
		t.Errorf("second invalid: %s", d.Relays[1].State)
	}
}

func TestAuthRequiredTwiceIsRestricted(t *testing.T) {
	d := onItsWay()
	for range 2 {
		relayAnswered(&d, relayAnswer{url: relayB, letter: pow.Hash{5}, answer: pow.Answer{Prefix: "auth-required", Text: "who are you"}}, t0)
	}
	if d.Relays[1].State != pow.PlacePaused {
		t.Errorf("%+v", d.Relays[1])
	}
}

func TestProbe(t *testing.T) {
	for _, row := range []struct {
		prefix string
		rewrap bool
	}{{"blocked", true}, {"deleted", true}, {"invalid", true}, {"restricted", true}, {"tired", true}, {"error", false}, {"rate-limited", false}, {"auth-required", false}} {
		d := onItsWay()
		now := t0.Add(7 * time.Hour)
		relayAnswered(&d, relayAnswer{url: relayA, letter: pow.Hash{5}, probe: true, answer: pow.Answer{Prefix: row.prefix}}, now)
		if got := has(plan(d, team(), now), doRewrap, now); got != row.rewrap {
			t.Errorf("%s: re-wrap %v", row.prefix, got)
		}
		if d.Relays[0].State != pow.PlaceDone {
			t.Errorf("%s: %s", row.prefix, d.Relays[0].State)
		}
	}
}

func TestAllRelaysRefuse(t *testing.T) {
	d := onItsWay()
	d.FirstOK, d.State = time.Time{}, pow.Uploaded
	for _, url := range []string{relayA, relayB} {
		relayAnswered(&d, relayAnswer{url: url, answer: pow.Answer{Prefix: "blocked"}}, t0)
	}
	if d.State != pow.Attention || d.LastError.Code != codeRefused || len(plan(d, team(), t0)) != 0 {
		t.Errorf("%s %+v", d.State, d.LastError)
	}
	d = onItsWay()
	d.FirstOK, d.State = time.Time{}, pow.Uploaded
	for i := range pausedRounds {
		for _, url := range []string{relayA, relayB} {
			relayAnswered(&d, relayAnswer{url: url, answer: pow.Answer{Prefix: "restricted"}}, t0)
		}
		if (d.State == pow.Attention) != (i == pausedRounds-1) {
			t.Fatalf("after %d hours: %s", i+1, d.State)
		}
	}
	if !has(plan(d, team(), t0.Add(30*time.Minute)), doWrap, t0.Add(time.Hour)) { // the Letter is too old then
		t.Error("a paused relay is tried hourly, also in Attention")
	}
	relayAnswered(&d, relayAnswer{url: relayA, answer: pow.Answer{OK: true}}, t0)
	if d.State != pow.Relayed || d.LastError != nil {
		t.Errorf("admitted: %s", d.State)
	}
}

// TestBlossomAnswers is the second table of protocol §8.
func TestBlossomAnswers(t *testing.T) {
	refusal := func(s pow.PlaceState, c pow.Code, wait time.Duration) error {
		return &pow.PlaceError{State: s, Code: c, Wait: wait}
	}
	for _, row := range []struct {
		name     string
		err      error
		state    pow.PlaceState
		min, max time.Duration
	}{
		{"held", nil, pow.PlaceDone, 0, 0},
		{"descriptor", refusal(pow.PlaceRefused, "bad-descriptor", 0), pow.PlaceRefused, 0, 0},
		{"400", refusal(pow.PlaceRefused, "refused", 0), pow.PlaceRefused, 0, 0},
		{"401", refusal(pow.PlacePaused, codeClock, time.Hour), pow.PlacePaused, time.Hour, time.Hour},
		{"402", refusal(pow.PlaceRefused, "payment", 0), pow.PlaceRefused, 0, 0},
		{"403", refusal(pow.PlacePaused, codeNotAdmitted, 0), pow.PlacePaused, time.Hour, time.Hour},
		{"409", refusal(pow.PlaceWait, codeConflict, 0), pow.PlaceWait, 0, time.Second},
		{"413", refusal(pow.PlaceRefused, pow.CodeTooLarge, 0), pow.PlaceRefused, 0, 0},
		{"429", refusal(pow.PlaceWait, "server-error", 10*time.Minute), pow.PlaceWait, 10 * time.Minute, 10 * time.Minute},
		{"503 for a year", refusal(pow.PlaceWait, "server-error", 365*24*time.Hour), pow.PlaceWait, time.Hour, time.Hour},
		{"500", refusal(pow.PlaceWait, "unknown-result", 0), pow.PlaceWait, time.Second, 15 * time.Minute},
		{"offline", refusal(pow.PlaceWait, "offline", 0), pow.PlaceWait, time.Second, 30 * time.Second},
		{"reset", io.ErrUnexpectedEOF, pow.PlaceWait, time.Second, 30 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := onItsWay()
			d.Servers = []pow.Place{{URL: serverA, State: pow.PlaceTodo}}
			blossomAnswered(&d, serverA, row.err, true, t0)
			p := d.Servers[0]
			if wait := p.Next.Sub(t0); p.State != row.state || row.max > 0 && (wait < row.min || wait > row.max) {
				t.Errorf("%s, next in %v", p.State, wait)
			}
			if d.Sealed == nil {
				t.Error("a server's answer removed the Sealed")
			}
		})
	}
}

func TestConflict(t *testing.T) {
	conflict := &pow.PlaceError{State: pow.PlaceRefused, Code: codeConflict}
	d := onItsWay()
	d.State = pow.Sealing
	blossomAnswered(&d, serverA, conflict, false, t0)
	if d.State != pow.Queued || !slices.Equal(verbs(plan(d, team(), t0)), []verb{doReseal}) {
		t.Errorf("local damage: %s", d.State)
	}
	d = onItsWay()
	blossomAnswered(&d, serverA, conflict, true, t0)
	first := d.Servers[0].State
	blossomAnswered(&d, serverA, conflict, true, t0)
	if first != pow.PlaceWait || d.Servers[0].State != pow.PlaceRefused {
		t.Errorf("%s, then %s", first, d.Servers[0].State)
	}
}

func TestServersVerdict(t *testing.T) {
	refused := func(answer string) pow.Place { return pow.Place{State: pow.PlaceRefused, Answer: answer} }
	for _, row := range []struct {
		ps   []pow.Place
		need int
		want pow.Code
	}{
		{[]pow.Place{refused("too-large: 413"), {State: pow.PlaceWait}}, 1, ""},
		{[]pow.Place{refused("too-large: 413"), refused("too-large")}, 1, pow.CodeTooLarge},
		{[]pow.Place{refused("too-large: 413"), refused("payment")}, 1, codeRefused},
		{[]pow.Place{refused("payment"), {State: pow.PlaceDone}}, 2, codeRefused},
		{[]pow.Place{{State: pow.PlacePaused, Attempts: pausedRounds}}, 1, codeNotAdmitted},
		{[]pow.Place{{State: pow.PlacePaused, Attempts: 3}}, 1, ""},
	} {
		if got := serversVerdict(row.ps, row.need); got != row.want {
			t.Errorf("%+v: %q, want %q", row.ps, got, row.want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"error: down\r\n\x1b[31m":       "error: down[31m",
		": text":                        "text",
		"a\u202eb":                      "ab",
		"\xff\xfe":                      "",
		strings.Repeat("ä", 300):        strings.Repeat("ä", 200),
		"rate-limited: slow down, mate": "rate-limited: slow down, mate",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
