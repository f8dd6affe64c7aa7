package negentropy

import "pow.do/services/pow"

// Frame is the size of an answer in bytes, before hex, that NIP-77 relays can
// be expected to take. Least is the smallest limit that makes progress.
const (
	Frame = 60_000
	Least = 4_096
)

// slack is what an answer keeps free for its last range.
const slack = 200

// buckets is into how many ranges one is cut; twice as many items are listed.
const buckets = 16

// First returns the message with which the side that asks begins.
func (s *Set) First() []byte {
	w := &writer{b: []byte{version}}
	s.split(w, 0, len(s.items), bound{at: infinity})
	return w.b
}

// Answer returns the answer to a message of the side that asks, of at most
// limit bytes (at least Least). To another version it answers with its own.
func (s *Set) Answer(message []byte, limit int) ([]byte, error) {
	t, err := s.turn(message, limit)
	if err == ErrVersion {
		return []byte{version}, nil
	}
	if err == nil {
		err = t.run(t.answerList)
	}
	if err != nil {
		return nil, err
	}
	return t.out.b, nil
}

// Next takes an answer on the side that asks. have are ids that only this side
// has, need those that only the other has; each message may bring more of
// both, and some of them again when an answer had to be cut. The comparison is
// over when next is nil.
func (s *Set) Next(answer []byte, limit int) (next []byte, have, need []pow.Hash, err error) {
	t, err := s.turn(answer, limit)
	if err != nil {
		return nil, nil, nil, err
	}
	err = t.run(func(lower, upper int, _ bound) int {
		theirs := t.in.ids()
		for _, it := range s.items[lower:upper] {
			if theirs[it.ID] {
				delete(theirs, it.ID)
			} else if t.in.err == nil {
				have = append(have, it.ID)
			}
		}
		for id := range theirs {
			need = append(need, id)
		}
		t.skipping = true
		return upper
	})
	if err != nil || len(t.out.b) == 1 {
		return nil, have, need, err
	}
	return t.out.b, have, need, nil
}

// turn is one message on its way to an answer.
type turn struct {
	set      *Set
	in       reader
	out      writer
	limit    int
	skipping bool  // what lies between out's last bound and prev needs no word
	prev     bound // end of the last range that was read
	said     int   // index of the end of what out speaks of
	full     bool
}

func (s *Set) turn(message []byte, limit int) (*turn, error) {
	if limit < Least {
		panic("negentropy: the limit is too small")
	}
	switch {
	case len(message) == 0 || message[0] < versionsFrom || message[0] > versionsTo:
		return nil, ErrMessage
	case message[0] != version:
		return nil, ErrVersion
	}
	return &turn{set: s, in: reader{b: message[1:]}, out: writer{b: []byte{version}}, limit: limit}, nil
}

// run goes through the ranges of a message; list deals with listed ids and
// returns up to where it came.
func (t *turn) run(list func(lower, upper int, end bound) int) error {
	lower := 0
	for len(t.in.b) > 0 && !t.full {
		end := t.in.bound()
		mode := t.in.varint()
		upper := t.set.find(lower, end)
		switch mode {
		case skipRange:
			t.skipping = true
		case hashRange:
			theirs := t.in.take(fingerprintSize)
			if string(theirs) == string(t.set.fingerprint(lower, upper)) {
				t.skipping = true
				break
			}
			t.endSkip(lower)
			mark := t.out
			t.set.split(&t.out, lower, upper, end)
			if t.over() { // no room for it
				t.out, t.full = mark, true
				break
			}
			t.said = upper
		case listRange:
			upper = list(lower, upper, end)
		default:
			return ErrMessage
		}
		if t.in.err != nil {
			return t.in.err
		}
		t.prev, lower = end, upper
	}
	if t.full {
		t.out.hash(bound{at: infinity}, t.set.fingerprint(t.said, len(t.set.items)))
	}
	return nil
}

// answerList answers listed ids with the own ones of the same range, as many as fit.
func (t *turn) answerList(lower, upper int, end bound) int {
	t.in.ids() // what they have is for them to compare
	t.endSkip(lower)
	room := max(0, (t.limit-slack-len(t.out.b))/len(pow.Hash{}))
	if upper-lower > room {
		upper = lower + room
		end, t.full = after(t.set.items[upper]), true
	}
	t.out.list(end, t.set.items[lower:upper])
	t.said = upper
	t.full = t.full || t.over()
	return upper
}

// endSkip writes a skipped range, which reaches up to the item at index upto.
func (t *turn) endSkip(upto int) {
	if t.skipping {
		t.skipping = false
		t.out.skip(t.prev)
		t.said = upto
	}
}

func (t *turn) over() bool { return len(t.out.b) > t.limit-slack }

// split cuts a range into fingerprints, or lists it when it is small.
func (s *Set) split(w *writer, lower, upper int, end bound) {
	n := upper - lower
	if n < 2*buckets {
		w.list(end, s.items[lower:upper])
		return
	}
	for i := range buckets {
		size := n / buckets
		if i < n%buckets {
			size++
		}
		next := end
		if i < buckets-1 {
			next = between(s.items[lower+size-1], s.items[lower+size])
		}
		w.hash(next, s.fingerprint(lower, lower+size))
		lower += size
	}
}
