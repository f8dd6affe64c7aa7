package envelope_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

func vectorAnnouncement(t testing.TB) pow.Announcement {
	t.Helper()
	k, err := identity.ParseArchiveKey("AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU")
	if err != nil {
		t.Fatal(err)
	}
	return pow.Announcement{
		Name: "Studio Nord", About: "Time and proof of work of Studio Nord", Revision: 12,
		Recipients: []pow.Recipient{k.Recipient(at(1_793_000_000), at(1_798_000_000))},
		Relays:     []string{"wss://hub.example.com"}, Blossom: []string{"https://hub.example.com", "https://blobs.example.org"}, Copies: 1,
		Limits: pow.DefaultLimits, PolicyText: "What is captured,\nwho sees it, how long it is kept …", PolicyLang: "en",
	}
}

func TestVectorAnnouncement(t *testing.T) {
	want := vectorAnnouncement(t)
	b, err := fixed(0, 0, 0, 0, oneTime[1]).Announce(dvm, want, at(1_795_000_000))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "announcement.json", string(b))
	got, err := envelope.ReadAnnouncement(b, dvm.Public())
	if err != nil {
		t.Fatal(err)
	}
	e, _ := event.Parse(b)
	want.ID, want.DVM, want.PolicyHash = event.ID(e), dvm.Public(), sum(want.PolicyText)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := envelope.ReadAnnouncement(b, member.Public()); !errors.Is(err, envelope.ErrNotPinned) {
		t.Errorf("another DVM: %v", err)
	}
}

