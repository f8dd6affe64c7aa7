package words

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Duration returns 1 h 10 min, or 45 min, or 20 s below a minute.
func Duration(d time.Duration) string {
	d = d.Round(time.Second)
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h > 0 && m > 0:
		return T("format.hours_minutes", Data{"H": h, "M": m})
	case h > 0:
		return T("format.hours", Data{"H": h})
	case m > 0 || d == 0:
		return T("format.minutes", Data{"M": m})
	}
	return T("format.seconds", Data{"S": int(d / time.Second)})
}

// Clock returns 1:10:07.
func Clock(d time.Duration) string {
	s := int(max(0, d) / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Short returns 1:10, without seconds.
func Short(d time.Duration) string {
	m := int(max(0, d) / time.Minute)
	return fmt.Sprintf("%d:%02d", m/60, m%60)
}

// Size returns 1.2 MB, decimal.
func Size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%d kB", bytes/1000)
	}
	return fmt.Sprintf("%d B", bytes)
}

// Time returns 09:02, local.
func Time(t time.Time) string { return t.Local().Format("15:04") }

// Day returns Fri 20 Nov, local.
func Day(t time.Time) string {
	t = t.Local()
	return T("format.day", Data{
		"Weekday": T(fmt.Sprintf("weekday.%d", t.Weekday())),
		"Day":     t.Day(),
		"Month":   T(fmt.Sprintf("month.%d", t.Month())),
	})
}

// When returns 09:02 on the day of now, else Tue 17 Nov 09:02.
func When(t, now time.Time) string {
	if sameDay(t, now) {
		return Time(t)
	}
	return Day(t) + " " + Time(t)
}

// Span returns 09:02–10:14, with the day where it is not today.
func Span(from, to, now time.Time) string {
	s := Time(from) + "–" + Time(to)
	if sameDay(from, now) {
		return s
	}
	return Day(from) + " " + s
}

// Ago returns 4 min ago, or just now.
func Ago(d time.Duration) string {
	if d < time.Minute {
		return T("format.now")
	}
	return T("format.ago", Data{"Duration": Duration(d.Truncate(time.Minute))})
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}

// Key returns the first 12 and the last 6 characters of an npub or a hash.
func Key(s string) string {
	if len(s) <= 20 {
		return s
	}
	return s[:12] + "…" + s[len(s)-6:]
}

// Host returns the host of a server's URL.
func Host(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		return u.Host
	}
	return Foreign(s)
}

// Hosts returns the distinct hosts of URLs, in order.
func Hosts(lists ...[]string) string {
	var out []string
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if h := Host(s); !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	return strings.Join(out, ", ")
}

// The most runes shown of a name that others chose, and of a text they sent.
const (
	mostName = 80
	mostText = 200
)

// Name returns a name that somebody else chose, safe to show: one line, no
// control characters and no characters that turn the reading direction.
func Name(s string) string { return clean(s, mostName) }

// Foreign returns a server's own text, safe to show.
func Foreign(s string) string { return clean(s, mostText) }

func clean(s string, most int) string {
	var out []rune
	for _, r := range s {
		if len(out) == most {
			return string(out) + "…"
		}
		switch {
		case unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			out = append(out, ' ')
		default:
			out = append(out, r)
		}
	}
	return strings.TrimSpace(string(out))
}

// Count returns a number as it is shown in a badge: nothing for zero.
func Count(n int) string {
	switch {
	case n <= 0:
		return ""
	case n > 999:
		return "999+"
	}
	return strconv.Itoa(n)
}
