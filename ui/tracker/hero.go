package tracker

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// hero is the card with the clock: what runs, and the one button that matters.
type hero struct {
	box      *fyne.Container
	project  *widgets.Picker
	activity *widgets.Picker
	note     *widgets.Entry
	clock    *widgets.Text
	button   *widgets.Button
	state    *widgets.State
	detail   *widgets.Text
	sums     *widgets.Text
	why      *widgets.Text
	fail     *widgets.Note
	saved    string // the note as the agent has it
	ids      string // of the options in project, so that they are built once
}

func (h *hero) build(p *Page) {
	h.project = widgets.NewPicker(words.T("timer.choose"), words.T("timer.search"), words.T("timer.none"))
	h.project.OnChosen = func(id string) { p.Presenter.Choose(pow.ProjectID(id)) }
	h.activity = widgets.NewPicker(words.T("timer.choose_activity"), words.T("timer.search"), words.T("timer.none"))
	h.activity.OnChosen = func(id string) { p.Presenter.ChooseActivity(pow.KimaiActivityID(id)) }
	h.note = widgets.NewEntry(words.T("timer.note"))
	h.note.OnSubmitted = func(string) { leave(h.note) }
	h.note.OnLeft = p.Presenter.SaveNote
	h.clock = widgets.NewText("0:00:00", widgets.Style{Size: theme.Clock, Bold: true, Fixed: true})
	h.button = widgets.NewButton(words.T("act.start"), theme.Start, widgets.Main, p.Toggle).Large()
	h.state = widgets.NewState(true)
	h.detail = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	h.sums = widgets.NewText("", widgets.Style{Wrap: true})
	h.why = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	h.fail = widgets.NewNote()
	gap := widgets.NewFill("", "", 0)
	h.box = widgets.Card(widgets.Column(12,
		widgets.Sides(10, 540, h.project.Press, h.activity.Press),
		h.note,
		&fyne.Container{Layout: &clockLayout{clock: h.clock}, Objects: []fyne.CanvasObject{
			widgets.Line(16, gap, h.clock, gap, h.button),
		}},
		widgets.Column(2, widgets.Line(10, h.detail, h.state.Box, h.detail), h.why),
		h.fail.Box,
		widgets.NewRule(),
		h.sums,
	))
}

// clockLayout makes the clock smaller where the window is narrow.
type clockLayout struct{ clock *widgets.Text }

func (l *clockLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	if size.Width < 460 {
		l.clock.SetSize(theme.ClockNarrow)
	} else {
		l.clock.SetSize(theme.Clock)
	}
	o[0].Resize(size)
}

func (l *clockLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(300, o[0].MinSize().Height)
}

// leave takes the focus out of a field, which saves it and stops its caret.
func leave(e *widgets.Entry) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
		c.Unfocus()
	}
}

func (h *hero) draw(m Model, say func(error) (string, string)) {
	h.drawChoice(m)
	h.drawButton(m)
	mark := words.Timer(m.Status.Timer.State, m.Status.Timer.Reason)
	h.state.Set(mark.Icon, mark.Role, mark.Word)
	h.detail.Set(stateLine(m))
	h.sums.Set(words.T("timer.sums", words.Data{
		"Today": words.Duration(minutes(m.Status.TodaySeconds)),
		"Week":  words.Duration(minutes(m.Status.WeekSeconds)),
	}))
	h.why.Set(blockLine(m))
	h.why.Hidden = h.why.Words() == ""
	if m.Err != nil {
		h.fail.Fail(say(m.Err))
	} else {
		h.fail.Fail("", "")
	}
}

// minutes drops the seconds of a sum, which would only make it jump.
func minutes(seconds int64) time.Duration {
	return (time.Duration(seconds) * time.Second).Truncate(time.Minute)
}

func (h *hero) drawChoice(m Model) {
	var options []widgets.Option
	ids := ""
	for _, p := range m.Projects {
		look := badge(pow.ProjectRef{ID: p.ID, Name: p.Name, Color: p.Color})
		options = append(options, widgets.Option{ID: string(p.ID), Name: words.Name(p.Name), Group: words.Name(p.Group), Badge: &look})
		ids += string(p.ID) + p.Name
	}
	if ids != h.ids {
		h.ids = ids
		h.project.SetOptions(options)
	}
	h.project.Choose(string(m.Chosen))
	p, _ := m.Project()
	options = nil
	for _, a := range p.KimaiActivities {
		options = append(options, widgets.Option{ID: string(a.ID), Name: words.Name(a.Name)})
	}
	h.activity.Press.Hidden = len(options) == 0 || p.ActivityRule == pow.None
	h.activity.SetOptions(options)
	h.activity.Choose(string(m.Activity))
	if saved := m.Status.Timer.Note; saved != h.saved {
		h.saved = saved
		h.note.SetText(saved)
	}
}

func (h *hero) drawButton(m Model) {
	if m.Open() {
		h.button.Set(words.T("act.stop"), theme.Stop, widgets.Harm)
	} else {
		h.button.Set(words.T("act.start"), theme.Start, widgets.Main)
	}
	if m.Busy || m.Lost || !m.Open() && m.Block() != Free {
		h.button.Disable()
	} else {
		h.button.Enable()
	}
}

// stateLine says since when, and what happens to pictures.
func stateLine(m Model) string {
	t := m.Status.Timer
	since := words.Data{"Time": words.Time(t.Since)}
	switch {
	case t.State == pow.Tracking:
		return words.T("timer.since", since)
	case t.State == pow.Idle:
		return words.T("timer.away.line", since)
	case t.State == pow.Paused && words.Has("timer.paused."+t.Reason):
		return words.T("timer.paused." + t.Reason)
	case t.State == pow.Paused:
		return words.T("timer.paused.user")
	}
	return words.T("timer.stopped.line")
}

// blockLine says why Start is not possible.
func blockLine(m Model) string {
	p, _ := m.Project()
	switch {
	case m.Lost:
		return words.T("timer.lost")
	case m.Block() == ChooseProject:
		return words.T("timer.choose_first")
	case m.Block() == ChooseActivity:
		return words.T("timer.choose_activity_first")
	case m.Open() && p.Pictures == pow.Forbidden:
		return words.T("timer.no_pictures")
	case m.Open() && p.Interval > 0 && p.Pictures != "":
		return words.T("timer.pictures", words.Data{"Interval": words.Duration(time.Duration(p.Interval) * time.Second)})
	}
	return ""
}

func badge(p pow.ProjectRef) theme.Badge { return theme.BadgeFor(string(p.ID), p.Name, p.Color) }
