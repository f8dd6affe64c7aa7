//go:build unix

package control

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"pow.do/services/pow"
)

// lockFile takes a lock that ends with the process. The file stays: to remove
// it would let two agents lock two files of one name.
func lockFile(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the control socket: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = pow.ErrInUse.With(err)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
