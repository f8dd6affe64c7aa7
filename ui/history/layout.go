package history

import (
	"fyne.io/fyne/v2"

	"pow.do/ui/widgets"
)

// weekLayout puts name, seven cells and sum side by side, or name and sum above
// the cells where the window is narrow.
type weekLayout struct{ width float32 }

// The columns, and the width from which they stand in one line.
const (
	oneLine   = 620
	nameWidth = 190
	sumWidth  = 64
	cellGap   = 4
	rowPad    = 8
)

// weekRow makes a row; cells are seven.
func weekRow(name, sum fyne.CanvasObject, cells []fyne.CanvasObject) fyne.CanvasObject {
	return &fyne.Container{Layout: &weekLayout{}, Objects: append([]fyne.CanvasObject{name, sum}, cells...)}
}

func (l *weekLayout) place(o []fyne.CanvasObject, width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	name, sum, cells := o[0], o[1], o[2:]
	head := max(name.MinSize().Height, sum.MinSize().Height)
	body := float32(0)
	for _, c := range cells {
		body = max(body, c.MinSize().Height)
	}
	left, right, y, high := float32(nameWidth), float32(sumWidth), float32(rowPad), max(head, body)
	if width < oneLine {
		left, right, high = 0, 0, body
		put(name, 0, y, width-sumWidth, head)
		put(sum, width-sumWidth, y, sumWidth, head)
		y += head + cellGap
	} else {
		put(name, 0, y+(high-head)/2, nameWidth-cellGap, head)
		put(sum, width-sumWidth, y+(high-sum.MinSize().Height)/2, sumWidth, sum.MinSize().Height)
	}
	one := (width - left - right - 7*cellGap) / 7
	for i, c := range cells {
		h := c.MinSize().Height
		put(c, left+float32(i)*(one+cellGap), y+(high-h)/2, one, h)
	}
	return y + high + rowPad
}

// Layout implements fyne.Layout.
func (l *weekLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.place(o, size.Width, func(c fyne.CanvasObject, x, y, w, h float32) {
		c.Move(fyne.NewPos(x, y))
		c.Resize(fyne.NewSize(w, h))
	})
}

// MinSize implements fyne.Layout.
func (l *weekLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	const least = 300
	h := l.place(o, max(l.width, least), func(fyne.CanvasObject, float32, float32, float32, float32) {})
	return fyne.NewSize(least, h)
}

// HeightFor implements the flow of package widgets for a container.
func (l *weekLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	return l.place(o, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

var _ widgets.Flow = (*weekLayout)(nil)
