package widgets_test

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
)

// screen draws something like a desktop with a window, another for every n.
func screen(n int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 320, 180))
	fill := func(r image.Rectangle, c color.RGBA) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				m.SetRGBA(x, y, c)
			}
		}
	}
	fill(m.Rect, color.RGBA{uint8(40 + 23*n%90), uint8(70 + 31*n%80), uint8(110 + 17*n%90), 255})
	w := image.Rect(20+9*n%60, 14+7*n%30, 220+13*n%80, 150+5*n%20)
	fill(w, color.RGBA{245, 246, 248, 255})
	fill(image.Rect(w.Min.X, w.Min.Y, w.Max.X, w.Min.Y+12), color.RGBA{200, 206, 214, 255})
	for i := range 8 {
		y := w.Min.Y + 20 + 14*i
		fill(image.Rect(w.Min.X+10, y, w.Min.X+10+(60+37*(n+i))%(w.Dx()-20), min(y+6, w.Max.Y)), color.RGBA{120, 130, 142, 255})
	}
	return m
}

var columns = [6]string{":00", ":10", ":20", ":30", ":40", ":50"}

// looks is a cell of every state.
func states() []widgets.Hour {
	acme, kiosk := theme.BadgeFor("b", "Acme", ""), theme.BadgeFor("f", "Kiosk", "")
	held := func(id, at string, b theme.Badge) widgets.Cell {
		return widgets.Cell{ID: id, Thumb: id, Frame: widgets.Dashed, Badge: b, Time: at, Mark: theme.Held, Role: theme.Muted}
	}
	two := held("2", "09:17", acme)
	two.Stack = true
	approved := held("3", "09:24", acme)
	approved.Frame, approved.Mark, approved.Role = widgets.Firm, theme.Approved, theme.Success
	edited := held("4", "09:33", kiosk)
	edited.Frame, edited.Mark, edited.Role, edited.Done = widgets.Firm, theme.Edited, theme.Info, "2 · 9 %"
	skipped := widgets.Cell{ID: "5", Frame: widgets.Hatched, Badge: kiosk, Time: "09:41", Mark: theme.Skipped, Role: theme.Off, Word: "excluded app"}
	removed := widgets.Cell{ID: "6", Frame: widgets.Hatched, Badge: kiosk, Time: "10:02", Mark: theme.PictureRemoved, Role: theme.Muted, Word: "no picture"}
	gone := widgets.Cell{ID: "7", Frame: widgets.Vacant, Badge: kiosk, Time: "10:12", Gone: true, Mark: theme.Remove, Role: theme.Muted, Word: "removed"}
	sealed := held("8", "10:25", acme)
	sealed.Frame, sealed.Mark, sealed.Role = widgets.Hexagon, theme.Lock, theme.Info
	until := held("9", "10:34", acme)
	until.Until = "12 min"
	broken := widgets.Cell{ID: "10", Frame: widgets.Firm, Badge: acme, Time: "10:44", Mark: theme.Attention, Role: theme.Danger, Word: "unreadable"}
	return []widgets.Hour{
		{Label: "09", Slots: [6][]widgets.Cell{{held("1", "09:04", acme)}, {two}, {approved}, {edited}, {skipped}, {held("a", "09:51", kiosk), held("b", "09:53", kiosk), held("c", "09:56", kiosk), held("d", "09:58", kiosk)}}},
		{Label: "10", Slots: [6][]widgets.Cell{{removed}, {gone}, {sealed}, {until}, {broken}}},
	}
}

func newGrid(t testing.TB, hours []widgets.Hour, size fyne.Size) (*widgets.DayGrid, fyne.Window) {
	d := widgets.NewDayGrid(columns)
	d.Picture = func(id string) image.Image { return screen(int(id[0]) + len(id)) }
	pictures := map[string]image.Image{}
	d.Picture = func(id string) image.Image {
		if pictures[id] == nil {
			pictures[id] = screen(int(id[len(id)-1]))
		}
		return pictures[id]
	}
	w := test.NewTempWindow(t, widgets.Layers(widgets.NewFill(theme.Ground, "", 0), widgets.Inset(12, 12, d)))
	w.SetPadded(false)
	w.Resize(size)
	d.SetHours(hours)
	return d, w
}

func press(d *widgets.DayGrid, keys ...fyne.KeyName) {
	for _, k := range keys {
		d.TypedKey(&fyne.KeyEvent{Name: k})
	}
}

