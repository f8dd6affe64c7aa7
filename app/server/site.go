package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm"
	"pow.do/services/dvm/ledger"
	"pow.do/services/dvm/report"
	"pow.do/services/dvm/site"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// reviewSite makes the pages of a running DVM.
func (r *dvmRole) reviewSite() http.Handler {
	b := siteBooks{r}
	return site.New(site.Config{Team: r.cfg.Name, Books: b, Evidence: b, Decisions: r.ledger, Doors: r.ledger, Signer: httpSigner,
		Zone: time.Local, Now: time.Now, Log: r.log})
}

// siteBooks answers the pages from the ledger and the sealed archives.
type siteBooks struct{ *dvmRole }

func (b siteBooks) filter(q site.Query) ledger.Filter {
	return ledger.Filter{Member: q.Member, Session: q.Session, Proof: q.Proof, From: q.From, To: q.To}
}

func (b siteBooks) Members(ctx context.Context) ([]pow.Member, error) { return b.ledger.Members(ctx) }

func (b siteBooks) Sessions(ctx context.Context, q site.Query) ([]pow.SessionReport, error) {
	return b.ledger.Sessions(ctx, b.filter(q))
}

func (b siteBooks) Proofs(ctx context.Context, q site.Query) ([]pow.ProofReport, error) {
	return b.ledger.Proofs(ctx, b.filter(q))
}

func (b siteBooks) Quarantine(ctx context.Context) ([]pow.Quarantined, error) {
	return b.ledger.Quarantine(ctx)
}

func (b siteBooks) Report(ctx context.Context, w io.Writer, format string, q site.Query) error {
	f := b.filter(q)
	f.Npub = identity.Npub
	sessions, err := b.ledger.Sessions(ctx, f)
	if err != nil {
		return err
	}
	proofs, err := b.ledger.Proofs(ctx, f)
	if err != nil {
		return err
	}
	return report.New(report.Source{Team: b.cfg.Name, DVMNpub: identity.Npub(b.secret.Public()), From: q.From, To: q.To, Sessions: sessions,
		Proofs: proofs, Zone: time.Local, Now: time.Now().Truncate(time.Second)}).Write(w, report.Format(format))
}

func (b siteBooks) Pictures(ctx context.Context, proof int64) ([]pow.Capture, error) {
	return b.ledger.Pictures(ctx, proof)
}

func (b siteBooks) ActivityIn(ctx context.Context, proof int64) ([]pow.ActivityRow, error) {
	return b.ledger.ActivityIn(ctx, proof)
}

// Picture opens the archive of a proof, checks it as a whole, and returns one
// picture of it.
func (b siteBooks) Picture(ctx context.Context, proof int64, n int) ([]byte, error) {
	ps, err := b.ledger.Proofs(ctx, ledger.Filter{Proof: proof})
	if err != nil {
		return nil, err
	}
	if len(ps) != 1 {
		return nil, pow.ErrNotFound
	}
	f, err := os.Open(dvm.SealedPath(filepath.Join(b.cfg.Dir, "dvm", "sealed"), ps[0].Sealed))
	if errors.Is(err, os.ErrNotExist) {
		return nil, pow.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open an archive: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open an archive: %w", err)
	}
	return b.archive.opener.Load().Picture(ctx, f, fi.Size(), n)
}

// httpAuthSkew is how far the time of a token may be off, either way (NIP-98).
const httpAuthSkew = time.Minute

// httpSigner checks the token of a POST to url (NIP-98) and returns whose key
// signed it.
func httpSigner(authorization, url string, now time.Time) (pow.Key, error) {
	e, err := event.ParseToken(authorization)
	if err != nil {
		return pow.Key{}, err
	}
	u, _, uErr := event.Single(e, "u")
	method, _, mErr := event.Single(e, "method")
	if e.Kind != event.KindHTTP || uErr != nil || mErr != nil || u != url || method != http.MethodPost || now.Sub(e.CreatedAt.Time()).Abs() > httpAuthSkew {
		return pow.Key{}, errors.New("a token for something else")
	}
	if err := event.Verify(e); err != nil {
		return pow.Key{}, err
	}
	return event.Author(e), nil
}