func TestAnnounceHybrid(t *testing.T) {
	k, err := identity.NewArchiveKey(pow.AgePQ)
	if err != nil {
		t.Fatal(err)
	}
	a := vectorAnnouncement(t)
	a.Recipients = append([]pow.Recipient{k.Recipient(at(1_793_000_000), time.Time{})}, a.Recipients...)
	b, err := envelope.Announce(dvm, a, at(1_795_000_000))
	if err != nil {
		t.Fatal(err)
	}
	got, err := envelope.ReadAnnouncement(b, dvm.Public())
	if d := cmp.Diff(a.Recipients, got.Recipients); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestAnnounceRefuses(t *testing.T) {
	for name, change := range map[string]func(*pow.Announcement){
		"revision": func(a *pow.Announcement) { a.Revision = 0 }, "no relay": func(a *pow.Announcement) { a.Relays = nil }, "relay": func(a *pow.Announcement) { a.Relays[0] += "/" },
		"copies": func(a *pow.Announcement) { a.Copies = 3 }, "limit": func(a *pow.Announcement) { a.Limits.Sealed = pow.MaxSealed + 1 }, "proof": func(a *pow.Announcement) { a.Limits.Proof = 0 },
		"policy": func(a *pow.Announcement) { a.PolicyText = strings.Repeat("x", 16<<10+1) }, "recipient id": func(a *pow.Announcement) { a.Recipients[0].ID = "5f0c2a91b3d4e6f7" },
		"recipient algorithm": func(a *pow.Announcement) { a.Recipients[0].Alg = pow.AgePQ }, "OpenPGP": func(a *pow.Announcement) { a.Recipients[0].Alg = pow.OpenPGP },
		"recipient times": func(a *pow.Announcement) { a.Recipients[0].Expires = a.Recipients[0].NotBefore },
	} {
		a := vectorAnnouncement(t)
		change(&a)
		if b, err := envelope.Announce(dvm, a, at(1_795_000_000)); err == nil || b != nil {
			t.Errorf("%s: announced", name)
		}
	}
}

func TestReadAnnouncementRefuses(t *testing.T) {
	b, err := envelope.Announce(dvm, vectorAnnouncement(t), at(1_795_000_000))
	if err != nil {
		t.Fatal(err)
	}
	content := func(change func(map[string]any)) func(*event.Event) {
		return func(e *event.Event) {
			var m map[string]any
			if err := json.Unmarshal([]byte(e.Content), &m); err != nil {
				t.Fatal(err)
			}
			change(m["powdo"].(map[string]any))
			text, _ := json.Marshal(m)
			e.Content = string(text)
		}
	}
	for name, c := range map[string]struct {
		change func(*event.Event)
		after  func(*event.Event)
		want   error
	}{
		"kind": {change: func(e *event.Event) { e.Kind = 30_078 }, want: envelope.ErrAnnouncement}, "d": {change: func(e *event.Event) { e.Tags[0][1] = "x" }, want: envelope.ErrAnnouncement},
		"two d": {change: func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[0]) }, want: envelope.ErrAnnouncement}, "v": {change: func(e *event.Event) { e.Tags[2][1] = "2" }, want: pow.ErrVersion},
		"no v": {change: func(e *event.Event) { e.Tags[2][0] = "z" }, want: envelope.ErrAnnouncement}, "rev": {change: func(e *event.Event) { e.Tags[3][1] = "13" }, want: envelope.ErrAnnouncement},
		"content": {change: func(e *event.Event) { e.Content = "x" }, want: envelope.ErrAnnouncement}, "inner v": {change: content(func(m map[string]any) { m["v"] = 2 }), want: pow.ErrVersion},
		"notice 2": {change: content(func(m map[string]any) { m["notice"] = []int{2} }), want: pow.ErrVersion}, "policy": {change: content(func(m map[string]any) { m["policy"] = map[string]any{"sha256": noticeID, "text": "x"} }), want: envelope.ErrAnnouncement},
		"blossom": {change: content(func(m map[string]any) { m["blossom"] = []string{"https://x/y"} }), want: envelope.ErrAnnouncement},
		"id":      {after: func(e *event.Event) { e.ID = noticeID }, want: event.ErrID}, "signature": {after: func(e *event.Event) { e.Sig = strings.Repeat("1", 128) }, want: event.ErrSignature},
	} {
		e, _ := event.Parse(b)
		if c.change != nil {
			c.change(e)
		}
		if err := signZero(dvm, e); err != nil {
			t.Fatal(err)
		}
		if c.after != nil {
			c.after(e)
		}
		if _, err := envelope.ReadAnnouncement(event.Marshal(e), dvm.Public()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := envelope.ReadAnnouncement(append(b, make([]byte, 65_536)...), dvm.Public()); !errors.Is(err, envelope.ErrAnnouncement) {
		t.Errorf("long: %v", err)
	}
}

// An announcement may name keys of a kind that this program does not know yet,
// or that would have to be fetched: the others stay usable.
func TestAnnouncementUnknownRecipients(t *testing.T) {
	b, err := envelope.Announce(dvm, vectorAnnouncement(t), at(1_795_000_000))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := event.Parse(b)
	e.Content = strings.Replace(e.Content, `"recipients":[`, `"recipients":[{"id":"x","alg":"of-later","key":"y","nbf":1},{"id":"77b1d0c9a8e2f345","alg":"openpgp","url":"https://x.example/key","nbf":1},`, 1)
	if err := signZero(dvm, e); err != nil {
		t.Fatal(err)
	}
	a, err := envelope.ReadAnnouncement(event.Marshal(e), dvm.Public())
	if err != nil || len(a.Recipients) != 1 {
		t.Errorf("%+v %v", a.Recipients, err)
	}
}

func FuzzReadAnnouncement(f *testing.F) {
	b, err := envelope.Announce(dvm, vectorAnnouncement(f), at(1_795_000_000))
	if err != nil {
		f.Fatal(err)
	}
	e, _ := event.Parse(b)
	f.Add(e.Content)
	f.Fuzz(func(t *testing.T, content string) {
		e := &event.Event{Kind: 31990, CreatedAt: 1, Content: content, Tags: event.Tags{{"d", "powdo"}, {"v", "1"}, {"rev", "12"}}}
		if err := signZero(dvm, e); err != nil {
			t.Fatal(err)
		}
		if a, err := envelope.ReadAnnouncement(event.Marshal(e), dvm.Public()); err == nil && a.Revision != 12 {
			t.Fatalf("%+v", a)
		}
	})
}
