package e2e_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peer is a standard relay and Blossom server of others, from a module of its
// own (packaging/peers/khatru).
type peer struct {
	t     testing.TB
	relay string
	cmd   *exec.Cmd
}

// startPeer builds and starts one. It ends with the test.
func startPeer(t testing.TB, args ...string) *peer {
	t.Helper()
	return startPeerOf(t, "none", args...)
}

// startPeerOf is startPeer for a build with tags.
func startPeerOf(t testing.TB, tags string, args ...string) *peer {
	t.Helper()
	if testing.Short() {
		t.Skip("builds another module")
	}
	program := filepath.Join(bin, "khatru-"+tags)
	build := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", program, ".")
	build.Dir = filepath.Join("..", "..", "packaging", "peers", "khatru")
	build.Env = append(os.Environ(), "CGO_ENABLED=1") // LMDB
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the peer: %v\n%s", err, out)
	}
	p := &peer{t: t, cmd: exec.Command(program, append(args, "-dir", t.TempDir())...)}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	var ready struct{ Relay string }
	if err == nil {
		err = json.Unmarshal([]byte(line), &ready)
	}
	if err != nil {
		t.Fatalf("the peer's ready line %q: %v", line, err)
	}
	p.relay = ready.Relay
	return p
}

// TestStandardServers: our desktop and our DVM work with a standard relay and a
// standard Blossom server where the hub would be. That relay deletes nothing for
// a recipient; with and without NIP-77.
func TestStandardServers(t *testing.T) {
	for name, args := range map[string][]string{"NIP-77": {"-negentropy"}, "NIP-01 only": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.xvfb()
			p := startPeer(t, args...)
			relay, blossom := p.relay, "http"+strings.TrimPrefix(p.relay, "ws")
			w.must("powdo-server", "init", "--role", "dvm")
			startDVM := func() *process { return w.server("dvm", "--relay", relay, "--blossom", blossom) }
			dvm := startDVM()
			w.must("powdo-server", "projects", "add", projectName, "--interval", "60")
			agent := w.agent()
			link := strings.TrimSpace(w.must("powdo-server", "invite", "--name", memberName, "--relay", relay, "--blossom", blossom))
			w.must("powdo", "join", link, "--yes")
			w.must("powdo", "start", projectName)
			w.must("powdo", "capture")
			time.Sleep(1100 * time.Millisecond)
			w.must("powdo", "register", "--wait")
			dvm.stop(t) // what is still stored at the relay comes again, and nothing happens twice
			dvm = startDVM()
			time.Sleep(1100 * time.Millisecond)
			w.must("powdo", "capture")
			w.must("powdo", "stop")
			w.must("powdo", "register", "--wait")
			checkBooked(t, w, 2)
			agent.stop(t)
			dvm.stop(t)
		})
	}
}
