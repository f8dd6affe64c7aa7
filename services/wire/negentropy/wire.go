package negentropy

import (
	"errors"
	"math"

	"pow.do/services/pow"
)

// Errors of messages.
var (
	// ErrMessage means that a message is not one of this protocol.
	ErrMessage = errors.New("not a negentropy message")
	// ErrVersion means that the other side speaks another version only.
	ErrVersion = errors.New("another version of negentropy")
)

// version is the first byte of every message; other versions lie in 0x60…0x6f.
const version = 0x61

// What a message says about a range.
const (
	skipRange    = 0
	hashRange    = 1 // a fingerprint follows
	listRange    = 2 // ids follow
	infinity     = math.MaxUint64
	maxVarint    = 10 // bytes
	versionsFrom = 0x60
	versionsTo   = 0x6f
)

// bound is the exclusive end of a range: a time and the start of an id.
type bound struct {
	at     uint64 // infinity: the end of everything
	prefix []byte // at most 32 bytes
}

func after(it Item) bound { return bound{uint64(it.At), it.ID[:]} }

// between returns the shortest bound that divides two neighbours.
func between(prev, next Item) bound {
	if prev.At != next.At {
		return bound{at: uint64(next.At)}
	}
	n := 0
	for n < len(next.ID)-1 && prev.ID[n] == next.ID[n] {
		n++
	}
	return bound{uint64(next.At), next.ID[:n+1]}
}

// writer appends the parts of a message. Times are written as differences.
type writer struct {
	b    []byte
	last uint64
}

func (w *writer) bound(b bound) {
	if b.at == infinity {
		w.last = infinity
		w.b = appendVarint(w.b, 0)
	} else {
		w.b = appendVarint(w.b, b.at-w.last+1)
		w.last = b.at
	}
	w.b = appendVarint(w.b, uint64(len(b.prefix)))
	w.b = append(w.b, b.prefix...)
}

func (w *writer) skip(b bound) {
	w.bound(b)
	w.b = append(w.b, skipRange)
}

func (w *writer) hash(b bound, fingerprint []byte) {
	w.bound(b)
	w.b = append(append(w.b, hashRange), fingerprint...)
}

func (w *writer) list(b bound, items []Item) {
	w.bound(b)
	w.b = appendVarint(append(w.b, listRange), uint64(len(items)))
	for _, it := range items {
		w.b = append(w.b, it.ID[:]...)
	}
}

// appendVarint writes base 128, most significant digit first.
func appendVarint(b []byte, n uint64) []byte {
	var digits [maxVarint]byte
	i := len(digits) - 1
	for digits[i] = byte(n & 0x7f); n > 0x7f; {
		n >>= 7
		i--
		digits[i] = byte(n&0x7f) | 0x80
	}
	return append(b, digits[i:]...)
}

// reader takes a message apart. After an error it gives zeros.
type reader struct {
	b    []byte
	last uint64
	err  error
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.err, r.b = ErrMessage, nil
		return nil
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) varint() (n uint64) {
	for range maxVarint {
		d := r.take(1)
		if len(d) == 0 {
			return 0
		}
		if n > math.MaxUint64>>7 {
			break
		}
		n = n<<7 | uint64(d[0]&0x7f)
		if d[0] < 0x80 {
			return n
		}
	}
	r.err, r.b = ErrMessage, nil
	return 0
}

// bound reads the end of a range; times beyond all numbers are the end of everything.
func (r *reader) bound() (b bound) {
	switch delta := r.varint(); {
	case delta == 0 || delta-1 > infinity-r.last:
		b.at = infinity
	default:
		b.at = r.last + delta - 1
	}
	r.last = b.at
	n := r.varint()
	if n > uint64(len(pow.Hash{})) {
		r.err, r.b = ErrMessage, nil
		return b
	}
	b.prefix = r.take(n)
	return b
}

// ids reads a list; its length is checked against the bytes that are there.
func (r *reader) ids() map[pow.Hash]bool {
	n := r.varint()
	if n > uint64(len(r.b)/len(pow.Hash{})) {
		r.err, r.b = ErrMessage, nil
		return nil
	}
	list := make(map[pow.Hash]bool, n)
	for range n {
		list[pow.Hash(r.take(uint64(len(pow.Hash{}))))] = true
	}
	return list
}
