package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"pow.do/app/cli"
	"pow.do/services/client/control"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

type keysCmd struct {
	Show         keysShowCmd         `cmd:"" default:"1" help:"Show your public keys."`
	Backup       keysBackupCmd       `cmd:"" help:"Write the identity key to a file, encrypted with the passphrase of --passphrase-file."`
	TestBackup   keysTestBackupCmd   `cmd:"" help:"Find out whether a backup would bring your key back."`
	Restore      keysRestoreCmd      `cmd:"" help:"Take an identity key from its backup; the first step on a new computer."`
	Lock         keysLockCmd         `cmd:"" help:"Wipe the running agent's keys from memory; the timer and pictures go on."`
	Unlock       keysUnlockCmd       `cmd:"" help:"Give the running agent the passphrase of --passphrase-file."`
	Passphrase   keysPassphraseCmd   `cmd:"" help:"Protect the keys with another passphrase, or by the system's keyring."`
	RemoveDevice keysRemoveDeviceCmd `cmd:"" help:"Have your team forget another computer of yours."`
}

// agent is the running agent. Errors: pow.ErrNoAgent.
func (p *program) agent() (remote, error) {
	home, err := p.home()
	if err != nil {
		return remote{}, err
	}
	r := remote{control.Client{Home: home}}
	_, err = r.Status(p.ctx)
	return r, err
}

type keysShowCmd struct{}

// Run prints the public keys.
func (keysShowCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		k, err := a.Keys(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			k.Devices = notNil(k.Devices)
			return cli.JSON(p.s.Out, k)
		}
		state, tested := "open", "never"
		if k.Locked {
			state = "locked"
		}
		if !k.BackupTested.IsZero() {
			tested = k.BackupTested.Local().Format(time.DateOnly)
		}
		fmt.Fprintf(p.s.Out, "you            %s\nthis device    %s\nkept by        %s, %s\nbackup tested  %s\n", k.Npub, k.DeviceNpub, k.Storage, state, tested)
		for _, d := range k.Devices {
			fmt.Fprintf(p.s.Out, "device         %s  %s (%s)\n", identity.Npub(d.Key), cli.Clean(d.Name), d.State)
		}
		return nil
	})
}

type keysBackupCmd struct {
	File string `arg:"" help:"File to write; it must not be there yet." type:"path"`
}

// Run writes the backup. Restoring takes the file's one line (ncryptsec1…) and
// the passphrase, here or in another Nostr program.
func (c *keysBackupCmd) Run(p *program) error {
	pass, err := p.passphrase()
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		secret, err := a.Backup(ctx, pass)
		if err != nil {
			return err
		}
		if err := newFile(c.File, func(w io.Writer) error { return second(fmt.Fprintln(w, secret)) }); err != nil {
			return err
		}
		fmt.Fprintln(p.s.Err, "Written. Keep the file and the passphrase apart; together they are you.")
		return nil
	})
}

func second[T any](_ T, err error) error { return err }

// backupFile is a file with a backup in it, and the passphrase of an ncryptsec.
type backupFile struct {
	File             string `arg:"" help:"File with an ncryptsec, an nsec or the words." type:"path"`
	BackupPassphrase string `help:"File whose first line is the passphrase of the ncryptsec; default: that of --passphrase-file." placeholder:"FILE" type:"path" name:"backup-passphrase-file"`
}

// maxBackup bounds a backup file, in bytes.
const maxBackup = 4 << 10

func (b backupFile) read(p *program) (text, passphrase string, err error) {
	f, err := os.Open(b.File)
	if err != nil {
		return "", "", fmt.Errorf("read the backup: %w", err)
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, maxBackup))
	if err != nil {
		return "", "", fmt.Errorf("read the backup: %w", err)
	}
	file := b.BackupPassphrase
	if file == "" {
		file = p.g.PassphraseFile
	}
	passphrase, err = readPassphrase(file)
	return strings.TrimSpace(string(all)), passphrase, err
}

type keysTestBackupCmd struct{ backupFile }

// Run compares the backup with the keys of this computer.
func (c *keysTestBackupCmd) Run(p *program) error {
	text, pass, err := c.read(p)
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		if err := a.TestBackup(ctx, pow.BackupTest{Ncryptsec: text, Passphrase: pass}); err != nil {
			return err
		}
		fmt.Fprintln(p.s.Err, "This backup brings your key back.")
		return nil
	})
}

type keysRestoreCmd struct{ backupFile }

// Run makes a home folder with the key of a backup.
func (c *keysRestoreCmd) Run(p *program) error {
	text, backupPass, err := c.read(p)
	if err != nil {
		return err
	}
	pass, err := p.passphrase()
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		k, err := a.NewKey(ctx, pow.KeyRequest{Restore: text, RestorePassphrase: backupPass, Passphrase: pass})
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, map[string]string{"npub": k.Npub})
		}
		return second(fmt.Fprintln(p.s.Out, "Restored", k.Npub))
	})
}

type keysLockCmd struct{}

// Run locks the running agent. Without one no keys are in any memory.
func (keysLockCmd) Run(p *program) error {
	r, err := p.agent()
	if errors.Is(err, pow.ErrNoAgent) {
		fmt.Fprintln(p.s.Err, "No agent is running, so no keys are open.")
		return nil
	}
	if err != nil {
		return err
	}
	return r.Lock(p.ctx)
}

type keysUnlockCmd struct{}

// Run unlocks the running agent; a command without one unlocks for itself.
func (keysUnlockCmd) Run(p *program) error {
	r, err := p.agent()
	if err != nil {
		return err
	}
	pass, err := p.passphrase()
	if err != nil {
		return err
	}
	return r.Unlock(p.ctx, pass)
}

type keysPassphraseCmd struct {
	New     string `help:"File whose first line is the new passphrase." placeholder:"FILE" type:"path" name:"new-passphrase-file"`
	Keyring bool   `help:"Give the keys to the system's keyring instead."`
}

// Run changes what protects the keys at rest.
func (c *keysPassphraseCmd) Run(p *program) error {
	if c.Keyring == (c.New != "") {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "what shall protect the keys?", Mend: "name --new-passphrase-file FILE, or --keyring"}
	}
	old, err := p.passphrase()
	if err != nil {
		return err
	}
	fresh, err := readPassphrase(c.New)
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		return a.ChangePassphrase(ctx, pow.PassphraseChange{Old: old, New: fresh})
	})
}

type keysRemoveDeviceCmd struct {
	Npub string `arg:"" help:"Its npub; see powdo keys."`
}

// Run removes another computer of the same identity.
func (c *keysRemoveDeviceCmd) Run(p *program) error {
	device, err := identity.ParseNpub(c.Npub)
	if err != nil {
		return usage(err)
	}
	return p.with(true, func(ctx context.Context, a API) error { return a.RemoveDevice(ctx, device) })
}

type leaveCmd struct {
	Yes bool `help:"Do not ask." short:"y"`
}

// Run ends the membership.
func (c *leaveCmd) Run(p *program) error {
	if err := p.sure(c.Yes, "Leave the team? What you registered stays there; nothing new is recorded for it."); err != nil {
		return err
	}
	return p.with(true, func(ctx context.Context, a API) error { return a.Leave(ctx) })
}
