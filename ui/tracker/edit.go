package tracker

import (
	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// edit is the sheet that corrects one entry.
type edit struct {
	p        *Page
	c        Correction
	sheet    *widgets.Sheet
	project  *widgets.Picker
	activity *widgets.Picker
	note     *widgets.Entry
	from, to *widgets.Entry
	effect   *widgets.Text
	fail     *widgets.Note
	save     *widgets.Button
}

// openCorrection shows the sheet for an entry that is not registered yet.
func (p *Page) openCorrection(e pow.Entry) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.root)
	if c == nil {
		return
	}
	s := &edit{p: p, c: Correct(e)}
	s.build()
	cancel := widgets.NewButton(words.T("act.cancel"), "", widgets.Plain, func() { s.sheet.Close() })
	s.save = widgets.NewButton(words.T("act.save"), theme.Confirm, widgets.Main, s.keep)
	buttons := []fyne.CanvasObject{cancel, s.save}
	if e.Was != nil {
		buttons = append(buttons, widgets.NewButton(words.T("timer.take_back"), theme.Undo, widgets.Quiet, func() {
			s.sheet.Close()
			p.Presenter.TakeBack(e.ID)
		}))
	}
	body := widgets.Column(12,
		widgets.Sides(10, 400, s.project.Press, s.activity.Press),
		s.note,
		s.times(),
		s.effect,
		s.fail.Box,
		widgets.NewText(words.T("timer.edit.rule"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
	)
	s.sheet = widgets.ShowSheet(c, words.T("timer.edit"), body, buttons, s.note, nil)
	s.draw()
}

func (s *edit) build() {
	m := s.p.Presenter.Model()
	s.project = widgets.NewPicker(words.T("timer.choose"), words.T("timer.search"), words.T("timer.none"))
	s.project.SetOptions(projectOptions(m))
	s.project.Choose(string(s.c.Project))
	s.project.OnChosen = func(id string) {
		s.c.Project, s.c.Activity = pow.ProjectID(id), ""
		s.draw()
	}
	s.activity = widgets.NewPicker(words.T("timer.choose_activity"), words.T("timer.search"), words.T("timer.none"))
	s.activity.OnChosen = func(id string) { s.c.Activity = pow.KimaiActivityID(id); s.draw() }
	entry := func(hint, text string, set func(string)) *widgets.Entry {
		e := widgets.NewEntry(hint)
		e.SetText(text)
		e.OnChanged = func(t string) { set(t); s.draw() }
		e.OnSubmitted = func(string) { s.keep() }
		e.OnKey = func(ev *fyne.KeyEvent) bool {
			if ev.Name == fyne.KeyEscape {
				s.sheet.Close()
			}
			return ev.Name == fyne.KeyEscape
		}
		return e
	}
	s.note = entry(words.T("timer.note"), s.c.Note, func(t string) { s.c.Note = t })
	s.from = entry("09:00", s.c.From, func(t string) { s.c.From = t })
	s.to = entry("17:00", s.c.To, func(t string) { s.c.To = t })
	s.effect = widgets.NewText("", widgets.Style{Wrap: true})
	s.fail = widgets.NewNote()
}

// times is the row of beginning and end; what runs has no end yet.
func (s *edit) times() fyne.CanvasObject {
	field := func(label string, e *widgets.Entry) fyne.CanvasObject {
		return widgets.Column(4, widgets.NewText(label, widgets.Style{Size: theme.Small, Role: theme.Muted}), e)
	}
	row := widgets.Sides(10, 100, field(words.T("timer.edit.from"), s.from))
	if !s.c.Entry.To.IsZero() {
		row.Objects = append(row.Objects, field(words.T("timer.edit.to"), s.to))
	}
	return row
}

// draw shows what the entry was and what it would be.
func (s *edit) draw() {
	if s.sheet == nil {
		return
	}
	s.drawActivity()
	e, changed, err := s.c.Edit()
	if err != nil {
		s.fail.Fail(s.p.links.Say(err))
	} else {
		s.fail.Fail("", "")
	}
	s.effect.Set(effectLine(s.c, e))
	if changed && err == nil {
		s.save.Enable()
	} else {
		s.save.Disable()
	}
	s.sheet.Refresh()
}

func (s *edit) drawActivity() {
	var options []widgets.Option
	for _, p := range s.p.Presenter.Model().Projects {
		if p.ID == s.c.Project && p.ActivityRule != pow.None {
			options = activityOptions(p)
		}
	}
	s.activity.SetOptions(options)
	s.activity.Choose(string(s.c.Activity))
	widgets.Show(s.activity.Press, len(options) > 0)
}

// effectLine says before and after.
func effectLine(c Correction, e pow.EntryEdit) string {
	span, err := c.Span()
	if err != nil || c.Entry.To.IsZero() || e.From.IsZero() && e.To.IsZero() {
		return ""
	}
	return words.T("timer.edit.effect", words.Data{
		"Before": words.Time(c.Entry.From) + "–" + words.Time(c.Entry.To),
		"After":  words.Time(span.From) + "–" + words.Time(span.To),
		"Less":   words.Duration(c.Entry.To.Sub(c.Entry.From) - span.Duration()),
	})
}

func (s *edit) keep() {
	e, changed, err := s.c.Edit()
	if err != nil || !changed {
		return
	}
	s.sheet.Close()
	s.p.Presenter.Correct(e)
}
