//go:build linux || darwin || freebsd

package store

import "syscall"

// diskSpace returns what an unprivileged program may still write, and how large
// the disk is.
func diskSpace(dir string) (free, total int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}
