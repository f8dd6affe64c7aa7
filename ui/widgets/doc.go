// Package widgets holds the window's own controls: wordless, reusable, drawn in
// the colours and sizes of ui/theme, each with a visible focus and every act by
// keyboard.
//
// A widget reports what was done through callbacks and decides nothing. Its
// texts come from whoever uses it, so no word of any language stands here.
package widgets
