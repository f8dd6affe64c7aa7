// Package uitest lets a test of a page be its person: it shows the page without
// a display, reads what stands on it, presses, types, walks through it with the
// keyboard, and takes its picture.
//
// Work that a page starts waits in an Agenda until the test runs it, so that
// the states in between can be seen and nothing depends on time.
package uitest

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// Clock is the moment of every test: Friday, 20 November 2026, 10:14:07.
func Clock() time.Time { return time.Date(2026, 11, 20, 10, 14, 7, 0, time.Local) }

// At is a time of that day.
func At(hour, minute int) time.Time {
	return time.Date(2026, 11, 20, hour, minute, 0, 0, time.Local)
}

// Agenda holds the work that was started until Run does it.
type Agenda struct{ work []func() }

// Go has the shape of a page's Async.
func (a *Agenda) Go(work func(context.Context) error, done func(error)) {
	a.work = append(a.work, func() { done(work(context.Background())) })
}

// Run does what waits, and what that starts.
func (a *Agenda) Run() {
	for len(a.work) > 0 {
		next := a.work[0]
		a.work = a.work[1:]
		next()
	}
}

// Waits tells how much was started and not done yet.
func (a *Agenda) Waits() int { return len(a.work) }

// Say has the shape of a page's way to put an error into words.
func Say(err error) (what, mend string) {
	var e interface{ Error() string }
	if errors.As(err, &e) {
		return "Said: " + e.Error(), ""
	}
	return "Said", ""
}

// App starts a program without a display in one look and language.
func App(t testing.TB, variant theme.Variant, language string) fyne.App {
	t.Helper()
	app := test.NewTempApp(t)
	if err := words.Load(language); err != nil {
		t.Fatal(err)
	}
	app.Settings().SetTheme(theme.New(variant))
	return app
}

// Screen is a window with one page in it.
type Screen struct {
	t   testing.TB
	Win fyne.Window
}

// Show puts an object into a window of a size.
func Show(t testing.TB, o fyne.CanvasObject, width, height float32) *Screen {
	t.Helper()
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	ground := canvas.NewRectangle(theme.Color(theme.Ground))
	w.SetContent(&fyne.Container{Layout: full{}, Objects: []fyne.CanvasObject{ground, o}})
	w.Resize(fyne.NewSize(width, height))
	w.Content().Refresh()
	return &Screen{t, w}
}

// full gives every object the whole room.
type full struct{}

func (full) Layout(o []fyne.CanvasObject, size fyne.Size) {
	for _, c := range o {
		c.Move(fyne.Position{})
		c.Resize(size)
	}
}
func (full) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(10, 10) }

// Size changes the size of the window.
func (s *Screen) Size(width, height float32) {
	s.Win.Resize(fyne.NewSize(width, height))
	s.Win.Content().Refresh()
}

// root is what is in front.
func (s *Screen) root() fyne.CanvasObject {
	if top := s.Win.Canvas().Overlays().Top(); top != nil {
		return top
	}
	return s.Win.Content()
}

// each visits every object that can be seen, in order.
func each(o fyne.CanvasObject, at fyne.Position, f func(o fyne.CanvasObject, at fyne.Position)) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	f(o, at)
	switch x := o.(type) {
	case *fyne.Container:
		for _, c := range x.Objects {
			each(c, at, f)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			each(c, at, f)
		}
	}
}

// Text returns everything that can be read, in order.
func (s *Screen) Text() string {
	var all []string
	each(s.root(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if x, ok := o.(*widgets.Text); ok {
			all = append(all, x.Words())
		}
		if e, ok := o.(*widgets.Entry); ok && !e.Password {
			all = append(all, e.Text)
		}
	})
	return strings.Join(all, "\n")
}

// Sees tells whether a text can be read.
func (s *Screen) Sees(want string) bool { return strings.Contains(s.Text(), want) }

// See wants every one of some texts on the screen.
func (s *Screen) See(want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !s.Sees(w) {
			s.t.Errorf("%q is not on the screen:\n%s", w, s.Text())
		}
	}
}

// Miss wants a text not on the screen.
func (s *Screen) Miss(not ...string) {
	s.t.Helper()
	for _, w := range not {
		if s.Sees(w) {
			s.t.Errorf("%q is on the screen", w)
		}
	}
}

// pressable is anything of ours that can be pressed.
type pressable interface {
	fyne.CanvasObject
	fyne.Tappable
	fyne.Disableable
}

// find returns the smallest thing to press that carries a text.
func (s *Screen) find(text string) (found pressable) {
	each(s.root(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		p, ok := o.(pressable)
		if _, entry := o.(*widgets.Entry); !ok || entry {
			return
		}
		each(o, fyne.Position{}, func(c fyne.CanvasObject, _ fyne.Position) {
			if x, ok := c.(*widgets.Text); ok && x.Words() == text {
				found = p
			}
		})
	})
	return found
}

