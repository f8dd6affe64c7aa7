package widgets

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Frame is how the border of a Cell is drawn: its shape tells the state.
type Frame int

// The frames.
const (
	Dashed  Frame = iota // waits
	Firm                 // looked at
	Hatched              // there is no picture
	Vacant               // there is nothing any more
	Hexagon              // sealed, read only
)

// ink is what a frame is drawn with: its line, and the ground around it.
type ink struct{ line, ground color.NRGBA }

// frameDrawing builds the SVG of a frame. Its name says all that is in it,
// because Fyne caches drawings by name.
func frameDrawing(f Frame, size fyne.Size, c ink) fyne.Resource {
	name := fmt.Sprintf("frame-%d-%gx%g-%s-%s.svg", f, size.Width, size.Height, hexOf(c.line), hexOf(c.ground))
	w, h := size.Width, size.Height
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g">`, w, h, w, h)
	path := func(c color.NRGBA, d string) { fmt.Fprintf(&s, `<path fill="#%s" d="%s"/>`, hexOf(c), d) }
	switch f {
	case Dashed:
		path(c.line, dashes(w, h))
	case Hatched:
		path(c.line, stripes(w, h)+border(w, h, 1))
	case Hexagon:
		p := h / 4
		path(c.ground, polygon(0, 0, p, 0, 0, h/2)+polygon(w-p, 0, w, 0, w, h/2)+polygon(0, h/2, p, h, 0, h)+polygon(w, h/2, w, h, w-p, h))
		path(c.line, hexRing(w, h, p, 2))
	case Vacant:
		path(c.line, border(w, h, 1))
	default:
		path(c.line, border(w, h, frameWidth))
	}
	s.WriteString(`</svg>`)
	return fyne.NewStaticResource(name, []byte(s.String()))
}

// frameWidth is the thickness of a frame, its radius that of a thumbnail.
const frameWidth = 2

func hexOf(c color.NRGBA) string { return fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B) }

// polygon draws straight lines through pairs of coordinates.
func polygon(xy ...float32) string {
	var s strings.Builder
	for i := 0; i+1 < len(xy); i += 2 {
		op := 'L'
		if i == 0 {
			op = 'M'
		}
		fmt.Fprintf(&s, "%c%.4g %.4g", op, xy[i], xy[i+1])
	}
	return s.String() + "Z"
}

// bend is how far the handles of a quarter circle reach, of its radius.
const bend = 0.5523

// border is a rounded outline, with its hole wound the other way.
func border(w, h, thick float32) string {
	return rounded(0, 0, w, h, theme.RadiusThumb, false) + rounded(thick, thick, w-thick, h-thick, theme.RadiusThumb-thick, true)
}

func rounded(x, y, right, bottom, r float32, hole bool) string {
	k := r * (1 - bend)
	if hole {
		return fmt.Sprintf("M%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gZ",
			x+r, y, x+k, y, x, y+k, x, y+r, x, bottom-r, x, bottom-k, x+k, bottom, x+r, bottom,
			right-r, bottom, right-k, bottom, right, bottom-k, right, bottom-r, right, y+r, right, y+k, right-k, y, right-r, y)
	}
	return fmt.Sprintf("M%g %gL%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gZ",
		x+r, y, right-r, y, right-k, y, right, y+k, right, y+r, right, bottom-r, right, bottom-k, right-k, bottom, right-r, bottom,
		x+r, bottom, x+k, bottom, x, bottom-k, x, bottom-r, x, y+r, x, y+k, x+k, y, x+r, y)
}

// dashes is a broken outline: four rounded corners and an even row along each side.
func dashes(w, h float32) string {
	const r, t = theme.RadiusThumb, float32(frameWidth)
	var s strings.Builder
	corner := func(cx, cy, sx, sy float32) { // from the middle of the arc's circle outwards
		o, i := r, r-t
		ko, ki := o*bend, i*bend
		fmt.Fprintf(&s, "M%g %gC%g %g %g %g %g %gL%g %gC%g %g %g %g %g %gZ",
			cx+sx*o, cy, cx+sx*o, cy+sy*ko, cx+sx*ko, cy+sy*o, cx, cy+sy*o,
			cx, cy+sy*i, cx+sx*ki, cy+sy*i, cx+sx*i, cy+sy*ki, cx+sx*i, cy)
	}
	corner(r, r, -1, -1)
	corner(w-r, r, 1, -1)
	corner(r, h-r, -1, 1)
	corner(w-r, h-r, 1, 1)
	along(w-2*r, func(from, to float32) {
		s.WriteString(polygon(r+from, 0, r+to, 0, r+to, t, r+from, t))
		s.WriteString(polygon(r+from, h-t, r+to, h-t, r+to, h, r+from, h))
	})
	along(h-2*r, func(from, to float32) {
		s.WriteString(polygon(0, r+from, t, r+from, t, r+to, 0, r+to))
		s.WriteString(polygon(w-t, r+from, w, r+from, w, r+to, w-t, r+to))
	})
	return s.String()
}

