package control

import (
	"errors"
	"fmt"
	"syscall"

	"pow.do/services/pow"
)

// lockFile opens the file for this process alone, until it ends.
func lockFile(path string) (unlock func() error, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("lock the control socket: %w", err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	const sharingViolation = syscall.Errno(32)
	switch {
	case errors.Is(err, sharingViolation):
		return nil, pow.ErrInUse.With(err)
	case err != nil:
		return nil, fmt.Errorf("lock the control socket: %w", err)
	}
	return func() error { return syscall.CloseHandle(h) }, nil
}