// Press presses what carries a text; it has to be there and enabled.
func (s *Screen) Press(text string) {
	s.t.Helper()
	switch p := s.find(text); {
	case p == nil:
		s.t.Fatalf("nothing to press says %q:\n%s", text, s.Text())
	case p.Disabled():
		s.t.Fatalf("%q is disabled", text)
	default:
		p.Tapped(nil)
	}
}

// Disabled tells whether what carries a text cannot be pressed.
func (s *Screen) Disabled(text string) bool {
	s.t.Helper()
	p := s.find(text)
	if p == nil {
		s.t.Fatalf("nothing to press says %q", text)
	}
	return p.Disabled()
}

// Entries returns the text fields that can be seen, in order.
func (s *Screen) Entries() (all []*widgets.Entry) {
	each(s.root(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if e, ok := o.(*widgets.Entry); ok {
			all = append(all, e)
		}
	})
	return all
}

// Entry returns the text field with a hint in it.
func (s *Screen) Entry(hint string) *widgets.Entry {
	s.t.Helper()
	for _, e := range s.Entries() {
		if e.PlaceHolder == hint {
			return e
		}
	}
	s.t.Fatalf("no field with %q", hint)
	return nil
}

// Golden compares the page with testdata/NAME.xml.
func (s *Screen) Golden(name string) {
	s.t.Helper()
	t, ok := s.t.(*testing.T)
	if !ok {
		return
	}
	s.Snap(name, 1)
	test.AssertRendersToMarkup(t, name+".xml", s.Win.Canvas())
}

// Snap saves a picture of the window as NAME.png below $POWDO_PICTURES, and does
// nothing where that is not set.
func (s *Screen) Snap(name string, scale float32) {
	s.t.Helper()
	dir := os.Getenv("POWDO_PICTURES")
	if dir == "" {
		return
	}
	c := s.Win.Canvas().(test.WindowlessCanvas)
	c.SetScale(scale)
	defer c.SetScale(1)
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err == nil {
		err = errors.Join(png.Encode(f, c.Capture()), f.Close())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// Walk goes through the page with Tab and wants to meet everything that can be
// pressed or typed into, once, and to come back to the first.
func (s *Screen) Walk() {
	s.t.Helper()
	want := map[fyne.Focusable]string{}
	each(s.root(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		_, tap := o.(fyne.Tappable)
		f, focus := o.(fyne.Focusable)
		d, may := o.(fyne.Disableable)
		switch {
		case may && d.Disabled():
		case tap && !focus && !inside(o):
			s.t.Errorf("%T can be pressed but not reached", o)
		case focus:
			want[f] = describe(o)
		}
	})
	c := s.Win.Canvas()
	c.Unfocus()
	for range len(want) {
		c.FocusNext()
		f := c.Focused()
		if _, ok := want[f]; !ok && f != nil {
			s.t.Errorf("Tab reaches %T %s out of turn", f, describe(f.(fyne.CanvasObject)))
		}
		delete(want, f)
	}
	for _, d := range want {
		s.t.Errorf("Tab never reaches %s", d)
	}
	c.Unfocus()
}

// inside tells the parts of Fyne's own widgets, which are reached through them.
func inside(o fyne.CanvasObject) bool {
	return !strings.HasPrefix(fmt.Sprintf("%T", o), "*widgets.")
}

func describe(o fyne.CanvasObject) string {
	words := fmt.Sprintf("%T", o)
	each(o, fyne.Position{}, func(c fyne.CanvasObject, _ fyne.Position) {
		if x, ok := c.(*widgets.Text); ok {
			words += " " + x.Words()
		}
	})
	return words
}

// Fits wants no text over the edge of the window and a least size that the
// smallest window has room for.
func (s *Screen) Fits(page fyne.CanvasObject) {
	s.t.Helper()
	const widest, highest = 428, 420
	if m := page.MinSize(); m.Width > widest || m.Height > highest {
		s.t.Errorf("least size %v, want at most %d×%d", m, widest, highest)
	}
	width := s.Win.Canvas().Size().Width
	each(s.root(), fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		x, ok := o.(*canvas.Text)
		if !ok || x.Text == "" || at.X < -width/2 {
			return
		}
		left, right := at.X, at.X+x.MinSize().Width
		if x.Alignment == fyne.TextAlignTrailing {
			left, right = at.X+x.Size().Width-x.MinSize().Width, at.X+x.Size().Width
		}
		if left < -1 || right > width+1 {
			s.t.Errorf("%q reaches from %.0f to %.0f of %.0f", x.Text, left, right, width)
		}
	})
}
