package pow_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pow.do/services/pow"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"mailbox full":                       "mailbox full",
		" two\r\n lines\t":                   "two   lines",
		"\x1b[31mred\x07\x00":                "[31mred",
		"gnp\u202eexe.png\u2066\u200b\ufeff": "gnpexe.png",
		"a\u2028b\u2029c":                    "abc",
		"bad \xff\xfe bytes":                 "bad  bytes",
		"größer 🎉":                           "größer 🎉",
		strings.Repeat("ä", 500):             strings.Repeat("ä", 200),
	} {
		if got := pow.Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\u202eb\n\x00")
	f.Fuzz(func(t *testing.T, s string) {
		got := pow.Clean(s)
		if utf8.RuneCountInString(got) > 200 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b\u202e\u2066") {
			t.Errorf("%q is not clean", got)
		}
	})
}
