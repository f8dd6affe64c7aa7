// Package input judges what a person typed before the agent sees it: whether it
// can be used, and if not, the one sentence that says why.
//
// A Fault is the last part of a locale key (input.FAULT). Nothing is corrected
// behind the person's back except space around the text: what is wrong stays in
// its field, with the sentence below it. The agent judges everything again.
package input

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fault says what is wrong with a text; Fine is nothing.
type Fault string

// The faults.
const (
	Fine       Fault = ""
	Empty      Fault = "empty"
	Long       Fault = "long"    // more than the field takes
	Control    Fault = "control" // characters that cannot be seen or that turn the text around
	NotNumber  Fault = "number"  // not a whole number
	OutOfRange Fault = "range"   // a number that the field does not take
	Address    Fault = "address" // not an address at all
	Scheme     Fault = "scheme"  // another kind of address than the one that is wanted
	Port       Fault = "port"
	Secrets    Fault = "secrets" // a user or password inside an address
	OnlyStars  Fault = "stars"   // a pattern that matches everything
	Twice      Fault = "twice"   // is in the list already
	Link       Fault = "link"    // not an invite link
	Path       Fault = "path"    // not a whole path
	Short      Fault = "short"   // a passphrase of few characters
	Differs    Fault = "differs" // the second is not as the first
	NotTime    Fault = "time"    // not a time of the day
)

// The most that fields take, in runes where it is text.
const (
	MaxName       = 200
	MaxPath       = 4096
	MaxLink       = 8192
	MaxPassphrase = 1024 // bytes
	LeastPhrase   = 10
)

// Line judges one line of text and returns it without space around it.
func Line(s string, most int) (string, Fault) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return s, Empty
	case utf8.RuneCountInString(s) > most:
		return s, Long
	case strings.ContainsFunc(s, unseen) || !utf8.ValidString(s):
		return s, Control
	}
	return s, Fine
}

// unseen tells the characters that a person cannot see or that turn the reading
// direction; two texts that look the same could differ by them.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r == utf8.RuneError
}

// Number reads a whole number from least to most.
func Number(s string, least, most int) (int, Fault) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, Empty
	}
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, NotNumber
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, OutOfRange // what Atoi refuses by now is only too large
	}
	return n, Fine
}

// TimeOfDay reads a time such as 9:00 or 17:30, in minutes since midnight.
func TimeOfDay(s string) (int, Fault) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, Empty
	}
	hour, minute, found := strings.Cut(s, ":")
	h, f1 := Number(hour, 0, 23)
	m, f2 := Number(minute, 0, 59)
	if !found || len(minute) != 2 || f1 != Fine || f2 != Fine {
		return 0, NotTime
	}
	return h*60 + m, Fine
}

// Pattern judges a title pattern with * and ?.
func Pattern(s string) (string, Fault) {
	s, f := Line(s, MaxName)
	if f == Fine && strings.Trim(s, "*? ") == "" {
		return s, OnlyStars
	}
	return s, f
}

// WebAddress judges the address of a program on this computer or its network:
// http or https, a host, and nothing secret inside.
func WebAddress(s string) (string, Fault) { return address(s, "http", "https") }

// Proxy judges the address of a SOCKS5 proxy, which has to name its port.
func Proxy(s string) (string, Fault) {
	s, f := address(s, "socks5", "socks5h")
	if f != Fine {
		return s, f
	}
	if u, _ := url.Parse(s); u.Port() == "" {
		return s, Port
	}
	return s, Fine
}

func address(s string, schemes ...string) (string, Fault) {
	s, f := Line(s, MaxName)
	if f != Fine {
		return s, f
	}
	scheme, _, found := strings.Cut(s, "://")
	if !found || strings.ContainsAny(s, " \"'<>\\") {
		return s, Address
	}
	if !contains(schemes, strings.ToLower(scheme)) {
		return s, Scheme
	}
	u, err := url.Parse(s)
	switch {
	case err != nil && strings.Contains(err.Error(), "port"):
		return s, Port
	case err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "":
		return s, Address
	case u.User != nil:
		return s, Secrets
	case !portFits(u.Host):
		return s, Port
	}
	return s, Fine
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func portFits(host string) bool {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return !strings.HasSuffix(host, ":") // no port at all
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n < 1<<16
}

// InviteLink judges an invite link by its beginning and length; what is inside
// is read by the agent.
func InviteLink(s string) (string, Fault) {
	s, f := Line(s, MaxLink)
	if f == Fine && !strings.HasPrefix(s, "powdo://join#") {
		return s, Link
	}
	return s, f
}

// FilePath judges the whole path of a file; home, where it is not empty, stands
// for a leading ~.
func FilePath(s, home string) (string, Fault) {
	s, f := Line(s, MaxPath)
	if f != Fine {
		return s, f
	}
	if rest, ok := strings.CutPrefix(s, "~/"); ok && home != "" {
		s = strings.TrimRight(home, "/") + "/" + rest
	}
	whole := strings.HasPrefix(s, "/") || len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/')
	if !whole || strings.HasSuffix(s, "/") || strings.HasSuffix(s, `\`) {
		return s, Path
	}
	return s, Fine
}

// Passphrase judges a new passphrase and its repetition. Space counts.
func Passphrase(s, again string) Fault {
	switch {
	case utf8.RuneCountInString(s) < LeastPhrase:
		return Short
	case len(s) > MaxPassphrase:
		return Long
	case strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s):
		return Control
	case s != again:
		return Differs
	}
	return Fine
}
