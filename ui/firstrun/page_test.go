package firstrun_test

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"pow.do/services/pow"
	"pow.do/ui/firstrun"
	"pow.do/ui/input"
	"pow.do/ui/theme"
	"pow.do/ui/uitest"
	"pow.do/ui/words"
)

// The whole way, as a person goes it, with a look at each step.
func TestTheWholeFirstRun(t *testing.T) {
	for _, c := range []struct {
		variant       theme.Variant
		name          string
		width, height float32
	}{{theme.Light, "960-light", 960, 900}, {theme.Dark, "480-dark", 480, 1200}} {
		t.Run(c.name, func(t *testing.T) {
			uitest.App(t, c.variant, "en")
			walkThrough(t, open(t, newAgent(), store{}, c.width, c.height), func(d *desk, step string) {
				d.screen.Golden("firstrun-" + step + "-" + c.name)
				d.screen.Fits(d.page.Object())
				d.screen.Walk()
			})
		})
	}
}

func walkThrough(t *testing.T, d *desk, look func(d *desk, step string)) {
	t.Helper()
	p := d.page.Presenter
	look(d, "01-hello")
	d.press(words.T("act.begin"))
	look(d, "02-key")
	p.MakeNew()
	look(d, "03-safe")
	if !d.secret {
		t.Error("pictures may be taken of a passphrase")
	}
	p.KeepInKeyring()
	d.agenda.Run()
	look(d, "04-backup")
	p.OnPaper()
	look(d, "05-words")
	if d.screen.Sees("leader") {
		t.Error("the words are shown before they are asked for")
	}
	p.Next()
	look(d, "06-check")
	for range 3 {
		m := p.Model()
		p.Answer(strings.Fields(mnemonic)[m.Ask])
	}
	d.agenda.Run()
	if len(d.tested.Words) != 12 || p.Model().Step != firstrun.Team || len(p.Model().Words) != 0 {
		t.Fatalf("tested %d words, at %q", len(d.tested.Words), p.Model().Step)
	}
	look(d, "07-team")
	d.press(words.T("act.paste"))
	d.press(words.T("act.read_link"))
	look(d, "08-invite")
	if d.secret {
		t.Error("pictures are held back where nothing is secret")
	}
	d.press(words.T("act.join"))
	look(d, "09-joined")
	d.press(words.T("act.next"))
	look(d, "10-asks")
	d.press(words.T("project.agree"))
	d.press(words.T("act.not_now"))
	if !slices.Contains(d.calls, "agree 00000000000000a1") || p.Model().Step != firstrun.Pictures {
		t.Fatalf("at %q after %v", p.Model().Step, d.calls)
	}
	look(d, "11-pictures")
	d.press(words.T("welcome.pictures.take"))
	look(d, "12-shots")
	d.press(words.T("act.next"))
	look(d, "13-apps")
	d.press(words.T("act.next"))
	d.page.Update(d.status, uitest.Clock())
	d.agenda.Run()
	look(d, "14-out")
	if n := len(d.settings.Exclusions); n < 8 {
		t.Errorf("%d exclusions are filled in", n)
	}
	d.press(words.T("act.next"))
	look(d, "15-rehearsal")
	d.press(words.T("welcome.rehearsal.take"))
	p.Cover(image.Rect(72, 108, 444, 264))
	look(d, "16-cover")
	d.press(words.T("welcome.rehearsal.seal"))
	if want := []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 72, Y: 108, W: 372, H: 156}}}; !slices.Equal(d.edits, want) {
		t.Errorf("edits %+v", d.edits)
	}
	look(d, "17-outcome")
	d.press(words.T("act.next"))
	look(d, "18-ready")
	d.press(words.T("act.to_timer"))
	if d.done != 1 || d.page.Unfinished() {
		t.Errorf("done %d times, unfinished %v", d.done, d.page.Unfinished())
	}
	if m := p.Model(); m.Before != nil || m.Shots != nil || m.Outcome != nil {
		t.Error("pictures outlive the first run")
	}
}

func TestNothingIsClipped(t *testing.T) {
	for _, language := range []string{"de", "fr"} {
		t.Run(language, func(t *testing.T) {
			uitest.App(t, theme.Light, language)
			walkThrough(t, open(t, newAgent(), store{}, 480, 560), func(d *desk, _ string) { d.screen.Fits(d.page.Object()) })
		})
	}
}

func TestResume(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	for kept, want := range map[string]firstrun.Step{
		"": firstrun.Team, "rehearsal": firstrun.Rehearsal, "asks": firstrun.Asks, "words": firstrun.Team, "done": firstrun.Team, "nonsense": firstrun.Team,
	} {
		a := newAgent()
		d := open(t, a, store{"first-run": kept}, 480, 560)
		if got := d.page.Presenter.Model().Step; got != firstrun.Hello {
			t.Errorf("%q without a key: at %q", kept, got)
		}
		d = open(t, a, store{"first-run": kept}, 480, 560)
		p := firstrun.New(firstrun.Config{Agent: a, Async: d.agenda.Go, Store: store{"first-run": kept}, Show: func(firstrun.Model) {}})
		p.Update(pow.Status{Setup: pow.Setup{Key: true}})
		if got := p.Model().Step; got != want {
			t.Errorf("%q: at %q, want %q", kept, got, want)
		}
	}
}

