// Package strictjson refuses JSON that two readers could understand
// differently, before encoding/json sees it.
//
// encoding/json matches member names whatever their case, lets the last
// duplicate win, and turns bytes that are not UTF-8 into U+FFFD. Each of these
// lets one document mean two things, so a hash or a signature over the parsed
// form would not bind what somebody else reads.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxDepth is deep enough for every document of pow.do (threats L-MAN).
const MaxDepth = 32

// Errors of Check. All mean that the document is refused.
var (
	ErrUTF8      = errors.New("not valid UTF-8, or half a surrogate pair")
	ErrDuplicate = errors.New("member name twice in one object")
	ErrDepth     = errors.New("nested too deeply")
	ErrTrailing  = errors.New("bytes after the document")
	ErrNumber    = errors.New("number is not a plain integer")
)

// Check reads one JSON document and refuses invalid UTF-8, lone surrogates,
// a byte order mark, member names that are equal but for their case, nesting
// over depth, and anything after the document. The caller bounds the size.
func Check(b []byte, depth int) error { return check(b, depth, false) }

// CheckIntegers is Check that also refuses every number with a fraction, an
// exponent, a leading minus zero, or over 2⁵³.
func CheckIntegers(b []byte, depth int) error { return check(b, depth, true) }

// Unmarshal checks the document and decodes it into v. Unknown members are ignored.
func Unmarshal(b []byte, v any) error {
	if err := Check(b, MaxDepth); err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func check(b []byte, depth int, integers bool) error {
	if !utf8.Valid(b) || bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) || loneSurrogate(b) {
		return ErrUTF8
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	type object struct {
		names map[string]bool // nil in an array
		value bool            // the next token is a value, not a name
	}
	var stack []object
	for {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("bad JSON: %w", noEOF(err))
		}
		top := len(stack) - 1
		if top >= 0 && stack[top].names != nil {
			if s, ok := t.(string); ok && !stack[top].value {
				name := strings.ToLower(s)
				if stack[top].names[name] {
					return ErrDuplicate
				}
				stack[top].names[name] = true
				stack[top].value = true
				continue
			}
			stack[top].value = false
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				stack = append(stack, object{names: map[string]bool{}})
			case '[':
				stack = append(stack, object{})
			default:
				stack = stack[:top]
			}
			if len(stack) > depth {
				return ErrDepth
			}
		case json.Number:
			if integers && !plainInteger(string(t)) {
				return ErrNumber
			}
		}
		if len(stack) == 0 {
			break
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return ErrTrailing
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func plainInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if len(digits) == 0 || len(digits) > 16 || strings.ContainsAny(digits, ".eE") || s == "-0" {
		return false
	}
	return len(digits) < 16 || digits <= "9007199254740992"
}

// loneSurrogate finds a \uD800…\uDFFF escape that is not half of a pair.
func loneSurrogate(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if b[i+1] != 'u' {
			i++
			continue
		}
		u, ok := hex4(b, i+2)
		i += 5
		if !ok || u < 0xD800 || u > 0xDFFF {
			continue // a bad escape is the decoder's to refuse
		}
		if u >= 0xDC00 || i+2 >= len(b) || b[i+1] != '\\' || b[i+2] != 'u' {
			return true
		}
		low, ok := hex4(b, i+3)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return true
		}
		i += 6
	}
	return false
}

func hex4(b []byte, at int) (u rune, ok bool) {
	if at+4 > len(b) {
		return 0, false
	}
	for _, c := range b[at : at+4] {
		switch {
		case c >= '0' && c <= '9':
			u = u<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			u = u<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			u = u<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return u, true
}
