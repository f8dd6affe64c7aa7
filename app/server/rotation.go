package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm/keys"
	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

type keysCmd struct {
	Show   keysShowCmd   `cmd:"" default:"1" help:"Show the public keys and until when each is used."`
	Rotate keysRotateCmd `cmd:"" help:"Make new archive keys; the present ones go on for a while."`
}

// keyLine is one archive key of keys show.
type keyLine struct {
	ID        string     `json:"id"`
	Alg       string     `json:"alg"`
	Recipient string     `json:"recipient"`
	NotBefore time.Time  `json:"not_before"`
	Expires   *time.Time `json:"expires"`
	State     string     `json:"state"` // current, ending, ended
}

type keysShowCmd struct{}

func (keysShowCmd) Run(p *program) error {
	return p.withDVM(func(_ context.Context, d *desk) error { return p.printKeys(d, d.keys) })
}

type keysRotateCmd struct {
	Overlap time.Duration `help:"How long members may go on sealing to the present keys." default:"168h"`
}

// Run makes the new keys. A DVM that is running sees them within seconds,
// announces them, and opens what is sealed to either.
func (c *keysRotateCmd) Run(p *program) error {
	if c.Overlap < time.Hour {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the overlap is too short", Mend: "members who are offline seal to the keys they know; give them a day at least, an hour at the very least"}
	}
	return p.withDVM(func(_ context.Context, d *desk) error {
		k, err := keys.Rotate(d.keysFolder(), generator{}, nil, time.Now(), c.Overlap)
		if err != nil {
			return err
		}
		return p.printKeys(d, k)
	})
}

func (p *program) printKeys(d *desk, k keys.Keys) error {
	now := time.Now()
	lines := []keyLine{}
	for _, r := range k.Recipients() {
		l := keyLine{ID: r.ID, Alg: r.Alg, Recipient: r.Key, NotBefore: r.NotBefore, State: "current"}
		if !r.Expires.IsZero() {
			l.Expires, l.State = &r.Expires, "ending"
			if !now.Before(r.Expires) {
				l.State = "ended"
			}
		}
		lines = append(lines, l)
	}
	npub := identity.Npub(d.secret.Public())
	if p.g.JSON {
		return cli.JSON(p.s.Out, struct {
			DVM     string    `json:"dvm_npub"`
			Archive []keyLine `json:"archive"`
		}{npub, lines})
	}
	fmt.Fprintln(p.s.Out, "DVM", npub)
	return cli.Table(p.s, func(w *tabwriter.Writer) {
		for _, l := range lines {
			end := "no end"
			if l.Expires != nil {
				end = "until " + l.Expires.Local().Format(clock)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.ID, l.Alg, l.State, end)
		}
	})
}

// keyFile follows the key file while the DVM runs: what a rotation put there is
// announced and opened without a restart, and keys that nothing needs any more
// are destroyed.
type keyFile struct {
	folder string
	ledger *ledger.Ledger
	log    *slog.Logger
	seen   os.FileInfo
	keys   atomic.Pointer[keys.Keys]
	opener atomic.Pointer[archive.Opener]
}

func followKeys(d *desk, log *slog.Logger) (*keyFile, error) {
	f := &keyFile{folder: d.keysFolder(), ledger: d.ledger, log: log}
	return f, f.load()
}

// Open implements dvm.Opener with the keys of this moment.
func (f *keyFile) Open(ctx context.Context, r io.ReaderAt, size int64, want pow.Notice) (pow.Opened, error) {
	return f.opener.Load().Open(ctx, r, size, want)
}

func (f *keyFile) load() error {
	fi, err := os.Stat(filepath.Join(f.folder, "keys.json"))
	if err != nil {
		return fmt.Errorf("look at the keys: %w", err)
	}
	k, err := keys.Load(f.folder, nil)
	if err != nil {
		return err
	}
	o, err := archive.NewOpener(archiveKeys(k)...)
	if err != nil {
		return err
	}
	f.seen = fi
	f.keys.Store(&k)
	f.opener.Store(o)
	return nil
}

const (
	lookAtKeys = 5 * time.Second
	buryKeys   = time.Hour
)

// run looks at the file until ctx ends, and calls changed for new keys.
func (f *keyFile) run(ctx context.Context, changed func() error) error {
	look, bury := time.NewTicker(lookAtKeys), time.NewTicker(buryKeys)
	defer look.Stop()
	defer bury.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-bury.C:
			if err := f.bury(ctx, time.Now()); err != nil && ctx.Err() == nil {
				f.log.Warn("old archive keys not destroyed yet", "error", err)
			}
		}
		fi, err := os.Stat(filepath.Join(f.folder, "keys.json"))
		if err != nil || os.SameFile(fi, f.seen) && fi.ModTime().Equal(f.seen.ModTime()) {
			continue
		}
		if err := f.load(); err != nil { // a file of the moment; the old keys go on
			f.log.Warn("changed keys not taken over", "error", err)
			continue
		}
		if err := changed(); err != nil {
			return err
		}
		f.log.Info("archive keys changed", "keys", len(f.keys.Load().Archive))
	}
}

// bury destroys ended keys, but none that a kept archive is sealed to.
func (f *keyFile) bury(ctx context.Context, now time.Time) error {
	used, err := f.ledger.RecipientsKept(ctx)
	if err != nil {
		return err
	}
	gone, err := keys.Bury(f.folder, nil, now, func(id string) bool { return used[id] })
	for _, id := range gone {
		f.log.Info("archive key destroyed", "id", id)
	}
	return err
}
