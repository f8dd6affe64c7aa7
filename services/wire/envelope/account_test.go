package envelope_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

const enrolTime = 1_795_100_160

func vectorEnrol() pow.Account {
	return pow.Account{DVM: dvm.Public(), Action: "enrol", Device: device.Public(), Ann: 12, Claim: strings.Repeat("Wlpa", 10) + "Wlo",
		Name: "Anna's laptop", Policy: sum("policy"), App: "powdo/1.0.0"}
}

func openAccount(t *testing.T, r envelope.Reader, seal []byte, err error) (pow.Mail, error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	l, err := fixed(6, enrolTime, enrolTime-100, enrolTime+30*86_400, oneTime[1]).Wrap(seal, dvm.Public(), at(enrolTime))
	if err != nil {
		t.Fatal(err)
	}
	return r.Open(l.JSON, at(enrolTime))
}

func TestEnrol(t *testing.T) {
	id, seal, err := fixed(5, enrolTime, enrolTime-50, 0, oneTime[1]).SealAccount(member, device, vectorEnrol(), at(enrolTime))
	golden(t, "enrol.seal.json", string(seal))
	r := dvmReader()
	r.Allow = nil
	asked := pow.Key{}
	r.Enrol = func(k pow.Key) bool { asked = k; return true }
	m, err := openAccount(t, r, seal, err)
	if err != nil || m.Bad != "" || asked != member.Public() {
		t.Fatal(m.Bad, err)
	}
	want := vectorEnrol()
	want.ID, want.Author, want.CreatedAt, want.Bound = id, member.Public(), at(enrolTime), true
	if d := cmp.Diff(&want, m.Account); d != "" {
		t.Error(d)
	}
	r.Enrol = func(pow.Key) bool { return false }
	if _, err := openAccount(t, r, seal, nil); !rejected(err, 6, "author") {
		t.Errorf("lane closed: %v", err)
	}
}

// A stranger may ask to enrol and nothing else, however well formed.
func TestEnrolLane(t *testing.T) {
	r := dvmReader()
	r.Allow, r.Enrol = nil, func(pow.Key) bool { return true }
	if _, err := r.Open(forgery{}.letter(t), at(noticeTime)); !rejected(err, 6, "not an enrolment") {
		t.Errorf("Notice: %v", err)
	}
	_, seal, err := envelope.SealAccount(member, identity.Secret{}, pow.Account{DVM: dvm.Public(), Action: "catalogue", Device: device.Public()}, at(enrolTime))
	if _, err := openAccount(t, r, seal, err); !rejected(err, 6, "not an enrolment") {
		t.Errorf("catalogue: %v", err)
	}
	bad := &event.Event{Kind: 5941, Tags: event.Tags{{"p", dvm.Public().String()}, {"v", "1"}, {"param", "action", "enrol"}}, Content: "{}"}
	_, seal, err = fixed(5, enrolTime, enrolTime-50, 0, oneTime[1]).Seal(member, dvm.Public(), bad, at(enrolTime))
	if _, err := openAccount(t, r, seal, err); !rejected(err, 6, "not an enrolment") {
		t.Errorf("bad enrol: %v", err)
	}
}

