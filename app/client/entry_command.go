package client

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type entriesCmd struct {
	List entriesListCmd `cmd:"" default:"withargs" help:"List what was tracked on a day."`
	Edit entriesEditCmd `cmd:"" help:"Correct an entry that is not registered; the mark stays visible."`
	Undo entriesUndoCmd `cmd:"" help:"Make an entry what it was before its corrections."`
}

type entriesListCmd struct {
	Day string `help:"The day: 2006-01-02, today or yesterday." placeholder:"DAY" default:"today"`
}

// Run lists the entries of a day.
func (c *entriesListCmd) Run(p *program) error {
	day, err := dayOf(c.Day, time.Now())
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		es, err := a.Entries(ctx, day)
		if err != nil {
			return err
		}
		return p.printEntries(es)
	})
}

// dayOf reads a day in the command line's words.
func dayOf(s string, now time.Time) (time.Time, error) {
	switch s {
	case "today":
		return now, nil
	case "yesterday":
		return now.AddDate(0, 0, -1), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		err = &pow.Error{Code: pow.ErrUsage.Code, What: "no such day", Mend: "write it as 2006-01-02, today or yesterday"}
	}
	return day, err
}

func (p *program) printEntries(es []pow.Entry) error {
	if p.g.JSON {
		return cli.JSON(p.s.Out, notNil(es))
	}
	return cli.Table(p.s, func(w *tabwriter.Writer) {
		for _, e := range es {
			to := "now"
			if !e.To.IsZero() {
				to = e.To.Local().Format("15:04:05")
			}
			fmt.Fprintf(w, "%s\t%s–%s\t%s\t%s\t%s\t%s%s\n", e.ID, e.From.Local().Format("Mon 15:04:05"), to, words(e.Seconds), cli.Clean(e.Project.Name),
				e.State, cli.Clean(e.Note), entryMarks(e))
		}
	})
}

// entryMarks says what the person did to an entry.
func entryMarks(e pow.Entry) (s string) {
	if e.Kept {
		s += " (kept while away)"
	}
	if e.ByHand {
		s += " (changed by hand)"
	}
	if w := e.Was; w != nil {
		s += fmt.Sprintf(" (was %s–%s %s)", w.From.Local().Format("15:04:05"), w.To.Local().Format("15:04:05"), cli.Clean(w.Project.Name))
	}
	return s
}

type entriesEditCmd struct {
	ID       string  `arg:"" help:"The entry's id."`
	From     string  `help:"It began then (15:04 or 15:04:05 of its day); not before it did." placeholder:"TIME"`
	To       string  `help:"It ended then; not after it did." placeholder:"TIME"`
	Project  string  `help:"Book it on another project: its name or id." placeholder:"PROJECT"`
	Activity string  `help:"Kind of work, by its id." placeholder:"ID"`
	Note     *string `help:"Other words about it." placeholder:"TEXT"`
}

// Run corrects an entry.
func (c *entriesEditCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		e, err := entryOf(ctx, a, c.ID)
		if err != nil {
			return err
		}
		r := pow.EntryEdit{ID: c.ID, KimaiActivity: pow.KimaiActivityID(c.Activity), Note: c.Note}
		if r.From, err = momentOf(c.From, e.From); err != nil {
			return err
		}
		if r.To, err = momentOf(c.To, e.From); err != nil {
			return err
		}
		if c.Project != "" {
			ps, err := a.Projects(ctx)
			if err != nil {
				return err
			}
			q, err := findProject(ps, c.Project)
			if err != nil {
				return err
			}
			r.Project = q.ID
		}
		if err := a.EditEntry(ctx, r); err != nil {
			return err
		}
		return p.printEntry(ctx, a, c.ID)
	})
}

type entriesUndoCmd struct {
	ID string `arg:"" help:"The entry's id."`
}

// Run takes corrections back.
func (c *entriesUndoCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		if err := a.UndoEntry(ctx, c.ID); err != nil {
			return err
		}
		return p.printEntry(ctx, a, c.ID)
	})
}

func (p *program) printEntry(ctx context.Context, a API, id string) error {
	e, err := entryOf(ctx, a, id)
	if err != nil {
		return err
	}
	return p.printEntries([]pow.Entry{e})
}

// entryDays is how far back an entry is looked for: what is older was registered,
// or needs the admin's word anyway.
const entryDays = 31

// entryOf finds an entry by its id.
func entryOf(ctx context.Context, a API, id string) (pow.Entry, error) {
	for back := range entryDays {
		es, err := a.Entries(ctx, time.Now().AddDate(0, 0, -back))
		if err != nil {
			return pow.Entry{}, err
		}
		for _, e := range es {
			if e.ID == id {
				return e, nil
			}
		}
	}
	return pow.Entry{}, pow.ErrNotFound
}

// momentOf reads a time of the clock on the day that an entry began, or on the
// next where it lies before the beginning by more than half a day.
func momentOf(s string, began time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"15:04", time.TimeOnly} {
		c, err := time.Parse(form, s)
		if err != nil {
			continue
		}
		y, m, d := began.Local().Date()
		at := time.Date(y, m, d, c.Hour(), c.Minute(), c.Second(), 0, time.Local)
		if began.Sub(at) > 12*time.Hour {
			at = time.Date(y, m, d+1, c.Hour(), c.Minute(), c.Second(), 0, time.Local)
		}
		return at, nil
	}
	return time.Time{}, &pow.Error{Code: pow.ErrUsage.Code, What: "no such time", Mend: "write it as 15:04 or 15:04:05"}
}

type appsCmd struct {
	List appsListCmd `cmd:"" default:"withargs" help:"List the app times of a day exactly as they would leave."`
	Out  appsOutCmd  `cmd:"" help:"Leave rows out, or an app or its titles for good."`
}

type appsListCmd struct {
	Day string `help:"The day: 2006-01-02, today or yesterday." placeholder:"DAY" default:"today"`
}

// Run lists app times.
func (c *appsListCmd) Run(p *program) error {
	day, err := dayOf(c.Day, time.Now())
	if err != nil {
		return err
	}
	return p.with(false, func(ctx context.Context, a API) error {
		ts, err := a.AppTimes(ctx, day)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(ts))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, t := range ts {
				state := ""
				switch {
				case t.LeftOut:
					state = "left out"
				case t.Provisional:
					state = "may still change"
				}
				fmt.Fprintf(w, "%s\t%s–%s\t%s\t%s\t%s\n", t.ID, t.From.Local().Format(time.TimeOnly), t.To.Local().Format(time.TimeOnly),
					cli.Clean(t.App+t.Category), cli.Clean(t.Title+" "+t.Host), state)
			}
		})
	})
}

type appsOutCmd struct {
	IDs    []string `arg:"" optional:"" name:"id" help:"Ids of rows."`
	App    string   `help:"An app's whole name: for good." placeholder:"NAME"`
	Titles bool     `help:"With --app: only its titles."`
	Back   bool     `help:"Take back in what was left out."`
}

// Run leaves activity out, or takes it back in.
func (c *appsOutCmd) Run(p *program) error {
	if len(c.IDs) == 0 && c.App == "" || c.Titles && c.App == "" {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "leave out what?", Mend: "name ids of rows (see powdo apps), or --app NAME"}
	}
	return p.with(false, func(ctx context.Context, a API) error {
		return a.LeaveOut(ctx, pow.LeaveOut{IDs: c.IDs, App: c.App, Titles: c.Titles, Back: c.Back})
	})
}
