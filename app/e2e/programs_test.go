package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const patience = 60 * time.Second

// world is one data folder for the servers, one home for the desktop, and a display.
type world struct {
	t       testing.TB
	data    string
	home    string
	pass    string // file with the passphrase of the keys
	display string // DISPLAY, empty: none
	listen  string // the hub's address, kept over restarts
	logs    *syncBuffer
	ready   ready
}

type ready struct {
	Relay   string `json:"relay"`
	Blossom string `json:"blossom"`
	Admin   string `json:"admin"`
	DVMNpub string `json:"dvm_npub"`
}

// syncBuffer collects what several programs write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the real programs")
	}
	dir := t.TempDir()
	w := &world{t: t, data: filepath.Join(dir, "server"), home: filepath.Join(dir, "home"), pass: filepath.Join(dir, "pass"), logs: &syncBuffer{}}
	if err := os.WriteFile(w.pass, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.listen = freeAddress(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs of the programs:\n%s", w.logs)
		}
	})
	return w
}

func freeAddress(t testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	out  *bufio.Reader
}

func (w *world) spawn(name string, args ...string) *process {
	w.t.Helper()
	p := &process{cmd: w.command(context.Background(), name, args...), done: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	p.cmd.Stderr = w.logs
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	w.t.Cleanup(func() { p.kill() })
	return p
}

func (w *world) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
	cmd.Env = append(os.Environ(), "POWDO_HOME="+w.home, "POWDO_PASSPHRASE_FILE="+w.pass, "POWDO_DATA="+w.data,
		"DISPLAY="+w.display, "WAYLAND_DISPLAY=", "XDG_SESSION_TYPE=x11", "DBUS_SESSION_BUS_ADDRESS=disabled:", "HOME="+filepath.Dir(w.home))
	return cmd
}

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop asks the program to end and wants it gone within 10 s.
func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Error("SIGTERM did not end the program within 10 s")
		p.kill()
	}
}

// server starts powdo-server with a role and waits for its ready line.
func (w *world) server(role string, args ...string) *process {
	w.t.Helper()
	return w.serverOf("powdo-server", role, args...)
}

// serverOf is server for another build of the program.
func (w *world) serverOf(program, role string, args ...string) *process {
	w.t.Helper()
	p := w.spawn(program, append([]string{role, "--listen", w.listen, "--admin", "127.0.0.1:0", "--log-format", "text"}, args...)...)
	line := make(chan string, 1)
	go func() { s, _ := p.out.ReadString('\n'); line <- s }()
	select {
	case s := <-line:
		w.ready = ready{}
		if err := json.Unmarshal([]byte(s), &w.ready); err != nil {
			w.t.Fatalf("ready line %q: %v\n%s", s, err, w.logs)
		}
	case <-time.After(patience):
		w.t.Fatal("the server did not get ready")
	}
	return p
}

// agent starts the desktop's agent and waits until it answers.
func (w *world) agent() *process {
	w.t.Helper()
	p := w.spawn("powdo", "agent")
	w.eventually("the agent answers", func() bool {
		_, code, _ := w.try("powdo", "status", "--json")
		return code == 0 && fileExists(filepath.Join(w.home, "agent.sock"))
	})
	return p
}

func fileExists(p string) bool { _, err := os.Stat(p); return err == nil }

// try runs a command to its end.
func (w *world) try(name string, args ...string) (stdout string, code int, stderr string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := w.command(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		w.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode(), errs.String()
}

// must runs a command and wants exit code 0.
func (w *world) must(name string, args ...string) string {
	w.t.Helper()
	out, code, errs := w.try(name, args...)
	if code != 0 {
		w.t.Fatalf("%s %s: exit %d\n%s\n%s", name, strings.Join(args, " "), code, out, errs)
	}
	return out
}

func into[T any](w *world, out string) (v T) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		w.t.Fatalf("not one JSON document: %v\n%s", err, out)
	}
	return v
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	w.t.Fatalf("it did not come about that %s", what)
}

// xvfb starts a display of its own.
func (w *world) xvfb() { w.xvfbOf("1280x800x24") }

func (w *world) xvfbOf(screen string) {
	w.t.Helper()
	r, pw, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-noreset", "-nolisten", "tcp", "-screen", "0", screen)
	cmd.ExtraFiles = []*os.File{pw}
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("a virtual display is needed (make test installs it): %v", err)
	}
	pw.Close()
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	n, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		w.t.Fatalf("the virtual display did not start: %v", err)
	}
	w.display = fmt.Sprintf(":%s", strings.TrimSpace(n))
}
