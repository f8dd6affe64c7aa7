// Package register is the sheet that stands before anything leaves this
// computer: exactly what would be sent, how much, to which key, through whom,
// and how long it is kept. The button works only once that is shown.
package register

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Config is what Show needs; only Review and Answer may be nil.
type Config struct {
	Agent  Agent
	Async  Async
	Now    func() time.Time
	Say    func(error) (what, mend string)
	Done   func(proofs int) // registered
	Closed func()           // the sheet went, whatever became of it
	Review func()           // goes to the pictures
	Answer func()           // opens the question about time away that stands in the way
}

type sheet struct {
	c         Config
	presenter *Presenter
	frame     *widgets.Sheet
	facts     *fyne.Container
	fail      *widgets.Note
	blocked   *widgets.Note
	loading   *widgets.Text
	back      *widgets.Button
	send      *widgets.Button
}

// Show opens the sheet on a canvas. The safe button has the focus.
func Show(c fyne.Canvas, cfg Config) *widgets.Sheet {
	s := &sheet{c: cfg, facts: widgets.Column(12), fail: widgets.NewNote()}
	s.loading = widgets.NewText(words.T("register.loading"), widgets.Style{Role: theme.Muted, Wrap: true})
	s.presenter = New(cfg.Agent, cfg.Async, s.draw)
	s.back = widgets.NewButton(words.T("act.not_now"), "", widgets.Plain, func() { s.leave(nil) })
	if cfg.Review != nil {
		s.back = widgets.NewButton(words.T("register.review"), "", widgets.Plain, func() { s.leave(cfg.Review) })
	}
	answer := widgets.NewButton(words.T("register.answer"), "", widgets.Plain, func() { s.leave(cfg.Answer) })
	answer.Hidden = cfg.Answer == nil
	s.blocked = widgets.NewNote(answer)
	s.send = widgets.NewButton(words.T("act.register"), theme.Register, widgets.Main, s.presenter.Register)
	s.send.Disable()
	content := widgets.Column(12, s.loading, s.blocked.Box, s.facts, s.fail.Box)
	s.frame = widgets.ShowSheet(c, words.T("act.register"), content, []fyne.CanvasObject{s.back, s.send}, s.back, cfg.Closed)
	s.presenter.Load()
	return s.frame
}

// leave closes the sheet and goes elsewhere.
func (s *sheet) leave(to func()) {
	s.frame.Close()
	if to != nil {
		to()
	}
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
	s.drawBlocked(m)
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

// drawBlocked says what has to be answered first.
func (s *sheet) drawBlocked(m Model) {
	q, ok := m.Blocked()
	if !ok {
		s.blocked.Set(theme.Warning, theme.Away, "", "")
		return
	}
	span := words.When(q.From, s.c.Now()) + "–" + words.T("timer.now")
	if !q.To.IsZero() {
		span = words.Span(q.From, q.To, s.c.Now())
	}
	s.blocked.Set(theme.Warning, theme.Away, words.T("register.away", words.Data{"Span": span}), words.T("register.away.text"))
}

func (s *sheet) lines(v pow.Preview) []fyne.CanvasObject {
	now := s.c.Now()
	team := words.Name(v.Team)
	to := words.T("register.key", words.Data{"Npub": words.Key(v.DVMNpub), "Key": words.Key(v.Recipient)})
	lines := append(projects(v),
		fact(theme.ClockFace, spans(v, now), words.N("register.proofs", len(v.Parts), words.Data{"Size": words.Size(v.Bytes)})),
		pictures(v, team),
		fact(theme.Apps, apps(v), ""),
	)
	lines = append(lines, marked(v)...)
	lines = append(lines,
		fact(theme.Lock, words.T("register.sealed", words.Data{"Team": team}), to),
		fact(theme.Relay, words.T("register.through", words.Data{"Hosts": words.Hosts(v.Servers, v.Relays)}), words.T("register.blind")),
	)
	kept := words.T("register.kept_unknown", words.Data{"Team": team})
	if v.Retention > 0 {
		kept = words.N("register.kept", v.Retention, words.Data{"Team": team})
	}
	return append(lines, fact(theme.Warn, kept, words.T("register.final")))
}

// spans is 09:02–10:14, and below it what is left out of that.
func spans(v pow.Preview, now time.Time) string {
	var in, out []string
	for _, p := range v.Parts {
		in = append(in, words.Span(p.From, p.To, now))
	}
	for _, c := range v.Cuts {
		out = append(out, words.Span(c.From, c.To, now))
	}
	s := strings.Join(in, ", ")
	if len(out) > 0 {
		s += "\n" + words.T("register.without", words.Data{"Spans": strings.Join(out, ", ")})
	}
	return s
}

// pictures is 6 pictures (2 with covered areas, 1 removed).
func pictures(v pow.Preview, team string) fyne.CanvasObject {
	var parts []string
	add := func(key string, n int) {
		if n > 0 {
			parts = append(parts, words.N(key, n))
		}
	}
	add("register.edited", v.Edited)
	add("register.removed", v.Removed)
	add("register.skipped", v.Skipped)
	what := words.N("register.pictures", v.Captures)
	more := words.T("register.pictures.text", words.Data{"Team": team})
	if len(parts) > 0 {
		what += " (" + strings.Join(parts, ", ") + ")"
		more += " " + words.T("register.counted")
	}
	return fact(theme.Picture, what, more)
}

// marked is the time that no picture stands behind, as the proof says it.
func marked(v pow.Preview) (lines []fyne.CanvasObject) {
	var parts []string
	if v.Kept > 0 {
		parts = append(parts, words.T("register.marked.kept", words.Data{"Duration": words.Duration(time.Duration(v.Kept) * time.Second)}))
	}
	if v.ByHand > 0 {
		parts = append(parts, words.T("register.marked.hand", words.Data{"Duration": words.Duration(time.Duration(v.ByHand) * time.Second)}))
	}
	if len(parts) > 0 {
		lines = append(lines, fact(theme.Edited, strings.Join(parts, ", "), words.T("register.marked.text")))
	}
	return lines
}

// projects names everything that is concerned, with the sum of its time.
func projects(v pow.Preview) (lines []fyne.CanvasObject) {
	list := v.Projects
	if len(list) == 0 {
		list = []pow.ProjectRef{v.Project}
	}
	sum := words.Duration(time.Duration(v.Seconds) * time.Second)
	for i, p := range list {
		name := widgets.NewText(words.Name(p.Name), widgets.Style{Size: theme.SubHeading, Bold: true})
		row := []fyne.CanvasObject{widgets.NewBadge(theme.BadgeFor(string(p.ID), p.Name, p.Color)), name}
		if i == 0 {
			row = append(row, widgets.NewText(sum, widgets.Style{Size: theme.SubHeading, Bold: true, Fixed: true}))
		}
		lines = append(lines, widgets.Line(12, name, row...))
	}
	return lines
}

func apps(v pow.Preview) string {
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
