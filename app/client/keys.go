package client

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"pow.do/services/client/vault"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// secrets are the open keys of this device.
type secrets struct {
	identity identity.Secret
	device   identity.Secret
	review   identity.ReviewKey
}

// passphraseSealer adapts identity's passphrase files to the vault. Each use
// takes 256 MiB for about a second, which an idle heap would keep for minutes: the
// agent, which runs all day, hands them back at once.
type passphraseSealer struct{}

func (passphraseSealer) Seal(plain []byte, passphrase string) ([]byte, error) {
	defer debug.FreeOSMemory()
	return identity.SealWithPassphrase(plain, passphrase)
}

func (passphraseSealer) Open(sealed []byte, passphrase string) ([]byte, error) {
	defer debug.FreeOSMemory()
	return identity.OpenWithPassphrase(sealed, passphrase)
}

func openVault(home string) (*vault.Vault, error) {
	return vault.New(vault.Config{Dir: home, Sealer: passphraseSealer{}})
}

// box is the public half of the review key: it lets captures in while locked.
func (a *Agent) box() (identity.Box, error) {
	public, err := a.vault.Public()
	if err != nil {
		return identity.Box{}, err
	}
	return identity.ParseBox(public.Review)
}

// unlockAtStart opens the keys with the passphrase that was given, or from the
// keyring. Without either the agent starts locked.
func (a *Agent) unlockAtStart(ctx context.Context) error {
	pass := ""
	if a.cfg.Passphrase != nil {
		var err error
		if pass, err = a.cfg.Passphrase(); err != nil {
			return err
		}
	}
	err := a.Unlock(ctx, pass)
	if errors.Is(err, vault.ErrPassphrase) && pass != "" || err != nil && !errors.Is(err, pow.ErrLocked) {
		return err
	}
	return nil
}

// Unlock implements API.
func (a *Agent) Unlock(_ context.Context, passphrase string) error {
	if err := a.ready(); err != nil {
		return err
	}
	if err := a.vault.Open(passphrase); err != nil {
		return err
	}
	return a.takeKeys()
}

// takeKeys makes the open vault's keys the agent's.
func (a *Agent) takeKeys() error {
	s, err := a.vault.Secrets()
	if err != nil {
		return err
	}
	defer s.Wipe()
	id, err1 := identity.SecretFromBytes(s.Identity[:])
	device, err2 := identity.SecretFromBytes(s.Device[:])
	review, err3 := identity.ParseReviewKey(string(s.Review))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	a.queue.SetOpener(review)
	a.mu.Lock()
	a.keys = &secrets{id, device, review}
	a.mu.Unlock()
	if err := errors.Join(a.loadTeam(), a.loadSettings(), a.recallNote()); err != nil {
		return err
	}
	a.renewLink()
	a.changed()
	return nil
}

// NewKey implements API.
func (a *Agent) NewKey(_ context.Context, r pow.KeyRequest) (reply pow.KeyReply, err error) {
	var id identity.Secret
	if r.Restore != "" {
		id, err = identity.Import(r.Restore, r.RestorePassphrase)
	} else {
		reply.Mnemonic, id, err = identity.NewMnemonic()
	}
	if err != nil {
		return pow.KeyReply{}, err
	}
	device, err := identity.NewSecret()
	if err != nil {
		return pow.KeyReply{}, err
	}
	review, err := identity.NewReviewKey()
	if err != nil {
		return pow.KeyReply{}, err
	}
	keys := vault.Secrets{Identity: [32]byte(id.Bytes()), Device: [32]byte(device.Bytes()), Review: []byte(review.Secret())}
	defer keys.Wipe()
	public := vault.Public{Identity: id.Public(), Device: device.Public(), Review: review.Box().String()}
	if err := a.vault.Create(public, keys, r.Passphrase); err != nil {
		return pow.KeyReply{}, err
	}
	if err := a.openQueue(); err != nil {
		return pow.KeyReply{}, err
	}
	reply.Npub = identity.Npub(id.Public())
	return reply, a.takeKeys()
}

// Backup implements API.
func (a *Agent) Backup(_ context.Context, passphrase string) (string, error) {
	if err := a.ready(); err != nil {
		return "", err
	}
	a.mu.Lock()
	keys := a.keys
	a.mu.Unlock()
	switch {
	case keys == nil:
		return "", pow.ErrLocked
	case passphrase == "":
		return "", &pow.Error{Code: pow.ErrUsage.Code, What: "a backup needs a passphrase", Mend: "name one: --passphrase-file FILE"}
	}
	return keys.identity.Ncryptsec(passphrase)
}

// keyringFresh is how long the answer of the keyring is believed.
const keyringFresh = time.Minute

// setup tells how far the first run has come.
func (a *Agent) setup() (s pow.Setup) {
	state, err := a.vault.State()
	s.Key = err == nil && state != vault.Absent
	if public, err := a.vault.Public(); err == nil {
		s.Npub, s.DeviceNpub = identity.Npub(public.Identity), identity.Npub(public.Device)
	}
	if !s.Key {
		s.Keyring = a.keyringAvailable()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Locked = s.Key && a.keys == nil
	if a.team != nil {
		s.Team = a.team.Code == pow.CodeEnrolled
		if !s.Team {
			s.Waits = string(a.team.Code)
		}
	}
	return s
}

// keyringAvailable asks the keyring at most once in keyringFresh: it may be slow.
func (a *Agent) keyringAvailable() bool {
	a.ringMu.Lock()
	defer a.ringMu.Unlock()
	if time.Since(a.keyringAsked) > keyringFresh {
		a.keyringAsked = time.Now()
		a.keyring = a.vault.Available()
	}
	return a.keyring
}
