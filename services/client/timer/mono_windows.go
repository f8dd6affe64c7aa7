package timer

import (
	"syscall"
	"time"
	"unsafe"
)

// monotonic returns a clock that stands still while the computer sleeps. Go's own
// runs on then on Windows, so that hours of sleep would look like work.
func monotonic() func() time.Duration {
	query := syscall.NewLazyDLL("kernel32.dll").NewProc("QueryUnbiasedInterruptTime")
	start := time.Now()
	return func() time.Duration {
		var ticks uint64 // of 100 ns
		if ok, _, _ := query.Call(uintptr(unsafe.Pointer(&ticks))); ok == 0 {
			return time.Since(start)
		}
		return time.Duration(ticks) * 100
	}
}
