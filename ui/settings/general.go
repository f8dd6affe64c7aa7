package settings

import (
	"fmt"
	"strconv"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// general is the section of the program itself.
func (p *Page) general() *fyne.Container {
	again := p.again()
	return p.group(General, "settings.general",
		widgets.Rows(
			p.toggle(General, "settings.login", func(s *pow.Settings) *bool { return &s.StartAtLogin }).Box,
			p.pick("settings.week-start", []string{"1", "0", "6"}, func(id string) string { return words.T("settings.week-start." + id) },
				func(m Model) string { return itoa(m.Settings.WeekStart) },
				func(id string) {
					p.Presenter.Change(General, func(s *pow.Settings) { s.WeekStart, _ = strconv.Atoi(id) })
				}).Box,
			p.numeric(WeekLimit, words.T("settings.unit.hours")).Box,
			p.tested("settings.notify.test", "notify"),
			p.pick("settings.notify", []string{string(pow.NotifyOff), string(pow.NotifyPlain), string(pow.NotifyNames)},
				func(id string) string { return words.T("settings.notify." + id) },
				func(m Model) string { return string(m.Settings.Notify) },
				func(id string) {
					p.Presenter.Change(General, func(s *pow.Settings) { s.Notify = pow.NotifyKind(id) })
				}).Box,
			p.tested("settings.tray", "tray"),
		),
		widgets.Rows(p.language(again), p.look(), p.scale(again), p.mini(), again.box),
	)
}

// anew says that something counts once the window is opened again.
type anew struct {
	box *fyne.Container
}

func (p *Page) again() *anew {
	b := widgets.NewButton(words.T("settings.restart"), theme.Retry, widgets.Plain, func() { p.links.Restart() })
	n := widgets.NewNote(b)
	a := &anew{box: widgets.Inset(0, 8, n.Box)}
	n.Set(theme.Info, theme.Inform, words.T("settings.restart.why"), "")
	a.box.Hide()
	return a
}

func (a *anew) show() {
	a.box.Show()
}

// languageNames are in their own language, so that everybody finds theirs.
var languageNames = map[string]string{"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}

func (p *Page) language(again *anew) fyne.CanvasObject {
	return p.pick("settings.language", append([]string{""}, words.Languages...), func(id string) string {
		if id == "" {
			return words.T("settings.system")
		}
		return languageNames[id]
	}, func(m Model) string { return m.Settings.Language }, func(id string) {
		p.Presenter.Change(General, func(s *pow.Settings) { s.Language = id })
		again.show()
		widgets.Relayout(p.root.Box)
	}).Box
}

func (p *Page) look() fyne.CanvasObject {
	return p.pick("settings.theme", []string{"0", "1", "2"}, func(id string) string { return words.T("settings.theme." + id) },
		func(Model) string { return itoa(int(p.o.Prefs.Theme())) }, func(id string) {
			n, _ := strconv.Atoi(id)
			p.o.Prefs.SetTheme(theme.Variant(n))
			p.links.Theme(theme.Variant(n))
		}).Box
}

func (p *Page) scale(again *anew) fyne.CanvasObject {
	var ids []string
	for _, s := range Scales {
		ids = append(ids, itoa(s))
	}
	return p.pick("settings.scale", ids, func(id string) string { return id + " %" },
		func(Model) string { return itoa(p.o.Prefs.Scale()) }, func(id string) {
			n, _ := strconv.Atoi(id)
			p.o.Prefs.SetScale(n)
			again.show()
			widgets.Relayout(p.root.Box)
		}).Box
}

func (p *Page) mini() fyne.CanvasObject {
	b := widgets.NewButton(words.T("settings.mini.show"), theme.Up, widgets.Plain, func() { p.links.Mini() })
	return widgets.NewRow(words.T("settings.mini"), words.T("settings.mini.text"), b).Small().Box
}

// tracking is the section of the timer.
func (p *Page) tracking() *fyne.Container {
	hours := p.hours()
	remind := p.numeric(RemindAfter, words.T("settings.unit.minutes"))
	on := widgets.NewSwitch(p.Presenter.Remind)
	days := p.days()
	p.follow(func(m Model) {
		on.Set(m.Settings.Remind > 0)
		enable(on, m.Known && !m.Lost)
		for _, o := range []fyne.CanvasObject{remind.Box, hours, days} {
			if m.Settings.Remind > 0 {
				o.Show()
			} else {
				o.Hide()
			}
		}
	})
	return p.group(Tracking, "settings.tracking",
		widgets.Rows(
			p.numeric(AwayAfter, words.T("settings.unit.minutes")).Box,
			p.numeric(StopAfter, words.T("settings.unit.hours")).Box,
			fixed("settings.lock-pause"), fixed("settings.sleep-pause"),
			p.tested("settings.away", "away"),
		),
		widgets.Rows(
			widgets.NewRow(words.T("settings.reminder"), words.T("settings.reminder.text"), on.Press).Small().Box,
			remind.Box, hours, days,
		),
		widgets.Rows(p.hotkey("settings.hotkey.start", "powdo start PROJECT"), p.hotkey("settings.hotkey.stop", "powdo stop"), p.hotkey("settings.hotkey.capture", "powdo capture")),
	)
}

// fixed is something that cannot be switched off; the row says why.
func fixed(key string) fyne.CanvasObject {
	s := widgets.NewSwitch(nil)
	s.Set(true)
	s.Disable()
	return widgets.NewRow(words.T(key), words.T(key+".text"), s.Press).Small().Box
}

// hotkey is a command to bind to a key in the desktop's own settings.
func (p *Page) hotkey(key, command string) fyne.CanvasObject {
	text := widgets.NewText(command, widgets.Style{Size: theme.Mono, Mono: true, Fixed: true, Role: theme.Muted})
	b := widgets.NewButton("", theme.Copy, widgets.Quiet, func() { p.links.Copy(command) })
	return widgets.NewRow(words.T(key), words.T("settings.hotkey.text"), widgets.Line(8, text, text, b)).Box
}

func (p *Page) hours() fyne.CanvasObject {
	clock := func(f Field, value func(Model) int) *widgets.Field {
		e := widgets.NewEntry("9:00")
		take := func(s string) { p.Presenter.SetHours(f, s) }
		e.OnSubmitted, e.OnLeft = take, take
		return p.field(f, e, func(m Model) string { return fmt.Sprintf("%d:%02d", value(m)/60, value(m)%60) }, nil)
	}
	from := clock(RemindFrom, func(m Model) int { return m.Settings.RemindFrom })
	to := clock(RemindTo, func(m Model) int { return m.Settings.RemindTo })
	return widgets.NewRow(words.T("settings.remind-hours"), words.T("settings.remind-hours.text"), widgets.Sides(10, 0, from.Box, to.Box)).Box
}

// days chooses the days of the reminder, each on its own.
func (p *Page) days() fyne.CanvasObject {
	var options []widgets.Option
	for i := range 7 {
		d := (i + 1) % 7 // Monday first
		options = append(options, widgets.Option{ID: itoa(d), Name: words.T(fmt.Sprintf("weekday.%d", d))})
	}
	days := widgets.NewSegments(options, nil).Many()
	days.OnChosen = func(id string) {
		d, _ := strconv.Atoi(id)
		p.Presenter.Change(Tracking, func(s *pow.Settings) {
			s.RemindDays &^= 1 << d
			if days.Holds(id) {
				s.RemindDays |= 1 << d
			}
		})
	}
	p.follow(func(m Model) {
		var on []string
		for d := range 7 {
			if m.Settings.RemindDays>>d&1 == 1 {
				on = append(on, itoa(d))
			}
		}
		days.Choose(on...)
	})
	return widgets.NewRow(words.T("settings.remind-days"), "", days.Box).Box
}
