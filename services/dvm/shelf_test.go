package dvm_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"pow.do/services/dvm"
	"pow.do/services/pow"
)

// What is shelved is exactly what the letter named, or nothing.
func TestShelve(t *testing.T) {
	folder, b := t.TempDir(), []byte("a sealed archive")
	h := pow.Hash(sha256.Sum256(b))
	for range 2 {
		if err := dvm.Shelve(folder, h, int64(len(b)), bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(dvm.SealedPath(folder, h)); err != nil || !bytes.Equal(got, b) {
		t.Errorf("%q, %v", got, err)
	}
	other := pow.Hash(sha256.Sum256([]byte("other")))
	for name, bad := range map[string][]byte{"other": b, "short": b[:3], "long": append(b, 'x')} {
		if err := dvm.Shelve(folder, other, int64(len(b)), bytes.NewReader(bad)); !errors.Is(err, pow.ErrHashMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(dvm.SealedPath(folder, other)); !errors.Is(err, os.ErrNotExist) {
		t.Error("something else is on the shelf:", err)
	}
}
