package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/doctor"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

type desk struct {
	agenda uitest.Agenda
	page   *doctor.Page
	checks []pow.Check
	wrong  error
	asked  int
	copied string
	mended []doctor.Place
	back   int
}

func (d *desk) Doctor(context.Context) ([]pow.Check, error) { d.asked++; return d.checks, d.wrong }

const npub = "npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sj0ptg2"

func all() []pow.Check {
	return []pow.Check{
		{Name: "display and capture", State: "ok", Detail: "X11, display 0: 1920×1080, last picture 10:02:11"},
		{Name: "permission", State: "ok", Detail: "pictures are allowed"},
		{Name: "tray", State: "unused", Detail: "this desktop has no place for it"},
		{Name: "ActivityWatch", State: "warning", Detail: "wants a key", Mend: "set auth.api_key in its config file where pow.do can read it"},
		{Name: "home folder", State: "failed", Detail: "others may read 3 files in /home/anna/.local/share/powdo, at least", Mend: "chmod -R go= on the folder"},
		{Name: "team", State: "ok", Detail: "Studio Nord"},
		{Name: "relay https://weiterentwicklung-der-fahrgastinformationsanzeige.example.com", State: "failed", Detail: "no answer \u202efrom it", Mend: "check the network; pow.do goes on and delivers later"},
		{Name: "DVM", State: "ok", Detail: npub},
		{Name: "archive key", State: "ok", Detail: "age-pq 5f0c2a9112345678"},
	}
}

func open(t testing.TB, checks []pow.Check, width, height float32) (*desk, *uitest.Screen) {
	t.Helper()
	d := &desk{checks: checks}
	d.page = doctor.NewPage(doctor.Config{Agent: d, Async: d.agenda.Go, Version: "1.4.0", Home: "/home/anna"}, doctor.Links{
		Say: uitest.Say, Copy: func(s string) { d.copied = s }, Mend: func(p doctor.Place) { d.mended = append(d.mended, p) }, Back: func() { d.back++ },
	})
	d.page.Update(pow.Status{Team: "Studio Nord", Version: "1.3.0"}, uitest.Clock())
	d.page.Visible(true)
	s := uitest.Show(t, d.page.Object(), width, height)
	return d, s
}

func TestTheReportNamesNothingSecret(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d, s := open(t, all(), 960, 1200)
	s.See("Looking …")
	if !s.Disabled("Copy report") {
		t.Error("copies a report of nothing")
	}
	d.agenda.Run()
	s.Press("Copy report")
	for _, bad := range []string{npub, "5f0c2a9112345678", "Studio Nord", ".local", "/home/anna", "\u202e"} {
		if strings.Contains(d.copied, bad) {
			t.Errorf("%q is in the report:\n%s", bad, d.copied)
		}
	}
	for _, want := range []string{"ok       display and capture", "failed   home folder: others may read 3 files in ~, at least", "(team)", "window: 1.4.0 (restart the agent"} {
		if !strings.Contains(d.copied, want) {
			t.Errorf("%q is not in the report:\n%s", want, d.copied)
		}
	}
}

func TestMendingAndLookingAgain(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d, s := open(t, all(), 960, 1200)
	d.agenda.Run()
	s.See("2 things do not work", "Failed", "Warning", "Not used", "OK", "no answer from it")
	s.Press("Mend")
	if len(d.mended) != 1 || d.mended[0] != doctor.Servers {
		t.Errorf("%v", d.mended)
	}
	d.wrong = errors.New("gone")
	s.Press("Look again")
	d.agenda.Run()
	s.See("Said: gone", "display and capture") // what was found stays
	d.page.Visible(false)
	d.page.Visible(true)
	if d.agenda.Waits() != 0 || d.asked != 2 {
		t.Errorf("asked %d times", d.asked)
	}
	d.page.Lose()
	s.See("The tracker does not answer.")
	d.page.Back()
	if d.back != 1 {
		t.Error("Esc does not lead back")
	}
}

func TestEveryPlace(t *testing.T) {
	for name, want := range map[string]doctor.Place{
		"display and capture": doctor.Pictures, "permission": doctor.Pictures, "ActivityWatch": doctor.Apps, "keyring": doctor.Keys, "keys": doctor.Keys,
		"team": doctor.Projects, "relay wss://a": doctor.Servers, "files https://a": doctor.Servers, "DVM": doctor.Servers, "archive key": doctor.Servers,
		"SOCKS5": doctor.Servers, "disk": doctor.Data, "clock": doctor.Nowhere, "": doctor.Nowhere,
	} {
		if got := doctor.PlaceOf(pow.Check{Name: name}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	well := []pow.Check{{Name: "display and capture", State: "ok", Detail: "X11"}}
	for _, c := range []struct {
		name          string
		variant       theme.Variant
		width, height float32
		checks        []pow.Check
	}{
		{"960-light", theme.Light, 960, 900, all()},
		{"480-dark", theme.Dark, 480, 1200, all()},
		{"well-960-dark", theme.Dark, 960, 640, well},
	} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			d, s := open(t, c.checks, c.width, c.height)
			if c.name == "well-960-dark" {
				d.page.Update(pow.Status{Version: "1.4.0"}, uitest.Clock())
			}
			d.agenda.Run()
			s.Golden("doctor-" + c.name)
			s.Fits(d.page.Object())
			s.Walk()
		})
	}
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		uitest.App(t, theme.Light, language)
		d, s := open(t, all(), 424, 560)
		d.agenda.Run()
		s.Fits(d.page.Object())
	}
}
