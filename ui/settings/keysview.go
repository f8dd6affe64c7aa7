package settings

import (
	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// keys is the section of the keys and of the computers that have some.
func (p *Page) keys() *fyne.Container {
	return p.group(KeysGroup, "settings.keys",
		widgets.Rows(
			p.npub("settings.npub", func(m Model) string { return m.Keys.Npub }),
			p.npub("settings.device-npub", func(m Model) string { return m.Keys.DeviceNpub }),
			p.storage(),
			p.tested("settings.keyring", "keyring"),
			p.numeric(LockAfter, words.T("settings.unit.minutes")).Box,
			p.lockNow(),
		),
		widgets.NewText(words.T("settings.backup"), widgets.Style{Bold: true, Wrap: true}),
		p.lastTest(),
		widgets.Card(p.Backup.Body),
		widgets.NewText(words.T("settings.passphrase"), widgets.Style{Bold: true, Wrap: true}),
		widgets.Card(p.passphrase()),
		widgets.NewText(words.T("settings.devices"), widgets.Style{Bold: true, Wrap: true}),
		p.devices(),
	)
}

// npub is a row with a public key and a button that copies all of it.
func (p *Page) npub(key string, value func(Model) string) fyne.CanvasObject {
	text := widgets.NewText("", widgets.Style{Size: theme.Mono, Mono: true, Fixed: true, Role: theme.Muted})
	b := widgets.NewButton("", theme.Copy, widgets.Quiet, func() { p.links.Copy(value(p.Presenter.model)) })
	p.follow(func(m Model) {
		text.Set(words.Key(value(m)))
		enable(b, value(m) != "")
	})
	return widgets.NewRow(words.T(key), words.T(key+".text"), widgets.Line(8, text, text, b)).Box
}

func (p *Page) storage() fyne.CanvasObject {
	r := widgets.NewRow(words.T("settings.storage"), "", nil)
	p.follow(func(m Model) {
		r.More(words.T("settings.storage.passphrase"))
		if m.Keys.Storage == "keyring" {
			r.More(words.T("settings.storage.keyring"))
		}
	})
	return r.Box
}

func (p *Page) lockNow() fyne.CanvasObject {
	b := widgets.NewButton(words.T("settings.lock"), theme.Lock, widgets.Plain, p.Presenter.LockNow)
	r := widgets.NewRow(words.T("settings.lock-now"), words.T("settings.lock-now.text"), b).Small()
	p.follow(func(m Model) { enable(b, !m.Lost && !m.Busy[KeysGroup]) })
	return r.Box
}

// lastTest says when a backup was tested last.
func (p *Page) lastTest() fyne.CanvasObject {
	n := widgets.NewNote()
	p.follow(func(m Model) {
		if m.Keys.BackupTested.IsZero() {
			n.Set(theme.Warning, theme.Warn, words.T("settings.backup.never"), words.T("settings.backup.never.text"))
			return
		}
		n.Set(theme.Success, theme.Verified, words.T("settings.backup.tested", words.Data{"Day": words.Day(m.Keys.BackupTested)}), "")
	})
	return n.Box
}

// passphrase changes what protects the keys.
func (p *Page) passphrase() fyne.CanvasObject {
	entries := map[Field]*widgets.Entry{}
	fields := map[Field]*widgets.Field{}
	for _, f := range []Field{OldPhrase, NewPhrase, NewAgain} {
		entries[f] = widgets.NewSecret("")
		fields[f] = widgets.NewField(words.T("settings."+string(f)), entries[f])
	}
	fields[NewPhrase].Hint(words.T("backup.phrase.text"))
	change := func() {
		p.Presenter.ChangePassphrase(entries[OldPhrase].Text, entries[NewPhrase].Text, entries[NewAgain].Text)
	}
	entries[NewAgain].OnSubmitted = func(string) { change() }
	b := widgets.NewButton(words.T("settings.passphrase.change"), theme.Lock, widgets.Plain, change)
	ring := widgets.NewButton(words.T("settings.passphrase.keyring"), theme.Computer, widgets.Plain, func() { p.Presenter.UseKeyring(entries[OldPhrase].Text) })
	done := widgets.NewNote()
	p.follow(func(m Model) {
		for f, field := range fields {
			field.Fail("")
			if fault := m.Faults[f]; fault != input.Fine {
				field.Fail(words.T("input."+string(fault), words.Data{"N": input.LeastPhrase}))
			}
		}
		inRing := m.Keys.Storage == "keyring"
		fields[OldPhrase].Box.Hidden, ring.Hidden = inRing, inRing || !m.Status.Setup.Keyring
		done.Set(theme.Success, theme.Verified, "", "")
		if m.Changed {
			done.Set(theme.Success, theme.Verified, words.T("settings.passphrase.done"), words.T("settings.passphrase.done.text"))
			for _, e := range entries {
				if e.Text != "" {
					e.SetText("")
				}
			}
		}
		enable(b, !m.Lost && !m.Busy[KeysGroup])
		enable(ring, !m.Lost && !m.Busy[KeysGroup])
	})
	for _, e := range entries {
		e.OnChanged = func(string) { p.guard() }
	}
	p.typed = func() bool {
		return entries[OldPhrase].Text+entries[NewPhrase].Text+entries[NewAgain].Text != ""
	}
	p.wipe = func() {
		for _, e := range entries {
			e.SetText("")
		}
	}
	return widgets.Column(12,
		widgets.NewText(words.T("settings.passphrase.text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		fields[OldPhrase].Box, widgets.Sides(12, 460, fields[NewPhrase].Box, fields[NewAgain].Box),
		widgets.Wrap(theme.Gap, b, ring), done.Box)
}

// devices lists the computers of this identity.
func (p *Page) devices() fyne.CanvasObject {
	list := widgets.Column(0)
	drawn := "never"
	p.follow(func(m Model) {
		if !renewed(&drawn, m.Keys, m.Lost, m.Busy[KeysGroup]) {
			return
		}
		list.Objects = nil
		for i, d := range m.Keys.Devices {
			if i > 0 {
				list.Objects = append(list.Objects, widgets.NewRule())
			}
			list.Objects = append(list.Objects, p.device(m, d))
		}
		if len(m.Keys.Devices) == 0 {
			list.Objects = []fyne.CanvasObject{widgets.NewText(words.T("settings.devices.none"), widgets.Style{Role: theme.Muted, Wrap: true})}
		}
	})
	return widgets.Card(widgets.Column(10, list, p.question(AskDevice, words.T("settings.devices.keep"), words.T("settings.devices.remove"), func(m Model) (string, string) {
		return words.T("settings.devices.ask", words.Data{"Name": words.Name(m.Ask.Device.Name)}), words.T("settings.devices.ask.text")
	})))
}

func (p *Page) device(m Model, d pow.Device) fyne.CanvasObject {
	npub := input.Npub(d.Key)
	more := words.Key(npub)
	mine := npub == m.Keys.DeviceNpub
	switch {
	case mine:
		more += " · " + words.T("settings.devices.this")
	case d.State == "removed":
		more += " · " + words.T("settings.devices.removed")
	}
	name := words.Name(d.Name)
	if name == "" {
		name = words.T("settings.devices.unnamed")
	}
	text := widgets.Column(0, widgets.NewText(name, widgets.Style{}), widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted}))
	row := []fyne.CanvasObject{widgets.NewIcon(theme.Computer, theme.Muted, 20), text}
	if !mine && d.State != "removed" {
		b := widgets.NewButton(words.T("settings.devices.remove"), theme.Remove, widgets.Quiet, func() { p.Presenter.AskRemove(d) })
		enable(b, !m.Lost && !m.Busy[KeysGroup])
		row = append(row, b)
	}
	return widgets.Inset(0, 8, widgets.Line(12, text, row...))
}
