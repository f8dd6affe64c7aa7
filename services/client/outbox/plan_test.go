package outbox

import (
	"slices"
	"testing"
	"time"

	"pow.do/services/pow"
)

func team() Team {
	return Team{
		Announcement: pow.Announcement{Copies: 1, Recipients: []pow.Recipient{{ID: "r", Alg: pow.AgePQ}}},
		Relays:       []string{relayA, relayB}, Blossom: []string{serverA, serverB}, Ready: true,
	}
}

func verbs(steps []step) (out []verb) {
	for _, s := range steps {
		out = append(out, s.verb)
	}
	return out
}

// has tells whether a step is planned for a moment not after at.
func has(steps []step, v verb, at time.Time) bool {
	return slices.ContainsFunc(steps, func(s step) bool { return s.verb == v && !s.at.After(at) })
}

func TestPlanStates(t *testing.T) {
	queued := pow.Delivery{State: pow.Queued}
	reseal := onItsWay()
	reseal.State = pow.Queued
	notice := onItsWay()
	notice.State = pow.Sealing
	unwrapped := onItsWay()
	unwrapped.State, unwrapped.Letter = pow.Uploaded, nil
	unfinished := onItsWay()
	unfinished.State, unfinished.Receipt = pow.Booked, &pow.Receipt{Code: pow.CodeBooked}
	final := onItsWay()
	attention(&final, pow.CodeBadNotice, t0)
	noKeys := pow.Delivery{State: pow.Queued}
	attention(&noKeys, codeNoRecipient, t0)
	for name, row := range map[string]struct {
		d    pow.Delivery
		want []verb
	}{
		"queued":             {queued, []verb{doSeal}},
		"to be sealed again": {reseal, []verb{doReseal}},
		"enough copies":      {notice, []verb{doNotice}},
		"no letter yet":      {unwrapped, []verb{doWrap}},
		"unfinished erasure": {unfinished, []verb{doEndLife}},
		"attention":          {final, nil},
		"keys came back":     {noKeys, []verb{doResume}},
	} {
		if got := verbs(plan(row.d, team(), t0)); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
	expired := team()
	expired.Announcement.Recipients = nil
	if got := plan(noKeys, expired, t0); got != nil {
		t.Errorf("no usable key: %v", got)
	}
}

func TestPlanCopies(t *testing.T) {
	d := pow.Delivery{State: pow.Sealing, Statement: &pow.Statement{}, Updated: t0}
	urls := func(tm Team, now time.Time) (out []string) {
		for _, s := range plan(d, tm, now) {
			if s.verb == doUpload && !s.at.After(now) {
				out = append(out, s.url)
			}
		}
		return out
	}
	one, two := team(), team()
	two.Announcement.Copies = 2
	if got := urls(one, t0); !slices.Equal(got, []string{serverA}) {
		t.Errorf("one copy: %v", got)
	}
	if got := urls(one, t0.Add(hedge)); !slices.Equal(got, []string{serverA, serverB}) {
		t.Errorf("the first is slow: %v", got)
	}
	if got := urls(two, t0); !slices.Equal(got, []string{serverA, serverB}) {
		t.Errorf("two copies: %v", got)
	}
	d.Servers = []pow.Place{{URL: serverA, State: pow.PlaceWait, Next: t0.Add(time.Hour)}}
	if got := urls(one, t0); !slices.Equal(got, []string{serverB}) {
		t.Errorf("the first is down: %v", got)
	}
	d.Servers = []pow.Place{{URL: serverA, State: pow.PlaceDone}}
	if got := urls(two, t0); !slices.Equal(got, []string{serverB}) {
		t.Errorf("one is there: %v", got)
	}
}

// TestPlanResend is the clock of protocol §4.6.
func TestPlanResend(t *testing.T) {
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	d := onItsWay()
	for _, row := range []struct {
		after time.Duration
		verb  verb
		want  bool
	}{
		{time.Minute, doPublish, true}, // relay b: the same bytes
		{time.Minute, doWrap, false},
		{61 * time.Minute, doPublish, false},
		{61 * time.Minute, doWrap, true}, // relay b: too old to be sent
		{5 * time.Hour, doProbe, false},
		{6 * time.Hour, doProbe, true},
		{23 * time.Hour, doRewrap, false},
		{24 * time.Hour, doRewrap, true},
		{13 * 24 * time.Hour, doSilence, false},
		{14 * 24 * time.Hour, doSilence, true},
	} {
		if got := has(plan(d, team(), at(row.after)), row.verb, at(row.after)); got != row.want {
			t.Errorf("after %v: %d planned %v", row.after, row.verb, got)
		}
	}
	receiptArrived(&d, receipt(pow.CodeReceived), t0)
	if late := at(71 * time.Hour); has(plan(d, team(), late), doRewrap, late) || has(plan(d, team(), late), doProbe, late) || has(plan(d, team(), late), doWrap, late) {
		t.Error("the DVM has it: nothing for 72 h")
	}
	if late := at(72 * time.Hour); !has(plan(d, team(), late), doRewrap, late) {
		t.Error("no re-wrap after 72 h")
	}
	silent := onItsWay()
	attention(&silent, codeSilent, at(silence))
	if late := at(silence); !has(plan(silent, team(), late), doRewrap, late) {
		t.Error("re-wrapping goes on in Attention after 14 days")
	}
}

func TestPlanAsks(t *testing.T) {
	d := pow.Delivery{State: pow.Accepted, Receipt: &pow.Receipt{Code: pow.CodeAccepted, CreatedAt: t0}}
	asks := func(after time.Duration) bool { return has(plan(d, team(), t0.Add(after)), doAsk, t0.Add(after)) }
	if asks(47*time.Hour) || !asks(48*time.Hour) {
		t.Error("asked after 48 h")
	}
	d.Next = t0.Add(72 * time.Hour)
	if asks(71*time.Hour) || !asks(72*time.Hour) {
		t.Error("then daily")
	}
	d.Next = t0.Add(askAfter + askFor + time.Hour)
	if asks(400 * 24 * time.Hour) {
		t.Error("for 14 days")
	}
	d.Next, d.Receipt = time.Time{}, &pow.Receipt{Code: pow.CodeParked, CreatedAt: t0}
	if asks(72 * time.Hour) {
		t.Error("parked is an answer")
	}
}

func TestPause(t *testing.T) {
	full := func(d time.Duration) time.Duration { return d - 1 }
	apart := Team{Relays: []string{"wss://relay.example"}, Blossom: []string{"https://blobs.example"}}
	oneHub := Team{Relays: []string{"wss://relay.example", "wss://hub.example"}, Blossom: []string{"https://hub.example:8443"}}
	if got := pause(pow.Delivery{}, apart, full); got != maxPause {
		t.Errorf("by itself: %v", got)
	}
	if got := pause(pow.Delivery{Hurry: true}, apart, full); got != 0 {
		t.Errorf("in a hurry: %v", got)
	}
	if got := pause(pow.Delivery{}, oneHub, full); got != 0 {
		t.Errorf("one hub: %v", got)
	}
}
