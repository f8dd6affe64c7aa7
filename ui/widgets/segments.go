package widgets

import (
	"slices"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Segments offers a few choices side by side, of which one holds, or any number.
// They break into lines where they do not fit. Arrows move the focus between them.
type Segments struct {
	Box      *fyne.Container
	OnChosen func(id string)

	many    bool
	ids     []string
	presses []*segment
	on      map[string]bool
}

type segment struct {
	Press
	owner *Segments
	at    int
	text  *Text
	mark  *Icon
}

// NewSegments makes a row of choices; Option.Group and Badge are not shown.
func NewSegments(options []Option, chosen func(id string)) *Segments {
	s := &Segments{OnChosen: chosen, Box: Wrap(6), on: map[string]bool{}}
	for i, o := range options {
		g := &segment{owner: s, at: i, text: NewText(o.Name, Style{Fixed: true}), mark: NewIcon(theme.Confirm, theme.Primary, 14)}
		g.content = Line(6, nil, g.mark, g.text)
		g.OnTapped = func() { s.take(o.ID) }
		g.ExtendBaseWidget(g)
		s.ids, s.presses = append(s.ids, o.ID), append(s.presses, g)
		s.Box.Objects = append(s.Box.Objects, g)
		g.paint(false)
	}
	return s
}

// Many lets any number of the choices hold; each press turns one over.
func (s *Segments) Many() *Segments { s.many = true; return s }

func (s *Segments) take(id string) {
	switch {
	case s.many:
		s.set(id, !s.on[id])
	case s.on[id]:
		return
	default:
		s.Choose(id)
	}
	if s.OnChosen != nil {
		s.OnChosen(id)
	}
}

// Choose shows what holds, and nothing else, without telling OnChosen.
func (s *Segments) Choose(ids ...string) {
	for _, id := range s.ids {
		s.set(id, slices.Contains(ids, id))
	}
}

func (s *Segments) set(id string, on bool) {
	if s.on[id] == on {
		return
	}
	s.on[id] = on
	g := s.presses[slices.Index(s.ids, id)]
	g.paint(on)
	g.Refresh()
}

// Holds tells whether a choice holds.
func (s *Segments) Holds(id string) bool { return s.on[id] }

// Allow switches single choices off; a line beside has to say why.
func (s *Segments) Allow(may func(id string) bool) {
	for i, g := range s.presses {
		if off := !may(s.ids[i]); off != g.disabled {
			g.disabled = off
			g.paint(s.on[s.ids[i]])
			g.Refresh()
		}
	}
}

// First returns what takes the focus first.
func (s *Segments) First() fyne.Focusable { return s.presses[0] }

func (g *segment) paint(on bool) {
	g.mark.Hidden = !on
	g.look = Look{Fill: theme.Surface, Line: theme.Border, Radius: 16, PadX: 12, PadY: 4, Least: 32}
	ink := theme.Text
	if on {
		g.look.Fill, g.look.Line, ink = theme.TintPrimary, theme.Primary, theme.Primary
	}
	if g.disabled {
		g.look.Line, ink = theme.Line, theme.Faint
	}
	g.text.SetRole(ink)
	g.text.style.Bold = on
	g.mark.Set(theme.Confirm, ink)
}

// TypedKey moves with the arrows and else does what a Press does.
func (g *segment) TypedKey(ev *fyne.KeyEvent) {
	by := map[fyne.KeyName]int{fyne.KeyLeft: -1, fyne.KeyRight: 1}[ev.Name]
	if by == 0 {
		g.Press.TypedKey(ev)
		return
	}
	all := g.owner.presses
	if c := fyne.CurrentApp().Driver().CanvasForObject(g); c != nil {
		c.Focus(all[(g.at+by+len(all))%len(all)])
	}
}
