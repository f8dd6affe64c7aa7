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
	asks     *widgets.Button
	note     *widgets.Entry
	notes    *widgets.Button
	clock    *widgets.Text
	button   *widgets.Button
	pause    *widgets.Button
	state    *widgets.State
	detail   *widgets.Text
	why      *widgets.Text
	silent   *widgets.Text
	fail     *widgets.Note
	week     week
	saved    string // the note as the agent has it
}

func (h *hero) build(p *Page) {
	h.project = widgets.NewPicker(words.T("timer.choose"), words.T("timer.search"), words.T("timer.none"))
	h.project.OnChosen = func(id string) { p.Presenter.Choose(pow.ProjectID(id)) }
	h.activity = widgets.NewPicker(words.T("timer.choose_activity"), words.T("timer.search"), words.T("timer.none"))
	h.activity.OnChosen = func(id string) { p.Presenter.ChooseActivity(pow.KimaiActivityID(id)) }
	h.asks = widgets.NewButton("", theme.Inform, widgets.Quiet, func() { p.links.Asks(p.Presenter.Model().Chosen) })
	h.note = widgets.NewEntry(words.T("timer.note"))
	h.note.OnSubmitted = func(string) { leave(h.note) }
	h.note.OnLeft = p.Presenter.SaveNote
	h.notes = widgets.NewButton("", theme.Down, widgets.Quiet, func() { h.offerNotes(p) })
	h.clock = widgets.NewText("0:00:00", widgets.Style{Size: theme.Clock, Bold: true, Fixed: true})
	h.button = widgets.NewButton(words.T("act.start"), theme.Start, widgets.Main, p.press).Large()
	h.pause = widgets.NewButton("", theme.OffRecord, widgets.Quiet, func() { h.offerPause(p) })
	h.state = widgets.NewState(true)
	h.detail = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	h.why = widgets.NewText("", widgets.Style{Role: theme.Muted, Wrap: true})
	h.silent = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	h.fail = widgets.NewNote()
	h.week.build()
	pickers := widgets.Sides(10, 480, h.project.Press, h.activity.Press)
	h.box = widgets.Card(widgets.Column(12,
		widgets.Line(4, pickers, pickers, h.asks),
		widgets.Line(4, h.note, h.note, h.notes),
		&fyne.Container{Layout: &clockLayout{clock: h.clock}, Objects: []fyne.CanvasObject{h.clock, h.button}},
		widgets.Column(2, widgets.Line(10, h.detail, h.state.Box, h.detail, h.pause), h.why, h.silent),
		h.fail.Box,
		widgets.NewRule(),
		h.week.box,
	))
}

// clockLayout puts the button beside the clock, or below where there is no room,
// and makes the clock smaller where the window is narrow.
type clockLayout struct {
	clock *widgets.Text
	width float32
}

// narrowHero is the width below which the clock is smaller.
const narrowHero = 460

func (l *clockLayout) place(o []fyne.CanvasObject, width float32, put func(o fyne.CanvasObject, x, y float32, s fyne.Size)) float32 {
	clock, button := o[0].MinSize(), o[1].MinSize()
	tall := max(clock.Height, button.Height)
	if clock.Width+theme.CardGap+button.Width <= width {
		put(o[0], 0, (tall-clock.Height)/2, clock)
		put(o[1], width-button.Width, (tall-button.Height)/2, button)
		return tall
	}
	put(o[0], 0, 0, clock)
	put(o[1], 0, clock.Height+theme.Gap, fyne.NewSize(min(button.Width, width), button.Height))
	return clock.Height + theme.Gap + button.Height
}

// Layout implements fyne.Layout.
func (l *clockLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	if size.Width < narrowHero {
		l.clock.SetSize(theme.ClockNarrow)
	} else {
		l.clock.SetSize(theme.Clock)
	}
	l.place(o, size.Width, func(c fyne.CanvasObject, x, y float32, s fyne.Size) {
		c.Move(fyne.NewPos(x, y))
		c.Resize(s)
	})
}

