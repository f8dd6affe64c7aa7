package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm"
	"pow.do/services/dvm/ledger"
	"pow.do/services/dvm/report"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

type reportCmd struct {
	Member  string        `help:"Only this member (npub or name)."`
	Project string        `help:"Only this project (id or name)."`
	From    string        `help:"First day, in the server's time zone." placeholder:"2006-01-02"`
	To      string        `help:"Last day, included." placeholder:"2006-01-02"`
	Format  report.Format `help:"Form: ${enum}." enum:"html,csv,json,pdf" default:"html"`
	Out     string        `help:"File to write; default: standard output." type:"path" placeholder:"FILE"`
}

// Run writes hours and evidence. --json is --format json.
func (c *reportCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		f, err := c.filter(ctx, d)
		if err != nil {
			return err
		}
		if p.g.JSON {
			c.Format = report.JSON
		}
		sessions, err := d.ledger.Sessions(ctx, f)
		if err != nil {
			return err
		}
		proofs, err := d.ledger.Proofs(ctx, f)
		if err != nil {
			return err
		}
		r := report.New(report.Source{Team: p.g.Team, DVMNpub: identity.Npub(d.secret.Public()), From: f.From, To: f.To,
			Sessions: sessions, Proofs: proofs, Zone: time.Local, Now: time.Now().Truncate(time.Second)})
		if c.Out == "" {
			return r.Write(p.s.Out, c.Format)
		}
		return writeNew(c.Out, func(w io.Writer) error { return r.Write(w, c.Format) })
	})
}

func (c *reportCmd) filter(ctx context.Context, d *desk) (f ledger.Filter, err error) {
	f.Npub = identity.Npub
	if c.Member != "" {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return f, err
		}
		f.Member = m.ID
	}
	if c.Project != "" {
		q, err := d.project(ctx, c.Project)
		if err != nil {
			return f, err
		}
		f.Project = q.ID
	}
	if f.From, err = localDay(c.From, 0); err != nil {
		return f, err
	}
	f.To, err = localDay(c.To, 1)
	return f, err
}

// localDay reads a day and returns its beginning, or that of a later one.
func localDay(s string, later int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return t, &pow.Error{Code: pow.ErrUsage.Code, What: "not a day: " + s, Mend: "write it like 2026-11-20"}
	}
	return t.AddDate(0, 0, later), nil
}

// writeNew writes a private file that must not be there yet.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &pow.Error{Code: pow.ErrUsage.Code, What: path + " is there already", Mend: "name another file"}
	}
	if err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// member finds a member by npub, or by name without regard to case.
func (d *desk) member(ctx context.Context, q string) (found pow.Member, err error) {
	if key, err := identity.ParseNpub(q); err == nil {
		return d.ledger.Member(ctx, key)
	}
	ms, err := d.ledger.Members(ctx)
	if err != nil {
		return found, err
	}
	n := 0
	for _, m := range ms {
		if strings.EqualFold(m.Name, q) {
			found = m
			n++
		}
	}
	switch n {
	case 0:
		return found, &pow.Error{Code: pow.CodeNotFound, What: "no member is called " + q, Mend: "see powdo-server members"}
	case 1:
		return found, nil
	}
	return found, &pow.Error{Code: pow.ErrAmbiguous.Code, What: "more than one member is called " + q, Mend: "name the npub; see powdo-server members"}
}

type exportCmd struct {
	Member string `arg:"" help:"The member (npub or name)."`
	To     string `required:"" help:"Folder for everything that is held of them; made, and must not be there yet." placeholder:"DIR" type:"path"`
}

