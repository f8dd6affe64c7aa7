package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type pauseCmd struct {
	For string `arg:"" optional:"" help:"15m, 1h or tomorrow: off the record until then; default: until powdo resume." placeholder:"TIME"`
}

func (c *pauseCmd) Run(p *program) error {
	if c.For != "" {
		return p.offRecord(c.For)
	}
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Pause(ctx)
		if err != nil {
			return err
		}
		return p.printTimer(s)
	})
}

type resumeCmd struct{}

func (resumeCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Resume(ctx)
		if err != nil {
			return err
		}
		return p.printTimer(s)
	})
}

type offRecordCmd struct {
	For string `arg:"" optional:"" help:"15m, 1h or tomorrow; default: until powdo resume." placeholder:"TIME"`
}

func (c *offRecordCmd) Run(p *program) error { return p.offRecord(c.For) }

func (p *program) offRecord(until string) error {
	var r pow.OffRecord
	if until != "" {
		var err error
		if r.Until, err = parseUntil(until, time.Now()); err != nil {
			return err
		}
	}
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.OffRecord(ctx, r)
		if err != nil {
			return err
		}
		return p.printTimer(s)
	})
}

type awayCmd struct {
	List     awayListCmd     `cmd:"" default:"1" help:"Show the times away that wait for your answer."`
	Keep     awayKeepCmd     `cmd:"" help:"The time counts, marked as kept by you."`
	Continue awayContinueCmd `cmd:"" help:"The time does not count; the timer goes on."`
	Discard  awayDiscardCmd  `cmd:"" help:"The time does not count, and the timer stops."`
	To       awayToCmd       `cmd:"" help:"The time counts for another project, marked."`
}

type awayListCmd struct{}

func (awayListCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(s.Away))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range s.Away {
				to := "now"
				if !q.To.IsZero() {
					to = q.To.Local().Format("15:04:05")
				}
				fmt.Fprintf(w, "%s\t%s–%s\t%s\t%s\n", q.ID, q.From.Local().Format("Mon 15:04:05"), to, q.Reason, cli.Clean(q.Project.Name))
			}
		})
	})
}

// awayArg says which time away is meant.
type awayArg struct {
	ID string `arg:"" optional:"" help:"Which one, where several wait."`
}

type (
	awayKeepCmd     struct{ awayArg }
	awayContinueCmd struct{ awayArg }
	awayDiscardCmd  struct{ awayArg }
)

func (c *awayKeepCmd) Run(p *program) error     { return p.answerAway(c.ID, pow.AwayKeep, "") }
func (c *awayContinueCmd) Run(p *program) error { return p.answerAway(c.ID, pow.AwayDiscard, "") }
func (c *awayDiscardCmd) Run(p *program) error  { return p.answerAway(c.ID, pow.AwayStop, "") }

type awayToCmd struct {
	Project string `arg:"" help:"Its name or id."`
	awayArg
}

func (c *awayToCmd) Run(p *program) error { return p.answerAway(c.ID, pow.AwayOther, c.Project) }

// answerAway answers one question; without an id the only one.
func (p *program) answerAway(id string, choice pow.AwayChoice, project string) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Status(ctx)
		switch {
		case err != nil:
			return err
		case id == "" && len(s.Away) == 0:
			return &pow.Error{Code: pow.CodeNotFound, What: "no time away waits for an answer"}
		case id == "" && len(s.Away) > 1:
			return &pow.Error{Code: pow.ErrUsage.Code, What: "several wait for an answer", Mend: "name one; see powdo away"}
		case id == "":
			id = s.Away[0].ID
		}
		if s, err = a.AnswerAway(ctx, pow.AwayAnswer{ID: id, Choice: choice, Project: project}); err != nil {
			return err
		}
		return p.printTimer(s)
	})
}

type settingsCmd struct {
	List    settingsListCmd `cmd:"" default:"1" help:"Show all settings."`
	Set     settingsSetCmd  `cmd:"" help:"Change one setting."`
	Exclude excludeCmd      `cmd:"" help:"Keep windows out of every picture."`
	Include includeCmd      `cmd:"" help:"Take an exclusion back."`
}

type settingsListCmd struct{}

