package client

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/app/cli"
)

// command runs one command line against a home folder.
func command(t *testing.T, home string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), nil, append([]string{"--home", home}, args...), cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// Every command keeps to its exit codes, says what is wrong in one line, and
// prints one JSON document or none.
func TestExitCodesAndJSON(t *testing.T) {
	fresh := newHome(t)
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.WriteFile(empty, []byte("\n"), 0o600))
	for line, want := range map[string]int{
		"status": 0, "outbox": 0, "projects": 3, "start x": 3, "stop": 1, "capture": 3, "register": 3, "register --wait": 3,
		"register --dry-run": 3, "outbox retry x": 3, "drain": 3, "join nonsense": 2, "start": 2, "nonsense": 2,
		"keys": 3, "keys lock": 0, "keys unlock": 1, "keys passphrase": 2, "keys passphrase --keyring": 3, "keys remove-device x": 2,
		"keys restore /missing": 1, "keys test-backup /missing": 1, "forget": 2, "forget --unsent": 3, "forget --last 1h --everything": 2,
		"leave": 2, "leave --yes": 3, "export x /missing/x": 3, "import /missing": 3, "history": 0, "history --days 0": 2, "verify": 3,
		"verify /missing": 1, "status --watch": 1, "doctor nonsense": 2, "powdo://join": 2, "completion tcsh": 2,
		"status --log-level loud": 2, "agent --stop": 1, "status --proxy http://x": 2,
	} {
		code, out, errs := command(t, fresh, append(strings.Fields(line), "--json")...)
		if code != want || line != "keys lock" && strings.Count(errs, "\n") != min(code, 1) {
			t.Errorf("%s: exit %d, want %d: %q", line, code, want, errs)
		}
		if code == 0 && out == "" && line == "keys lock" { // nothing to report
			continue
		}
		if code == 0 && (strings.Count(out, "\n") != 1 || !json.Valid([]byte(out)) || strings.HasPrefix(out, "null")) || code != 0 && out != "" {
			t.Errorf("%s: stdout %q", line, out)
		}
	}
	for file, want := range map[string]int{empty: 2, filepath.Join(t.TempDir(), "missing"): 1} {
		p := &program{g: &grammar{PassphraseFile: file}}
		_, err := p.passphrase()
		if got := cli.Code(err); got != want {
			t.Errorf("%s: exit %d, want %d", filepath.Base(file), got, want)
		}
	}
	open := newHome(t)
	must(t, os.Chmod(open, 0o755))
	if code, _, errs := command(t, open, "status"); code != 1 || !strings.Contains(errs, "chmod 700") {
		t.Errorf("a home that others may enter: %d %q", code, errs)
	}
}

// A wrong passphrase is exit code 4 for every command that opens the keys.
func TestWrongPassphrase(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	home := newHome(t)
	file := filepath.Join(t.TempDir(), "p")
	must(t, os.WriteFile(file, []byte(passphrase+"\n"), 0o600))
	a, err := Open(t.Context(), Config{Home: home, Log: (&program{g: &grammar{LogLevel: "error"}}).log()})
	must(t, err)
	must(t, ensureKey(t.Context(), &program{g: &grammar{PassphraseFile: file}, s: cli.Streams{Err: new(bytes.Buffer)}}, a))
	must(t, a.Close())
	if code, _, errs := command(t, home, "projects", "--passphrase-file", file); code != 3 {
		t.Errorf("right: %d %q", code, errs)
	}
	if code, _, errs := command(t, home, "projects"); code != 4 {
		t.Errorf("none: %d %q", code, errs)
	}
	must(t, os.WriteFile(file, []byte("wrong\n"), 0o600))
	if code, _, errs := command(t, home, "projects", "--passphrase-file", file); code != 4 || strings.Contains(errs, "wrong\n") || strings.Count(errs, "\n") != 1 {
		t.Errorf("wrong: %d %q", code, errs)
	}
}
