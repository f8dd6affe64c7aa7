package pow

import "time"

// Weight is one capture's moment and size, as far as splitting looks at it.
type Weight struct {
	At    time.Time
	Bytes int64
}

// Split cuts an interval into pieces that may each become one Proof: at most
// longest, and with at most heaviest bytes of captures. Cuts lie on whole
// seconds, never lose or double a moment, and are as few as their order allows.
// Captures of one second cannot be parted, even when they are too heavy together.
func Split(i Interval, captures []Weight, longest time.Duration, heaviest int64) (pieces []Interval) {
	for i.Valid() {
		piece := Interval{i.From, i.From.Add(longest)}
		if i.To.Before(piece.To) {
			piece.To = i.To
		}
		if cut, ok := overweight(piece, captures, heaviest); ok {
			piece.To = cut
		}
		pieces = append(pieces, piece)
		i.From = piece.To
	}
	return pieces
}

// overweight returns the latest whole second before the capture that makes the
// piece too heavy.
func overweight(piece Interval, captures []Weight, heaviest int64) (cut time.Time, ok bool) {
	seconds := map[time.Time]int64{}
	for _, c := range captures {
		if piece.Contains(c.At) {
			seconds[c.At.Truncate(time.Second)] += c.Bytes
		}
	}
	var sum int64
	for at := piece.From.Truncate(time.Second); at.Before(piece.To); at = at.Add(time.Second) {
		sum += seconds[at]
		if sum > heaviest && at.After(piece.From) {
			return at, true
		}
	}
	return time.Time{}, false
}
