package settings_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"pow.do/services/pow"
	"pow.do/ui/input"
	"pow.do/ui/settings"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

func TestAChangeCountsAtOnce(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	p := d.page.Presenter
	p.Change(settings.Pictures, func(s *pow.Settings) { s.HalfSize = true })
	p.Change(settings.Pictures, func(s *pow.Settings) { s.Toast = pow.ToastOff }) // while the first is on its way
	d.agenda.Run()
	if !d.settings.HalfSize || d.settings.Toast != pow.ToastOff || d.saved != 2 {
		t.Errorf("saved %d times: %+v", d.saved, d.settings)
	}
	d.refuse = errors.New("no")
	p.Change(settings.Pictures, func(s *pow.Settings) { s.HalfSize = false })
	d.agenda.Run()
	if m := p.Model(); !m.Settings.HalfSize || m.Err[settings.Pictures] == nil {
		t.Error("a refused change is shown as if it held")
	}
}

func TestNothingIsSavedBeforeItIsKnown(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	fresh := settings.New(settings.Config{Agent: d.agent, Async: d.agenda.Go, Now: uitest.Clock, Show: func(settings.Model) {}})
	fresh.Change(settings.General, func(s *pow.Settings) { s.StartAtLogin = true })
	d.agenda.Run()
	if d.saved != 0 {
		t.Error("overwrote settings that it never saw")
	}
}

const (
	turned = "abc\u202edef"
	good   = "four words are good"
)

// Every text field with what cannot be used: the sentence stands below it, what
// held goes on to hold, and the text stays.
func TestBadInputInEveryField(t *testing.T) {
	long := strings.Repeat("x", 5000)
	huge := "99999999999999999999"
	numbers := map[string]input.Fault{"": "empty", "five": "number", "1.5": "number", huge: "range", "-1": "range", turned: "number", "1\x00": "number", long: "number"}
	addresses := map[string]input.Fault{"ftp://h:1": "scheme", "host": "address", "http://u:p@h:1": "scheme", long: "long", turned: "control", "javascript:alert(1)": "address"}
	names := map[string]input.Fault{"": "empty", " ": "empty", long: "long", turned: "control", "a\x00b": "control"}
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	d.page.Visible(false) // drawing is tested below
	p := d.page.Presenter
	before := d.settings
	fields := map[settings.Field]struct {
		texts map[string]input.Fault
		set   func(string)
	}{
		settings.WeekLimit:   {numbers, func(s string) { p.SetNumber(settings.WeekLimit, s) }},
		settings.AwayAfter:   {numbers, func(s string) { p.SetNumber(settings.AwayAfter, s) }},
		settings.StopAfter:   {numbers, func(s string) { p.SetNumber(settings.StopAfter, s) }},
		settings.RemindAfter: {numbers, func(s string) { p.SetNumber(settings.RemindAfter, s) }},
		settings.ToastFor:    {numbers, func(s string) { p.SetNumber(settings.ToastFor, s) }},
		settings.LockAfter:   {numbers, func(s string) { p.SetNumber(settings.LockAfter, s) }},
		settings.RemindFrom:  {map[string]input.Fault{"": "empty", "25:00": "time", "18:00": "backwards", turned: "time"}, func(s string) { p.SetHours(settings.RemindFrom, s) }},
		settings.RemindTo:    {map[string]input.Fault{"": "empty", "9": "time", "8:00": "backwards", huge: "time"}, func(s string) { p.SetHours(settings.RemindTo, s) }},
		settings.ActivityURL: {map[string]input.Fault{"ftp://h": "scheme", "host": "address", "http://u:p@h": "secrets", "http://h:0": "port", long: "long", turned: "control"}, p.SetActivityURL},
		settings.ActivityKey: {map[string]input.Fault{long: "long", turned: "control"}, p.SetActivityKey},
		settings.Proxy:       {addresses, p.SetProxy},
		settings.AppsOut:     {names, func(s string) { p.AddName(settings.AppsOut, s) }},
		settings.TitlesOut:   {names, func(s string) { p.AddName(settings.TitlesOut, s) }},
	}
	for f, c := range fields {
		for text, want := range c.texts {
			c.set(text)
			d.agenda.Run()
			if got := p.Model().Faults[f]; got != want {
				t.Errorf("%s %.20q: %q, want %q", f, text, got, want)
			}
			if !words.Has("input." + string(want)) {
				t.Errorf("no sentence for %q", want)
			}
		}
	}
	if d.saved != 0 || fmt.Sprint(d.settings) != fmt.Sprint(before) {
		t.Errorf("%d saves; changed to %+v", d.saved, d.settings)
	}
	p.AddName(settings.AppsOut, "sIgNaL")
	if p.Model().Faults[settings.AppsOut] != input.Twice {
		t.Error("the same app twice")
	}
}

