package capture

import (
	"encoding/binary"
	"image"
)

// Largest thumbnail, in pixels.
const (
	thumbWidth  = 320
	thumbHeight = 180
)

// Half returns f at half its width and height; Bounds stay as they are.
func Half(f Frame) Frame {
	f.Image = shrink(f.Image, max(1, f.Image.Rect.Dx()/2), max(1, f.Image.Rect.Dy()/2))
	return f
}

// JPEG returns f as a JPEG that fits into maxW×maxH pixels, without any metadata.
func JPEG(f Frame, maxW, maxH int) ([]byte, error) {
	return encodeJPEG(shrink(f.Image, maxW, maxH))
}

// shrink scales img down to fit into maxW×maxH, keeping its proportions: every
// new pixel is the mean of the old ones beneath it. Smaller pictures stay as
// they are.
func shrink(img *image.RGBA, maxW, maxH int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w <= maxW && h <= maxH {
		return img
	}
	tw, th := maxW, max(1, h*maxW/w)
	if th > maxH {
		tw, th = max(1, w*maxH/h), maxH
	}
	out := image.NewRGBA(image.Rect(0, 0, tw, th))
	sums := make([]uint64, w) // of the rows beneath one new row, per column
	for y := range th {
		top, bottom := y*h/th, (y+1)*h/th
		addRows(sums, img, top, bottom)
		meanRow(out.Pix[y*out.Stride:][:4*tw], sums, bottom-top)
	}
	return out
}

// addRows sets sums to the column sums of the rows [top, bottom), 16 bits for
// each of red, blue, green and alpha: enough for 257 rows, and the limits of a
// picture's sides leave fewer beneath one row of a thumbnail.
func addRows(sums []uint64, img *image.RGBA, top, bottom int) {
	clear(sums)
	for y := top; y < bottom; y++ {
		row := img.Pix[y*img.Stride:][:4*len(sums)]
		for x := range sums {
			v := binary.LittleEndian.Uint32(row[4*x:])
			sums[x] += uint64(v&0xff00ff) | uint64(v>>8&0xff00ff)<<32
		}
	}
}

// meanRow fills a row of new pixels from the column sums of so many rows.
func meanRow(out []byte, sums []uint64, rows int) {
	w, tw := len(sums), len(out)/4
	for x := range tw {
		left, right := x*w/tw, (x+1)*w/tw
		var r, g, b uint64
		for _, s := range sums[left:right] {
			r, b, g = r+s&0xffff, b+s>>16&0xffff, g+s>>32&0xffff
		}
		n := uint64(rows * (right - left))
		out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = byte(r/n), byte(g/n), byte(b/n), 0xff
	}
}
