package capture_test

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"time"

	"pow.do/services/client/capture"
)

// textScreen draws something like an editor beside a terminal: words of random
// glyphs with grey edges, in a few colours, on two flat grounds.
func textScreen(w, h int) *image.RGBA {
	rnd := rand.New(rand.NewPCG(1, 2))
	glyphs := make([][8 * 16]uint8, 90)
	for i := range glyphs {
		for range 5 { // a few strokes, soft at both sides
			x, y, down := 1+rnd.IntN(5), 3+rnd.IntN(9), rnd.IntN(2) == 0
			for k := range 5 {
				at := y*8 + min(x+k, 6)
				if down {
					at = min(y+k, 13)*8 + x
				}
				glyphs[i][at] = 255
				glyphs[i][at+1] = max(glyphs[i][at+1], uint8(60+rnd.IntN(3)*50))
			}
		}
	}
	inks := []color.RGBA{{220, 220, 220, 255}, {130, 170, 255, 255}, {195, 232, 141, 255}, {247, 140, 108, 255}}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	ground := func(x int) color.RGBA {
		if x < w*2/3 {
			return color.RGBA{38, 50, 56, 255}
		}
		return color.RGBA{16, 16, 16, 255}
	}
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, ground(x))
		}
	}
	for top := 8; top+16 <= h; top += 18 {
		x := 8 + 32*rnd.IntN(4)
		for end := x + rnd.IntN(w*3/4); x+8 <= min(end, w); {
			ink := inks[rnd.IntN(len(inks))]
			for range 2 + rnd.IntN(9) {
				stamp(img, x, top, &glyphs[rnd.IntN(len(glyphs))], ink, ground(x))
				x += 8
			}
			x += 8
		}
	}
	return img
}

func stamp(img *image.RGBA, left, top int, glyph *[8 * 16]uint8, ink, ground color.RGBA) {
	mix := func(a, b, n uint8) uint8 { return uint8((int(a)*int(n) + int(b)*(255-int(n))) / 255) }
	for i, n := range glyph {
		if p := image.Pt(left+i%8, top+i/8); n > 0 && p.In(img.Rect) {
			img.SetRGBA(p.X, p.Y, color.RGBA{mix(ink.R, ground.R, n), mix(ink.G, ground.G, n), mix(ink.B, ground.B, n), 255})
		}
	}
}

// photoScreen draws soft shapes with the noise of a camera.
func photoScreen(w, h int) *image.RGBA {
	rnd := rand.New(rand.NewPCG(3, 4))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			fx, fy := float64(x)/97, float64(y)/61
			level := func(phase float64) uint8 {
				v := 128 + 60*math.Sin(fx+phase)*math.Cos(fy-phase) + 30*math.Sin(fx*fy/5+phase) + rnd.Float64()*12
				return uint8(min(max(v, 0), 255))
			}
			img.SetRGBA(x, y, color.RGBA{level(0), level(1), level(2), 255})
		}
	}
	return img
}

func frame(img *image.RGBA) capture.Frame {
	return capture.Frame{Image: img, At: time.Unix(1_795_000_000, 0)}
}
