package review

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// askRemove is the question before a removal, with what either answer would do.
type askRemove struct {
	sheet      *widgets.Sheet
	keep, lose answer
	loading    *widgets.Text
	fail       *widgets.Note
	yes        *widgets.Button
}

// answer is one of the two choices.
type answer struct {
	press *widgets.Press
	icon  *widgets.Icon
	text  *widgets.Text
}

func newAnswer(title string, f func()) answer {
	a := answer{icon: widgets.NewIcon(theme.RadioOff, theme.Muted, 20), text: widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})}
	lines := widgets.Column(2, widgets.NewText(title, widgets.Style{Bold: true, Wrap: true}), a.text)
	a.press = widgets.NewPress(widgets.Line(12, lines, a.icon, lines), widgets.Look{Fill: theme.Surface, Line: theme.Line, Radius: theme.RadiusField, PadX: 12, PadY: 10}, f)
	return a
}

func (a answer) draw(on bool, text string) {
	look := widgets.Look{Fill: theme.Surface, Line: theme.Line, Radius: theme.RadiusField, PadX: 12, PadY: 10}
	a.icon.Set(theme.RadioOff, theme.Muted)
	if on {
		look.Fill, look.Line = theme.TintPrimary, theme.Primary
		a.icon.Set(theme.RadioOn, theme.Primary)
	}
	a.text.Set(text)
	a.text.Hidden = text == ""
	a.press.SetLook(look)
	a.press.Refresh()
}

// draw opens, fills and closes the sheet.
func (q *askRemove) draw(p *Page, m Model) {
	r := m.Removing
	if r == nil {
		q.close()
		return
	}
	if q.sheet == nil && !q.open(p, len(r.IDs)) {
		return
	}
	q.loading.Hidden = r.Known || r.Err != nil
	q.keep.press.Hidden = r.TimeOnly
	keep, lose := "", ""
	if r.Known {
		keep, lose = keepLine(r.Keep), loseLine(r.Lose, p.now())
	}
	q.keep.draw(r.KeepTime, keep)
	q.lose.draw(!r.KeepTime, lose)
	if r.Err != nil {
		q.fail.Fail(p.links.Say(r.Err))
	} else {
		q.fail.Fail("", "")
	}
	enable(q.yes, r.Known && !r.Busy && !m.Lost)
	q.sheet.Refresh()
}

// open shows the sheet; the safe button has the focus.
func (q *askRemove) open(p *Page, n int) bool {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.root)
	if c == nil {
		return false
	}
	do := p.Presenter
	q.keep = newAnswer(words.N("review.remove.keep", n), func() { do.ChooseTime(true) })
	q.lose = newAnswer(words.N("review.remove.lose", n), func() { do.ChooseTime(false) })
	q.loading = widgets.NewText(words.T("review.remove.loading"), widgets.Style{Role: theme.Muted, Wrap: true})
	q.fail = widgets.NewNote()
	no := widgets.NewButton(words.T("review.remove.no"), "", widgets.Plain, do.Leave)
	q.yes = widgets.NewButton(words.T("act.remove"), theme.Remove, widgets.Harm, do.Remove)
	undo := widgets.NewText(words.T("review.remove.undo"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	content := widgets.Inset(4, 4, widgets.Column(12, q.loading, q.keep.press, q.lose.press, undo, q.fail.Box)) // rings need room
	q.sheet = widgets.ShowSheet(c, words.N("review.remove", n), content, []fyne.CanvasObject{no, q.yes}, no, nil)
	return true
}

func (q *askRemove) close() {
	if q.sheet != nil {
		sheet := q.sheet
		q.sheet = nil
		sheet.Close()
	}
}