func shifted(d *widgets.DayGrid, keys ...fyne.KeyName) {
	d.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	press(d, keys...)
	d.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
}

// Every state, a selection, the focus and an unfolded slot, pixel by pixel.
func TestDayGridLooks(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		for _, size := range []fyne.Size{{Width: 784, Height: 480}, {Width: 424, Height: 360}} {
			app(t, v)
			d, w := newGrid(t, states(), size)
			w.Canvas().Focus(d)
			d.Go("c")
			press(d, fyne.KeyPageUp, fyne.KeyHome, fyne.KeyRight, fyne.KeySpace, fyne.KeyRight, fyne.KeySpace, fyne.KeyRight)
			test.AssertRendersToImage(t, fmt.Sprintf("daygrid-%v-%s.png", size.Width, name), w.Canvas())
		}
	}
}

func TestDayGridKeys(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(*widgets.DayGrid)
		cursor string
		chosen []string
	}{
		{"start", func(*widgets.DayGrid) {}, "1", []string{"1"}},
		{"right", func(d *widgets.DayGrid) { press(d, fyne.KeyRight) }, "2", []string{"2"}},
		{"left at the start", func(d *widgets.DayGrid) { press(d, fyne.KeyLeft) }, "1", []string{"1"}},
		{"over the end of a row", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd, fyne.KeyRight) }, "6", []string{"6"}},
		{"down", func(d *widgets.DayGrid) { press(d, fyne.KeyRight, fyne.KeyDown) }, "7", []string{"7"}},
		{"down to the nearest", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd, fyne.KeyDown) }, "10", []string{"10"}},
		{"down at the end", func(d *widgets.DayGrid) { press(d, fyne.KeyDown, fyne.KeyDown) }, "6", []string{"6"}},
		{"page up", func(d *widgets.DayGrid) { press(d, fyne.KeyDown, fyne.KeyPageUp) }, "1", []string{"1"}},
		{"folded", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd) }, "a", []string{"a", "b", "c", "d"}},
		{"unfolded", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyDown) }, "d", []string{"d"}},
		{"page down skips the unfolded", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyHome, fyne.KeyPageDown) }, "6", []string{"6"}},
		{"folded again", func(d *widgets.DayGrid) { press(d, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyReturn, fyne.KeyDown) }, "10", []string{"10"}},
		{"space", func(d *widgets.DayGrid) { press(d, fyne.KeySpace, fyne.KeyRight, fyne.KeyRight, fyne.KeySpace) }, "3", []string{"1", "3"}},
		{"space twice", func(d *widgets.DayGrid) { press(d, fyne.KeySpace, fyne.KeySpace, fyne.KeyRight) }, "2", []string{"2"}},
		{"shift", func(d *widgets.DayGrid) { shifted(d, fyne.KeyRight, fyne.KeyRight) }, "3", []string{"1", "2", "3"}},
		{"shift and back", func(d *widgets.DayGrid) { shifted(d, fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft) }, "2", []string{"1", "2"}},
		{"a range keeps what was selected", func(d *widgets.DayGrid) {
			press(d, fyne.KeySpace, fyne.KeyRight, fyne.KeyRight)
			shifted(d, fyne.KeyRight)
		}, "4", []string{"1", "3", "4"}},
		{"all", func(d *widgets.DayGrid) { d.TypedShortcut(&fyne.ShortcutSelectAll{}) }, "1", []string{"1", "2", "3", "4", "5", "a", "b", "c", "d", "6", "7", "8", "9", "10"}},
		{"none", func(d *widgets.DayGrid) { d.SelectAll(); d.Clear() }, "1", []string{"1"}},
		{"go", func(d *widgets.DayGrid) { d.Go("c") }, "c", []string{"c"}},
		{"gone from the day", func(d *widgets.DayGrid) {
			press(d, fyne.KeyDown, fyne.KeyEnd, fyne.KeySpace)
			h := states()
			h[1].Slots[4] = nil
			d.SetHours(h)
		}, "9", []string{"9"}},
		{"nothing", func(d *widgets.DayGrid) {
			d.SetHours(nil)
			press(d, fyne.KeyRight, fyne.KeyDown, fyne.KeyEnd, fyne.KeySpace, fyne.KeyReturn, fyne.KeyPageDown)
		}, "", nil},
	} {
		app(t, theme.Light)
		d, w := newGrid(t, states(), fyne.NewSize(784, 300))
		w.Canvas().Focus(d)
		c.do(d)
		if d.Cursor() != c.cursor || !slices.Equal(d.Chosen(), c.chosen) {
			t.Errorf("%s: at %q with %v, want %q with %v", c.name, d.Cursor(), d.Chosen(), c.cursor, c.chosen)
		}
	}
}

