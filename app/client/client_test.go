package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// Every method of the API can be reached over the socket, and none is forgotten.
func TestSocketCarriesTheWholeAPI(t *testing.T) {
	api := reflect.TypeFor[API]()
	if got, want := len(methods(remote{})), api.NumMethod()-2; got != want { // Watch and WatchWindow are a stream
		t.Errorf("%d methods on the socket; the API has %d besides Watch", got, want)
	}
}

func TestMethodRefusesBrokenParameters(t *testing.T) {
	m := method(func(context.Context, pow.StartRequest) (nothing, error) { return nothing{}, nil })
	if _, err := m(t.Context(), json.RawMessage(`{"project":1}`)); !errors.Is(err, pow.ErrUsage) {
		t.Error(err)
	}
}

// FyneApp.toml is for people who package with the Fyne tool; it says the same.
func TestMetadata(t *testing.T) {
	b, err := os.ReadFile("../../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("ID = %q", AppID), fmt.Sprintf("Name = %q", AppName), fmt.Sprintf("Version = %q", Version), fmt.Sprintf("Build = %d", Build)} {
		if !strings.Contains(string(b), want) {
			t.Errorf("FyneApp.toml does not say %s", want)
		}
	}
}

// The desktop finds window, icon and links by these words.
func TestDesktopEntry(t *testing.T) {
	b, err := os.ReadFile("../../packaging/linux/" + AppID + ".desktop")
	must(t, err)
	for _, want := range []string{"Name=" + AppName, "Icon=" + AppID, "StartupWMClass=" + AppName, "MimeType=x-scheme-handler/powdo;", "Exec=powdo %u"} {
		if !strings.Contains(string(b), want+"\n") {
			t.Errorf("the desktop entry does not say %s", want)
		}
	}
	b, err = os.ReadFile("../../packaging/linux/" + AppID + ".metainfo.xml")
	must(t, err)
	for _, want := range []string{"<id>" + AppID + "</id>", AppID + ".desktop</launchable>"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the AppStream data do not say %s", want)
		}
	}
}

func TestFindProject(t *testing.T) {
	ps := []pow.Project{{ID: "0000000000000001", Name: "Website"}, {ID: "0000000000000002", Name: "Website relaunch"},
		{ID: "0000000000000003", Name: "Kiosk"}, {ID: "0000000000000004", Name: "Kiosk"}}
	for q, want := range map[string]any{
		"0000000000000004": ps[3], "website": ps[0], "Website R": ps[1], "Web": pow.ErrAmbiguous, "kiosk": pow.ErrAmbiguous,
		"nothing": pow.ErrUnknownProject, "": pow.ErrUnknownProject,
	} {
		p, err := findProject(ps, q)
		if e, ok := want.(*pow.Error); ok {
			if !errors.Is(err, e) {
				t.Errorf("%q: %v", q, err)
			}
		} else if err != nil || p.ID != want.(pow.Project).ID {
			t.Errorf("%q: %v %v", q, p, err)
		}
	}
}

// Days and weeks are the wall's, also when a clock change makes a day 23 or 25 hours long.
func TestLocalDaysAndWeeks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data")
	}
	was := time.Local
	time.Local = berlin
	defer func() { time.Local = was }()
	for day, hours := range map[string]float64{"2026-03-29": 23, "2026-10-25": 25, "2026-11-20": 24} {
		noon, _ := time.ParseInLocation("2006-01-02 15", day+" 12", berlin)
		d := localDay(noon)
		if d.Duration().Hours() != hours || !d.Contains(noon) {
			t.Errorf("%s: %v", day, d.Duration())
		}
		w := localWeek(noon, time.Monday)
		if w.From.Weekday() != time.Monday || w.From.Hour() != 0 || !w.Contains(noon) || !w.Contains(w.From.AddDate(0, 0, 6)) {
			t.Errorf("week of %s: %v", day, w)
		}
	}
}

func TestWords(t *testing.T) {
	for s, want := range map[int64]string{0: "0 s", 59: "59 s", 60: "1 min", 4199: "1 h 9 min", 3600: "1 h 0 min"} {
		if got := words(s); got != want {
			t.Errorf("%d: %s", s, got)
		}
	}
}

// A program that was restarted leaves segments that touch; they are one proof.
func TestJoinTouching(t *testing.T) {
	at := func(from, to int) pow.Interval {
		day := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
		return pow.Interval{From: day.Add(time.Duration(from) * time.Second), To: day.Add(time.Duration(to) * time.Second)}
	}
	in := []queue.Segment{{Session: "a", Interval: at(0, 5)}, {Session: "a", Interval: at(5, 9)}, {Session: "a", Interval: at(10, 12)},
		{Session: "b", Interval: at(12, 13)}, {Session: "b", KimaiActivity: "k", Interval: at(13, 14)}}
	got := joinTouching(in)
	want := []pow.Interval{at(0, 9), at(10, 12), at(12, 13), at(13, 14)}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i].Interval != want[i] {
			t.Errorf("%d: %v", i, got[i].Interval)
		}
	}
	if in[0].Interval != at(0, 5) {
		t.Error("the input was changed")
	}
}
