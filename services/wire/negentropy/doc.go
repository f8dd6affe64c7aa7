// Package negentropy compares two sets of events over a wire without sending
// either (NIP-77, negentropy protocol version 1, first byte 0x61).
//
// Both sides sort what they have by time and id and cut it into ranges. For
// each range one side sends a fingerprint; where the other's is the same, the
// range is done, where it differs the range is cut into smaller ones, and at
// the end ids are listed. The side that asks learns both differences: what only
// it has and what only the other has. The side that answers keeps no state
// between messages.
//
// Every message of a stranger is bounded: it is read once from front to back,
// nothing is reserved by a length that it claims, each item of the own set is
// visited at most three times for it, and the answer is at most Frame bytes.
// Whoever answers has to bound how often it is asked, and how large its set is:
// an item takes 40 bytes.
//
// Unlike the reference implementation, an answer that was cut at the limit ends
// with the fingerprint of exactly the range that it leaves open.
package negentropy
