package review

import (
	"image"
	"slices"
)

// blurred is the side of what one colour is kept of.
const blurred = 16

// blur scales an area down to a sixteenth of its width and height and back: each
// 16 by 16 pixels become their mean, and between the means it is smooth.
func blur(img *image.RGBA, area image.Rectangle) {
	w, h := (area.Dx()+blurred-1)/blurred, (area.Dy()+blurred-1)/blurred
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			cell := image.Rect(0, 0, blurred, blurred).Add(area.Min).Add(image.Pt(x, y).Mul(blurred)).Intersect(area)
			mean(small.Pix[small.PixOffset(x, y):], img, cell)
		}
	}
	for y := range area.Dy() {
		up, down, v := between(y, h)
		for x := range area.Dx() {
			left, right, u := between(x, w)
			to := img.Pix[img.PixOffset(area.Min.X+x, area.Min.Y+y):]
			a, b := small.Pix[small.PixOffset(left, up):], small.Pix[small.PixOffset(right, up):]
			c, d := small.Pix[small.PixOffset(left, down):], small.Pix[small.PixOffset(right, down):]
			for i := range 3 {
				top := int(a[i])*(steps-u) + int(b[i])*u
				bottom := int(c[i])*(steps-u) + int(d[i])*u
				to[i] = byte((top*(steps-v) + bottom*v) / (steps * steps))
			}
			to[3] = 0xFF
		}
	}
}

// steps is how finely a place between two means is told.
const steps = 2 * blurred

// between returns the two means around a pixel, of n, and how far it lies from
// the first, in steps.
func between(at, n int) (first, second, u int) {
	at = 2*at + 1 - blurred // twice the distance from the middle of the first cell
	if at <= 0 {
		return 0, 0, 0
	}
	first = min(at/steps, n-1)
	return first, min(first+1, n-1), at % steps
}

// mean writes the mean colour of a cell.
func mean(to []byte, img *image.RGBA, cell image.Rectangle) {
	var sum [3]int
	for y := cell.Min.Y; y < cell.Max.Y; y++ {
		row := img.Pix[img.PixOffset(cell.Min.X, y):][:4*cell.Dx()]
		for i := 0; i < len(row); i += 4 {
			sum[0], sum[1], sum[2] = sum[0]+int(row[i]), sum[1]+int(row[i+1]), sum[2]+int(row[i+2])
		}
	}
	n := cell.Dx() * cell.Dy()
	to[0], to[1], to[2], to[3] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n), 0xFF
}

// Scale returns img as large as fits into maxWidth by maxHeight pixels (0: any),
// never larger than it is, with its proportions: every new pixel is the mean of
// the old ones beneath it. A picture that fits is returned as it is.
func Scale(img *image.RGBA, maxWidth, maxHeight int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	tw, th := w, h
	if maxWidth > 0 && tw > maxWidth {
		tw, th = maxWidth, max(1, h*maxWidth/w)
	}
	if maxHeight > 0 && th > maxHeight {
		tw, th = max(1, w*maxHeight/h), maxHeight
	}
	if tw == w && th == h {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, tw, th))
	sums := make([]uint32, 3*w) // of the rows beneath one new row, by column
	for y := range th {
		top, bottom := y*h/th, (y+1)*h/th
		clear(sums)
		for row := top; row < bottom; row++ {
			add(sums, img.Pix[row*img.Stride:][:4*w])
		}
		scaleRow(out.Pix[y*out.Stride:][:4*tw], sums, uint32(bottom-top))
	}
	return out
}

func add(sums []uint32, row []byte) {
	for i, o := 0, 0; i+3 < len(row) && o+2 < len(sums); i, o = i+4, o+3 {
		sums[o] += uint32(row[i])
		sums[o+1] += uint32(row[i+1])
		sums[o+2] += uint32(row[i+2])
	}
}

// scaleRow makes a row of new pixels out of column sums of so many rows.
func scaleRow(out []byte, sums []uint32, rows uint32) {
	w, tw := len(sums)/3, len(out)/4
	for x := range tw {
		left, right := x*w/tw, (x+1)*w/tw
		var r, g, b uint64
		for s := sums[3*left : 3*right]; len(s) >= 3; s = s[3:] {
			r, g, b = r+uint64(s[0]), g+uint64(s[1]), b+uint64(s[2])
		}
		n := uint64(rows) * uint64(right-left)
		out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = byte(r/n), byte(g/n), byte(b/n), 0xFF
	}
}

// ordered sorts and removes repetitions.
func ordered(n []int) []int {
	slices.Sort(n)
	return slices.Compact(n)
}
