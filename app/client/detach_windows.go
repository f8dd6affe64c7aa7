package client

import "syscall"

// needsDisplay tells whether a window needs DISPLAY or WAYLAND_DISPLAY.
const needsDisplay = false

// detached makes a child that does not die with this program's console.
func detached() *syscall.SysProcAttr {
	const newGroup, noConsole = 0x00000200, 0x00000008
	return &syscall.SysProcAttr{CreationFlags: newGroup | noConsole}
}