// Going back and forth loses nothing that was typed.
func TestBackLosesNothing(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, newAgent(), store{}, 700, 900)
	p := d.page.Presenter
	p.Next()
	p.UseOld()
	list := strings.Fields(mnemonic)
	for i, e := range d.screen.Entries()[:12] {
		e.SetText(list[i])
	}
	d.screen.See("The checksum fits.")
	d.press("Next")
	if p.Model().Step != firstrun.Safe {
		t.Fatalf("at %q", p.Model().Step)
	}
	d.screen.Entry("four or five words").SetText(good)
	p.Back()
	if got := d.screen.Entries()[11].Text; got != "bean" {
		t.Errorf("the twelfth word is %q", got)
	}
	d.press("Next")
	if got := d.screen.Entry("four or five words").Text; got != good {
		t.Errorf("the passphrase is %q", got)
	}
	d.screen.Entry("so that no slip locks you out").SetText(good)
	d.press("Use this passphrase")
	if d.key.Restore != mnemonic || d.key.Passphrase != good {
		t.Errorf("%+v", d.key)
	}
	p.Back()
	d.screen.Miss("leader") // typed secrets are gone once the key is made
	if p.Model().Step != firstrun.Backup {
		t.Errorf("a key that was made is made again: at %q", p.Model().Step)
	}
}

func TestAPasteOfAllWordsIsSpread(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, newAgent(), store{}, 700, 900)
	p := d.page.Presenter
	p.Next()
	p.UseOld()
	d.screen.Entries()[0].SetText("  " + strings.ToUpper(mnemonic) + "\n")
	d.screen.See("The checksum fits.")
	d.screen.Entries()[2].SetText("parrots")
	d.screen.See("Word 3 is not in the English word list. Check its spelling.")
	d.screen.Entries()[2].SetText("bean")
	d.screen.See("The checksum does not fit")
	d.screen.Entries()[0].SetText(mnemonic + " " + mnemonic)
	if n := len(d.screen.Entries()); n != 24 || p.Model().Form != firstrun.TwentyFour {
		t.Errorf("%d fields for 24 words", n)
	}
}

// Every field with what cannot be used: the sentence stands below it, nothing is
// asked of the agent, and the text stays.
func TestBadInputInEveryField(t *testing.T) {
	long, turned := strings.Repeat("x", 9000), "abc\u202edef"
	for _, c := range []struct {
		name string
		do   func(p *firstrun.Presenter)
		at   string
		want input.Fault
	}{
		{"no key", func(p *firstrun.Presenter) { p.UseOld(); p.Restored("", "") }, "key", input.Empty},
		{"npub", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(npub, "") }, "key", input.PublicKey},
		{"hex", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(strings.Repeat("0f", 32), "") }, "key", input.HexKey},
		{"long key", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(long, "") }, "key", input.Long},
		{"turned key", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(turned+turned, "") }, "key", input.NotKey},
		{"words", func(p *firstrun.Presenter) { p.UseOld(); p.Restored("leader monkey", "") }, "key", input.WordCount},
		{"order", func(p *firstrun.Presenter) {
			p.UseOld()
			p.Restored(strings.Replace(mnemonic, "leader monkey", "monkey leader", 1), "")
		}, "key", input.Checksum},
		{"nsec", func(p *firstrun.Presenter) { p.UseOld(); p.Restored("nsec1qqqq", "") }, "key", input.Checksum},
		{"no passphrase", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(sealed, "") }, "phrase", input.NoPhrase},
		{"long passphrase", func(p *firstrun.Presenter) { p.UseOld(); p.Restored(sealed, long) }, "phrase", input.Long},
		{"short", func(p *firstrun.Presenter) { p.MakeNew(); p.KeepBehind("short", "short") }, "phrase", input.Short},
		{"differs", func(p *firstrun.Presenter) { p.MakeNew(); p.KeepBehind(good, good+"!") }, "again", input.Differs},
		{"control", func(p *firstrun.Presenter) { p.MakeNew(); p.KeepBehind(good+"\x00", good+"\x00") }, "phrase", input.Control},
		{"no link", func(p *firstrun.Presenter) { p.Offline(); p.Back(); p.Read("") }, "link", input.Empty},
		{"web link", func(p *firstrun.Presenter) { p.Read("https://example.com/join") }, "link", input.Link},
		{"other link", func(p *firstrun.Presenter) { p.Read("powdo://other#x") }, "link", input.Link},
		{"long link", func(p *firstrun.Presenter) { p.Read("powdo://join#" + long) }, "link", input.Long},
		{"turned link", func(p *firstrun.Presenter) { p.Read("powdo://join#" + turned) }, "link", input.Control},
		{"activity key", func(p *firstrun.Presenter) { p.SetActivityKey(turned) }, "activity-key", input.Control},
		{"no activity key", func(p *firstrun.Presenter) { p.SetActivityKey("") }, "activity-key", input.Empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAgent()
			var agenda uitest.Agenda
			p := firstrun.New(firstrun.Config{Agent: a, Async: agenda.Go, Store: store{}, Show: func(firstrun.Model) {}})
			p.Next()
			c.do(p)
			if m := p.Model(); m.At != c.at || m.Fault != c.want {
				t.Errorf("%q at %q, want %q at %q", m.Fault, m.At, c.want, c.at)
			}
			if len(a.calls) != 0 {
				t.Errorf("asked the agent: %v", a.calls)
			}
			if !words.Has("input." + string(c.want)) {
				t.Error("no sentence for it")
			}
		})
	}
}

