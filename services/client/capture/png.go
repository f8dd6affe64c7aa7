package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"

	"github.com/klauspost/compress/zlib"
)

// A filter is one of PNG's row filters. One is used for all rows of a picture.
type filter byte

const (
	filterNone filter = 0 // best for text: the same letter is the same bytes
	filterUp   filter = 2 // difference to the row above; best for soft surfaces
)

// deflateLevel is where the size of text falls by a seventh against the fastest
// level, for the same time; higher ones take far longer for little.
const deflateLevel = 4

// encodePNG writes img with one filter and a fast deflate: as small as
// image/png, which searches the best filter for every row, in a fifth of the
// time. With at most 256 colours it has a palette, else three bytes a pixel.
func encodePNG(img *image.RGBA, f filter) ([]byte, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	data := new(bytes.Buffer)
	if colours, indices, ok := palette(img); ok {
		chunk(&b, "IHDR", append(head, 8, 3, 0, 0, 0)) // 8 bits, palette, deflate, filters, not interlaced
		chunk(&b, "PLTE", colours)
		if err := deflate(data, h, func(y int) []byte { return indices[y*(1+w):][:1+w] }); err != nil {
			return nil, err
		}
	} else {
		chunk(&b, "IHDR", append(head, 8, 2, 0, 0, 0)) // the same with RGB
		if err := deflate(data, h, rgbLines(img, f)); err != nil {
			return nil, err
		}
	}
	chunk(&b, "IDAT", data.Bytes())
	chunk(&b, "IEND", nil)
	return b.Bytes(), nil
}

// chunk appends one PNG chunk: length, name, data, CRC of name and data.
func chunk(b *bytes.Buffer, name string, data []byte) {
	b.Grow(12 + len(data))
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
	start := b.Len()
	b.WriteString(name)
	b.Write(data)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b.Bytes()[start:])))
}

// deflate appends the lines 0 … n−1, each with its filter byte, as one zlib stream.
func deflate(b *bytes.Buffer, n int, line func(y int) []byte) error {
	z, err := zlib.NewWriterLevel(b, deflateLevel)
	if err != nil {
		return fmt.Errorf("write a PNG: %w", err)
	}
	for y := range n {
		if _, err := z.Write(line(y)); err != nil {
			return fmt.Errorf("write a PNG: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write a PNG: %w", err)
	}
	return nil
}

// rgbLines returns what makes the filtered lines of img, to be called in order.
// A line is good until the next call.
func rgbLines(img *image.RGBA, f filter) func(y int) []byte {
	w := img.Rect.Dx()
	line := make([]byte, 1+3*w)
	line[0] = byte(f)
	zero := make([]byte, 4*w)
	return func(y int) []byte {
		row, above := img.Pix[y*img.Stride:][:4*w], zero
		if f == filterUp && y > 0 {
			above = img.Pix[(y-1)*img.Stride:][:4*w]
		}
		difference(line[1:], row, above)
		return line
	}
}

// difference puts row − above into out, without the alpha of each pixel.
func difference(out, row, above []byte) {
	above = above[:len(row)]
	for i, o := 0, 0; i+3 < len(row) && o+2 < len(out); i, o = i+4, o+3 {
		out[o] = row[i] - above[i]
		out[o+1] = row[i+1] - above[i+1]
		out[o+2] = row[i+2] - above[i+2]
	}
}

// palette returns the colours of img and its lines as indices, each with the
// byte of filterNone before it; ok is false when there are more than 256 colours.
func palette(img *image.RGBA) (colours, lines []byte, ok bool) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	const slots = 1024 // a power of two; open addressing at a load of a quarter
	var table [slots]struct {
		colour uint32
		index  uint16 // from 1; 0: free
	}
	lines = make([]byte, h*(1+w))
	last, lastIndex := uint32(0), uint16(0)
	for y := range h {
		row, line := img.Pix[y*img.Stride:][:4*w], lines[y*(1+w)+1:][:w]
		for x := range line {
			c := binary.LittleEndian.Uint32(row[4*x:]) & 0xffffff
			if c != last || lastIndex == 0 {
				at := c * 2654435769 >> 22
				for table[at].index != 0 && table[at].colour != c {
					at = (at + 1) % slots
				}
				if table[at].index == 0 {
					if len(colours) == 3*256 {
						return nil, nil, false
					}
					colours = append(colours, byte(c), byte(c>>8), byte(c>>16))
					table[at].colour, table[at].index = c, uint16(len(colours)/3)
				}
				last, lastIndex = c, table[at].index
			}
			line[x] = byte(lastIndex - 1)
		}
	}
	return colours, lines, true
}
