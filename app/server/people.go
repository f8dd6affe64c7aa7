package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"pow.do/app/cli"
	"pow.do/services/dvm/keys"
	"pow.do/services/dvm/ledger"
	"pow.do/services/pow"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/invite"
)

type inviteCmd struct {
	Name      string        `required:"" help:"Name of the invited person."`
	KimaiUser int64         `help:"Number of their Kimai user."`
	Project   []string      `help:"Project that they may book (id or name; repeatable); default: every project."`
	Uses      int           `help:"How many single-use links." default:"1"`
	Expires   time.Duration `help:"How long the link is valid." default:"168h"`
	Identity  string        `help:"The only identity that may use it." placeholder:"NPUB"`
}

// maxLinks bounds one invite command.
const maxLinks = 1000

func (c *inviteCmd) Run(p *program) error {
	if c.Uses < 1 || c.Uses > maxLinks || c.Expires <= 0 || c.Expires > 31*24*time.Hour {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--uses must be 1 to 1000, --expires at most 744h"}
	}
	return p.withDVM(func(ctx context.Context, d *desk) error {
		slot := pow.Slot{Name: c.Name, KimaiUser: c.KimaiUser, Expires: time.Now().Add(c.Expires).Truncate(time.Second)}
		for _, q := range c.Project {
			found, err := d.project(ctx, q)
			if err != nil {
				return err
			}
			slot.Projects = append(slot.Projects, found.ID)
		}
		if c.Identity != "" {
			k, err := identity.ParseNpub(c.Identity)
			if err != nil {
				return usage(err)
			}
			slot.Identity = k
		}
		relays, blossom, err := p.origins(d.dir)
		if err != nil {
			return err
		}
		var links []string
		for range c.Uses {
			link, err := d.link(ctx, slot, p.g.Team, relays, blossom)
			if err != nil {
				return err
			}
			links = append(links, link)
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, struct {
				Links   []string  `json:"links"`
				Expires time.Time `json:"expires"`
			}{links, slot.Expires.UTC()})
		}
		_, err = fmt.Fprintln(p.s.Out, strings.Join(links, "\n"))
		return err
	})
}

// link stores an open invitation and returns its link. The ledger keeps a hash
// of the link's secret only.
func (d *desk) link(ctx context.Context, slot pow.Slot, name string, relays, blossom []string) (string, error) {
	claim, err := invite.NewClaim()
	if err != nil {
		return "", err
	}
	hub, _, err := invite.NewHubClaim(d.secret, relays, slot.Expires, time.Now())
	if err != nil {
		return "", err
	}
	slot.Claim = invite.ClaimHash(claim)
	if err := d.ledger.Invite(ctx, slot); err != nil {
		return "", err
	}
	l := invite.Link{Name: name, DVM: d.secret.Public(), Relays: relays, Blossom: blossom, HubClaim: hub, Claim: claim,
		Expires: slot.Expires, Identity: slot.Identity}
	return l.String(), nil
}

type membersCmd struct {
	List   membersListCmd   `cmd:"" default:"1" help:"List members and their devices."`
	Set    membersSetCmd    `cmd:"" help:"Add or change a member by hand."`
	Remove membersRemoveCmd `cmd:"" help:"Remove a member and their devices."`
	// Confirming is set --state active.
	Decline membersDeclineCmd `cmd:"" help:"Decline a person who asked to join."`
}

type membersDeclineCmd struct {
	Npub string `arg:"" help:"The person's identity."`
}

func (c *membersDeclineCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		key, err := identity.ParseNpub(c.Npub)
		if err != nil {
			return usage(err)
		}
		m, err := d.ledger.Member(ctx, key)
		if err != nil {
			return err
		}
		return d.ledger.Decline(ctx, m.ID, time.Now())
	})
}

type membersListCmd struct{}

type memberLine struct {
	ID        pow.OpaqueID    `json:"id"`
	Npub      string          `json:"npub"`
	Name      string          `json:"name"`
	State     string          `json:"state"`
	KimaiUser int64           `json:"kimai_user"`
	Projects  []pow.ProjectID `json:"projects"`
	Joined    time.Time       `json:"joined"`
	Devices   []deviceLine    `json:"devices"`
}

