package relays

import (
	"encoding/json"
	"slices"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Filter asks a relay for events (NIP-01). Every list that is set must contain
// the event's value; tags must hold one value of their list.
type Filter struct {
	IDs     []pow.Hash
	Kinds   []int
	Authors []pow.Key
	P       []pow.Key // #p
	D       []string  // #d
	// Limit is the most stored events wanted; 500 when 0. In Config.Filters it
	// is the size of a page, and paging goes on to the end.
	Limit int
}

// Matches tells whether an event is what f asks for. Limit does not count.
func (f Filter) Matches(e *event.Event) bool {
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, event.ID(e))) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(len(f.Authors) == 0 || slices.Contains(f.Authors, event.Author(e))) &&
		(len(f.P) == 0 || tagged(e, "p", func(v string) bool { k, err := pow.ParseKey(v); return err == nil && slices.Contains(f.P, k) })) &&
		(len(f.D) == 0 || tagged(e, "d", func(v string) bool { return slices.Contains(f.D, v) }))
}

func tagged(e *event.Event, name string, fits func(string) bool) bool {
	for _, t := range e.Tags {
		if len(t) > 1 && t[0] == name && fits(t[1]) {
			return true
		}
	}
	return false
}

func (f Filter) limit() int {
	if f.Limit > 0 {
		return min(f.Limit, pageSize)
	}
	return pageSize
}

// wire is a Filter as NIP-01 writes it.
type wire struct {
	IDs     []pow.Hash `json:"ids,omitempty"`
	Kinds   []int      `json:"kinds,omitempty"`
	Authors []pow.Key  `json:"authors,omitempty"`
	P       []pow.Key  `json:"#p,omitempty"`
	D       []string   `json:"#d,omitempty"`
	Until   *int64     `json:"until,omitempty"`
	Limit   int        `json:"limit,omitempty"`
}

// request writes the REQ. until is inclusive; negative means none.
func (f Filter) request(sub string, until int64) []byte {
	q := wire{f.IDs, f.Kinds, f.Authors, f.P, f.D, nil, f.limit()}
	if until >= 0 {
		q.Until = &until
	}
	return message("REQ", sub, q)
}

// bare writes the filter without a limit, for NIP-77.
func (f Filter) bare() wire { return wire{f.IDs, f.Kinds, f.Authors, f.P, f.D, nil, 0} }

// message writes one frame.
func message(parts ...any) []byte {
	b, err := json.Marshal(parts)
	if err != nil {
		panic("relays: a frame of plain values does not marshal")
	}
	return b
}
