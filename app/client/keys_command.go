package client

import (
	"context"
	"errors"
	"fmt"
	"os"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type keysCmd struct {
	Show   keysShowCmd   `cmd:"" default:"1" help:"Show your public keys."`
	Backup keysBackupCmd `cmd:"" help:"Write the identity key to a file, encrypted with the passphrase of --passphrase-file."`
}

type keysShowCmd struct{}

// Run prints the public keys.
func (keysShowCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if !s.Setup.Key {
			return pow.ErrNoKey
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, map[string]any{"npub": s.Setup.Npub, "device_npub": s.Setup.DeviceNpub, "locked": s.Setup.Locked})
		}
		_, err = fmt.Fprintf(p.s.Out, "you          %s\nthis device  %s\n", s.Setup.Npub, s.Setup.DeviceNpub)
		return err
	})
}

type keysBackupCmd struct {
	File string `arg:"" help:"File to write; it must not be there yet." type:"path"`
}

// Run writes the backup. Restoring takes the file's one line (ncryptsec1…) and
// the passphrase, in the window's first run or in another Nostr program.
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
		f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		_, err = fmt.Fprintln(f, secret)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		_, err = fmt.Fprintln(p.s.Err, "Written. Keep the file and the passphrase apart; together they are you.")
		return err
	})
}
