package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"pow.do/services/pow"
	"pow.do/ui/bridge"
	"pow.do/ui/theme"
	"pow.do/ui/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a window without a display. What is posted to Fyne's goroutine waits
// in posts until the test runs it, so that the test is that goroutine.
type rig struct {
	*Window
	t     *testing.T
	posts chan func()
}

func newRig(t *testing.T, agent Agent, variant theme.Variant, language string, opts Options) *rig {
	t.Helper()
	app := test.NewTempApp(t)
	r := &rig{t: t, posts: make(chan func(), 1024)}
	b := bridge.New(func(f func()) { r.posts <- f })
	if err := words.Load(language); err != nil {
		t.Fatal(err)
	}
	theme.WriteLooks(app.Preferences(), theme.Looks{Variant: variant})
	r.Window = newWindow(app, agent, opts, b, clock)
	b.Run(r.watch)
	closed := false
	r.win.SetOnClosed(func() { closed = true })
	r.win.Show()
	t.Cleanup(func() {
		b.Close()
		if !closed {
			r.win.Close()
		}
	})
	return r
}

// until runs what is posted until something holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for !holds() {
		select {
		case f := <-r.posts:
			f()
		case <-r.t.Context().Done():
			r.t.Fatalf("never: %s", what)
		}
	}
}

// ready waits until the first answers of the agent are on the screen.
func (r *rig) ready() *rig {
	r.t.Helper()
	r.until("the first status", func() bool { return r.known })
	if r.status.Setup.Team && r.shown == r.timer {
		r.until("the projects", func() bool { return len(r.timer.Presenter.Model().Projects) > 0 })
		r.until("the entries, the days before, the week, the limit and the terms", func() bool {
			m := r.timer.Presenter.Model()
			return len(m.Entries) > 0 && len(m.Past) > 0 && m.Week.Sum() > 0 && m.Limit > 0 && m.Terms.Consent != ""
		})
	}
	if r.shown == r.history {
		r.until("the week", func() bool { return r.history.Presenter.Model().Ready })
	}
	if r.shown == r.outbox {
		r.until("the list", func() bool { return len(r.outbox.Presenter.Model().Items) > 0 })
	}
	return r
}

func (r *rig) resize(width, height float32) {
	r.win.Resize(fyne.NewSize(width, height))
	r.win.Content().Refresh()
}

// key runs a line of the key table, as Fyne would.
func (r *rig) key(label string) {
	r.t.Helper()
	for _, k := range r.keys() {
		if k.label == label {
			r.press(k)
			return
		}
	}
	r.t.Fatalf("no key %s", label)
}

