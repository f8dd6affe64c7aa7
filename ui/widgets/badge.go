package widgets

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Badge is a project at a glance: a strip with its pattern and its two letters
// on its colour, so that nobody has to tell it by colour.
type Badge struct {
	widget.BaseWidget
	looks theme.Badge
	img   *canvas.Image
	text  *canvas.Text
}

// The size of a Badge.
const (
	badgeWidth  = 34
	badgeHeight = 22
)

// NewBadge makes a badge.
func NewBadge(looks theme.Badge) *Badge {
	b := &Badge{img: &canvas.Image{FillMode: canvas.ImageFillStretch}, text: &canvas.Text{}}
	b.text.TextStyle.Bold = true
	b.text.Alignment = fyne.TextAlignCenter
	b.ExtendBaseWidget(b)
	b.Set(looks)
	return b
}

// Set changes the project.
func (b *Badge) Set(looks theme.Badge) {
	if b.looks == looks {
		return
	}
	b.looks = looks
	b.img.Resource = badgeDrawing(looks.Fill, looks.Ink, looks.Pattern)
	b.text.Text, b.text.Color = looks.Letters, looks.Ink
	b.text.TextSize = theme.Size(theme.Caption)
	b.Refresh()
}

// CreateRenderer is for Fyne.
func (b *Badge) CreateRenderer() fyne.WidgetRenderer { return &badgeRenderer{b} }

type badgeRenderer struct{ b *Badge }

func (r *badgeRenderer) Layout(size fyne.Size) {
	y := (size.Height - badgeHeight) / 2
	r.b.img.Move(fyne.NewPos(0, y))
	r.b.img.Resize(fyne.NewSize(badgeWidth, badgeHeight))
	h := r.b.text.MinSize().Height
	r.b.text.Move(fyne.NewPos(stripWidth, y+(badgeHeight-h)/2))
	r.b.text.Resize(fyne.NewSize(badgeWidth-stripWidth, h))
}
func (r *badgeRenderer) MinSize() fyne.Size { return fyne.NewSize(badgeWidth, badgeHeight) }
func (r *badgeRenderer) Refresh()           { r.b.img.Refresh(); r.b.text.Refresh() }
func (r *badgeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.b.img, r.b.text}
}
func (r *badgeRenderer) Destroy() {}

// stripWidth is the patterned part of a badge.
const stripWidth = 8

// badgeDrawing builds the SVG of a badge. Its name says all that is in it,
// because Fyne caches drawings by name.
func badgeDrawing(fill, ink color.NRGBA, p theme.Pattern) fyne.Resource {
	name := fmt.Sprintf("badge-%02x%02x%02x-%d.svg", fill.R, fill.G, fill.B, p)
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="34" height="22" viewBox="0 0 34 22">`+
		`<path fill="#%02x%02x%02x" d="M4 0L30 0C32.2 0 34 1.8 34 4L34 18C34 20.2 32.2 22 30 22L4 22C1.8 22 0 20.2 0 18L0 4C0 1.8 1.8 0 4 0Z"/>`,
		fill.R, fill.G, fill.B)
	if d := patternPath(p); d != "" {
		fmt.Fprintf(&s, `<path fill="#%02x%02x%02x" d="%s"/>`, ink.R, ink.G, ink.B, d)
	}
	s.WriteString(`</svg>`)
	return fyne.NewStaticResource(name, []byte(s.String()))
}

// patternPath draws a pattern into the strip: x 2 to 8, y 3 to 19.
func patternPath(p theme.Pattern) string {
	var s strings.Builder
	box := func(x, y, w, h float32) {
		fmt.Fprintf(&s, "M%g %gL%g %gL%g %gL%g %gZ", x, y, x+w, y, x+w, y+h, x, y+h)
	}
	slope := func(y, from, to float32) {
		fmt.Fprintf(&s, "M2 %gL8 %gL8 %gL2 %gZ", y+from, y+to, y+to+1.5, y+from+1.5)
	}
	for y := float32(3); y <= 15; y += 4 {
		switch p {
		case theme.Rising:
			slope(y, 3, 0)
		case theme.Falling:
			slope(y, 0, 3)
		case theme.Hatch:
			slope(y, 3, 0)
			slope(y, 0, 3)
		case theme.Level:
			box(2, y+1, 6, 1.5)
		case theme.Dots:
			box(2.5, y+1, 2, 2)
			box(6, y+1, 2, 2)
		case theme.Upright:
			box(3, y, 1.4, 4)
			box(6, y, 1.4, 4)
		case theme.Checker:
			box(2, y, 3, 2)
			box(5, y+2, 3, 2)
		}
	}
	return s.String()
}
