package settings

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// data is the section of what lies on this computer, and how to erase it.
func (p *Page) data() *fyne.Container {
	buttons := widgets.Wrap(8)
	for _, span := range Spans {
		b := widgets.NewButton(spanWord(span), theme.Remove, widgets.Plain, func() { p.Presenter.AskToForget(pow.ForgetRequest{Span: span}) })
		buttons.Objects = append(buttons.Objects, b)
		p.follow(func(m Model) { enable(b, !m.Lost && !m.Busy[DataGroup]) })
	}
	everything := widgets.NewButton(words.T("settings.forget"), theme.Remove, widgets.Plain, func() { p.Presenter.AskToForget(pow.ForgetRequest{Everything: true}) })
	p.follow(func(m Model) { enable(everything, !m.Lost && !m.Busy[DataGroup]) })
	del := widgets.Inset(0, 10, widgets.Column(8,
		widgets.NewText(words.T("settings.delete"), widgets.Style{Wrap: true}),
		widgets.NewText(words.T("settings.delete.text"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}),
		buttons))
	return p.group(DataGroup, "settings.data",
		widgets.Rows(p.sizes(), del, widgets.NewRow(words.T("settings.forget"), words.T("settings.forget.text"), everything).Small().Box),
		p.question(AskForget, words.T("settings.delete.keep"), words.T("settings.delete.yes"), p.forgetText),
		p.erased(),
	)
}

func spanWord(d time.Duration) string {
	switch {
	case d == 0:
		return words.T("settings.span.unsent")
	case d == 24*time.Hour:
		return words.T("settings.span.day")
	case d == 7*24*time.Hour:
		return words.T("settings.span.week")
	}
	return words.T("settings.span.last", words.Data{"Duration": words.Duration(d)})
}

// sizes shows what the home folder holds.
func (p *Page) sizes() fyne.CanvasObject {
	bar := widgets.NewProgress()
	sum := widgets.NewText("", widgets.Style{Bold: true, Wrap: true})
	parts := widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	p.follow(func(m Model) {
		s := m.Sizes
		if !m.Sized {
			sum.Set(words.T("settings.sizes.loading"))
			return
		}
		sum.Set(words.T("settings.sizes", words.Data{"Used": words.Size(s.Queue), "Limit": words.Size(s.Limit), "Free": words.Size(s.Free)}))
		parts.Set(words.T("settings.sizes.parts", words.Data{"Pictures": words.Size(s.Pictures), "Waiting": words.Size(s.Waiting)}))
		if s.Limit > 0 {
			bar.Set(float32(s.Queue) / float32(s.Limit))
		}
	})
	return widgets.Inset(0, 12, widgets.Column(8, sum, bar, parts))
}

// forgetText says what goes, and what cannot be reached from here.
func (p *Page) forgetText(m Model) (what, more string) {
	f := m.Ask.Would
	d := words.Data{"Duration": words.Duration(time.Duration(f.Seconds) * time.Second)}
	what = words.N("settings.delete.ask", f.Pictures, d)
	switch {
	case m.Ask.Forget.Everything:
		what = words.T("settings.forget.ask")
		more = words.N("settings.forget.ask.text", f.Pictures, d)
	case f.Pictures == 0 && f.Seconds == 0:
		what = words.T("settings.delete.nothing")
	}
	for _, r := range f.Remains {
		more = join(more, remains(r))
	}
	return what, join(more, words.T("settings.delete.final"))
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}

func remains(r pow.Remains) string {
	d := words.Data{"Where": words.Name(r.Where), "Day": words.Day(r.Until)}
	if r.Until.IsZero() {
		return words.N("settings.remains", r.Proofs, d)
	}
	return words.N("settings.remains.until", r.Proofs, d)
}

// erased says what the last deletion did.
func (p *Page) erased() fyne.CanvasObject {
	n := widgets.NewNote()
	p.follow(func(m Model) {
		n.Set(theme.Success, theme.Verified, "", "")
		if m.Erased == nil {
			return
		}
		more := words.T("settings.erased.text", words.Data{"Before": words.Size(m.Erased.Before), "After": words.Size(m.Erased.After)})
		for _, r := range m.Erased.Remains {
			more = join(more, remains(r))
		}
		n.Set(theme.Success, theme.Verified, words.N("settings.erased", m.Erased.Pictures), more)
	})
	return n.Box
}

// about is the section of the program itself.
func (p *Page) about() *fyne.Container {
	version := "pow.do " + p.o.Version
	if p.o.Build != "" {
		version += " · " + p.o.Build
	}
	c := widgets.NewButton("", theme.Copy, widgets.Quiet, func() { p.links.Copy(version) })
	d := widgets.NewButton(words.T("settings.diagnostics.open"), theme.Verified, widgets.Plain, func() { p.links.Diagnose() })
	agent := widgets.NewRow(words.T("settings.agent"), "", nil)
	p.follow(func(m Model) {
		agent.More(words.T("settings.agent.lost"))
		if !m.Lost && m.Status.Version != "" {
			agent.More(words.T("settings.agent.runs", words.Data{"Version": words.Name(m.Status.Version), "Pid": m.Status.Pid}))
		}
	})
	return p.group(About, "settings.about", widgets.Rows(
		widgets.NewRow(version, words.T("settings.version.text"), c).Small().Box,
		agent.Box,
		widgets.NewRow(words.T("settings.updates"), words.T("settings.updates.text"), nil).Box,
		widgets.NewRow(words.T("settings.licences"), words.T("settings.licences.text"), nil).Box,
		widgets.NewRow(words.T("settings.diagnostics"), words.T("settings.diagnostics.text"), d).Small().Box,
	))
}
