// Package theme is the look of the window: colour roles, type steps, spacing,
// icons and the colours of projects, light and dark.
//
// Every colour comes from one table, in both variants, and none is taken over
// from Fyne's own theme: a theme that mixes the two shows dark text on dark
// ground as soon as the desktop states no preference. theme_test.go computes
// the contrast of each pair that is read together.
//
// Screens name roles (theme.Muted), never colours, and sizes (theme.Clock),
// never numbers, so that one change here is a change everywhere.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Variant says which of the two looks is shown.
type Variant int

// System follows the desktop and takes light where the desktop states no preference.
const (
	System Variant = iota
	Light
	Dark
)

// Theme implements fyne.Theme.
type Theme struct {
	variant Variant
	colors  map[fyne.ThemeColorName]pair
	fonts   fyne.Theme
}

// New makes the theme in one variant.
func New(v Variant) *Theme {
	return &Theme{variant: v, colors: roles(), fonts: fynetheme.DefaultTheme()}
}

// Dark tells whether the dark look is shown, given what the desktop asks for.
func (t *Theme) Dark(desktop fyne.ThemeVariant) bool {
	if t.variant == System {
		return desktop == fynetheme.VariantDark
	}
	return t.variant == Dark
}

// Color returns the colour of a role; an unknown role is readable text.
func (t *Theme) Color(name fyne.ThemeColorName, desktop fyne.ThemeVariant) color.Color {
	p, ok := t.colors[name]
	if !ok {
		p = t.colors[Text]
	}
	if t.Dark(desktop) {
		return p.dark
	}
	return p.light
}

// Font returns Noto Sans, and DejaVu Sans Mono for keys and hashes, as Fyne bundles them.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource { return t.fonts.Font(s) }

// Icon returns our own drawing for the icons that Fyne's widgets ask for.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	if own, ok := replaced()[name]; ok {
		return Icon(own, Text)
	}
	return t.fonts.Icon(name)
}

// Color looks a role up in the theme that is in use.
func Color(role fyne.ThemeColorName) color.Color {
	s := fyne.CurrentApp().Settings()
	return s.Theme().Color(role, s.ThemeVariant())
}
