package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/strictjson"
)

var (
	errFilter  = errors.New("invalid: bad filter")
	errUnknown = errors.New("unsupported: filter contains unknown elements")
)

// parseFilters reads the filters of a REQ or COUNT. Limit is always set, at
// most maxLimit.
func parseFilters(raw []json.RawMessage) ([]nostr.Filter, error) {
	if len(raw) == 0 || len(raw) > maxFilters {
		return nil, errFilter
	}
	filters := make([]nostr.Filter, len(raw))
	for i, r := range raw {
		f, err := parseFilter(r)
		if err != nil {
			return nil, err
		}
		filters[i] = f
	}
	return filters, nil
}

func parseFilter(raw json.RawMessage) (f nostr.Filter, err error) {
	var members map[string]json.RawMessage
	if raw[0] != '{' || strictjson.Check(raw, 2) != nil || json.Unmarshal(raw, &members) != nil {
		return f, errFilter
	}
	f.Limit = maxLimit
	for name, value := range members {
		if err := setMember(&f, name, value); err != nil {
			return f, err
		}
	}
	if len(f.Tags) > maxTagFilters || f.Since != nil && f.Until != nil && *f.Since > *f.Until {
		return f, errFilter
	}
	return f, nil
}

func setMember(f *nostr.Filter, name string, value json.RawMessage) (err error) {
	switch name {
	case "ids":
		f.IDs, err = texts(value, maxIDs, isHex)
	case "authors":
		f.Authors, err = texts(value, maxAuthors, isHex)
	case "kinds":
		f.Kinds, err = kinds(value)
	case "since":
		f.Since, err = timestamp(value)
	case "until":
		f.Until, err = timestamp(value)
	case "limit":
		var n int64
		n, err = integer(value)
		f.Limit = int(min(n, maxLimit))
	default:
		return setTag(f, name, value)
	}
	return err
}

func setTag(f *nostr.Filter, name string, value json.RawMessage) error {
	letter, ok := strings.CutPrefix(name, "#")
	switch {
	case !ok:
		return errUnknown
	case len(letter) != 1 || !isLetter(letter[0]):
		return errFilter
	}
	valid := func(string) bool { return true }
	if letter == "e" || letter == "p" {
		valid = isHex
	}
	values, err := texts(value, maxTagValues, valid)
	if f.Tags == nil {
		f.Tags = nostr.TagMap{}
	}
	f.Tags[letter] = values
	return err
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func isHex(s string) bool { _, err := pow.ParseHash(s); return err == nil }

// texts reads an array of strings; it is never nil, because an empty list
// matches nothing.
func texts(raw json.RawMessage, most int, valid func(string) bool) ([]string, error) {
	var list []*string
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) > most {
		return nil, errFilter
	}
	out := make([]string, len(list))
	for i, s := range list {
		if s == nil || !valid(*s) {
			return nil, errFilter
		}
		out[i] = *s
	}
	return out, nil
}

func kinds(raw json.RawMessage) ([]int, error) {
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) > maxFilterKinds {
		return nil, errFilter
	}
	out := make([]int, len(list))
	for i, r := range list {
		n, err := integer(r)
		if err != nil || n > 65_535 {
			return nil, errFilter
		}
		out[i] = int(n)
	}
	return out, nil
}

func timestamp(raw json.RawMessage) (*nostr.Timestamp, error) {
	n, err := integer(raw)
	return new(nostr.Timestamp(n)), err
}

var digits = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

// integer reads a number without sign, fraction or exponent, below 10¹⁶.
func integer(raw json.RawMessage) (int64, error) {
	if !digits.Match(raw) {
		return 0, errFilter
	}
	return strconv.ParseInt(string(bytes.TrimSpace(raw)), 10, 64)
}