func (settingsListCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Settings(ctx)
		if err != nil {
			return err
		}
		if s.ActivityKey != "" {
			s.ActivityKey = "***"
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, s)
		}
		fields, err := settingFields(s)
		if err != nil {
			return err
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				fmt.Fprintf(w, "%s\t%s\n", name, fields[name])
			}
		})
	})
}

// settingFields returns every setting by its name in JSON, also the empty ones.
func settingFields(s pow.Settings) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, name := range settingNames {
		out[name] = json.RawMessage("-")
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}

// settingNames are the names of the settings in JSON; a test compares.
var settingNames = []string{"start_at_login", "language", "week_start", "week_limit_seconds", "away_after_seconds", "stop_after_seconds",
	"remind_after_seconds", "remind_from_minute", "remind_to_minute", "remind_days", "displays", "half_size", "toast", "toast_seconds",
	"exclusions", "activitywatch_url", "activitywatch_key", "activitywatch_off", "apps_out", "titles_out", "lock_after_seconds", "proxy", "tor_only", "notify"}

type settingsSetCmd struct {
	Name  string `arg:"" help:"Its name, as powdo settings shows it."`
	Value string `arg:"" help:"Its value: text, or JSON."`
}

func (c *settingsSetCmd) Run(p *program) error {
	if !slices.Contains(settingNames, c.Name) {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "there is no such setting", Mend: "see powdo settings"}
	}
	return p.change(func(s *pow.Settings) error {
		fields := map[string]any{}
		b, err := json.Marshal(s)
		if err := errors.Join(err, json.Unmarshal(b, &fields)); err != nil {
			return err
		}
		for _, value := range []any{json.RawMessage(c.Value), c.Value} { // as JSON, else as text
			fields[c.Name] = value
			var changed pow.Settings
			if b, err := json.Marshal(fields); err == nil && json.Unmarshal(b, &changed) == nil {
				*s = changed
				return nil
			}
		}
		return &pow.Error{Code: pow.ErrUsage.Code, What: "the setting cannot have this value"}
	})
}

// change changes the settings and shows nothing.
func (p *program) change(f func(*pow.Settings) error) error {
	return p.with(false, func(ctx context.Context, a API) error {
		s, err := a.Settings(ctx)
		if err != nil {
			return err
		}
		if err := f(&s); err != nil {
			return err
		}
		return a.SetSettings(ctx, s)
	})
}

// ruleArgs name one exclusion.
type ruleArgs struct {
	App     string `help:"A program, by its whole name." xor:"rule" required:"" placeholder:"NAME" env:"-"`
	Title   string `help:"A window's title; * and ? stand for any letters and for one." xor:"rule" required:"" placeholder:"PATTERN" env:"-"`
	Private bool   `help:"Private windows of browsers." xor:"rule" required:"" env:"-"`
}

func (r ruleArgs) rule() pow.Exclusion {
	return pow.Exclusion{App: r.App, Title: r.Title, Private: r.Private}
}

type excludeCmd struct{ ruleArgs }

func (c *excludeCmd) Run(p *program) error {
	return p.change(func(s *pow.Settings) error {
		if !slices.Contains(s.Exclusions, c.rule()) {
			s.Exclusions = append(slices.Clone(s.Exclusions), c.rule())
		}
		return nil
	})
}

type includeCmd struct{ ruleArgs }

func (c *includeCmd) Run(p *program) error {
	return p.change(func(s *pow.Settings) error {
		left := slices.DeleteFunc(slices.Clone(s.Exclusions), func(e pow.Exclusion) bool {
			return strings.EqualFold(e.App, c.App) && strings.EqualFold(e.Title, c.Title) && e.Private == c.Private
		})
		if len(left) == len(s.Exclusions) {
			return pow.ErrNotFound
		}
		s.Exclusions = left
		return nil
	})
}

type windowsCmd struct{}

func (windowsCmd) Run(p *program) error {
	return p.with(false, func(ctx context.Context, a API) error {
		all, err := a.Windows(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, notNil(all))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, o := range all {
				rule := ""
				if o.Excluded {
					rule = "left out: " + o.Rule
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", o.Display, cli.Clean(o.App), cli.Clean(o.Title), cli.Clean(rule))
			}
		})
	})
}
