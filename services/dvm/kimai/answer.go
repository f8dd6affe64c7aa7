package kimai

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
)

// class is what an answer means for the run it is about.
type class string

const (
	fine    class = "fine"
	again   class = "again"   // the same request later
	unknown class = "unknown" // a create that may have been executed
	park    class = "park"    // a person decides about this run
	ask     class = "ask"     // the record must be looked at to know why
	stop    class = "stop"    // no more writes for anybody
)

// kind is what a request is for; answers mean different things to each.
type kind int

const (
	about  kind = iota // the server, the account, the lists for the mapping
	one                // GET of a record
	list               // GET of records
	create             // POST of a record
	change             // PATCH of a record
)

func (k kind) writes() bool { return k == create || k == change }

// failure is an answer that is not what was asked for, or none. It never
// carries the token or the bytes of a body that is not Kimai's.
type failure struct {
	class  class
	reason pow.ParkReason // with park
	status int            // 0: no answer
	rule   bool           // 400 of a rule of the server: our own checks may explain it
	maybe  bool           // a create that may have been executed
	strike bool           // an answer that Kimai does not give: three in a row stop
	wait   time.Duration  // asked for by the server
	fields []string       // that were complained about
	knows  []string       // that this caller may send
	text   string         // Kimai's own words, cleaned
	err    error
}

// Error tells the status and the fields; see detail for the server's words.
func (f *failure) Error() string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case len(f.fields) > 0:
		return fmt.Sprintf("answer %d about %s", f.status, strings.Join(f.fields, ", "))
	}
	return fmt.Sprintf("answer %d %s", f.status, http.StatusText(f.status))
}

func (f *failure) Unwrap() error { return f.err }

// detail is one line for the admin.
func (f *failure) detail() string {
	if f.text == "" {
		return pow.Clean(f.Error())
	}
	return pow.Clean(f.Error() + ": " + f.text)
}

// answer is what came back, read in full.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) json() bool {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && t == "application/json"
}

// classify tells what an answer to a request of kind k that sent these fields
// means; nil when it is a 200 in JSON, whose body is judged by its reader.
func classify(k kind, sent []string, a *answer, now time.Time) *failure {
	f := &failure{status: a.status}
	switch s := a.status; {
	case s == http.StatusOK && a.json():
		return nil
	case s >= 200 && s < 300:
		f.class, f.strike, f.err = lost(k), true, errShape
		if k == change && (s == http.StatusCreated || s == http.StatusNoContent) {
			f.class, f.strike, f.err = ask, false, nil
		}
	case s >= 300 && s < 400, s == http.StatusUnauthorized:
		f.class = stop
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests, s > 500, s < 200:
		f.class, f.wait = lost(k), retryAfter(a.header.Get("Retry-After"), now)
	case s == http.StatusConflict, s == http.StatusInternalServerError:
		f.class = lost(k)
	case s == http.StatusRequestEntityTooLarge, s == http.StatusRequestURITooLong, s == http.StatusRequestHeaderFieldsTooLarge,
		s == http.StatusUnsupportedMediaType:
		f.class, f.reason = park, pow.ParkDefect
	case !a.json():
		f.class, f.strike, f.err = again, true, fmt.Errorf("answer %d: %w", s, errShape)
	case s == http.StatusBadRequest:
		f.form(k, sent, a.body)
	case s == http.StatusForbidden:
		f.forbidden(k)
	case s == http.StatusNotFound:
		f.missing(k)
	default:
		f.class, f.reason = park, pow.ParkDefect
	}
	return f
}

// lost is the class of an answer that does not tell whether anything was done.
func lost(k kind) class {
	if k == create {
		return unknown
	}
	return again
}

func (f *failure) forbidden(k kind) {
	switch k {
	case list:
		f.class, f.reason = park, pow.ParkUserUnmapped
	case change:
		f.class = ask
	default:
		f.class = stop
	}
}

func (f *failure) missing(k kind) {
	switch k {
	case one, change:
		f.class, f.reason = park, pow.ParkDeleted
	default:
		f.class = stop
	}
}

// form judges a 400 by the parts of its errors, never by their words.
func (f *failure) form(k kind, sent []string, body []byte) {
	e, err := decodeForm(body)
	if err != nil || e == nil {
		f.class, f.reason = park, pow.ParkDefect
		if !k.writes() {
			f.class, f.reason = stop, ""
		}
		return
	}
	f.text, f.fields, f.knows = strings.Join(e.texts(), " "), e.bad(), e.known()
	for _, name := range sent {
		if !slices.Contains(f.knows, name) {
			f.class, f.err = stop, fmt.Errorf("this account may not send the field %s: a permission is missing, or the tracking mode forbids it", name)
			return
		}
	}
	switch {
	case slices.Contains(f.fields, "begin"), slices.Contains(f.fields, "end"):
		f.class, f.err = stop, errors.New("times in UTC are refused")
	case k == create && slices.Contains(f.fields, "user"):
		f.class, f.reason = park, pow.ParkUserUnmapped
	case k == create && (slices.Contains(f.fields, "project") || slices.Contains(f.fields, "activity")):
		f.class, f.reason = park, pow.ParkProjectUnknown
	default:
		f.class, f.reason, f.rule = park, pow.ParkRefused, len(f.fields) == 0
	}
}

// formErrors is the errors part of a 400.
type formErrors struct {
	Errors   []string
	Children map[string]formField
}

type formField struct{ Errors []string }

// UnmarshalJSON reads an object, or the empty array that PHP writes for an
// object without members.
func (f *formField) UnmarshalJSON(b []byte) error {
	type plain formField
	if string(b) == "[]" {
		return nil
	}
	return json.Unmarshal(b, (*plain)(f))
}

// decodeForm returns nil when the body has no errors.
func decodeForm(body []byte) (*formErrors, error) {
	var w struct{ Errors *formErrors }
	if err := decode(body, &w); err != nil {
		return nil, err
	}
	return w.Errors, nil
}

func (e *formErrors) known() []string { return slices.Sorted(maps.Keys(e.Children)) }

func (e *formErrors) bad() (names []string) {
	for _, name := range e.known() {
		if len(e.Children[name].Errors) > 0 {
			names = append(names, pow.Clean(name))
		}
	}
	return names
}

func (e *formErrors) texts() []string {
	all := slices.Clone(e.Errors)
	for _, name := range e.known() {
		all = append(all, e.Children[name].Errors...)
	}
	return all
}

// retryAfter reads seconds or a date; what is absurd is capped by retry.Later.
func retryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
		return time.Duration(min(n, 1<<31)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
