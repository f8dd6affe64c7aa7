package client

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/client/vault"
	"pow.do/services/pow"
)

type forgetCmd struct {
	Last       time.Duration `help:"What was recorded since so long (15m, 1h, 24h)." xor:"what" placeholder:"DURATION"`
	Unsent     bool          `help:"Whatever was never registered." xor:"what"`
	Project    string        `help:"What was never registered of a project (name or id)." xor:"what" placeholder:"PROJECT"`
	Everything bool          `help:"All that this program keeps: keys, team and history too." xor:"what"`
	DryRun     bool          `help:"Only tell."`
	Yes        bool          `help:"Do not ask." short:"y"`
}

// Run erases, after it has said what.
func (c *forgetCmd) Run(p *program) error {
	if c.Last <= 0 && !c.Unsent && c.Project == "" && !c.Everything {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "what shall be forgotten?", Mend: "name --last, --unsent, --project or --everything"}
	}
	r := pow.ForgetRequest{Span: c.Last, Everything: c.Everything, DryRun: true}
	err := p.with(false, func(ctx context.Context, a API) error { return c.forget(ctx, p, a, r) })
	if err != nil || !c.Everything || c.DryRun {
		return err
	}
	return p.awaitErased()
}

// awaitErased waits until an agent that forgets everything has done so.
func (p *program) awaitErased() error {
	home, err := p.home()
	if err != nil {
		return err
	}
	v, err := openVault(home)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, agentStart)
	defer cancel()
	for ctx.Err() == nil {
		if state, err := v.State(); err != nil || state == vault.Absent {
			return err
		}
		sleep(ctx, 20*time.Millisecond)
	}
	return &pow.Error{Code: pow.ErrTimeout.Code, What: "the keys are still there", Mend: "stop the agent (powdo agent --stop) and try again"}
}

func (c *forgetCmd) forget(ctx context.Context, p *program, a API, r pow.ForgetRequest) (err error) {
	if r.Project, err = projectID(ctx, a, c.Project); err != nil {
		return err
	}
	f, err := a.Forget(ctx, r)
	if err != nil {
		return err
	}
	if !c.DryRun {
		what := fmt.Sprintf("Forget %d pictures and %s that were never registered?", f.Pictures, words(f.Seconds))
		if c.Everything {
			what += " The keys, the team and the history, too: without a backup nobody can bring the key back."
		}
		if err := p.sure(c.Yes, what); err != nil {
			return err
		}
		r.DryRun = false
		if f, err = a.Forget(ctx, r); err != nil {
			return err
		}
	}
	return p.printForgotten(f, c.DryRun)
}

// projectID finds a project; while the keys are locked only its id is known.
func projectID(ctx context.Context, a API, q string) (pow.ProjectID, error) {
	if q == "" {
		return "", nil
	}
	ps, err := a.Projects(ctx)
	if errors.Is(err, pow.ErrLocked) {
		if id, bad := pow.ParseOpaqueID(q); bad == nil {
			return id, nil
		}
	}
	if err != nil {
		return "", err
	}
	found, err := findProject(ps, q)
	return found.ID, err
}

func (p *program) printForgotten(f pow.Forgotten, dryRun bool) error {
	if p.g.JSON {
		f.Remains = notNil(f.Remains)
		return cli.JSON(p.s.Out, f)
	}
	verb := "Forgot"
	if dryRun {
		verb = "Would forget"
	}
	fmt.Fprintf(p.s.Out, "%s %d pictures and %s; %d kB here before, %d kB now.\n", verb, f.Pictures, words(f.Seconds), f.Before/1000, f.After/1000)
	for _, r := range f.Remains {
		until := ""
		if !r.Until.IsZero() {
			until = ", the pictures until " + r.Until.Local().Format(time.DateOnly)
		}
		fmt.Fprintf(p.s.Out, "Stays at %s: %d registered proofs%s.\n", cli.Clean(r.Where), r.Proofs, until)
	}
	return nil
}

