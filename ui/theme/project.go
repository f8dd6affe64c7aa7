package theme

import (
	"image/color"
	"math"
	"strconv"
	"unicode"

	"fyne.io/fyne/v2"
)

// Pattern is the drawing that tells a project's strip from another's without colour.
type Pattern int

// The patterns, in the order of the palette.
const (
	Solid Pattern = iota
	Rising
	Falling
	Hatch
	Level
	Dots
	Upright
	Checker
)

// On tells whether the pattern has ink at a place, in device-independent pixels.
func (p Pattern) On(x, y float32) bool {
	const step = 5
	in := func(v, width float32) bool {
		m := math.Mod(float64(v), step)
		if m < 0 {
			m += step
		}
		return m < float64(width)
	}
	switch p {
	case Rising:
		return in(x+y, 2)
	case Falling:
		return in(x-y, 2)
	case Hatch:
		return in(x+y, 1.6) || in(x-y, 1.6)
	case Level:
		return in(y, 2)
	case Dots:
		return in(x, 2.4) && in(y+1, 2.4)
	case Upright:
		return in(x, 2)
	case Checker:
		return in(x, 2.5) == in(y, 2.5)
	}
	return true
}

// palette returns the eight project colours. All have 3:1 on the light ground
// and on the dark surface; they stay apart in the three colour blindnesses.
func palette() [8]color.NRGBA {
	return [8]color.NRGBA{
		rgb(0x6C84FC), rgb(0xB44818), rgb(0x3C7848), rgb(0x9C84B4),
		rgb(0x3C9C90), rgb(0xA88400), rgb(0xAE5872), rgb(0x606C90),
	}
}

// Badge is how a project looks: colour, pattern, two letters and their colour.
type Badge struct {
	Fill    color.NRGBA
	Ink     color.NRGBA
	Pattern Pattern
	Letters string
}

// BadgeFor derives a project's looks from its id and name. asked is the
// catalogue's #rrggbb or empty; it is moved in lightness until it has 3:1 on
// the light ground and on the dark surface. The pattern follows from the id, so
// it is the same on every computer and after every restart.
func BadgeFor(id, name, asked string) Badge {
	sum := 0
	for _, c := range id {
		sum += int(c)
	}
	n := sum % 8
	fill, ok := parseHex(asked)
	switch {
	case plain():
		fill = palette()[Checker] // slate, the least of a colour
	case ok:
		fill = readable(fill)
	default:
		fill = palette()[n]
	}
	return Badge{Fill: fill, Ink: inkOn(fill), Pattern: Pattern(n), Letters: letters(name)}
}

// plain tells whether the theme in use has few colours.
func plain() bool {
	t, ok := fyne.CurrentApp().Settings().Theme().(*Theme)
	return ok && t.looks.Plain
}

// letters returns the first two distinct capitals of a name, else its first two letters.
func letters(name string) string {
	var caps, plain []rune
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		if len(plain) < 2 {
			plain = append(plain, unicode.ToUpper(r))
		}
		if (unicode.IsUpper(r) || unicode.IsDigit(r)) && len(caps) < 2 && (len(caps) == 0 || caps[0] != r) {
			caps = append(caps, r)
		}
	}
	if len(caps) == 2 {
		return string(caps)
	}
	return string(plain)
}

func parseHex(s string) (color.NRGBA, bool) {
	if len(s) != 7 || s[0] != '#' {
		return color.NRGBA{}, false
	}
	v, err := strconv.ParseUint(s[1:], 16, 24)
	return rgb(uint32(v)), err == nil
}

// readable moves a colour towards black or white until it has 3:1 on both grounds.
func readable(c color.NRGBA) color.NRGBA {
	light, dark := allRoles()[Ground].light, allRoles()[Surface].dark
	for range 64 {
		switch {
		case Contrast(c, light) < 3:
			c = mix(c, color.NRGBA{A: 0xff})
		case Contrast(c, dark) < 3:
			c = mix(c, color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff})
		default:
			return c
		}
	}
	return c
}

func mix(c, to color.NRGBA) color.NRGBA {
	m := func(a, b uint8) uint8 { return uint8((int(a)*15 + int(b)) / 16) }
	return color.NRGBA{R: m(c.R, to.R), G: m(c.G, to.G), B: m(c.B, to.B), A: 0xff}
}

func inkOn(c color.NRGBA) color.NRGBA {
	dark, white := rgb(0x0B0F14), rgb(0xFFFFFF)
	if Contrast(c, dark) > Contrast(c, white) {
		return dark
	}
	return white
}

// Contrast returns the contrast of two opaque colours, 1 to 21, by WCAG 2.
func Contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	f := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*f(r) + 0.7152*f(g) + 0.0722*f(b)
}
