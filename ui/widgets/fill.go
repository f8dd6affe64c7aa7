package widgets

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Fill is a rectangle in the colour of a role; it follows a change of theme.
type Fill struct {
	widget.BaseWidget
	role, line fyne.ThemeColorName
	radius     float32
	least      fyne.Size
}

// NewFill makes a rectangle; line may be empty.
func NewFill(role, line fyne.ThemeColorName, radius float32) *Fill {
	f := &Fill{role: role, line: line, radius: radius}
	f.ExtendBaseWidget(f)
	return f
}

// NewRule makes a thin line across.
func NewRule() *Fill {
	f := NewFill(theme.Line, "", 0)
	f.least = fyne.NewSize(1, 1)
	return f
}

// NewSpace takes up room and shows nothing.
func NewSpace(width, height float32) *Fill {
	f := NewFill("", "", 0)
	f.least = fyne.NewSize(width, height)
	return f
}

// SetRole changes the colour; the same again costs nothing.
func (f *Fill) SetRole(role fyne.ThemeColorName) {
	if f.role == role {
		return
	}
	f.role = role
	f.Refresh()
}

// CreateRenderer is for Fyne.
func (f *Fill) CreateRenderer() fyne.WidgetRenderer {
	r := &fillRenderer{f: f, whole: &canvas.Rectangle{}, top: &canvas.Rectangle{}, bottom: &canvas.Rectangle{}}
	for _, i := range []**canvas.Image{&r.middle, &r.left, &r.right} {
		*i = &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScalePixels}
	}
	r.paint()
	return r
}

// fillRenderer draws small areas as one rectangle and large ones as a stretched
// pixel between two thin rounded rectangles: without a graphics card, Fyne's
// rectangle takes ten times as long for each pixel as a picture does, which was
// most of what a frame cost.
type fillRenderer struct {
	f                   *Fill
	whole, top, bottom  *canvas.Rectangle
	middle, left, right *canvas.Image
	objects             []fyne.CanvasObject
}

// largeFill is the area from which a Fill is drawn in pieces.
const largeFill = 40_000

func (r *fillRenderer) paint() {
	f := r.f
	for _, o := range []*canvas.Rectangle{r.whole, r.top, r.bottom} {
		o.FillColor = colorOr(f.role)
		o.StrokeColor, o.StrokeWidth = color.Transparent, 0
		if f.line != "" {
			o.StrokeColor, o.StrokeWidth = theme.Color(f.line), 1
		}
	}
	r.whole.CornerRadius = f.radius
	r.top.TopLeftCornerRadius, r.top.TopRightCornerRadius = f.radius, f.radius
	r.bottom.BottomLeftCornerRadius, r.bottom.BottomRightCornerRadius = f.radius, f.radius
	r.middle.Image = pixel(colorOr(f.role))
	r.left.Image = pixel(colorOr(f.line))
	r.right.Image = r.left.Image
	r.objects = r.choose(f.Size())
}

// choose returns what is drawn at a size.
func (r *fillRenderer) choose(size fyne.Size) []fyne.CanvasObject {
	switch f := r.f; {
	case f.role == "" && f.line == "":
		return nil
	case f.role == "" || size.Width*size.Height < largeFill || size.Height < 4*f.radius || f.radius == 0 && f.line != "":
		return []fyne.CanvasObject{r.whole}
	case f.radius == 0:
		return []fyne.CanvasObject{r.middle}
	case f.line == "":
		return []fyne.CanvasObject{r.top, r.bottom, r.middle}
	}
	return []fyne.CanvasObject{r.top, r.bottom, r.middle, r.left, r.right}
}

// Layout implements fyne.WidgetRenderer.
func (r *fillRenderer) Layout(size fyne.Size) {
	r.objects = r.choose(size)
	r.whole.Resize(size)
	edge := r.f.radius
	over := float32(0) // the pieces overlap, so that no line shows between them
	if edge > 0 {
		over = 2
	}
	r.top.Resize(fyne.NewSize(size.Width, edge+over))
	r.bottom.Resize(fyne.NewSize(size.Width, edge+over))
	r.bottom.Move(fyne.NewPos(0, size.Height-edge-over))
	middle := fyne.NewSize(size.Width, size.Height-2*edge)
	line := fyne.NewSize(1, middle.Height)
	place := func(i *canvas.Image, x float32, s fyne.Size) {
		i.Move(fyne.NewPos(x, edge))
		i.Resize(s)
	}
	place(r.middle, 0, middle)
	place(r.left, 0, line)
	place(r.right, size.Width-1, line)
}

// MinSize implements fyne.WidgetRenderer.
func (r *fillRenderer) MinSize() fyne.Size { return r.f.least }

// Refresh implements fyne.WidgetRenderer.
func (r *fillRenderer) Refresh() {
	r.paint()
	for _, o := range r.objects {
		o.Refresh()
	}
	canvas.Refresh(r.f)
}

// Objects implements fyne.WidgetRenderer.
func (r *fillRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Destroy implements fyne.WidgetRenderer.
func (r *fillRenderer) Destroy() {}

// pixel returns a picture of one pixel.
func pixel(c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	m.Set(0, 0, c)
	return m
}
