package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type joinCmd struct {
	Link string `arg:"" help:"The invite link (powdo://join#…)."`
	Name string `help:"Name of this device, as your admin will see it." placeholder:"TEXT"`
	Yes  bool   `help:"Do not ask." short:"y"`
	agreeFlag
}

func (c *joinCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) error {
		v, err := a.ReadInvite(ctx, c.Link)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.s.Err, "%s invites you.\n  DVM      %s\n  relays   %s\n  files    %s\n  valid until %s\n", cli.Clean(v.Name), v.DVMNpub,
			strings.Join(v.Relays, ", "), strings.Join(v.Blossom, ", "), v.Expires.Local().Format(time.DateTime))
		if !c.Yes && isTerminal(p.s.In) && !confirm(p.s, "Join?") {
			return &pow.Error{Code: "declined", What: "nothing was changed"}
		}
		if err := ensureKey(ctx, p, a); err != nil {
			return err
		}
		j, err := a.Join(ctx, pow.JoinRequest{Link: c.Link, Name: c.Name})
		if err != nil {
			return err
		}
		if !c.NoAgree {
			if err := p.agreeToAll(ctx, a, j.Projects); err != nil {
				return err
			}
		}
		if p.g.JSON {
			j.Projects = notNil(j.Projects)
			return cli.JSON(p.s.Out, j)
		}
		if j.Code == pow.CodeAwaitingApproval {
			_, err = fmt.Fprintf(p.s.Out, "%s has to let you in; tracking works meanwhile.\n", cli.Clean(j.Team))
			return err
		}
		_, err = fmt.Fprintf(p.s.Out, "Joined %s as %s; %d projects.\n", cli.Clean(j.Team), cli.Clean(j.Member), len(j.Projects))
		return err
	})
}

// ensureKey makes an identity key when there is none, protected by the
// passphrase file or the system's keyring.
func ensureKey(ctx context.Context, p *program, a API) error {
	s, err := a.Status(ctx)
	if err != nil || s.Setup.Key {
		return err
	}
	pass, err := p.passphrase()
	if err != nil {
		return err
	}
	k, err := a.NewKey(ctx, pow.KeyRequest{Passphrase: pass})
	if err == nil {
		fmt.Fprintf(p.s.Err, "Made a new identity key: %s\nNobody can reset it: back it up with powdo keys backup FILE.\n", k.Npub)
	}
	return err
}

type startCmd struct {
	Project string `arg:"" optional:"" help:"Its name or id."`
	Last    bool   `help:"Continue the project that you worked on last."`
	Note    string `help:"What you are working on." placeholder:"TEXT"`
	agreeFlag
}

func (c *startCmd) Run(p *program) error {
	if (c.Project == "") != c.Last {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "start which project?", Mend: "name it (see powdo projects), or say --last"}
	}
	return p.with(false, func(ctx context.Context, a API) (err error) {
		if c.Last {
			if c.Project, err = lastProject(ctx, a, time.Now()); err != nil {
				return err
			}
		}
		s, err := p.startAgreed(ctx, a, pow.StartRequest{Project: c.Project, Note: c.Note}, c.agreeFlag)
		if err != nil {
			return err
		}
		if _, attended := a.(remote); !attended {
			fmt.Fprintln(p.s.Err, "No agent is running, so no pictures are taken by themselves; run powdo agent.")
		}
		return p.printTimer(s)
	})
}

// lastDays is how far back the last project is looked for.
const lastDays = 60

func lastProject(ctx context.Context, a API, now time.Time) (string, error) {
	if _, err := a.Projects(ctx); err != nil { // not joined, or locked
		return "", err
	}
	for i := range lastDays {
		es, err := a.Entries(ctx, now.AddDate(0, 0, -i))
		if err != nil {
			return "", err
		}
		if len(es) > 0 {
			return string(es[len(es)-1].Project.ID), nil
		}
	}
	return "", pow.ErrUnknownProject
}

type stopCmd struct{}

func (stopCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Stop(ctx)
		if err != nil {
			return err
		}
		return p.printTimer(s)
	})
}

func (p *program) printTimer(s pow.Status) error {
	if p.g.JSON {
		return cli.JSON(p.s.Out, s)
	}
	if s.Timer.Project == nil {
		_, err := fmt.Fprintf(p.s.Out, "Stopped. Today %s.\n", words(s.TodaySeconds))
		return err
	}
	_, err := fmt.Fprintf(p.s.Out, "%s %s, %s.\n", title(string(s.Timer.State)), cli.Clean(s.Timer.Project.Name), words(s.Timer.Elapsed))
	return err
}

type captureCmd struct{}

func (captureCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		cs, err := a.Capture(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(cs))
		}
		for _, c := range cs {
			again := ""
			if c.Again > 0 {
				again = ", unchanged: counted, not stored again"
			}
			fmt.Fprintf(p.s.Out, "Display %d: %d×%d %s, %d kB%s\n", c.Display, c.Width, c.Height, c.Format, (c.Size+999)/1000, again)
		}
		return nil
	})
}

type registerCmd struct {
	Wait    bool          `help:"Wait for the DVM's receipt."`
	Timeout time.Duration `help:"How long to wait." default:"60s" env:"-"`
	DryRun  bool          `help:"Print exactly what would be sent, to which key; send nothing."`
}

