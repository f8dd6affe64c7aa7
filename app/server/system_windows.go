package server

import (
	"fmt"
	"syscall"
	"unsafe"

	"pow.do/services/pow"
)

// lockFile opens the file for this process alone, until it ends.
func lockFile(path string) (unlock func() error, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, pow.ErrInUse.With(err)
	}
	return func() error { return syscall.CloseHandle(h) }, nil
}

// diskSpace returns the free and the total bytes of the disk that holds a folder.
func diskSpace(dir string) (free, total int64, err error) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	call := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	if ok, _, err := call.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&free)), uintptr(unsafe.Pointer(&total)), 0); ok == 0 {
		return 0, 0, fmt.Errorf("ask for free space: %w", err)
	}
	return free, total, nil
}

// syncDir does nothing: NTFS keeps names in a journal, and folders cannot be flushed.
func syncDir(string) error { return nil }
