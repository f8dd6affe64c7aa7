package welcome

import (
	"fmt"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

func (p *Page) hello(Model) []fyne.CanvasObject {
	return []fyne.CanvasObject{
		title("welcome.hello"),
		para("welcome.hello.text"),
		point(theme.Timer, words.T("welcome.hello.track"), ""),
		point(theme.Lock, words.T("welcome.hello.seal"), ""),
		point(theme.Register, words.T("welcome.hello.yours"), ""),
		widgets.Wrap(theme.Gap, p.button(words.T("act.begin"), theme.Forward, widgets.Main, p.Presenter.Next)),
	}
}

func (p *Page) chooseKey(Model) []fyne.CanvasObject {
	fresh := choice(theme.Add, words.T("welcome.key.new"), words.T("welcome.key.new.text"), p.Presenter.MakeNew)
	old := choice(theme.Key, words.T("welcome.key.old"), words.T("welcome.key.old.text"), p.Presenter.UseOld)
	p.focus = fresh
	return []fyne.CanvasObject{
		title("welcome.key"),
		para("welcome.key.text"),
		fresh, old,
		widgets.Wrap(theme.Gap, p.back()),
	}
}

func (p *Page) restore(Model) []fyne.CanvasObject {
	key := widgets.NewLines(words.T("welcome.restore.hint"), 3)
	pass := widgets.NewSecret(words.T("welcome.restore.passphrase"))
	go1 := func() { p.Presenter.Restored(key.Text, pass.Text) }
	pass.OnSubmitted = func(string) { go1() }
	next := p.button(words.T("act.next"), theme.Forward, widgets.Main, go1)
	p.focus = key
	return []fyne.CanvasObject{
		title("welcome.restore"),
		para("welcome.restore.text"),
		key,
		widgets.NewText(words.T("welcome.restore.ncryptsec"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		pass,
		widgets.Wrap(theme.Gap, p.back(), next),
	}
}

func (p *Page) safe(m Model) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{title("welcome.safe"), para("welcome.safe.text")}
	if m.Keyring {
		ring := choice(theme.Computer, words.T("welcome.safe.keyring"), words.T("welcome.safe.keyring.text"), p.Presenter.KeepInKeyring)
		p.focus = ring
		objects = append(objects, ring, widgets.Caption(words.T("welcome.safe.or")))
	}
	pass := widgets.NewSecret(words.T("welcome.safe.passphrase"))
	again := widgets.NewSecret(words.T("welcome.safe.again"))
	keep := func() { p.Presenter.KeepBehind(pass.Text, again.Text) }
	again.OnSubmitted = func(string) { keep() }
	kind := widgets.Main
	if m.Keyring {
		kind = widgets.Plain
	} else {
		p.focus = pass
	}
	return append(objects, pass, again,
		widgets.NewText(words.T("welcome.safe.passphrase.text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		widgets.Wrap(theme.Gap, p.back(), p.button(words.T("welcome.safe.use"), theme.Lock, kind, keep)))
}

func (p *Page) words(m Model) []fyne.CanvasObject {
	cells := make([]*widgets.Text, len(m.Words))
	rows := widgets.Column(8)
	const across = 3
	for i := 0; i < len(m.Words); i += across {
		row := widgets.Sides(8, 0)
		for j := i; j < min(i+across, len(m.Words)); j++ {
			cells[j] = widgets.NewText(hidden, widgets.Style{Size: theme.Mono, Mono: true})
			number := widgets.NewText(fmt.Sprintf("%2d", j+1), widgets.Style{Size: theme.Mono, Mono: true, Role: theme.Muted, Fixed: true})
			row.Objects = append(row.Objects, widgets.Line(8, cells[j], number, cells[j]))
		}
		rows.Objects = append(rows.Objects, row)
	}
	hold := widgets.NewHold(words.T("welcome.words.hold"), theme.Look, func(on bool) {
		for i, c := range cells {
			c.Set(hidden)
			if on {
				c.Set(m.Words[i])
			}
		}
	})
	p.focus = hold
	return []fyne.CanvasObject{
		title("welcome.words"),
		para("welcome.words.text"),
		widgets.Layers(widgets.NewFill(theme.Ground, theme.Line, theme.RadiusField), widgets.Inset(16, 14, rows)),
		widgets.Wrap(theme.Gap, hold),
		widgets.NewText(words.T("welcome.words.once"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		widgets.Wrap(theme.Gap,
			p.button(words.T("act.written_down"), theme.Confirm, widgets.Main, p.Presenter.Next),
			p.button(words.T("act.later"), "", widgets.Quiet, p.Presenter.Later)),
	}
}

// hidden stands in for a word that is not shown; it says nothing of its length.
const hidden = "••••••"

func (p *Page) check(m Model) []fyne.CanvasObject {
	options := widgets.Wrap(10)
	for _, w := range m.Options {
		b := p.button(w, "", widgets.Plain, func() { p.Presenter.Answer(w) })
		if p.focus == nil {
			p.focus = b
		}
		options.Objects = append(options.Objects, b)
	}
	return []fyne.CanvasObject{
		title("welcome.check", words.Data{"N": m.Ask + 1}),
		widgets.NewText(words.N("welcome.check.left", m.Left), widgets.Style{Role: theme.Muted, Wrap: true}),
		options,
		widgets.Wrap(theme.Gap, p.back()),
	}
}

func (p *Page) team(m Model) []fyne.CanvasObject {
	link := widgets.NewLines(words.T("welcome.team.hint"), 3)
	link.SetText(m.Link)
	read := p.button(words.T("act.read_link"), theme.Look, widgets.Main, func() { p.Presenter.Read(link.Text) })
	paste := p.button(words.T("act.paste"), theme.Add, widgets.Plain, func() { link.SetText(p.links.Paste()) })
	p.focus = paste
	if m.Link != "" {
		p.focus = read
	}
	return []fyne.CanvasObject{
		title("welcome.team"),
		para("welcome.team.text"),
		link,
		widgets.NewText(words.T("welcome.team.safe"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		widgets.Wrap(theme.Gap, read, paste, p.button(words.T("act.offline"), "", widgets.Quiet, p.links.Done)),
	}
}

func (p *Page) consent(m Model) []fyne.CanvasObject {
	v := m.Invite
	name := widgets.NewEntry(words.T("welcome.consent.device"))
	agree := p.button(words.T("act.join"), theme.Confirm, widgets.Main, func() { p.Presenter.Agree(name.Text) })
	back := p.button(words.T("act.not_now"), "", widgets.Plain, p.Presenter.Back)
	p.focus = back
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
		name,
		widgets.Wrap(theme.Gap, back, agree),
	}
}

func (p *Page) ready(m Model) []fyne.CanvasObject {
	j := m.Joined
	team := words.Data{"Team": words.Name(j.Team)}
	head, text := "welcome.ready", words.N("welcome.ready.projects", len(j.Projects), team)
	if j.Code == pow.CodeAwaitingApproval {
		head, text = "welcome.waits", words.T("welcome.waits.text", team)
	}
	objects := []fyne.CanvasObject{title(head, team), widgets.NewText(text, widgets.Style{Role: theme.Muted, Wrap: true})}
	for i, pr := range j.Projects {
		if i == listed {
			objects = append(objects, widgets.NewText(words.N("welcome.ready.more", len(j.Projects)-listed), widgets.Style{Role: theme.Muted, Wrap: true}))
			break
		}
		objects = append(objects, asks(pr))
	}
	return append(objects, widgets.Wrap(theme.Gap, p.button(words.T("act.to_timer"), theme.Timer, widgets.Main, p.links.Done)))
}

// listed is how many projects the last step names.
const listed = 8

// asks says what a project asks for.
func asks(pr pow.Project) fyne.CanvasObject {
	pictures := words.T("asks.pictures.none")
	switch pr.Pictures {
	case pow.Required:
		pictures = words.T("asks.pictures.required", words.Data{"Minutes": max(1, pr.Interval/60)})
	case pow.Optional:
		pictures = words.T("asks.pictures.optional", words.Data{"Minutes": max(1, pr.Interval/60)})
	}
	detail := words.T("asks.detail.off")
	if words.Has("asks.detail." + string(pr.Detail)) {
		detail = words.T("asks.detail." + string(pr.Detail))
	}
	more := pictures + " · " + detail
	if pr.Retention > 0 {
		more += " · " + words.N("asks.kept", pr.Retention)
	}
	lines := widgets.Column(1, widgets.NewText(words.Name(pr.Name), widgets.Style{Bold: true}),
		widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	return widgets.Line(12, lines, widgets.NewBadge(theme.BadgeFor(string(pr.ID), pr.Name, pr.Color)), lines)
}
