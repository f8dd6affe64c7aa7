package mini

import (
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"pow.do/services/pow"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// The size of the toast, and its distance from the edges of the screen.
const (
	toastWidth  = 320
	toastHeight = 180
	toastEdge   = 24
	toastPanel  = 48 // many desktops have a panel of about this height at the bottom
)

// Fresh returns the picture that a toast is due for: one taken between two
// statuses, never the one that was there when the window opened.
func Fresh(before, now pow.Status, known bool) (pow.CaptureInfo, bool) {
	c := now.LastCapture
	if !known || c == nil || before.LastCapture != nil && before.LastCapture.ID == c.ID {
		return pow.CaptureInfo{}, false
	}
	return *c, true
}

// Toast shows a picture that was just taken, to look at or to take out at once.
type Toast struct {
	win  fyne.Window
	body *fyne.Container
}

// ToastLinks are the toast's ways out, wired by the window.
type ToastLinks struct {
	Look   func(id string)
	Remove func(id string)
}

// NewToast makes a toast for a picture and shows it; it goes by Close.
func NewToast(app fyne.App, c pow.CaptureInfo, thumb image.Image, l ToastLinks) *Toast {
	t := &Toast{}
	pic := widgets.NewThumb(fyne.NewSize(160, 90))
	pic.Set(thumb)
	act := func(text string, icon theme.IconName, kind widgets.Kind, f func(string)) *widgets.Button {
		return widgets.NewButton(text, icon, kind, func() {
			t.Close()
			if f != nil {
				f(c.ID)
			}
		})
	}
	about := widgets.Column(4,
		widgets.NewText(words.T("toast.taken"), widgets.Style{Bold: true, Wrap: true}),
		widgets.NewText(words.Time(c.At)+" · "+words.T("toast.held"), widgets.Style{Size: theme.Small, Role: theme.Muted, Wrap: true}))
	close := act("", theme.Close, widgets.Quiet, nil)
	gap := widgets.NewFill("", "", 0)
	t.body = widgets.Layers(widgets.NewFill(theme.Surface, theme.Border, 0), widgets.Inset(14, 12, widgets.Column(10,
		widgets.Line(12, about, pic, about),
		widgets.Line(6, gap, act(words.T("act.look"), theme.Look, widgets.Plain, l.Look),
			act(words.T("act.remove"), theme.Remove, widgets.Plain, l.Remove), gap, close))))
	t.win = small(app, fyne.NewSize(toastWidth, toastHeight))
	t.win.SetContent(t.body)
	place(t.win, c)
	t.win.Show()
	return t
}

// place asks for the bottom right corner of the first screen. Its size is known
// from the picture; a screen beside it has an origin that is not.
func place(w fyne.Window, c pow.CaptureInfo) {
	d, ok := w.(desktop.Window)
	if !ok || c.Display != 0 || c.Width == 0 {
		return
	}
	scale := w.Canvas().Scale()
	x := c.Width - int((toastWidth+toastEdge)*scale)
	y := c.Height - int((toastHeight+toastEdge+toastPanel)*scale)
	if x > 0 && y > 0 {
		d.RequestPosition(x, y)
	}
}

// Window returns the toast's window.
func (t *Toast) Window() fyne.Window { return t.win }

// Close takes the toast away. A second call does nothing.
func (t *Toast) Close() {
	if t.win != nil {
		t.win.Close()
		t.win = nil
	}
}

// Stay is how long a toast stays when the member set nothing.
const Stay = 8 * time.Second
