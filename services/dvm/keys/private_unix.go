//go:build unix

package keys

import (
	"io/fs"
	"os"
	"syscall"
)

// private tells whether nobody but this process's user can do more with the file
// than mode allows for its owner.
func private(info fs.FileInfo, mode fs.FileMode) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid() && info.Mode().Perm()&^mode == 0
}
