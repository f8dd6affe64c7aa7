package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Shot shows a picture as wide as its room, as tall as the picture asks for.
type Shot struct {
	widget.BaseWidget
	most float32 // height
	img  *canvas.Image
	fill *Fill
}

// NewShot makes an empty one that is never taller than most.
func NewShot(most float32) *Shot {
	s := &Shot{most: most, fill: NewFill(theme.Band, theme.Line, theme.RadiusThumb)}
	s.img = &canvas.Image{FillMode: canvas.ImageFillContain, CornerRadius: theme.RadiusThumb}
	s.ExtendBaseWidget(s)
	return s
}

// Set shows a picture; nil shows nothing.
func (s *Shot) Set(i image.Image) {
	if s.img.Image == i {
		return
	}
	s.img.Image = i
	s.Refresh()
}

// HeightFor implements Tall.
func (s *Shot) HeightFor(width float32) float32 {
	ratio := float32(9) / 16
	if i := s.img.Image; i != nil && i.Bounds().Dx() > 0 {
		ratio = float32(i.Bounds().Dy()) / float32(i.Bounds().Dx())
	}
	return min(s.most, width*ratio)
}

// Area returns where the picture lies inside the widget.
func (s *Shot) Area() (fyne.Position, fyne.Size) { return s.area(s.Size()) }

func (s *Shot) area(size fyne.Size) (fyne.Position, fyne.Size) {
	w := size.Width
	if i := s.img.Image; i != nil && i.Bounds().Dy() > 0 {
		w = min(w, size.Height*float32(i.Bounds().Dx())/float32(i.Bounds().Dy()))
	}
	return fyne.NewPos((size.Width-w)/2, 0), fyne.NewSize(w, size.Height)
}

// CreateRenderer is for Fyne.
func (s *Shot) CreateRenderer() fyne.WidgetRenderer { return &shotRenderer{s} }

type shotRenderer struct{ s *Shot }

func (r *shotRenderer) Layout(size fyne.Size) {
	at, area := r.s.area(size)
	for _, o := range r.Objects() {
		o.Move(at)
		o.Resize(area)
	}
}
func (r *shotRenderer) MinSize() fyne.Size {
	return fyne.NewSize(120, r.s.HeightFor(max(120, r.s.Size().Width)))
}
func (r *shotRenderer) Refresh() {
	r.Layout(r.s.Size())
	r.s.fill.Refresh()
	r.s.img.Refresh()
}
func (r *shotRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.s.fill, r.s.img}
}
func (r *shotRenderer) Destroy() {}
