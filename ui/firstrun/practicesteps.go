package firstrun

import (
	"image"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/leaveout"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// pictures asks for permission and shows what a picture would be.
func (p *Page) pictures(m Model) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{title("welcome.pictures"), para("welcome.pictures.text")}
	if len(m.Shots) == 0 {
		why := small("welcome.pictures.denied")
		p.draws = append(p.draws, func(m Model) { why.Hidden = m.Err == nil })
		return append(objects,
			point(theme.Lock, words.T("welcome.pictures.ask"), words.T("welcome.pictures.never")), why,
			widgets.Wrap(theme.Gap, p.goBack(),
				p.button(words.T("welcome.pictures.without"), "", widgets.Plain, p.Presenter.Next),
				p.button(words.T("welcome.pictures.take"), theme.Picture, widgets.Main, p.Presenter.Shoot)))
	}
	shots := widgets.Sides(12, 420)
	for i, b := range m.Shots {
		shot := widgets.NewShot(280)
		shot.Set(decode(b))
		name := widgets.NewText(words.T("leaveout.monitor", words.Data{"N": i + 1}), widgets.Style{Size: theme.Small, Role: theme.Muted})
		shots.Objects = append(shots.Objects, widgets.Column(4, shot, name))
	}
	return append(objects, shots, point(theme.Confirm, words.T("welcome.pictures.works"), words.T("welcome.pictures.gone")),
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("welcome.again"), theme.Retry, widgets.Plain, p.Presenter.Shoot), p.next(widgets.Main)))
}

// rowsShown is how many of the last rows of activity are shown.
const rowsShown = 3

// apps shows the last app times as they would leave.
func (p *Page) apps(m Model) []fyne.CanvasObject {
	state := widgets.NewState(true)
	rows := widgets.Column(6)
	key := p.entry("activity-key", words.T("settings.activity-key"), true)
	use := p.button(words.T("welcome.apps.use_key"), theme.Key, widgets.Plain, func() { p.Presenter.SetActivityKey(key.Text) })
	ask := p.field("activity-key", words.T("settings.activity-key"), key, use).Hint(words.T("settings.activity-key.text"))
	level := p.levels()
	p.draws = append(p.draws, func(m Model) {
		aw := m.Status.ActivityWatch
		if k, ok := words.Apps(aw); ok {
			state.Set(k.Icon, k.Role, k.Word)
		} else {
			state.Set(theme.Apps, theme.Muted, words.T("welcome.apps.off"))
		}
		if aw == "ok" {
			state.Set(theme.Verified, theme.Success, words.T("apps.ok"))
		}
		ask.Box.Hidden = aw != "locked"
		level.Hidden = aw != "ok"
		p.drawRows(rows, m)
	})
	skip := p.button(words.T("welcome.apps.skip"), "", widgets.Plain, p.Presenter.NoApps)
	return []fyne.CanvasObject{
		title("welcome.apps"),
		para("welcome.apps.text"),
		state.Box, ask.Box, level, rows,
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("welcome.again"), theme.Retry, widgets.Plain, p.Presenter.Preview), skip, p.next(widgets.Main)),
	}
}

func (p *Page) levels() *fyne.Container {
	var options []widgets.Option
	for _, d := range []pow.Detail{pow.DetailOff, pow.DetailCategory, pow.DetailApp, pow.DetailTitle} {
		options = append(options, widgets.Option{ID: string(d), Name: words.T("project.choose." + string(d))})
	}
	s := widgets.NewSegments(options, func(id string) { p.Presenter.SetLevel(pow.Detail(id)) })
	p.draws = append(p.draws, func(m Model) { s.Choose(string(m.Level)) })
	return widgets.NewRow(words.T("project.choice.detail"), words.T("welcome.apps.level"), s.Box).Box
}