func TestTextThatCannotBeUsedStaysInItsField(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	e := s.Entry("socks5://127.0.0.1:9050")
	e.SetText("http://127.0.0.1:9050")
	e.OnSubmitted(e.Text)
	s.See("Another kind of address is wanted here; look at the example.")
	d.page.Update(status(), uitest.Clock()) // news from the agent
	if e.Text != "http://127.0.0.1:9050" {
		t.Errorf("lost what was typed: %q", e.Text)
	}
	e.SetText("socks5://127.0.0.1:9050")
	e.OnSubmitted(e.Text)
	d.agenda.Run()
	s.Miss("Another kind of address")
	if d.settings.Proxy != "socks5://127.0.0.1:9050" {
		t.Errorf("proxy %q", d.settings.Proxy)
	}
	e.SetText("")
	d.page.Presenter.Change(settings.Servers, func(s *pow.Settings) { s.TorOnly = true })
	e.OnSubmitted("")
	d.agenda.Run()
	if d.settings.Proxy != "" || d.settings.TorOnly {
		t.Error("waits for a proxy that is not there")
	}
}

// What somebody is typing is not replaced by news from the agent.
func TestTypingIsNotInterrupted(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	e := s.Entry("http://127.0.0.1:5600")
	s.Win.Canvas().Focus(e)
	e.SetText("http://127.0.0.1:56")
	d.page.Update(status(), uitest.Clock())
	if e.Text != "http://127.0.0.1:56" {
		t.Errorf("typed %q", e.Text)
	}
}

func TestEveryServerHasATest(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	for _, name := range []string{"capture", "activitywatch", "relays", "blossom", "dvm", "proxy", "keyring", "tray", "notify", "away"} {
		d.page.Presenter.Probe(name)
		d.page.Presenter.Probe(name) // while it runs
		d.agenda.Run()
		if n := len(d.tested); n == 0 || d.tested[n-1] != name {
			t.Errorf("%s is not tested: %v", name, d.tested)
		}
	}
	if len(d.tested) != 10 {
		t.Errorf("%v", d.tested)
	}
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	s.See("OK · relay hub.example.com: reached in 41 ms", "Failed · relay second.example.org: no answer. check the network", "There is nothing to test yet.")
	d.wrong = errors.New("no agent")
	d.page.Presenter.Probe("dvm")
	d.agenda.Run()
	s.See("Failed · Said: no agent")
}

func TestDeletingSaysFirstWhatGoes(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	s.Press("Last 15 min")
	d.agenda.Run()
	s.See("18 pictures and 3 h 10 min that were never registered", "12 proofs that Studio Nord has stay there until Sun 20 Dec.", "This cannot be undone.")
	if len(d.forgot) != 1 || !d.forgot[0].DryRun || d.forgot[0].Span != 15*time.Minute {
		t.Fatalf("%+v", d.forgot)
	}
	if !d.page.Back() {
		t.Error("Esc does not leave things as they are")
	}
	s.Miss("never registered")
	s.Press("Last week")
	d.agenda.Run()
	s.Press("Delete")
	d.agenda.Run()
	if n := len(d.forgot); n != 3 || d.forgot[2] != (pow.ForgetRequest{Span: 7 * 24 * time.Hour}) {
		t.Fatalf("%+v", d.forgot)
	}
	s.See("18 pictures erased", "12.0 MB are left here, before it was 48.2 MB.")
	d.wrong = errors.New("disk")
	s.Press("Everything unsent")
	d.agenda.Run()
	s.See("Said: disk")
	if d.page.Presenter.Model().Ask.Kind != settings.AskNothing {
		t.Error("asks about what could not be found out")
	}
}

