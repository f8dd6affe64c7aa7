package client

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg" // stored pictures are either
	_ "image/png"
	"testing"
	"time"

	"pow.do/services/client/capture"
	"pow.do/services/client/windows"
	"pow.do/services/pow"
)

// monitors is a screen of two monitors side by side, white, with noise that
// makes each picture another.
type monitors struct {
	n      int
	during func()
}

func (m *monitors) Grab(context.Context) ([]capture.Frame, error) {
	if m.during != nil {
		m.during()
	}
	var out []capture.Frame
	for i := range 2 {
		m.n++
		img := image.NewRGBA(image.Rect(0, 0, 200, 100))
		for k := range 200 * 100 {
			img.Set(k%200, k/200, color.White)
		}
		img.Set(m.n%200, 0, color.Black)
		out = append(out, capture.Frame{Display: i, Image: img, At: time.Now(), Bounds: image.Rect(200*i, 0, 200*i+200, 100)})
	}
	return out, nil
}

// looking is an agent that tracks, with a desktop of the test's choice.
func looking(t *testing.T) (a *Agent, screen *monitors, open *[]windows.Window) {
	t.Helper()
	a = alone(t)
	agreeAll(t, a)
	must(t, start(t, a, required))
	screen, open = &monitors{}, &[]windows.Window{}
	a.pictures.screen = screen
	a.pictures.list = func(context.Context) ([]windows.Window, error) { return *open, nil }
	s := pow.DefaultSettings()
	s.Exclusions = []pow.Exclusion{{Private: true}, {App: "keepassxc"}, {Title: "*bank*"}}
	must(t, a.SetSettings(t.Context(), s))
	return a, screen, open
}

func due(a *Agent) ([]pow.CaptureInfo, error) {
	seg, _ := a.timer.Running()
	return a.pictures.take(context.Background(), a, occasion{seg.Session, true, false})
}