// sure asks a person. Where nobody can answer, --yes is needed.
func (p *program) sure(yes bool, question string) error {
	switch {
	case yes:
		return nil
	case !isTerminal(p.s.In):
		return &pow.Error{Code: pow.ErrUsage.Code, What: "this cannot be undone", Mend: "say --yes if you mean it"}
	case !confirm(p.s, question):
		return &pow.Error{Code: "declined", What: "nothing was changed"}
	}
	return nil
}

type exportCmd struct {
	ID   string `arg:"" help:"The proof's id; see powdo outbox."`
	File string `arg:"" help:"File to write; it must not be there yet." type:"path"`
}

// Run writes a sealed proof to a file. It delivers meanwhile, so that a proof that is
// not sealed yet gets sealed.
func (c *exportCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) error {
		if err := a.ExportProof(ctx, pow.ExportRequest{ID: c.ID, File: c.File}); err != nil {
			return err
		}
		fmt.Fprintln(p.s.Err, "Written. Only your team can open it: its admin takes it with powdo-server import FILE.")
		return nil
	})
}

type importCmd struct {
	File string `arg:"" help:"File with the answer that came back by hand." type:"path"`
}

func (c *importCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) error {
		n, err := a.ImportProofs(ctx, c.File)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, map[string]int{"proofs": n})
		}
		return second(fmt.Fprintf(p.s.Out, "%d proof answered.\n", n))
	})
}

type historyCmd struct {
	From time.Time `help:"First day; default: Monday." format:"2006-01-02" placeholder:"YYYY-MM-DD" env:"-"`
	Days int       `help:"How many days." default:"7" env:"-"`
}

func (c *historyCmd) Run(p *program) error {
	if c.Days < 1 || c.Days > 366 {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--days must be 1 to 366"}
	}
	day := localWeek(time.Now(), time.Monday).From
	if !c.From.IsZero() {
		day = time.Date(c.From.Year(), c.From.Month(), c.From.Day(), 0, 0, 0, 0, time.Local)
	}
	span := pow.Interval{From: day, To: day.AddDate(0, 0, c.Days)}
	return p.with(false, func(ctx context.Context, a API) error {
		days, err := a.History(ctx, span)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(days))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, d := range days {
				fmt.Fprintf(w, "%s\t%s\t%s\tbooked %s\tverified %s\ton the way %s\tnot registered %s%s\n", d.Day.Local().Format("Mon 2006-01-02"),
					cli.Clean(d.Project.Name), words(d.Total), words(d.Booked), words(d.Verified), words(d.OnTheWay), words(d.Unregistered), notes(d))
			}
		})
	})
}

// notes says what is unusual about a day.
func notes(d pow.HistoryDay) (s string) {
	if d.Kept > 0 {
		s += "\tkept while away " + words(d.Kept)
	}
	if d.ByHand > 0 {
		s += "\tchanged by hand " + words(d.ByHand)
	}
	switch {
	case d.Difference > 0:
		s += "\tyour team counts " + words(d.Difference) + " more"
	case d.Difference < 0:
		s += "\tyour team counts " + words(-d.Difference) + " less"
	}
	return s
}

type rehearseCmd struct{}

// Run shows that sealing works here, without sending anything.
func (rehearseCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		r, err := a.Rehearse(ctx, nil)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, struct {
				Picture int      `json:"picture_bytes"`
				Size    int64    `json:"sealed_bytes"`
				Hash    pow.Hash `json:"sealed_sha256"`
				Opened  bool     `json:"opened"`
				Denied  bool     `json:"denied"`
			}{len(r.Before), r.Size, r.Hash, r.Opened, r.Denied})
		}
		fmt.Fprintf(p.s.Out, "Took a picture of %d kB and sealed it: %d kB.\n", (len(r.Before)+999)/1000, (r.Size+999)/1000)
		if r.Opened && r.Denied {
			fmt.Fprintln(p.s.Out, "The right key opened it, another one did not. Nothing was kept or sent.")
			return nil
		}
		return &pow.Error{Code: "rehearsal-failed", What: "what was opened is not what was sealed"}
	})
}