// along spreads dashes over a length, with a gap at both ends.
func along(length float32, put func(from, to float32)) {
	const dash, gap = 6, 4
	n := max(1, int((length-gap)/(dash+gap)))
	space := (length - float32(n)*dash) / float32(n+1)
	for i := range n {
		from := space + float32(i)*(dash+space)
		put(from, from+dash)
	}
}

// stripes fills the inside with thin lines that rise to the right.
func stripes(w, h float32) string {
	const step, thick, edge = 8, 1.4, 2
	var s strings.Builder
	for k := float32(step); k < w+h; k += step {
		if p := clip(clip([]float32{edge, edge, w - edge, edge, w - edge, h - edge, edge, h - edge}, k, 1), k+thick, -1); len(p) >= 6 {
			s.WriteString(polygon(p...))
		}
	}
	return s.String()
}

// clip keeps the part of a polygon where sign·(x+y) ≥ sign·k.
func clip(p []float32, k, sign float32) (out []float32) {
	n := len(p) / 2
	for i := range n {
		ax, ay := p[2*i], p[2*i+1]
		j := (i + 1) % n
		bx, by := p[2*j], p[2*j+1]
		a, b := sign*(ax+ay-k), sign*(bx+by-k)
		if a >= 0 {
			out = append(out, ax, ay)
		}
		if (a >= 0) != (b >= 0) {
			f := a / (a - b)
			out = append(out, ax+f*(bx-ax), ay+f*(by-ay))
		}
	}
	return out
}

// hexRing is the outline of a hexagon that points left and right.
func hexRing(w, h, p, t float32) string {
	sx, sy := t*1.15, t
	q := p * (h - 2*sy) / h
	return polygon(0, h/2, p, 0, w-p, 0, w, h/2, w-p, h, p, h) +
		polygon(sx, h/2, sx+q, h-sy, w-sx-q, h-sy, w-sx, h/2, w-sx-q, sy, sx+q, sy)
}

// stripHeight is the height of a project's strip below a cell.
const stripHeight = 4

// stripDrawing builds the SVG of a project's strip: its colour and its pattern.
func stripDrawing(b theme.Badge, width float32) fyne.Resource {
	name := fmt.Sprintf("strip-%s-%d-%g.svg", hexOf(b.Fill), b.Pattern, width)
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%d" viewBox="0 0 %g %d">`, width, stripHeight, width, stripHeight)
	fmt.Fprintf(&s, `<path fill="#%s" d="%s"/>`, hexOf(b.Fill), polygon(0, 0, width, 0, width, stripHeight, 0, stripHeight))
	if d := stripPath(b.Pattern, width); d != "" {
		fmt.Fprintf(&s, `<path fill="#%s" d="%s"/>`, hexOf(b.Ink), d)
	}
	s.WriteString(`</svg>`)
	return fyne.NewStaticResource(name, []byte(s.String()))
}

func stripPath(p theme.Pattern, width float32) string {
	var s strings.Builder
	box := func(x, y, w, h float32) { s.WriteString(polygon(x, y, x+w, y, x+w, y+h, x, y+h)) }
	for x := float32(1); x+6 <= width; x += 8 {
		switch p {
		case theme.Rising:
			s.WriteString(polygon(x, 4, x+4, 0, x+6, 0, x+2, 4))
		case theme.Falling:
			s.WriteString(polygon(x, 0, x+2, 0, x+6, 4, x+4, 4))
		case theme.Hatch:
			s.WriteString(polygon(x, 4, x+4, 0, x+5.4, 0, x+1.4, 4) + polygon(x, 0, x+1.4, 0, x+5.4, 4, x+4, 4))
		case theme.Level:
			box(x-1, 1.4, 8, 1.2)
		case theme.Dots:
			box(x, 1, 2, 2)
			box(x+4, 1, 2, 2)
		case theme.Upright:
			box(x, 0, 1.4, 4)
			box(x+4, 0, 1.4, 4)
		case theme.Checker:
			box(x, 0, 3, 2)
			box(x+3, 2, 3, 2)
		}
	}
	return s.String()
}
