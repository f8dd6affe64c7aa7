// Package keys keeps the DVM's secrets: the Nostr key, the archive keys and the
// secret behind opaque ids, in one file <folder>/keys.json that [Create] writes.
//
// The file is readable by its owner only (0600) in a folder of the owner (0700).
// [Load] refuses anything else, also a link, a pipe or somebody else's file: such
// keys may be known to others, or were put there by others. With a [Sealer] the
// file is encrypted under a passphrase.
//
// Each archive key has its own period of validity. [Rotate] puts new ones before
// the present ones, which go on for a while, so that nothing that was sealed to
// them is lost; [Bury] destroys a key for good once nothing needs it any more.
//
// The package does not know what a key is: it keeps strings for those who do.
package keys

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"pow.do/services/pow"
)

const (
	fileName = "keys.json"
	maxFile  = 64 << 10
	format   = 1
)

// Errors of Create and Load.
var (
	ErrExists  = &pow.Error{Code: "keys-exist", What: "the DVM has keys already"}
	ErrMissing = &pow.Error{Code: pow.ErrNoKey.Code, What: "the DVM has no keys yet", Mend: "run powdo-server init"}
	ErrExposed = &pow.Error{Code: "keys-exposed", What: "the key file is not private to its owner", Mend: "make the file 0600 and its folder 0700, owned by the user that runs the server; if others could read it, make new keys"}
	ErrDamaged = &pow.Error{Code: "keys-damaged", What: "the key file cannot be read"}
)

// Secret is a string that does not show itself in logs and errors.
type Secret string

// String hides the secret.
func (Secret) String() string { return "(secret)" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "(secret)" }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("(secret)") }

// Archive is one archive key.
type Archive struct {
	Alg       string    `json:"alg"`       // pow.AgePQ or pow.AgeX25519
	Recipient string    `json:"recipient"` // public half
	Secret    Secret    `json:"secret"`
	NotBefore time.Time `json:"nbf"`
	Expires   time.Time `json:"exp,omitzero"` // zero: until another key takes its place
}

// Keys are the DVM's secrets.
type Keys struct {
	Version int       `json:"version"`
	Nostr   Secret    `json:"nostr"`   // 64 hex digits
	Archive []Archive `json:"archive"` // in the order of announcement
	Opaque  Secret    `json:"opaque"`  // 64 hex digits
}

// Generator makes new keys.
type Generator interface {
	NewNostr() (secret string, err error)
	NewArchive(alg string) (secret, recipient string, err error)
}

// Sealer encrypts the key file under a passphrase. Open's error for a wrong one
// is handed on as it is.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Create makes new keys in the folder: a Nostr key, and a hybrid post-quantum and
// a classic archive key. ErrExists when there are keys already; it never
// overwrites. seal may be nil.
func Create(folder string, g Generator, seal Sealer, now time.Time) (Keys, error) {
	if _, err := os.Lstat(filepath.Join(folder, fileName)); err == nil {
		return Keys{}, ErrExists
	}
	k, err := generate(g, now)
	if err != nil {
		return Keys{}, err
	}
	b, err := json.Marshal(k)
	if err == nil && seal != nil {
		b, err = seal.Seal(b)
	}
	if err == nil {
		err = write(folder, b)
	}
	if errors.Is(err, fs.ErrExist) {
		return Keys{}, ErrExists
	}
	if err != nil {
		return Keys{}, fmt.Errorf("write the keys: %w", err)
	}
	return k, nil
}

func generate(g Generator, now time.Time) (Keys, error) {
	nostr, err := g.NewNostr()
	if err != nil {
		return Keys{}, fmt.Errorf("make a Nostr key: %w", err)
	}
	var opaque [32]byte
	if _, err := rand.Read(opaque[:]); err != nil {
		return Keys{}, fmt.Errorf("make a secret: %w", err)
	}
	k := Keys{Version: format, Nostr: Secret(nostr), Opaque: Secret(hex.EncodeToString(opaque[:]))}
	k.Archive, err = newArchives(g, now)
	return k, err
}

// newArchives makes one key of each kind, in the order of announcement.
func newArchives(g Generator, now time.Time) (out []Archive, err error) {
	for _, alg := range []string{pow.AgePQ, pow.AgeX25519} {
		secret, recipient, err := g.NewArchive(alg)
		if err != nil {
			return nil, fmt.Errorf("make an archive key: %w", err)
		}
		out = append(out, Archive{Alg: alg, Recipient: recipient, Secret: Secret(secret), NotBefore: now.UTC().Truncate(time.Second)})
	}
	return out, nil
}

// write puts the file in its place, whole or not at all, unless there is one.
func write(folder string, b []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// Unlike Rename, Link fails when the name is taken.
	if err := os.Link(f.Name(), filepath.Join(folder, fileName)); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Load reads the keys. ErrMissing, ErrExposed and ErrDamaged say why it cannot; an
// error of seal is handed on. seal must be nil exactly when the keys were made
// without one.
func Load(folder string, seal Sealer) (Keys, error) {
	b, err := read(folder)
	if err != nil {
		return Keys{}, err
	}
	return parse(b, seal)
}

func parse(b []byte, seal Sealer) (k Keys, err error) {
	if seal != nil {
		if b, err = seal.Open(b); err != nil {
			return Keys{}, fmt.Errorf("unlock the keys: %w", err)
		}
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return Keys{}, ErrDamaged // the cause may quote the file
	}
	if k.Version > format {
		return Keys{}, ErrDamaged.With(errors.New("made by a newer program"))
	}
	if raw, err := hex.DecodeString(string(k.Opaque)); err != nil || len(raw) != 32 || k.Nostr == "" || len(k.Archive) == 0 {
		return Keys{}, ErrDamaged
	}
	return k, nil
}

func read(folder string) ([]byte, error) {
	path := filepath.Join(folder, fileName)
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	home, err := os.Lstat(folder)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	if !before.Mode().IsRegular() || !home.IsDir() || !private(before, 0o600) || !private(home, 0o700) {
		return nil, ErrExposed
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || !os.SameFile(before, now) {
		return nil, ErrExposed // exchanged between the two looks
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	if len(b) > maxFile {
		return nil, ErrDamaged
	}
	return b, nil
}

// Recipients returns the public archive keys for the announcement (protocol §2.2).
func (k Keys) Recipients() []pow.Recipient {
	out := make([]pow.Recipient, len(k.Archive))
	for i, a := range k.Archive {
		sum := sha256.Sum256([]byte(a.Recipient))
		out[i] = pow.Recipient{ID: hex.EncodeToString(sum[:8]), Alg: a.Alg, Key: a.Recipient, NotBefore: a.NotBefore, Expires: a.Expires}
	}
	return out
}

// OpaqueID names something of this DVM for the outside: the first 8 bytes of
// HMAC-SHA256 over "kind:native" (protocol §0). Kinds are project, activity and
// member. Only who has the secret can tell what it names.
func (k Keys) OpaqueID(kind, native string) pow.OpaqueID {
	secret, err := hex.DecodeString(string(k.Opaque))
	if err != nil {
		panic("keys: the secret was not checked when it was loaded")
	}
	h := hmac.New(sha256.New, secret)
	fmt.Fprintf(h, "%s:%s", kind, native)
	return pow.OpaqueID(hex.EncodeToString(h.Sum(nil)[:8]))
}
