package away

import (
	"context"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32           = windows.NewLazySystemDLL("user32.dll")
	kernel32         = windows.NewLazySystemDLL("kernel32.dll")
	wtsapi32         = windows.NewLazySystemDLL("wtsapi32.dll")
	getLastInputInfo = user32.NewProc("GetLastInputInfo")
	getTickCount     = kernel32.NewProc("GetTickCount")
	querySession     = wtsapi32.NewProc("WTSQuerySessionInformationW")
	freeMemory       = wtsapi32.NewProc("WTSFreeMemory")
)

// input asks the system for its last input.
type input struct{}

func newInput() input         { return input{} }
func (input) names() []string { return []string{"windows"} }
func (input) close()          {}

func (input) idle(context.Context) (string, time.Duration, bool) {
	last := struct{ size, tick uint32 }{size: 8}
	if ok, _, _ := getLastInputInfo.Call(uintptr(unsafe.Pointer(&last))); ok == 0 {
		return "windows", 0, false
	}
	now, _, _ := getTickCount.Call()
	return "windows", time.Duration(uint32(now)-last.tick) * time.Millisecond, true // both wrap after 49 days
}

// lockEvery is how often the session's lock is looked at. A notification would
// need a window of our own and a loop that serves it.
const lockEvery = 2 * time.Second

// listeners look at the session's lock; sleep shows in the clocks.
func (w *Watcher) listeners() []func(context.Context, func(signal)) {
	return []func(context.Context, func(signal)){func(ctx context.Context, say func(signal)) {
		tick := time.NewTicker(lockEvery)
		defer tick.Stop()
		was := false
		for {
			if is, known := sessionLocked(); known && is != was {
				was = is
				if is {
					say(locked)
				} else {
					say(unlocked)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}}
}

// sessionLocked reads WTSINFOEX of the current session.
func sessionLocked() (is, known bool) {
	const (
		currentSession = ^uintptr(0)
		sessionInfoEx  = 25
		stateLocked    = 0
		stateUnlocked  = 1
	)
	var info *struct{ level, _, id, state, flags uint32 } // what follows level is aligned to 8 bytes
	var size uint32
	ok, _, _ := querySession.Call(0, currentSession, sessionInfoEx, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)))
	if ok == 0 || info == nil {
		return false, false
	}
	defer func() { _, _, _ = freeMemory.Call(uintptr(unsafe.Pointer(info))) }()
	if size < 20 || info.level != 1 {
		return false, false
	}
	return info.flags == stateLocked, info.flags == stateLocked || info.flags == stateUnlocked
}
