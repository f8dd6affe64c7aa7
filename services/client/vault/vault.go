// Package vault is where the secret keys sleep: identity, device and review key
// as one document, either in the system's keyring or in a file under a
// passphrase. There is no third way: where the keyring is absent or locked a
// passphrase is needed, and nothing is ever written in clear.
//
// The file vault.json in the home folder tells which way was chosen and holds
// the public halves, so that tracking goes on while the vault is locked. With a
// passphrase it also holds the sealed document. It is 0600 in a 0700 folder and
// must be a regular file of this user; anything else is refused (ErrUnsafe).
//
// A vault is absent (no keys yet), locked, or open. Open keys are in memory
// until Lock wipes them. Methods may be called from any goroutine.
package vault

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"pow.do/services/pow"
)

// Sealer locks a small document with a passphrase, for example age with scrypt.
// Open fails when the passphrase is wrong.
type Sealer interface {
	Seal(plain []byte, passphrase string) ([]byte, error)
	Open(sealed []byte, passphrase string) ([]byte, error)
}

// Ring is the system's keyring. Get of an entry that is not there returns
// keyring.ErrNotFound.
type Ring interface {
	Set(service, user, secret string) error
	Get(service, user string) (string, error)
	Delete(service, user string) error
}

// Config says where a vault lies.
type Config struct {
	Dir    string // the home folder
	Sealer Sealer
	Ring   Ring          // nil: the system's
	Wait   time.Duration // for one answer of the keyring; 0: 3 s
}

// State is what a vault can give.
type State string

// The states.
const (
	Absent State = "absent"
	Locked State = "locked"
	Open   State = "open"
)

// Public is what is known while locked.
type Public struct {
	Identity pow.Key `json:"identity"`
	Device   pow.Key `json:"device"`
	Review   string  `json:"review"` // public half of the review key
}

// service is the name under which the keyring shows us.
const service = "pow.do"

// MaxPassphrase bounds a passphrase, in bytes.
const MaxPassphrase = 1 << 10

// Errors. ErrUnsafe and ErrPassphrase have codes for people.
var (
	ErrUnsafe     = &pow.Error{Code: "unsafe-file", What: "the key file is not a private file of this user", Mend: "chmod 700 the home folder and 600 vault.json, and own both"}
	ErrPassphrase = &pow.Error{Code: pow.ErrLocked.Code, What: "that is not the passphrase"}
	ErrExists     = &pow.Error{Code: pow.ErrUsage.Code, What: "there are keys already"}
)

// Vault holds the keys of one home folder.
type Vault struct {
	path, entry string
	sealer      Sealer
	ring        guardedRing

	mu   sync.Mutex // one change at a time; guards open and keys
	open bool
	keys Secrets
}

// New returns the vault of a home folder. It reads nothing yet.
func New(cfg Config) (*Vault, error) {
	if cfg.Sealer == nil {
		panic("vault: no Sealer")
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the home folder: %w", err)
	}
	if cfg.Ring == nil {
		cfg.Ring = systemRing{}
	}
	if cfg.Wait == 0 {
		cfg.Wait = 3 * time.Second
	}
	return &Vault{
		path: filepath.Join(dir, fileName), entry: "keys of " + dir,
		sealer: cfg.Sealer, ring: guardedRing{ring: cfg.Ring, wait: cfg.Wait, busy: make(chan struct{}, 1)},
	}, nil
}

// State tells what the vault can give. Errors: ErrUnsafe.
func (v *Vault) State() (State, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open {
		return Open, nil
	}
	_, err := v.read()
	if errors.Is(err, pow.ErrNoKey) {
		return Absent, nil
	}
	return Locked, err
}

// Public returns the public halves, locked or not. Errors: pow.ErrNoKey, ErrUnsafe.
func (v *Vault) Public() (Public, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f, err := v.read()
	return f.Public, err
}

// Available tells within the configured wait whether the keyring answers. It
// may make the system ask its user to unlock the keyring.
func (v *Vault) Available() bool {
	_, err := v.ring.get(v.entry)
	return err == nil || errors.Is(err, keyring.ErrNotFound)
}

// Create stores new keys and leaves the vault open. An empty passphrase chooses
// the keyring. Errors: ErrExists; pow.ErrLocked when the keyring does not keep
// them, so that a passphrase is needed; ErrUnsafe.
func (v *Vault) Create(public Public, keys Secrets, passphrase string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch _, err := v.read(); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, pow.ErrNoKey):
		return err
	}
	if err := v.store(public, &keys, passphrase); err != nil {
		return err
	}
	v.keys, v.open = keys.clone(), true
	return nil
}

