package client

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
)

func TestSettingsAreChecked(t *testing.T) {
	if err := checkSettings(pow.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*pow.Settings){
		"language":   func(s *pow.Settings) { s.Language = "tlh" },
		"week start": func(s *pow.Settings) { s.WeekStart = 7 },
		"week limit": func(s *pow.Settings) { s.WeekLimit = -1 },
		"away":       func(s *pow.Settings) { s.AwayAfter = 5 },
		"stop":       func(s *pow.Settings) { s.StopAfter = 0 },
		"remind":     func(s *pow.Settings) { s.Remind = 1 },
		"hours":      func(s *pow.Settings) { s.RemindFrom, s.RemindTo = 600, 500 },
		"days":       func(s *pow.Settings) { s.RemindDays = 128 },
		"monitors":   func(s *pow.Settings) { s.Displays = []int{0, 0} },
		"monitor":    func(s *pow.Settings) { s.Displays = []int{-1} },
		"toast":      func(s *pow.Settings) { s.Toast = "loud" },
		"toast for":  func(s *pow.Settings) { s.ToastFor = 0 },
		"notify":     func(s *pow.Settings) { s.Notify = "" },
		"two rules":  func(s *pow.Settings) { s.Exclusions = []pow.Exclusion{{App: "a", Title: "b"}} },
		"no rule":    func(s *pow.Settings) { s.Exclusions = []pow.Exclusion{{}} },
		"long rule":  func(s *pow.Settings) { s.Exclusions = []pow.Exclusion{{App: strings.Repeat("a", 201)}} },
		"control":    func(s *pow.Settings) { s.Exclusions = []pow.Exclusion{{Title: "a\nb"}} },
		"many rules": func(s *pow.Settings) { s.Exclusions = slices.Repeat([]pow.Exclusion{{App: "a"}}, 201) },
		"apps out":   func(s *pow.Settings) { s.AppsOut = []string{" "} },
		"titles out": func(s *pow.Settings) { s.TitlesOut = []string{"\xff"} },
		"address":    func(s *pow.Settings) { s.ActivityURL = "http://example.com" },
		"key":        func(s *pow.Settings) { s.ActivityKey = "a\x00" },
		"lock":       func(s *pow.Settings) { s.LockAfter = 1 },
		"proxy":      func(s *pow.Settings) { s.Proxy = "http://x" },
		"tor":        func(s *pow.Settings) { s.TorOnly = true },
	} {
		s := pow.DefaultSettings()
		change(&s)
		if err := checkSettings(s); !errors.Is(err, pow.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What tells of a person rests encrypted; all of it survives a restart.
func TestSettingsRest(t *testing.T) {
	a := alone(t)
	s := pow.DefaultSettings()
	s.Exclusions = []pow.Exclusion{{App: "SECRETAPP"}, {Private: true}}
	s.AppsOut, s.ActivityKey, s.AwayAfter, s.Displays = []string{"SECRETTOO"}, "SECRETKEY", 600, []int{1}
	must(t, a.SetSettings(t.Context(), s))
	must(t, filepath.WalkDir(a.cfg.Home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("SECRET")) {
			t.Errorf("%s tells it in clear", d.Name())
		}
		return err
	}))
	got, err := reopened(t, a).Settings(t.Context())
	if err != nil || !cmp.Equal(got, s) {
		t.Errorf("%s %v", cmp.Diff(s, got), err)
	}
}

func TestSettingNames(t *testing.T) {
	var want []string
	for f := range reflect.TypeFor[pow.Settings]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		want = append(want, name)
	}
	if d := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(settingNames))); d != "" {
		t.Error(d)
	}
}

func TestReminds(t *testing.T) {
	friday := time.Date(2026, 11, 20, 10, 0, 0, 0, time.Local)
	s := pow.Settings{Remind: 1800, RemindFrom: 9 * 60, RemindTo: 17 * 60, RemindDays: 0b0111110}
	for name, c := range map[string]struct {
		now  time.Time
		idle time.Duration
		want bool
	}{
		"at work": {friday, time.Hour, true}, "not yet": {friday, time.Minute, false}, "early": {friday.Add(-2 * time.Hour), time.Hour, false},
		"late": {friday.Add(7 * time.Hour), time.Hour, false}, "saturday": {friday.AddDate(0, 0, 1), time.Hour, false},
	} {
		if got := reminds(s, c.now.Add(-c.idle), c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if reminds(pow.Settings{}, friday.AddDate(0, 0, -9), friday) {
		t.Error("reminded although that is off")
	}
}

// The settings on the command line, and the words of pauses.
func TestSettingsCommands(t *testing.T) {
	home := newHome(t)
	m := boot(t, home, "")
	_, err := m.NewKey(t.Context(), pow.KeyRequest{Passphrase: passphrase})
	must(t, err)
	for _, c := range []struct {
		line string
		want int
		out  string
	}{
		{"settings set away_after_seconds 600", 0, ""}, {"settings set away_after_seconds 1", 2, ""}, {"settings set nonsense 1", 2, ""},
		{"settings set half_size maybe", 2, ""}, {"settings set language de", 0, ""}, {"settings set activitywatch_key abc", 0, ""},
		{"settings exclude --app KeePassXC", 0, ""}, {"settings exclude", 2, ""}, {"settings include --title x", 1, ""}, {"settings include --private", 0, ""},
		{"settings --json", 0, `"away_after_seconds":600`}, {"settings --json", 0, `"exclusions":[{"app":"KeePassXC"}]`}, {"settings --json", 0, `"activitywatch_key":"***"`},
		{"pause", 1, ""}, {"offrecord 99h", 2, ""}, {"offrecord never", 2, ""}, {"resume", 1, ""}, {"away --json", 0, "[]"}, {"away keep", 1, ""},
	} {
		code, out, errs := command(t, home, strings.Fields(c.line)...)
		if code != c.want || !strings.Contains(out, c.out) {
			t.Errorf("%s: exit %d, want %d: %q %q", c.line, code, c.want, out, errs)
		}
	}
}

func TestUntil(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.Local) }
	for now, want := range map[time.Time]time.Time{at(20, 1): at(20, 4), at(20, 4): at(21, 4), at(20, 15): at(21, 4)} {
		if got := tomorrow(now); !got.Equal(want) {
			t.Errorf("%v: %v", now, got)
		}
	}
	if got, err := parseUntil("15m", at(20, 1)); err != nil || !got.Equal(at(20, 1).Add(15*time.Minute)) {
		t.Error(got, err)
	}
}
