package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/assets"
	"pow.do/services/client/tray"
	"pow.do/services/pow"
)

var site, kiosk = pow.ProjectRef{ID: "p1", Name: "Website_relaunch"}, pow.ProjectRef{ID: "p2", Name: "Kiosk"}

func labels(items []tray.Item) (out []string) {
	for _, i := range items {
		out = append(out, i.Label)
	}
	return out
}

// The icon and the words of every state.
func TestFace(t *testing.T) {
	online, off := []pow.Connection{{State: "online"}, {State: "offline"}}, []pow.Connection{{State: "offline"}}
	at := time.Date(2026, 11, 20, 15, 10, 0, 0, time.Local)
	for name, c := range map[string]struct {
		s     pow.Status
		icon  string
		title string
		has   []string
	}{
		"stopped":  {pow.Status{Timer: pow.TimerStatus{State: pow.Stopped}}, tray.IconStopped, "Stopped", []string{"Continue Website_relaunch", "Nothing is recorded while stopped", "Outbox: nothing waits", "Quit"}},
		"tracking": {pow.Status{Timer: pow.TimerStatus{State: pow.Tracking, Project: &site, Elapsed: 4359}, Relays: online, Held: 7, HeldSeconds: 60, Outbox: map[pow.State]int{pow.Queued: 2, pow.Booked: 9}}, tray.IconTracking, "Tracking · Website_relaunch · 1 h 12 min", []string{"Stop", "Review 7 pictures…", "Outbox: 2 waiting", "Quit (stops the timer)"}},
		"offline":  {pow.Status{Timer: pow.TimerStatus{State: pow.Tracking, Project: &site}, Relays: off}, tray.IconOffline, "Tracking · Website_relaunch · Offline", []string{"Stop"}},
		"away":     {pow.Status{Timer: pow.TimerStatus{State: pow.Idle, Project: &site, Reason: "idle"}}, tray.IconAway, "Away? · Website_relaunch", []string{"Resume", "Stop"}},
		"locked":   {pow.Status{Timer: pow.TimerStatus{State: pow.Paused, Project: &pow.ProjectRef{ID: "p1"}, Reason: "screen-locked"}}, tray.IconPaused, "Paused · Locked", []string{"Resume"}},
		"off":      {pow.Status{Timer: pow.TimerStatus{State: pow.Paused, Project: &site, Reason: offRecord, Until: at}}, tray.IconOffRecord, "Off the record until 15:10 · Website_relaunch", []string{"Resume"}},
		"trouble":  {pow.Status{Timer: pow.TimerStatus{State: pow.Tracking, Project: &site}, Outbox: map[pow.State]int{pow.Attention: 1}}, tray.IconAttention, "Tracking · Website_relaunch", []string{"▲ 1 proof needs attention"}},
	} {
		f := face{c.s, []pow.ProjectRef{site, kiosk}, phrasesFor("en")}
		s := f.state()
		if s.Icon != c.icon || s.Title != c.title || s.Attention != (c.s.Outbox[pow.Attention] > 0) {
			t.Errorf("%s: %s %q", name, s.Icon, s.Title)
		}
		for _, want := range c.has {
			if !slices.Contains(labels(s.Menu), want) {
				t.Errorf("%s: no %q in %q", name, want, labels(s.Menu))
			}
		}
		ids := map[string]bool{}
		var each func([]tray.Item)
		each = func(items []tray.Item) {
			for _, i := range items {
				if ids[i.ID] {
					t.Errorf("%s: two lines %q", name, i.ID)
				}
				ids[i.ID] = true
				each(i.Items)
			}
		}
		each(s.Menu)
	}
	sw := face{pow.Status{Timer: pow.TimerStatus{State: pow.Tracking, Project: &kiosk}}, []pow.ProjectRef{kiosk, site}, phrasesFor("en")}.switchItems()[0].Items
	if !sw[0].Checked || sw[1].Checked || !sw[1].Checkable {
		t.Errorf("%+v", sw)
	}
}

// Every text of the agent exists in every language, with all its placeholders filled.
func TestPhrases(t *testing.T) {
	for _, language := range languages[1:] {
		b, err := assets.Locales.ReadFile("locales/" + language + ".json")
		must(t, err)
		var all map[string]any
		must(t, json.Unmarshal(b, &all))
		p := phrasesFor(language)
		for key := range all {
			if !strings.HasPrefix(key, "tray.") && !strings.HasPrefix(key, "note.") {
				continue
			}
			text := p.T(key, "Project", "x", "Time", "x", "From", "x", "To", "x", "Done", "x", "Limit", "x")
			if _, plural := all[key].(map[string]any); plural {
				text = p.N(key, 1) + p.N(key, 5)
			}
			if strings.Contains(text, "{{") || strings.Contains(text, key) {
				t.Errorf("%s %s: %q", language, key, text)
			}
		}
	}
	env := func(name string) string { return map[string]string{"LANG": "de_AT.UTF-8", "LC_ALL": ""}[name] }
	if got := desktopLanguage(env); got != "de" {
		t.Error(got)
	}
	if p := phrasesFor("tlh"); p.language != "en" || p.T("tray.stop") != "Stop" || p.T("nonsense") != "nonsense" || p.N("tray.stop", 2) != "tray.stop" {
		t.Errorf("%s", p.language)
	}
	if p := phrasesFor("fr"); !strings.Contains(p.N("tray.review", 0), "image…") {
		t.Error("French counts nothing as one")
	}
}

// A notification that the agent shows names nothing unless the person wants it.
func TestNoticesHaveTexts(t *testing.T) {
	p := phrasesFor("en")
	for _, kind := range []notice{noticeAway, noticeTaken, noticeAttention, noticeEnded, noticeLong, noticeForgotten, noticeRemind, noticeWeek, noticeWeekFull} {
		if p.T("note."+string(kind)) == "note."+string(kind) || kind != noticeTaken && strings.HasPrefix(p.T("note."+textOf(kind)+".text"), "note.") {
			t.Errorf("%s has no text", kind)
		}
	}
}

func TestAutostart(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "autostart", "do.pow.client.desktop")
	must(t, autostart(`/opt/pow "do"/powdo`, "/home/a b/$x%", true))
	b, err := os.ReadFile(path)
	must(t, err)
	if want := `Exec="/opt/pow \\"do\\"/powdo" agent --home "/home/a b/\\$x%%"` + "\n"; !strings.Contains(string(b), want) {
		t.Errorf("%s\nwant %s", b, want)
	}
	must(t, autostart("x", "y", false))
	must(t, autostart("x", "y", false))
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "autostart", "*"))
	if err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

func TestWindowEnvironment(t *testing.T) {
	if got := displayOf("LANG=x\nDISPLAY=:0\nSECRET=1\nWAYLAND_DISPLAY=wayland-0\n"); !slices.Equal(got, []string{"DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0"}) {
		t.Error(got)
	}
	t.Setenv("DISPLAY", ":7")
	if got := windowEnv(t.Context(), []string{"A=b"}, "tok"); !slices.Contains(got, "XDG_ACTIVATION_TOKEN=tok") || !slices.Contains(got, "A=b") {
		t.Error(got)
	}
}