func skips(t *testing.T, a *Agent) (out []pow.SkipReason) {
	t.Helper()
	ps, err := a.queue.Pictures(pow.Interval{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	must(t, err)
	for _, p := range ps {
		if p.State == pow.PictureSkipped {
			out = append(out, p.Reason)
		}
	}
	return out
}

func TestExclusions(t *testing.T) {
	left, right := image.Rect(10, 10, 50, 50), image.Rect(210, 10, 250, 50)
	for name, c := range map[string]struct {
		open   []windows.Window
		taken  int
		reason []pow.SkipReason
	}{
		"nothing":             {nil, 2, nil},
		"something else":      {[]windows.Window{{Class: "Editor", Title: "work", Bounds: left}}, 2, nil},
		"an app on one":       {[]windows.Window{{Class: "KeePassXC", Bounds: left}}, 1, []pow.SkipReason{pow.SkipApp}},
		"a title on the two":  {[]windows.Window{{Title: "My Bank", Bounds: left.Union(right)}}, 0, []pow.SkipReason{pow.SkipTitle, pow.SkipTitle}},
		"private":             {[]windows.Window{{Private: true, Bounds: right}}, 1, []pow.SkipReason{pow.SkipPrivate}},
		"outside of monitors": {[]windows.Window{{Class: "KeePassXC", Bounds: image.Rect(0, 200, 10, 210)}}, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, screen, open := looking(t)
			*open = c.open
			infos, err := due(a)
			if len(infos) != c.taken || (err != nil) != (c.taken == 0) || err != nil && !errors.Is(err, errExcluded) {
				t.Errorf("%d taken, %v", len(infos), err)
			}
			if got := skips(t, a); len(got) != len(c.reason) || len(got) > 0 && got[0] != c.reason[0] {
				t.Errorf("rows %v, want %v", got, c.reason)
			}
			// The same when it comes to the screen while the picture is taken.
			*open = nil
			screen.during = func() { *open = c.open }
			a.pictures.forget()
			if infos, _ := due(a); len(infos) != c.taken {
				t.Errorf("%d taken in the race", len(infos))
			}
			rows := len(skips(t, a))
			if _, err := a.Capture(t.Context()); (err != nil) != (c.taken == 0) {
				t.Error("by hand:", err)
			}
			if len(skips(t, a)) != rows {
				t.Error("a picture that was not due left a row")
			}
		})
	}
}

// Where the desktop tells nothing, nothing is kept unless somebody else knows
// the window in front.
func TestExclusionsUnknown(t *testing.T) {
	a, _, _ := looking(t)
	a.pictures.list = func(context.Context) ([]windows.Window, error) { return nil, windows.ErrUnsupported }
	if _, err := due(a); !errors.Is(err, errCannotTell) {
		t.Error(err)
	}
	if got := skips(t, a); len(got) != 2 || got[0] != pow.SkipFailed {
		t.Errorf("%v", got)
	}
	if s := status(t, a); len(s.Warnings) == 0 || s.Warnings[0].Code != "exclusions-weak" {
		t.Errorf("%+v", s.Warnings)
	}
	s := pow.DefaultSettings()
	s.Exclusions = nil
	must(t, a.SetSettings(t.Context(), s))
	if infos, err := due(a); err != nil || len(infos) != 2 {
		t.Error("without exclusions:", err)
	}
	if s := status(t, a); len(s.Warnings) != 0 {
		t.Errorf("%+v", s.Warnings)
	}
}

// While the keys are locked from the start, exclusions by name cannot be read.
func TestExclusionsLocked(t *testing.T) {
	a, _, _ := looking(t)
	must(t, a.queue.PutDoc(docPaused, pausedDoc{}))
	a.mu.Lock()
	a.quit = func() {}
	a.mu.Unlock()
	must(t, a.queue.Close())
	b, err := Open(t.Context(), Config{Home: a.cfg.Home, Log: a.log})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	b.pictures.screen, b.pictures.list = &monitors{}, nothingOpen
	if _, err := b.Capture(t.Context()); !errors.Is(err, errRulesLocked) {
		t.Error(err)
	}
	if _, err := b.Settings(t.Context()); !errors.Is(err, pow.ErrLocked) {
		t.Error(err)
	}
	must(t, b.Unlock(t.Context(), passphrase))
	if _, err := b.Capture(t.Context()); err != nil {
		t.Error(err)
	}
}

// At the end of a slot the program's own windows are painted over; where it is
// not known where they are, there is no picture.
func TestOwnWindow(t *testing.T) {
	a, _, open := looking(t)
	must(t, a.Sensitive(t.Context(), true))
	take := func() ([]pow.CaptureInfo, error) {
		seg, _ := a.timer.Running()
		return a.pictures.take(t.Context(), a, occasion{seg.Session, true, true})
	}
	*open = []windows.Window{{Class: AppName, Bounds: image.Rect(150, 20, 250, 60), Active: true}}
	infos, err := take()
	if err != nil || len(infos) != 2 {
		t.Fatal(infos, err)
	}
	held, err := a.queue.Held("")
	must(t, err)
	for _, c := range held {
		i := c.Display
		b, err := readAll(c.Open)
		must(t, err)
		img, _, err := image.Decode(bytes.NewReader(b))
		must(t, err)
		x := 170 - 140*i // 170 on the left monitor, 30 on the right one
		if r, _, _, _ := img.At(x, 40).RGBA(); r > 0x2000 {
			t.Errorf("monitor %d shows the window", i)
		}
		if r, _, _, _ := img.At(100, 80).RGBA(); r < 0xe000 {
			t.Errorf("monitor %d is covered elsewhere", i)
		}
		if want := (pow.Rect{X: 150, Y: 20, W: 50, H: 40}); i == 0 && c.Window != want {
			t.Errorf("active window %+v, want %+v", c.Window, want)
		}
	}
	*open = nil
	if infos, err := take(); err == nil || len(infos) != 0 {
		t.Error("its own window is somewhere:", infos, err)
	}
	if got := skips(t, a); len(got) != 2 || got[0] != pow.SkipOwnWindow {
		t.Errorf("%v", got)
	}
}

func TestHalfSize(t *testing.T) {
	a, _, open := looking(t)
	s := pow.DefaultSettings()
	s.HalfSize = true
	must(t, a.SetSettings(t.Context(), s))
	*open = []windows.Window{{Class: "Editor", Bounds: image.Rect(20, 20, 120, 80), Active: true}}
	infos, err := due(a)
	if err != nil || len(infos) != 2 || infos[0].Width != 100 || infos[0].Height != 50 {
		t.Fatal(infos, err)
	}
	held, err := a.queue.Held("")
	must(t, err)
	for _, c := range held {
		want := pow.Rect{}
		if c.Display == 0 {
			want = pow.Rect{X: 10, Y: 10, W: 50, H: 30}
		}
		if c.Window != want {
			t.Errorf("display %d: %+v", c.Display, c.Window)
		}
	}
}

func TestWindowsAndTestShot(t *testing.T) {
	a, _, open := looking(t)
	*open = []windows.Window{{Class: "KeePassXC", Title: "k", Bounds: image.Rect(190, 0, 210, 10)}, {Class: "Editor", Bounds: image.Rect(0, 0, 5, 5)}}
	all, err := a.Windows(t.Context())
	must(t, err)
	if len(all) != 3 || !all[0].Excluded || all[0].Rule != "keepassxc" || all[1].Excluded || all[2].Display != 1 {
		t.Errorf("%+v", all)
	}
	shots, err := a.TestShot(t.Context())
	if err != nil || len(shots) != 2 {
		t.Fatal(err)
	}
	if _, format, err := image.Decode(bytes.NewReader(shots[0])); err != nil || format != "jpeg" {
		t.Error(format, err)
	}
	if s := status(t, a); s.Held != 0 {
		t.Error("a test shot was stored")
	}
}

// A picture falls into its slot, and Status tells the slot only.
func TestSlot(t *testing.T) {
	a, _, _ := looking(t)
	now := time.Now()
	s := a.inSlot(t.Context(), slot{}, now)
	a.pictures.setSlot(s)
	if s.due.Before(now) || !s.due.Before(s.end) || s.end.Sub(now) != 10*time.Minute {
		t.Errorf("%+v", s)
	}
	if st := status(t, a); st.Slot == nil || st.Slot.Duration() != 10*time.Minute {
		t.Errorf("%+v", st.Slot)
	}
	a.pictures.sensitive = s.end
	if later := a.inSlot(t.Context(), s, s.due); later.done {
		t.Error("taken while secrets were on the screen")
	}
	must(t, a.Sensitive(t.Context(), false))
	if later := a.inSlot(t.Context(), s, s.due); !later.done {
		t.Error("not taken when due")
	}
	if st := status(t, a); st.Held != 2 {
		t.Errorf("held %d", st.Held)
	}
}
