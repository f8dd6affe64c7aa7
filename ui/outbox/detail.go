package outbox

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// detail is everything about one proof.
type detail struct {
	pane  *fyne.Container
	badge *widgets.Badge
	name  *widgets.Text
	span  *widgets.Text
	state *widgets.State
	next  *widgets.Text
	wrong *widgets.Note
	steps *widgets.Stations
	moves *widgets.Progress
	facts *fyne.Container
	try   *widgets.Button
	save  *widgets.Button
	panel *panel
	back  *widgets.Button
	item  pow.OutboxItem
	say   func(error) (what, mend string)
}

func (d *detail) build(p *Page) {
	d.say = p.links.Say
	d.badge = widgets.NewBadge(theme.BadgeFor("", "", ""))
	d.name = widgets.NewText("", widgets.Style{Size: theme.SubHeading, Bold: true, Wrap: true})
	d.span = widgets.NewText("", widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true})
	d.state = widgets.NewState(true)
	d.next = widgets.NewText("", widgets.Style{Wrap: true})
	d.wrong = widgets.NewNote()
	d.steps = widgets.NewStations()
	d.moves = widgets.NewProgress()
	d.facts = widgets.Column(8)
	d.back = widgets.NewButton(words.T("act.back"), theme.Back, widgets.Quiet, func() { p.Back() })
	d.try = widgets.NewButton(words.T("act.retry"), theme.Retry, widgets.Main, func() { p.Presenter.Retry(d.item.ID) })
	copyButton := widgets.NewButton(words.T("act.copy_details"), theme.Copy, widgets.Plain, func() { p.links.Copy(details(d.item)) })
	d.panel = newPanel(p, HandSave, "outbox.save.", theme.Save, p.Presenter.Save)
	d.save = widgets.NewButton(words.T("outbox.save"), theme.Save, widgets.Plain, func() { d.panel.open(p, "~/pow-do-"+d.item.ID+".powdo") })
	title := widgets.Column(0, d.name, d.span)
	d.pane = widgets.Page(nil, widgets.Wrap(0, d.back), widgets.Card(widgets.Column(14,
		widgets.Line(12, title, d.badge, title),
		widgets.Column(4, d.state.Box, d.next, d.moves),
		d.wrong.Box,
		widgets.Wrap(theme.Gap, d.try, d.save, copyButton),
		d.panel.box,
		widgets.NewRule(),
		d.steps.Box,
		widgets.NewRule(),
		d.facts,
	)))
}

func (d *detail) draw(i pow.OutboxItem, team string, now time.Time, m Model) {
	d.item = i
	d.badge.Set(badge(i))
	d.name.Set(name(i))
	d.span.Set(rowLine(i, now))
	k := mark(i)
	d.state.Set(k.Icon, k.Role, k.Word)
	d.next.Set(nextLine(i, team, now))
	what, quoted := wrong(i, team, now)
	if quoted != "" {
		quoted = words.T("outbox.quoted", words.Data{"Text": quoted})
	}
	if i.State == pow.Attention {
		d.wrong.Fail(what, quoted)
	} else {
		d.wrong.Set(theme.Warning, theme.Warn, what, quoted)
	}
	d.try.Hidden = ended(i)
	if m.Trying || m.Lost {
		d.try.Disable()
	} else {
		d.try.Enable()
	}
	part, moving := Moving(i)
	d.moves.Hidden = !moving
	d.moves.Set(part)
	d.save.Hidden = i.SealedHash.IsZero()
	d.panel.draw(m.Hand, m.Lost, d.say)
	d.drawSteps(i, team, now)
	d.drawFacts(i, now)
}

func (d *detail) drawSteps(i pow.OutboxItem, team string, now time.Time) {
	var list []widgets.Station
	for _, s := range Steps(i) {
		k := words.Proof(s.State, "")
		st := widgets.Station{Icon: k.Icon, Role: theme.Faint, Name: words.T("step."+string(s.State), words.Data{"Team": team}), Faint: true}
		switch {
		case s.Done:
			st.Role, st.Faint, st.Behind = k.Role, false, s.State != pow.Attention
			if s.State == pow.Queued {
				st.Role = theme.Success
			}
		case s.Now:
			st.Role, st.Faint = theme.Info, false
			st.When = words.T("outbox.now")
		}
		if !s.At.IsZero() {
			st.When = words.When(s.At, now)
		}
		list = append(list, st)
	}
	d.steps.Set(list)
}

