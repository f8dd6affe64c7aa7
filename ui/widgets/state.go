package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// State is an icon and a word in the colour of a role.
type State struct {
	Box  *fyne.Container
	icon *Icon
	word *Text
}

// NewState makes an empty state; bold and body size where it is the page's own.
func NewState(large bool) *State {
	s := &State{icon: NewIcon(theme.Stopped, theme.Muted, 16), word: NewText("", Style{Size: theme.Small, Fixed: true})}
	if large {
		s.icon = NewIcon(theme.Stopped, theme.Muted, 20)
		s.word = NewText("", Style{Bold: true, Fixed: true})
	}
	s.Box = Line(6, nil, s.icon, s.word)
	return s
}

// Set shows a state.
func (s *State) Set(icon theme.IconName, role fyne.ThemeColorName, word string) {
	s.icon.Set(icon, role)
	s.word.SetRole(role)
	s.word.Set(word)
	s.Box.Layout.Layout(s.Box.Objects, s.Box.Size())
}

// Word returns the word shown.
func (s *State) Word() string { return s.word.Words() }

// Thumb shows a small picture with rounded corners, or an icon until there is one.
type Thumb struct {
	widget.BaseWidget
	size  fyne.Size
	empty *Icon
	fill  *Fill
	img   *canvas.Image
}

// NewThumb makes an empty thumbnail of a fixed size.
func NewThumb(size fyne.Size) *Thumb {
	t := &Thumb{size: size, empty: NewIcon(theme.Picture, theme.Muted, 24), fill: NewFill(theme.Band, theme.Line, theme.RadiusThumb)}
	t.img = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest, CornerRadius: theme.RadiusThumb}
	t.img.Hide()
	t.ExtendBaseWidget(t)
	return t
}

// Set shows a picture; nil shows the icon.
func (t *Thumb) Set(i image.Image) {
	if t.img.Image == i {
		return
	}
	t.img.Image = i
	t.img.Hidden = i == nil
	t.empty.Hidden = i != nil
	t.Refresh()
}

// CreateRenderer is for Fyne.
func (t *Thumb) CreateRenderer() fyne.WidgetRenderer { return &thumbRenderer{t} }

type thumbRenderer struct{ t *Thumb }

func (r *thumbRenderer) Layout(fyne.Size) {
	for _, o := range r.Objects() {
		o.Resize(r.t.size)
	}
}
func (r *thumbRenderer) MinSize() fyne.Size { return r.t.size }
func (r *thumbRenderer) Refresh() {
	r.t.fill.Refresh()
	r.t.empty.Refresh()
	r.t.img.Refresh()
}
func (r *thumbRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.fill, r.t.empty, r.t.img}
}
func (r *thumbRenderer) Destroy() {}
