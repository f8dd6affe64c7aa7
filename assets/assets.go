// Package assets holds the bytes that are embedded in the desktop program: its
// icons, its words in four languages and its app icon. Nothing here runs.
//
// Icons are SVG of 24 by 24, drawn with fills only, one colour a file, holes by
// opposite winding: that is what survives the recolouring of Fyne, which knows
// neither strokes nor fill rules.
//
// Locales are flat JSON, one file a language, all with the same keys and the
// same {{.placeholders}}.
package assets

import "embed"

// Icons holds icons/NAME.svg.
//
//go:embed icons/*.svg
var Icons embed.FS

// Locales holds locales/LANGUAGE.json for en, de, es and fr.
//
//go:embed locales/*.json
var Locales embed.FS

// AppIcon is the program's icon, a PNG of 512 by 512 pixels.
//
//go:embed powdo.png
var AppIcon []byte
