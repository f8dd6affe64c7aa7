package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type statusCmd struct {
	Watch bool `help:"Go on, and print one line for every change of state; needs the agent."`
}

func (c *statusCmd) Run(p *program) error {
	if c.Watch {
		return p.watchStatus()
	}
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, s)
		}
		return p.printStatus(s)
	})
}

func (p *program) printStatus(s pow.Status) error {
	if err := p.printTimer(s); err != nil {
		return err
	}
	fmt.Fprintf(p.s.Out, "Today %s, this week %s.\n", words(s.TodaySeconds), words(s.WeekSeconds))
	fmt.Fprintf(p.s.Out, "Not registered yet: %s, %d pictures.\n", words(s.HeldSeconds), s.Held)
	for _, st := range pow.States {
		if n := s.Outbox[st]; n > 0 {
			fmt.Fprintf(p.s.Out, "Outbox: %d %s.\n", n, st)
		}
	}
	for _, r := range s.Relays {
		fmt.Fprintf(p.s.Out, "%s: %s\n", r.URL, r.State)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(p.s.Out, "Warning: %s\n", cli.Clean(w.Text))
	}
	return second(fmt.Fprintf(p.s.Out, "ActivityWatch: %s.\n", s.ActivityWatch))
}

// watchStatus prints a line whenever the state of the timer, the outbox, the
// connections or the warnings changes, never because time passes. With --json
// it is one document a line.
func (p *program) watchStatus() error {
	a, err := p.agent()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(p.ctx)
	defer cancel(nil)
	before := ""
	err = a.Watch(ctx, func(s pow.Status) {
		line := stateLine(s)
		if line == before {
			return
		}
		before = line
		var err error
		if p.g.JSON {
			err = cli.JSON(p.s.Out, s)
		} else {
			_, err = fmt.Fprintf(p.s.Out, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
		}
		if err != nil { // nobody reads any more
			cancel(err)
		}
	})
	if cause := context.Cause(ctx); err == nil && p.ctx.Err() == nil {
		return cause
	}
	return err
}

// stateLine is what a person who cannot see the window needs to hear.
func stateLine(s pow.Status) string {
	parts := []string{title(string(s.Timer.State))}
	if s.Timer.Reason != "" {
		parts[0] += " (" + s.Timer.Reason + ")"
	}
	if s.Timer.Project != nil {
		parts[0] += " " + cli.Clean(s.Timer.Project.Name)
	}
	if s.Setup.Locked {
		parts = append(parts, "keys locked")
	}
	if len(s.Away) > 0 {
		parts = append(parts, fmt.Sprintf("%d questions about time away", len(s.Away)))
	}
	parts = append(parts, fmt.Sprintf("%d pictures held", s.Held))
	for _, st := range pow.States {
		if n := s.Outbox[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	online := 0
	for _, r := range s.Relays {
		if r.State == "online" {
			online++
		}
	}
	if len(s.Relays) > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d relays online", online, len(s.Relays)))
	}
	for _, w := range s.Warnings {
		parts = append(parts, cli.Clean(w.Text))
	}
	return strings.Join(parts, ", ")
}
