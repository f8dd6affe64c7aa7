package widgets_test

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

func app(t *testing.T, v theme.Variant) {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(theme.New(v))
}

// The drawn widgets, pixel by pixel: badges with their eight patterns, buttons,
// the focus ring.
func TestLooks(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		app(t, v)
		badges := widgets.Wrap(8)
		for i := range 8 {
			id := string(rune('a' + i))
			badges.Objects = append(badges.Objects, widgets.NewBadge(theme.BadgeFor(id, "Ab", "")))
		}
		off := widgets.NewButton("Off", theme.Stop, widgets.Main, nil)
		off.Disable()
		focused := widgets.NewButton("Start", theme.Start, widgets.Main, nil)
		focused.FocusGained()
		o := widgets.Layers(widgets.NewFill(theme.Ground, "", 0), widgets.Inset(12, 12, widgets.Column(12, badges,
			widgets.Wrap(12, focused, widgets.NewButton("Stop", theme.Stop, widgets.Harm, nil), off, widgets.NewButton("Quiet", "", widgets.Quiet, nil)))))
		w := test.NewTempWindow(t, o)
		w.SetPadded(false)
		w.Resize(fyne.NewSize(360, 120))
		test.AssertRendersToImage(t, "looks-"+name+".png", w.Canvas())
	}
}

func TestTextWrapsAndCuts(t *testing.T) {
	app(t, theme.Light)
	wrapped := widgets.NewText("one two three four five six seven eight", widgets.Style{Wrap: true})
	one := wrapped.HeightFor(1000)
	if wrapped.HeightFor(80) < 3*one {
		t.Error("a narrow paragraph is not taller")
	}
	key := widgets.NewText("npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2", widgets.Style{Wrap: true})
	if key.HeightFor(100) < 2*one {
		t.Error("a word longer than the line is not broken")
	}
	for _, width := range []float32{-5, 0, 1} {
		wrapped.HeightFor(width)
		key.HeightFor(width)
	}
	cut := widgets.NewText("a name that is much too long for its place", widgets.Style{})
	if cut.MinSize().Width > 40 {
		t.Error("a name that can be cut asks for its whole width")
	}
}

// A layout of ours is as tall as its content needs at the width it gets.
func TestHeightFollowsWidth(t *testing.T) {
	app(t, theme.Light)
	text := func() fyne.CanvasObject {
		return widgets.NewText("one two three four five six seven eight nine ten", widgets.Style{Wrap: true})
	}
	for name, o := range map[string]fyne.CanvasObject{
		"column": widgets.Column(8, text(), text()),
		"inset":  widgets.Inset(8, 8, text()),
		"sides":  widgets.Sides(8, 300, text(), text()),
		"card":   widgets.Card(text()),
		"line":   func() fyne.CanvasObject { x := text(); return widgets.Line(8, x, widgets.NewSpace(20, 20), x) }(),
		"press":  widgets.NewPress(text(), widgets.Look{PadX: 8}, nil),
	} {
		if a, b := widgets.HeightFor(o, 600), widgets.HeightFor(o, 120); b <= a {
			t.Errorf("%s: %.0f high at 600, %.0f at 120", name, a, b)
		}
	}
	hidden := text()
	hidden.Hide()
	if got := widgets.HeightFor(widgets.Column(8, widgets.NewSpace(1, 10), hidden), 100); got != 10 {
		t.Errorf("a hidden object takes up room: %.0f", got)
	}
}

func TestPressByKeyboard(t *testing.T) {
	app(t, theme.Light)
	n := 0
	b := widgets.NewButton("Go", "", widgets.Main, func() { n++ })
	passed := fyne.KeyName("")
	w := test.NewTempWindow(t, b)
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { passed = ev.Name })
	w.Canvas().Focus(b)
	for _, k := range []fyne.KeyName{fyne.KeyReturn, fyne.KeySpace, fyne.KeyEnter} {
		b.TypedKey(&fyne.KeyEvent{Name: k})
	}
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF9})
	if n != 3 || passed != fyne.KeyF9 {
		t.Errorf("pressed %d times, passed on %q", n, passed)
	}
	b.Disable()
	if test.Tap(b); n != 3 {
		t.Error("a disabled button was pressed")
	}
}

func TestEntryPassesOnWhatItDoesNotUse(t *testing.T) {
	app(t, theme.Light)
	e := widgets.NewEntry("")
	left := ""
	e.OnLeft = func(s string) { left = s }
	var passed []fyne.KeyName
	w := test.NewTempWindow(t, e)
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { passed = append(passed, ev.Name) })
	w.Canvas().Focus(e)
	test.Type(e, "note")
	for _, k := range []fyne.KeyName{fyne.KeyLeft, fyne.KeyF9, fyne.KeyEscape} {
		e.TypedKey(&fyne.KeyEvent{Name: k})
	}
	if len(passed) != 2 || left != "note" || w.Canvas().Focused() != nil {
		t.Errorf("passed %v, left %q, focus %v", passed, left, w.Canvas().Focused())
	}
}

func TestHoldShowsOnlyWhileHeld(t *testing.T) {
	app(t, theme.Light)
	shown := false
	h := widgets.NewHold("Show", theme.Look, func(on bool) { shown = on })
	space := &fyne.KeyEvent{Name: fyne.KeySpace}
	for name, end := range map[string]func(){
		"mouse up": func() { h.MouseUp(nil) }, "mouse leaves": h.MouseOut, "key up": func() { h.KeyUp(space) }, "focus lost": h.FocusLost,
	} {
		h.KeyDown(space)
		if !shown {
			t.Errorf("%s: not shown while held", name)
		}
		if end(); shown {
			t.Errorf("%s: still shown", name)
		}
	}
}

func TestSheetGivesTheFocusBack(t *testing.T) {
	app(t, theme.Light)
	before := widgets.NewButton("Before", "", widgets.Plain, nil)
	inside := widgets.NewButton("Inside", "", widgets.Plain, nil)
	w := test.NewTempWindow(t, container.NewVBox(before))
	w.Resize(fyne.NewSize(480, 560))
	w.Canvas().Focus(before)
	closed := 0
	s := widgets.ShowSheet(w.Canvas(), "Title", widgets.NewSpace(10, 2000), []fyne.CanvasObject{inside}, inside, func() { closed++ })
	if w.Canvas().Focused() != fyne.Focusable(inside) {
		t.Error("the sheet has no focus")
	}
	if b := inside.Position().Y + inside.Size().Height; b > 560 {
		t.Errorf("a tall sheet pushes its buttons out: %.0f", b)
	}
	s.Close()
	s.Close()
	if w.Canvas().Focused() != fyne.Focusable(before) || closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}