// HeightFor implements widgets.Flow.
func (l *clockLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	return l.place(o, width, func(fyne.CanvasObject, float32, float32, fyne.Size) {})
}

// MinSize implements fyne.Layout.
func (l *clockLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	const least = 300
	return fyne.NewSize(least, l.HeightFor(o, max(l.width, least)))
}

// leave takes the focus out of a field, which saves it and stops its caret.
func leave(e *widgets.Entry) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
		c.Unfocus()
	}
}

// press is the large button: start, stop, or read what is asked for first.
func (p *Page) press() {
	if m := p.Presenter.Model(); !m.Open() && m.Block() == AskFirst {
		p.links.Asks(m.Chosen)
		return
	}
	p.Toggle()
}

// offerNotes lists what was worked on in this project before.
func (h *hero) offerNotes(p *Page) {
	var items []widgets.MenuItem
	for _, n := range p.Presenter.Model().Notes() {
		items = append(items, widgets.MenuItem{Text: words.Name(n), Do: func() {
			h.note.SetText(n)
			p.Presenter.SaveNote(n)
		}})
	}
	widgets.ShowMenu(h.notes, items)
}

// offerPause lists the ways to record nothing, or goes on.
func (h *hero) offerPause(p *Page) {
	if p.Presenter.Model().Status.Timer.State == pow.Paused {
		p.Presenter.Resume()
		return
	}
	now := p.now()
	off := func(key string, until time.Time) widgets.MenuItem {
		return widgets.MenuItem{Icon: theme.OffRecord, Text: words.T(key), Do: func() { p.Presenter.OffRecord(until) }}
	}
	widgets.ShowMenu(h.pause, []widgets.MenuItem{
		off("timer.off.15", now.Add(15*time.Minute)),
		off("timer.off.60", now.Add(time.Hour)),
		off("timer.off.tomorrow", Tomorrow(now)),
		off("timer.off.open", time.Time{}),
		{Icon: theme.Paused, Text: words.T("timer.pause"), Do: p.Presenter.Pause},
	})
}

func (h *hero) draw(m Model, say func(error) (string, string)) {
	h.drawChoice(m)
	h.drawButtons(m)
	mark := words.Timer(m.Status.Timer.State, m.Status.Timer.Reason)
	h.state.Set(mark.Icon, mark.Role, mark.Word)
	h.detail.Set(stateLine(m))
	h.why.Set(blockLine(m))
	widgets.Show(h.why, h.why.Words() != "")
	h.week.draw(m)
	if m.Err != nil {
		h.fail.Fail(say(m.Err))
	} else {
		h.fail.Fail("", "")
	}
}

// silence says that the team's server may take the timer for stopped.
func (h *hero) silence(m Model, now time.Time) {
	d := m.Silent(now).Truncate(time.Minute)
	if d > 0 {
		h.silent.Set(words.T("timer.silent", words.Data{"Ago": words.Ago(d)}))
	}
	widgets.Show(h.silent, d > 0)
}

func (h *hero) drawChoice(m Model) {
	h.project.SetOptions(projectOptions(m))
	h.project.Choose(string(m.Chosen))
	p, ok := m.Project()
	widgets.Show(h.asks, ok)
	options := activityOptions(p)
	widgets.Show(h.activity.Press, len(options) > 0 && p.ActivityRule != pow.None)
	h.activity.SetOptions(options)
	h.activity.Choose(string(m.Activity))
	widgets.Show(h.notes, len(m.Notes()) > 0)
	if saved := m.Status.Timer.Note; saved != h.saved {
		h.saved = saved
		h.note.SetText(saved)
	}
}

// mostRecent is how many projects stand first because they were worked on last.
const mostRecent = 5

// projectOptions lists the projects: the recent ones, then by customer.
func projectOptions(m Model) (options []widgets.Option) {
	for i, p := range m.Projects {
		look := badge(pow.ProjectRef{ID: p.ID, Name: p.Name, Color: p.Color})
		o := widgets.Option{ID: string(p.ID), Name: words.Name(p.Name), Group: words.Name(p.Group), Badge: &look, Section: words.Name(p.Group)}
		if i < mostRecent && m.Recency(p.ID) > 0 {
			o.Section = words.T("timer.recent")
		}
		options = append(options, o)
	}
	return options
}

