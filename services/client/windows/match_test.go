package windows_test

import (
	"strings"
	"testing"

	"pow.do/services/client/windows"
	"pow.do/services/pow"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "anything", true}, {"?", "", false}, {"?", "ß", true},
		{"*bank*", "My Bank — Firefox", true}, {"*BANK*", "online-bänk", false}, {"bank", "my bank", false}, {"bank*", "Banking", true},
		{"*.kdbx*", "private.kdbx - KeePassXC", true}, {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYbZ", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"*ÄRZTE*", "die ärzte", true}, {"[x]", "[X]", true}, {"*ſ*", "S", true}, {"K", "\u212a", true},
	} {
		if got := windows.Glob(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.s, got)
		}
	}
	// It must not take for ever.
	windows.Glob(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 4000))
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*", "\xff\xfe")
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 200 || len(s) > 2000 {
			return
		}
		if !windows.Glob("*", s) || !windows.Glob("*"+p, s) && windows.Glob(p, s) {
			t.Errorf("%q %q", p, s)
		}
	})
}

func TestMatch(t *testing.T) {
	keepass := windows.Window{Class: "KeePassXC", Instance: "keepassxc", Program: "keepassxc", Title: "private.kdbx"}
	other := windows.Window{Class: "Navigator", Program: "firefox-esr", Title: "Acme — Mozilla Firefox"}
	secret := windows.Window{Class: "firefox", Title: "Bank", Private: true}
	for _, c := range []struct {
		rule   pow.Exclusion
		w      windows.Window
		want   bool
		reason pow.SkipReason
	}{
		{pow.Exclusion{App: "keepassxc"}, keepass, true, pow.SkipApp},
		{pow.Exclusion{App: "KeePassXC.exe"}, keepass, true, pow.SkipApp},
		{pow.Exclusion{App: "keepass"}, keepass, false, ""}, // whole names only
		{pow.Exclusion{App: "FIREFOX-ESR"}, other, true, pow.SkipApp},
		{pow.Exclusion{App: " navigator "}, other, true, pow.SkipApp},
		{pow.Exclusion{Title: "*acme*"}, other, true, pow.SkipTitle},
		{pow.Exclusion{Title: "acme"}, other, false, ""},
		{pow.Exclusion{Private: true}, other, false, ""},
		{pow.Exclusion{Private: true}, secret, true, pow.SkipPrivate},
		{pow.Exclusion{}, secret, false, ""},
		{pow.Exclusion{App: ".exe"}, windows.Window{}, false, ""},
	} {
		rule, got := windows.Match([]pow.Exclusion{{App: "nobody"}, c.rule}, c.w)
		if got != c.want || got && (rule != c.rule || windows.Reason(rule) != c.reason) {
			t.Errorf("%+v on %q: %v", c.rule, c.w.App(), got)
		}
	}
}
