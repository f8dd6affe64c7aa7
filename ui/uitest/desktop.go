package uitest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

// Desktop draws a screen with two windows on it, as a JPEG, for pages that show
// pictures. Covered puts a solid area over one of them.
func Desktop(width, height int, covered bool) []byte {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	fill := func(x, y, w, h int, c color.RGBA) {
		r := image.Rect(x*width/160, y*height/90, (x+w)*width/160, (y+h)*height/90)
		draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	fill(0, 0, 160, 90, color.RGBA{0x2b, 0x3a, 0x55, 0xff})
	fill(8, 8, 88, 66, color.RGBA{0xf6, 0xf7, 0xf9, 0xff})
	fill(8, 8, 88, 6, color.RGBA{0xd0, 0xd7, 0xde, 0xff})
	for i := range 9 {
		fill(14, 20+i*5, 30+(i*17)%42, 2, color.RGBA{0x58, 0x66, 0x75, 0xff})
	}
	fill(78, 28, 72, 52, color.RGBA{0x1d, 0x24, 0x2c, 0xff})
	for i := range 7 {
		fill(82, 34+i*6, 16+(i*23)%44, 2, color.RGBA{0x6f, 0xd0, 0xb8, 0xff})
	}
	if covered {
		fill(12, 18, 62, 26, color.RGBA{0x0b, 0x0f, 0x14, 0xff})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		panic("draw the test's desktop: " + err.Error())
	}
	return b.Bytes()
}
