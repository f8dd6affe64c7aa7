package client

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"
)

// autostart writes or removes the value under the Run key that starts the agent
// at login.
func autostart(self, home string, on bool) error {
	name, err := syscall.UTF16PtrFromString(AppID)
	if err != nil {
		return err
	}
	path, err := syscall.UTF16PtrFromString(`Software\Microsoft\Windows\CurrentVersion\Run`)
	if err != nil {
		return err
	}
	advapi := syscall.NewLazyDLL("advapi32.dll")
	if !on {
		r, _, _ := advapi.NewProc("RegDeleteKeyValueW").Call(uintptr(syscall.HKEY_CURRENT_USER), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(name)))
		if e := syscall.Errno(r); e != 0 && !errors.Is(e, syscall.ERROR_FILE_NOT_FOUND) {
			return fmt.Errorf("take pow.do out of the Run key: %w", e)
		}
		return nil
	}
	line, err := syscall.UTF16FromString(syscall.EscapeArg(self) + " agent --home " + syscall.EscapeArg(home))
	if err != nil {
		return err
	}
	const text = 1 // REG_SZ
	r, _, _ := advapi.NewProc("RegSetKeyValueW").Call(uintptr(syscall.HKEY_CURRENT_USER), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(name)),
		text, uintptr(unsafe.Pointer(&line[0])), uintptr(2*len(line)))
	if e := syscall.Errno(r); e != 0 {
		return fmt.Errorf("put pow.do into the Run key: %w", e)
	}
	return nil
}
