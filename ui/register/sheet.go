// Package register is the sheet that stands before anything leaves this
// computer: exactly what would be sent, how much, to which key, through whom,
// and how long it is kept. The button works only once that is shown.
package register

import (
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Config is what Show needs; all of it is required.
type Config struct {
	Agent  Agent
	Async  Async
	Now    func() time.Time
	Say    func(error) (what, mend string)
	Done   func(proofs int) // registered
	Closed func()           // the sheet went, whatever became of it
}

type sheet struct {
	c         Config
	presenter *Presenter
	frame     *widgets.Sheet
	facts     *fyne.Container
	fail      *widgets.Note
	loading   *widgets.Text
	back      *widgets.Button
	send      *widgets.Button
}

// Show opens the sheet on a canvas. The safe button has the focus.
func Show(c fyne.Canvas, cfg Config) *widgets.Sheet {
	s := &sheet{c: cfg, facts: widgets.Column(12), fail: widgets.NewNote()}
	s.loading = widgets.NewText(words.T("register.loading"), widgets.Style{Role: theme.Muted, Wrap: true})
	s.presenter = New(cfg.Agent, cfg.Async, s.draw)
	s.back = widgets.NewButton(words.T("act.not_now"), "", widgets.Plain, func() { s.frame.Close() })
	s.send = widgets.NewButton(words.T("act.register"), theme.Register, widgets.Main, s.presenter.Register)
	s.send.Disable()
	content := widgets.Column(12, s.loading, s.facts, s.fail.Box)
	s.frame = widgets.ShowSheet(c, words.T("act.register"), content, []fyne.CanvasObject{s.back, s.send}, s.back, cfg.Closed)
	s.presenter.Load()
	return s.frame
}

func (s *sheet) draw(m Model) {
	if m.Sent > 0 {
		s.frame.Close()
		s.c.Done(m.Sent)
		return
	}
	s.loading.Hidden = !m.Loading && !m.Sending
	s.loading.Set(words.T("register.loading"))
	if m.Sending {
		s.loading.Set(words.T("register.sending"))
	}
	if m.Err != nil {
		s.fail.Fail(s.c.Say(m.Err))
	} else {
		s.fail.Fail("", "")
	}
	s.facts.Objects = nil
	if len(m.Preview.Parts) > 0 {
		s.facts.Objects = s.lines(m.Preview)
	}
	if m.Ready() {
		s.send.Enable()
	} else {
		s.send.Disable()
	}
	s.frame.Refresh()
}

func (s *sheet) lines(v pow.Preview) []fyne.CanvasObject {
	now := s.c.Now()
	team := words.Name(v.Team)
	spans := ""
	for i, p := range v.Parts {
		if i > 0 {
			spans += ", "
		}
		spans += words.Span(p.From, p.To, now)
	}
	sum := words.Duration(time.Duration(v.Seconds) * time.Second)
	to := words.T("register.key", words.Data{"Npub": words.Key(v.DVMNpub), "Key": words.Key(v.Recipient)})
	lines := []fyne.CanvasObject{
		s.project(v, sum),
		fact(theme.ClockFace, spans, words.N("register.proofs", len(v.Parts), words.Data{"Size": words.Size(v.Bytes)})),
		fact(theme.Picture, words.N("register.pictures", v.Captures), words.T("register.pictures.text", words.Data{"Team": team})),
		fact(theme.Apps, s.apps(v), ""),
		fact(theme.Lock, words.T("register.sealed", words.Data{"Team": team}), to),
		fact(theme.Relay, words.T("register.through", words.Data{"Hosts": words.Hosts(v.Servers, v.Relays)}), words.T("register.blind")),
	}
	kept := words.T("register.kept_unknown", words.Data{"Team": team})
	if v.Retention > 0 {
		kept = words.N("register.kept", v.Retention, words.Data{"Team": team})
	}
	return append(lines, fact(theme.Warn, kept, words.T("register.final")))
}

func (s *sheet) project(v pow.Preview, sum string) fyne.CanvasObject {
	name := widgets.NewText(words.Name(v.Project.Name), widgets.Style{Size: theme.SubHeading, Bold: true})
	total := widgets.NewText(sum, widgets.Style{Size: theme.SubHeading, Bold: true, Fixed: true})
	return widgets.Line(12, name, widgets.NewBadge(theme.BadgeFor(string(v.Project.ID), v.Project.Name, v.Project.Color)), name, total)
}

func (s *sheet) apps(v pow.Preview) string {
	switch {
	case v.Rows == 0:
		return words.T("register.apps.none")
	case v.Detail == pow.DetailTitle:
		return words.N("register.apps.title", v.Rows)
	case v.Detail == pow.DetailApp:
		return words.N("register.apps.app", v.Rows)
	}
	return words.N("register.apps.category", v.Rows)
}

func fact(icon theme.IconName, what, more string) fyne.CanvasObject {
	lines := widgets.Column(1, widgets.NewText(what, widgets.Style{Wrap: true}))
	if more != "" {
		lines.Objects = append(lines.Objects, widgets.NewText(more, widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	}
	return widgets.Line(12, lines, widgets.NewIcon(icon, theme.Muted, 20), lines)
}
