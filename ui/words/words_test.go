package words_test

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

func english(t *testing.T) {
	t.Helper()
	test.NewTempApp(t)
	if err := words.Load("en"); err != nil {
		t.Fatal(err)
	}
}

func TestFormats(t *testing.T) {
	english(t)
	now := time.Date(2026, 11, 20, 10, 14, 7, 0, time.Local)
	for _, c := range []struct{ got, want string }{
		{words.Duration(0), "0 min"},
		{words.Duration(20 * time.Second), "20 s"},
		{words.Duration(time.Hour), "1 h"},
		{words.Duration(70*time.Minute + 7*time.Second), "1 h 10 min"},
		{words.Clock(70*time.Minute + 7*time.Second), "1:10:07"},
		{words.Clock(-time.Second), "0:00:00"},
		{words.Short(70 * time.Minute), "1:10"},
		{words.Size(999), "999 B"},
		{words.Size(1_234_567), "1.2 MB"},
		{words.When(now, now), "10:14"},
		{words.When(now.AddDate(0, 0, -3), now), "Tue 17 Nov 10:14"},
		{words.Span(now, now.Add(time.Hour), now), "10:14–11:14"},
		{words.Ago(30 * time.Second), "just now"},
		{words.Ago(4*time.Minute + 59*time.Second), "4 min ago"},
		{words.Key("npub1qqqsyqcyq5rqwzqfpg9"), "npub1qqqsyqc…zqfpg9"},
		{words.Hosts([]string{"wss://a.example/x", "https://b.example"}, []string{"https://a.example"}), "a.example, b.example"},
		{words.Count(0), ""},
		{words.Count(1000), "999+"},
		{words.N("timer.held", 1), "1 picture waits for you. Nothing has left this computer."},
		{words.N("timer.held", 7), "7 pictures wait for you. Nothing has left this computer."},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// What others wrote may not turn, break or flood the screen.
func TestForeignTextIsTamed(t *testing.T) {
	for in, want := range map[string]string{
		"Acme\nGmbH\x00":        "Acme GmbH",
		"\u202eevil\u2066 name": "evil name",
		strings.Repeat("ä", 81): strings.Repeat("ä", 80) + "…",
		"  plain  ":             "plain",
	} {
		if got := words.Name(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzForeign(f *testing.F) {
	f.Add("a\u202eb\n\x07")
	f.Add(strings.Repeat("x", 500))
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, s string) {
		got := []rune(words.Foreign(s))
		if len(got) > 201 {
			t.Errorf("%d runes", len(got))
		}
		for _, r := range got {
			if r < ' ' || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q is left", r)
			}
		}
	})
}

// Every state has its own icon and its own word: none is told by colour.
func TestStatesDifferInShapeAndWord(t *testing.T) {
	for _, language := range words.Languages {
		test.NewTempApp(t)
		if err := words.Load(language); err != nil {
			t.Fatal(err)
		}
		icons, texts := map[theme.IconName]bool{}, map[string]bool{}
		check := func(m words.Mark) {
			if icons[m.Icon] || texts[m.Word] || m.Word == "" || strings.Contains(m.Word, ".") {
				t.Errorf("%s: %+v is not a state of its own", language, m)
			}
			icons[m.Icon], texts[m.Word] = true, true
		}
		for _, s := range pow.States {
			check(words.Proof(s, ""))
		}
		check(words.Proof(pow.Accepted, pow.CodeParked))
		check(words.Entry("held"))
		for _, s := range []pow.TimerState{pow.Stopped, pow.Tracking, pow.Paused, pow.Idle} {
			check(words.Timer(s, ""))
		}
		check(words.Timer(pow.Paused, "off-record"))
	}
}

func TestConnection(t *testing.T) {
	english(t)
	link := func(states ...string) (c []pow.Connection) {
		for _, s := range states {
			c = append(c, pow.Connection{State: s})
		}
		return c
	}
	for _, c := range []struct {
		relays []pow.Connection
		want   string
	}{
		{nil, "No servers yet"},
		{link("online", "online"), "Online"},
		{link("online", "connecting", "offline"), "Partly online, 1 of 3"},
		{link("offline", "connecting"), "Offline"},
		{link("refused", "offline"), "Refused"},
	} {
		if got := words.Connection(c.relays).Word; got != c.want {
			t.Errorf("%v: %q, want %q", c.relays, got, c.want)
		}
	}
}

// Every code that a Receipt can carry has a sentence, so that nobody reads a code.
func TestEveryRefusalHasASentence(t *testing.T) {
	english(t)
	for _, c := range []pow.Code{pow.CodeRejected, pow.CodeBlobUnavailable, pow.CodeHashMismatch, pow.CodeBusy,
		pow.CodeInternal, pow.CodeStorageFull, pow.CodeFuture, pow.CodeNotMember, pow.CodeMemberSuspended,
		pow.CodeDeviceUnknown, pow.CodeBadNotice, pow.CodeUnsupported, pow.CodeRecipientExpired, pow.CodeDecryptFailed,
		pow.CodeArchiveInvalid, pow.CodeStatementInvalid, pow.CodeMismatch, pow.CodeStatementConflict, pow.CodeDuplicateBlob,
		pow.CodePolicyViolation, pow.CodeTooLarge, pow.CodeTooLong, pow.CodeClaimInvalid, pow.CodeClaimUsed,
		pow.CodeIdentityMismatch, pow.CodeDeviceBound, pow.CodeRefused, pow.CodePolicyChanged, pow.CodeNotFound} {
		s, ok := words.Code(c, words.Data{"Team": "Nord", "Time": ""})
		if !ok || strings.Contains(s, "{{") || strings.Contains(s, "<no value>") {
			t.Errorf("%s: %q", c, s)
		}
	}
	for _, e := range []*pow.Error{pow.ErrUsage, pow.ErrNoKey, pow.ErrNoTeam, pow.ErrLocked, pow.ErrTimeout, pow.ErrNoAgent,
		pow.ErrInUse, pow.ErrNotFound, pow.ErrNotTracking, pow.ErrUnknownProject, pow.ErrAmbiguous, pow.ErrNothingHeld,
		pow.ErrNoDisplay, pow.ErrForbidden, pow.ErrDiskFull, pow.ErrNotAdmitted, pow.ErrOffline} {
		if !words.Has("error." + string(e.Code)) {
			t.Errorf("%s has no sentence", e.Code)
		}
	}
	if words.Parked("no such reason", nil) != "Waits for your admin." {
		t.Error("an unknown reason has no sentence")
	}
}
