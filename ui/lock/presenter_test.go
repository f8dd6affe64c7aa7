package lock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/ui/lock"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type agent struct {
	unlock func(string) error
	forgot []pow.ForgetRequest
	wrong  error
}

func (a *agent) Unlock(_ context.Context, p string) error { return a.unlock(p) }
func (a *agent) Forget(_ context.Context, r pow.ForgetRequest) (pow.Forgotten, error) {
	a.forgot = append(a.forgot, r)
	return pow.Forgotten{Pictures: 7, Seconds: 4200}, a.wrong
}

func TestAWrongPassphraseWaitsLongerEachTime(t *testing.T) {
	var waits []time.Duration
	var wake func()
	tries := 0
	p := lock.New(lock.Config{
		Agent: &agent{unlock: func(string) error { tries++; return pow.ErrLocked }},
		Async: func(work func(context.Context) error, done func(error)) { done(work(context.Background())) },
		After: func(d time.Duration, f func()) { waits = append(waits, d); wake = f },
		Show:  func(lock.Model) {},
	})
	p.Unlock("")
	for range 7 {
		p.Unlock("wrong")
		p.Unlock("wrong") // while it waits: not asked
		if !p.Model().Wrong || p.Model().Wait == 0 {
			t.Fatal("no wait after a wrong passphrase")
		}
		wake()
	}
	want := []time.Duration{1, 2, 4, 8, 16, 30, 30}
	for i, w := range want {
		if waits[i] != w*time.Second {
			t.Errorf("wait %d is %v, want %v s", i, waits[i], w)
		}
	}
	if tries != 7 {
		t.Errorf("asked %d times, want 7", tries)
	}
	p.Update(pow.Status{}, time.Time{})
	if p.Model().Wrong {
		t.Error("still wrong after it was unlocked elsewhere")
	}
}

type desk struct {
	*agent
	agenda uitest.Agenda
	page   *lock.Page
	wake   func()
}

func open(t testing.TB, width, height float32) (*desk, *uitest.Screen) {
	t.Helper()
	d := &desk{agent: &agent{unlock: func(string) error { return pow.ErrLocked }}}
	d.page = lock.NewPage(lock.Config{Agent: d.agent, Async: d.agenda.Go, After: func(_ time.Duration, f func()) { d.wake = f }, Now: uitest.Clock}, uitest.Say)
	d.page.Update(pow.Status{Timer: pow.TimerStatus{State: pow.Tracking, Elapsed: 4327, Note: "Header", Project: &pow.ProjectRef{Name: "Website relaunch"}},
		Setup: pow.Setup{Key: true, Locked: true}, Team: "Studio Nord"}, uitest.Clock())
	d.page.Visible(true)
	return d, uitest.Show(t, d.page.Object(), width, height)
}

// Nothing of what is recorded stands on the page.
func TestItNamesNothing(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	_, s := open(t, 480, 560)
	s.See("Locked", "1:12", "Tracking")
	s.Miss("Website", "Header", "Studio Nord")
}

func TestBadInput(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d, s := open(t, 480, 560)
	asked := 0
	d.unlock = func(string) error { asked++; return pow.ErrLocked }
	e := s.Entries()[0]
	long := strings.Repeat("x", 2000)
	for text, want := range map[string]string{"": "Type something first.", long: "That is too long."} {
		e.SetText(text)
		s.Press("Unlock")
		s.See(want)
		if e.Text != text || asked != 0 {
			t.Errorf("%.10q: asked %d times", e.Text, asked)
		}
	}
	e.SetText("a\x00\u202e")
	s.Press("Unlock")
	d.agenda.Run()
	s.See("That is not the passphrase.", "Try again in 1 s.")
	if !s.Disabled("Unlock") || e.Text != "" {
		t.Error("a wrong passphrase stays in its field, or can be tried at once")
	}
	d.wake()
	d.unlock = func(string) error { return errors.New("no answer") }
	e.SetText("x")
	s.Press("Unlock")
	s.See("Unlocking takes a second or two.")
	d.agenda.Run()
	s.See("Said: no answer")
}

func TestForgot(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d, s := open(t, 480, 900)
	s.Press("Forgot: restore from your backup")
	d.agenda.Run()
	s.See("7 pictures and 1 h 10 min that were never registered")
	if !d.page.Back() {
		t.Error("Esc does not leave things as they are")
	}
	s.Press("Forgot: restore from your backup")
	d.agenda.Run()
	s.Press("Keep everything")
	s.Press("Forgot: restore from your backup")
	d.agenda.Run()
	s.Press("Erase and start over")
	d.agenda.Run()
	n := len(d.forgot)
	for i, r := range d.forgot {
		if r != (pow.ForgetRequest{Everything: true, DryRun: i < n-1}) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if n != 4 {
		t.Errorf("asked %d times", n)
	}
	s.See("Erased. The first run opens in a moment.")
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name          string
		variant       theme.Variant
		width, height float32
		do            func(d *desk)
	}{
		{"960-light", theme.Light, 960, 640, func(*desk) {}},
		{"480-dark", theme.Dark, 480, 560, func(*desk) {}},
		{"forgot-480-light", theme.Light, 480, 800, func(d *desk) { d.page.Presenter.Forgot(); d.agenda.Run() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			d, s := open(t, c.width, c.height)
			c.do(d)
			s.Golden("lock-" + c.name)
			s.Fits(d.page.Object())
			s.Walk()
		})
	}
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		uitest.App(t, theme.Light, language)
		d, s := open(t, 424, 560)
		d.page.Presenter.Forgot()
		d.agenda.Run()
		s.Fits(d.page.Object())
	}
}
