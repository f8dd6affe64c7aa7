//go:build unix

package keys_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pow.do/services/dvm/keys"
)

// KY-8: files that others may know, or may have put there.
func TestExposed(t *testing.T) {
	for name, spoil := range map[string]func(folder, file string) error{
		"file for the group":   func(_, file string) error { return os.Chmod(file, 0o640) },
		"file for all":         func(_, file string) error { return os.Chmod(file, 0o644) },
		"folder for all":       func(folder, _ string) error { return os.Chmod(folder, 0o755) },
		"link":                 func(_, file string) error { return errors.Join(os.Rename(file, file+"2"), os.Symlink(file+"2", file)) },
		"pipe":                 func(_, file string) error { return errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)) },
		"folder in its place":  func(_, file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
		"of another user":      func(_, file string) error { return os.Chown(file, 12345, -1) },
		"folder of other user": func(folder, _ string) error { return os.Chown(folder, 12345, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "keys")
			if _, err := keys.Create(folder, maker{}, nil, now); err != nil {
				t.Fatal(err)
			}
			if err := spoil(folder, filepath.Join(folder, "keys.json")); errors.Is(err, os.ErrPermission) {
				t.Skip("needs root")
			} else if err != nil {
				t.Fatal(err)
			}
			if _, err := keys.Load(folder, nil); !errors.Is(err, keys.ErrExposed) {
				t.Error(err)
			}
		})
	}
}
