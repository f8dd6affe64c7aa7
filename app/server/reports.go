package server

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

const clock = "2006-01-02 15:04:05"

type sessionsCmd struct {
	List    sessionsListCmd    `cmd:"" default:"1" help:"Show what was proven."`
	Approve sessionsApproveCmd `cmd:"" help:"Book a session that waits for a decision."`
	Refuse  sessionsRefuseCmd  `cmd:"" help:"Decline what waits of a session; the member is told why."`
}

type sessionsApproveCmd struct {
	Session string `arg:"" help:"The session's id."`
}

func (c *sessionsApproveCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		return d.ledger.Approve(ctx, pow.SessionID(c.Session), time.Now())
	})
}

type sessionsRefuseCmd struct {
	Session string `arg:"" help:"The session's id."`
	Reason  string `required:"" help:"Why; the member reads it." placeholder:"TEXT"`
}

func (c *sessionsRefuseCmd) Run(p *program) error {
	words := pow.Clean(c.Reason)
	if words == "" {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the reason is empty", Mend: "say in a sentence why; the member reads it"}
	}
	return p.withDVM(func(ctx context.Context, d *desk) error {
		return d.ledger.Reject(ctx, pow.SessionID(c.Session), words, time.Now())
	})
}

type sessionsListCmd struct{}

func (sessionsListCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ss, err := d.ledger.Sessions(ctx, ledger.Filter{Npub: identity.Npub})
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, ss)
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, s := range ss {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s–%s\t%v proven\t%d proofs\t%s\t%s\n", s.Session, cli.Clean(s.Member.Name), cli.Clean(s.Project.Name),
					s.Begin.Local().Format(clock), s.End.Local().Format(time.TimeOnly), time.Duration(s.Proven)*time.Second, s.Proofs, s.State, bookingWords(s.Booking))
			}
		})
	})
}

func bookingWords(b pow.Booking) string {
	switch {
	case b.State == "booked" && b.Timesheet != 0:
		return fmt.Sprintf("booked: %s timesheet %d", b.System, b.Timesheet)
	case b.State == "booked":
		return "booked in the ledger"
	case b.Reason != "":
		return b.State + ": " + b.Reason
	}
	return b.State
}

type proofsCmd struct {
	List proofsListCmd `cmd:"" default:"1" help:"Show every proof with its checks."`
	Show proofsShowCmd `cmd:"" help:"Show one proof."`
	Open proofsOpenCmd `cmd:"" help:"Open a proof's archive into a folder."`
}

type proofsListCmd struct{}

func (proofsListCmd) Run(p *program) error { return p.printProofs(0) }

type proofsShowCmd struct {
	ID int64 `arg:"" help:"The proof's number."`
}

func (c *proofsShowCmd) Run(p *program) error { return p.printProofs(c.ID) }

// printProofs prints every proof, or one.
func (p *program) printProofs(id int64) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ps, err := d.ledger.Proofs(ctx, ledger.Filter{Proof: id, Npub: identity.Npub})
		if err != nil {
			return err
		}
		if id != 0 && len(ps) == 0 {
			return pow.ErrNotFound
		}
		if p.g.JSON && id != 0 {
			return cli.JSON(p.s.Out, ps[0])
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, ps)
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range ps {
				c := q.Checks
				fmt.Fprintf(w, "%d\t%s #%d\t%s\t%s–%s\t%d pictures\t%s %s\tsignature %s, chain %s, hashes %s, window %s, policy %s, consent %s\t%s\n", q.ID, q.Session, q.Seq,
					cli.Clean(q.Project.Name), q.From.Local().Format(clock), q.To.Local().Format(time.TimeOnly), q.Captures, q.State,
					strings.TrimSpace(string(q.Code)+" "+cli.Clean(q.Reason)), c.Signature, c.Chain, c.Hashes, c.Window, c.Policy, c.Consent,
					strings.Join(q.Marks, " "))
			}
		})
	})
}

type proofsOpenCmd struct {
	ID int64  `arg:"" help:"The proof's number."`
	To string `required:"" help:"Folder for its files; made when it is missing." placeholder:"DIR" type:"path"`
}

func (c *proofsOpenCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ps, err := d.ledger.Proofs(ctx, ledger.Filter{Proof: c.ID})
		if err != nil {
			return err
		}
		if len(ps) == 0 {
			return pow.ErrNotFound
		}
		opener, err := archive.NewOpener(archiveKeys(d.keys)...)
		if err != nil {
			return err
		}
		if err := d.openInto(ctx, opener, ps[0].Sealed, c.To); err != nil {
			return err
		}
		fmt.Fprintln(p.s.Err, "Opened into", c.To)
		return nil
	})
}

type quarantineCmd struct {
	List  quarantineListCmd  `cmd:"" default:"1" help:"List what could not be processed."`
	Show  quarantineShowCmd  `cmd:"" help:"Show one item."`
	Retry quarantineRetryCmd `cmd:"" help:"Process an item again."`
	Drop  quarantineDropCmd  `cmd:"" help:"Give an item up."`
}

type quarantineListCmd struct{}

func (quarantineListCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		qs, err := d.ledger.Quarantine(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, append([]pow.Quarantined{}, qs...))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range qs {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d attempts\n", q.ID, q.At.Local().Format(clock), q.Step, cli.Clean(q.Reason), q.Attempts)
			}
		})
	})
}

type quarantineShowCmd struct {
	ID int64 `arg:"" help:"The item's number."`
}

func (c *quarantineShowCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		q, proof, err := d.ledger.Quarantined(ctx, c.ID, ledger.Filter{Npub: identity.Npub})
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, struct {
				pow.Quarantined
				Proof *pow.ProofReport `json:"proof"`
			}{q, proof})
		}
		_, err = fmt.Fprintf(p.s.Out, "%s\nletter %s, step %s, %d attempts\n%s\n", q.At.Local().Format(clock), q.Letter, q.Step, q.Attempts, cli.Clean(q.Reason))
		return err
	})
}

type quarantineRetryCmd struct {
	ID int64 `arg:"" help:"The item's number."`
}

func (c *quarantineRetryCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error { return d.ledger.Retry(ctx, c.ID, time.Now()) })
}

type quarantineDropCmd struct {
	ID int64 `arg:"" help:"The item's number."`
}

func (c *quarantineDropCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error { return d.ledger.Drop(ctx, c.ID, time.Now()) })
}