func TestABadDeviceNameIsNotSent(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, newAgent(), store{}, 700, 900)
	p := d.page.Presenter
	p.Read(link)
	d.agenda.Run()
	e := d.screen.Entry("Name of this computer (you may leave it empty)")
	for text, want := range map[string]string{strings.Repeat("x", 61): "That is too long.", "a\u202eb": "It has characters in it that cannot be seen"} {
		e.SetText(text)
		d.press("Agree and join")
		d.screen.See(want)
		if e.Text != text {
			t.Errorf("the text became %q", e.Text)
		}
	}
	if slices.ContainsFunc(d.calls, func(s string) bool { return strings.HasPrefix(s, "join") }) {
		t.Error("joined")
	}
}

// Each step says by itself that it failed and can be tried again.
func TestFailuresStayOnTheirStep(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, newAgent(), store{}, 700, 1000)
	p := d.page.Presenter
	p.Next()
	p.MakeNew()
	d.wrong = errors.New("disk full")
	p.KeepInKeyring()
	d.agenda.Run()
	d.screen.See("Said: disk full", "Keep it safe")
	d.wrong = nil
	p.KeepInKeyring()
	d.agenda.Run()
	d.screen.Miss("Said: disk full")
	p.Later()
	d.wrong = errors.New("link expired")
	p.Read(link)
	d.agenda.Run()
	d.screen.See("Said: link expired", "Your team")
	d.wrong = nil
	p.Read(link)
	d.agenda.Run()
	p.Agree("laptop")
	d.agenda.Run()
	d.screen.See("1 of 2 · relay b.example.org: no answer")
	before := len(d.calls)
	d.press("Try now")
	if got := d.calls[before:]; fmt.Sprint(got) != "[test relays]" {
		t.Errorf("%v", got)
	}
	p.Next()
	d.agenda.Run()
	p.Next() // decide later
	d.wrong = errors.New("denied")
	p.Shoot()
	d.agenda.Run()
	d.screen.See("Said: denied", "Go on without pictures", "flatpak permission-reset")
	d.press("Go on without pictures")
	d.page.Lose()
	d.screen.See("The tracker is not running. Starting it …")
}

func TestAppTimes(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	a := newAgent()
	a.consent["00000000000000a1"] = pow.ConsentGiven
	d := open(t, a, store{"first-run": "apps"}, 700, 900)
	d.status.Setup.Key, d.status.ActivityWatch = true, "locked"
	d.page = nil
	d = open(t, a, store{"first-run": "apps"}, 700, 900)
	p := d.page.Presenter
	p.Offline()
	p.Next()
	d.agenda.Run()
	p.SetLevel(pow.DetailTitle)
	d.agenda.Run()
	if len(a.chosen) != 1 || a.chosen[0].Detail != pow.DetailApp { // not more than it asks for
		t.Errorf("%+v", a.chosen)
	}
	d.screen.See("Work > Programming", "20 min")
	s := d.status
	s.ActivityWatch = "locked"
	d.page.Update(s, uitest.Clock())
	d.screen.See("App times: key needed")
	p.SetActivityKey("secret")
	d.agenda.Run()
	if a.settings.ActivityKey != "secret" {
		t.Error("the key is not kept")
	}
	d.press("Without app times")
	if !a.settings.ActivityOff || p.Model().Step != firstrun.Out {
		t.Errorf("off %v, at %q", a.settings.ActivityOff, p.Model().Step)
	}
}

func TestLanguageAndLook(t *testing.T) {
	uitest.App(t, theme.Light, "en")
	d := open(t, newAgent(), store{}, 700, 900)
	d.press("Deutsch")
	if d.settings.Language != "de" || d.anew != 1 {
		t.Errorf("language %q, opened anew %d times", d.settings.Language, d.anew)
	}
	d.press("Dark")
	if d.theme != theme.Dark {
		t.Error("the look did not change")
	}
}
