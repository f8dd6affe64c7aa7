package firstrun

import (
	"context"
	"strings"

	"pow.do/services/pow"
	"pow.do/ui/input"
)

// Read shows what an invite link says.
func (p *Presenter) Read(link string) {
	p.model.Link = strings.TrimSpace(link)
	text, fault := input.InviteLink(link)
	if fault != input.Fine {
		p.fail("link", fault)
		return
	}
	var v pow.JoinPreview
	p.do(func(ctx context.Context) (err error) {
		v, err = p.c.Agent.ReadInvite(ctx, text)
		return err
	}, func() {
		p.model.Invite = v
		p.to(Invite)
	})
}

// Agree joins with the link that was shown.
func (p *Presenter) Agree(name string) {
	if p.model.Step != Invite {
		return
	}
	name, fault := input.Line(name, mostName)
	if fault != input.Fine && fault != input.Empty {
		p.fail("name", fault)
		return
	}
	r := pow.JoinRequest{Link: p.model.Link, Name: name}
	var j pow.Joined
	p.do(func(ctx context.Context) (err error) {
		j, err = p.c.Agent.Join(ctx, r)
		return err
	}, func() {
		p.model.Joined, p.model.Link = j, ""
		p.to(Joined)
	})
}

// mostName bounds the name of a computer, in runes.
const mostName = 60

// Offline goes on without a team.
func (p *Presenter) Offline() {
	if p.model.Busy {
		return
	}
	p.to(Pictures)
	p.draw()
}

// Probe tests one part, again where it failed.
func (p *Presenter) Probe(name string) {
	if p.model.Probes[name].Busy {
		return
	}
	p.model.Probes[name] = Probe{Busy: true}
	p.draw()
	var list []pow.Check
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Test(ctx, name)
		return err
	}, func(err error) {
		p.model.Probes[name] = Probe{Checks: list, Err: err}
		p.draw()
	})
}

// enter asks for what a step shows.
func (p *Presenter) enter(s Step) {
	switch s {
	case Joined:
		p.Probe("relays")
		p.Probe("blossom")
	case Asks:
		p.loadProjects()
	case Apps:
		p.loadSettings()
		p.Preview()
	case Out, Ready:
		p.loadSettings()
	}
}

// loadProjects finds the projects that want an agreement.
func (p *Presenter) loadProjects() {
	p.model.Projects, p.model.Asked = nil, 0
	var open []pow.Project
	p.do(func(ctx context.Context) error {
		all, err := p.c.Agent.Projects(ctx)
		for _, pr := range all {
			t, err := p.c.Agent.Terms(ctx, pr.ID)
			if err != nil {
				return err
			}
			if t.Consent != pow.ConsentGiven {
				open = append(open, pr)
			}
		}
		return err
	}, func() {
		if p.model.Projects = open; len(open) == 0 && p.model.Step == Asks {
			p.to(Pictures)
		}
	})
}

// Project returns the project whose terms are shown.
func (m Model) Project() (pow.Project, bool) {
	if m.Step != Asks || m.Asked >= len(m.Projects) {
		return pow.Project{}, false
	}
	return m.Projects[m.Asked], true
}

// Decided goes on to the next project; one that was not agreed to stays locked.
func (p *Presenter) Decided(agreed bool) {
	if p.model.Step != Asks {
		return
	}
	if agreed {
		p.model.Agreed++
	}
	if p.model.Asked++; p.model.Asked >= len(p.model.Projects) {
		p.to(Pictures)
	}
	p.draw()
}
