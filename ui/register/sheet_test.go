package register_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/register"
	"pow.do/ui/theme"
	"pow.do/ui/widgets"
	"pow.do/ui/words"
)

// clock is the moment of every test: Friday, 20 November 2026, 16:34:07.
func clock() time.Time { return time.Date(2026, 11, 20, 16, 34, 7, 0, time.Local) }

func at(hour, minute int) time.Time { return time.Date(2026, 11, 20, hour, minute, 0, 0, time.Local) }

// full is a preview with everything in it.
func full() pow.Preview {
	website := pow.ProjectRef{ID: "00000000000000a1", Name: "Website relaunch"}
	long := pow.ProjectRef{ID: "00000000000000a3", Name: "Weiterentwicklung der Fahrgastinformationsanzeige am Hauptbahnhof Nord"}
	return pow.Preview{Project: website, Projects: []pow.ProjectRef{website, long},
		Parts:   []pow.PreviewPart{{From: at(9, 2), To: at(10, 2), Captures: 6}, {From: at(10, 2), To: at(10, 14), Captures: 1}},
		Seconds: 3720, Captures: 6, Bytes: 1234567, Rows: 41, Detail: pow.DetailCategory, Team: "Studio Nord",
		DVMNpub: "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2", Recipient: "5f0c2a9112345678",
		Servers: []string{"https://hub.example.com"}, Relays: []string{"wss://hub.example.com"}, Retention: 30,
		Edited: 2, Removed: 1, Skipped: 1, Kept: 1500, ByHand: 300, Cuts: []pow.Interval{{From: at(9, 40), To: at(9, 50)}}}
}

func asked() pow.Preview {
	v := full()
	v.Away = []pow.AwayQuestion{{ID: "A1", From: at(12, 34), To: at(12, 59), Project: v.Project}}
	return v
}

type shown struct {
	sheet            *widgets.Sheet
	win              fyne.Window
	sent             int
	review, answered int
	done, closed     int
}

func show(t *testing.T, a agent, v theme.Variant, language string, size fyne.Size) *shown {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(v))
	if err := words.Load(language); err != nil {
		t.Fatal(err)
	}
	s := &shown{win: test.NewTempWindow(t, widgets.NewFill(theme.Ground, "", 0))}
	s.win.SetPadded(false)
	s.win.Resize(size)
	a.sent = &s.sent
	s.sheet = register.Show(s.win.Canvas(), register.Config{
		Agent: a, Now: clock,
		Async:  func(work func(context.Context) error, done func(error)) { done(work(context.Background())) },
		Say:    func(err error) (string, string) { return err.Error(), "Try again." },
		Done:   func(n int) { s.done = n },
		Closed: func() { s.closed++ },
		Review: func() { s.review++ },
		Answer: func() { s.answered++ },
	})
	return s
}

func TestGolden(t *testing.T) {
	for name, a := range map[string]agent{
		"full": {preview: full()}, "away": {preview: asked()}, "failed": {err: errors.New("The keys are locked.")},
	} {
		for look, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
			t.Run(name+"/"+look, func(t *testing.T) {
				s := show(t, a, v, "en", fyne.NewSize(640, 720))
				test.AssertRendersToMarkup(t, fmt.Sprintf("%s-%s.xml", name, look), s.win.Canvas())
			})
		}
	}
}

// buttons returns what can be pressed, by word.
func buttons(o fyne.CanvasObject, into map[string]*widgets.Button) map[string]*widgets.Button {
	switch x := o.(type) {
	case *widgets.Button:
		if x.Visible() {
			into[x.Text()] = x
		}
	case *fyne.Container:
		for _, c := range x.Objects {
			buttons(c, into)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			buttons(c, into)
		}
	}
	return into
}

func TestButtons(t *testing.T) {
	for _, c := range []struct {
		press string
		agent agent
		want  shown
	}{
		{"Register PoW", agent{preview: full()}, shown{sent: 1, done: 1, closed: 1}},
		{"Register PoW", agent{preview: asked()}, shown{}},
		{"Answer", agent{preview: asked()}, shown{answered: 1, closed: 1}},
		{"Back to review", agent{preview: full()}, shown{review: 1, closed: 1}},
	} {
		s := show(t, c.agent, theme.Light, "en", fyne.NewSize(640, 720))
		b := buttons(s.win.Canvas().Overlays().Top(), map[string]*widgets.Button{})[c.press]
		if b == nil {
			t.Errorf("no %q", c.press)
			continue
		}
		test.Tap(b)
		got := shown{sent: s.sent, review: s.review, answered: s.answered, done: s.done, closed: s.closed}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.press, got, c.want)
		}
	}
}

// The safe button has the focus, and there is nothing to answer where nothing is
// asked.
func TestFocus(t *testing.T) {
	s := show(t, agent{preview: full()}, theme.Light, "en", fyne.NewSize(640, 720))
	all := buttons(s.win.Canvas().Overlays().Top(), map[string]*widgets.Button{})
	if s.win.Canvas().Focused() != fyne.Focusable(all["Back to review"]) {
		t.Error("the focus is not on the safe button")
	}
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		s := show(t, agent{preview: asked()}, theme.Light, language, fyne.NewSize(480, 560))
		clipped(t, s.win.Canvas().Overlays().Top(), fyne.Position{})
	}
}

func clipped(t *testing.T, o fyne.CanvasObject, at fyne.Position) {
	t.Helper()
	if !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	switch x := o.(type) {
	case *canvas.Text:
		if right := at.X + x.MinSize().Width; x.Text != "" && (at.X < -1 || right > 481) {
			t.Errorf("%q reaches from %.0f to %.0f", x.Text, at.X, right)
		}
	case *fyne.Container:
		for _, c := range x.Objects {
			clipped(t, c, at)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			clipped(t, c, at)
		}
	}
}
