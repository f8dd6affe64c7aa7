package negentropy

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"

	"pow.do/services/pow"
)

// Item is one event of a set: its created_at in Unix seconds, not negative, and its id.
type Item struct {
	At int64
	ID pow.Hash
}

func (a Item) compare(b Item) int {
	return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
}

// Set is a sorted set of items. It is not changed after it was made, and may be
// used by many goroutines.
type Set struct{ items []Item }

// NewSet sorts the items, which belong to the Set from then on, and drops those
// that are there twice.
func NewSet(items []Item) *Set {
	slices.SortFunc(items, Item.compare)
	return &Set{slices.Compact(items)}
}

// Len returns the number of items.
func (s *Set) Len() int { return len(s.items) }

// fingerprintSize is in bytes.
const fingerprintSize = 16

// fingerprint is the start of the SHA-256 of the sum of all ids of a range, as
// 256-bit little-endian numbers, and of their number.
func (s *Set) fingerprint(lower, upper int) []byte {
	var sum [4]uint64
	for i := lower; i < upper; i++ {
		id := &s.items[i].ID
		var carry uint64
		for w := range sum {
			sum[w], carry = bits.Add64(sum[w], binary.LittleEndian.Uint64(id[8*w:]), carry)
		}
	}
	var b []byte
	for _, w := range sum {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	h := sha256.Sum256(appendVarint(b, uint64(upper-lower)))
	return h[:fingerprintSize]
}

// find returns the index of the first item, not before from, that is not below b.
func (s *Set) find(from int, b bound) int {
	i, _ := slices.BinarySearchFunc(s.items[from:], b, func(it Item, b bound) int {
		return cmp.Or(cmp.Compare(uint64(it.At), b.at), bytes.Compare(it.ID[:], b.prefix))
	})
	return from + i
}
