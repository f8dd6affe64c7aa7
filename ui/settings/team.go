package settings

import (
	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// projects is the section of what was agreed to.
func (p *Page) projects() *fyne.Container {
	list := widgets.Column(0)
	drawn := "never"
	p.follow(func(m Model) {
		if !renewed(&drawn, m.Terms) {
			return
		}
		list.Objects = nil
		for i, t := range m.Terms {
			if i > 0 {
				list.Objects = append(list.Objects, widgets.NewRule())
			}
			list.Objects = append(list.Objects, p.project(t))
		}
		if len(m.Terms) == 0 {
			list.Objects = []fyne.CanvasObject{widgets.NewText(words.T("settings.projects.none"), widgets.Style{Role: theme.Muted, Wrap: true})}
		}
	})
	return p.group(Projects, "settings.projects", widgets.Card(list), p.team())
}

func (p *Page) project(t pow.Terms) fyne.CanvasObject {
	state := widgets.NewState(false)
	more := ""
	switch t.Consent {
	case pow.ConsentGiven:
		state.Set(theme.Verified, theme.Success, words.T("settings.consent.given"))
		more = words.T("project.given", words.Data{"Day": words.Day(t.AgreedAt)})
	case pow.ConsentChanged:
		state.Set(theme.Warn, theme.Warning, words.T("settings.consent.changed"))
		more = words.T("settings.consent.changed.text")
	case pow.ConsentWithdrawn:
		state.Set(theme.OffRecord, theme.Off, words.T("settings.consent.withdrawn"))
	default:
		state.Set(theme.Held, theme.Muted, words.T("settings.consent.needed"))
	}
	if g := words.Name(t.Project.Group); more == "" {
		more = g
	}
	name := widgets.Column(0, widgets.NewText(words.Name(t.Project.Name), widgets.Style{Bold: true}), widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted}))
	row := widgets.Line(12, name, widgets.NewBadge(theme.BadgeFor(string(t.Project.ID), t.Project.Name, t.Project.Color)), name, state.Box, widgets.NewIcon(theme.Forward, theme.Muted, 16))
	return widgets.NewPress(row, widgets.Look{Radius: theme.RadiusField, PadX: 4, PadY: 8, Least: 52}, func() { p.links.Project(t.Project.ID) })
}

// team joins one, or leaves it.
func (p *Page) team() fyne.CanvasObject {
	join := widgets.NewButton(words.T("timer.join"), theme.People, widgets.Plain, func() { p.links.Join() })
	leave := widgets.NewButton(words.T("settings.leave"), "", widgets.Plain, p.Presenter.AskToLeave)
	r := widgets.NewRow(words.T("settings.team"), "", widgets.Wrap(8, join, leave))
	p.follow(func(m Model) {
		in := m.Status.Setup.Team || m.Status.Setup.Waits != ""
		join.Hidden, leave.Hidden = in, !in
		enable(leave, !m.Lost && !m.Busy[Projects])
		r.More(words.T("settings.team.none"))
		if in {
			r.More(words.Name(m.Status.Team))
		}
	})
	ask := p.question(AskLeave, words.T("settings.leave.stay"), words.T("settings.leave.yes"), func(m Model) (string, string) {
		team := words.Data{"Team": words.Name(m.Status.Team)}
		return words.T("settings.leave.ask", team), words.T("settings.leave.text", team)
	})
	return widgets.Column(10, widgets.Rows(r.Box), ask)
}

// servers is the section of what letters and files go through.
func (p *Page) servers() *fyne.Container {
	url := widgets.NewEntry("socks5://127.0.0.1:9050")
	url.OnSubmitted, url.OnLeft = p.Presenter.SetProxy, p.Presenter.SetProxy
	tor := p.toggle(Servers, "settings.tor", func(s *pow.Settings) *bool { return &s.TorOnly })
	why := words.T("settings.tor.text")
	p.follow(func(m Model) {
		tor.More(why)
		if m.Settings.Proxy == "" {
			tor.More(words.T("settings.tor.first"))
		}
	})
	return p.group(Servers, "settings.servers",
		widgets.Rows(p.relays(), p.blossom(), p.dvm()),
		widgets.Rows(
			widgets.NewRow(words.T("settings.proxy"), words.T("settings.proxy.text"),
				p.field(Proxy, url, func(m Model) string { return m.Settings.Proxy }, words.Data{"N": 200}).Box).Box,
			tor.Box,
			p.tested("settings.proxy.test", "proxy"),
		),
	)
}

// relays lists the relays with what they say now.
func (p *Page) relays() fyne.CanvasObject {
	b, lines := p.probe("relays")
	r := widgets.NewRow(words.T("settings.relays"), "", b).Small()
	list := widgets.Column(4)
	p.follow(func(m Model) {
		list.Objects = nil
		r.More(words.T("settings.relays.none"))
		if len(m.Status.Relays) > 0 {
			r.More(words.T("settings.relays.text"))
		}
		for _, c := range m.Status.Relays {
			list.Objects = append(list.Objects, relay(c))
		}
	})
	return widgets.Column(0, r.Box, list, p.padded(lines))
}

func relay(c pow.Connection) fyne.CanvasObject {
	k := words.Connection([]pow.Connection{c})
	text := words.Host(c.URL) + " · " + k.Word
	if c.Error != "" {
		text += " · “" + words.Foreign(c.Error) + "”"
	}
	line := widgets.NewText(text, widgets.Style{Size: theme.Small, Wrap: true})
	return widgets.Line(8, line, widgets.NewIcon(k.Icon, k.Role, 16), line)
}

// blossom lists the servers that sealed files lie on.
func (p *Page) blossom() fyne.CanvasObject {
	b, lines := p.probe("blossom")
	r := widgets.NewRow(words.T("settings.blossom"), "", b).Small()
	p.follow(func(m Model) {
		r.More(words.T("settings.relays.none"))
		if hosts := words.Hosts(all(m.Terms, func(t pow.Terms) []string { return t.Blossom })); hosts != "" {
			r.More(words.T("settings.blossom.text", words.Data{"Hosts": hosts}))
		}
	})
	return widgets.Column(0, r.Box, p.padded(lines))
}

func all(list []pow.Terms, of func(pow.Terms) []string) (out []string) {
	for _, t := range list {
		out = append(out, of(t)...)
	}
	return out
}

// dvm names the one key that everything is sealed to.
func (p *Page) dvm() fyne.CanvasObject {
	b, lines := p.probe("dvm")
	r := widgets.NewRow(words.T("settings.dvm"), "", b).Small()
	npub := ""
	mono := widgets.NewText("", widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted})
	c := widgets.NewButton("", theme.Copy, widgets.Quiet, func() { p.links.Copy(npub) })
	line := widgets.Line(4, mono, mono, c)
	p.follow(func(m Model) {
		npub = ""
		if len(m.Terms) > 0 {
			npub = m.Terms[0].DVMNpub
		}
		line.Hidden = npub == ""
		mono.Set(words.Key(npub))
		r.More(words.T("settings.dvm.none"))
		if m.Status.Team != "" {
			r.More(words.T("settings.dvm.text", words.Data{"Team": words.Name(m.Status.Team)}))
		}
	})
	return widgets.Column(0, r.Box, line, p.padded(lines))
}
