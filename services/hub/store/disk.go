package store

import (
	"fmt"
	"sync"

	"pow.do/services/pow"
)

// Below MinFree bytes nothing new is taken, until ResumeFree bytes are free
// again. Deletions always work.
const (
	MinFree    = 1 << 30
	ResumeFree = 2 << 30
)

// Disk tells whether there is room for more.
type Disk struct {
	free func() (int64, error)

	mu   sync.Mutex
	full bool
}

// NewDisk watches the disk of a folder; free, when not nil, replaces the system call.
func NewDisk(dir string, free func() (int64, error)) *Disk {
	if free == nil {
		free = func() (int64, error) { return freeBytes(dir) }
	}
	return &Disk{free: free}
}

// Room returns pow.ErrDiskFull when fewer than MinFree bytes would be left
// after n more.
func (d *Disk) Room(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	free, err := d.free()
	if err != nil {
		return fmt.Errorf("ask for free disk space: %w", err)
	}
	floor := int64(MinFree)
	if d.full {
		floor = ResumeFree
	}
	d.full = free < floor
	if d.full || free-n < MinFree {
		return pow.ErrDiskFull
	}
	return nil
}
