package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ageCommand is the standard tool that must open our archives.
const ageCommand = "filippo.io/age/cmd/age@v1.3.2"

// TestAgeCommandOpensTheArchive: nothing but the standard tools and the DVM's
// key are needed to get at the evidence.
func TestAgeCommandOpensTheArchive(t *testing.T) {
	w, server, agent := joined(t)
	w.must("powdo", "start", projectName)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	w.must("powdo", "register", "--wait")
	agent.stop(t)
	server.stop(t)

	proofs := w.proofs()
	if len(proofs) != 1 {
		t.Fatalf("%+v", proofs)
	}
	sealed := find(t, filepath.Join(w.data, "dvm"), proofs[0].Sealed)
	keys := filepath.Join(t.TempDir(), "keys.txt")
	if err := os.WriteFile(keys, ageKeys(t, filepath.Join(w.data, "dvm", "keys")), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "archive.zip")
	tool(t, "go", "run", ageCommand, "--decrypt", "--identity", keys, "--output", plain, sealed)
	if out := tool(t, "unzip", "-t", plain); !strings.Contains(out, "No errors detected") || !strings.Contains(out, "statement.json") {
		t.Errorf("unzip -t: %s", out)
	}
	dir := t.TempDir()
	w.must("powdo-server", "proofs", "open", "1", "--to", dir)
	if pictures, _ := filepath.Glob(filepath.Join(dir, "c0001.*")); len(pictures) != 1 {
		t.Errorf("proofs open: %v", pictures)
	}
}

func find(t *testing.T, dir, name string) (path string) {
	t.Helper()
	_ = filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error {
		if err == nil && strings.Contains(filepath.Base(p), name) {
			path = p
		}
		return nil
	})
	if path == "" {
		t.Fatalf("no %s below %s", name, dir)
	}
	return path
}

// ageKeys collects the DVM's age secrets from its key files.
func ageKeys(t *testing.T, dir string) (keys []byte) {
	t.Helper()
	_ = filepath.Walk(dir, func(p string, fi os.FileInfo, err error) error {
		if err != nil || !fi.Mode().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		for _, f := range bytes.FieldsFunc(b, func(r rune) bool { return r == '"' || r <= ' ' }) {
			if bytes.HasPrefix(f, []byte("AGE-SECRET-KEY-")) {
				keys = append(append(keys, f...), '\n')
			}
		}
		return err
	})
	if len(keys) == 0 {
		t.Fatal("the DVM has no age key")
	}
	return keys
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