// Run writes all that the DVM holds of a member: what was proven, every proof,
// the activity rows, and each archive that is kept, opened.
func (c *exportCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return err
		}
		if err := os.Mkdir(c.To, 0o700); err != nil {
			return fmt.Errorf("make the folder: %w", err)
		}
		f := ledger.Filter{Member: m.ID, Npub: identity.Npub}
		sessions, err := d.ledger.Sessions(ctx, f)
		if err != nil {
			return err
		}
		proofs, err := d.ledger.Proofs(ctx, f)
		if err != nil {
			return err
		}
		rows, err := d.ledger.ActivityOf(ctx, m.ID)
		if err != nil {
			return err
		}
		for name, v := range map[string]any{"member.json": m, "sessions.json": sessions, "proofs.json": proofs, "activity.json": rows} {
			err := writeNew(filepath.Join(c.To, name), func(w io.Writer) error {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(v)
			})
			if err != nil {
				return err
			}
		}
		n, err := c.archives(ctx, d, proofs)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, map[string]any{"to": c.To, "sessions": len(sessions), "proofs": len(proofs), "archives": n, "activity_rows": len(rows)})
		}
		fmt.Fprintf(p.s.Err, "%d sessions, %d proofs, %d archives, %d activity rows in %s\n", len(sessions), len(proofs), n, len(rows), c.To)
		return nil
	})
}

func (c *exportCmd) archives(ctx context.Context, d *desk, proofs []pow.ProofReport) (n int, err error) {
	opener, err := archive.NewOpener(archiveKeys(d.keys)...)
	if err != nil {
		return 0, err
	}
	for _, p := range proofs {
		err := d.openInto(ctx, opener, p.Sealed, filepath.Join(c.To, "proof-"+strconv.FormatInt(p.ID, 10)))
		switch {
		case errors.Is(err, pow.ErrNotFound): // its retention is over
		case err != nil:
			return n, fmt.Errorf("open the archive of proof %d: %w", p.ID, err)
		default:
			n++
		}
	}
	return n, nil
}

// openInto opens a kept archive into a folder; pow.ErrNotFound when it is not
// kept any more.
func (d *desk) openInto(ctx context.Context, opener *archive.Opener, sealed pow.Hash, folder string) error {
	f, err := os.Open(dvm.SealedPath(filepath.Join(d.dir, "dvm", "sealed"), sealed))
	if err != nil {
		return &pow.Error{Code: pow.CodeNotFound, What: "the archive is not kept any more", Err: err}
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	defer root.Close()
	_, err = opener.Extract(ctx, f, fi.Size(), root)
	return err
}

type eraseCmd struct {
	Member string `arg:"" help:"The member (npub or name)."`
	Yes    bool   `help:"Do not ask."`
}

// Run erases a member: archives, activity, pictures' hashes, notes and names.
// Hours that were proven stay, under the opaque id.
func (c *eraseCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return err
		}
		if !c.Yes {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "this erases the archives, activity, notes and names of " + cli.Clean(m.Name) + "; proven hours and bookings stay",
				Mend: "if that is what you want, say --yes"}
		}
		if err := d.ledger.Erase(ctx, m.ID, time.Now()); err != nil {
			return err
		}
		n, err := d.sweep(ctx)
		if p.g.JSON {
			return errors.Join(err, cli.JSON(p.s.Out, map[string]any{"member": m.ID, "archives": n}))
		}
		fmt.Fprintf(p.s.Err, "Erased, with %d archives. Proven hours stay under %s.\n", n, m.ID)
		return err
	})
}

// sweep removes the archives whose retention is over at once, without waiting
// for the DVM's own round, which may not be running.
func (d *desk) sweep(ctx context.Context) (n int, err error) {
	const batch = 100
	for {
		hs, err := d.ledger.Expired(ctx, time.Now(), batch)
		if err != nil || len(hs) == 0 {
			return n, err
		}
		for _, h := range hs {
			if err := os.Remove(dvm.SealedPath(filepath.Join(d.dir, "dvm", "sealed"), h)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return n, fmt.Errorf("erase an archive: %w", err)
			}
			if err := d.ledger.Erased(ctx, h); err != nil {
				return n, err
			}
			n++
		}
	}
}
