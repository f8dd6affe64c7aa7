package pow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxForeign bounds the text of a foreign server, in runes.
const maxForeign = 200

// Clean makes the text of a foreign server fit to be shown and logged: one
// line of at most 200 runes, without control characters and without the format
// characters that turn or hide text (bidi, zero width). It is for people and
// never parsed.
func Clean(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == maxForeign {
			break
		}
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			r = ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co), r == utf8.RuneError:
			continue
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}
