package capture

import "time"

// Next returns the moment of the picture of one slot: anywhere in
// [slotStart, slotStart+interval) with the same chance, independent of all
// others. rnd returns a uniform number in [0, n); rand.Int64N of math/rand/v2,
// which the system seeds, cannot be foreseen.
func Next(slotStart time.Time, interval time.Duration, rnd func(n int64) int64) time.Time {
	if interval <= 0 {
		return slotStart
	}
	return slotStart.Add(time.Duration(rnd(int64(interval))))
}
