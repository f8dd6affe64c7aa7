package widgets

import "fyne.io/fyne/v2"

// Scaled gives an object the height that its width asks for.
func Scaled(most float32, ratio func() float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: &scaled{most: most, ratio: ratio}, Objects: []fyne.CanvasObject{o}}
}

type scaled struct {
	most, width float32
	ratio       func() float32 // height by width
}

func (l *scaled) heightFor(_ []fyne.CanvasObject, width float32) float32 {
	return min(l.most, width*l.ratio())
}

func (l *scaled) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	o[0].Resize(size)
}

func (l *scaled) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(120, l.heightFor(nil, max(120, l.width)))
}
