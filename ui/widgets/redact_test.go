package widgets_test

import (
	"fmt"
	"image"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

// newRedact shows a picture of 1280 by 720 in 640 by 360, with 4 kept free on
// every side.
func newRedact(t *testing.T, actual bool) (*widgets.RedactView, fyne.Window) {
	v := widgets.NewRedactView()
	w := test.NewTempWindow(t, widgets.Layers(widgets.NewFill(theme.Ground, "", 0), widgets.Inset(8, 8, v)))
	w.SetPadded(false)
	w.Resize(fyne.NewSize(664, 384))
	var m image.Image = screen(3)
	if actual {
		m = image.NewRGBA(image.Rect(0, 0, 1280, 720))
	}
	v.Set(m, image.Pt(1280, 720), actual)
	w.Canvas().Focus(v)
	return v, w
}

func typed(v *widgets.RedactView, keys ...fyne.KeyName) {
	for _, k := range keys {
		v.TypedKey(&fyne.KeyEvent{Name: k})
	}
}

// drag draws from one position of the picture to another.
func drag(v *widgets.RedactView, from, to fyne.Position) {
	from, to = from.AddXY(4, 4), to.AddXY(4, 4)
	v.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: from}})
	v.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
	v.MouseUp(nil)
	v.DragEnd()
}

func TestRedactViewLooks(t *testing.T) {
	for name, variant := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		app(t, variant)
		v, w := newRedact(t, false)
		v.Begin(false)
		test.AssertRendersToImage(t, fmt.Sprintf("redact-keys-%s.png", name), w.Canvas())
		v.Cancel()
		v.Begin(true)
		v.Cancel()
		v.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(60, 60)}})
		v.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(400, 200)}})
		w.Canvas().Unfocus()
		test.AssertRendersToImage(t, fmt.Sprintf("redact-drag-%s.png", name), w.Canvas())
		v.Set(nil, image.Point{}, false)
		v.Cancel()
		test.AssertRendersToImage(t, fmt.Sprintf("redact-empty-%s.png", name), w.Canvas())
	}
}

// Areas are reported in pixels of the picture, however it is drawn.
func TestRedactViewAreas(t *testing.T) {
	shift := func(v *widgets.RedactView, keys ...fyne.KeyName) {
		v.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftRight})
		typed(v, keys...)
		v.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftRight})
	}
	for _, c := range []struct {
		name   string
		actual bool
		do     func(*widgets.RedactView)
		want   image.Rectangle
	}{
		{"drag", false, func(v *widgets.RedactView) { drag(v, fyne.NewPos(10, 20), fyne.NewPos(110, 70)) }, image.Rect(20, 40, 220, 140)},
		{"drag backwards", false, func(v *widgets.RedactView) { drag(v, fyne.NewPos(110, 70), fyne.NewPos(10, 20)) }, image.Rect(20, 40, 220, 140)},
		{"drag over the edge", false, func(v *widgets.RedactView) { drag(v, fyne.NewPos(600, 300), fyne.NewPos(2000, 2000)) }, image.Rect(1200, 600, 1280, 720)},
		{"too small to be meant", false, func(v *widgets.RedactView) { drag(v, fyne.NewPos(10, 20), fyne.NewPos(11, 21)) }, image.Rectangle{}},
		{"pixel by pixel", true, func(v *widgets.RedactView) { drag(v, fyne.NewPos(10, 20), fyne.NewPos(110, 70)) }, image.Rect(10, 20, 110, 70)},
		{"pixel by pixel, moved", true, func(v *widgets.RedactView) {
			v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(-100, -200)})
			drag(v, fyne.NewPos(10, 20), fyne.NewPos(110, 70))
		}, image.Rect(110, 220, 210, 270)},
		{"moved no further than there is", true, func(v *widgets.RedactView) {
			v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(-9000, -9000)})
			drag(v, fyne.NewPos(0, 0), fyne.NewPos(640, 360))
		}, image.Rect(640, 360, 1280, 720)},
		{"arrows move the sight", true, func(v *widgets.RedactView) {
			typed(v, fyne.KeyRight, fyne.KeyDown)
			drag(v, fyne.NewPos(0, 0), fyne.NewPos(10, 10))
		}, image.Rect(64, 64, 74, 74)},
		{"keys", false, func(v *widgets.RedactView) { v.Begin(false); typed(v, fyne.KeyReturn) }, image.Rect(480, 270, 800, 450)},
		{"keys, moved", false, func(v *widgets.RedactView) {
			v.Begin(false)
			typed(v, fyne.KeyLeft, fyne.KeyUp, fyne.KeyReturn)
		}, image.Rect(464, 254, 784, 434)},
		{"keys, sized", false, func(v *widgets.RedactView) {
			v.Begin(false)
			shift(v, fyne.KeyRight, fyne.KeyDown)
			typed(v, fyne.KeyReturn)
		}, image.Rect(480, 270, 816, 466)},
		{"keys, at the edge", false, func(v *widgets.RedactView) {
			v.Begin(false)
			for range 60 {
				typed(v, fyne.KeyLeft)
			}
			typed(v, fyne.KeyReturn)
		}, image.Rect(0, 270, 320, 450)},
		{"keys, left", false, func(v *widgets.RedactView) { v.Begin(false); typed(v, fyne.KeyEscape, fyne.KeyReturn) }, image.Rectangle{}},
		{"a drag instead of keys", false, func(v *widgets.RedactView) {
			v.Begin(false)
			drag(v, fyne.NewPos(10, 20), fyne.NewPos(110, 70))
			typed(v, fyne.KeyReturn)
		}, image.Rect(20, 40, 220, 140)},
		{"nothing to draw on", false, func(v *widgets.RedactView) {
			v.Set(nil, image.Point{}, false)
			v.Begin(false)
			drag(v, fyne.NewPos(10, 20), fyne.NewPos(110, 70))
			typed(v, fyne.KeyReturn)
		}, image.Rectangle{}},
	} {
		app(t, theme.Light)
		v, _ := newRedact(t, c.actual)
		var got []image.Rectangle
		v.OnArea = func(r image.Rectangle) { got = append(got, r) }
		c.do(v)
		if want := []image.Rectangle{c.want}; !c.want.Empty() && !slices.Equal(got, want) || c.want.Empty() && got != nil {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRedactViewTellsAndPassesOn(t *testing.T) {
	app(t, theme.Light)
	v, w := newRedact(t, false)
	var own, passed []fyne.KeyName
	undone := 0
	v.OnKey = func(ev *fyne.KeyEvent) bool { own = append(own, ev.Name); return ev.Name != fyne.KeyF9 }
	v.OnUndo = func() { undone++ }
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { passed = append(passed, ev.Name) })
	typed(v, fyne.KeyLeft, fyne.KeyTab, fyne.KeyF9)
	v.TypedShortcut(&fyne.ShortcutUndo{})
	if !slices.Equal(own, []fyne.KeyName{fyne.KeyLeft, fyne.KeyTab, fyne.KeyF9}) || !slices.Equal(passed, []fyne.KeyName{fyne.KeyF9}) || undone != 1 {
		t.Errorf("own %v, passed %v, undone %d", own, passed, undone)
	}
	room := image.Point{}
	v.OnRoom = func(x, y int) { room = image.Pt(x, y) }
	w.Resize(fyne.NewSize(424, 224))
	if room != image.Pt(400, 200) {
		t.Errorf("room %v", room)
	}
}
