package settings

import (
	"bytes"
	"image"
	_ "image/jpeg" // TestShot answers with JPEGs
	"slices"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// pictures is the section of what is taken and what is not.
func (p *Page) pictures() *fyne.Container {
	return p.group(Pictures, "settings.pictures",
		widgets.Rows(
			p.monitors(),
			p.tested("settings.capture", "capture"),
			p.toggle(Pictures, "settings.half", func(s *pow.Settings) *bool { return &s.HalfSize }).Box,
			widgets.NewRow(words.T("settings.format"), words.T("settings.format.text"), nil).Box,
			p.pick("settings.toast", []string{string(pow.ToastOff), string(pow.ToastWindow), string(pow.ToastNotification)},
				func(id string) string { return words.T("settings.toast." + id) },
				func(m Model) string { return string(m.Settings.Toast) },
				func(id string) {
					p.Presenter.Change(Pictures, func(s *pow.Settings) { s.Toast = pow.ToastKind(id) })
				}).Box,
			p.numeric(ToastFor, words.T("settings.unit.seconds")).Box,
			p.perProject(),
		),
		widgets.NewText(words.T("settings.leaveout"), widgets.Style{Bold: true, Wrap: true}),
		widgets.NewText(words.T("settings.leaveout.text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		widgets.Card(p.Exclude.Body),
	)
}

// perProject says where the two settings are that belong to a project.
func (p *Page) perProject() fyne.CanvasObject {
	b := widgets.NewButton(words.T("settings.projects"), theme.Forward, widgets.Plain, func() { p.Go(Projects) })
	return widgets.NewRow(words.T("settings.per-project"), words.T("settings.per-project.text"), b).Small().Box
}

// maxSide bounds a picture that is decoded, in pixels: five 4K monitors in a row.
const maxSide = 20_000

// decode opens a picture of the agent's.
func decode(b []byte) image.Image {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width > maxSide || c.Height > maxSide {
		return nil
	}
	i, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return i
}

// monitors chooses the monitors by their pictures.
func (p *Page) monitors() fyne.CanvasObject {
	look := widgets.NewButton(words.T("settings.monitors.look"), theme.Look, widgets.Plain, p.Presenter.Look)
	row := widgets.NewRow(words.T("settings.monitors"), "", look).Small()
	shots := widgets.Sides(12, 420)
	hide := widgets.NewButton(words.T("settings.monitors.hide"), "", widgets.Quiet, p.Presenter.Unlook)
	all := widgets.NewButton(words.T("settings.monitors.every"), "", widgets.Quiet, p.Presenter.EveryDisplay)
	below := widgets.Column(8, shots, widgets.Wrap(8, hide))
	drawn := ""
	var switches []*widgets.Switch
	p.follow(func(m Model) {
		enable(look, !m.Lost && !m.Busy[Pictures])
		row.More(monitorsLine(m))
		below.Hidden = len(m.Shots) == 0
		all.Hidden = len(m.Settings.Displays) == 0
		if renewed(&drawn, m.Of) {
			switches, shots.Objects = nil, nil
			for i, b := range m.Shots {
				s, box := p.monitor(m.Of[i], b)
				switches, shots.Objects = append(switches, s), append(shots.Objects, box)
			}
		}
		for i, s := range switches {
			s.Set(m.Takes(m.Of[i]))
		}
	})
	return widgets.Column(0, row.Box, widgets.Wrap(0, all), p.padded(below))
}

func monitorsLine(m Model) string {
	if len(m.Settings.Displays) == 0 {
		return words.T("settings.monitors.all")
	}
	list := ""
	for i, d := range m.Settings.Displays {
		if i > 0 {
			list += ", "
		}
		list += itoa(d + 1)
	}
	return words.T("settings.monitors.some", words.Data{"List": list})
}

func (p *Page) monitor(n int, b []byte) (*widgets.Switch, fyne.CanvasObject) {
	shot := widgets.NewShot(220)
	shot.Set(decode(b))
	s := widgets.NewSwitch(func(on bool) { p.Presenter.SetDisplay(n, on) })
	name := widgets.NewText(words.T("leaveout.monitor", words.Data{"N": n + 1}), widgets.Style{Size: theme.Small})
	return s, widgets.Column(6, shot, widgets.Line(8, name, s.Press, name))
}

// apps is the section of ActivityWatch.
func (p *Page) apps() *fyne.Container {
	url := widgets.NewEntry(words.T("settings.activity-url.hint"))
	url.OnSubmitted, url.OnLeft = p.Presenter.SetActivityURL, p.Presenter.SetActivityURL
	key := widgets.NewSecret(words.T("settings.activity-key.hint"))
	key.OnSubmitted, key.OnLeft = p.Presenter.SetActivityKey, p.Presenter.SetActivityKey
	on := widgets.NewSwitch(func(on bool) {
		p.Presenter.Change(Apps, func(s *pow.Settings) { s.ActivityOff = !on })
	})
	p.follow(func(m Model) {
		on.Set(!m.Settings.ActivityOff)
		enable(on, m.Known && !m.Lost)
	})
	d := words.Data{"N": input.MaxName}
	return p.group(Apps, "settings.apps",
		widgets.Rows(
			widgets.NewRow(words.T("settings.activity"), words.T("settings.activity.text"), on.Press).Small().Box,
			widgets.NewRow(words.T("settings.activity-url"), words.T("settings.activity-url.text"),
				p.field(ActivityURL, url, func(m Model) string { return m.Settings.ActivityURL }, d).Box).Box,
			widgets.NewRow(words.T("settings.activity-key"), words.T("settings.activity-key.text"),
				p.field(ActivityKey, key, func(m Model) string { return m.Settings.ActivityKey }, d).Box).Box,
			p.tested("settings.activity.test", "activitywatch"),
			widgets.NewRow(words.T("settings.browsers"), words.T("settings.browsers.text"), nil).Box,
			p.levels(),
		),
		widgets.Rows(p.names(AppsOut), p.names(TitlesOut)),
	)
}

// levels says where the level of detail is, which belongs to each project.
func (p *Page) levels() fyne.CanvasObject {
	b := widgets.NewButton(words.T("settings.projects"), theme.Forward, widgets.Plain, func() { p.Go(Projects) })
	return widgets.NewRow(words.T("settings.level"), words.T("settings.level.text"), b).Small().Box
}

// names edits a list of apps.
func (p *Page) names(f Field) fyne.CanvasObject {
	e := widgets.NewEntry(words.T("leaveout.app.hint"))
	put := func() {
		if p.Presenter.AddName(f, e.Text) {
			e.SetText("")
		}
	}
	e.OnSubmitted = func(string) { put() }
	field := widgets.NewField("", e, widgets.NewButton(words.T("leaveout.add"), theme.Add, widgets.Plain, put))
	chips := widgets.Wrap(6)
	drawn := []string{""}
	p.follow(func(m Model) {
		field.Fail("")
		if fault := m.Faults[f]; fault != input.Fine {
			field.Fail(words.T("input."+string(fault), words.Data{"N": input.MaxName}))
		}
		list := *names(f, &m.Settings)
		if chips.Hidden = len(list) == 0; slices.Equal(list, drawn) {
			return
		}
		drawn, chips.Objects = list, nil
		for _, n := range list {
			chips.Objects = append(chips.Objects, p.chip(f, n))
		}
	})
	key := "settings." + string(f)
	text := widgets.Column(1, widgets.NewText(words.T(key), widgets.Style{Wrap: true}),
		widgets.NewText(words.T(key+".text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	return widgets.Inset(0, 10, widgets.Column(8, text, field.Box, chips))
}

// chipRunes is how much of a name a chip shows.
const chipRunes = 36

func (p *Page) chip(f Field, n string) fyne.CanvasObject {
	text := words.Name(n)
	if r := []rune(text); len(r) > chipRunes {
		text = string(r[:chipRunes]) + "…"
	}
	row := widgets.Line(6, nil, widgets.NewText(text, widgets.Style{Size: theme.Small, Fixed: true}), widgets.NewIcon(theme.Close, theme.Muted, 14))
	return widgets.NewPress(row, widgets.Look{Fill: theme.Ground, Line: theme.Border, Radius: 16, PadX: 10, PadY: 4, Least: 32},
		func() { p.Presenter.RemoveName(f, n) })
}