func TestRemovingAComputer(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	s.See("this computer", "old desktop", "Without a name", "removed")
	d.page.Presenter.AskRemove(d.keys.Devices[1])
	s.See("Remove old desktop?")
	d.page.Presenter.Yes()
	d.agenda.Run()
	if d.removed != (pow.Key{9}) {
		t.Errorf("removed %v", d.removed)
	}
	s.Miss("Remove old desktop?")
	d.page.Presenter.AskToLeave()
	s.See("Leave Studio Nord?")
	d.page.Presenter.Yes()
	d.agenda.Run()
	if !slices.Contains(d.calls, "leave") {
		t.Errorf("%v", d.calls)
	}
}

func TestPassphrase(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	p := d.page.Presenter
	for _, c := range []struct {
		old, fresh, again string
		field             settings.Field
		fault             input.Fault
	}{
		{"", good, good, settings.OldPhrase, input.Empty},
		{"old", "short", "short", settings.NewPhrase, input.Short},
		{"old", good, good + "!", settings.NewAgain, input.Differs},
		{"old", strings.Repeat("x", 2000), "", settings.NewPhrase, input.Long},
		{"old", good + "\x00", good + "\x00", settings.NewPhrase, input.Control},
	} {
		if p.ChangePassphrase(c.old, c.fresh, c.again) || p.Model().Faults[c.field] != c.fault {
			t.Errorf("%+v: %v", c, p.Model().Faults)
		}
	}
	d.wrong = pow.ErrLocked
	p.ChangePassphrase("wrong", good, good)
	d.agenda.Run()
	if p.Model().Err[settings.KeysGroup] == nil || p.Model().Changed {
		t.Error("a wrong passphrase changed it")
	}
	d.wrong = nil
	p.ChangePassphrase("old", good, good)
	d.agenda.Run()
	if d.changed != (pow.PassphraseChange{Old: "old", New: good}) || !p.Model().Changed {
		t.Errorf("%+v", d.changed)
	}
	p.UseKeyring("")
	p.UseKeyring("old")
	d.agenda.Run()
	if d.changed != (pow.PassphraseChange{Old: "old"}) {
		t.Errorf("%+v", d.changed)
	}
}

func TestMonitors(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	p := d.page.Presenter
	p.Look()
	d.agenda.Run()
	if len(p.Model().Shots) != 2 {
		t.Fatal("no pictures")
	}
	p.SetDisplay(1, false)
	d.agenda.Run()
	if !slices.Equal(d.settings.Displays, []int{0}) {
		t.Errorf("%v", d.settings.Displays)
	}
	p.SetDisplay(0, false) // the last one stays
	d.agenda.Run()
	if !slices.Equal(d.settings.Displays, []int{0}) {
		t.Errorf("%v", d.settings.Displays)
	}
	p.SetDisplay(1, true)
	d.agenda.Run()
	if d.settings.Displays != nil {
		t.Errorf("%v", d.settings.Displays)
	}
	d.settings.Displays, d.shots = []int{1}, d.shots[1:] // the agent takes the second one only
	p.Load()
	d.agenda.Run()
	p.Look()
	d.agenda.Run()
	if !slices.Equal(p.Model().Of, []int{1}) {
		t.Errorf("the picture is of monitor %v", p.Model().Of)
	}
	p.EveryDisplay()
	d.agenda.Run()
	if d.settings.Displays != nil {
		t.Errorf("%v", d.settings.Displays)
	}
	p.Look()
	d.agenda.Run()
	d.page.Visible(false)
	if p.Model().Shots != nil {
		t.Error("pictures of the screen outlive the page")
	}
}

