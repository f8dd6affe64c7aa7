package vault_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
	"go.uber.org/goleak"

	"pow.do/services/client/vault"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sealer stands for age with scrypt: it refuses a wrong passphrase.
type sealer struct{}

func mask(b []byte, pass string) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= pass[i%len(pass)] | 0x80
	}
	return out
}

func (sealer) Seal(plain []byte, pass string) ([]byte, error) {
	return append([]byte(fmt.Sprintf("%08x", len(pass))), mask(plain, pass)...), nil
}

func (sealer) Open(b []byte, pass string) ([]byte, error) {
	plain := mask(b[8:], pass)
	if !json.Valid(plain) {
		return nil, errors.New("wrong passphrase")
	}
	return plain, nil
}

// ring is a keyring of functions.
type ring struct {
	mu      sync.Mutex
	entries map[string]string
	fail    error
	twist   func(string) string
	block   chan struct{}
}

func (r *ring) Set(service, user, secret string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail == nil {
		r.entries[service+"|"+user] = secret
	}
	return r.fail
}

func (r *ring) Get(service, user string) (string, error) {
	if r.block != nil {
		<-r.block
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.entries[service+"|"+user]
	switch {
	case r.fail != nil:
		return "", r.fail
	case !ok:
		return "", keyring.ErrNotFound
	case r.twist != nil:
		return r.twist(s), nil
	}
	return s, nil
}

func (r *ring) Delete(service, user string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, service+"|"+user)
	return r.fail
}

func newRing() *ring { return &ring{entries: map[string]string{}} }

var (
	keys   = vault.Secrets{Identity: [32]byte{1, 2, 3}, Device: [32]byte{4, 5, 6}, Review: []byte("AGE-SECRET-KEY-1TEST")}
	public = vault.Public{Identity: pow.Key{7}, Device: pow.Key{8}, Review: "age1test"}
)

func newVault(t *testing.T, dir string, r *ring) *vault.Vault {
	t.Helper()
	v, err := vault.New(vault.Config{Dir: dir, Sealer: sealer{}, Ring: r, Wait: 5 * time.Second})
	check(t, err)
	return v
}

func home(t *testing.T) string { return filepath.Join(t.TempDir(), "home") }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantState(t *testing.T, v *vault.Vault, want vault.State) {
	t.Helper()
	if got, err := v.State(); err != nil || got != want {
		t.Errorf("state %s, %v; want %s", got, err, want)
	}
}

func wantKeys(t *testing.T, v *vault.Vault) {
	t.Helper()
	got, err := v.Secrets()
	check(t, err)
	if got.Identity != keys.Identity || got.Device != keys.Device || !bytes.Equal(got.Review, keys.Review) {
		t.Error("other keys came back")
	}
}

func TestLife(t *testing.T) {
	for _, pass := range []string{"", "correct horse"} {
		t.Run("pass="+pass, func(t *testing.T) {
			dir, r := home(t), newRing()
			v := newVault(t, dir, r)
			wantState(t, v, vault.Absent)
			if err := v.Open(pass); !errors.Is(err, pow.ErrNoKey) {
				t.Errorf("open an absent vault: %v", err)
			}
			check(t, v.Create(public, keys, pass))
			wantState(t, v, vault.Open)
			wantKeys(t, v)
			if err := v.Create(public, keys, pass); !errors.Is(err, vault.ErrExists) {
				t.Errorf("create twice: %v", err)
			}
			v.Lock()
			wantState(t, v, vault.Locked)
			if _, err := v.Secrets(); !errors.Is(err, pow.ErrLocked) {
				t.Errorf("secrets while locked: %v", err)
			}
			v = newVault(t, dir, r) // the next process
			if p, err := v.Public(); err != nil || p != public {
				t.Errorf("public %+v, %v", p, err)
			}
			check(t, v.Open(pass))
			wantKeys(t, v)
		})
	}
}

func TestWrongPassphrase(t *testing.T) {
	v := newVault(t, home(t), newRing())
	check(t, v.Create(public, keys, "right"))
	v.Lock()
	for _, pass := range []string{"", "wrong", string(make([]byte, 1<<20))} {
		if err := v.Open(pass); !errors.Is(err, pow.ErrLocked) {
			t.Errorf("%.10q: %v, want locked", pass, err)
		}
	}
	wantState(t, v, vault.Locked)
}

