package widgets

import (
	"image"
	"image/color"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// RedactView shows a picture, whole or pixel by pixel, and lets a person draw a
// rectangle on it: by dragging, or by keyboard after Begin (arrows move, Shift
// with arrows size, Enter sets, Esc leaves). It reports the rectangle in the
// picture's own pixels and changes nothing itself: what it shows are the bytes
// it was given.
//
// One canvas.Image is used for all pictures, so that paging through a day does
// not pile up textures.
type RedactView struct {
	widget.BaseWidget
	OnArea func(image.Rectangle) // in the picture's pixels
	OnDraw func(image.Rectangle) // while it is drawn; empty: not any more
	OnKey  func(*fyne.KeyEvent) bool
	OnUndo func()
	OnRoom func(width, height int) // how many pixels of the screen there are, when that changes

	shown  image.Image // as given
	pixels image.Point // of the picture that shown stands for
	actual bool        // one pixel of the picture is one of the screen
	off    image.Point // of the part in sight, in pixels
	part   *image.RGBA // of shown, when actual
	room   image.Point

	area     image.Rectangle // being drawn
	from     image.Point     // where a drag began
	drawing  bool            // by keyboard
	dragging bool
	light    bool // the area is drawn so that the picture shines through
	shift    bool
	focused  bool

	ring, gap, mat, band *canvas.Rectangle
	handles              [4]*canvas.Rectangle
	img                  *canvas.Image
}

// NewRedactView makes an empty view.
func NewRedactView() *RedactView {
	v := &RedactView{
		ring: &canvas.Rectangle{}, gap: &canvas.Rectangle{}, mat: &canvas.Rectangle{}, band: &canvas.Rectangle{StrokeWidth: 2},
		img: &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScaleFastest},
	}
	for i := range v.handles {
		v.handles[i] = &canvas.Rectangle{CornerRadius: 2}
	}
	v.OnArea, v.OnDraw, v.OnUndo = func(image.Rectangle) {}, func(image.Rectangle) {}, func() {}
	v.OnKey, v.OnRoom = func(*fyne.KeyEvent) bool { return false }, func(int, int) {}
	v.ExtendBaseWidget(v)
	return v
}

// Set shows a picture of so many pixels; nil shows nothing. i may be smaller
// than that unless actual is set, which shows it pixel by pixel.
func (v *RedactView) Set(i image.Image, pixels image.Point, actual bool) {
	if v.shown == i && v.pixels == pixels && v.actual == actual {
		return
	}
	if v.pixels != pixels || actual != v.actual {
		v.off = image.Point{}
	}
	if i == nil || !actual {
		v.part = nil
	}
	v.shown, v.pixels, v.actual = i, pixels, actual
	v.Refresh()
}

// Begin draws a rectangle in the middle, to be moved and sized by keyboard.
// light lets the picture shine through it.
func (v *RedactView) Begin(light bool) {
	if v.shown == nil {
		return
	}
	v.light, v.drawing = light, true
	if v.area.Empty() {
		in := v.inSight()
		v.area = image.Rect(in.Min.X+in.Dx()*3/8, in.Min.Y+in.Dy()*3/8, in.Min.X+in.Dx()*5/8, in.Min.Y+in.Dy()*5/8)
	}
	v.show()
}

// Drawing tells whether a rectangle is being drawn by keyboard.
func (v *RedactView) Drawing() bool { return v.drawing }

// Cancel takes the rectangle away; false where there is none.
func (v *RedactView) Cancel() bool {
	had := !v.area.Empty()
	v.area, v.drawing, v.dragging, v.light = image.Rectangle{}, false, false, false
	v.show()
	return had
}

func (v *RedactView) show() {
	v.OnDraw(v.area)
	v.Refresh()
}

// set reports the rectangle and ends drawing it.
func (v *RedactView) set() {
	a := v.area
	v.Cancel()
	v.OnArea(a)
}

// redactEdge is kept free around the picture for the focus ring: Fyne cuts off
// what a widget that scrolls draws beside itself.
const redactEdge = 2 * ringGap

// inner returns the room for the picture.
func (v *RedactView) inner() fyne.Size {
	return v.Size().SubtractWidthHeight(2*redactEdge, 2*redactEdge)
}

// scale returns the size on screen of one of the picture's pixels, and where the
// picture's top left corner is.
func (v *RedactView) scale() (s float32, at fyne.Position) {
	size := v.inner()
	if v.pixels.X <= 0 || v.pixels.Y <= 0 || size.Width <= 0 || size.Height <= 0 {
		return 0, at
	}
	w, h := float32(v.pixels.X), float32(v.pixels.Y)
	if s = min(size.Width/w, size.Height/h); v.actual {
		s = 1 / density(v)
		at = fyne.NewPos(-float32(v.off.X)*s, -float32(v.off.Y)*s)
	}
	if w*s <= size.Width {
		at.X = (size.Width - w*s) / 2
	}
	if h*s <= size.Height {
		at.Y = (size.Height - h*s) / 2
	}
	return s, at.AddXY(redactEdge, redactEdge)
}

// density returns how many pixels of the screen a unit of Fyne has.
func density(o fyne.CanvasObject) float32 {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.Scale() > 0 {
		return c.Scale()
	}
	return 1
}

