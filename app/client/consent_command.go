package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

// agreeFlag is for commands that agree because they were given.
type agreeFlag struct {
	NoAgree bool `help:"Do not agree to what a project asks for; refuse instead."`
}

// agreeTo shows what a project asks for on stderr and signs the consent: an
// explicit command is the agreement.
func (p *program) agreeTo(ctx context.Context, a API, id pow.ProjectID) error {
	v, err := a.Terms(ctx, id)
	if err != nil {
		return err
	}
	if err := p.printTerms(p.s.Err, v); err != nil {
		return err
	}
	if err := a.Agree(ctx, pow.AgreeRequest{Project: id, Hash: v.Hash, Choice: v.Choice}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.s.Err, "Agreed, and signed with your key. Take it back with: powdo projects withdraw %s\n", id)
	return err
}

// startAgreed starts a timer; a project that was never agreed to is agreed to by
// that, unless the flag says no.
func (p *program) startAgreed(ctx context.Context, a API, r pow.StartRequest, f agreeFlag) (pow.Status, error) {
	s, err := a.Start(ctx, r)
	if !errors.Is(err, pow.ErrConsent) || f.NoAgree {
		return s, err
	}
	ps, err := a.Projects(ctx)
	if err != nil {
		return s, err
	}
	q, err := findProject(ps, r.Project)
	if err != nil {
		return s, err
	}
	if err := p.agreeTo(ctx, a, q.ID); err != nil {
		return s, err
	}
	return a.Start(ctx, r)
}

// agreeToAll agrees to every project that was never agreed to.
func (p *program) agreeToAll(ctx context.Context, a API, ps []pow.Project) error {
	for _, q := range ps {
		v, err := a.Terms(ctx, q.ID)
		if err != nil {
			return err
		}
		if v.Consent != pow.ConsentNeeded {
			continue
		}
		if err := p.agreeTo(ctx, a, q.ID); err != nil {
			return err
		}
	}
	return nil
}

// printTerms says in plain words what a project asks for.
func (p *program) printTerms(w io.Writer, v pow.Terms) error {
	q := v.Project
	fmt.Fprintf(w, "%s asks for:\n", cli.Clean(q.Name))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  pictures\t%s\n", picturesAsked(q))
	fmt.Fprintf(t, "  app times\t%s\n", detailAsked(q.Detail, v.Choice.Detail))
	fmt.Fprintf(t, "  who reads\t%s (%s) and the people who run it\n", cli.Clean(v.Team), v.DVMNpub)
	fmt.Fprintf(t, "  kept\t%d days as sealed file; hours as long as the books need\n", retention(q))
	fmt.Fprintf(t, "  never\tkeys typed, camera, microphone, live view, scores\n")
	if v.Policy != "" {
		fmt.Fprintf(t, "  policy text\t%s\n", cli.Clean(strings.Join(strings.Fields(v.Policy), " ")))
	}
	fmt.Fprintf(t, "  consent\t%s\n", consentWords(v))
	return t.Flush()
}

func picturesAsked(q pow.Project) string {
	every := q.Interval
	if every <= 0 {
		every = pow.DefaultInterval
	}
	switch q.Pictures {
	case pow.Required:
		return fmt.Sprintf("required, one in %s, at random moments", words(int64(every)))
	case pow.Forbidden:
		return "none"
	}
	return fmt.Sprintf("as you like, one in %s at most", words(int64(every)))
}

// detailWords are the levels as a person reads them.
var detailWords = map[pow.Detail]string{pow.DetailOff: "none", pow.DetailCategory: "categories", pow.DetailApp: "names of apps", pow.DetailTitle: "window titles"}

func detailAsked(asked, chosen pow.Detail) string {
	if asked == "" {
		asked = pow.DetailCategory
	}
	if chosen == asked {
		return detailWords[asked] + " at most"
	}
	return fmt.Sprintf("%s at most; you: %s", detailWords[asked], detailWords[chosen])
}

func retention(q pow.Project) int {
	if q.Retention <= 0 {
		return pow.DefaultRetention
	}
	return q.Retention
}

func consentWords(v pow.Terms) string {
	at := v.AgreedAt.Local().Format(time.DateOnly)
	switch v.Consent {
	case pow.ConsentGiven:
		return "given on " + at
	case pow.ConsentChanged:
		if v.PolicyChanged {
			return "given on " + at + " to another policy text"
		}
		return "given on " + at + " to less: " + picturesAsked(*v.Agreed) + "; " + detailWords[v.Agreed.Detail] + "; " + fmt.Sprintf("%d days", retention(*v.Agreed))
	case pow.ConsentWithdrawn:
		return "withdrawn"
	}
	return "not given"
}