// No picture is taken while a passphrase stands in a field.
func TestTypedPassphrasesAreGuarded(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	if d.secret {
		t.Error("pictures are held back for nothing")
	}
	e := s.Entry("four or five words")
	e.SetText("x")
	if !d.secret {
		t.Error("a picture could show a passphrase")
	}
	e.SetText("")
	if d.secret {
		t.Error("pictures stay held back")
	}
	e.SetText("x")
	d.page.Visible(false)
	if d.secret || e.Text != "" {
		t.Error("a passphrase outlives the page")
	}
}

func TestLooksAreTheWindowsOwn(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 9000)
	s.Press("Dark")
	s.Press("150 %")
	d.agenda.Run()
	if d.theme != theme.Dark || d.saved != 0 || len(d.prefs.values) != 2 {
		t.Errorf("theme %v, saves %d, kept %v", d.theme, d.saved, d.prefs.values)
	}
	s.See("Counts once the window is opened anew.")
	s.Press("Open anew")
	d.prefs.SetInt("size", 9999)
	if n := (settings.Prefs{Preferences: d.prefs}).Scale(); n != 200 {
		t.Errorf("scale %d", n)
	}
	if fmt.Sprint(d.did) != "[restart]" {
		t.Errorf("%v", d.did)
	}
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name          string
		variant       theme.Variant
		width, height float32
		do            func(d *desk)
	}{
		{"960-light", theme.Light, 960, 640, nil},
		{"480-dark", theme.Dark, 480, 560, nil},
		{"480-light", theme.Light, 480, 8200, everything},
		{"784-dark", theme.Dark, 784, 5600, everything},
	} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			d := open(t, full())
			if c.do != nil {
				c.do(d)
			}
			s := uitest.Show(t, d.page.Object(), c.width, c.height)
			s.Golden("settings-" + c.name)
			s.Fits(d.page.Object())
		})
	}
}

// everything brings the page into a state with something to see in each section.
func everything(d *desk) {
	p := d.page.Presenter
	p.Look()
	d.page.Exclude.Presenter.Test()
	p.Probe("relays")
	p.Probe("dvm")
	p.SetProxy("http://127.0.0.1:9050")
	p.AskToForget(pow.ForgetRequest{Span: time.Hour})
	d.agenda.Run()
}

func TestKeyboard(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	everything(d)
	s := uitest.Show(t, d.page.Object(), 1280, 6000)
	s.Walk()
	if f := d.page.Focus(); f == nil {
		t.Error("nothing takes the focus")
	}
	var _ fyne.Focusable = d.page.Focus()
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range words.Languages {
		t.Run(language, func(t *testing.T) {
			uitest.App(t, theme.Light, language)
			d := open(t, full())
			everything(d)
			uitest.Show(t, d.page.Object(), 424, 9000).Fits(d.page.Object())
		})
	}
}

func TestSectionsScrollIntoView(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, full())
	s := uitest.Show(t, d.page.Object(), 960, 640)
	s.Snap("settings-top-2x", 2)
	d.page.Go(settings.DataGroup)
	s.Snap("settings-data-960", 1)
	d.page.Go(settings.KeysGroup)
	s.Snap("settings-keys-960", 1)
}

// News from the agent come up to ten times a second while time runs; they cost
// the page nothing unless something on it changed.
func BenchmarkNews(b *testing.B) {
	uitest.App(b, theme.Light, "en")
	d := open(b, full())
	uitest.Show(b, d.page.Object(), 960, 640)
	s := status()
	for b.Loop() {
		s.Timer.Elapsed++
		d.page.Update(s, uitest.Clock())
	}
}

// A change of a setting redraws the whole page once.
func BenchmarkChange(b *testing.B) {
	uitest.App(b, theme.Light, "en")
	d := open(b, full())
	uitest.Show(b, d.page.Object(), 960, 640)
	for b.Loop() {
		d.page.Presenter.Change(settings.General, func(s *pow.Settings) { s.StartAtLogin = !s.StartAtLogin })
	}
}