type deviceLine struct {
	Npub  string `json:"npub"`
	Name  string `json:"name"`
	State string `json:"state"`
}

func (membersListCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ms, err := d.ledger.Members(ctx)
		if err != nil {
			return err
		}
		lines := []memberLine{}
		for _, m := range ms {
			l := memberLine{ID: m.ID, Npub: identity.Npub(m.Identity), Name: m.Name, State: m.State, KimaiUser: m.KimaiUser,
				Projects: append([]pow.ProjectID{}, m.Projects...), Joined: m.Joined.UTC(), Devices: []deviceLine{}}
			for _, v := range m.Devices {
				l.Devices = append(l.Devices, deviceLine{identity.Npub(v.Key), v.Name, v.State})
			}
			lines = append(lines, l)
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, lines)
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d devices\t%s\n", l.ID, cli.Clean(l.Name), l.State, len(l.Devices), l.Npub)
			}
		})
	})
}

type membersSetCmd struct {
	Npub      string   `arg:"" help:"The member's identity."`
	Name      string   `help:"Their name."`
	KimaiUser int64    `help:"Number of their Kimai user."`
	State     string   `help:"Their state: ${enum}." enum:"active,suspended," default:""`
	Project   []string `help:"Project that they may book (id or name; repeatable); 'all' for every project."`
}

func (c *membersSetCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		key, err := identity.ParseNpub(c.Npub)
		if err != nil {
			return usage(err)
		}
		m, err := d.ledger.Member(ctx, key)
		if errors.Is(err, pow.ErrNotFound) {
			m, err = pow.Member{ID: d.keys.OpaqueID("member", key.String()), Identity: key, State: "active", Joined: time.Now()}, nil
		}
		if err != nil {
			return err
		}
		if c.Name != "" {
			m.Name = c.Name
		}
		if c.KimaiUser != 0 {
			m.KimaiUser = c.KimaiUser
		}
		if c.State != "" {
			m.State = c.State
		}
		if len(c.Project) > 0 {
			m.Projects = nil
			for _, q := range c.Project {
				if q == "all" {
					m.Projects = nil
					break
				}
				found, err := d.project(ctx, q)
				if err != nil {
					return err
				}
				m.Projects = append(m.Projects, found.ID)
			}
		}
		return d.ledger.SetMember(ctx, m, time.Now())
	})
}

type membersRemoveCmd struct {
	Npub string `arg:"" help:"The member's identity."`
}

func (c *membersRemoveCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		key, err := identity.ParseNpub(c.Npub)
		if err != nil {
			return usage(err)
		}
		m, err := d.ledger.Member(ctx, key)
		if err != nil {
			return err
		}
		m.State = "removed"
		return d.ledger.SetMember(ctx, m, time.Now())
	})
}

type projectsCmd struct {
	List projectsListCmd `cmd:"" default:"1" help:"List projects."`
	Add  projectsAddCmd  `cmd:"" help:"Add a project."`
	Set  projectsSetCmd  `cmd:"" help:"Change a project."`
	Sync projectsSyncCmd `cmd:"" help:"Take over projects from Kimai."`
}

type projectsListCmd struct{}

func (projectsListCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		ps, err := d.ledger.Projects(ctx)
		if err != nil {
			return err
		}
		if p.g.JSON {
			return cli.JSON(p.s.Out, append([]pow.BookableProject{}, ps...))
		}
		return cli.Table(p.s, func(w *tabwriter.Writer) {
			for _, q := range ps {
				state := "active"
				if !q.Active {
					state = "closed"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\tpictures %s every %d s\n", q.ID, cli.Clean(q.Name), cli.Clean(q.Group), state, q.Pictures, q.Interval)
			}
		})
	})
}

// projectFlags are what a project asks for.
type projectFlags struct {
	Group         string `help:"Its customer or group."`
	Color         string `help:"Its colour, #rrggbb." placeholder:"COLOUR"`
	Pictures      string `help:"Pictures: ${enum}." enum:"required,optional,forbidden," default:""`
	Interval      int    `help:"Seconds between pictures, 60 to 3600."`
	Detail        string `help:"Most detailed activity data: ${enum}." enum:"off,category,app,title," default:""`
	Retention     int    `help:"Days that archives are kept."`
	KimaiProject  int64  `help:"Number of the Kimai project."`
	KimaiActivity int64  `help:"Number of the Kimai activity."`
}