type adminsCmd struct {
	List   adminsListCmd   `cmd:"" default:"1" help:"List who may look at evidence."`
	Add    adminsAddCmd    `cmd:"" help:"Let a person look at evidence, or change their key."`
	Remove adminsRemoveCmd `cmd:"" help:"End a person's access."`
	Link   adminsLinkCmd   `cmd:"" help:"Print a link that signs a person in once."`
	Log    adminsLogCmd    `cmd:"" help:"Show who looked at what."`
}

type adminLine struct {
	Name  string    `json:"name"`
	Npub  string    `json:"npub,omitempty"`
	Since time.Time `json:"since"`
}

type adminsListCmd struct{}

func (adminsListCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		all, err := d.ledger.Admins(ctx)
		if err != nil {
			return err
		}
		lines := []adminLine{}
		for _, a := range all {
			l := adminLine{Name: a.Name, Since: a.Since}
			if !a.Identity.IsZero() {
				l.Npub = identity.Npub(a.Identity)
			}
			lines = append(lines, l)
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, lines)
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%s\tsince %s\t%s\n", cli.Clean(l.Name), l.Since.Local().Format(time.DateOnly), l.Npub)
			}
		})
	})
}

type adminsAddCmd struct {
	Name string `arg:"" help:"The person's name, as the log shows it."`
	Npub string `help:"Their Nostr key, to sign in with (NIP-98)."`
}

func (c *adminsAddCmd) Run(p *program) error {
	a := pow.Admin{Name: pow.Clean(c.Name), Since: time.Now()}
	if a.Name == "" {
		return usage(errors.New("the name is empty"))
	}
	if c.Npub != "" {
		var err error
		if a.Identity, err = identity.ParseNpub(c.Npub); err != nil {
			return usage(err)
		}
	}
	return p.withDVM(func(ctx context.Context, d *desk) error { return d.ledger.SetAdmin(ctx, a) })
}

type adminsRemoveCmd struct {
	Name string `arg:"" help:"The person's name."`
}

func (c *adminsRemoveCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error { return d.ledger.RemoveAdmin(ctx, c.Name) })
}

// linkFor is how long a one-time link may be used.
const linkFor = 10 * time.Minute

type adminsLinkCmd struct {
	Name string `arg:"" help:"The person's name."`
}

// Run prints the link; the ledger keeps a hash of it only.
func (c *adminsLinkCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		if err := d.ledger.HasAdmin(ctx, c.Name); err != nil {
			return &pow.Error{Code: pow.CodeNotFound, What: "no admin is called " + cli.Clean(c.Name), Mend: "add them: powdo-server admins add NAME", Err: err}
		}
		address := lastReady(d.dir).Admin
		if address == "" {
			return &pow.Error{Code: pow.ErrUsage.Code, What: "the DVM has not run yet", Mend: "start it first"}
		}
		secret := rand.Text()
		if err := d.ledger.AddLink(ctx, sha256.Sum256([]byte(secret)), c.Name, time.Now().Add(linkFor)); err != nil {
			return err
		}
		link := address + "/login?key=" + secret
		if p.g.JSON {
			return cli.JSON(p.s.Out, map[string]any{"link": link, "expires": time.Now().Add(linkFor).UTC()})
		}
		_, err := fmt.Fprintln(p.s.Out, link)
		return err
	})
}

type adminsLogCmd struct {
	Last int `help:"How many lines." default:"100"`
}

func (c *adminsLogCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ks, err := d.ledger.Looks(ctx, max(1, c.Last))
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, ks)
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, k := range ks {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.At.Local().Format(clock), cli.Clean(k.Admin), k.Act, cli.Clean(k.Target))
			}
		})
	})
}
