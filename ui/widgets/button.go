package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pow.do/ui/theme"
)

// Kind is how much a Button asks for attention. A page has one Main at most.
type Kind int

// Plain is for most buttons, Main for the one thing a page is for, Harm for
// what ends or removes something, Quiet for what should not draw the eye.
const (
	Plain Kind = iota
	Main
	Harm
	Quiet
)

// Button is a Press with an icon and a word.
type Button struct {
	Press
	kind  Kind
	name  theme.IconName
	icon  *Icon
	text  *Text
	key   *Text // of NewKeyed
	large bool
}

// NewButton makes a button; icon may be empty.
func NewButton(text string, icon theme.IconName, kind Kind, tapped func()) *Button {
	b := &Button{kind: kind, name: icon, text: NewText(text, Style{Bold: kind != Quiet, Fixed: true})}
	b.OnTapped = tapped
	if icon == "" {
		b.content = Line(0, nil, b.text)
	} else {
		b.icon = NewIcon(icon, theme.Text, 16)
		b.content = Line(8, nil, b.icon, b.text)
		b.text.Hidden = text == ""
	}
	b.paint()
	b.ExtendBaseWidget(b)
	return b
}

// Large makes it the biggest thing to press on a page.
func (b *Button) Large() *Button {
	b.large = true
	b.paint()
	return b
}

// SetText changes the word.
func (b *Button) SetText(s string) {
	if s == b.text.Words() {
		return
	}
	b.text.Set(s)
	b.text.Hidden = s == "" && b.icon != nil
	b.Refresh()
}

// Text returns the word.
func (b *Button) Text() string { return b.text.Words() }

// Set changes word, icon and kind at once, as Start does when it becomes Stop.
func (b *Button) Set(text string, icon theme.IconName, kind Kind) {
	if b.name == icon && b.kind == kind && b.text.Words() == text {
		return
	}
	b.name, b.kind = icon, kind
	b.text.Set(text)
	b.text.Hidden = text == "" && b.icon != nil
	b.paint()
	b.Refresh()
}

// Enable lets it be pressed.
func (b *Button) Enable() { b.setDisabled(false) }

// Disable keeps it from being pressed; a line beside it has to say why.
func (b *Button) Disable() { b.setDisabled(true) }

func (b *Button) setDisabled(d bool) {
	if b.disabled == d {
		return
	}
	b.disabled = d
	b.paint()
	b.Refresh()
}

func (b *Button) paint() {
	ink := theme.Text
	b.look = Look{Fill: fynetheme.ColorNameButton, Radius: theme.RadiusField, PadX: 14, PadY: 7, Least: theme.Target}
	switch b.kind {
	case Main:
		b.look.Fill, ink = theme.Primary, fynetheme.ColorNameForegroundOnPrimary
	case Harm:
		b.look.Fill, ink = theme.Danger, fynetheme.ColorNameForegroundOnError
	case Quiet:
		b.look.Fill, ink = "", theme.Primary
		b.look.PadX = 10
	}
	if b.key != nil {
		b.look.PadX = 9
	}
	if b.large {
		b.look.PadX, b.look.Least = 24, 48
	}
	if b.disabled {
		ink = theme.Faint
		if b.kind != Quiet {
			b.look.Fill = fynetheme.ColorNameDisabledButton
		}
	}
	b.text.SetRole(ink)
	if b.icon != nil {
		b.icon.Set(b.name, ink)
	}
}

// Icon is a drawing in the colour of a role, at a fixed size.
type Icon struct {
	widget.BaseWidget
	name theme.IconName
	role fyne.ThemeColorName
	side float32
	img  *canvas.Image
}

// NewIcon makes an icon; side is its width and height: 16 inline, 20 in rows, 24 in the navigation.
func NewIcon(name theme.IconName, role fyne.ThemeColorName, side float32) *Icon {
	i := &Icon{name: name, role: role, side: side, img: &canvas.Image{FillMode: canvas.ImageFillContain}}
	i.img.Resource = theme.Icon(name, role)
	i.ExtendBaseWidget(i)
	return i
}

// Set changes drawing and colour.
func (i *Icon) Set(name theme.IconName, role fyne.ThemeColorName) {
	if i.name == name && i.role == role {
		return
	}
	i.name, i.role = name, role
	i.img.Resource = theme.Icon(name, role)
	i.Refresh()
}

// CreateRenderer is for Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer { return &iconRenderer{i} }

type iconRenderer struct{ i *Icon }

func (r *iconRenderer) Layout(size fyne.Size) {
	s := min(r.i.side, size.Width, size.Height)
	r.i.img.Move(fyne.NewPos((size.Width-s)/2, (size.Height-s)/2))
	r.i.img.Resize(fyne.NewSquareSize(s))
}
func (r *iconRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(r.i.side) }
func (r *iconRenderer) Refresh()                     { r.i.img.Refresh() }
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.i.img} }
func (r *iconRenderer) Destroy()                     {}
