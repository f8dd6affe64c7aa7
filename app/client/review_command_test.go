package client

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/services/client/control"
	"pow.do/services/pow"
)

// serve lets commands reach an agent over its socket, as they do all day.
func serve(t *testing.T, a *Agent) (home string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := control.Listen(ctx, a.cfg.Home)
	must(t, err)
	done := make(chan error)
	go func() { done <- a.runDoor(ln)(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
	})
	return a.cfg.Home
}

func TestReviewCommands(t *testing.T) {
	a := alone(t)
	agreeAll(t, a)
	_, _, ids := hour(t, a, required)
	home := serve(t, a)
	do := func(want int, line string, more ...string) string {
		t.Helper()
		code, out, errs := command(t, home, append(strings.Fields(line), more...)...)
		if code != want {
			t.Fatalf("%s: exit %d, want %d: %s", line, code, want, errs)
		}
		return out
	}
	if out := do(0, "review"); strings.Count(out, "held for review") != 6 {
		t.Errorf("list: %s", out)
	}
	if out := do(0, "review redact --rect 1,2,10,10 --rect 40,20,8,8", ids[0]); !strings.Contains(out, "edited, 2 areas") {
		t.Errorf("redact: %s", out)
	}
	if out := do(0, "review crop", ids[0]); !strings.Contains(out, "cropped") {
		t.Errorf("crop: %s", out)
	}
	if out := do(0, "review blur", ids[1]); !strings.Contains(out, "100.0 % covered") {
		t.Errorf("blur: %s", out)
	}
	file := filepath.Join(t.TempDir(), "picture")
	if out := do(0, "review show -o "+file, ids[0]); !strings.Contains(out, "20×20") {
		t.Errorf("show: %s", out)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 || st.Size() == 0 {
		t.Errorf("the picture's file: %v", err)
	}
	do(1, "review show -o "+file, ids[0]) // never writes over a file
	if out := do(0, "review drop --dry-run --time", ids[2]); !strings.Contains(out, "Time taken out: 10 min") {
		t.Errorf("drop: %s", out)
	}
	var e pow.Effect
	must(t, json.Unmarshal([]byte(do(0, "review drop --json", ids[3])), &e))
	if e.UnverifiedSeconds != 600 || !e.Confirm {
		t.Errorf("drop: %+v", e)
	}
	if out := do(0, "review keep", ids[3]); !strings.Contains(out, "approved") {
		t.Errorf("keep: %s", out)
	}
	do(0, "review drop --time", ids[5])
	if out := do(0, "register --dry-run"); !strings.Contains(out, "2 with covered areas or cropped, 1 removed") || !strings.Contains(out, "Without ") {
		t.Errorf("dry run: %s", out)
	}
	do(0, "review undo", ids[5])
	do(0, "review undo", ids[0])
	var ps []pow.Picture
	must(t, json.Unmarshal([]byte(do(0, "review --json")), &ps))
	if len(ps) != 6 || ps[0].Cropped || ps[0].Areas != 2 || ps[3].State != pow.PictureApproved {
		t.Errorf("%+v", ps)
	}
	for line, want := range map[string]int{"review show nonsense": 1, "review redact --rect 1,2,3 " + ids[0]: 2, "review redact --rect 1,2,0,3 " + ids[0]: 2,
		"review undo 01JD5V3W8Q4N2Z7K9T6M1B0XYA": 1, "review list --day then": 2} {
		do(want, line)
	}
}

func TestConsentCommands(t *testing.T) {
	a := alone(t)
	home := serve(t, a)
	do := func(want int, line string) (out, errs string) {
		t.Helper()
		code, out, errs := command(t, home, strings.Fields(line)...)
		if code != want {
			t.Fatalf("%s: exit %d, want %d: %s", line, code, want, errs)
		}
		return out, errs
	}
	if _, errs := do(1, "start Kiosk --no-agree"); !strings.Contains(errs, "powdo projects agree") {
		t.Errorf("refused: %s", errs)
	}
	if _, errs := do(0, "start Kiosk"); !strings.Contains(errs, "required, one in 10 min") || !strings.Contains(errs, "Agreed") {
		t.Errorf("an explicit command is the agreement: %s", errs)
	}
	do(0, "stop")
	out, _ := do(0, "projects show Kiosk --json")
	var v pow.Terms
	must(t, json.Unmarshal([]byte(out), &v))
	if v.Consent != pow.ConsentGiven || v.AgreedAt.IsZero() {
		t.Errorf("%+v", v)
	}
	do(0, "projects agree Website --pictures --interval 120 --detail category --seal-after 1h")
	out, _ = do(0, "projects show Website --json")
	must(t, json.Unmarshal([]byte(out), &v))
	want := pow.ProjectChoice{Project: optional, Pictures: true, Interval: 120, Detail: pow.DetailCategory, SealAfter: 3600}
	if v.Choice != want {
		t.Errorf("%+v", v.Choice)
	}
	if out, _ := do(0, "projects withdraw Kiosk"); !strings.Contains(out, "30 days") {
		t.Errorf("withdraw: %s", out)
	}
	do(1, "start Kiosk")
	do(0, "projects agree Kiosk")
	do(0, "start Kiosk")
	do(0, "stop")
	do(2, "projects agree Kiosk --detail everything")
	if out, _ := do(0, "projects"); strings.Count(out, "\n") != 3 {
		t.Errorf("list: %s", out)
	}
}
