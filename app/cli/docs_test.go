package cli_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"pow.do/app/cli"
)

type docGrammar struct {
	Home string `help:"Folder: it's \"here\"." placeholder:"DIR" type:"path"`
	Loud bool   `help:"Say more."`

	Keys       docKeys           `cmd:"" help:"Keys."`
	Verify     docVerify         `cmd:"" help:".Check a file."`
	Secret     docShow           `cmd:"" hidden:"" help:"Not for people."`
	Completion cli.CompletionCmd `cmd:"" help:"Completion."`
	Man        cli.ManCmd        `cmd:"" hidden:"" help:"Manual."`
}
type docKeys struct {
	Show docShow   `cmd:"" default:"1" help:"Show."`
	Back docVerify `cmd:"" help:"Back."`
}
type docShow struct{}
type docVerify struct {
	File string `arg:"" type:"path" help:"The file."`
	Deep bool   `help:"Look closely."`
}

func (docShow) Run() error   { return nil }
func (docVerify) Run() error { return nil }

func docs(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	p := cli.Program{Name: "some-program", Description: "Does things.", Grammar: &docGrammar{}, EnvPrefix: "SOME"}
	if code := p.Run(args, cli.Streams{Out: &out, Err: &errs}); code != 0 {
		t.Fatalf("%v: exit %d, %s", args, code, &errs)
	}
	return out.String()
}

// The script offers what may follow, in the shell itself.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := docs(t, "completion", "bash")
	for line, want := range map[string]string{
		"some-program k":             "keys",
		"some-program --l":           "--loud",
		"some-program keys ":         "show back --help --home --loud",
		"some-program keys show --h": "--help --home",
		"some-program verify --d":    "--deep",
		"some-program se":            "",
		"some-program --home docs_t": "docs_test.go",
		"some-program verify docs_t": "docs_test.go",
	} {
		words := strings.Split(line, " ")
		probe := script + "\nCOMP_WORDS=(" + strings.Join(words[:len(words)-1], " ") + " '" + words[len(words)-1] + "')\n" +
			"COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_some_program\necho \"${COMPREPLY[@]}\"\n"
		out, err := exec.Command(bash, "-c", probe).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", line, got, want, err)
		}
	}
}

// The other shells read the scripts without a complaint, where they are there.
func TestOtherShellsParse(t *testing.T) {
	for _, shell := range []string{"zsh", "fish"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-n", "/dev/stdin")
		cmd.Stdin = strings.NewReader(docs(t, "completion", shell))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}

func TestNoSuchShell(t *testing.T) {
	var errs bytes.Buffer
	p := cli.Program{Name: "x", Grammar: &docGrammar{}}
	if code := p.Run([]string{"completion", "tcsh"}, cli.Streams{Out: &bytes.Buffer{}, Err: &errs}); code != cli.Usage || !strings.Contains(errs.String(), "bash, zsh, fish") {
		t.Errorf("exit %d, %q", code, &errs)
	}
}

// The page has every command that people may use, and nothing that roff would
// take for a request.
func TestMan(t *testing.T) {
	page := docs(t, "man", "--version", "1.2.3")
	for _, want := range []string{`.TH SOME\-PROGRAM 1 "" "pow.do 1.2.3"`, `.SS some\-program keys show`, `.SS some\-program verify FILE`, ".I FILE\nThe file.",
		`\&.Check a file.`, `.BI \-\-home " DIR"`, `it's \(dqhere\(dq`, `.BR \-\-deep`, ".SH EXIT STATUS"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "secret") {
		t.Error("a hidden command is shown")
	}
	if mandoc, err := exec.LookPath("mandoc"); err == nil {
		cmd := exec.Command(mandoc, "-T", "lint", "-W", "warning")
		cmd.Stdin = strings.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil && !onlyDate(string(out)) {
			t.Errorf("mandoc: %v\n%s", err, out)
		}
	}
}

// onlyDate: the page has no date, so that the same source makes the same page.
func onlyDate(out string) bool {
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if !strings.Contains(line, "missing date") {
			return false
		}
	}
	return true
}