// inSight returns the part of the picture that can be seen.
func (v *RedactView) inSight() image.Rectangle {
	all := image.Rectangle{Max: v.pixels}
	if !v.actual {
		return all
	}
	return image.Rectangle{Max: v.window()}.Add(v.off).Intersect(all)
}

// window returns how many pixels of a picture fit, when actual.
func (v *RedactView) window() image.Point {
	d, size := density(v), v.inner()
	return image.Pt(min(v.pixels.X, int(size.Width*d)), min(v.pixels.Y, int(size.Height*d)))
}

// pan moves the part in sight; it does nothing while the whole picture is.
func (v *RedactView) pan(by image.Point) {
	if !v.actual {
		return
	}
	most := v.pixels.Sub(v.window())
	v.off = image.Pt(min(max(v.off.X+by.X, 0), most.X), min(max(v.off.Y+by.Y, 0), most.Y))
	v.Refresh()
}

// pixel returns the pixel of the picture at a position of the view.
func (v *RedactView) pixel(at fyne.Position) image.Point {
	s, origin := v.scale()
	if s == 0 {
		return image.Point{}
	}
	in := func(f float32, most int) int { return min(max(int(f/s+0.5), 0), most) }
	return image.Pt(in(at.X-origin.X, v.pixels.X), in(at.Y-origin.Y, v.pixels.Y))
}

// cutOut copies the part in sight, because a texture is made of whole images only.
func (v *RedactView) cutOut() image.Image {
	in := v.inSight()
	if v.part == nil || v.part.Rect.Size() != in.Size() {
		v.part = image.NewRGBA(image.Rectangle{Max: in.Size()})
	}
	draw.Draw(v.part, v.part.Rect, v.shown, v.shown.Bounds().Min.Add(in.Min), draw.Src)
	return v.part
}

// CreateRenderer is for Fyne.
func (v *RedactView) CreateRenderer() fyne.WidgetRenderer {
	r := &redactRenderer{v}
	r.paint()
	return r
}

type redactRenderer struct{ v *RedactView }

func (r *redactRenderer) Layout(fyne.Size) {
	v := r.v
	d, size := density(v), v.inner()
	if room := image.Pt(int(size.Width*d), int(size.Height*d)); room != v.room {
		v.room = room
		v.OnRoom(room.X, room.Y)
	}
	v.pan(image.Point{})
	r.paint()
}

func (r *redactRenderer) paint() {
	v := r.v
	v.mat.FillColor = theme.Color(theme.Band)
	v.mat.Move(fyne.NewPos(redactEdge, redactEdge))
	v.mat.Resize(v.inner())
	v.ring.FillColor, v.gap.FillColor = theme.Color(theme.Ground), theme.Color(theme.Ground)
	if v.focused {
		v.ring.FillColor = theme.Color(theme.Ring)
	}
	v.ring.Resize(v.Size())
	v.gap.Move(fyne.NewPos(ringGap, ringGap))
	v.gap.Resize(v.Size().SubtractWidthHeight(2*ringGap, 2*ringGap))
	s, at := v.scale()
	if v.img.Hidden = v.shown == nil || s == 0; !v.img.Hidden {
		in := v.inSight()
		v.img.Image = v.shown
		if v.actual {
			v.img.Image = v.cutOut()
		}
		v.img.Move(at.AddXY(float32(in.Min.X)*s, float32(in.Min.Y)*s))
		v.img.Resize(fyne.NewSize(float32(in.Dx())*s, float32(in.Dy())*s))
	} else {
		v.img.Image = nil
	}
	r.paintBand(s, at)
}

// handle is the side of a corner mark of the rectangle.
const handle = 8

func (r *redactRenderer) paintBand(s float32, at fyne.Position) {
	v := r.v
	a := v.area.Intersect(v.inSight())
	hidden := a.Empty() || s == 0
	v.band.Hidden = hidden
	ground := color.NRGBA{R: 0x0B, G: 0x0F, B: 0x14, A: 0xE0}
	if v.light {
		ground.A = 0x60
	}
	v.band.FillColor, v.band.StrokeColor = ground, theme.Color(theme.Ring)
	pos := at.AddXY(float32(a.Min.X)*s, float32(a.Min.Y)*s)
	size := fyne.NewSize(float32(a.Dx())*s, float32(a.Dy())*s)
	v.band.Move(pos)
	v.band.Resize(size)
	for i, h := range v.handles {
		h.Hidden, h.FillColor = hidden || !v.drawing, theme.Color(theme.Ring)
		h.Resize(fyne.NewSquareSize(handle))
		h.Move(pos.AddXY(float32(i%2)*size.Width-handle/2, float32(i/2)*size.Height-handle/2))
	}
}

func (r *redactRenderer) MinSize() fyne.Size { return fyne.NewSize(160, 90) }

func (r *redactRenderer) Refresh() {
	r.paint()
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *redactRenderer) Objects() []fyne.CanvasObject {
	v := r.v
	return []fyne.CanvasObject{v.ring, v.gap, v.mat, v.img, v.band, v.handles[0], v.handles[1], v.handles[2], v.handles[3]}
}

func (r *redactRenderer) Destroy() {}
