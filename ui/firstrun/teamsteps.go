package firstrun

import (
	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

func (p *Page) team(m Model) []fyne.CanvasObject {
	link := widgets.NewLines(words.T("welcome.team.hint"), 3)
	p.keep("link", link)
	read := p.button(words.T("act.read_link"), theme.Look, widgets.Main, func() { p.Presenter.Read(link.Text) })
	paste := p.button(words.T("act.paste"), theme.Add, widgets.Plain, func() { link.SetText(p.links.Paste()) })
	p.focus = paste
	if link.Text != "" {
		p.focus = read
	}
	return []fyne.CanvasObject{
		title("welcome.team"),
		para("welcome.team.text"),
		p.field("link", "", link).Hint(words.T("welcome.team.safe")).Box,
		widgets.Wrap(theme.Gap, p.goBack(), paste, read, p.button(words.T("act.offline"), "", widgets.Plain, p.Presenter.Offline)),
	}
}

func (p *Page) invite(m Model) []fyne.CanvasObject {
	v := m.Invite
	name := p.entry("name", words.T("welcome.consent.device"), false)
	agree := p.button(words.T("act.join"), theme.Confirm, widgets.Main, func() { p.Presenter.Agree(name.Text) })
	no := p.button(words.T("act.not_now"), "", widgets.Plain, func() { p.Presenter.Back() })
	p.focus = no
	npub := widgets.NewText(words.Key(v.DVMNpub), widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted})
	who := widgets.Column(1, widgets.NewText(words.Name(v.Name), widgets.Style{Size: theme.SubHeading, Bold: true, Wrap: true}), npub)
	expires := words.T("welcome.consent.never")
	if !v.Expires.IsZero() {
		expires = words.T("welcome.consent.expires", words.Data{"Time": words.When(v.Expires, p.now())})
	}
	return []fyne.CanvasObject{
		title("welcome.consent"),
		widgets.Line(12, who, widgets.NewIcon(theme.People, theme.Primary, 24), who),
		point(theme.Relay, words.T("welcome.consent.relays", words.Data{"Hosts": words.Hosts(v.Relays)}), words.T("welcome.consent.blind")),
		point(theme.Blossom, words.T("welcome.consent.blossom", words.Data{"Hosts": words.Hosts(v.Blossom)}), ""),
		point(theme.Key, words.T("welcome.consent.learns"), words.T("welcome.consent.later")),
		point(theme.ClockFace, expires, ""),
		p.field("name", "", name).Box,
		widgets.Wrap(theme.Gap, no, agree),
	}
}

// joined shows line by line what came of joining.
func (p *Page) joined(m Model) []fyne.CanvasObject {
	j := m.Joined
	team := words.Data{"Team": words.Name(j.Team)}
	head, text := "welcome.ready", words.N("welcome.joined.projects", len(j.Projects), team)
	if j.Code == pow.CodeAwaitingApproval {
		head, text = "welcome.waits", words.T("welcome.waits.text", team)
	}
	enrolled := words.T("welcome.joined.enrolled")
	icon, role := theme.Verified, theme.Success
	if j.Code == pow.CodeAwaitingApproval {
		enrolled, icon, role = words.T("welcome.joined.waits", team), theme.Queued, theme.Warning
	}
	return []fyne.CanvasObject{
		title(head, team),
		widgets.NewText(text, widgets.Style{Role: theme.Muted, Wrap: true}),
		live(icon, role, enrolled, ""),
		p.probeLine("relays", words.T("welcome.joined.relays")),
		p.probeLine("blossom", words.T("welcome.joined.blossom")),
		widgets.Wrap(theme.Gap, p.next(widgets.Main)),
	}
}

// live is one line of what is going on.
func live(icon theme.IconName, role fyne.ThemeColorName, what, more string, act ...fyne.CanvasObject) fyne.CanvasObject {
	lines := widgets.Column(1, widgets.NewText(what, widgets.Style{Wrap: true}))
	if more != "" {
		lines.Objects = append(lines.Objects, widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	}
	row := append([]fyne.CanvasObject{widgets.NewIcon(icon, role, 20), lines}, act...)
	return widgets.Line(12, lines, row...)
}

// probeLine is one part of what has to work, with its own error and retry.
func (p *Page) probeLine(name, what string) fyne.CanvasObject {
	box := widgets.Column(0)
	retry := widgets.NewButton(words.T("act.retry"), theme.Retry, widgets.Plain, func() { p.Presenter.Probe(name) })
	drawn := ""
	p.draws = append(p.draws, func(m Model) {
		r := m.Probes[name]
		icon, role, more, again := probeState(r)
		if r.Err != nil {
			said, mend := p.links.Say(r.Err)
			more = said + " " + mend
		}
		if key := string(icon) + more; key == drawn {
			return
		} else {
			drawn = key
		}
		var act []fyne.CanvasObject
		if again {
			act = append(act, retry)
		}
		box.Objects = []fyne.CanvasObject{live(icon, role, what, more, act...)}
	})
	return box
}

// probeState puts the checks of one part into one line.
func probeState(r Probe) (icon theme.IconName, role fyne.ThemeColorName, more string, again bool) {
	if r.Busy {
		return theme.ClockFace, theme.Info, words.T("welcome.joined.asking"), false
	}
	well := 0
	for _, c := range r.Checks {
		if c.State == "ok" {
			well++
			continue
		}
		if more == "" {
			more = words.Name(c.Name) + ": " + words.Foreign(c.Detail)
		}
	}
	d := words.Data{"On": well, "All": len(r.Checks)}
	switch {
	case r.Err != nil || well == 0:
		return theme.Attention, theme.Danger, more, true
	case well < len(r.Checks):
		return theme.Warn, theme.Warning, words.T("welcome.joined.some", d) + " · " + more, true
	}
	return theme.Verified, theme.Success, words.T("welcome.joined.some", d), false
}

// asks shows the terms of one project after the other.
func (p *Page) asks(m Model) []fyne.CanvasObject {
	pr, ok := m.Project()
	if !ok {
		return []fyne.CanvasObject{title("welcome.asks"), widgets.Wrap(theme.Gap, p.goBack(), p.next(widgets.Main))}
	}
	if p.opened != pr.ID {
		p.opened = pr.ID
		p.terms.Presenter.Open(pr.ID)
	}
	p.focus = p.terms.First()
	skip := p.button(words.T("welcome.asks.later"), "", widgets.Quiet, p.Presenter.Next)
	return []fyne.CanvasObject{
		title("welcome.asks"),
		para("welcome.asks.text", words.Data{"N": m.Asked + 1, "All": len(m.Projects)}),
		p.terms.Body,
		widgets.Wrap(theme.Gap, p.goBack(), skip),
	}
}
