package project

import (
	"strings"
	"time"
	"unicode"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

// line is one row of the table: a thing that is asked for, in words.
type line struct {
	icon  theme.IconName
	what  string
	value string
	was   string // what was agreed to, where that was something else
}

// asked returns the rows that the team decides, each beside what was agreed to
// before where the terms changed since.
func asked(t pow.Terms) []line {
	team := words.Data{"Team": words.Name(t.Team)}
	list := []line{
		{icon: theme.Picture, what: words.T("project.pictures"), value: pictures(t.Project)},
		{icon: theme.Apps, what: words.T("project.apps"), value: detail(t.Project.Detail)},
		{icon: theme.Look, what: words.T("project.titles"), value: titles(t.Project.Detail)},
		{icon: theme.People, what: words.T("project.readers"), value: words.T("project.readers.text", team)},
		{icon: theme.ClockFace, what: words.T("project.kept"), value: kept(t.Project)},
		{icon: theme.Relay, what: words.T("project.hub"), value: words.T("project.hub.text", words.Data{"Hosts": words.Hosts(t.Relays, t.Blossom)})},
		{icon: theme.OffRecord, what: words.T("project.never"), value: words.T("project.never.text")},
	}
	if t.Agreed == nil || t.Consent != pow.ConsentChanged {
		return list
	}
	for i, was := range []string{pictures(*t.Agreed), detail(t.Agreed.Detail), titles(t.Agreed.Detail), "", kept(*t.Agreed)} {
		if was != list[i].value {
			list[i].was = was
		}
	}
	return list
}

func pictures(p pow.Project) string {
	every := words.Data{"Interval": words.Duration(time.Duration(max(60, p.Interval)) * time.Second)}
	switch p.Pictures {
	case pow.Required:
		return words.T("project.pictures.required", every)
	case pow.Optional:
		return words.T("project.pictures.optional", every)
	}
	return words.T("project.pictures.none")
}

func detail(d pow.Detail) string {
	if words.Has("project.detail." + string(d)) {
		return words.T("project.detail." + string(d))
	}
	return words.T("project.detail.off")
}

func titles(d pow.Detail) string {
	if d == pow.DetailTitle {
		return words.T("project.titles.may")
	}
	return words.T("project.titles.never")
}

func kept(p pow.Project) string {
	if p.Retention <= 0 {
		return words.T("project.kept.unknown")
	}
	return words.N("project.kept.days", p.Retention)
}

// maxPolicy bounds the policy text on the screen, in runes.
const maxPolicy = 20_000

// paragraphs makes a text that the team wrote safe to show and keeps its lines.
func paragraphs(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == maxPolicy {
			b.WriteString("…")
			break
		}
		switch {
		case r == '\n', r == '\t':
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co), r == unicode.ReplacementChar:
			continue
		case unicode.In(r, unicode.Zl, unicode.Zp):
			r = '\n'
		}
		if r == '\t' {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}

// after names a wait of SealAfters.
func after(seconds int) string {
	if seconds == 0 {
		return words.T("project.seal.never")
	}
	return words.T("project.seal.after", words.Data{"Duration": words.Duration(time.Duration(seconds) * time.Second)})
}

func interval(seconds int, p pow.Project) string {
	if seconds == 0 {
		seconds = max(60, p.Interval)
	}
	return words.Duration(time.Duration(seconds) * time.Second)
}
