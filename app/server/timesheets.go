package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"pow.do/services/dvm"
	"pow.do/services/dvm/kimai"
	"pow.do/services/dvm/sheetfile"
	"pow.do/services/pow"
)

// openTimesheets opens Kimai or the timesheet file, whichever is configured;
// without either the ledger is the timesheet.
func openTimesheets(cfg dvmConfig) (sheets dvm.Timesheets, closeFile func() error, err error) {
	none := func() error { return nil }
	switch {
	case cfg.Kimai != "":
		sheets, err = openKimai(cfg)
		return sheets, none, err
	case cfg.TimesheetFile != "":
		f, err := sheetfile.Open(cfg.TimesheetFile)
		if err != nil {
			return nil, none, err
		}
		return f, f.Close, nil
	}
	return nil, none, nil
}

func openKimai(cfg dvmConfig) (*kimai.Client, error) {
	dialer, err := newDialer(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.Kimai)
	if err != nil {
		return nil, usage(errors.New("--kimai is not a URL"))
	}
	if _, err := readToken(cfg.KimaiTokenFile); err != nil {
		return nil, err
	}
	// The token is read anew each time, so that it can be replaced without a restart.
	token := func() string { t, _ := readToken(cfg.KimaiTokenFile); return t }
	// Kimai often runs in the same private network; the admin named its host.
	client := dialer.HTTPClient(func(host string) bool { return host == u.Hostname() })
	c, err := kimai.New(kimai.Config{URL: cfg.Kimai, Token: token, HTTP: client, Log: cfg.Log})
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

// maxToken bounds the token file, in bytes.
const maxToken = 4 << 10

func readToken(path string) (string, error) {
	if path == "" {
		return "", &pow.Error{Code: pow.ErrUsage.Code, What: "--kimai needs a token", Mend: "put it into a file of mode 0600 and name that: --kimai-token-file FILE"}
	}
	fi, err := os.Stat(path)
	if err == nil && (!fi.Mode().IsRegular() || fi.Size() > maxToken || fi.Mode().Perm()&0o077 != 0) {
		err = errors.New("want a small regular file of mode 0600")
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("read the Kimai token: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line), nil
}

// checkTimesheets asks Kimai whether everything that the DVM needs is there.
func (p *program) checkTimesheets(ctx context.Context, d *desk) []pow.Check {
	if p.g.Kimai == "" {
		detail := "the ledger"
		if p.g.TimesheetFile != "" {
			detail = "the ledger, and " + p.g.TimesheetFile
		}
		return []pow.Check{{Name: "timesheet", State: "ok", Detail: detail}}
	}
	c, err := p.kimai()
	if err != nil {
		return []pow.Check{failed("Kimai", err)}
	}
	members, err := d.ledger.Members(ctx)
	if err != nil {
		return []pow.Check{failed("Kimai", err)}
	}
	projects, err := d.ledger.Projects(ctx)
	if err != nil {
		return []pow.Check{failed("Kimai", err)}
	}
	return c.Check(ctx, mapping(members, projects))
}

// mapping is whom and what the ledger wants to book.
func mapping(members []pow.Member, projects []pow.BookableProject) (m kimai.Mapping) {
	for _, w := range members {
		if w.State == "active" && w.KimaiUser != 0 {
			m.Users = append(m.Users, w.KimaiUser)
		}
	}
	for _, q := range projects {
		if !q.Active || q.Kimai == 0 {
			continue
		}
		want := kimai.MappedProject{Project: q.Kimai}
		for _, w := range q.KimaiWork {
			want.Activities = append(want.Activities, w)
		}
		if len(want.Activities) == 0 && q.KimaiOther != 0 {
			want.Activities = []int64{q.KimaiOther}
		}
		m.Projects = append(m.Projects, want)
	}
	return m
}

func (p *program) kimai() (*kimai.Client, error) {
	return openKimai(dvmConfig{Kimai: p.g.Kimai, KimaiTokenFile: p.g.KimaiTokenFile, Proxy: p.g.Proxy, Log: p.log()})
}

type projectsSyncCmd struct{}

// Run takes over projects and kinds of work from Kimai. What a project asks for
// stays as it was set here; a project that Kimai does not show any more is closed.
func (projectsSyncCmd) Run(p *program) error {
	if p.g.Kimai == "" {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "there is no Kimai to sync with", Mend: "name it: --kimai URL --kimai-token-file FILE"}
	}
	return p.withDVM(func(ctx context.Context, d *desk) error {
		c, err := p.kimai()
		if err != nil {
			return err
		}
		there, err := c.Catalogue(ctx)
		if err != nil {
			return err
		}
		here, err := d.ledger.Projects(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		seen := map[int64]bool{}
		for _, k := range there {
			seen[k.ID] = true
			if err := d.ledger.SetProject(ctx, d.taken(k, here), now); err != nil {
				return err
			}
		}
		for _, q := range here {
			if q.Active && q.Kimai != 0 && !seen[q.Kimai] {
				q.Active = false
				if err := d.ledger.SetProject(ctx, q, now); err != nil {
					return err
				}
			}
		}
		return projectsListCmd{}.Run(p)
	})
}

// taken is a Kimai project as it is kept here.
func (d *desk) taken(k kimai.Project, here []pow.BookableProject) pow.BookableProject {
	q := newProject(d.keys.OpaqueID("project", fmt.Sprintf("kimai:%d", k.ID)))
	for _, old := range here {
		if old.Kimai == k.ID {
			q = old
		}
	}
	q.Active, q.Kimai, q.Name, q.Group, q.Color = true, k.ID, k.Name, k.Customer, k.Color
	q.KimaiActivities, q.KimaiWork, q.ActivityRule = nil, map[pow.KimaiActivityID]int64{}, pow.Optional
	usual := false
	for _, w := range k.Activities {
		id := d.keys.OpaqueID("activity", fmt.Sprintf("kimai:%d", w.ID))
		q.KimaiActivities = append(q.KimaiActivities, pow.KimaiActivity{ID: id, Name: w.Name})
		q.KimaiWork[id] = w.ID
		usual = usual || w.ID == q.KimaiOther
	}
	if !usual && len(k.Activities) > 0 {
		q.KimaiOther = k.Activities[0].ID // Kimai wants one for every record
	}
	return q
}