func activityOptions(p pow.Project) (options []widgets.Option) {
	for _, a := range p.KimaiActivities {
		options = append(options, widgets.Option{ID: string(a.ID), Name: words.Name(a.Name)})
	}
	return options
}

func (h *hero) drawButtons(m Model) {
	ask := m.Block() == AskFirst
	switch {
	case m.Open():
		h.button.Set(words.T("act.stop"), theme.Stop, widgets.Harm)
	case ask:
		h.button.Set(words.T("timer.see_asks"), theme.Inform, widgets.Main)
	default:
		h.button.Set(words.T("act.start"), theme.Start, widgets.Main)
	}
	if m.Busy || m.Lost || !m.Open() && m.Block() != Free && !ask {
		h.button.Disable()
	} else {
		h.button.Enable()
	}
	if m.Status.Timer.State == pow.Paused {
		h.pause.Set(words.T("timer.resume"), theme.Start, widgets.Quiet)
	} else {
		h.pause.Set(words.T("timer.off"), theme.OffRecord, widgets.Quiet)
	}
	widgets.Show(h.pause, m.Open())
	if m.Busy || m.Lost {
		h.pause.Disable()
	} else {
		h.pause.Enable()
	}
}

// stateLine says since when, until when, and what happens to pictures.
func stateLine(m Model) string {
	t := m.Status.Timer
	data := words.Data{"Time": words.Time(t.Since), "Until": words.Time(t.Until)}
	switch {
	case t.State == pow.Tracking && m.Status.Slot != nil:
		data["From"], data["To"] = words.Time(m.Status.Slot.From), words.Time(m.Status.Slot.To)
		return words.T("timer.since.slot", data)
	case t.State == pow.Tracking:
		return words.T("timer.since", data)
	case t.State == pow.Idle:
		return since(m, "timer.paused.idle")
	case t.State == pow.Paused && t.Reason == "off-record" && !t.Until.IsZero():
		return words.T("timer.off_until", data)
	case t.State == pow.Paused && words.Has("timer.paused."+t.Reason):
		return since(m, "timer.paused."+t.Reason)
	case t.State == pow.Paused:
		return words.T("timer.paused.user")
	}
	return words.T("timer.stopped.line")
}

// since says a state with the moment at which the newest question began, where
// there is one.
func since(m Model, key string) string {
	if n := len(m.Status.Away); n > 0 && words.Has(key+".since") {
		q := m.Status.Away[n-1]
		to := q.To
		if to.IsZero() {
			to = m.Received
		}
		return words.T(key+".since", words.Data{"Time": words.Time(q.From), "To": words.Time(to)})
	}
	return words.T(key)
}

// blockLine says why Start is not possible.
func blockLine(m Model) string {
	p, _ := m.Project()
	switch {
	case m.Lost:
		return words.T("timer.lost")
	case m.Open() && p.Pictures == pow.Forbidden:
		return words.T("timer.no_pictures")
	case m.Open() && p.Interval > 0 && p.Pictures != "" && m.Status.Slot == nil && m.Running():
		return words.T("timer.pictures", words.Data{"Interval": words.Duration(time.Duration(p.Interval) * time.Second)})
	case m.Open():
		return ""
	case m.Block() == Suspended:
		return words.T("timer.suspended", words.Data{"Team": words.Name(m.Status.Team)})
	case m.Block() == ChooseProject:
		return words.T("timer.choose_first")
	case m.Block() == ChooseActivity:
		return words.T("timer.choose_activity_first")
	case m.Block() == AskFirst && m.Terms.Consent == pow.ConsentChanged:
		return words.T("timer.asks_more")
	case m.Block() == AskFirst:
		return words.T("timer.agree_first")
	}
	return ""
}