// Open unlocks the vault. The passphrase is empty where the keyring holds the
// keys. Errors: pow.ErrNoKey; pow.ErrLocked when a passphrase is needed, wrong
// (ErrPassphrase), or the keyring does not give the keys; ErrUnsafe.
func (v *Vault) Open(passphrase string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	keys, _, err := v.load(passphrase)
	if err != nil {
		return err
	}
	v.keys.Wipe()
	v.keys, v.open = keys, true
	return nil
}

// Secrets returns a copy of the keys, which the caller wipes. Errors: pow.ErrLocked.
func (v *Vault) Secrets() (Secrets, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.open {
		return Secrets{}, pow.ErrLocked
	}
	return v.keys.clone(), nil
}

// Lock wipes the keys from memory.
func (v *Vault) Lock() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys.Wipe()
	v.keys, v.open = Secrets{}, false
}

// Change moves the keys under another passphrase, or ("") into the keyring. The
// old passphrase is asked for again even while the vault is open. Errors as
// Open and Create.
func (v *Vault) Change(old, passphrase string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	keys, public, err := v.load(old)
	if err != nil {
		return err
	}
	defer keys.Wipe()
	before, err := v.read()
	if err != nil {
		return err
	}
	if err := v.store(public, &keys, passphrase); err != nil {
		return err
	}
	if before.Way == wayRing && passphrase != "" {
		return v.ring.delete(v.entry)
	}
	return nil
}

// Storage tells where the keys sleep: keyring or passphrase. Errors: pow.ErrNoKey, ErrUnsafe.
func (v *Vault) Storage() (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f, err := v.read()
	return f.Way, err
}

// Destroy removes the keys for good, in memory and wherever they sleep: the
// keyring first, so that a failure there leaves a vault that says where they
// are. A vault that is absent stays so.
func (v *Vault) Destroy() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	f, err := v.read()
	if errors.Is(err, pow.ErrNoKey) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.Way == wayRing {
		if err := v.ring.delete(v.entry); err != nil {
			return err
		}
	}
	v.keys.Wipe()
	v.keys, v.open = Secrets{}, false
	return removeFile(v.path)
}

// load reads the keys from wherever they sleep.
func (v *Vault) load(passphrase string) (Secrets, Public, error) {
	f, err := v.read()
	if err != nil {
		return Secrets{}, Public{}, err
	}
	var doc []byte
	if f.Way == wayRing {
		var s string
		if s, err = v.ring.get(v.entry); err != nil {
			return Secrets{}, Public{}, pow.ErrLocked.With(fmt.Errorf("ask the keyring: %w", err))
		}
		doc = []byte(s)
	} else {
		if passphrase == "" || len(passphrase) > MaxPassphrase {
			return Secrets{}, Public{}, pow.ErrLocked
		}
		if doc, err = v.sealer.Open(f.Sealed, passphrase); err != nil {
			return Secrets{}, Public{}, ErrPassphrase.With(err)
		}
	}
	defer clear(doc)
	if sha256.Sum256(doc) != [32]byte(f.Check) {
		return Secrets{}, Public{}, pow.ErrLocked.With(errors.New("the stored keys are not those of this home folder"))
	}
	keys, err := parseSecrets(doc)
	return keys, f.Public, err
}

// store puts the keys to sleep and then says where.
func (v *Vault) store(public Public, keys *Secrets, passphrase string) error {
	doc, err := keys.document()
	if err != nil {
		return err
	}
	defer clear(doc)
	f := file{Version: 1, Way: wayRing, Public: public, Check: sha256.Sum256(doc)}
	if passphrase == "" {
		err = v.ring.keep(v.entry, string(doc))
		if err != nil {
			return pow.ErrLocked.With(fmt.Errorf("give the keys to the keyring: %w", err))
		}
	} else {
		if len(passphrase) > MaxPassphrase {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "the passphrase is too long"}
		}
		f.Way = wayPassphrase
		if f.Sealed, err = v.sealer.Seal(doc, passphrase); err != nil {
			return fmt.Errorf("seal the keys: %w", err)
		}
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	return writeFile(v.path, b)
}
