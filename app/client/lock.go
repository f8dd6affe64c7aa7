package client

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// docBackup keeps when a backup was last found to be good.
const docBackup = "backup-tested"

// Keys implements API.
func (a *Agent) Keys(context.Context) (k pow.KeysInfo, err error) {
	public, err := a.vault.Public()
	if err != nil {
		return k, err
	}
	k.Npub, k.DeviceNpub = identity.Npub(public.Identity), identity.Npub(public.Device)
	if k.Storage, err = a.vault.Storage(); err != nil {
		return k, err
	}
	if _, err := a.queue.Doc(docBackup, &k.BackupTested); err != nil {
		return k, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	k.Locked = a.keys == nil
	if a.team != nil {
		k.Devices = a.team.Catalogue.Devices
	}
	return k, nil
}

// Lock implements API. The link ends at once; what it was doing is taken up
// after Unlock. The queue takes captures all the same: they are encrypted with
// the public half of the review key.
func (a *Agent) Lock(context.Context) error {
	if err := a.ready(); err != nil {
		return err
	}
	a.changing.Lock() // no change of the team may put it back
	a.queue.SetOpener(nil)
	a.mu.Lock()
	a.keys, a.team = nil, nil
	a.renewLocked()
	a.mu.Unlock()
	a.changing.Unlock()
	a.vault.Lock()
	debug.FreeOSMemory() // overwrites the copies that nobody holds any more
	a.changed()
	return nil
}

// ChangePassphrase implements API.
func (a *Agent) ChangePassphrase(_ context.Context, r pow.PassphraseChange) error {
	if err := a.ready(); err != nil {
		return err
	}
	return a.vault.Change(r.Old, r.New)
}

// errOtherBackup: a backup that can be read, of somebody else.
var errOtherBackup = &pow.Error{Code: "other-key", What: "this is the backup of another key", Mend: "make a new one: powdo keys backup FILE"}

// TestBackup implements API.
func (a *Agent) TestBackup(_ context.Context, r pow.BackupTest) error {
	if err := a.ready(); err != nil {
		return err
	}
	input := r.Ncryptsec
	if len(r.Words) > 0 {
		input = strings.Join(r.Words, " ")
	}
	s, err := identity.Import(input, r.Passphrase)
	if err != nil {
		return err
	}
	defer s.Wipe()
	public, err := a.vault.Public()
	switch {
	case err != nil:
		return err
	case s.Public() != public.Identity:
		return errOtherBackup
	}
	defer a.changed()
	return a.queue.PutDoc(docBackup, time.Now().UTC().Truncate(time.Second))
}

// askTime is how long the team's server may take to answer a request.
const askTime = 30 * time.Second

// askTeam sends a request about this account and wants it done.
func (a *Agent) askTeam(ctx context.Context, q pow.Account) error {
	if _, err := a.teamOrError(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	n, err := a.linked(ctx)
	if err != nil {
		return err
	}
	r, err := n.ask(ctx, a, q)
	switch {
	case err != nil:
		return err
	case r.Code == pow.CodeNotFound:
		return pow.ErrNotFound
	case r.Code != pow.CodeDone:
		return &pow.Error{Code: r.Code, What: "the server declined", Mend: "ask your admin"}
	}
	return nil
}

// RemoveDevice implements API.
func (a *Agent) RemoveDevice(ctx context.Context, device pow.Key) error {
	public, err := a.vault.Public()
	if err != nil {
		return err
	}
	if device == public.Device {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "that is this computer", Mend: "run powdo leave"}
	}
	return a.askTeam(ctx, pow.Account{Action: "remove-device", Target: device})
}

// Leave implements API. What was registered stays with the team; nothing new
// is recorded for it.
func (a *Agent) Leave(ctx context.Context) error {
	if err := a.askTeam(ctx, pow.Account{Action: "leave"}); err != nil {
		return err
	}
	if _, err := a.Stop(ctx); err != nil && !errors.Is(err, pow.ErrNotTracking) {
		return err
	}
	defer a.changed()
	return a.changeTeam(func(t *team) error { t.Catalogue.MemberState = "removed"; return nil })
}
