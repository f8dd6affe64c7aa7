package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/app/cli"
	"pow.do/services/pow"
)

type grammar struct {
	Listen string   `default:":1" help:"Where."`
	Relay  []string `help:"Relays."`
	Go     goCmd    `cmd:"" help:"Goes."`
	Bad    badCmd   `cmd:"" help:"Fails."`
}
type goCmd struct{}

func (goCmd) Run(s cli.Streams, g *grammar) error {
	_, err := fmt.Fprint(s.Out, g.Listen, g.Relay)
	return err
}

type badCmd struct {
	Which string `arg:""`
}

func (b badCmd) Run() error {
	switch b.Which {
	case "locked":
		return fmt.Errorf("seal: %w", pow.ErrLocked)
	case "key":
		return pow.ErrNoKey
	case "time":
		return pow.ErrTimeout
	case "project":
		return pow.ErrUnknownProject
	}
	return errors.New("two\nlines \x1b[31m")
}

func run(t *testing.T, file string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	var g grammar
	p := cli.Program{Name: "x", Description: "X.", Grammar: &g, EnvPrefix: "POWDOTEST", ConfigFile: func([]string) (string, bool) { return file, file != "" }}
	code = p.Run(args, cli.Streams{Out: &o, Err: &e}, &g)
	return code, o.String(), e.String()
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(file, []byte("listen = \":2\"\nrelay = [\"a\", \"b\"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := run(t, "", "go"); out != ":1[]" {
		t.Errorf("default: %s", out)
	}
	if _, out, _ := run(t, file, "go"); out != ":2[a b]" {
		t.Errorf("file: %s", out)
	}
	t.Setenv("POWDOTEST_LISTEN", ":3")
	if _, out, _ := run(t, file, "go"); out != ":3[a b]" {
		t.Errorf("environment: %s", out)
	}
	if _, out, _ := run(t, file, "go", "--listen=:4"); out != ":4[a b]" {
		t.Errorf("flag: %s", out)
	}
}

func TestExitCodes(t *testing.T) {
	for which, want := range map[string]int{"locked": 4, "key": 3, "time": 5, "project": 2, "other": 1} {
		code, _, errs := run(t, "", "bad", which)
		if code != want || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "\x1b") {
			t.Errorf("%s: exit %d, %q", which, code, errs)
		}
	}
	if code, _, errs := run(t, "", "nonsense"); code != 2 || strings.Count(errs, "\n") != 1 {
		t.Errorf("wrong usage: %d %q", code, errs)
	}
	if code, _, errs := run(t, "", "non\nsense\x1b"); code != 2 || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "\x1b") {
		t.Errorf("wrong usage: %d %q", code, errs)
	}
	if code, out, _ := run(t, "", "--help"); code != 0 || !strings.Contains(out, "Goes.") {
		t.Errorf("help: %d %q", code, out)
	}
	if code, _, errs := run(t, filepath.Join(t.TempDir(), "typo.toml"), "go"); code != 2 || strings.Count(errs, "\n") != 1 {
		t.Errorf("a config file that is not there: %d %q", code, errs)
	}
	bad := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(bad, []byte("lisen = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, bad, "go"); code != 2 || !strings.Contains(errs, `did you mean "listen"`) {
		t.Errorf("bad file: %d %q", code, errs)
	}
}