func (f projectFlags) apply(q *pow.BookableProject) error {
	if f.Interval != 0 && (f.Interval < 60 || f.Interval > 3600) || f.Retention < 0 || f.Retention > 3650 {
		return &pow.Error{Code: pow.ErrUsage.Code, What: "--interval must be 60 to 3600, --retention 1 to 3650"}
	}
	set(&q.Group, f.Group)
	set(&q.Color, f.Color)
	set(&q.Pictures, pow.Rule(f.Pictures))
	set(&q.Interval, f.Interval)
	set(&q.Detail, pow.Detail(f.Detail))
	set(&q.Retention, f.Retention)
	set(&q.Kimai, f.KimaiProject)
	set(&q.KimaiOther, f.KimaiActivity)
	return nil
}

func set[T comparable](to *T, v T) {
	if v != *new(T) {
		*to = v
	}
}

type projectsAddCmd struct {
	Name string `arg:"" help:"Its name."`
	projectFlags
}

func (c *projectsAddCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		// Without a number in another system the name it was born with is its own.
		native := "ledger:" + rand.Text()
		if c.KimaiProject != 0 {
			native = fmt.Sprintf("kimai:%d", c.KimaiProject)
		}
		q := newProject(d.keys.OpaqueID("project", native))
		q.Name = c.Name
		if err := c.apply(&q); err != nil {
			return err
		}
		if err := d.ledger.SetProject(ctx, q, time.Now()); err != nil {
			return err
		}
		return p.printProject(q)
	})
}

// newProject has the defaults of what a project asks for.
func newProject(id pow.ProjectID) pow.BookableProject {
	return pow.BookableProject{Active: true, Project: pow.Project{ID: id, Pictures: pow.Required, Interval: 600,
		Detail: pow.DetailCategory, Retention: 30, ActivityRule: pow.None}}
}

type projectsSetCmd struct {
	Project string `arg:"" help:"Its id or name."`
	Rename  string `help:"Its new name."`
	Close   bool   `help:"Close it." xor:"state"`
	Open    bool   `help:"Open it again." xor:"state"`
	projectFlags
}

func (c *projectsSetCmd) Run(p *program) error {
	return p.withDVM(func(ctx context.Context, d *desk) error {
		q, err := d.project(ctx, c.Project)
		if err != nil {
			return err
		}
		set(&q.Name, c.Rename)
		q.Active = c.Open || q.Active && !c.Close
		if err := c.apply(&q); err != nil {
			return err
		}
		if err := d.ledger.SetProject(ctx, q, time.Now()); err != nil {
			return err
		}
		return p.printProject(q)
	})
}

func (p *program) printProject(q pow.BookableProject) error {
	if p.g.JSON {
		return cli.JSON(p.s.Out, q)
	}
	_, err := fmt.Fprintf(p.s.Out, "%s  %s\n", q.ID, cli.Clean(q.Name))
	return err
}

// desk is what the admin's commands work with: the DVM's folder, keys and ledger.
type desk struct {
	dir    string
	keys   keys.Keys
	secret identity.Secret
	ledger *ledger.Ledger
}

// project finds a project by id, or by name without regard to case.
func (d *desk) project(ctx context.Context, q string) (found pow.BookableProject, err error) {
	ps, err := d.ledger.Projects(ctx)
	if err != nil {
		return found, err
	}
	n := 0
	for _, c := range ps {
		if string(c.ID) == q {
			return c, nil
		}
		if strings.EqualFold(c.Name, q) {
			found = c
			n++
		}
	}
	switch n {
	case 0:
		return found, &pow.Error{Code: pow.ErrUnknownProject.Code, What: "no project is called " + q, Mend: "see powdo-server projects"}
	case 1:
		return found, nil
	}
	return found, pow.ErrAmbiguous
}

func usage(err error) error { return &pow.Error{Code: pow.ErrUsage.Code, What: err.Error(), Err: err} }
