package theme_test

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"pow.do/assets"
	"pow.do/ui/theme"
)

// Text needs 4.5:1 on its ground, shapes that carry a meaning 3:1 (WCAG 2).
func TestContrast(t *testing.T) {
	test.NewTempApp(t)
	pairs := []struct {
		least     float64
		front, on fyne.ThemeColorName
	}{
		{3, theme.Border, theme.Ground}, {3, theme.Border, theme.Surface},
		{3, theme.Faint, theme.Ground}, {3, theme.Faint, theme.Surface},
		{3, theme.Ring, theme.Ground}, {3, theme.Ring, theme.Surface}, {3, theme.Ring, theme.Band},
		{4.5, theme.Text, fynetheme.ColorNameButton}, {4.5, theme.Text, fynetheme.ColorNameSelection},
		{4.5, fynetheme.ColorNameForegroundOnPrimary, theme.Primary},
		{4.5, fynetheme.ColorNameForegroundOnSuccess, theme.Success},
		{4.5, fynetheme.ColorNameForegroundOnWarning, theme.Warning},
		{4.5, fynetheme.ColorNameForegroundOnError, theme.Danger},
		{4.5, theme.Muted, fynetheme.ColorNameSelection},
	}
	for _, front := range []fyne.ThemeColorName{theme.Text, theme.Muted, theme.Hint, theme.Primary,
		theme.Success, theme.Warning, theme.Danger, theme.Info, theme.Off, fynetheme.ColorNameHyperlink} {
		for _, on := range []fyne.ThemeColorName{theme.Ground, theme.Surface} {
			pairs = append(pairs, struct {
				least     float64
				front, on fyne.ThemeColorName
			}{4.5, front, on})
		}
		if tint := theme.Tint(front); tint != theme.Surface {
			pairs = append(pairs, struct {
				least     float64
				front, on fyne.ThemeColorName
			}{4.5, front, tint})
		}
	}
	for _, variant := range []theme.Variant{theme.Light, theme.Dark} {
		th := theme.New(variant)
		for _, p := range pairs {
			got := theme.Contrast(th.Color(p.front, 0), th.Color(p.on, 0))
			if got < p.least {
				t.Errorf("variant %d: %s on %s has %.2f:1, want %.1f", variant, p.front, p.on, got, p.least)
			}
		}
	}
}

// A desktop without a preference gets light, whole and not half.
func TestSystemVariant(t *testing.T) {
	test.NewTempApp(t)
	th := theme.New(theme.System)
	const noPreference = 2
	for v, dark := range map[fyne.ThemeVariant]bool{fynetheme.VariantDark: true, fynetheme.VariantLight: false, noPreference: false} {
		if got := th.Dark(v); got != dark {
			t.Errorf("variant %d: dark %v, want %v", v, got, dark)
		}
	}
}

func TestProjectColoursAreReadable(t *testing.T) {
	test.NewTempApp(t)
	light, dark := theme.New(theme.Light), theme.New(theme.Dark)
	asked := []string{"", "", "", "#ffee00", "#000000", "#ffffff", "#010101", "#7f7f7f", "no", "#12345"}
	for i, c := range asked {
		b := theme.BadgeFor(strings.Repeat("a", i+1), "Kiosk app", c)
		if got := theme.Contrast(b.Fill, light.Color(theme.Ground, 0)); got < 3 {
			t.Errorf("%q: %.2f:1 on light", c, got)
		}
		if got := theme.Contrast(b.Fill, dark.Color(theme.Surface, 0)); got < 3 {
			t.Errorf("%q: %.2f:1 on dark", c, got)
		}
		if got := theme.Contrast(b.Fill, b.Ink); got < 4.5 {
			t.Errorf("%q: letters have %.2f:1", c, got)
		}
	}
}

func TestLetters(t *testing.T) {
	test.NewTempApp(t)
	for name, want := range map[string]string{
		"Acme Corp": "AC", "Kiosk app": "KI", "website": "WE", "AAB": "AB", "": "", "Ärzte Ost": "ÄO", "7 Days": "7D", "x": "X",
	} {
		if got := theme.BadgeFor("id", name, "").Letters; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEveryIconHasADrawing(t *testing.T) {
	entries, err := assets.Icons.ReadDir("icons")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, n := range theme.IconNames {
		named[string(n)+".svg"] = true
	}
	for _, e := range entries {
		if !named[e.Name()] {
			t.Errorf("%s has no name", e.Name())
		}
		delete(named, e.Name())
	}
	for n := range named {
		t.Errorf("%s has no drawing", n)
	}
}

// Fyne writes an icon anew when it colours it and drops what it does not know:
// the coloured shape has to be the same as the drawn one, at every size.
func TestIconsKeepTheirShapeWhenColoured(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	for _, n := range theme.IconNames {
		b, err := assets.Icons.ReadFile("icons/" + string(n) + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		if bad := forbidden(b); bad != "" {
			t.Errorf("%s: %s does not survive colouring", n, bad)
		}
		for _, size := range []int{16, 20, 24, 48} {
			plain := mask(fyne.NewStaticResource("plain-"+string(n)+".svg", b), size)
			ours := mask(theme.Icon(n, theme.Danger), size)
			if !bytes.Equal(plain, ours) {
				t.Errorf("%s at %d: the coloured shape differs", n, size)
			}
			if full := bytes.Count(ours, []byte{1}); full == 0 || full == len(ours) {
				t.Errorf("%s at %d: nothing to see", n, size)
			}
		}
	}
}

func forbidden(svg []byte) string {
	for _, s := range []string{"stroke", "fill-rule", "style", "class", "<line", "<polyline", "<defs", "rx=", "opacity", "gradient"} {
		if bytes.Contains(svg, []byte(s)) {
			return s
		}
	}
	return ""
}

// mask tells for each pixel whether it is covered by more than half.
func mask(r fyne.Resource, size int) []byte {
	i := canvas.NewImageFromResource(r)
	i.FillMode = canvas.ImageFillContain
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(i)
	c.Resize(fyne.NewSquareSize(float32(size)))
	return covered(c.Capture())
}

func covered(m image.Image) []byte {
	var out []byte
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			_, _, _, a := m.At(x, y).RGBA()
			out = append(out, byte(a>>15))
		}
	}
	return out
}
