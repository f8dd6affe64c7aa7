package envelope

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// reader takes tags out of a rumor and keeps the first complaint, so that a
// decoder reads like the table in EVENTS.md. Complaints name tags, never values.
type reader struct {
	e   *event.Event
	bad string
}

// errMalformed is any complaint about an authentic rumor.
type errMalformed string

func (e errMalformed) Error() string { return string(e) }

// unsupported is the complaint about a version or action of the future.
const unsupported = errMalformed(pow.CodeUnsupported)

func (r *reader) fail(what string) {
	if r.bad == "" {
		r.bad = what
	}
}

func (r *reader) err() error {
	if r.bad == "" {
		return nil
	}
	return errMalformed(r.bad)
}

// version wants ["v","1"] and nothing else there.
func (r *reader) version() error {
	v, ok, err := event.Single(r.e, "v")
	if err != nil || !ok {
		return errMalformed("v")
	}
	if v != "1" {
		return unsupported
	}
	return nil
}

// tag returns the elements after the name of a single tag; nil when there is none.
func (r *reader) tag(name string) (values []string) {
	for _, t := range r.e.Tags {
		if t[0] != name {
			continue
		}
		if values != nil {
			r.fail("two " + name)
		}
		if values = t[1:]; len(values) == 0 {
			r.fail(name)
			values = []string{""}
		}
	}
	return values
}

// value returns the first element of a single tag.
func (r *reader) value(name string) (string, bool) {
	v := r.tag(name)
	if v == nil {
		return "", false
	}
	return v[0], true
}

// param returns the value of ["param", name, value], of which there is one at most.
func (r *reader) param(name string) (value string, ok bool) {
	for _, t := range r.e.Tags {
		if t[0] != "param" || len(t) < 2 || t[1] != name {
			continue
		}
		if ok || len(t) < 3 {
			r.fail("two " + name)
			return "", true
		}
		value, ok = t[2], true
	}
	return value, ok
}

// need reads a param that must be there.
func (r *reader) need(name string) string {
	v, ok := r.param(name)
	if !ok {
		r.fail("no " + name)
	}
	return v
}

func (r *reader) hash(name, s string) pow.Hash {
	h, err := pow.ParseHash(s)
	if err != nil {
		r.fail(name)
	}
	return h
}

func (r *reader) key(name, s string) pow.Key {
	k, err := pow.ParseKey(s)
	if err != nil || k.IsZero() {
		r.fail(name)
	}
	return k
}

func (r *reader) opaque(name, s string) pow.OpaqueID {
	id, err := pow.ParseOpaqueID(s)
	if err != nil {
		r.fail(name)
	}
	return id
}

func (r *reader) session(s string) pow.SessionID {
	id, err := pow.ParseSessionID(s)
	if err != nil {
		r.fail("session")
	}
	return id
}

// number reads a decimal without sign or leading zeros, from min to 2⁵³ − 1.
func (r *reader) number(name, s string, min int64) int64 {
	n, err := parseNumber(s)
	if err != nil || n < min {
		r.fail(name)
		return min
	}
	return n
}

func (r *reader) time(name, s string) time.Time { return time.Unix(r.number(name, s, 0), 0) }

func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n >= 1<<53 || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("not a number")
	}
	return n, nil
}

func decimal[T int | int64 | uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func param(name, value string) event.Tag { return event.Tag{"param", name, value} }

// oneLine cuts s to max runes and drops what is not to be printed; text of
// people and of other servers passes it on the way out.
func oneLine(s string, max int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.C):
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max])
	}
	return strings.TrimSpace(s)
}

// isLine tells whether s is as oneLine would leave it; on the way in nothing is repaired.
func isLine(s string, max int) bool { return oneLine(s, max) == s }