func (c *registerCmd) Run(p *program) error {
	return p.with(c.Wait, func(ctx context.Context, a API) error {
		if c.DryRun {
			return p.dryRun(ctx, a)
		}
		ids, err := a.Register(ctx)
		if err != nil {
			return err
		}
		if err := p.nameLeftOut(ctx, a); err != nil {
			return err
		}
		items, err := a.Outbox(ctx)
		if err == nil && c.Wait {
			items, err = p.wait(ctx, a, c.Timeout, func(all []pow.OutboxItem) bool {
				return !slices.ContainsFunc(all, func(i pow.OutboxItem) bool { return slices.Contains(ids, i.ID) && !answered(i) })
			})
		}
		items = slices.DeleteFunc(items, func(i pow.OutboxItem) bool { return !slices.Contains(ids, i.ID) })
		return errors.Join(p.printOutbox(items), err)
	})
}

// answered tells whether the DVM has said the last word for now about a proof.
func answered(i pow.OutboxItem) bool {
	return i.State.Settled() || i.Receipt != nil && i.Receipt.Code == pow.CodeParked
}

func (p *program) dryRun(ctx context.Context, a API) error {
	v, err := a.Preview(ctx)
	if err != nil {
		return err
	}
	if err := p.nameLeftOut(ctx, a); err != nil {
		return err
	}
	if p.g.JSON {
		return cli.JSON(p.s.Out, v)
	}
	if len(v.Parts) == 0 {
		return pow.ErrNothingHeld
	}
	fmt.Fprintf(p.s.Out, "%s on %s: %d proofs, %d pictures, %d rows of activity (%s), about %d kB.\n",
		words(v.Seconds), cli.Clean(v.Project.Name), len(v.Parts), v.Captures, v.Rows, v.Detail, (v.Bytes+999)/1000)
	p.printMarks(v)
	_, err = fmt.Fprintf(p.s.Out, "Sealed to %s (%s), key %s (%s); kept there for %d days.\nThrough %s; they cannot read it.\n",
		cli.Clean(v.Team), v.DVMNpub, v.Recipient, v.Alg, v.Retention, strings.Join(append(v.Relays, v.Servers...), ", "))
	return err
}

type outboxCmd struct {
	List  outboxListCmd  `cmd:"" default:"1" help:"Show every proof and its state."`
	Retry outboxRetryCmd `cmd:"" help:"Try a proof again now."`
}

type outboxListCmd struct{}

func (outboxListCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		items, err := a.Outbox(ctx)
		if err != nil {
			return err
		}
		return p.printOutbox(items)
	})
}

type outboxRetryCmd struct {
	ID string `arg:"" help:"The proof's id."`
}

func (c *outboxRetryCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) error { return a.Retry(ctx, c.ID) })
}

func (p *program) printOutbox(items []pow.OutboxItem) error {
	if p.g.JSON {
		return cli.JSON(p.s.Out, notNil(items))
	}
	return cli.Table(p.s, func(w *tabwriter.Writer) {
		for _, i := range items {
			name := ""
			if i.Project != nil {
				name = i.Project.Name
			}
			fmt.Fprintf(w, "%s\t%s\t%s–%s\t%d pictures\t%s\t%s\n", i.ID, cli.Clean(name), i.From.Local().Format("Mon 15:04:05"),
				i.To.Local().Format("15:04:05"), i.Captures, i.State, explain(i))
		}
	})
}

func explain(i pow.OutboxItem) string {
	switch {
	case i.Receipt != nil && i.Receipt.Reason != "":
		return string(i.Receipt.Code) + ": " + cli.Clean(i.Receipt.Reason)
	case i.Receipt != nil && i.Receipt.Timesheet != 0:
		return fmt.Sprintf("timesheet %d", i.Receipt.Timesheet)
	case i.LastError != nil && !i.State.Settled() || i.State == pow.Attention && i.LastError != nil:
		s := cli.Clean(i.LastError.Text)
		if !i.NextAttempt.IsZero() {
			s += "; next try " + i.NextAttempt.Local().Format(time.TimeOnly)
		}
		return s
	}
	return ""
}

type drainCmd struct {
	Timeout time.Duration `help:"How long to try." default:"60s" env:"-"`
}

func (c *drainCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) error {
		if err := a.Retry(ctx, ""); err != nil {
			return err
		}
		items, err := p.wait(ctx, a, c.Timeout, func(all []pow.OutboxItem) bool {
			return !slices.ContainsFunc(all, func(i pow.OutboxItem) bool { return !answered(i) })
		})
		return errors.Join(p.printOutbox(items), err)
	})
}

// wait watches the outbox until done holds or the time is over.
func (p *program) wait(ctx context.Context, a API, timeout time.Duration, done func([]pow.OutboxItem) bool) ([]pow.OutboxItem, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last []pow.OutboxItem
	for {
		items, err := a.Outbox(ctx)
		if err == nil {
			last = items
		}
		switch {
		case err == nil && done(items):
			return items, nil
		case ctx.Err() != nil:
			return last, pow.ErrTimeout
		case err != nil:
			return last, err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

type doctorCmd struct {
	Part string `arg:"" optional:"" help:"Only this part: capture, relays, blossom, …"`
}

func (c *doctorCmd) Run(p *program) error {
	return p.with(true, func(ctx context.Context, a API) (err error) {
		var checks []pow.Check
		if c.Part != "" {
			checks, err = a.Test(ctx, c.Part)
		} else {
			checks, err = a.Doctor(ctx)
		}
		if err != nil {
			return err
		}
		return cli.PrintChecks(p.s, p.g.JSON, checks)
	})
}
