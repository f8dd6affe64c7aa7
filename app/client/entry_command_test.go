package client

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
)

func TestEntryCommands(t *testing.T) {
	a, from := watched(t)
	home := serve(t, a)
	do := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := command(t, home, args...)
		if code != want {
			t.Fatalf("%v: exit %d, want %d: %s", args, code, want, errs)
		}
		return out
	}
	day := from.Local().Format(time.DateOnly)
	var es []pow.Entry
	must(t, json.Unmarshal([]byte(do(0, "entries", "--day", day, "--json")), &es))
	if len(es) != 1 || es[0].Seconds != 3600 {
		t.Fatalf("%+v", es)
	}
	id, until := es[0].ID, from.Add(40*time.Minute).Local().Format("15:04")
	out := do(0, "entries", "edit", id, "--to", until, "--project", "Kiosk", "--note", "other words")
	for _, want := range []string{"40 min", "Kiosk", "other words", "changed by hand", "was ", "Website"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if out = do(0, "entries", "undo", id); strings.Contains(out, "by hand") || !strings.Contains(out, "1 h 0 min") {
		t.Errorf("undone: %s", out)
	}
	var ts []pow.AppTime
	must(t, json.Unmarshal([]byte(do(0, "apps", "--day", day, "--json")), &ts))
	if len(ts) != 3 {
		t.Fatalf("%+v", ts)
	}
	do(0, "apps", "out", ts[1].ID)
	if out = do(0, "apps", "list", "--day", day); strings.Count(out, "left out") != 1 {
		t.Errorf("apps: %s", out)
	}
	do(0, "apps", "out", ts[1].ID, "--back")
	do(0, "apps", "out", "--app", "code", "--titles")
	if out = do(0, "apps", "--day", day); strings.Contains(out, "left out") || strings.Contains(out, "main.go") {
		t.Errorf("apps: %s", out)
	}
	for want, args := range map[string][]string{
		"2 a": {"apps", "out"}, "2 b": {"apps", "out", "--titles"}, "2 c": {"entries", "--day", "then"}, "2 d": {"entries", "edit", id, "--to", "noon"},
		"2 e": {"entries", "edit", id, "--to", from.Add(61 * time.Minute).Local().Format("15:04")}, "1 f": {"entries", "undo", "nothing"}, "1 g": {"apps", "out", "nothing"},
	} {
		do(int(want[0]-'0'), args...)
	}
}

// An entry that began before midnight may be cut after it.
func TestMomentsOfTheClock(t *testing.T) {
	began := time.Date(2026, 11, 20, 22, 30, 0, 0, time.Local)
	for in, want := range map[string]time.Time{
		"": {}, "23:15": time.Date(2026, 11, 20, 23, 15, 0, 0, time.Local), "01:10:05": time.Date(2026, 11, 21, 1, 10, 5, 0, time.Local),
	} {
		if got, err := momentOf(in, began); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
}
