package widgets_test

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

// The bars, pixel by pixel: four parts with four patterns, the second line, an
// empty one, one that is over its whole.
func TestSplitLooks(t *testing.T) {
	parts := []widgets.Share{{Amount: 40, Role: theme.Success, Pattern: theme.Solid}, {Amount: 20, Role: theme.Success, Pattern: theme.Hatch},
		{Amount: 20, Role: theme.Info, Pattern: theme.Dots}, {Amount: 20, Role: theme.Muted, Pattern: theme.Upright}}
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		app(t, v)
		bar := func(whole, marked int64) *widgets.Split {
			s := widgets.NewSplit(200, 12)
			s.Set(whole, marked, parts...)
			return s
		}
		all := widgets.Column(10, bar(130, 0), bar(100, 35), bar(60, 0), widgets.NewSplit(200, 12))
		w := test.NewTempWindow(t, widgets.Layers(widgets.NewFill(theme.Surface, "", 0), widgets.Inset(10, 10, all)))
		w.SetPadded(false)
		w.Resize(fyne.NewSize(240, 110))
		test.AssertRendersToImage(t, "split-"+name+".png", w.Canvas())
	}
}

func TestMenuByKeyboard(t *testing.T) {
	app(t, theme.Light)
	took := ""
	item := func(s string) widgets.MenuItem {
		return widgets.MenuItem{Text: s, Do: func() { took += s }}
	}
	from := widgets.NewButton("Menu", "", widgets.Plain, nil)
	w := test.NewTempWindow(t, widgets.Column(0, from))
	w.Resize(fyne.NewSize(480, 560))
	c := w.Canvas()
	c.Focus(from)
	press := func(keys ...fyne.KeyName) {
		for _, k := range keys {
			c.Focused().TypedKey(&fyne.KeyEvent{Name: k})
		}
	}
	widgets.ShowMenu(from, nil)
	if c.Overlays().Top() != nil {
		t.Fatal("a menu without acts opens")
	}
	widgets.ShowMenu(from, []widgets.MenuItem{item("a"), item("b"), item("c")})
	press(fyne.KeyDown, fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyReturn)
	if took != "c" || c.Focused() != fyne.Focusable(from) {
		t.Errorf("took %q, focus %v", took, c.Focused())
	}
	widgets.ShowMenu(from, []widgets.MenuItem{item("a")})
	press(fyne.KeyEscape)
	if took != "c" || c.Focused() != fyne.Focusable(from) {
		t.Error("Esc takes something or loses the focus")
	}
}

func TestPickerShowsSectionsUntilTyped(t *testing.T) {
	app(t, theme.Light)
	p := widgets.NewPicker("choose", "search", "none")
	p.SetOptions([]widgets.Option{{ID: "1", Name: "One", Group: "Acme", Section: "RECENT"}, {ID: "2", Name: "Two", Group: "Acme", Section: "Acme"}})
	w := test.NewTempWindow(t, widgets.Column(0, p.Press))
	w.Resize(fyne.NewSize(480, 560))
	p.Open()
	if got := test.LaidOutObjects(w.Canvas().Overlays().Top()); len(got) == 0 {
		t.Fatal("nothing opens")
	}
	test.Type(w.Canvas().Focused(), "two")
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if p.Opened() {
		t.Error("still open")
	}
}

// What lies inside is arranged again without being drawn anew.
func TestRelayoutMakesRoom(t *testing.T) {
	app(t, theme.Light)
	first := widgets.NewText("first", widgets.Style{Wrap: true})
	second := widgets.NewText("second", widgets.Style{Wrap: true})
	column := widgets.Column(0, first, second)
	w := test.NewTempWindow(t, column)
	w.Resize(fyne.NewSize(100, 400))
	at := second.Position().Y
	widgets.Show(first, false)
	widgets.Relayout(column)
	if second.Position().Y >= at {
		t.Error("what is hidden takes up room")
	}
}
