package archive_test

import (
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/event"
)

// Each tag stands in its place, once, with one plain value.
func TestBadStatement(t *testing.T) {
	_, good, err := archive.Sign(author, pow.Statement{Device: device, DVM: dvm, Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Project: "3f6c1d2e9a0b4c5d",
		KimaiActivity: "7b1e0f42c3d85a96", Seq: 2, Prev: pow.Hash{1}, Interval: proof(t).Interval, Root: pow.Hash{2}}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	set := func(i int, v string) func(*event.Event) { return func(e *event.Event) { e.Tags[i][1] = v } }
	for id, change := range map[string]func(*event.Event){
		"kind": func(e *event.Event) { e.Kind = 1 }, "content": func(e *event.Event) { e.Content = "x" }, "time": func(e *event.Event) { e.CreatedAt = 1 << 52 },
		"twice": func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[6]) }, "extra": func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"x", "y"}) },
		"missing": func(e *event.Event) { e.Tags = e.Tags[:10] }, "order": func(e *event.Event) { e.Tags[2], e.Tags[3] = e.Tags[3], e.Tags[2] },
		"long": func(e *event.Event) { e.Tags[0] = append(e.Tags[0], "wss://x") }, "short": func(e *event.Event) { e.Tags[5] = event.Tag{"session"} },
		"no tags": func(e *event.Event) { e.Tags = event.Tags{} }, "no p": func(e *event.Event) { e.Tags = e.Tags[1:] }, "two v": func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"v", "1"}) },
		"p": set(0, strings.Repeat("A", 64)), "device": set(2, "ab"), "project": set(3, "X"), "activity": set(4, ""), "session": set(5, "01jd5v3w8q4n2z7k9t6m1b0xya"),
		"seq 0": set(6, "0"), "seq +": set(6, "+2"), "seq 02": set(6, "02"), "seq 1": set(6, "1"), "seq large": set(6, "9223372036854775808"), "seq float": set(6, "2.0"), "seq empty": set(6, ""),
		"prev 0": set(7, strings.Repeat("0", 64)), "prev": set(7, "00"), "from": set(8, "-1"), "from = to": set(8, "1795190610"), "to": set(9, "1795190009"), "to large": set(9, "1099511627776"), "root": set(10, "zz"),
	} {
		t.Run(id, func(t *testing.T) {
			if _, err := archive.ParseStatement(resign(t, good, change)); !isCode(err, pow.CodeStatementInvalid) {
				t.Errorf("%v", err)
			}
		})
	}
	for id, b := range map[string]string{
		"id":        strings.Replace(string(good), `"id":"`, `"id":"0`, 1),
		"signature": strings.Replace(string(good), `"sig":"`, `"sig":"00`, 1)[:len(good)-2] + `"}`,
		"tag":       strings.Replace(string(good), `"seq","2"`, `"seq","3"`, 1),
		"space":     strings.Replace(string(good), `,"`, `, "`, 1),
		"reordered": strings.Replace(strings.Replace(string(good), `"content":"",`, ``, 1), `{`, `{"content":"",`, 1),
		"member":    strings.Replace(string(good), `{`, `{"x":1,`, 1),
		"empty":     "", "null": "null",
	} {
		if _, err := archive.ParseStatement([]byte(b)); !isCode(err, pow.CodeStatementInvalid) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := archive.ParseStatement(good); err != nil {
		t.Error("the good case: ", err)
	}
}

// A Signer that signs with another key than it says, or not at all, is noticed.
func TestBadSigner(t *testing.T) {
	s := pow.Statement{Device: device, DVM: dvm, Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Project: "3f6c1d2e9a0b4c5d", Seq: 1, Interval: proof(t).Interval}
	for _, by := range []archive.Signer{liar{author}, idle{author}} {
		if _, _, err := archive.Sign(by, s, sealed); !isCode(err, pow.CodeStatementInvalid) {
			t.Errorf("%T: %v", by, err)
		}
	}
}

type liar struct{ signer }

func (liar) Public() pow.Key { return other.Public() }

type idle struct{ signer }

func (idle) Sign(*event.Event) error { return nil }
