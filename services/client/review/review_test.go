package review_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pow.do/services/client/review"
	"pow.do/services/pow"
)

// noise is a picture in which no pixel has the redaction's red.
func noise(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(0x40 + r.IntN(0xC0))
		if i%4 == 3 {
			img.Pix[i] = 0xFF
		}
	}
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, b []byte) review.Picture {
	t.Helper()
	p, err := review.Decode(b, pow.Rect{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func drawRect(t *rapid.T, side int) pow.Rect {
	n := rapid.IntRange(-side, 2*side)
	return pow.Rect{X: n.Draw(t, "x"), Y: n.Draw(t, "y"), W: rapid.IntRange(1, side).Draw(t, "w"), H: rapid.IntRange(1, side).Draw(t, "h")}
}

func inside(r pow.Rect, x, y int) bool { return x >= r.X && y >= r.Y && x < r.X+r.W && y < r.Y+r.H }

// TestRedactedAreasHoldNothing: inside one colour, outside every pixel as it was.
func TestRedactedAreasHoldNothing(t *testing.T) {
	const side = 48
	original := decode(t, asPNG(t, noise(side, side)))
	rapid.Check(t, func(t *rapid.T) {
		var edits []pow.Edit
		for range rapid.IntRange(0, 5).Draw(t, "areas") {
			edits = append(edits, pow.Edit{Kind: pow.EditRedact, Rect: drawRect(t, side)})
		}
		r, err := review.Apply(original, edits)
		if err != nil {
			t.Fatal(err)
		}
		covered := 0
		for y := range side {
			for x := range side {
				hit := false
				for _, e := range edits {
					hit = hit || inside(e.Rect, x, y)
				}
				want := original.Image.RGBAAt(x, y)
				if hit {
					want = review.Redaction
					covered++
				}
				if got := r.Image.RGBAAt(x, y); got != want {
					t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
				}
			}
		}
		if want := covered * 1000 / (side * side); r.Covered != want && !(want == 0 && covered > 0 && r.Covered == 1) {
			t.Fatalf("%d permille are covered, want %d", r.Covered, want)
		}
	})
}

// TestBlurKeepsMeansOnly: two pictures with the same means of 16 by 16 pixels
// blur to the same picture.
func TestBlurKeepsMeansOnly(t *testing.T) {
	a := image.NewRGBA(image.Rect(0, 0, 64, 48))
	b := image.NewRGBA(a.Rect)
	for y := range 48 {
		for x := range 64 {
			a.SetRGBA(x, y, color.RGBA{100, 50, 20, 255})
			b.SetRGBA(x, y, color.RGBA{byte(200 * ((x + y) % 2)), 50, byte(40 * (x / 8 % 2)), 255})
		}
	}
	all := []pow.Edit{{Kind: pow.EditBlur}}
	first, err1 := review.Apply(decode(t, asPNG(t, a)), all)
	second, err2 := review.Apply(decode(t, asPNG(t, b)), all)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Image.Pix, second.Image.Pix) || first.Covered != 1000 || first.Areas != 1 {
		t.Errorf("a blurred area knows more than its means; %d permille", first.Covered)
	}
	if !bytes.Equal(first.Image.Pix, a.Pix) {
		t.Error("a blur changes what has one colour")
	}
}

func TestBlurLeavesTheRest(t *testing.T) {
	const side = 40
	original := decode(t, asPNG(t, noise(side, side)))
	rapid.Check(t, func(t *rapid.T) {
		area := drawRect(t, side)
		r, err := review.Apply(original, []pow.Edit{{Kind: pow.EditBlur, Rect: area}})
		if err != nil {
			t.Fatal(err)
		}
		for y := range side {
			for x := range side {
				if !inside(area, x, y) && r.Image.RGBAAt(x, y) != original.Image.RGBAAt(x, y) {
					t.Fatalf("pixel %d,%d outside of %v changed", x, y, area)
				}
			}
		}
	})
}

// TestJPEGAreasAreWholeBlocks: no block holds both what is covered and what is not.
func TestJPEGAreasAreWholeBlocks(t *testing.T) {
	p := decode(t, asJPEG(t, noise(70, 50)))
	r, err := review.Apply(p, []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 17, Y: 20, W: 3, H: 20}}})
	if err != nil {
		t.Fatal(err)
	}
	for y := range 50 {
		for x := range 70 {
			want := x >= 16 && x < 32 && y >= 16 && y < 48
			if got := r.Image.RGBAAt(x, y) == review.Redaction; got != want {
				t.Fatalf("pixel %d,%d: covered %v, want %v", x, y, got, want)
			}
		}
	}
}

