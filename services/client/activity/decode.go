package activity

import (
	"encoding/json"
	"errors"
	"math"
	"time"
)

// Limits of one reply.
const (
	maxDepth   = 32
	maxBuckets = 1_000
)

// info is what is used of /api/0/info.
type info struct{ hostname string }

// bucket is what is used of one bucket's description.
type bucket struct {
	id, kind, hostname string
	updated            time.Time // of its newest event; zero: unknown
}

// facts are the fields of an event's data that any level of detail looks at.
type facts struct {
	app, title, status, url string
	incognito               bool
}

// event is one row of a bucket, in milliseconds since 1970.
type event struct {
	span
	id int64
	facts
}

var errShape = ErrForeign.With(errors.New("the reply has another shape"))

// decodeInfo reads the reply to /api/0/info. Its shape tells ActivityWatch from
// other programs.
func decodeInfo(body []byte) (info, error) {
	var v struct {
		Hostname *string `json:"hostname"`
		Version  *string `json:"version"`
		Testing  *bool   `json:"testing"`
	}
	if err := parse(body, &v); err != nil {
		return info{}, err
	}
	if v.Hostname == nil || v.Version == nil || v.Testing == nil {
		return info{}, errShape
	}
	return info{hostname: *v.Hostname}, nil
}

// decodeBuckets reads the reply to /api/0/buckets/. Descriptions without id,
// type or hostname are left out.
func decodeBuckets(body []byte) ([]bucket, error) {
	var all map[string]json.RawMessage
	if err := parse(body, &all); err != nil {
		return nil, err
	}
	if all == nil || len(all) > maxBuckets {
		return nil, errShape
	}
	var list []bucket
	for key, raw := range all {
		var v struct {
			ID       string `json:"id"`
			Type     string `json:"type"`
			Hostname string `json:"hostname"`
			Updated  string `json:"last_updated"`
			Metadata struct {
				End string `json:"end"`
			} `json:"metadata"`
		}
		if json.Unmarshal(raw, &v) != nil || v.ID != key || v.Type == "" {
			continue
		}
		b := bucket{id: v.ID, kind: v.Type, hostname: v.Hostname}
		for _, text := range []string{v.Metadata.End, v.Updated} {
			if t, err := parseTime(text); err == nil {
				b.updated = t
			}
		}
		list = append(list, b)
	}
	return list, nil
}

// decodeEvents reads the reply to a request for asked. Rows that no server
// should send (another shape, not a number, negative or too long, in the distant
// past or outside the range, which never reaches into the future) are dropped.
// rows is their number before that.
func decodeEvents(body []byte, asked span) (events []event, rows int, err error) {
	var all []json.RawMessage
	if err := parse(body, &all); err != nil {
		return nil, 0, err
	}
	if all == nil {
		return nil, 0, errShape
	}
	for _, raw := range all {
		if e, ok := decodeEvent(raw, asked); ok {
			events = append(events, e)
		}
	}
	return events, len(all), nil
}

// year2000 is the earliest time that is taken seriously.
var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func decodeEvent(raw []byte, asked span) (event, bool) {
	var v struct {
		ID        int64                      `json:"id"`
		Timestamp string                     `json:"timestamp"`
		Duration  *float64                   `json:"duration"`
		Data      map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &v) != nil || v.Duration == nil || v.Data == nil {
		return event{}, false
	}
	t, err := parseTime(v.Timestamp)
	if err != nil {
		return event{}, false
	}
	begin, length := t.UnixMilli(), math.Round(*v.Duration*1e3)
	// Python's server rounds the range's end up to the next millisecond.
	if length < 0 || length > float64(asked.length()+1) || begin < year2000 {
		return event{}, false
	}
	e := event{span: span{begin, begin + int64(length)}, id: v.ID, facts: readFacts(v.Data)}
	e.begin, e.end = max(e.begin, asked.begin), min(e.end, asked.end)
	return e, e.end >= e.begin
}

// readFacts takes the allowed fields out of data, and only texts and the one flag.
func readFacts(data map[string]json.RawMessage) (f facts) {
	for key, to := range map[string]*string{"app": &f.app, "title": &f.title, "status": &f.status, "url": &f.url} {
		if json.Unmarshal(data[key], to) != nil {
			*to = ""
		}
	}
	if raw := data["incognito"]; raw != nil && string(raw) != "false" && string(raw) != "null" {
		f.incognito = true // what is not plainly "no" counts as private
	}
	return f
}

// parseTime reads RFC 3339; a time without a zone is in UTC.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", text)
	}
	return t, err
}

// parse decodes JSON of bounded depth, as both servers write it.
func parse(body []byte, to any) error {
	body, err := tame(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return errShape // err could quote the body
	}
	return nil
}

// tame checks the depth and replaces NaN and Infinity, which Python writes and
// JSON does not know, by an empty array: no field that is used may be one.
func tame(body []byte) ([]byte, error) {
	out := make([]byte, 0, len(body))
	depth := 0
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '"':
			end := stringEnd(body, i)
			out = append(out, body[i:end]...)
			i = end - 1
			continue
		case '[', '{':
			if depth++; depth > maxDepth {
				return nil, errShape
			}
		case ']', '}':
			depth--
		case 'N', 'I', '-':
			if n := notANumber(body[i:]); n > 0 {
				out = append(out, "[]"...)
				i += n - 1
				continue
			}
		}
		out = append(out, body[i])
	}
	return out, nil
}

// stringEnd returns the index behind the string that begins at i.
func stringEnd(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// notANumber returns the length of Python's NaN, Infinity or -Infinity at the
// begin of b, or 0.
func notANumber(b []byte) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			return len(word)
		}
	}
	return 0
}
