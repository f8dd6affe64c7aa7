//go:build unix && !darwin

package tray

import (
	"bytes"
	"fmt"
	"image/png"
	"strconv"
)

// pixmap is a picture as the StatusNotifierItem protocol wants it: ARGB, one
// byte each, not premultiplied.
type pixmap struct {
	Width, Height int32
	Data          []byte
}

// pixmaps returns an icon in every size.
func pixmaps(icon string, light bool) (out []pixmap, err error) {
	for _, size := range Sizes {
		b, err := pictures.ReadFile(fileName(icon, light, strconv.Itoa(size)))
		if err != nil {
			return nil, fmt.Errorf("read an icon: %w", err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("read an icon: %w", err)
		}
		r := img.Bounds()
		p := pixmap{Width: int32(r.Dx()), Height: int32(r.Dy())}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				red, green, blue, alpha := img.At(x, y).RGBA()
				if alpha > 0 {
					red, green, blue = red*0xffff/alpha, green*0xffff/alpha, blue*0xffff/alpha
				}
				p.Data = append(p.Data, byte(alpha>>8), byte(red>>8), byte(green>>8), byte(blue>>8))
			}
		}
		out = append(out, p)
	}
	return out, nil
}
