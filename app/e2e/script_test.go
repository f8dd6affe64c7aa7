package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts holds the command contract of both programs: exit codes, one line
// per error, the members of every JSON document. testdata/script has one story
// a file; what their commands mean stands at the functions below.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the real programs")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Vars = append(e.Vars, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+e.WorkDir, "POWDO_HOME="+home,
				"POWDO_DATA="+filepath.Join(e.WorkDir, "data"), "POWDO_PASSPHRASE_FILE="+filepath.Join(e.WorkDir, "pass"),
				"DISPLAY=", "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=disabled:", "XDG_RUNTIME_DIR="+e.WorkDir)
			return os.WriteFile(filepath.Join(e.WorkDir, "pass"), []byte("correct horse battery staple\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"runs": runs, "shape": shape, "field": field, "serve": serve, "agent": agent, "halt": halt,
		},
	})
}

// runs CODE PROGRAM ARG… runs a program to its end and wants that exit code. Its
// output is in the files out and err. A failure is one line there, and
// with --json nothing on stdout.
func runs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: runs CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var out, errs bytes.Buffer
	cmd := program(ts, args[1], args[2:]...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), errs.Bytes(), 0o600))
	if code := cmd.ProcessState.ExitCode(); code != want {
		ts.Fatalf("exit %d, want %d\n%s%s", code, want, &out, &errs)
	}
	if want != 0 && bytes.Count(errs.Bytes(), []byte("\n")) != 1 {
		ts.Fatalf("a failure is one line, not\n%s", &errs)
	}
	if want != 0 && strings.Contains(strings.Join(args, " "), "--json") && !strings.Contains(args[2], "verify") && out.Len() > 0 {
		ts.Fatalf("a failure prints no document\n%s", &out)
	}
}

func program(ts *testscript.TestScript, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = nil
	for _, v := range []string{"PATH", "HOME", "POWDO_HOME", "POWDO_DATA", "POWDO_PASSPHRASE_FILE", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"} {
		cmd.Env = append(cmd.Env, v+"="+ts.Getenv(v))
	}
	return cmd
}

// document is the one JSON document in the file out.
func document(ts *testscript.TestScript) (v any) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("out")))
	if err := d.Decode(&v); err != nil || d.More() {
		ts.Fatalf("not one JSON document (%v):\n%s", err, ts.ReadFile("out"))
	}
	return v
}

// shape [\[\]] MEMBER… wants the document to be an object (with [], a list with
// at least one object) that has at least these members; a.b is a member of a
// member.
func shape(ts *testscript.TestScript, neg bool, args []string) {
	doc := document(ts)
	if len(args) > 0 && args[0] == "[]" {
		list, ok := doc.([]any)
		if !ok || len(args) > 1 && len(list) == 0 {
			ts.Fatalf("not a list, or an empty one:\n%s", ts.ReadFile("out"))
		}
		if args = args[1:]; len(list) > 0 {
			doc = list[0]
		}
	}
	for _, name := range args {
		if _, ok := at(doc, name); ok == neg {
			ts.Fatalf("member %s: there is %v\n%s", name, ok, ts.ReadFile("out"))
		}
	}
}

// at finds a.0.b in a document.
func at(v any, path string) (any, bool) {
	for _, name := range strings.Split(path, ".") {
		switch w := v.(type) {
		case map[string]any:
			next, ok := w[name]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(w) {
				return nil, false
			}
			v = w[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// field PATH VALUE wants a member to have a value; field PATH -> NAME keeps it
// in the environment.
func field(ts *testscript.TestScript, neg bool, args []string) {
	v, ok := at(document(ts), args[0])
	got := fmt.Sprint(v)
	switch {
	case !ok:
		ts.Fatalf("no member %s\n%s", args[0], ts.ReadFile("out"))
	case len(args) == 3 && args[1] == "->":
		ts.Setenv(args[2], got)
	case (got == args[1]) == neg:
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// start runs a program beside the script, to the script's end at the latest.
func start(ts *testscript.TestScript, name string, cmd *exec.Cmd) {
	ts.Check(cmd.Start())
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-done
	})
	ts.Setenv("PID_"+name, strconv.Itoa(cmd.Process.Pid))
}

// serve ROLE ARG… starts powdo-server and waits until it is ready; RELAY and
// BLOSSOM are then in the environment.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	cmd := program(ts, "powdo-server", append(args, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	line := make(chan string, 1)
	start(ts, "server", cmd)
	go func() {
		s, _ := bufio.NewReader(out).ReadString('\n')
		line <- s
	}()
	select {
	case s := <-line:
		var r ready
		ts.Check(json.Unmarshal([]byte(s), &r))
		ts.Setenv("RELAY", r.Relay)
		ts.Setenv("BLOSSOM", r.Blossom)
	case <-time.After(patience):
		ts.Fatalf("the server did not get ready")
	}
}

// agent starts powdo agent and waits until it answers.
func agent(ts *testscript.TestScript, neg bool, args []string) {
	start(ts, "agent", program(ts, "powdo", append([]string{"agent"}, args...)...))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if fileExists(filepath.Join(ts.Getenv("POWDO_HOME"), "agent.sock")) && program(ts, "powdo", "status").Run() == nil {
			return
		}
	}
	ts.Fatalf("the agent does not answer")
}

// halt NAME ends the server or the agent, and waits until it is gone.
func halt(ts *testscript.TestScript, neg bool, args []string) {
	pid, err := strconv.Atoi(ts.Getenv("PID_" + args[0]))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
	}
	ts.Fatalf("SIGTERM did not end %s within 10 s", args[0])
}