func TestDayGridTellsAndPassesOn(t *testing.T) {
	app(t, theme.Light)
	d, w := newGrid(t, states(), fyne.NewSize(784, 300))
	opened, undone, moved := "", 0, 0
	var own, passed []fyne.KeyName
	d.OnOpen = func(id string) { opened = id }
	d.OnUndo = func() { undone++ }
	d.OnMoved = func() { moved++ }
	d.OnKey = func(ev *fyne.KeyEvent) bool { own = append(own, ev.Name); return ev.Name == fyne.KeyA }
	w.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) { passed = append(passed, ev.Name) })
	w.Canvas().Focus(d)
	press(d, fyne.KeyRight, fyne.KeyReturn, fyne.KeyA, fyne.KeyF9)
	d.TypedShortcut(&fyne.ShortcutUndo{})
	if opened != "2" || undone != 1 || moved == 0 {
		t.Errorf("opened %q, undone %d, moved %d", opened, undone, moved)
	}
	if !slices.Equal(own, []fyne.KeyName{fyne.KeyA, fyne.KeyF9}) || !slices.Equal(passed, []fyne.KeyName{fyne.KeyF9}) {
		t.Errorf("own %v, passed on %v", own, passed)
	}
}

func TestDayGridByMouse(t *testing.T) {
	app(t, theme.Light)
	d, w := newGrid(t, states(), fyne.NewSize(784, 300))
	opened := ""
	d.OnOpen = func(id string) { opened = id }
	slot := (d.Size().Width - 36) / 6
	at := func(col, line int) fyne.Position { return fyne.NewPos(36+slot*float32(col)+20, 40+100*float32(line)) }
	click := func(p fyne.Position, m fyne.KeyModifier) {
		d.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: p}, Modifier: m})
		d.MouseUp(nil)
	}
	click(at(2, 0), 0)
	if w.Canvas().Focused() != fyne.Focusable(d) || d.Cursor() != "3" {
		t.Errorf("at %q", d.Cursor())
	}
	click(at(0, 0), fyne.KeyModifierControl)
	click(at(3, 0), fyne.KeyModifierControl)
	if got := d.Chosen(); !slices.Equal(got, []string{"1", "4"}) {
		t.Errorf("with Ctrl: %v", got)
	}
	click(at(2, 0), 0)
	if got := d.Chosen(); !slices.Equal(got, []string{"3"}) {
		t.Errorf("a plain click leaves %v", got)
	}
	click(at(4, 0), fyne.KeyModifierShift)
	if got := d.Chosen(); !slices.Equal(got, []string{"3", "4", "5"}) {
		t.Errorf("with Shift: %v", got)
	}
	click(fyne.NewPos(5, 5), 0) // beside everything
	d.DoubleTapped(&fyne.PointEvent{Position: at(1, 1)})
	if opened != "7" {
		t.Errorf("a double click opened %q", opened)
	}
}

// Only what can be seen has objects, and scrolling uses them again.
func TestDayGridRecycles(t *testing.T) {
	app(t, theme.Light)
	asked := map[string]bool{}
	var hours []widgets.Hour
	for h := range 24 {
		hour := widgets.Hour{Label: fmt.Sprintf("%02d", h)}
		for s := range 6 {
			id := fmt.Sprintf("%d-%d", h, s)
			hour.Slots[s] = []widgets.Cell{{ID: id, Thumb: id, Badge: theme.BadgeFor("a", "A", ""), Time: "00:00"}}
		}
		hours = append(hours, hour)
	}
	d, w := newGrid(t, hours, fyne.NewSize(784, 300))
	pictures := d.Picture
	d.Picture = func(id string) image.Image { asked[id] = true; return pictures(id) }
	w.Canvas().Focus(d)
	d.SetHours(hours)
	if len(asked) > 4*6 {
		t.Errorf("asked for %d pictures where three rows can be seen", len(asked))
	}
	before := len(test.LaidOutObjects(d))
	for range 23 {
		press(d, fyne.KeyPageDown)
	}
	if d.Cursor() != "23-0" || !asked["23-0"] {
		t.Errorf("at %q", d.Cursor())
	}
	if after := len(test.LaidOutObjects(d)); after > before+before/2 {
		t.Errorf("%d objects, %d before scrolling", after, before)
	}
}
