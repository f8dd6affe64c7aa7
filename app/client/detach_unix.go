//go:build unix

package client

import (
	"runtime"
	"syscall"
)

// needsDisplay tells whether a window needs DISPLAY or WAYLAND_DISPLAY.
const needsDisplay = runtime.GOOS != "darwin"

// detached makes a child that does not die with this program's terminal.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
