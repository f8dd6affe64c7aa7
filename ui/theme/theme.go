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

// Looks is what the person chose of the look.
type Looks struct {
	Variant Variant
	Plain   bool // fewer colours: projects by pattern and letters, states by icon and word
}

// ReadLooks returns what WriteLooks kept; nothing kept is the zero Looks.
func ReadLooks(p fyne.Preferences) Looks {
	l := Looks{Plain: p.Bool("plain")}
	switch p.String("theme") {
	case "light":
		l.Variant = Light
	case "dark":
		l.Variant = Dark
	}
	return l
}

// WriteLooks keeps l beside the window's size.
func WriteLooks(p fyne.Preferences, l Looks) {
	p.SetString("theme", [...]string{System: "", Light: "light", Dark: "dark"}[l.Variant])
	p.SetBool("plain", l.Plain)
}

// Theme implements fyne.Theme.
type Theme struct {
	looks  Looks
	silent bool
	colors map[fyne.ThemeColorName]pair
	fonts  fyne.Theme
}

// New makes the theme in one variant.
func New(v Variant) *Theme { return Make(Looks{Variant: v}) }

// Make makes the theme as the person likes it.
func Make(l Looks) *Theme {
	return &Theme{looks: l, colors: roles(l.Plain), fonts: fynetheme.DefaultTheme()}
}

// Silent makes a theme for a desktop that has said nothing of light or dark:
// Fyne then answers dark on Linux, where light is the custom.
func (t *Theme) Silent() *Theme {
	s := *t
	s.silent = true
	return &s
}

// Looks returns what it was made from.
func (t *Theme) Looks() Looks { return t.looks }

// Dark tells whether the dark look is shown, given what the desktop asks for.
func (t *Theme) Dark(desktop fyne.ThemeVariant) bool {
	if t.looks.Variant == System {
		return desktop == fynetheme.VariantDark && !t.silent
	}
	return t.looks.Variant == Dark
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
