package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Style is how a Text looks. The zero Style is body text.
type Style struct {
	Size  fyne.ThemeSizeName  // "" is theme.Body
	Role  fyne.ThemeColorName // "" is theme.Text
	Bold  bool
	Mono  bool
	Wrap  bool // breaks into lines; otherwise one line that ends in … where it does not fit
	Fixed bool // one line that is never cut
	Right bool
}

// Text is text without padding of its own. Fyne's Label pads every side, so
// that nothing lines up with anything; here the layouts decide.
type Text struct {
	widget.BaseWidget
	style Style
	text  string
	known laid
}

// laid is what was measured last. Fyne asks every text for its least size at
// every frame; measuring it again each time is most of what a frame costs.
type laid struct {
	text   string
	points float32
	style  fyne.TextStyle
	whole  float32 // width of the text on one line
	line   float32 // height of a line
	width  float32 // that lines were broken for
	lines  []string
}

// NewText makes a Text.
func NewText(s string, style Style) *Text {
	t := &Text{text: s, style: style}
	t.ExtendBaseWidget(t)
	return t
}

// Set changes the words; the same words again cost nothing.
func (t *Text) Set(s string) {
	if s == t.text {
		return
	}
	t.text = s
	t.Refresh()
}

// SetRole changes the colour.
func (t *Text) SetRole(r fyne.ThemeColorName) {
	if r == t.style.Role {
		return
	}
	t.style.Role = r
	t.Refresh()
}

// SetSize changes the type step.
func (t *Text) SetSize(n fyne.ThemeSizeName) {
	if n == t.style.Size {
		return
	}
	t.style.Size = n
	t.Refresh()
}

// Words returns what is shown, uncut.
func (t *Text) Words() string { return t.text }

// HeightFor returns the height of all lines at a width.
func (t *Text) HeightFor(width float32) float32 {
	return float32(len(t.lines(width))) * t.lineHeight()
}

func (t *Text) look() (size float32, style fyne.TextStyle) {
	n := t.style.Size
	if n == "" {
		n = theme.Body
	}
	return theme.Size(n), fyne.TextStyle{Bold: t.style.Bold, Monospace: t.style.Mono}
}

func (t *Text) measure(s string) float32 {
	size, style := t.look()
	return fyne.MeasureText(s, size, style).Width
}

func (t *Text) lineHeight() float32 { return t.measured().line }

// measured measures the text again where it or its look has changed.
func (t *Text) measured() *laid {
	size, style := t.look()
	if k := &t.known; k.text != t.text || k.points != size || k.style != style || k.line == 0 {
		line := fyne.MeasureText("Åg", size, style).Height
		*k = laid{text: t.text, points: size, style: style, line: line, whole: t.measure(t.text), width: -1}
	}
	return &t.known
}

// lines breaks or cuts the text for a width.
func (t *Text) lines(width float32) []string {
	k := t.measured()
	if k.width != width || k.lines == nil {
		k.width, k.lines = width, t.broken(width)
	}
	return k.lines
}

func (t *Text) broken(width float32) []string {
	if t.style.Fixed || width <= 0 { // not laid out yet
		return []string{t.text}
	}
	if !t.style.Wrap {
		return []string{t.cut(oneLine(t.text), width)}
	}
	var out []string
	for _, p := range strings.Split(t.text, "\n") {
		out = append(out, t.breakLines(p, width)...)
	}
	return out
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

func (t *Text) breakLines(p string, width float32) []string {
	if t.measure(p) <= width {
		return []string{p}
	}
	var out []string
	now := ""
	for _, w := range strings.Fields(p) {
		next := w
		if now != "" {
			next = now + " " + w
		}
		if t.measure(next) <= width {
			now = next
			continue
		}
		if now != "" {
			out = append(out, now)
		}
		now = w
		for t.measure(now) > width { // a word longer than the line, such as a key
			n := t.fit([]rune(now), width)
			out = append(out, string([]rune(now)[:n]))
			now = string([]rune(now)[n:])
		}
	}
	return append(out, now)
}

// fit returns how many runes fit a width, at least one.
func (t *Text) fit(r []rune, width float32) int {
	low, high := 1, len(r)
	for low < high {
		mid := (low + high + 1) / 2
		if t.measure(string(r[:mid])) <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

func (t *Text) cut(s string, width float32) string {
	if t.measure(s) <= width {
		return s
	}
	r := []rune(s)
	n := t.fit(r, width-t.measure("…"))
	return strings.TrimRight(string(r[:n]), " ") + "…"
}

// leastWidth is the width below which a Text is not squeezed.
const leastWidth = 24

// CreateRenderer is for Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &textRenderer{t: t}
}

type textRenderer struct {
	t     *Text
	lines []*canvas.Text
}

func (r *textRenderer) Layout(size fyne.Size) {
	words := r.t.lines(size.Width)
	for len(r.lines) < len(words) {
		r.lines = append(r.lines, &canvas.Text{})
	}
	r.lines = r.lines[:len(words)]
	points, style := r.t.look()
	role := r.t.style.Role
	if role == "" {
		role = theme.Text
	}
	h := r.t.lineHeight()
	for i, l := range r.lines {
		l.Text, l.TextSize, l.TextStyle, l.Color = words[i], points, style, theme.Color(role)
		l.Alignment = fyne.TextAlignLeading
		if r.t.style.Right {
			l.Alignment = fyne.TextAlignTrailing
		}
		l.Move(fyne.NewPos(0, float32(i)*h))
		l.Resize(fyne.NewSize(size.Width, h))
	}
}

func (r *textRenderer) MinSize() fyne.Size {
	t := r.t
	w := t.measured().whole
	switch {
	case t.style.Fixed:
	case t.style.Wrap:
		w = min(w, 5*leastWidth)
	default:
		w = min(w, leastWidth)
	}
	at := w
	if s := t.Size().Width; s > w {
		at = s
	}
	return fyne.NewSize(w, t.HeightFor(at))
}

func (r *textRenderer) Refresh() {
	r.Layout(r.t.Size())
	canvas.Refresh(r.t)
}

func (r *textRenderer) Objects() []fyne.CanvasObject {
	o := make([]fyne.CanvasObject, len(r.lines))
	for i, l := range r.lines {
		o[i] = l
	}
	return o
}

func (r *textRenderer) Destroy() {}