func TestChange(t *testing.T) {
	dir, r := home(t), newRing()
	v := newVault(t, dir, r)
	check(t, v.Create(public, keys, "one"))
	if err := v.Change("wrong", "two"); !errors.Is(err, pow.ErrLocked) {
		t.Errorf("change with the wrong passphrase: %v", err)
	}
	check(t, v.Change("one", "two"))
	check(t, newVault(t, dir, r).Open("two"))
	check(t, v.Change("two", "")) // into the keyring
	check(t, newVault(t, dir, r).Open(""))
	if len(r.entries) != 1 {
		t.Errorf("%d entries in the keyring", len(r.entries))
	}
	check(t, v.Change("", "three")) // and out of it
	check(t, newVault(t, dir, r).Open("three"))
	if len(r.entries) != 0 {
		t.Error("the keyring still has the keys")
	}
}

// TestKeyring is KY-10: whatever ails the keyring, a passphrase is needed and
// nothing is written in clear.
func TestKeyring(t *testing.T) {
	sick := map[string]func(*ring){
		"absent":  func(r *ring) { r.fail = errors.New("org.freedesktop.secrets was not provided") },
		"locked":  func(r *ring) { r.fail = errors.New("prompt dismissed") },
		"forgets": func(r *ring) { r.twist = func(string) string { return "" } },
		"another": func(r *ring) { r.twist = func(s string) string { return s[:len(s)-1] + " " } },
	}
	for name, ail := range sick {
		t.Run(name, func(t *testing.T) {
			dir, r := home(t), newRing()
			v := newVault(t, dir, r)
			ail(r)
			if err := v.Create(public, keys, ""); !errors.Is(err, pow.ErrLocked) {
				t.Fatalf("create: %v, want locked", err)
			}
			if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) != 0 {
				t.Errorf("written: %v", found)
			}
			check(t, v.Create(public, keys, "passphrase"))

			dir, r = home(t), newRing()
			v = newVault(t, dir, r)
			check(t, v.Create(public, keys, ""))
			v.Lock()
			ail(r)
			if err := v.Open(""); !errors.Is(err, pow.ErrLocked) {
				t.Errorf("open: %v, want locked", err)
			}
		})
	}
}

func TestKeyringThatNeverAnswers(t *testing.T) {
	r := newRing()
	r.block = make(chan struct{})
	v, err := vault.New(vault.Config{Dir: home(t), Sealer: sealer{}, Ring: r, Wait: time.Millisecond})
	check(t, err)
	if v.Available() || v.Available() {
		t.Error("available")
	}
	close(r.block)
	healthy := newVault(t, home(t), newRing())
	if !healthy.Available() {
		t.Error("not available")
	}
}

// TestUnsafeFiles is KY-8.
func TestUnsafeFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	for name, spoil := range map[string]func(path string) error{
		"readable": func(p string) error { return os.Chmod(p, 0o644) },
		"folder":   func(p string) error { return os.Chmod(filepath.Dir(p), 0o755) },
		"symlink":  func(p string) error { return errors.Join(os.Rename(p, p+"2"), os.Symlink(p+"2", p)) },
		"fifo":     func(p string) error { return errors.Join(os.Remove(p), mkfifo(p)) },
		"huge":     func(p string) error { return os.Truncate(p, 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := home(t)
			v := newVault(t, dir, newRing())
			check(t, v.Create(public, keys, "passphrase"))
			v.Lock()
			check(t, spoil(filepath.Join(dir, "vault.json")))
			if err := v.Open("passphrase"); !errors.Is(err, vault.ErrUnsafe) {
				t.Errorf("%v, want unsafe", err)
			}
			if err := v.Create(public, keys, "again"); !errors.Is(err, vault.ErrUnsafe) {
				t.Errorf("create over it: %v, want unsafe", err)
			}
		})
	}
}

func TestNothingInClear(t *testing.T) {
	dir, r := home(t), newRing()
	v := newVault(t, dir, r)
	check(t, v.Create(public, keys, "passphrase"))
	b, err := os.ReadFile(filepath.Join(dir, "vault.json"))
	check(t, err)
	st, err := os.Stat(filepath.Join(dir, "vault.json"))
	check(t, err)
	if st.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v", st.Mode())
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("keys", "keys", keys)
	text, err := json.Marshal(keys)
	check(t, err)
	for _, shown := range [][]byte{b, log.Bytes(), text, fmt.Appendf(nil, "%v %+v %#v %s %x", keys, keys, keys, keys, keys)} {
		for _, secret := range []string{hex.EncodeToString(keys.Identity[:3]), hex.EncodeToString(keys.Device[:3]), string(keys.Review), "[1 2 3"} {
			if bytes.Contains(shown, []byte(secret)) {
				t.Errorf("shown: %s", shown)
			}
		}
	}
}

func TestLockWipes(t *testing.T) {
	k := vault.Secrets{Identity: [32]byte{1}, Device: [32]byte{2}, Review: []byte("review")}
	view := k.Review
	k.Wipe()
	if k.Identity != [32]byte{} || k.Device != [32]byte{} || !bytes.Equal(view, make([]byte, 6)) {
		t.Error("not wiped")
	}
}