// A crop moves the blocks; areas behind it still cover whole ones.
func TestJPEGBlocksAfterACrop(t *testing.T) {
	p := decode(t, asJPEG(t, noise(70, 50)))
	r, err := review.Apply(p, []pow.Edit{
		{Kind: pow.EditCrop, Rect: pow.Rect{X: 5, Y: 3, W: 60, H: 40}},
		{Kind: pow.EditCrop, Rect: pow.Rect{X: 2, Y: 4, W: 50, H: 30}}, // now at 7, 7 of what came
		{Kind: pow.EditRedact, Rect: pow.Rect{X: 10, Y: 10, W: 1, H: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for y := range 30 {
		for x := range 50 {
			want := (x+7)/16 == 17/16 && (y+7)/16 == 17/16
			if got := r.Image.RGBAAt(x, y) == review.Redaction; got != want {
				t.Fatalf("pixel %d,%d: covered %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestCrop(t *testing.T) {
	p := decode(t, asPNG(t, noise(60, 40)))
	p.Window = pow.Rect{X: 10, Y: 5, W: 30, H: 20}
	edits := []pow.Edit{
		{Kind: pow.EditRedact, Rect: pow.Rect{X: 0, Y: 0, W: 15, H: 10}}, // reaches into the window
		{Kind: pow.EditRedact, Rect: pow.Rect{X: 50, Y: 30, W: 5, H: 5}}, // outside
		{Kind: pow.EditCrop}, // to the window
		{Kind: pow.EditRedact, Rect: pow.Rect{X: 29, Y: 19, W: 9, H: 9}}, // its last pixel
	}
	r, err := review.Apply(p, edits)
	if err != nil {
		t.Fatal(err)
	}
	if r.Image.Rect != image.Rect(0, 0, 30, 20) || !r.Cropped || r.Areas != 2 || r.Covered != (25+1)*1000/600 || r.Window != (pow.Rect{W: 30, H: 20}) {
		t.Errorf("%v cropped %v, %d areas, %d permille, window %v", r.Image.Rect, r.Cropped, r.Areas, r.Covered, r.Window)
	}
	for _, c := range []struct{ x, y, fromX, fromY int }{{6, 6, 16, 11}, {28, 18, 38, 23}} {
		if r.Image.RGBAAt(c.x, c.y) != p.Image.RGBAAt(c.fromX, c.fromY) {
			t.Errorf("pixel %d,%d is not the one of %d,%d", c.x, c.y, c.fromX, c.fromY)
		}
	}
	if r.Image.RGBAAt(29, 19) != review.Redaction || r.Image.RGBAAt(0, 0) != review.Redaction {
		t.Error("an area went lost in the crop")
	}
	if _, err := review.Apply(p, []pow.Edit{{Kind: pow.EditCrop, Rect: pow.Rect{X: 60, Y: 0, W: 5, H: 5}}}); !errors.Is(err, pow.ErrUsage) {
		t.Errorf("a crop to nothing: %v", err)
	}
	p.Window = pow.Rect{}
	if r, err := review.Apply(p, []pow.Edit{{Kind: pow.EditCrop}}); err != nil || r.Cropped {
		t.Errorf("a crop to an unknown window: %v %v", r.Cropped, err)
	}
}

func TestApplyKeepsItsInput(t *testing.T) {
	p := decode(t, asPNG(t, noise(20, 20)))
	before := bytes.Clone(p.Image.Pix)
	const big = int(^uint(0) >> 1)
	for _, rect := range []pow.Rect{{}, {X: big, Y: big, W: big, H: big}, {X: -big - 1, Y: 0, W: big, H: 1}, {X: 3, Y: 3, W: big, H: big}} {
		for _, kind := range []pow.EditKind{pow.EditRedact, pow.EditBlur} {
			if _, err := review.Apply(p, []pow.Edit{{Kind: kind, Rect: rect}}); err != nil {
				t.Errorf("%s %v: %v", kind, rect, err)
			}
		}
	}
	if !bytes.Equal(before, p.Image.Pix) {
		t.Error("the original changed")
	}
	for name, edits := range map[string][]pow.Edit{"unknown": {{Kind: "pixelate"}}, "too many": make([]pow.Edit, review.MaxEdits+1)} {
		if _, err := review.Apply(p, edits); !errors.Is(err, pow.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScale(t *testing.T) {
	img := noise(200, 100)
	for _, c := range []struct{ maxW, maxH, w, h int }{
		{0, 0, 200, 100}, {400, 400, 200, 100}, {100, 0, 100, 50}, {0, 10, 20, 10}, {100, 10, 20, 10}, {1, 1, 1, 1},
	} {
		got := review.Scale(img, c.maxW, c.maxH)
		if got.Rect != image.Rect(0, 0, c.w, c.h) {
			t.Errorf("into %d×%d: %v", c.maxW, c.maxH, got.Rect)
		}
	}
	one := review.Scale(img, 1, 1).RGBAAt(0, 0)
	sum := 0
	for i := 0; i < len(img.Pix); i += 4 {
		sum += int(img.Pix[i])
	}
	if int(one.R) != sum/(200*100) || one.A != 255 {
		t.Errorf("one pixel is %v, the mean red %d", one, sum/(200*100))
	}
}

func TestDecode(t *testing.T) {
	translucent := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	translucent.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	translucent.SetNRGBA(1, 0, color.NRGBA{200, 100, 50, 255})
	p := decode(t, asPNG(t, translucent))
	if p.Image.RGBAAt(0, 0) != (color.RGBA{0, 0, 0, 255}) || p.Image.RGBAAt(1, 0) != (color.RGBA{200, 100, 50, 255}) {
		t.Errorf("pixels beneath transparency came to light: %v", p.Image.Pix)
	}
	few := image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{color.RGBA{1, 2, 3, 255}, color.RGBA{250, 251, 252, 255}})
	few.SetColorIndex(2, 1, 1)
	if p = decode(t, asPNG(t, few)); p.Image.RGBAAt(2, 1) != (color.RGBA{250, 251, 252, 255}) || p.Image.RGBAAt(0, 0) != (color.RGBA{1, 2, 3, 255}) {
		t.Errorf("palette: %v", p.Image.Pix)
	}
	whole := asPNG(t, noise(30, 30))
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("not a picture"), "cut": whole[:len(whole)/2], "cut jpeg": asJPEG(t, noise(30, 30))[:300],
		"wide": sized(whole, review.MaxSide+1, 1), "large": sized(whole, review.MaxSide, review.MaxSide), "huge": sized(whole, 1<<31-1, 1<<31-1),
	} {
		if _, err := review.Decode(b, pow.Rect{}); !errors.Is(err, review.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sized claims another size in a PNG's header.
func sized(b []byte, w, h uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func FuzzDecode(f *testing.F) {
	f.Add(asPNG(f, noise(9, 7)))
	f.Add(asJPEG(f, noise(9, 7)))
	f.Add(sized(asPNG(f, noise(3, 3)), 1<<20, 1<<20))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := review.Decode(b, pow.Rect{X: 1, Y: 1, W: 3, H: 3})
		if err != nil {
			return
		}
		if p.Image.Rect.Dx()*p.Image.Rect.Dy() > 1<<20 {
			return
		}
		if _, err := review.Apply(p, []pow.Edit{{Kind: pow.EditBlur}, {Kind: pow.EditCrop}, {Kind: pow.EditRedact, Rect: pow.Rect{W: 2, H: 2}}}); err != nil && !errors.Is(err, pow.ErrUsage) {
			t.Fatal(err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := asPNG(b, noise(1920, 1080))
	for b.Loop() {
		if _, err := review.Decode(data, pow.Rect{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlackOut(b *testing.B) {
	p := decode(b, asPNG(b, noise(1920, 1080)))
	for _, kind := range []pow.EditKind{pow.EditRedact, pow.EditBlur} {
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				if _, err := review.Apply(p, []pow.Edit{{Kind: kind, Rect: pow.Rect{X: 100, Y: 100, W: 800, H: 600}}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScale(b *testing.B) {
	img := noise(1920, 1080)
	for b.Loop() {
		review.Scale(img, 1280, 720)
	}
}