func (p *Page) drawRows(box *fyne.Container, m Model) {
	box.Objects = nil
	if m.Status.ActivityWatch != "ok" || !m.Looked {
		return
	}
	box.Objects = append(box.Objects, widgets.NewText(words.T("welcome.apps.rows"), widgets.Style{Size: theme.Small, Bold: true, Wrap: true}))
	if len(m.Rows) == 0 {
		box.Objects = append(box.Objects, small("welcome.apps.none"))
	}
	for _, r := range m.Rows[max(0, len(m.Rows)-rowsShown):] {
		box.Objects = append(box.Objects, activity(r))
	}
}

// activity is one row exactly as it would leave.
func activity(r pow.ActivityRow) fyne.CanvasObject {
	name := words.Name(r.App)
	if name == "" {
		name = words.Name(r.Category)
	}
	if name == "" {
		name = words.T("welcome.apps.unnamed")
	}
	text := widgets.Column(0, widgets.NewText(name, widgets.Style{}))
	if more := strings.Trim(words.Name(r.Title)+" · "+words.Name(r.Host), " ·"); more != "" {
		text.Objects = append(text.Objects, widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted}))
	}
	long := widgets.NewText(words.Duration(r.To.Sub(r.From).Truncate(time.Second)), widgets.Style{Size: theme.Small, Fixed: true})
	row := widgets.Line(10, text, widgets.NewIcon(theme.Apps, theme.Muted, 16), text, long)
	return widgets.Layers(widgets.NewFill(theme.Ground, theme.Line, theme.RadiusField), widgets.Inset(12, 8, row))
}

// out edits what no picture may show, filled with what most people want.
func (p *Page) out(m Model) []fyne.CanvasObject {
	p.draws = append(p.draws, func(m Model) {
		if !m.Known {
			return
		}
		p.exclude.Presenter.Set(m.Settings.Exclusions)
		if !p.filled && !m.Busy {
			p.filled = true
			if untouched(m.Settings.Exclusions) {
				p.exclude.Presenter.Suggest()
			}
		}
	})
	return []fyne.CanvasObject{
		title("settings.leaveout"),
		para("settings.leaveout.text"),
		p.exclude.Body,
		widgets.Wrap(theme.Gap, p.goBack(), p.next(widgets.Main)),
	}
}

// untouched tells whether a list is still as every home folder starts.
func untouched(list []pow.Exclusion) bool {
	return len(list) == len(pow.DefaultSettings().Exclusions) && len(list) < len(leaveout.Usual())
}

// rehearsal goes the whole way once, on this computer alone.
func (p *Page) rehearsal(m Model) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{title("welcome.rehearsal")}
	skip := func() *widgets.Button { return p.button(words.T("welcome.skip"), "", widgets.Plain, p.Presenter.Next) }
	switch {
	case m.Outcome != nil:
		return append(objects, p.outcome(*m.Outcome)...)
	case m.Before != nil:
		return append(objects, p.cover(m)...)
	}
	return append(objects, para("welcome.rehearsal.text"),
		point(theme.Picture, words.T("welcome.rehearsal.1"), ""),
		point(theme.Redact, words.T("welcome.rehearsal.2"), ""),
		point(theme.Sealed, words.T("welcome.rehearsal.3"), ""),
		widgets.Wrap(theme.Gap, p.goBack(), skip(), p.button(words.T("welcome.rehearsal.take"), theme.Picture, widgets.Main, p.Presenter.Take)))
}

