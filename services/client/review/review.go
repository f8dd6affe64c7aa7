// Package review changes pictures before they are sealed: it blacks out, blurs,
// crops and scales, from pixels to pixels. It knows no file, no queue and no
// clock; who calls it brings the encoder.
//
// # What is gone
//
// A redacted area is one solid colour, written over the pixels. Nothing of what
// was there is left in the picture, nor in anything derived from it later. A
// blurred area keeps one colour for each 16 by 16 pixels: large text may stay
// readable, so that is for people who look over shoulders, not for secrets.
//
// # JPEG
//
// A JPEG spreads every pixel over its block of 16 by 16, so that the edge of a
// letter can be guessed from what surrounds it. Areas of a picture that came as
// JPEG therefore grow to whole blocks.
//
// Edits apply in order, each to what the one before it left: an area behind a
// crop is named in the cropped picture's pixels.
package review

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"pow.do/services/pow"
)

// Limits of what is decoded and of what is done to it.
const (
	MaxSide   = 16384      // pixels
	MaxPixels = 64_000_000 // of one picture
	MaxEdits  = 256        // of one picture
)

// Redaction is the colour of what was blacked out.
var Redaction = color.RGBA{0x0B, 0x0F, 0x14, 0xFF}

// ErrUnreadable means bytes that are no picture, or one over the limits.
var ErrUnreadable = errors.New("the picture cannot be read")

// block is the side of what JPEG mixes: 8 by 8 pixels, at half resolution for colour.
const block = 16

// Picture is a decoded picture.
type Picture struct {
	Image *image.RGBA // from (0, 0), opaque
	// Grid is what areas grow to: 1 pixel, or the blocks of the JPEG that it came as.
	Grid int
	// Window is where the active window lay; empty when that is not known.
	Window pow.Rect
}

// Decode reads a PNG or JPEG. Its size is checked before memory for its pixels
// is reserved. Errors: ErrUnreadable.
func Decode(b []byte, window pow.Rect) (Picture, error) {
	p := Picture{Grid: 1, Window: window}
	size, format, decode := png.DecodeConfig, "png", png.Decode
	if bytes.HasPrefix(b, []byte{0xFF, 0xD8}) {
		size, format, decode, p.Grid = jpeg.DecodeConfig, "jpeg", jpeg.Decode, block
	}
	c, err := size(bytes.NewReader(b))
	if err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrUnreadable, format, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxSide || c.Height > MaxSide || c.Width*c.Height > MaxPixels {
		return p, fmt.Errorf("%w: %d by %d pixels", ErrUnreadable, c.Width, c.Height)
	}
	img, err := decode(bytes.NewReader(b))
	if err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrUnreadable, format, err)
	}
	p.Image = opaque(img)
	return p, nil
}

// opaque returns img as RGBA from (0, 0) on black ground.
func opaque(img image.Image) *image.RGBA {
	r := img.Bounds()
	if m, ok := img.(*image.RGBA); ok && r.Min == (image.Point{}) && m.Opaque() {
		return m
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	if m, ok := img.(*image.Paletted); ok && m.Opaque() {
		paint(out, m)
		return out
	}
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, r.Min, draw.Over)
	return out
}

// paint copies a picture with a palette, without asking for each pixel's colour.
func paint(out *image.RGBA, m *image.Paletted) {
	var colours [256]color.RGBA
	for i, c := range m.Palette {
		colours[i] = color.RGBAModel.Convert(c).(color.RGBA)
	}
	w := out.Rect.Dx()
	for y := range out.Rect.Dy() {
		from, to := m.Pix[y*m.Stride:][:w], out.Pix[y*out.Stride:][:4*w]
		for x, i := range from {
			c := colours[i]
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = c.R, c.G, c.B, 0xFF
		}
	}
}

// Result is a picture after its edits, and what is to be told about them.
type Result struct {
	Picture
	Areas   int // that are covered, and not cropped away
	Covered int // thousandths of the picture; at least 1 when anything is
	Cropped bool
	// origin is where the picture's corner lies in the picture as it came.
	origin image.Point
}