// texts returns every text that can be seen, in order.
func texts(o fyne.CanvasObject) (all []string) {
	if !o.Visible() {
		return nil
	}
	switch x := o.(type) {
	case *canvas.Text:
		return []string{x.Text}
	case *fyne.Container:
		for _, c := range x.Objects {
			all = append(all, texts(c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			all = append(all, texts(c)...)
		}
	}
	return all
}

func (r *rig) sees(want string) bool {
	o := r.win.Content()
	if top := r.win.Canvas().Overlays().Top(); top != nil {
		o = top
	}
	return strings.Contains(strings.Join(texts(o), " "), want)
}

func (r *rig) see(want string) {
	r.t.Helper()
	if !r.sees(want) {
		r.t.Errorf("%q is not on the screen", want)
	}
}

func (f *fakeAgent) next(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-f.calls:
		if got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	case <-t.Context().Done():
		t.Errorf("never asked %q", want)
	}
}

// Each page in both looks and all three width classes.
func TestGolden(t *testing.T) {
	for _, open := range []string{"timer", "outbox", "history"} {
		for _, w := range []float32{480, 960, 1280} {
			variant, name := theme.Light, "light"
			if w == 960 {
				variant, name = theme.Dark, "dark"
			}
			t.Run(fmt.Sprintf("%s/%v", open, w), func(t *testing.T) {
				r := newRig(t, busyDay(), variant, "en", Options{Open: open}).ready()
				r.resize(w, 640)
				test.AssertRendersToMarkup(t, fmt.Sprintf("%s-%v-%s.xml", open, w, name), r.win.Canvas())
			})
		}
	}
	t.Run("register", func(t *testing.T) {
		r := newRig(t, busyDay(), theme.Dark, "en", Options{}).ready()
		r.resize(640, 700)
		r.key("Ctrl+Enter")
		r.until("the preview", func() bool { return r.sees("1.2 MB") })
		test.AssertRendersToMarkup(t, "register-640-dark.xml", r.win.Canvas())
	})
}

// No text may reach over the edge of the smallest window, in any language, with
// the longest names.
func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		for _, open := range []string{"timer", "outbox", "welcome", "lock"} {
			t.Run(language+"/"+open, func(t *testing.T) {
				f := busyDay()
				f.status.Timer.Project = ref(long)
				f.status.Warnings = []pow.Fault{{Code: "disk-full"}, {Code: "offline"}}
				f.status.Setup.Key, f.status.Setup.Locked = open != "welcome", open == "lock"
				r := newRig(t, f, theme.Light, language, Options{Open: open}).ready()
				r.resize(leastWidth, leastHeight)
				if s := r.win.Content().MinSize(); s.Width > leastWidth || s.Height > leastHeight {
					t.Errorf("least size %v", s)
				}
				clipped(t, r.win.Content(), fyne.Position{}, leastWidth)
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
		if x.Alignment == fyne.TextAlignTrailing {
			left, right = at.X+x.Size().Width-x.MinSize().Width, at.X+x.Size().Width
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

func TestKeys(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{Version: "1"}).ready()

	r.key("Ctrl+3")
	if r.shown != page(r.outbox) {
		t.Fatal("Ctrl+3 does not open the outbox")
	}
	r.until("the list", func() bool { return len(r.outbox.Presenter.Model().Items) == 4 })
	if r.win.Canvas().Focused() == nil {
		t.Error("the list has no focus")
	}
	r.outbox.Presenter.Choose("P3")
	r.see("Your admin declined it.")
	r.key("Esc")
	if r.outbox.Presenter.Model().Chosen != "" {
		t.Error("Esc does not close the detail")
	}

	r.key("Ctrl+1")
	r.key("F9")
	f.next(t, "stop")
	r.until("stopped", func() bool { return !r.timer.Presenter.Model().Open() })
	r.key("Ctrl+P")
	if r.win.Canvas().Overlays().Top() == nil {
		t.Fatal("Ctrl+P opens no list")
	}
	test.Type(r.win.Canvas().Focused(), "kio")
	r.see("Kiosk app")
	if r.sees("Website") {
		t.Error("the list is not filtered")
	}
	r.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := r.timer.Presenter.Model().Chosen; got != kiosk.ID {
		t.Errorf("chose %q", got)
	}
	r.key("F9")
	f.next(t, "start "+string(kiosk.ID))

	r.key("Ctrl+Enter")
	r.until("the preview", func() bool { return r.sees("1.2 MB") })
	r.key("Ctrl+3")
	if r.shown != page(r.timer) {
		t.Error("a key went through the sheet")
	}
	r.key("Esc")
	if r.sheet != nil {
		t.Error("Esc leaves the sheet open")
	}
	r.key("F1")
	r.see("Ctrl+Enter")
}

// The window's shortcuts must not be those that a text field uses itself.
func TestKeysAreUnique(t *testing.T) {
	r := newRig(t, busyDay(), theme.Light, "en", Options{})
	seen := map[string]bool{}
	for _, k := range r.keys() {
		id := fmt.Sprint(k.name, k.mod)
		if seen[id] {
			t.Errorf("%s is bound twice", k.label)
		}
		seen[id] = true
		if k.mod == fyne.KeyModifierControl && strings.ContainsAny(string(k.name), "ACVXYZ") && len(k.name) == 1 {
			t.Errorf("%s belongs to text fields", k.label)
		}
	}
}

func TestAgentLostAndBack(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	f.statErr = errors.New("gone") // seen by the watching goroutine after the close below
	close(f.changes)
	r.until("lost", func() bool { return r.lost > 0 })
	r.see("The tracker is not running. Starting it …")
	if r.timer.Period(true) != 0 {
		t.Error("the clock ticks without an agent")
	}
}

func TestFirstRunStandsAlone(t *testing.T) {
	f := newFake(pow.Status{})
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	if !r.full() || r.nav.box.Visible() {
		t.Fatal("the first run is not alone")
	}
	p := r.first.Presenter
	p.Next()
	p.MakeNew()
	f.next(t, "sensitive on")
	r.key("Ctrl+1")
	if r.shown != page(r.first) {
		t.Error("a key went past the first run")
	}
}

func TestLockStandsBeforeEverything(t *testing.T) {
	f := busyDay()
	f.status.Setup.Locked = true
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	r.see("Locked")
	if r.sees("Website") {
		t.Error("the lock page names a project")
	}
	r.key("Ctrl+3")
	if r.shown != page(r.lock) {
		t.Error("a key went past the lock")
	}
	f.next(t, "sensitive on")
	s := f.status
	s.Setup.Locked = false
	f.changes <- s
	r.until("unlocked", func() bool { return r.shown == page(r.timer) })
	f.next(t, "sensitive off")
}

func TestSay(t *testing.T) {
	w := newRig(t, busyDay(), theme.Light, "en", Options{Words: func(err error) (string, string) { return "said: " + err.Error(), "" }})
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), "The tracker did not answer within 10 seconds."},
		{fmt.Errorf("start: %w", pow.ErrLocked), "The keys are locked."},
		{pow.ErrLocked.With(errors.New("x")), "The keys are locked."},
		{&pow.Error{Code: pow.CodeClaimUsed}, "This link was already used. Ask for a new one."},
		{errors.New("odd"), "said: odd"},
	} {
		if got, _ := w.say(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
