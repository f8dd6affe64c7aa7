package queue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Destroy removes a closed queue with all its files: archives first, the file
// that names them last, so that a kill in between leaves nothing that the next
// Open would not sweep. Errors: pow.ErrInUse.
func Destroy(dir string) error {
	lock, err := takeLock(filepath.Join(dir, lockName))
	if err != nil {
		return err
	}
	defer lock.Close()
	old, err := filepath.Glob(filepath.Join(dir, fileName+".*"))
	if err != nil {
		return fmt.Errorf("look for the queue's files: %w", err)
	}
	err = os.RemoveAll(filepath.Join(dir, sealedDir))
	for _, name := range append(old, filepath.Join(dir, fileName)) {
		err = errors.Join(err, os.RemoveAll(name))
	}
	if err != nil {
		return fmt.Errorf("remove the queue: %w", err)
	}
	return syncDir(dir)
}
