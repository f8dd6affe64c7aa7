package ui

import (
	"context"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/theme"
)

// banners returns what the banners say, in order, without showing them.
func (r *rig) banners() (all []string) {
	for _, n := range r.notices() {
		all = append(all, n.what)
	}
	return all
}

func TestBannersComeInOrder(t *testing.T) {
	f := busyDay()
	f.status.Version = "2"
	f.status.Warnings = []pow.Fault{{Code: "offline"}, {Code: "odd", Text: "Something odd"}, {Code: pow.CodeMemberSuspended},
		{Code: "terms-changed"}, {Code: "disk-full"}, {Code: "held-long"}}
	f.status.Away = []pow.AwayQuestion{{ID: "A1", From: at(9, 34), To: at(9, 59), Reason: "idle", Project: *ref(website)}}
	r := newRig(t, f, theme.Light, "en", Options{Version: "1"}).ready()
	r.away.Close()
	want := []string{
		"The tracker is of another version.",
		"The disk is nearly full. Pictures stop.",
		"Your team takes no proofs from you at the moment.",
		"A project asks for more than you agreed to.",
		"Pictures wait for longer than five days.",
		"The server cannot be reached.",
		"Something odd",
		"What was the time from 09:34 to 09:59?",
	}
	if got := r.banners(); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	r.see("+7")
	for _, key := range []string{"offline", "disk-full", "odd"} {
		r.dismiss(key)
	}
	got := r.banners()
	if slices.Contains(got, want[5]) || slices.Contains(got, want[6]) {
		t.Error("a banner that was put away is still there")
	}
	if !slices.Contains(got, want[1]) {
		t.Error("a banner was put away that cannot be")
	}
}

