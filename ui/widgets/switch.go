package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Switch is on or off: where its knob stands and whether it has a tick say so,
// not its colour alone.
type Switch struct {
	*Press
	OnChanged func(bool)
	drawn     *switchDrawing
}

// NewSwitch makes a switch that is off.
func NewSwitch(changed func(bool)) *Switch {
	s := &Switch{OnChanged: changed, drawn: &switchDrawing{}}
	s.drawn.ExtendBaseWidget(s.drawn)
	s.Press = NewPress(s.drawn, Look{Radius: switchHigh / 2}, nil)
	s.Press.OnTapped = func() {
		s.Set(!s.drawn.on)
		if s.OnChanged != nil {
			s.OnChanged(s.drawn.on)
		}
	}
	return s
}

// On tells how it stands.
func (s *Switch) On() bool { return s.drawn.on }

// Set puts it without telling OnChanged.
func (s *Switch) Set(on bool) {
	if s.drawn.on == on {
		return
	}
	s.drawn.on = on
	s.drawn.Refresh()
}

// Disable keeps it as it stands; a line beside it has to say why.
func (s *Switch) Disable() { s.able(false) }

// Enable lets it be changed.
func (s *Switch) Enable() { s.able(true) }

func (s *Switch) able(on bool) {
	if s.drawn.faint == !on {
		return
	}
	s.drawn.faint = !on
	s.drawn.Refresh()
	s.Press.setDisabled(!on)
}

// The size of a switch.
const (
	switchWide = 44
	switchHigh = 26
)

type switchDrawing struct {
	widget.BaseWidget
	on, faint bool
}

// CreateRenderer is for Fyne.
func (d *switchDrawing) CreateRenderer() fyne.WidgetRenderer {
	r := &switchRenderer{d: d, track: &canvas.Rectangle{}, knob: &canvas.Rectangle{}, tick: NewIcon(theme.Confirm, theme.Primary, 14)}
	r.paint()
	return r
}

type switchRenderer struct {
	d           *switchDrawing
	track, knob *canvas.Rectangle
	tick        *Icon
}

func (r *switchRenderer) paint() {
	track, line, knob, tick := theme.Surface, theme.Border, theme.Border, theme.Primary
	if r.d.on {
		track, line, knob = theme.Primary, theme.Primary, theme.Surface
	}
	if r.d.faint {
		line, knob, tick = theme.Faint, theme.Faint, theme.Faint
		if r.d.on {
			track, knob = theme.Faint, theme.Surface
		}
	}
	r.track.FillColor, r.track.CornerRadius = theme.Color(track), switchHigh/2
	r.track.StrokeColor, r.track.StrokeWidth = theme.Color(line), 2
	r.knob.FillColor = theme.Color(knob)
	r.tick.Set(theme.Confirm, tick)
	r.tick.Hidden = !r.d.on
}

func (r *switchRenderer) Layout(size fyne.Size) {
	y := (size.Height - switchHigh) / 2
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(switchWide, switchHigh))
	side, x := float32(12), float32(7)
	if r.d.on {
		side, x = 18, switchWide-22
	}
	at := fyne.NewPos(x, y+(switchHigh-side)/2)
	r.knob.CornerRadius = side / 2
	r.knob.Move(at)
	r.knob.Resize(fyne.NewSquareSize(side))
	r.tick.Move(at)
	r.tick.Resize(fyne.NewSquareSize(side))
}

func (r *switchRenderer) MinSize() fyne.Size { return fyne.NewSize(switchWide, switchHigh) }
func (r *switchRenderer) Refresh() {
	r.paint()
	r.Layout(r.d.Size())
	canvas.Refresh(r.d)
}
func (r *switchRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.knob, r.tick}
}
func (r *switchRenderer) Destroy() {}
