package server_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pow.do/services/hub/blobs/blobstest"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// process is a hub in a process of its own.
type process struct {
	*runningHub
	cmd *exec.Cmd
}

func startProcess(t *testing.T, dvm hubKey, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"hub", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--data", filepath.Join(t.TempDir(), "data"), "--dvm", identity.Npub(dvm.public)}, args...)...)
	cmd.Env = append(os.Environ(), "POWDO_TEST_SERVER=1")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var ready struct{ Blossom string }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &ready)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &process{&runningHub{Host: strings.TrimPrefix(ready.Blossom, "http://"), DVM: dvm}, cmd}
}

// TestOneOfTwoHubsIsKilled: a reader at one hub gets every letter that the other
// answered with OK before it was killed, and writing goes on at once (F34).
func TestOneOfTwoHubsIsKilled(t *testing.T) {
	dvm, member := newHubKey("dvm"), newHubKey("member")
	shared := []string{"--database", storetest.PostgresURL(t), "--blobs", blobstest.BucketURL(t)}
	if code, _, errs := command(t, append(shared, "--data", filepath.Join(t.TempDir(), "data"), "--dvm", identity.Npub(dvm.public),
		"hub", "allow", identity.Npub(member.public))...); code != 0 {
		t.Fatal(errs)
	}
	first, second := startProcess(t, dvm, shared...), startProcess(t, dvm, shared...)
	reader := dialHub(t, second.runningHub, member)
	reader.send("REQ", "s", map[string]any{})
	if m := reader.read(); m[0] != "EOSE" {
		t.Fatal(m)
	}
	accepted := map[string]bool{}
	write := func(c *relayConn, from, to int) {
		for i := from; i < to; i++ {
			e := letterTo(member.public, i)
			c.send("EVENT", json.RawMessage(event.Marshal(e)))
			if ok := c.read(); ok[2] != true {
				t.Fatal(ok)
			}
			accepted[e.ID] = true
		}
	}
	write(dialHub(t, first.runningHub, dvm), 0, 60)
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	write(dialHub(t, second.runningHub, dvm), 60, 80)
	for len(accepted) > 0 {
		m := reader.read()
		if id, _ := m[2].(map[string]any)["id"].(string); accepted[id] {
			delete(accepted, id)
		} else {
			t.Fatalf("%v came twice, or was never answered with OK", m)
		}
	}
}
