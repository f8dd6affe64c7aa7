package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/services/wire/identity"
)

// TestReviewSite walks through the DVM's pages in a real browser: both ways in,
// from the week to a picture, a decision whose reason reaches the member, and
// the log of every look.
func TestReviewSite(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("make test installs chromium: %v", err)
	}
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo", "register", "--wait")
	checkBooked(t, w, 1)
	// What waits for a decision: work on a project that was closed meanwhile.
	w.must("powdo", "start", projectName)
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "stop")
	w.must("powdo-server", "projects", "set", projectName, "--close")
	w.must("powdo", "register")
	w.must("powdo", "drain")

	secret, foreign := newSecret(t), newSecret(t)
	w.must("powdo-server", "admins", "add", "Tom", "--npub", identity.Npub(secret.Public()))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/site")); err != nil {
		t.Fatal(err)
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	pictures := os.Getenv("POWDO_TEST_ARTIFACTS")
	if pictures == "" {
		pictures = t.TempDir()
	}
	const reason = "The project was closed on Monday"
	in, _ := json.Marshal(map[string]string{"chromium": chromium, "site": w.ready.Admin, "link": strings.TrimSpace(w.must("powdo-server", "admins", "link", "Tom")),
		"pictures": pictures, "secret": bytesHex(secret.Bytes()), "foreign": bytesHex(foreign.Bytes()), "reason": reason})
	node := exec.Command("node", filepath.Join(dir, "browser.mjs"))
	node.Stdin = bytes.NewReader(in)
	var errs bytes.Buffer
	node.Stderr = &errs
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	var saw struct {
		Problems                                                      []string
		Stranger, Week, SecondUse, Day, Proof, Waiting, AfterRefusing string
		Quarantine, CSV, Log, SignedOut, Nobody, Key                  string
		Bars, Picture, Forged                                         int
	}
	if err := json.Unmarshal(out, &saw); err != nil {
		t.Fatal(err)
	}
	if len(saw.Problems) > 0 {
		t.Errorf("the browser complains: %v", saw.Problems)
	}
	if saw.Stranger != "/login" || saw.SignedOut != "/login" || saw.Forged != 403 {
		t.Errorf("doors: stranger at %s, signed out at %s, a forged form %d", saw.Stranger, saw.SignedOut, saw.Forged)
	}
	if saw.Bars != 2 || saw.Picture != 1280 && saw.Picture <= 0 {
		t.Errorf("%d bars, a picture %d pixels wide", saw.Bars, saw.Picture)
	}
	for what, row := range map[string][2]string{
		"the week names the project": {saw.Week, projectName}, "the week names the member": {saw.Week, memberName}, "the week tells what waits": {saw.Week, "1 session waits"},
		"a used link": {saw.SecondUse, "used already"}, "the day": {saw.Day, "h proven"}, "the checks": {saw.Proof, "in order"},
		"what waits": {saw.Waiting, "the project is closed"}, "nothing in quarantine": {saw.Quarantine, "Nothing is in quarantine"},
		"the table": {saw.CSV, projectName}, "the log notes the picture": {saw.Log, "picture"}, "the log notes the refusal": {saw.Log, "refused"},
		"nobody's key": {saw.Nobody, "No admin"}, "by key": {saw.Key, projectName},
	} {
		if !strings.Contains(row[0], row[1]) {
			t.Errorf("%s: no %q in %q", what, row[1], row[0])
		}
	}
	w.eventually("the reason reaches the member", func() bool {
		return strings.Contains(w.must("powdo", "outbox", "--json"), reason)
	})
	agent.stop(t)
	server.stop(t)
}
