package widgets

import (
	"image"
	"image/color"
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Share is one part of a Split: how much, and how it is told from the others.
type Share struct {
	Amount  int64
	Role    fyne.ThemeColorName
	Pattern theme.Pattern
}

// Split is a thin bar in parts, each with a colour and a pattern. What is left
// of the whole stays empty. A second, striped line below marks a part of it all.
type Split struct {
	widget.BaseWidget
	whole  int64
	marked int64
	shares []Share
	least  fyne.Size
	raster *canvas.Raster
}

// splitMark is the height of the second line with the gap above it.
const splitMark = 5

// NewSplit makes an empty bar.
func NewSplit(width, height float32) *Split {
	s := &Split{least: fyne.NewSize(width, height)}
	s.raster = canvas.NewRaster(s.draw)
	s.ExtendBaseWidget(s)
	return s
}

// NewSwatch makes a small sample of a share, for a legend.
func NewSwatch(role fyne.ThemeColorName, p theme.Pattern) *Split {
	s := NewSplit(16, 10)
	s.Set(1, 0, Share{1, role, p})
	return s
}

// Set shows shares of a whole; marked is the length of the second line. The same
// again costs nothing.
func (s *Split) Set(whole, marked int64, shares ...Share) {
	if s.whole == whole && s.marked == marked && slices.Equal(s.shares, shares) {
		return
	}
	s.whole, s.marked, s.shares = whole, marked, shares
	s.Refresh()
}

// draw paints the bar; Fyne asks for it again only after a refresh.
func (s *Split) draw(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	if s.Size().Height <= 0 || w <= 0 || h <= 0 {
		return m
	}
	scale := float32(h) / s.Size().Height
	bar := h
	if s.marked > 0 {
		bar = h - int(splitMark*scale)
	}
	rest := nrgba(theme.Line)
	round := paintRound(m, image.Rect(0, 0, w, bar), splitRadius*scale)
	round(0, w, func(int, int) color.NRGBA { return rest })
	if s.whole <= 0 {
		return m
	}
	var sum int64
	at := func(v int64) int { return int(min(v, s.whole) * int64(w) / s.whole) }
	for _, p := range s.shares {
		from, to := at(sum), at(sum+p.Amount)
		sum += p.Amount
		round(from, to, shareInk(p, scale))
	}
	under := paintRound(m, image.Rect(0, h-int(3*scale), w, h), scale)
	under(0, at(s.marked), shareInk(Share{Role: theme.Muted, Pattern: theme.Rising}, scale))
	return m
}

// splitRadius is the radius of the corners.
const splitRadius = 3

// paintRound fills columns of a box with rounded corners, soft at the edge.
func paintRound(m *image.NRGBA, box image.Rectangle, radius float32) func(from, to int, at func(x, y int) color.NRGBA) {
	r := min(radius, float32(box.Dy())/2, float32(box.Dx())/2)
	return func(from, to int, at func(x, y int) color.NRGBA) {
		for x := from; x < to; x++ {
			dx := max(r-float32(x)-0.5, float32(x)+0.5-float32(box.Dx())+r, 0)
			for y := box.Min.Y; y < box.Max.Y; y++ {
				dy := max(float32(box.Min.Y)+r-float32(y)-0.5, float32(y)+0.5-float32(box.Max.Y)+r, 0)
				if cover := r + 0.5 - float32(math.Hypot(float64(dx), float64(dy))); cover > 0 {
					c := at(x, y)
					c.A = uint8(float32(c.A) * min(cover, 1))
					m.SetNRGBA(x, y, c)
				}
			}
		}
	}
}

// shareInk returns the colour of a share at each pixel: its own on the pattern, a
// pale one between.
func shareInk(p Share, scale float32) func(x, y int) color.NRGBA {
	full := nrgba(p.Role)
	pale := full
	if p.Pattern != theme.Solid {
		pale = nrgba(theme.Tint(p.Role))
	}
	return func(x, y int) color.NRGBA {
		if p.Pattern.On(float32(x)/scale, float32(y)/scale) {
			return full
		}
		return pale
	}
}

func nrgba(role fyne.ThemeColorName) color.NRGBA {
	return color.NRGBAModel.Convert(theme.Color(role)).(color.NRGBA)
}

// CreateRenderer is for Fyne.
func (s *Split) CreateRenderer() fyne.WidgetRenderer { return &splitRenderer{s} }

type splitRenderer struct{ s *Split }

func (r *splitRenderer) Layout(size fyne.Size) { r.s.raster.Resize(size) }
func (r *splitRenderer) MinSize() fyne.Size {
	m := r.s.least
	if r.s.marked > 0 {
		m.Height += splitMark
	}
	return m
}
func (r *splitRenderer) Refresh()                     { r.s.raster.Refresh() }
func (r *splitRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.s.raster} }
func (r *splitRenderer) Destroy()                     {}
