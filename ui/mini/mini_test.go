package mini_test

import (
	"image"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/mini"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
)

func TestOnlyANewPictureIsFresh(t *testing.T) {
	with := func(id string) pow.Status { return pow.Status{LastCapture: &pow.CaptureInfo{ID: id}} }
	for _, c := range []struct {
		name        string
		before, now pow.Status
		known, want bool
	}{
		{"first status", pow.Status{}, with("a"), false, false},
		{"first picture", pow.Status{}, with("a"), true, true},
		{"same", with("a"), with("a"), true, false},
		{"next", with("a"), with("b"), true, true},
		{"removed", with("a"), pow.Status{}, true, false},
	} {
		if _, got := mini.Fresh(c.before, c.now, c.known); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func tracking() pow.Status {
	return pow.Status{Held: 7, Timer: pow.TimerStatus{State: pow.Tracking, Elapsed: 4327,
		Project: &pow.ProjectRef{ID: "00000000000000a1", Name: "Weiterentwicklung der Fahrgastinformationsanzeige"}}}
}

func TestBar(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		app := uitest.App(t, v, "en")
		now, pressed := uitest.Clock(), 0
		b := mini.NewBar(app, func() time.Time { return now }, mini.Links{Toggle: func() { pressed++ }, Review: func() {}, Open: func() {}})
		b.Update(tracking(), now)
		b.Window().Resize(fyne.NewSize(360, 40))
		now = now.Add(3 * time.Second)
		b.Tick()
		s := uitest.Show(t, b.Window().Content(), 360, 40)
		s.See("1:12:10", "7")
		s.Golden("bar-" + name)
		s.Fits(b.Window().Content())
		s.Walk()
		b.Lose()
		now = now.Add(time.Hour)
		b.Tick()
		s.See("1:12:07")
		b.Update(pow.Status{Timer: pow.TimerStatus{State: pow.Stopped}}, now)
		s.See("Stopped", "0:00:00")
		b.Close()
	}
}

func TestToast(t *testing.T) {
	for name, v := range map[string]theme.Variant{"light": theme.Light, "dark": theme.Dark} {
		app := uitest.App(t, v, "en")
		looked := ""
		toast := mini.NewToast(app, pow.CaptureInfo{ID: "C1", At: uitest.At(10, 10), Width: 1920, Height: 1080},
			image.NewGray(image.Rect(0, 0, 320, 180)), mini.ToastLinks{Look: func(id string) { looked = id }, Remove: func(string) {}})
		w := toast.Window()
		if w.Title() != "pow.do" {
			t.Errorf("the title is %q: programs record titles", w.Title())
		}
		w.Resize(fyne.NewSize(320, 180))
		test.AssertRendersToMarkup(t, "toast-"+name+".xml", w.Canvas())
		s := uitest.Show(t, w.Content(), 320, 180)
		s.Fits(w.Content())
		s.Press("Look")
		if looked != "C1" || toast.Window() != nil {
			t.Error("Look does not look and go")
		}
		toast.Close()
	}
}
