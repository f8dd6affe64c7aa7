package capture

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// The formats of Picture.Format, as pow.Capture names them.
const (
	PNG = "png"
	JPG = "jpg"
)

// jpegQuality is used for pictures and thumbnails.
const jpegQuality = 75

// Picture is an encoded Frame. Data and Thumb hold no metadata: a PNG has the
// chunks IHDR, IDAT and IEND only, a JPEG no APP and no COM segment.
type Picture struct {
	Format        string // PNG or JPG
	Width, Height int    // pixels
	Data          []byte
	Thumb         []byte // JPEG of at most 320×180 pixels
}

// Encode makes the smaller of PNG and JPEG out of f, and the thumbnail. Text and
// flat surfaces are smaller, and exact, as PNG; photographs are several times
// smaller as JPEG. For large frames a few strips are tried in both, as trying
// the whole would double the CPU time.
//
// Errors: ErrUnusable when the frame is empty or too large.
func Encode(f Frame) (Picture, error) {
	if f.Image == nil || f.Image.Rect.Min != (image.Point{}) {
		return Picture{}, fmt.Errorf("encode a picture: %w", ErrUnusable)
	}
	img := f.Image
	p := Picture{Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	if err := checkSize(p.Width, p.Height); err != nil {
		return Picture{}, fmt.Errorf("encode a picture: %w", err)
	}
	var err error
	if p.Format, p.Data, err = smaller(img); err != nil {
		return Picture{}, fmt.Errorf("encode a picture: %w", err)
	}
	if p.Thumb, err = encodeJPEG(shrink(img, thumbWidth, thumbHeight)); err != nil {
		return Picture{}, fmt.Errorf("encode a thumbnail: %w", err)
	}
	return p, nil
}

// smaller encodes img in the way that a sample of it says is smallest.
func smaller(img *image.RGBA) (format string, data []byte, err error) {
	ways := []struct {
		format string
		encode func(*image.RGBA) ([]byte, error)
	}{
		{PNG, func(m *image.RGBA) ([]byte, error) { return encodePNG(m, filterNone) }},
		{PNG, func(m *image.RGBA) ([]byte, error) { return encodePNG(m, filterUp) }},
		{JPG, encodeJPEG},
	}
	part, best := sample(img), ways[0]
	for _, way := range ways {
		tried, err := way.encode(part)
		if err != nil {
			return "", nil, err
		}
		if data == nil || len(tried) < len(data) {
			best, data = way, tried
		}
	}
	if part != img {
		data, err = best.encode(img)
	}
	return best.format, data, err
}

// A sample is strips of 16 rows (the height of JPEG's blocks) of the whole
// width, spread evenly.
const (
	strips      = 4
	stripHeight = 16
)

// sample returns a part of img that stands for all of it, or img itself when
// that is not much larger.
func sample(img *image.RGBA) *image.RGBA {
	h := img.Rect.Dy()
	if h < 3*strips*stripHeight {
		return img
	}
	part := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx(), strips*stripHeight))
	for i := range strips {
		from := (2*i + 1) * h / (2 * strips)
		for y := range stripHeight {
			copy(part.Pix[(i*stripHeight+y)*part.Stride:][:part.Stride], img.Pix[(from+y-stripHeight/2)*img.Stride:])
		}
	}
	return part
}

func encodeJPEG(img *image.RGBA) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: jpegQuality})
	return b.Bytes(), err
}
