package kimai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody  = 8 << 20
	maxDepth = 32
	maxID    = 1 << 53 // larger numbers are not exact in JSON
)

// errShape means that an answer is not what Kimai answers.
var errShape = errors.New("not an answer of Kimai")

// decode reads exactly one JSON value of bounded depth without repeated keys.
// Fields that v does not have are ignored.
func decode(body []byte, v any) error {
	if err := bounded(body); err != nil {
		return fmt.Errorf("%w: %w", errShape, err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %s", errShape, unmarshalFault(err))
	}
	return nil
}

// unmarshalFault words an error without the values that were in the body.
func unmarshalFault(err error) string {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return "wrong type of field " + t.Field
	}
	var s *json.SyntaxError
	if errors.As(err, &s) {
		return "JSON syntax"
	}
	return "field of another form"
}

// bounded walks the tokens without recursion. Key names are compared without
// case because encoding/json does.
func bounded(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var w walk
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && w.values == 1 && len(w.open) == 0 {
			return nil
		}
		if err != nil {
			return errors.New("JSON syntax")
		}
		if err := w.step(t); err != nil {
			return err
		}
	}
}

// walk is where in a JSON text the reader is.
type walk struct {
	open   []level
	values int // at the top
}

type level struct {
	keys  map[string]bool // nil: an array
	value bool            // the next token is the value of a key
}

func (w *walk) step(t json.Token) error {
	if t == json.Delim('}') || t == json.Delim(']') {
		w.open = w.open[:len(w.open)-1]
		return nil
	}
	if n := len(w.open); n > 0 && w.open[n-1].keys != nil {
		if top := &w.open[n-1]; !top.value {
			name := strings.ToLower(t.(string)) // the decoder yields only strings as keys
			if top.keys[name] {
				return errors.New("repeated key")
			}
			top.keys[name], top.value = true, true
			return nil
		}
		w.open[n-1].value = false
	} else if n == 0 {
		w.values++
	}
	switch t {
	case json.Delim('{'):
		w.open = append(w.open, level{keys: map[string]bool{}})
	case json.Delim('['):
		w.open = append(w.open, level{})
	}
	if len(w.open) > maxDepth {
		return errors.New("nested too deeply")
	}
	return nil
}

// number is an id: a whole number from 1 to 2⁵³, also as a string.
type number int64

// UnmarshalJSON reads 12 and "12".
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err != nil || v < 1 || v > maxID {
		return errors.New("not an id")
	}
	*n = number(v)
	return nil
}

// stamp is a time as Kimai writes it, 2026-11-20T16:54:00+0000, or RFC 3339.
type stamp struct{ time.Time }

const kimaiTime = "2006-01-02T15:04:05-0700"

// UnmarshalJSON reads an instant; null leaves it zero.
func (s *stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	text := strings.Trim(string(b), `"`)
	t, err := time.Parse(kimaiTime, text)
	if err != nil {
		t, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return errors.New("not a time")
	}
	s.Time = t.UTC()
	return nil
}

// sendTime is the only form of a time in a request: UTC with Z.
func sendTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// filterTime is the form of a time in a query, without zone. Who reads it may
// take another zone, so windows are widened.
func filterTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }
