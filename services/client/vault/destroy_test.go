package vault_test

import (
	"errors"
	"os"
	"testing"

	"pow.do/services/client/vault"
	"pow.do/services/pow"
)

func TestStorageAndDestroy(t *testing.T) {
	for pass, want := range map[string]string{"": "keyring", "correct horse": "passphrase"} {
		dir, r := home(t), newRing()
		v := newVault(t, dir, r)
		check(t, v.Destroy())
		check(t, v.Create(public, keys, pass))
		if got, err := v.Storage(); err != nil || got != want {
			t.Errorf("storage %q, %v; want %q", got, err, want)
		}
		check(t, v.Destroy())
		wantState(t, v, vault.Absent)
		if _, err := v.Secrets(); !errors.Is(err, pow.ErrLocked) || len(r.entries) != 0 {
			t.Errorf("%s: the keys are still there: %v, %d entries", want, err, len(r.entries))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: files left: %v, %v", want, left, err)
		}
	}
	dir, r := home(t), newRing()
	v := newVault(t, dir, r)
	check(t, v.Create(public, keys, ""))
	r.fail = errors.New("no answer")
	if err := v.Destroy(); err == nil {
		t.Error("destroyed although the keyring kept the keys")
	}
	if _, err := v.Storage(); err != nil {
		t.Error("the file that says where they are is gone:", err)
	}
}
