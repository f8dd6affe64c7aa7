package keys_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/dvm/keys"
	"pow.do/services/pow"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// maker makes keys that can be recognised.
type maker struct{ err error }

func (m maker) NewNostr() (string, error) { return strings.Repeat("5ec2e7", 10) + "5ec2", m.err }

func (m maker) NewArchive(alg string) (string, string, error) {
	return "5ec2e7-" + alg, "public-" + alg, m.err
}

// xor is a lock that a child can pick.
type xor byte

func (x xor) Seal(b []byte) ([]byte, error) {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= byte(x)
	}
	return out, nil
}

func (x xor) Open(b []byte) ([]byte, error) {
	out, _ := x.Seal(b)
	if !json.Valid(out) {
		return nil, pow.ErrLocked
	}
	return out, nil
}

func TestCreateAndLoad(t *testing.T) {
	for name, seal := range map[string]keys.Sealer{"plain": nil, "sealed": xor(7)} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "keys")
			made, err := keys.Create(folder, maker{}, seal, now)
			if err != nil {
				t.Fatal(err)
			}
			got, err := keys.Load(folder, seal)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(made, got); d != "" {
				t.Error(d)
			}
			b, err := os.ReadFile(filepath.Join(folder, "keys.json"))
			if err != nil || bytes.Contains(b, []byte("5ec2e7")) == (seal != nil) {
				t.Errorf("on the disk %q, %v", b, err)
			}
			if _, err := keys.Create(folder, maker{}, seal, now); !errors.Is(err, keys.ErrExists) {
				t.Errorf("again: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestWrongPassphrase(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "keys")
	if _, err := keys.Create(folder, maker{}, xor(7), now); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Load(folder, xor(8)); !errors.Is(err, pow.ErrLocked) {
		t.Error(err)
	}
	if _, err := keys.Load(folder, nil); !errors.Is(err, keys.ErrDamaged) {
		t.Error(err)
	}
}

func TestGeneratorFails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "keys")
	if _, err := keys.Create(folder, maker{errors.New("no")}, nil, now); err == nil {
		t.Error("no error")
	}
	if _, err := keys.Load(folder, nil); !errors.Is(err, keys.ErrMissing) {
		t.Error(err)
	}
}

func TestDamaged(t *testing.T) {
	good := `{"version":1,"nostr":"x","archive":[{}],"opaque":"` + strings.Repeat("0", 64) + `"}`
	for name, text := range map[string]string{
		"empty": "", "not JSON": "{", "no secret": "{}", "newer": strings.Replace(good, `:1`, `:2`, 1),
		"short secret": strings.Replace(good, "00", "", 1), "huge": strings.Repeat(" ", 64<<10) + good,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := errors.Join(os.Chmod(folder, 0o700), os.WriteFile(filepath.Join(folder, "keys.json"), []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.Load(folder, nil); !errors.Is(err, keys.ErrDamaged) {
				t.Error(err)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	k, err := keys.Create(t.TempDir(), maker{}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []pow.Recipient{
		{ID: "94b5016f409fd301", Alg: pow.AgePQ, Key: "public-age-pq", NotBefore: now},
		{ID: "3387ad0e775474bd", Alg: pow.AgeX25519, Key: "public-age-x25519", NotBefore: now},
	}
	if d := cmp.Diff(want, k.Recipients()); d != "" {
		t.Error(d)
	}
}

func TestOpaqueID(t *testing.T) {
	k := keys.Keys{Opaque: keys.Secret(strings.Repeat("0", 64))}
	// printf project:17 | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…
	if got := k.OpaqueID("project", "17"); got != "f190fc29f8d34171" {
		t.Errorf("got %s", got)
	}
	if k.OpaqueID("activity", "17") == k.OpaqueID("project", "17") {
		t.Error("kinds are not told apart")
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	k, err := keys.Create(t.TempDir(), maker{}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", k.Nostr)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s %v", k, k, k.Nostr, k.Archive[0]), log.String()} {
		if strings.Contains(s, "5ec2e7") {
			t.Errorf("shown: %s", s)
		}
	}
}
