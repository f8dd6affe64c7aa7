package ui

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

// snack says what came of a step, and goes by itself.
type snack struct {
	box  *fyne.Container
	text *widgets.Text
	act  *widgets.Button
	do   func()
	n    int
}

func newSnack() *snack {
	s := &snack{text: widgets.NewText("", widgets.Style{Wrap: true})}
	s.act = widgets.NewButton("", "", widgets.Quiet, func() {
		do := s.do
		s.clear(s.n)
		do()
	})
	s.box = widgets.Layers(widgets.NewFill(theme.Surface, theme.Border, theme.RadiusCard), widgets.Inset(16, 8, widgets.Line(12, s.text, s.text, s.act)))
	s.box.Hide()
	return s
}

// set shows a text and returns its number, by which clear knows it.
func (s *snack) set(text, act string, do func()) int {
	s.n++
	s.do = do
	s.text.Set(text)
	s.act.SetText(act)
	widgets.Show(s.act, do != nil)
	widgets.Show(s.box, true)
	return s.n
}

// clear takes away text n, unless a newer one came.
func (s *snack) clear(n int) bool {
	if n != s.n || s.box.Hidden {
		return false
	}
	s.box.Hide()
	return true
}