func (d *detail) drawFacts(i pow.OutboxItem, now time.Time) {
	d.facts.Objects = nil
	for _, s := range i.Servers {
		d.fact(theme.Blossom, words.Host(s.URL), place(s, now), false)
	}
	for _, r := range i.Relays {
		d.fact(theme.Relay, words.Host(r.URL), place(r, now), false)
	}
	if i.Attempts > 0 {
		d.fact(theme.Retry, words.T("fact.attempts"), words.N("fact.attempts.n", i.Attempts), false)
	}
	if i.Receipt != nil {
		d.fact(theme.Arrived, words.T("fact.receipt"), words.When(i.Receipt.At, now), false)
	}
	if i.Size > 0 {
		d.fact(theme.Sealed, words.T("fact.size"), words.Size(i.Size), false)
	}
	if !i.SealedHash.IsZero() {
		d.fact(theme.Key, words.T("fact.sealed"), fmt.Sprintf("%s · %s", words.Key(i.SealedHash.String()), words.T("fact.seq", words.Data{"N": i.Seq})), true)
	}
}

func (d *detail) fact(icon theme.IconName, label, value string, mono bool) {
	style := widgets.Style{Wrap: true, Size: theme.Small, Role: theme.Muted}
	if mono {
		style = widgets.Style{Wrap: true, Size: theme.Mono, Mono: true, Role: theme.Muted}
	}
	text := widgets.Column(0, widgets.NewText(label, widgets.Style{}), widgets.NewText(value, style))
	d.facts.Objects = append(d.facts.Objects, widgets.Line(10, text, widgets.NewIcon(icon, theme.Muted, 16), text))
}

// split puts the detail beside the list where there is room, else in its place.
type split struct {
	head, bar, fail, list, empty, detail fyne.CanvasObject

	ground *widgets.Fill // behind the list
	rows   int
	row    float32 // height of one row
}

// listPad is around the list; rowGap is what Fyne's list keeps between rows.
const (
	listPad = 6
	rowGap  = 4
)

// sideBySide is the width from which list and detail fit beside each other.
const sideBySide = 860

func (l *split) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	top := widgets.HeightFor(l.head, size.Width)
	l.head.Resize(fyne.NewSize(size.Width, top))
	left := size.Width
	open := l.detail.Visible()
	if open && size.Width >= sideBySide {
		left = size.Width * 0.5
	}
	replaced := open && left == size.Width
	if open {
		x := left
		if replaced {
			x = 0
		}
		l.detail.Move(fyne.NewPos(x, top))
		l.detail.Resize(fyne.NewSize(size.Width-x, size.Height-top))
	}
	m := widgets.Margin(size.Width)
	w := left - 2*m
	if open && !replaced {
		w = left - m - widgets.Margin(size.Width-left)
	}
	if !open {
		w = min(w, theme.PageMax)
	}
	x := m
	if !open {
		x = (left - w) / 2
	}
	if replaced { // moved out of sight, so that the list keeps its place and focus
		x = -2 * size.Width
	}
	y := top + theme.CardGap
	for _, o := range []fyne.CanvasObject{l.bar, l.fail} {
		if o.Visible() {
			h := widgets.HeightFor(o, w)
			o.Move(fyne.NewPos(x, y))
			o.Resize(fyne.NewSize(w, h))
			y += h + 12
		}
	}
	l.empty.Move(fyne.NewPos(x, y))
	l.empty.Resize(fyne.NewSize(w, widgets.HeightFor(l.empty, w)))
	h := max(0, min(float32(l.rows)*(l.row+rowGap)+2*listPad, size.Height-y-theme.CardGap))
	l.ground.Move(fyne.NewPos(x, y))
	l.ground.Resize(fyne.NewSize(w, h))
	l.list.Move(fyne.NewPos(x+listPad, y+listPad))
	l.list.Resize(fyne.NewSize(w-2*listPad, max(0, h-2*listPad)))
}

func (l *split) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(300, l.head.MinSize().Height+200)
}