func TestAppsAbsentIsToldAfterAWhile(t *testing.T) {
	f := busyDay()
	f.status.ActivityWatch = "absent"
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	if len(r.banners()) != 0 {
		t.Error("told at once")
	}
	r.appsGone = r.appsGone.Add(-appsPatience)
	if got := r.banners(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestAnotherVersionIsRestarted(t *testing.T) {
	f := busyDay()
	f.status.Version = "2"
	asked := make(chan bool, 1)
	r := newRig(t, f, theme.Light, "en", Options{Version: "1", Restart: func(context.Context) error { asked <- true; return nil }}).ready()
	r.see("Restart it to finish the update.")
	r.banner.act.Tapped(nil)
	select {
	case <-asked:
	case <-t.Context().Done():
		t.Error("not restarted")
	}
}

func TestAwayIsAskedOnce(t *testing.T) {
	f := busyDay()
	q := func(id string, from, to time.Time) pow.AwayQuestion {
		return pow.AwayQuestion{ID: id, From: from, To: to, Reason: "idle", Project: *ref(website)}
	}
	f.status.Away = []pow.AwayQuestion{q("A1", at(9, 34), at(9, 59)), q("A2", at(10, 2), at(10, 10)), q("A3", at(10, 12), time.Time{})}
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	if !r.away.Opened() {
		t.Fatal("not asked")
	}
	r.see("You were away from 09:34 to 09:59 (25 min).")
	r.see("10:02")
	if r.sees("10:12") {
		t.Error("asked about a time that is not over")
	}
	focused, ok := r.win.Canvas().Focused().(interface{ Text() string })
	if !ok || focused.Text() != "Discard and continue" {
		t.Error("Enter does not discard and continue")
	}
	r.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	f.next(t, "away A1 discard")
	r.until("one question is left", func() bool { return len(r.away.Presenter.Model().Questions) == 1 })
	r.key("Esc")
	if r.away.Opened() {
		t.Error("Esc leaves it open")
	}
	s := f.status
	s.Held++
	f.changes <- s
	r.until("the next status", func() bool { return r.status.Held == s.Held })
	if r.away.Opened() {
		t.Error("a question that was put off is asked again at once")
	}
	r.see("What was the time from 10:02 to 10:10?")
}

func TestQuitAsks(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	r.key("Ctrl+Q")
	r.see("The timer is running.")
	if b, ok := r.win.Canvas().Focused().(interface{ Text() string }); !ok || b.Text() != "Close the window" {
		t.Error("Enter does not close the window only")
	}
	r.key("Esc")
	if r.sheet != nil {
		t.Error("Esc leaves the question open")
	}
}

func TestKeysOfTheAgent(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	r.key("Ctrl+Shift+O")
	f.next(t, "off the record 10:29")
	r.until("answered", func() bool { return !r.timer.Presenter.Model().Busy })
	r.key("Ctrl+L")
	f.next(t, "lock")
	for label, want := range map[string]page{"Ctrl+2": r.review, "Ctrl+4": r.history, "Ctrl+,": r.settings, "Ctrl+1": r.timer} {
		if r.key(label); r.shown != want {
			t.Errorf("%s shows another page", label)
		}
	}
}

func TestTheAgentCanShowAPage(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	s := f.status
	s.Open = "outbox"
	f.changes <- s
	r.until("the outbox", func() bool { return r.shown == page(r.outbox) })
	r.goTo(r.timer)
	s.Open, s.Held = "", s.Held+1
	f.changes <- s
	r.until("the next status", func() bool { return r.status.Held == s.Held })
	if r.shown != page(r.timer) {
		t.Error("shown twice")
	}
	r.open("lock")
	if r.shown == page(r.lock) {
		t.Error("a name from outside opens the lock")
	}
}

func TestSizeAndPageAreRemembered(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	r.resize(700, 600)
	r.goTo(r.history)
	r.app.Preferences().SetInt(prefTold, toldTwice)
	r.close()
	p := r.app.Preferences()
	if p.String("page") != "history" || p.Float("width") != 700 || p.Float("height") != 600 {
		t.Errorf("page %q, %v by %v", p.String("page"), p.Float("width"), p.Float("height"))
	}
}

func TestTheFirstCloseIsExplainedOnce(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{}).ready()
	p := r.app.Preferences()
	test.AssertNotificationSent(t, fyne.NewNotification(title, "pow.do keeps tracking in the background. Stop it from the tray, here, or with powdo stop."), r.close)
	if p.Int(prefTold) != toldOnce {
		t.Fatalf("told %d", p.Int(prefTold))
	}
	r.toldBefore()
	r.until("the snackbar", func() bool { return r.snack.box.Visible() })
	if p.Int(prefTold) != toldTwice {
		t.Error("it is going to be told again")
	}
}

// A status that says nothing new draws nothing: the agent may say it ten times a
// second.
func TestTheSameNewsIsNoNews(t *testing.T) {
	was := busyDay().status
	heard := clock()
	same := was
	same.Timer.Elapsed += 5
	same.TodaySeconds += 5
	if !sameNews(was, heard, news{status: same, received: heard.Add(5 * time.Second)}) {
		t.Error("time that goes on is news")
	}
	for name, change := range map[string]func(*pow.Status){
		"a jump of the clock": func(s *pow.Status) { s.Timer.Elapsed += 60 },
		"a picture":           func(s *pow.Status) { s.Held++ },
		"a note":              func(s *pow.Status) { s.Timer.Note = "x" },
		"a page to show":      func(s *pow.Status) { s.Open = "review" },
	} {
		s := same
		change(&s)
		if sameNews(was, heard, news{status: s, received: heard.Add(5 * time.Second)}) {
			t.Errorf("%s is no news", name)
		}
	}
}

func TestOffersToSaveAFile(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Light, "en", Options{Open: "history"}).ready()
	dir := t.TempDir()
	name, content, err := r.history.Presenter.Export("csv")
	if err != nil {
		t.Fatal(err)
	}
	r.saveFile(name, content)
	r.see("Save to a file")
	e, ok := r.win.Canvas().Focused().(interface{ SetText(string) })
	if !ok {
		t.Fatal("the field has no focus")
	}
	e.SetText(dir + "/x.csv")
	r.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if r.sheet != nil {
		t.Error("not saved")
	}
	r.saveFile(name, content)
	r.win.Canvas().Focused().(interface{ SetText(string) }).SetText(dir + "/x.csv")
	r.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if r.sheet == nil {
		t.Error("a file was written over")
	}
}

func TestPlainLooksAndScale(t *testing.T) {
	f := busyDay()
	r := newRig(t, f, theme.Dark, "en", Options{}).ready()
	r.chooseTheme(theme.Light)
	if th, ok := r.app.Settings().Theme().(*theme.Theme); !ok || th.Looks().Variant != theme.Light {
		t.Error("another look is not shown at once")
	}
	t.Setenv(scaleEnv, "")
	r.app.Preferences().SetInt("size", 150)
	if err := scale(r.app); err != nil {
		t.Fatal(err)
	}
}
