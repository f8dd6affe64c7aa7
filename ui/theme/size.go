package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// The type steps, in device-independent pixels.
const (
	Clock       fyne.ThemeSizeName = "clock"       // 56: the running time
	ClockNarrow fyne.ThemeSizeName = "clockNarrow" // 44: the same in a narrow window
	Heading                        = fynetheme.SizeNameHeadingText
	SubHeading                     = fynetheme.SizeNameSubHeadingText
	Body                           = fynetheme.SizeNameText
	Small       fyne.ThemeSizeName = "small" // second lines, status bar
	Caption                        = fynetheme.SizeNameCaptionText
	Mono        fyne.ThemeSizeName = "mono" // keys and hashes
)

// Distances of the grid of 4.
const (
	Gap        float32 = 8
	CardPad    float32 = 16
	CardGap    float32 = 16
	Margin     float32 = 24 // of a page
	MarginSlim float32 = 12 // of a page in a narrow window
	Target     float32 = 36 // least height of what can be pressed
	PageMax    float32 = 880
)

// Radii.
const (
	RadiusThumb float32 = 6
	RadiusField float32 = 8
	RadiusCard  float32 = 12
	RadiusSheet float32 = 16
)

// Size returns a size by name.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if step := typeStep(name); step > 0 {
		return step
	}
	return t.widgetSize(name)
}

// typeStep returns the size of letters, 0 for what is no size of letters.
func typeStep(name fyne.ThemeSizeName) float32 {
	switch name {
	case Clock:
		return 56
	case ClockNarrow:
		return 44
	case Heading:
		return 22
	case SubHeading:
		return 16
	case Body:
		return 14
	case Small:
		return 12.5
	case Caption:
		return 11
	case Mono:
		return 13
	}
	return 0
}

// widgetSize returns the sizes that only Fyne's own widgets ask for.
func (t *Theme) widgetSize(name fyne.ThemeSizeName) float32 {
	switch name {
	case fynetheme.SizeNamePadding, fynetheme.SizeNameLineSpacing:
		return 4
	case fynetheme.SizeNameInnerPadding:
		return 10
	case fynetheme.SizeNameInlineIcon:
		return 16
	case fynetheme.SizeNameInputRadius, fynetheme.SizeNameButtonRadius, fynetheme.SizeNameSelectionRadius:
		return RadiusField
	case fynetheme.SizeNameCardRadius, fynetheme.SizeNamePopupRadius, fynetheme.SizeNameMenuRadius:
		return RadiusCard
	case fynetheme.SizeNameDialogRadius:
		return RadiusSheet
	case fynetheme.SizeNameModalBlurRadius:
		return 0 // a blur costs a full repaint and hides nothing that matters
	}
	return t.fonts.Size(name)
}

// Size looks a size up in the theme that is in use.
func Size(name fyne.ThemeSizeName) float32 {
	return fyne.CurrentApp().Settings().Theme().Size(name)
}
