package store

import (
	"fmt"
	"sync"

	"pow.do/services/pow"
)

// Nothing new is taken while fewer than MinFree bytes or MinPart of the disk are
// free, until Slack bytes more than that are free again. Deletions always work.
const (
	MinFree = 1 << 30
	MinPart = 20 // one part in so many
	Slack   = 1 << 30
)

// Disk tells whether there is room for more.
type Disk struct {
	space func() (free, total int64, err error)

	mu   sync.Mutex
	full bool
}

// NewDisk watches the disk of a folder; space, when not nil, replaces the system call.
func NewDisk(dir string, space func() (free, total int64, err error)) *Disk {
	if space == nil {
		space = func() (int64, int64, error) { return diskSpace(dir) }
	}
	return &Disk{space: space}
}

// Space returns the free and the total bytes.
func (d *Disk) Space() (free, total int64, err error) { return d.space() }

// Room returns pow.ErrDiskFull when too few bytes would be left after n more.
func (d *Disk) Room(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	free, total, err := d.space()
	if err != nil {
		return fmt.Errorf("ask for free disk space: %w", err)
	}
	least := max(MinFree, total/MinPart)
	if d.full {
		d.full = free < least+Slack
	} else {
		d.full = free < least
	}
	if d.full || free-n < least {
		return pow.ErrDiskFull
	}
	return nil
}
