package envelope_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
)

// Bad Notices of an author who may write: mail, but marked.
func TestNoticeBad(t *testing.T) {
	first := func(e *event.Event, name string) event.Tag {
		for _, tag := range e.Tags {
			if tag[0] == name || tag[0] == "param" && tag[1] == name {
				return tag
			}
		}
		t.Fatal(name)
		return nil
	}
	set := func(name, value string) func(*event.Event) {
		return func(e *event.Event) { tag := first(e, name); tag[len(tag)-1] = value }
	}
	drop := func(name string) func(*event.Event) {
		return func(e *event.Event) { first(e, name)[0] = "was-" + name }
	}
	twice := func(name string) func(*event.Event) {
		return func(e *event.Event) { e.Tags = append(e.Tags, first(e, name)) }
	}
	server := func(s string) func(*event.Event) { return set("server", s) }
	all := map[string]struct {
		change func(*event.Event)
		bad    string
	}{
		"v 2": {set("v", "2"), "unsupported"}, "no v": {drop("v"), "v"}, "two v": {twice("v"), "v"},
		"action new": {set("action", "pause"), "unsupported"}, "action empty": {set("action", ""), "action"},
		"x upper (EV-28)": {func(e *event.Event) { first(e, "x")[1] = strings.ToUpper(first(e, "x")[1]) }, "x"}, "x short (EV-28)": {set("x", "ab"), "x"}, "x zero": {set("x", strings.Repeat("0", 64)), "x"}, "two x": {twice("x"), "two x"},
		"size 0 (EV-29)": {set("size", "0"), "size"}, "size negative (EV-29)": {set("size", "-1"), "size"}, "size 2^63 (EV-29)": {set("size", "9223372036854775808"), "size"}, "size float": {set("size", "1.5"), "size"}, "size +": {set("size", "+1"), "size"}, "size leading zero": {set("size", "0184320"), "size"},
		"archive": {set("archive", "0"), "archive"}, "enc id": {set("enc", "xyz"), "enc"}, "enc short": {func(e *event.Event) {
			first(e, "enc")[0] = "x-enc"
			e.Tags = append(e.Tags, event.Tag{"enc", "age-pq"})
		}, "enc"},
		"server path (EV-27)": {server("https://hub.example.com/x"), "server"}, "server file (EV-27)": {server("file:///etc/passwd"), "server"}, "server user (EV-27)": {server("https://user:pass@hub.example.com"), "server"},
		"server script (EV-27)": {server("javascript:alert(1)"), "server"}, "server long (EV-27)": {server("https://" + strings.Repeat("a", 300)), "server"}, "server http": {server("http://hub.example.com"), "server"}, "server relay": {server("wss://hub.example.com"), "server"},
		"server private http": {server("http://10.0.0.1"), "server"}, "server disguised loopback": {server("http://127.1"), "server"}, "server decimal loopback": {server("http://2130706433"), "server"},
		"no server": {func(e *event.Event) { drop("server")(e); drop("server")(e) }, "no server"}, "five servers": {func(e *event.Event) { twice("server")(e); twice("server")(e); twice("server")(e) }, "server"},
		"statement": {set("statement", "x"), "statement"}, "seq 0": {set("seq", "0"), "seq"}, "two seq": {twice("seq"), "two seq"}, "prev": {set("prev", "x"), "prev"},
		"prev zero": {set("prev", strings.Repeat("0", 64)), "prev"}, "seq 1 with prev": {set("seq", "1"), "prev"},
		"from = to (EV-31)": {set("from", "1795190610"), "from not before to"}, "from > to (EV-31)": {set("from", "1795190611"), "from not before to"}, "to exponent": {set("to", "1e9"), "to"},
		"device": {set("device", "x"), "device"}, "no device": {drop("device"), "no device"}, "project": {set("project", "17"), "project"}, "no project": {drop("project"), "no project"}, "activity": {set("activity", ""), "activity"},
		"session lower": {set("session", "01jd5v3w8q4n2z7k9t6m1b0xya"), "session"}, "no cat": {drop("cat"), "no cat"}, "cat": {set("cat", "-1"), "cat"}, "no pad": {drop("pad"), "no pad"}, "two pads": {twice("pad"), "two pad"},
		"param without value": {func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"param", "at"}, event.Tag{"param", "seq"}) }, "two seq"},
		"no x":                {drop("x"), "x"}, "no seq": {drop("seq"), "no seq"}, "no statement": {drop("statement"), "statement"},
	}
	for name, c := range all {
		m, err := dvmReader().Open(forgery{rumor: c.change}.letter(t), at(noticeTime))
		if err != nil || m.Bad != c.bad || m.Notice != nil || m.Author != member.Public() {
			t.Errorf("%s: bad %q, %v", name, m.Bad, err)
		}
		if want := name != "device" && name != "no device"; m.Device.IsZero() == want {
			t.Errorf("%s: where to answer: %s", name, m.Device)
		}
	}
}

