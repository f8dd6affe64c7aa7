package doctor

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"pow.do/services/pow"
)

// Agent is what the page asks of the agent.
type Agent interface {
	// Doctor looks at everything that has to work, one line each.
	Doctor(ctx context.Context) ([]pow.Check, error)
}

// Async runs work beside the owner's goroutine and done back on it.
type Async func(work func(context.Context) error, done func(error))

// Place is the part of the settings where something can be mended.
type Place string

// The places.
const (
	Nowhere  Place = ""
	Pictures Place = "pictures"
	Apps     Place = "apps"
	Projects Place = "projects"
	Keys     Place = "keys"
	Servers  Place = "servers"
	Data     Place = "data"
)

// Model is all that the page shows.
type Model struct {
	Checks []pow.Check
	Known  bool
	Busy   bool
	Lost   bool
	Team   string
	Agent  string // version of the agent
	Err    error
}

// Worst counts what is not well.
func (m Model) Worst() (failed, warnings int) {
	for _, c := range m.Checks {
		switch c.State {
		case "failed":
			failed++
		case "warning":
			warnings++
		}
	}
	return failed, warnings
}

// PlaceOf returns where a check's trouble can be mended.
func PlaceOf(c pow.Check) Place {
	first, _, _ := strings.Cut(strings.ToLower(c.Name), " ")
	switch first {
	case "display", "permission":
		return Pictures
	case "activitywatch":
		return Apps
	case "team":
		return Projects
	case "keyring", "keys":
		return Keys
	case "relay", "relays", "files", "blossom", "dvm", "archive", "socks5", "proxy":
		return Servers
	case "disk", "queue":
		return Data
	}
	return Nowhere
}

// Presenter holds the page's state. All its methods belong to one goroutine.
type Presenter struct {
	c     Config
	model Model
	shown bool
}

// Config is what New needs; all of it is required.
type Config struct {
	Agent   Agent
	Async   Async
	Version string // of the window
	Home    string // folder of the person, which a report does not name
	Show    func(Model)
}

// New makes a presenter. It looks at nothing before it is visible.
func New(c Config) *Presenter { return &Presenter{c: c} }

// Model returns what is shown now.
func (p *Presenter) Model() Model { return p.model }

// Update takes a new status in.
func (p *Presenter) Update(s pow.Status) {
	if !p.model.Lost && p.model.Team == s.Team && p.model.Agent == s.Version {
		return
	}
	p.model.Lost, p.model.Team, p.model.Agent = false, s.Team, s.Version
	p.c.Show(p.model)
}

// Lose shows that the agent does not answer.
func (p *Presenter) Lose() {
	p.model.Lost = true
	p.c.Show(p.model)
}

// Visible looks at everything when the page comes up.
func (p *Presenter) Visible(on bool) {
	if p.shown = on; on && !p.model.Known {
		p.Look()
	}
}

// Look looks at everything again.
func (p *Presenter) Look() {
	if p.model.Busy || p.model.Lost {
		return
	}
	p.model.Busy, p.model.Err = true, nil
	p.c.Show(p.model)
	var list []pow.Check
	p.c.Async(func(ctx context.Context) (err error) {
		list, err = p.c.Agent.Doctor(ctx)
		return err
	}, func(err error) {
		p.model.Busy, p.model.Err = false, err
		if err == nil {
			p.model.Known, p.model.Checks = true, append(list, p.window())
		}
		p.c.Show(p.model)
	})
}

// window is the check of this program beside the agent's.
func (p *Presenter) window() pow.Check {
	c := pow.Check{Name: "window", State: "ok", Detail: p.c.Version}
	if p.model.Agent != "" && p.model.Agent != p.c.Version {
		c.State, c.Mend = "warning", "restart the agent: powdo agent --stop"
	}
	return c
}

// Report is the text of all checks without keys, hashes, the team's name and the
// names of folders below home.
func (p *Presenter) Report() string {
	var b strings.Builder
	for _, c := range p.model.Checks {
		fmt.Fprintf(&b, "%-8s %s: %s", c.State, pow.Clean(c.Name), pow.Clean(c.Detail))
		if c.Mend != "" {
			fmt.Fprintf(&b, " (%s)", pow.Clean(c.Mend))
		}
		b.WriteByte('\n')
	}
	return p.veil(b.String())
}

// secret finds keys and hashes: bech32 and 16 or more hex digits.
var secret = regexp.MustCompile(`\b(n(pub|sec|cryptsec)|age|age1pq)1[0-9a-z]{6,}|\b[0-9a-f]{16,}\b`)

func (p *Presenter) veil(s string) string {
	s = secret.ReplaceAllString(s, "…")
	if t := pow.Clean(p.model.Team); t != "" {
		s = strings.ReplaceAll(s, t, "(team)")
	}
	if p.c.Home != "" {
		s = regexp.MustCompile(regexp.QuoteMeta(strings.TrimRight(p.c.Home, `/\`))+`[^\s,;)]*`).ReplaceAllString(s, "~")
	}
	return s
}
