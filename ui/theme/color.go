package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Colour roles of our own, beside those that Fyne names. A Tint is the pale
// ground that the role's own colour is readable on.
const (
	Band        fyne.ThemeColorName = "band"    // page header and navigation
	Surface     fyne.ThemeColorName = "surface" // cards and fields
	Muted       fyne.ThemeColorName = "muted"   // second lines
	Info        fyne.ThemeColorName = "info"    // on the way
	Off         fyne.ThemeColorName = "off"     // off the record
	Ring        fyne.ThemeColorName = "ring"    // keyboard focus
	Veil        fyne.ThemeColorName = "veil"    // over what does not answer
	TintPrimary fyne.ThemeColorName = "tintPrimary"
	TintSuccess fyne.ThemeColorName = "tintSuccess"
	TintWarning fyne.ThemeColorName = "tintWarning"
	TintDanger  fyne.ThemeColorName = "tintDanger"
	TintInfo    fyne.ThemeColorName = "tintInfo"
	TintOff     fyne.ThemeColorName = "tintOff"
)

// Short names for the roles of Fyne that the screens use.
const (
	Text    = fynetheme.ColorNameForeground
	Ground  = fynetheme.ColorNameBackground
	Primary = fynetheme.ColorNamePrimary
	Success = fynetheme.ColorNameSuccess
	Warning = fynetheme.ColorNameWarning
	Danger  = fynetheme.ColorNameError
	Line    = fynetheme.ColorNameSeparator
	Border  = fynetheme.ColorNameInputBorder
	Hint    = fynetheme.ColorNamePlaceHolder
	Faint   = fynetheme.ColorNameDisabled
)

// Tint returns the ground that belongs to a role; roles without one get the surface.
func Tint(role fyne.ThemeColorName) fyne.ThemeColorName {
	switch role {
	case Primary:
		return TintPrimary
	case Success:
		return TintSuccess
	case Warning:
		return TintWarning
	case Danger:
		return TintDanger
	case Info:
		return TintInfo
	case Off:
		return TintOff
	}
	return Surface
}

// pair is one role in the light and in the dark variant.
type pair struct{ light, dark color.NRGBA }

func hex(light, dark uint32) pair { return pair{rgb(light), rgb(dark)} }

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

func (p pair) alpha(light, dark uint8) pair {
	p.light.A, p.dark.A = light, dark
	return p
}

// roles returns the colours of the theme; plain ones leave out what icon and word
// say already, but not warning and danger.
func roles(plain bool) map[fyne.ThemeColorName]pair {
	all := allRoles()
	if !plain {
		return all
	}
	for role, as := range map[fyne.ThemeColorName]fyne.ThemeColorName{
		Success: Text, Info: Text, Off: Text, TintSuccess: Band, TintInfo: Band, TintOff: Band,
	} {
		all[role] = all[as]
	}
	all[fynetheme.ColorNameForegroundOnSuccess] = all[Ground]
	return all
}

// allRoles returns every colour of the theme. theme_test.go computes the contrast
// of each pair that is read together.
func allRoles() map[fyne.ThemeColorName]pair {
	return map[fyne.ThemeColorName]pair{
		Ground:      hex(0xF5F6F8, 0x11151A),
		Surface:     hex(0xFFFFFF, 0x1A2027),
		Band:        hex(0xE9EDF1, 0x161B21),
		Text:        hex(0x141C26, 0xE9EEF3),
		Muted:       hex(0x4A5765, 0xB0BAC5),
		Hint:        hex(0x616D7B, 0x8E9AA7),
		Faint:       hex(0x7F8A96, 0x6C7784),
		Line:        hex(0xD5DBE2, 0x2E3843),
		Border:      hex(0x74808D, 0x76828F),
		Primary:     hex(0x0A6B5A, 0x3FC4A5),
		Success:     hex(0x17723A, 0x66D18C),
		Warning:     hex(0x8A5200, 0xF0B84A),
		Danger:      hex(0xB3261E, 0xFF8F85),
		Info:        hex(0x1B5DBB, 0x86B6FF),
		Off:         hex(0x6A3EA1, 0xC6A8F6),
		Ring:        hex(0x1B58D8, 0x86AEFF),
		Veil:        hex(0xF5F6F8, 0x11151A).alpha(0x8C, 0x8C),
		TintPrimary: hex(0xDFF1EC, 0x13302A),
		TintSuccess: hex(0xE3F4E8, 0x173022),
		TintWarning: hex(0xFCF0DA, 0x352A14),
		TintDanger:  hex(0xFBE8E6, 0x3A1D1C),
		TintInfo:    hex(0xE5EEFB, 0x1A2A40),
		TintOff:     hex(0xF0E8FA, 0x2B2140),

		fynetheme.ColorNameButton:              hex(0xE3E8ED, 0x2A333D),
		fynetheme.ColorNameDisabledButton:      hex(0xE9EDF1, 0x20272F),
		fynetheme.ColorNameForegroundOnPrimary: hex(0xFFFFFF, 0x06241D),
		fynetheme.ColorNameForegroundOnSuccess: hex(0xFFFFFF, 0x06280F),
		fynetheme.ColorNameForegroundOnWarning: hex(0xFFFFFF, 0x2B1C00),
		fynetheme.ColorNameForegroundOnError:   hex(0xFFFFFF, 0x3B0704),
		fynetheme.ColorNameSelection:           hex(0xCFE8E1, 0x1D4A40),
		fynetheme.ColorNameHyperlink:           hex(0x0B5FA8, 0x79B8F5),
		fynetheme.ColorNameInputBackground:     hex(0xFFFFFF, 0x141A20),
		fynetheme.ColorNameOverlayBackground:   hex(0xFFFFFF, 0x1A2027),
		fynetheme.ColorNameMenuBackground:      hex(0xFFFFFF, 0x1A2027),
		fynetheme.ColorNameHeaderBackground:    hex(0xE9EDF1, 0x161B21),
		fynetheme.ColorNameFocus:               hex(0x1B58D8, 0x86AEFF).alpha(0x40, 0x40),
		fynetheme.ColorNameHover:               hex(0x141C26, 0xFFFFFF).alpha(0x0D, 0x12),
		fynetheme.ColorNamePressed:             hex(0x141C26, 0xFFFFFF).alpha(0x1F, 0x24),
		fynetheme.ColorNameScrollBar:           hex(0x4A5765, 0xB0BAC5).alpha(0x80, 0x80),
		fynetheme.ColorNameScrollBarBackground: hex(0xE9EDF1, 0x161B21).alpha(0, 0),
		fynetheme.ColorNameShadow:              hex(0x0B0F14, 0x000000).alpha(0x59, 0x99),
	}
}