func TestNoticeIgnoresUnknown(t *testing.T) {
	m, err := dvmReader().Open(forgery{rumor: func(e *event.Event) {
		e.Tags = append(event.Tags{{"new"}, {"param"}, {"param", "new", "x"}, {"param", "new", "x"}}, e.Tags...)
		e.Content = "hello"
	}}.letter(t), at(noticeTime))
	if err != nil || m.Bad != "" || m.Notice == nil {
		t.Errorf("%q %v", m.Bad, err)
	}
}

func TestHint(t *testing.T) {
	want := pow.Notice{DVM: dvm.Public(), Action: pow.ActionStart, Device: device.Public(), Project: "3f6c1d2e9a0b4c5d", Session: ulid, At: at(1_795_190_000)}
	id, seal, err := envelope.SealNotice(member, want, at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	l, err := envelope.Wrap(seal, dvm.Public(), at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	m, err := dvmReader().Open(l.JSON, at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	want.ID, want.Author, want.CreatedAt = id, member.Public(), at(noticeTime)
	if d := cmp.Diff(&want, m.Notice); d != "" || !m.Notice.IsHint() {
		t.Error(d)
	}
}

func TestSealNoticeRefuses(t *testing.T) {
	for name, change := range map[string]func(*pow.Notice){
		"server":  func(n *pow.Notice) { n.Servers = []string{"https://hub.example.com/"} },
		"servers": func(n *pow.Notice) { n.Servers = nil }, "extend hint": func(n *pow.Notice) { n.Sealed = pow.Hash{} },
		"seq": func(n *pow.Notice) { n.Seq = 0 }, "interval": func(n *pow.Notice) { n.Interval.To = n.Interval.From }, "action": func(n *pow.Notice) { n.Action = "pause" },
		"dvm": func(n *pow.Notice) { n.DVM = pow.Key{} }, "dvm off the curve": func(n *pow.Notice) { n.DVM = pow.Key{31: 5} }, "session": func(n *pow.Notice) { n.Session = "" },
		"too big": func(n *pow.Notice) {
			n.Servers = []string{"https://" + strings.Repeat(strings.Repeat("a", 60)+".", 4), "", "", ""}
			n.Servers[0] += "example"
			n.Servers[1], n.Servers[2], n.Servers[3] = n.Servers[0], n.Servers[0], n.Servers[0]
			n.Alg = strings.Repeat("x", 500)
		},
	} {
		n := vectorNotice()
		change(&n)
		if _, seal, err := envelope.SealNotice(member, n, at(noticeTime)); err == nil || seal != nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

func TestWrapRefuses(t *testing.T) {
	_, seal, err := envelope.SealNotice(member, vectorNotice(), at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	l, err := envelope.Wrap(seal, dvm.Public(), at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"empty": nil, "a letter": l.JSON, "broken": []byte(strings.Replace(string(seal), `"content":"A`, `"content":"B`, 1)), "other size": []byte(strings.Repeat(" ", 2000) + string(seal))} {
		if _, err := envelope.Wrap(b, dvm.Public(), at(noticeTime)); err == nil {
			t.Errorf("wrapped %s", name)
		}
	}
	if _, err := envelope.Wrap(seal, pow.Key{31: 5}, at(noticeTime)); err == nil {
		t.Error("wrapped for a key off the curve")
	}
}
