package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Progress is a thin bar that fills as bytes move. It moves only when it is set.
type Progress struct {
	widget.BaseWidget
	part float32
}

// NewProgress makes an empty bar.
func NewProgress() *Progress {
	p := &Progress{}
	p.ExtendBaseWidget(p)
	return p
}

// Set fills a part of it, 0 to 1.
func (p *Progress) Set(part float32) {
	part = min(1, max(0, part))
	if p.part == part {
		return
	}
	p.part = part
	p.Refresh()
}

// CreateRenderer is for Fyne.
func (p *Progress) CreateRenderer() fyne.WidgetRenderer {
	r := &progressRenderer{p: p, track: &canvas.Rectangle{CornerRadius: 3}, fill: &canvas.Rectangle{CornerRadius: 3}}
	r.paint()
	return r
}

type progressRenderer struct {
	p           *Progress
	track, fill *canvas.Rectangle
}

func (r *progressRenderer) paint() {
	r.track.FillColor, r.fill.FillColor = theme.Color(theme.Line), theme.Color(theme.Info)
}
func (r *progressRenderer) Layout(size fyne.Size) {
	r.track.Resize(size)
	r.fill.Resize(fyne.NewSize(size.Width*r.p.part, size.Height))
}
func (r *progressRenderer) MinSize() fyne.Size { return fyne.NewSize(48, 6) }
func (r *progressRenderer) Refresh() {
	r.paint()
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}
func (r *progressRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.fill}
}
func (r *progressRenderer) Destroy() {}
