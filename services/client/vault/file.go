package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"pow.do/services/pow"
)

const (
	fileName = "vault.json"
	maxFile  = 64 << 10

	wayRing       = "keyring"
	wayPassphrase = "passphrase"
)

// file is vault.json.
type file struct {
	Version int      `json:"v"`
	Way     string   `json:"way"`
	Public  Public   `json:"public"`
	Check   pow.Hash `json:"check"` // of the secret document, which is too random to be guessed from it
	Sealed  []byte   `json:"sealed,omitempty"`
}

// read returns the key file. Errors: pow.ErrNoKey, ErrUnsafe, pow.ErrVersion.
func (v *Vault) read() (f file, err error) {
	b, err := readFile(v.path)
	if err != nil {
		return f, err
	}
	if json.Unmarshal(b, &f) != nil || f.Version < 1 {
		return f, errors.New("the key file is damaged; restore the keys from their backup")
	}
	if f.Version > 1 || f.Way != wayRing && f.Way != wayPassphrase {
		return f, pow.ErrVersion
	}
	return f, nil
}

func readFile(path string) ([]byte, error) {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, pow.ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	// A FIFO would block when it is opened: look first, then look again.
	if !before.Mode().IsRegular() {
		return nil, ErrUnsafe
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if !os.SameFile(before, st) || !private(st) || !private(dir) || st.Size() > maxFile {
		return nil, ErrUnsafe
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// writeFile replaces the key file, whole or not at all.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	if !private(st) {
		return ErrUnsafe
	}
	f, err := os.CreateTemp(dir, fileName+".*.tmp") // 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	defer os.Remove(f.Name()) // gone already after the rename
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	return syncDir(dir)
}

// removeFile removes the key file, durably.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