type projectsCmd struct {
	List     projectsListCmd     `cmd:"" default:"1" help:"List the projects that you may book."`
	Show     projectsShowCmd     `cmd:"" help:"Show what a project asks for, and what you agreed to."`
	Agree    projectsAgreeCmd    `cmd:"" help:"Agree to what a project asks for, and choose inside of it."`
	Withdraw projectsWithdrawCmd `cmd:"" help:"Take your agreement back; nothing more is recorded for the project or sent."`
}

type projectsListCmd struct{}

// Run lists what may be booked.
func (projectsListCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		ps, err := a.Projects(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(ps))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range ps {
				fmt.Fprintf(w, "%s\t%s\t%s\tpictures %s\n", q.ID, cli.Clean(q.Name), cli.Clean(q.Group), q.Pictures)
			}
		})
	})
}

type projectsShowCmd struct {
	Project string `arg:"" help:"Its name or id."`
}

// Run prints what a project asks for.
func (c *projectsShowCmd) Run(p *program) error {
	return p.onProject(c.Project, func(ctx context.Context, a API, q pow.Project) error {
		v, err := a.Terms(ctx, q.ID)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, v)
		}
		return p.printTerms(p.s.Out, v)
	})
}

type projectsAgreeCmd struct {
	Project  string         `arg:"" help:"Its name or id."`
	Pictures *bool          `help:"Take pictures by themselves, where they are optional." negatable:""`
	Interval int            `help:"Seconds between pictures, not longer than the project asks." placeholder:"N"`
	Detail   pow.Detail     `help:"Most detailed activity that leaves: off, category, app or title." placeholder:"LEVEL"`
	Timer    *bool          `help:"Show the running timer to the team." negatable:""`
	After    *time.Duration `help:"Register by itself what was held for so long; 0s: never." placeholder:"1h" name:"seal-after"`
}

// Run signs the consent to what a project asks for now, or changes the choice
// inside of it.
func (c *projectsAgreeCmd) Run(p *program) error {
	return p.onProject(c.Project, func(ctx context.Context, a API, q pow.Project) error {
		v, err := a.Terms(ctx, q.ID)
		if err != nil {
			return err
		}
		if v.Choice, err = c.choice(v.Choice); err != nil {
			return err
		}
		if err := p.printTerms(p.s.Err, v); err != nil {
			return err
		}
		if err := a.Agree(ctx, pow.AgreeRequest{Project: q.ID, Hash: v.Hash, Choice: v.Choice}); err != nil {
			return err
		}
		if v, err = a.Terms(ctx, q.ID); err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, v)
		}
		_, err = fmt.Fprintf(p.s.Out, "Agreed to what %s asks for.\n", cli.Clean(q.Name))
		return err
	})
}

func (c *projectsAgreeCmd) choice(now pow.ProjectChoice) (pow.ProjectChoice, error) {
	if c.Pictures != nil {
		now.Pictures = *c.Pictures
	}
	if c.Interval > 0 {
		now.Interval = c.Interval
	}
	if c.Detail != "" {
		if _, known := detailWords[c.Detail]; !known {
			return now, &pow.Error{Code: pow.ErrUsage.Code, What: "no such level of detail", Mend: "use off, category, app or title"}
		}
		now.Detail = c.Detail
	}
	if c.Timer != nil {
		now.ShowTimer = *c.Timer
	}
	if c.After != nil {
		now.SealAfter = int(*c.After / time.Second)
	}
	return now, nil
}

type projectsWithdrawCmd struct {
	Project string `arg:"" help:"Its name or id."`
}

// Run takes the consent back.
func (c *projectsWithdrawCmd) Run(p *program) error {
	return p.onProject(c.Project, func(ctx context.Context, a API, q pow.Project) error {
		if err := a.Withdraw(ctx, q.ID); err != nil {
			return err
		}
		v, err := a.Terms(ctx, q.ID)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, v)
		}
		_, err = fmt.Fprintf(p.s.Out, "Withdrawn. Nothing more is recorded for %s or sent; what %s has already stays there for up to %d days.\n",
			cli.Clean(q.Name), cli.Clean(v.Team), retention(q))
		return err
	})
}

// onProject calls f with a project by its id or name.
func (p *program) onProject(query string, f func(ctx context.Context, a API, q pow.Project) error) error {
	return p.with(false, func(ctx context.Context, a API) error {
		ps, err := a.Projects(ctx)
		if err != nil {
			return err
		}
		q, err := findProject(ps, query)
		if err != nil {
			return err
		}
		return f(ctx, a, q)
	})
}
