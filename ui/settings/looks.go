package settings

import (
	"strconv"

	"fyne.io/fyne/v2"

	"pow.do/ui/theme"
)

// Prefs is what only the window knows: its look and its size. It is kept in
// Fyne's preferences, which anybody may read, so nothing else is.
type Prefs struct{ fyne.Preferences }

// The keys of the preferences.
const (
	prefTheme = "theme"
	prefSize  = "size"
)

// Theme returns the chosen look.
func (p Prefs) Theme() theme.Variant {
	switch p.String(prefTheme) {
	case "light":
		return theme.Light
	case "dark":
		return theme.Dark
	}
	return theme.System
}

// SetTheme keeps the look.
func (p Prefs) SetTheme(v theme.Variant) {
	p.SetString(prefTheme, map[theme.Variant]string{theme.Light: "light", theme.Dark: "dark"}[v])
}

// Scales are the sizes that can be chosen, in percent.
var Scales = []int{85, 100, 115, 130, 150, 175, 200}

// Scale returns the size of everything in percent: 85 to 200. It has to be given
// to Fyne (FYNE_SCALE) before the program's window is made.
func (p Prefs) Scale() int {
	n := p.IntWithFallback(prefSize, 100)
	return min(200, max(85, n))
}

// SetScale keeps the size.
func (p Prefs) SetScale(percent int) { p.SetInt(prefSize, min(200, max(85, percent))) }

func itoa(n int) string { return strconv.Itoa(n) }
