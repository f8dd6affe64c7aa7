package archive

import (
	"errors"
	"math/bits"
)

// Padme returns the smallest Padmé size that is at least n: a size of which all
// but the topmost bits are zero, so that sizes say little and padding costs
// little (at most 3.2 % from 64 KiB on). From "Reducing Metadata Leakage from
// Encrypted Files and Communication with PURBs" (PETS 2019), section 4.
func Padme(n int64) int64 {
	if n < 2 {
		return n
	}
	e := bits.Len64(uint64(n)) - 1
	mask := int64(1)<<(e-bits.Len(uint(e))) - 1
	return (n + mask) &^ mask
}

// fit returns how many bytes to add to a plaintext of base bytes so that its
// sealed size is a Padmé size, and that size. size is the sealed size of n
// bytes. It grows by about one with n but jumps at the borders of chunks, so
// that some sizes cannot be met: then the next Padmé size is taken.
func fit(base int64, size func(n int64) int64) (pad, total int64, err error) {
	total = Padme(size(base))
	for range 64 {
		n := base
		for range 8 {
			missing := total - size(n)
			if missing == 0 {
				return n - base, total, nil
			}
			if n += missing; n < base {
				break
			}
		}
		total = Padme(total + 1)
	}
	return 0, 0, errors.New("no padding fits")
}
