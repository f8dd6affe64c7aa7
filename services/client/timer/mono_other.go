//go:build !windows

package timer

import "time"

// monotonic returns a clock that stands still while the computer sleeps.
func monotonic() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
