package windows

import (
	"slices"
	"strings"
	"unicode"

	"pow.do/services/pow"
)

// Match returns the first exclusion that w meets. An app is named whole, in any
// case, by any of the names that its program has; a title's pattern covers the
// whole title, in any case.
func Match(rules []pow.Exclusion, w Window) (rule pow.Exclusion, found bool) {
	for _, r := range rules {
		switch {
		case r.App != "" && w.called(r.App), r.Title != "" && Glob(r.Title, w.Title), r.Private && w.Private:
			return r, true
		}
	}
	return pow.Exclusion{}, false
}

// called tells whether the window's program has this name.
func (w Window) called(name string) bool {
	name = plainName(name)
	return slices.ContainsFunc([]string{w.Class, w.Instance, w.Program}, func(own string) bool {
		return own != "" && fold(plainName(own)) == fold(name)
	})
}

func plainName(s string) string {
	s = strings.TrimSpace(s)
	if n := len(s) - len(".exe"); n > 0 && strings.EqualFold(s[n:], ".exe") {
		return s[:n]
	}
	return s
}

// Reason is why a picture is left out that would show a window which meets r.
func Reason(r pow.Exclusion) pow.SkipReason {
	switch {
	case r.App != "":
		return pow.SkipApp
	case r.Title != "":
		return pow.SkipTitle
	}
	return pow.SkipPrivate
}

// Glob tells whether the whole of s fits the pattern, in any case: * stands for
// any number of characters, ? for one, everything else for itself. It takes time
// in proportion to the product of the lengths, never more.
func Glob(pattern, s string) bool {
	p, text := []rune(fold(pattern)), []rune(fold(s))
	star, mark := -1, 0 // the last * seen, and where its text began to be swallowed
	i, k := 0, 0
	for k < len(text) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, k
			i++
		case i < len(p) && (p[i] == '?' || p[i] == text[k]):
			i, k = i+1, k+1
		case star >= 0:
			mark++
			i, k = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// fold makes letters of all cases one. It keeps the number of runes, so that a
// ? stands for what a person counts.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}

// privateWords are how browsers mark a private window at the end of its title,
// in English, German, Spanish and French.
var privateWords = []string{
	"private browsing", "incognito", "inprivate", "private window",
	"privater modus", "inkognito", "privates fenster", "privates surfen",
	"navegación privada", "incógnito", "ventana privada",
	"navigation privée", "fenêtre privée", "fenêtre de navigation privée",
}

// privatePrograms show nothing but private pages.
var privatePrograms = []string{"Tor Browser", "torbrowser", "Mullvad Browser", "mullvadbrowser"}

// private guesses whether a browser shows private pages in w. The mark stands
// in the last part of the title, where the browser names itself: a page called
// "Incognito" alone is none.
func private(w Window) bool {
	if slices.ContainsFunc(privatePrograms, w.called) {
		return true
	}
	if strings.Contains(w.Title, "[InPrivate]") { // Edge, in every language, before its own name
		return true
	}
	last := w.Title
	for _, dash := range []string{" - ", " — ", " – "} {
		if i := strings.LastIndex(last, dash); i >= 0 {
			last = last[i+len(dash):]
		}
	}
	last = strings.ToLower(last)
	return slices.ContainsFunc(privateWords, func(words string) bool { return strings.Contains(last, words) })
}

// Named is a window of which only a program's name and a title are known, as
// another witness saw it.
func Named(app, title string) Window {
	w := Window{Class: app, Title: title}
	w.Private = private(w)
	return w
}
