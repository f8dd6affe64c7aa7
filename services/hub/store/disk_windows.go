package store

import (
	"syscall"
	"unsafe"
)

var getDiskFreeSpaceEx = syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")

// diskSpace returns what this user may still write, and how large the disk is.
func diskSpace(dir string) (free, total int64, err error) {
	p, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	var left, all uint64
	ok, _, err := getDiskFreeSpaceEx.Call(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&left)), uintptr(unsafe.Pointer(&all)), 0)
	if ok == 0 {
		return 0, 0, err
	}
	return int64(left), int64(all), nil
}
