package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"pow.do/services/client/capture"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEncodeKeepsTheSmaller(t *testing.T) {
	text, photo := textScreen(1920, 1080), photoScreen(1920, 1080)
	for _, c := range []struct {
		name   string
		img    *image.RGBA
		format string
		limit  int // bytes
	}{
		{"text", text, capture.PNG, 200_000},
		{"photo", photo, capture.JPG, 700_000},
		{"small text", textScreen(200, 100), capture.PNG, 20_000},
		{"small photo", photoScreen(200, 100), capture.JPG, 20_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := capture.Encode(frame(c.img))
			if err != nil {
				t.Fatal(err)
			}
			if p.Format != c.format || len(p.Data) > c.limit {
				t.Errorf("got %s of %d bytes, want %s of at most %d", p.Format, len(p.Data), c.format, c.limit)
			}
			if p.Width != c.img.Rect.Dx() || p.Height != c.img.Rect.Dy() {
				t.Errorf("size %d×%d", p.Width, p.Height)
			}
			checkPicture(t, p, c.img)
		})
	}
}

// checkPicture holds p against what readers of the archive accept, and a PNG
// against the pixels it was made of.
func checkPicture(t interface {
	Helper()
	Fatalf(string, ...any)
}, p capture.Picture, want *image.RGBA,
) {
	t.Helper()
	decode, bare := png.Decode, pngIsBare
	if p.Format == capture.JPG {
		decode, bare = jpeg.Decode, jpegIsBare
	}
	if !bare(p.Data) {
		t.Fatalf("%s with metadata or something behind its end", p.Format)
	}
	got, err := decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if got.Bounds() != want.Rect {
		t.Fatalf("bounds %v, want %v", got.Bounds(), want.Rect)
	}
	if p.Format == capture.PNG {
		for y := range want.Rect.Dy() {
			for x := range want.Rect.Dx() {
				if color.RGBAModel.Convert(got.At(x, y)) != want.RGBAAt(x, y) {
					t.Fatalf("pixel %d,%d is %v, want %v", x, y, got.At(x, y), want.RGBAAt(x, y))
				}
			}
		}
	}
	thumb, err := jpeg.Decode(bytes.NewReader(p.Thumb))
	if err != nil || !jpegIsBare(p.Thumb) {
		t.Fatalf("thumbnail: %v", err)
	}
	if s := thumb.Bounds().Size(); s.X > 320 || s.Y > 180 {
		t.Fatalf("thumbnail of %v", s)
	}
}

// pngIsBare tells whether b is IHDR, perhaps PLTE, IDAT and IEND with nothing else.
func pngIsBare(b []byte) bool {
	var names []string
	for b = b[8:]; len(b) >= 12; {
		n := int(binary.BigEndian.Uint32(b))
		names = append(names, string(b[4:8]))
		b = b[12+n:]
	}
	return len(b) == 0 && (slices.Equal(names, []string{"IHDR", "IDAT", "IEND"}) ||
		slices.Equal(names, []string{"IHDR", "PLTE", "IDAT", "IEND"}))
}

// jpegIsBare tells whether b has no APP1…APP15 and no COM, and ends with EOI.
func jpegIsBare(b []byte) bool {
	if !bytes.HasPrefix(b, []byte{0xff, 0xd8}) || !bytes.HasSuffix(b, []byte{0xff, 0xd9}) {
		return false
	}
	for b = b[2:]; len(b) > 4 && b[0] == 0xff; b = b[2+int(binary.BigEndian.Uint16(b[2:])):] {
		switch m := b[1]; {
		case m == 0xda:
			return true
		case m >= 0xe1 && m <= 0xef || m == 0xfe:
			return false
		}
	}
	return false
}

func TestEncodeAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 400).Draw(t, "w"), rapid.IntRange(1, 400).Draw(t, "h")
		slack := rapid.IntRange(0, 3).Draw(t, "slack")
		img := image.NewRGBA(image.Rect(0, 0, w+slack, h)).SubImage(image.Rect(0, 0, w, h)).(*image.RGBA)
		colours := rapid.SliceOfN(rapid.Uint32(), 1, 5).Draw(t, "colours")
		for y := range h {
			for x := range w {
				c := colours[(x*x+7*y)%len(colours)]
				img.SetRGBA(x, y, color.RGBA{uint8(c), uint8(c >> 8), uint8(c >> 16), 255})
			}
		}
		p, err := capture.Encode(frame(img))
		if err != nil {
			t.Fatal(err)
		}
		checkPicture(t, p, img)
	})
}

func TestEncodeRefuses(t *testing.T) {
	for name, img := range map[string]*image.RGBA{
		"none":       nil,
		"empty":      image.NewRGBA(image.Rectangle{}),
		"no rows":    image.NewRGBA(image.Rect(0, 0, 5, 0)),
		"too wide":   image.NewRGBA(image.Rect(0, 0, 16_385, 1)),
		"off origin": image.NewRGBA(image.Rect(1, 1, 5, 5)),
	} {
		if _, err := capture.Encode(frame(img)); !errors.Is(err, capture.ErrUnusable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The thumbnail of a picture that is red on the left and blue on the right has
// both colours where they belong, and the proportions of the whole.
func TestThumbnail(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2560, 1080))
	for y := range 1080 {
		for x := range 2560 {
			c := color.RGBA{200, 0, 0, 255}
			if x >= 1280 {
				c = color.RGBA{0, 0, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	p, err := capture.Encode(frame(img))
	if err != nil {
		t.Fatal(err)
	}
	thumb, err := jpeg.Decode(bytes.NewReader(p.Thumb))
	if err != nil {
		t.Fatal(err)
	}
	if thumb.Bounds().Size() != image.Pt(320, 135) {
		t.Errorf("size %v", thumb.Bounds().Size())
	}
	r, _, b, _ := thumb.At(80, 60).RGBA()
	r2, _, b2, _ := thumb.At(240, 60).RGBA()
	if r>>8 < 180 || b>>8 > 20 || b2>>8 < 180 || r2>>8 > 20 {
		t.Errorf("left %d %d, right %d %d", r>>8, b>>8, r2>>8, b2>>8)
	}
}
