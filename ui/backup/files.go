package backup

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Files reaches the disk. Write makes a new file and refuses one that is there
// (fs.ErrExist).
type Files struct {
	Home  string // stands for ~
	Write func(path string, data []byte) error
	Read  func(path string) ([]byte, error)
}

// Disk is the real disk.
func Disk() Files {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then ~ means nothing
	}
	return Files{Home: home, Write: writeNew, Read: readSmall}
}

// writeNew makes a file that only its owner may read, whole or not at all.
func writeNew(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	// Some systems cannot sync a folder; the file itself is on the disk.
	_ = d.Sync()
	return d.Close()
}

// mostFile bounds what is read of a file that somebody names, in bytes.
const mostFile = 4096

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, mostFile))
	return b, errors.Join(err, f.Close())
}