func TestOtherActions(t *testing.T) {
	for _, a := range []pow.Account{
		{Action: "catalogue"}, {Action: "status", Session: ulid}, {Action: "remove-device", Target: oneTime[1].Public()}, {Action: "leave"}, {Action: "erase"}, {Action: "export", Ann: 3},
	} {
		a.DVM, a.Device = dvm.Public(), device.Public()
		id, seal, err := envelope.SealAccount(member, identity.Secret{}, a, at(enrolTime))
		m, err := openAccount(t, dvmReader(), seal, err)
		a.ID, a.Author, a.CreatedAt = id, member.Public(), at(enrolTime)
		if d := cmp.Diff(&a, m.Account); d != "" || err != nil || m.Device != a.Device {
			t.Errorf("%s: %v %s", a.Action, err, d)
		}
	}
	for name, a := range map[string]pow.Account{
		"no session": {Action: "status"}, "no target": {Action: "remove-device"}, "action": {Action: "Enrol!"}, "no action": {}, "enrol without announcement": {Action: "enrol"},
	} {
		a.DVM, a.Device = dvm.Public(), device.Public()
		if _, _, err := envelope.SealAccount(member, device, a, at(enrolTime)); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	if _, _, err := envelope.SealAccount(member, oneTime[1], vectorEnrol(), at(enrolTime)); err == nil {
		t.Error("bound with another device's key")
	}
}

func TestEnrolContent(t *testing.T) {
	binding := func(k identity.Secret, who, to pow.Key, when int64, change func(*event.Event)) json.RawMessage {
		e := &event.Event{Kind: 25941, CreatedAt: event.Timestamp(when), Tags: event.Tags{{"p", to.String()}, {"identity", who.String()}, {"v", "1"}}}
		if change != nil {
			change(e)
		}
		if err := signZero(k, e); err != nil {
			t.Fatal(err)
		}
		return event.Marshal(e)
	}
	broken := func(change func(*event.Event)) json.RawMessage {
		e, err := event.Parse(binding(device, member.Public(), dvm.Public(), enrolTime, nil))
		if err != nil {
			t.Fatal(err)
		}
		change(e)
		return event.Marshal(e)
	}
	good := binding(device, member.Public(), dvm.Public(), enrolTime, nil)
	week := int64(7 * 24 * time.Hour / time.Second)
	for name, c := range map[string]struct {
		content any
		bound   bool
		bad     string
	}{
		"good": {map[string]any{"binding": good}, true, ""}, "a week old": {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime-week, nil)}, true, ""},
		"older": {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime-week-1, nil)}, false, ""}, "later": {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime+week+1, nil)}, false, ""},
		"other device": {map[string]any{"binding": binding(oneTime[1], member.Public(), dvm.Public(), enrolTime, nil)}, false, ""}, "other member": {map[string]any{"binding": binding(device, oneTime[1].Public(), dvm.Public(), enrolTime, nil)}, false, ""},
		"other DVM": {map[string]any{"binding": binding(device, member.Public(), oneTime[1].Public(), enrolTime, nil)}, false, ""}, "kind": {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime, func(e *event.Event) { e.Kind = 1 })}, false, ""},
		"content":   {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime, func(e *event.Event) { e.Content = "x" })}, false, ""},
		"two p":     {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime, func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[0]) })}, false, ""},
		"v":         {map[string]any{"binding": binding(device, member.Public(), dvm.Public(), enrolTime, func(e *event.Event) { e.Tags[2][1] = "2" })}, false, ""},
		"id":        {map[string]any{"binding": broken(func(e *event.Event) { e.ID = noticeID })}, false, ""},
		"signature": {map[string]any{"binding": broken(func(e *event.Event) { e.Sig = strings.Repeat("1", 128) })}, false, ""},
		"none":      {map[string]any{}, false, ""}, "null": {map[string]any{"binding": nil}, false, ""}, "not an object": {map[string]any{"binding": 1}, false, ""}, "array": {[]any{}, false, "content"},
		"long name": {map[string]any{"binding": good, "name": strings.Repeat("x", 41)}, false, "content"}, "name with control": {map[string]any{"binding": good, "name": "a\x1bb"}, false, "content"},
		"policy": {map[string]any{"binding": good, "policy": "x"}, true, "policy"}, "long claim": {map[string]any{"binding": good, "claim": strings.Repeat("x", 65)}, false, "content"},
	} {
		b, err := json.Marshal(c.content)
		if err != nil {
			t.Fatal(err)
		}
		e := &event.Event{Kind: 5941, Content: string(b), Tags: event.Tags{{"p", dvm.Public().String()}, {"v", "1"},
			{"param", "action", "enrol"}, {"param", "device", device.Public().String()}, {"param", "ann", "12"}}}
		_, seal, err := fixed(5, enrolTime, enrolTime-50, 0, oneTime[1]).Seal(member, dvm.Public(), e, at(enrolTime))
		m, err := openAccount(t, dvmReader(), seal, err)
		if err != nil || m.Bad != c.bad || m.Device != device.Public() {
			t.Errorf("%s: bad %q, %v", name, m.Bad, err)
		} else if c.bad == "" && m.Account.Bound != c.bound {
			t.Errorf("%s: bound %v", name, m.Account.Bound)
		}
	}
}
