package widgets

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Station is one stop of a way that is drawn from top to bottom.
type Station struct {
	Icon   theme.IconName
	Role   fyne.ThemeColorName
	Name   string
	When   string // at the right; may be empty
	Behind bool   // passed: the line to it is solid in its colour
	Faint  bool   // not reached yet
}

// Stations draws a way as a vertical line with its stops.
type Stations struct {
	Box *fyne.Container
	l   *stations
}

// NewStations makes an empty way.
func NewStations() *Stations {
	s := &Stations{l: &stations{}}
	s.Box = &fyne.Container{Layout: s.l}
	return s
}

// Set shows a way.
func (s *Stations) Set(list []Station) {
	s.l.stops, s.l.lines = nil, nil
	s.Box.Objects = nil
	for i, st := range list {
		ink := theme.Text
		if st.Faint {
			ink = theme.Muted
		}
		icon := NewIcon(st.Icon, st.Role, stopIcon)
		name := NewText(st.Name, Style{Role: ink, Wrap: true})
		row := Line(10, name, name)
		if st.When != "" {
			row = Line(10, name, name, NewText(st.When, Style{Size: theme.Small, Role: theme.Muted, Fixed: true}))
		}
		s.l.stops = append(s.l.stops, stop{icon, row})
		s.Box.Objects = append(s.Box.Objects, icon, row)
		if i == 0 {
			continue
		}
		role := theme.Line
		if st.Behind {
			role = theme.Success
		}
		line := NewFill(role, "", 1)
		s.l.lines = append(s.l.lines, line)
		s.Box.Objects = append(s.Box.Objects, line)
	}
	s.Box.Refresh()
}

type stop struct {
	icon *Icon
	row  *fyne.Container
}

// The measures of a way.
const (
	stopIcon = 20
	stopText = 34 // where the words begin
	stopGap  = 14
)

type stations struct {
	stops []stop
	lines []*Fill
	width float32
}

func (l *stations) heightFor(_ []fyne.CanvasObject, width float32) (h float32) {
	for i, s := range l.stops {
		if i > 0 {
			h += stopGap
		}
		h += max(stopIcon, HeightFor(s.row, width-stopText))
	}
	return h
}

func (l *stations) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	var y, under float32
	for i, s := range l.stops {
		text := HeightFor(s.row, size.Width-stopText)
		h := max(stopIcon, text)
		top := y + (h-stopIcon)/2
		if i > 0 {
			l.lines[i-1].Move(fyne.NewPos(stopIcon/2-1, under+2))
			l.lines[i-1].Resize(fyne.NewSize(2, max(0, top-under-4)))
		}
		s.icon.Move(fyne.NewPos(0, top))
		s.icon.Resize(fyne.NewSquareSize(stopIcon))
		s.row.Move(fyne.NewPos(stopText, y+(h-text)/2))
		s.row.Resize(fyne.NewSize(size.Width-stopText, text))
		under = top + stopIcon
		y += h + stopGap
	}
}

func (l *stations) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(160, l.heightFor(nil, max(160, l.width)))
}
