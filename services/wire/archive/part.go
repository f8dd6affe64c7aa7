package archive

import (
	"encoding/json"
	"time"

	"pow.do/services/pow"
)

// part is a stretch of the interval: Unix seconds of its beginning and its end.
type part struct{ from, to int64 }

// MarshalJSON writes [from,to].
func (p part) MarshalJSON() ([]byte, error) { return json.Marshal([2]int64{p.from, p.to}) }

// UnmarshalJSON reads [from,to]. More or fewer numbers do not survive the
// comparison with what encoding gives again.
func (p *part) UnmarshalJSON(b []byte) error {
	var two [2]int64
	if err := json.Unmarshal(b, &two); err != nil {
		return err
	}
	p.from, p.to = two[0], two[1]
	return nil
}

func partsOf(in []pow.Interval) (out []part) {
	for _, i := range in {
		out = append(out, part{i.From.Unix(), i.To.Unix()})
	}
	return out
}

func intervalsOf(in []part) (out []pow.Interval) {
	for _, p := range in {
		out = append(out, pow.Interval{From: time.Unix(p.from, 0).UTC(), To: time.Unix(p.to, 0).UTC()})
	}
	return out
}

// partsIn tells whether parts have a length each, rise without touching, and lie
// inside of span.
func partsIn(parts []part, span pow.Interval) bool {
	last := span.From.Unix() - 1
	for _, p := range parts {
		if p.from <= last || p.to <= p.from || p.to > span.To.Unix() {
			return false
		}
		last = p.to
	}
	return len(parts) <= maxParts
}