// Apply makes the edits in order. The picture that it was given keeps its
// pixels. Errors: pow.ErrUsage for more than MaxEdits, an unknown kind, or a crop
// that leaves nothing.
func Apply(p Picture, edits []pow.Edit) (Result, error) {
	if len(edits) > MaxEdits {
		return Result{}, usage("too many areas in one picture")
	}
	r := Result{Picture: p}
	r.Image = clone(p.Image, p.Image.Rect)
	var areas []image.Rectangle
	for _, e := range edits {
		switch e.Kind {
		case pow.EditRedact, pow.EditBlur:
			area := grow(rectOf(e.Rect, r.Image.Rect), r.Grid, r.origin).Intersect(r.Image.Rect)
			if e.Rect.Empty() {
				area = r.Image.Rect
			}
			if area.Empty() {
				continue // beside the picture
			}
			if e.Kind == pow.EditRedact {
				redact(r.Image, area)
			} else {
				blur(r.Image, area)
			}
			areas = append(areas, area)
		case pow.EditCrop:
			var err error
			if areas, err = r.crop(e.Rect, areas); err != nil {
				return Result{}, err
			}
		default:
			return Result{}, usage("unknown edit")
		}
	}
	r.Areas, r.Covered = len(areas), permille(areas, r.Image.Rect)
	return r, nil
}

func usage(what string) error { return &pow.Error{Code: pow.ErrUsage.Code, What: what} }

// crop cuts the picture, and what is known in its pixels, to a rectangle; to the
// active window where that is empty. A picture without either stays as it is.
func (r *Result) crop(to pow.Rect, areas []image.Rectangle) (left []image.Rectangle, err error) {
	if to.Empty() {
		to = r.Window
	}
	if to.Empty() {
		return areas, nil
	}
	part := rectOf(to, r.Image.Rect)
	switch {
	case part.Empty():
		return nil, usage("nothing would be left of the picture")
	case part == r.Image.Rect:
		return areas, nil
	}
	r.Image, r.Cropped, r.origin = clone(r.Image, part), true, r.origin.Add(part.Min)
	for _, a := range areas {
		if a = a.Intersect(part).Sub(part.Min); !a.Empty() {
			left = append(left, a)
		}
	}
	w := rectOf(r.Window, image.Rect(0, 0, MaxSide, MaxSide)).Intersect(part).Sub(part.Min)
	r.Window = pow.Rect{X: w.Min.X, Y: w.Min.Y, W: w.Dx(), H: w.Dy()}
	return left, nil
}

// clone copies a part of img to a picture of its own.
func clone(img *image.RGBA, part image.Rectangle) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	for y := range part.Dy() {
		copy(out.Pix[y*out.Stride:][:out.Stride], img.Pix[img.PixOffset(part.Min.X, part.Min.Y+y):])
	}
	return out
}

// rectOf is the part of r inside of whole; empty when there is none. No sum of
// numbers that a stranger chose can overflow.
func rectOf(r pow.Rect, whole image.Rectangle) image.Rectangle {
	const far = 1 << 30
	bound := func(n int) int { return max(-far, min(far, n)) }
	if r.Empty() {
		return image.Rectangle{}
	}
	x, y := bound(r.X), bound(r.Y)
	return image.Rectangle{Min: image.Pt(x, y), Max: image.Pt(x+bound(r.W), y+bound(r.H))}.Intersect(whole)
}

// grow widens a rectangle to whole cells of the grid, which begins at the corner
// of the picture as it came, so many pixels before this one's.
func grow(r image.Rectangle, grid int, origin image.Point) image.Rectangle {
	if r.Empty() {
		return r
	}
	r = r.Add(origin)
	up := func(n int) int { return (n + grid - 1) / grid * grid }
	return image.Rect(r.Min.X/grid*grid, r.Min.Y/grid*grid, up(r.Max.X), up(r.Max.Y)).Sub(origin)
}

// redact writes the solid colour over an area.
func redact(img *image.RGBA, area image.Rectangle) {
	line := bytes.Repeat([]byte{Redaction.R, Redaction.G, Redaction.B, Redaction.A}, area.Dx())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		copy(img.Pix[img.PixOffset(area.Min.X, y):], line)
	}
}

// permille is the share of whole that the union of areas covers, by the grid of
// their own edges.
func permille(areas []image.Rectangle, whole image.Rectangle) int {
	xs, ys := []int{}, []int{}
	for _, a := range areas {
		xs, ys = append(xs, a.Min.X, a.Max.X), append(ys, a.Min.Y, a.Max.Y)
	}
	xs, ys = ordered(xs), ordered(ys)
	sum := 0
	for j := 1; j < len(ys); j++ {
		for i := 1; i < len(xs); i++ {
			cell := image.Rect(xs[i-1], ys[j-1], xs[i], ys[j])
			for _, a := range areas {
				if cell.In(a) {
					sum += cell.Dx() * cell.Dy()
					break
				}
			}
		}
	}
	if sum == 0 {
		return 0
	}
	return max(1, int(int64(sum)*1000/int64(whole.Dx()*whole.Dy())))
}