// cover lets areas be blacked out, by mouse or keyboard.
func (p *Page) cover(m Model) []fyne.CanvasObject {
	picture := decode(m.Before)
	view := widgets.NewRedactView()
	pixels := image.Point{X: 16, Y: 9}
	if picture != nil {
		pixels = picture.Bounds().Size()
	}
	view.OnArea = p.Presenter.Cover
	view.OnUndo = p.Presenter.Uncover
	view.OnKey = func(ev *fyne.KeyEvent) bool { return p.coverKey(view, ev) }
	p.focus = view
	drawn := -1
	p.draws = append(p.draws, func(m Model) {
		if n := len(m.Covered); n != drawn {
			drawn = n
			view.Set(covered(picture, m.Covered), pixels, false)
		}
	})
	ratio := func() float32 { return float32(pixels.Y) / float32(max(1, pixels.X)) }
	undo := p.button(words.T("act.undo"), theme.Undo, widgets.Plain, p.Presenter.Uncover)
	black := p.button(words.T("welcome.rehearsal.black"), theme.Redact, widgets.Plain, func() {
		view.Begin(false)
		if c := fyne.CurrentApp().Driver().CanvasForObject(view); c != nil {
			c.Focus(view)
		}
	})
	return []fyne.CanvasObject{
		para("welcome.rehearsal.cover"),
		widgets.Scaled(320, ratio, view),
		widgets.Wrap(theme.Gap, black, undo),
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("welcome.rehearsal.seal"), theme.Sealed, widgets.Main, p.Presenter.Seal)),
	}
}

// coverKey answers the keys of the picture that do not draw.
func (p *Page) coverKey(view *widgets.RedactView, ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeyR:
		view.Begin(false)
	case fyne.KeyTab:
		if c := fyne.CurrentApp().Driver().CanvasForObject(view); c != nil {
			c.FocusNext()
		}
	default:
		return false
	}
	return true
}

// outcome shows what the server would get, and that nobody else could open it.
func (p *Page) outcome(r pow.Rehearsal) []fyne.CanvasObject {
	shot := widgets.NewShot(320)
	shot.Set(decode(r.After))
	opened, denied := live(theme.Verified, theme.Success, words.T("welcome.rehearsal.opened"), ""), live(theme.Verified, theme.Success, words.T("welcome.rehearsal.denied"), "")
	if !r.Opened {
		opened = live(theme.Attention, theme.Danger, words.T("welcome.rehearsal.not_opened"), "")
	}
	if !r.Denied {
		denied = live(theme.Attention, theme.Danger, words.T("welcome.rehearsal.not_denied"), "")
	}
	return []fyne.CanvasObject{
		para("welcome.rehearsal.all"),
		shot,
		live(theme.Sealed, theme.Info, words.T("welcome.rehearsal.size", words.Data{"Size": words.Size(r.Size)}), words.Key(r.Hash.String())),
		opened, denied,
		small("welcome.rehearsal.gone"),
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("welcome.again"), theme.Retry, widgets.Plain, p.Presenter.Take), p.next(widgets.Main)),
	}
}

// ready says how pow.do is reached from now on.
func (p *Page) ready(m Model) []fyne.CanvasObject {
	login := widgets.NewSwitch(nil)
	login.OnChanged = func(on bool) { p.Presenter.Set(func(s *pow.Settings) { s.StartAtLogin = on }, func() {}) }
	p.draws = append(p.draws, func(m Model) { login.Set(m.Settings.StartAtLogin) })
	objects := []fyne.CanvasObject{title("welcome.end"), para("welcome.end.text")}
	if m.Status.Tray {
		objects = append(objects, point(theme.Tracking, words.T("welcome.end.tray"), ""))
	} else {
		objects = append(objects, point(theme.Computer, words.T("welcome.end.launcher"), ""), point(theme.Start, words.T("welcome.end.commands"), ""))
	}
	if m.Tested {
		objects = append(objects, point(theme.Verified, words.T("welcome.end.backup"), ""))
	} else {
		objects = append(objects, point(theme.Warn, words.T("welcome.end.no_backup"), words.T("welcome.end.no_backup.text")))
	}
	return append(objects,
		widgets.NewRow(words.T("settings.login"), words.T("settings.login.text"), login.Press).Small().Box,
		widgets.Wrap(theme.Gap, p.goBack(), p.button(words.T("act.to_timer"), theme.Timer, widgets.Main, p.Presenter.Next)))
}
