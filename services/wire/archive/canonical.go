package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"pow.do/services/wire/strictjson"
)

var errCanonical = errors.New("not canonical JSON")

// encode writes v by the JSON Canonicalization Scheme (RFC 8785). It relies on
// this package's types: members in alphabetical order, integers only, and text
// for every string that a person or another program chose.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads b into v and accepts it only when encoding v gives the same
// bytes. This alone refuses duplicate and differently cased names, fractions,
// white space, a byte order mark and invalid UTF-8. Members that v does not
// have are ErrUnknown.
func decode(b []byte, v any) error {
	if json.Unmarshal(b, v) != nil {
		return errCanonical // the library's text would quote a stranger's bytes
	}
	again, err := encode(v)
	if err != nil || !bytes.Equal(again, b) {
		return whyNot(b, v)
	}
	return nil
}

// whyNot tells a document of a later version from a broken one.
func whyNot(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil && strictjson.CheckIntegers(b, maxJSONDepth) == nil {
		return ErrUnknown
	}
	return errCanonical
}

// text is a string that is written as RFC 8785 asks; encoding/json would also
// escape U+2028 and U+2029, and spell invalid UTF-8 as an escape.
type text string

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(t)+2)
	b = append(b, '"')
	for _, r := range string(t) { // invalid bytes come out as U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"'), nil
}

// within tells whether t has at most max runes.
func (t text) within(max int) bool {
	return len(t) <= max || utf8.RuneCountInString(string(t)) <= max
}
