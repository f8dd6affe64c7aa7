package activitytest

import (
	"cmp"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

// Event is one row of a bucket.
type Event struct {
	At       time.Time
	Duration time.Duration
	Data     map[string]any

	id int64
}

func (e Event) end() time.Time { return e.At.Add(e.Duration) }

// clip cuts e to the range, with the arithmetic of the server: what only touches
// the range keeps a duration of 0, and a negative one stays as it is.
func (e Event) clip(start, end time.Time) Event {
	if !start.IsZero() && e.At.Before(start) {
		e.Duration -= start.Sub(e.At)
		e.At = start
	}
	if !end.IsZero() && e.end().After(end) {
		e.Duration = end.Sub(e.At)
	}
	return e
}

func (e Event) wire() map[string]any {
	return map[string]any{
		"id": e.id, "timestamp": stamp(e.At), "duration": e.Duration.Seconds(), "data": e.Data,
	}
}

// wireEvent is an event as a watcher sends it.
type wireEvent struct {
	Timestamp string         `json:"timestamp"`
	Duration  float64        `json:"duration"`
	Data      map[string]any `json:"data"`
}

func (v wireEvent) event() (Event, error) {
	at, err := parseTime(v.Timestamp, false)
	if v.Data == nil {
		v.Data = map[string]any{}
	}
	length := time.Duration(math.Round(v.Duration*1e6)) * time.Microsecond
	return Event{At: at, Duration: length, Data: v.Data}, err
}

// bucket is what one watcher on one computer wrote.
type bucket struct {
	id, kind, client, hostname string
	data                       map[string]any
	created                    time.Time
	events                     []Event // newest first; of the same time, the first one inserted
}

func (b *bucket) describe() map[string]any {
	return map[string]any{
		"id": b.id, "created": stamp(b.created), "name": nil, "type": b.kind, "client": b.client,
		"hostname": b.hostname, "data": maps.Clone(b.data),
	}
}

// insert stores events, which have their ids; times are kept in whole milliseconds.
func (b *bucket) insert(events ...Event) {
	for _, e := range events {
		e.At = e.At.UTC().Truncate(time.Millisecond)
		b.events = append(b.events, e)
	}
	slices.SortFunc(b.events, func(x, y Event) int {
		return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.id, y.id))
	})
}

// merge makes the newest event longer when e says the same within the pulse time.
func (b *bucket) merge(e Event, pulse time.Duration) (Event, bool) {
	last, ok := b.newest()
	if !ok || !reflect.DeepEqual(last.Data, e.Data) || e.At.Before(last.At) || e.At.After(last.end().Add(pulse)) {
		return Event{}, false
	}
	last.Duration = max(last.Duration, e.end().Sub(last.At))
	b.events[0] = last
	return last, true
}

func (b *bucket) newest() (Event, bool) {
	if len(b.events) == 0 {
		return Event{}, false
	}
	return b.events[0], true
}

func (b *bucket) oldest() Event { return b.events[len(b.events)-1] }

func (b *bucket) index(id int64) int {
	return slices.IndexFunc(b.events, func(e Event) bool { return e.id == id })
}

// overlapping returns the events that overlap or touch the range, newest first.
// A zero time leaves that side open. Python trusts that no event is longer than
// a day.
func (b *bucket) overlapping(start, end time.Time, rust bool) []Event {
	var list []Event
	for _, e := range b.events {
		if !start.IsZero() && (e.end().Before(start) || !rust && e.At.Before(start.Add(-24*time.Hour))) {
			continue
		}
		if end.IsZero() || !e.At.After(end) {
			list = append(list, e)
		}
	}
	return list
}

// stamp writes a time as Python's isoformat does.
func stamp(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.UTC().Format("2006-01-02T15:04:05") + "+00:00"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000") + "+00:00"
}

// parseTime reads RFC 3339; Python takes a time without zone as UTC.
func parseTime(text string, rust bool) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && !rust {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", text)
	}
	return t, err
}
