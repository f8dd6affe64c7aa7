package tray_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"golang.org/x/image/vector"

	"pow.do/services/client/tray"
)

var update = flag.Bool("update", false, "draw the icons anew from assets/icons")

// The icons are drawn from the program's own SVG files; with -update this test
// writes them. Each is different in shape from all others.
func TestIcons(t *testing.T) {
	shapes := map[string]string{}
	for _, icon := range tray.Icons {
		for variant, ink := range map[string]color.NRGBA{"light": {0xf2, 0xf5, 0xf8, 0xff}, "dark": {0x1a, 0x22, 0x2b, 0xff}} {
			for _, size := range tray.Sizes {
				name := filepath.Join("icons", fmt.Sprintf("%s-%s-%d.png", icon, variant, size))
				mask := drawn(t, icon, size)
				img := image.NewNRGBA(mask.Rect)
				draw.DrawMask(img, img.Rect, image.NewUniform(ink), image.Point{}, mask, image.Point{}, draw.Src)
				var b bytes.Buffer
				if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
					t.Fatal(err)
				}
				if *update {
					if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				have, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if !same(t, have, img) {
					t.Errorf("%s is not what assets/icons/%s.svg draws: go test ./services/client/tray -update", name, icon)
				}
				if variant == "light" && size == 22 {
					if other, twice := shapes[string(mask.Pix)]; twice {
						t.Errorf("%s and %s have one shape", icon, other)
					}
					shapes[string(mask.Pix)] = icon
				}
			}
		}
	}
}

// same compares pixels: compressors may differ. A level of 8 is rounding.
func same(t *testing.T, file []byte, want *image.NRGBA) bool {
	t.Helper()
	got, err := png.Decode(bytes.NewReader(file))
	if err != nil || got.Bounds() != want.Rect {
		return false
	}
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			_, _, _, a := got.At(x, y).RGBA()
			_, _, _, b := want.At(x, y).RGBA()
			if d := int(a>>8) - int(b>>8); d > 8 || d < -8 {
				return false
			}
		}
	}
	return true
}

var (
	pathOf = regexp.MustCompile(` d="([^"]+)"`)
	step   = regexp.MustCompile(`[MLCHVZ]|-?[0-9.]+`)
)

// drawn renders an icon's path (absolute M, L, H, V, C and Z) as a mask.
func drawn(t *testing.T, icon string, size int) *image.Alpha {
	t.Helper()
	svg, err := os.ReadFile(filepath.Join("../../../assets/icons", icon+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	z := vector.NewRasterizer(size, size)
	for _, d := range pathOf.FindAllSubmatch(svg, -1) {
		words := step.FindAllString(string(d[1]), -1)
		scale := float32(size) / 24
		var pen, first [2]float32
		letter := ""
		next := func() float32 {
			v, err := strconv.ParseFloat(words[0], 32)
			if err != nil {
				t.Fatalf("%s: %q", icon, words[0])
			}
			words = words[1:]
			return float32(v) * scale
		}
		for len(words) > 0 {
			if c := words[0][0]; c >= 'A' && c <= 'Z' {
				letter, words = words[0], words[1:]
			}
			switch letter {
			case "M":
				pen = [2]float32{next(), next()}
				first = pen
				z.MoveTo(pen[0], pen[1])
				letter = "L"
			case "L":
				pen = [2]float32{next(), next()}
				z.LineTo(pen[0], pen[1])
			case "H":
				pen[0] = next()
				z.LineTo(pen[0], pen[1])
			case "V":
				pen[1] = next()
				z.LineTo(pen[0], pen[1])
			case "C":
				p := [6]float32{next(), next(), next(), next(), next(), next()}
				z.CubeTo(p[0], p[1], p[2], p[3], p[4], p[5])
				pen = [2]float32{p[4], p[5]}
			case "Z":
				z.ClosePath()
				pen = first
			}
		}
	}
	mask := image.NewAlpha(image.Rect(0, 0, size, size))
	z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return mask
}
