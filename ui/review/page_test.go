package review_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/ui/review"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

var medium = fyne.NewSize(784, 610)

// Every act of the grid and of the large view has its key.
func TestKeys(t *testing.T) {
	const (
		right, enter = fyne.KeyRight, fyne.KeyReturn
		del, tab     = fyne.KeyDelete, fyne.KeyTab
	)
	for _, c := range []struct {
		name  string
		keys  []fyne.KeyName
		calls []string
	}{
		{"approve", []fyne.KeyName{fyne.KeyA}, []string{"approve C1"}},
		{"approve two monitors", []fyne.KeyName{right, fyne.KeyA}, []string{"approve C2,C3"}},
		{"black out a selection", []fyne.KeyName{fyne.KeySpace, right, right, fyne.KeySpace, fyne.KeyR}, []string{"edit C1,C4"}},
		{"blur a folded slot", []fyne.KeyName{fyne.KeyEnd, fyne.KeyB}, []string{"edit C6,C7,C8"}},
		{"remove asks, and Enter leaves it", []fyne.KeyName{del, enter}, nil},
		{"large: approve and go on", []fyne.KeyName{enter, enter, fyne.KeyA}, []string{"approve C1", "approve C2"}},
		{"large: black out", []fyne.KeyName{enter, fyne.KeyR, enter}, []string{"edit C1"}},
		{"large: black out, left", []fyne.KeyName{enter, fyne.KeyR, fyne.KeyEscape}, nil},
		{"large: blur all", []fyne.KeyName{enter, fyne.KeyB, fyne.KeyB}, []string{"edit C1"}},
		{"large: next, leave monitor", []fyne.KeyName{enter, fyne.KeyJ, fyne.KeyM}, []string{"remove C2"}},
		{"large: next and back", []fyne.KeyName{enter, right, fyne.KeyK, enter}, []string{"approve C1"}},
		{"large: crop is not known", []fyne.KeyName{enter, fyne.KeyC}, nil},
		{"large: remove asks", []fyne.KeyName{enter, del}, nil},
		{"large: compare", []fyne.KeyName{enter, tab}, nil},
	} {
		r := newRig(t, busyDay(), theme.Light, "en", medium)
		r.key(c.keys...)
		if diff := cmp.Diff(c.calls, r.agent.calls); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestUndoKeyAndSnackbar(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", medium)
	r.key(fyne.KeyR)
	if r.snacks[0] != "1 picture blacked out." || r.undo == nil {
		t.Errorf("%q", r.snacks)
	}
	r.win.Canvas().Focused().(fyne.Shortcutable).TypedShortcut(&fyne.ShortcutUndo{})
	r.later.run()
	r.key(fyne.KeyReturn, fyne.KeyB, fyne.KeyReturn)
	r.win.Canvas().Focused().(fyne.Shortcutable).TypedShortcut(&fyne.ShortcutUndo{})
	r.later.run()
	if diff := cmp.Diff([]string{"edit C1", "undo C1", "edit C1", "undo C1"}, r.agent.calls); diff != "" {
		t.Error(diff)
	}
}

// Esc goes back one step at a time, and to the cell that it came from.
func TestBack(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", medium)
	r.key(fyne.KeyRight, fyne.KeySpace, fyne.KeyReturn)
	large := r.win.Canvas().Focused()
	r.key(fyne.KeyRight, fyne.KeyRight) // to the approved one
	r.key(fyne.KeyDelete)
	if r.win.Canvas().Overlays().Top() == nil {
		t.Fatal("nothing is asked")
	}
	if !r.Back() || r.win.Canvas().Overlays().Top() != nil || r.win.Canvas().Focused() != large {
		t.Error("the question stays")
	}
	r.key(fyne.KeyR)
	if !r.Back() || r.Presenter.Model().Look == nil {
		t.Error("leaving the rectangle leaves the picture")
	}
	if !r.Back() || r.Presenter.Model().Look != nil {
		t.Error("the picture stays")
	}
	r.see("09:24 · Website relaunch")
	r.key(fyne.KeyA)
	if diff := cmp.Diff([]string{"approve C2,C3"}, r.agent.calls); diff != "" {
		t.Errorf("the selection is lost: %s", diff)
	}
	if !r.Back() || r.Back() {
		t.Error("the selection is not cleared, or more than once")
	}
}

func TestRemoveByMouse(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", medium)
	r.key(fyne.KeyDelete)
	r.see("These 10 min are marked as without picture. In this project your admin may have to confirm them.")
	r.see("10 min less: 09:10–09:20.")
	r.Presenter.ChooseTime(false)
	r.Presenter.Remove()
	r.later.run()
	if len(r.agent.removes) != 3 || r.agent.removes[2].KeepTime || r.win.Canvas().Overlays().Top() != nil {
		t.Errorf("%+v", r.agent.removes)
	}
	r.see("Removed with its time")
}

// No picture is taken while pictures are on the screen.
func TestSecret(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", medium)
	r.key(fyne.KeyReturn, fyne.KeyDelete)
	r.Visible(false)
	if diff := cmp.Diff([]bool{true, false}, r.secret); diff != "" {
		t.Error(diff)
	}
	if r.win.Canvas().Overlays().Top() != nil {
		t.Error("the question stays when the page goes")
	}
}

func TestPeriod(t *testing.T) {
	a := busyDay()
	r := newRig(t, a, theme.Light, "en", medium)
	if d := r.Period(true); d != 0 {
		t.Errorf("ticks every %v while nothing moves", d)
	}
	a.list[0].SealsAt = clock().Add(time.Hour)
	r.Visible(true)
	r.later.run()
	if d := r.Period(true); d != time.Minute {
		t.Errorf("ticks every %v", d)
	}
	r.see("Seals by itself in 1 h")
	if r.Lose(); r.Period(true) != 0 {
		t.Error("ticks without an agent")
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		do   func(*rig)
		want string
	}{
		{func(*rig) {}, "8 held · 1 approved · 1 edited · 2 removed · 1 skipped · 1 sealed"},
		{func(*rig) {}, "Register PoW · 1 h 10 min"},
		{func(r *rig) { r.key(fyne.KeyDown, fyne.KeyEnd, fyne.KeyLeft, fyne.KeyLeft) }, "It cannot be changed any more."},
		{func(r *rig) { r.key(fyne.KeyEnd, fyne.KeyLeft) }, "Skipped: excluded app"},
		{func(r *rig) { r.key(fyne.KeyRight) }, "2 monitors"},
		{func(r *rig) { r.look("C5") }, "The server sees that 2 areas (9 %) were covered."},
		{func(r *rig) { r.look("C1") }, "Firefox"},
		{func(r *rig) { r.look("C13") }, "the same picture 3 more times"},
		{func(r *rig) { r.look("C1") }, "Kept there 30 days"},
		{func(r *rig) { r.look("C3") }, "monitor 2"},
		{func(r *rig) { r.look("C1"); r.key(fyne.KeyB) }, "Large text may stay readable when blurred."},
		{func(r *rig) { r.look("C9") }, "The picture is not sent. Its time is, marked as without picture."},
		{func(r *rig) { r.Presenter.SetTab(review.AppTimes) }, "other programs could have changed it."},
		{func(r *rig) { r.Presenter.Earlier(); r.later.run() }, "Nothing on this day"},
	} {
		r := newRig(t, busyDay(), theme.Light, "en", fyne.NewSize(1240, 770))
		c.do(r)
		if !r.sees(c.want) {
			r.see(c.want)
		}
	}
}

func TestAppTimesByKey(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", medium)
	r.Presenter.SetTab(review.AppTimes)
	r.win.Canvas().Unfocus()
	r.win.Canvas().Focus(r.Focus())
	r.key(fyne.KeySpace, fyne.KeyDown, fyne.KeyA, fyne.KeyT)
	want := []pow.LeaveOut{{IDs: []string{"R1"}}, {App: "Code"}, {App: "Code", Titles: true}}
	if diff := cmp.Diff(want, r.agent.outs); diff != "" {
		t.Error(diff)
	}
	r.see("3 rows will be sent")
	r.see("1 left out")
}

// No text may reach over the edge of the smallest page, in any language, with
// the longest names.
func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		for _, s := range states() {
			t.Run(language+"/"+s.name, func(t *testing.T) {
				a := busyDay()
				for i := range a.list {
					a.list[i].Project = kiosk
				}
				a.preview.Team = kiosk.Name
				if s.agent != nil {
					s.agent(a)
				}
				r := newRig(t, a, theme.Light, language, fyne.NewSize(424, 530))
				s.do(r)
				if m := r.Object().MinSize(); m.Width > 428 || m.Height > 420 {
					t.Errorf("least size %v", m)
				}
				clipped(t, r.win.Content(), fyne.Position{}, 424)
			})
		}
	}
}

// clipped reports texts that begin or end outside of the window.
func clipped(t *testing.T, o fyne.CanvasObject, at fyne.Position, width float32) {
	t.Helper()
	if !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	switch x := o.(type) {
	case *canvas.Text:
		left, right := at.X, at.X+x.MinSize().Width
		switch x.Alignment {
		case fyne.TextAlignTrailing:
			left, right = at.X+x.Size().Width-x.MinSize().Width, at.X+x.Size().Width
		case fyne.TextAlignCenter:
			left += (x.Size().Width - x.MinSize().Width) / 2
			right = left + x.MinSize().Width
		}
		outOfSight := at.X < -width/2 // moved away on purpose
		if x.Text != "" && !outOfSight && (left < -1 || right > width+1) {
			t.Errorf("%q reaches from %.0f to %.0f", x.Text, left, right)
		}
	case *fyne.Container:
		for _, c := range x.Objects {
			clipped(t, c, at, width)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			clipped(t, c, at, width)
		}
	}
}
