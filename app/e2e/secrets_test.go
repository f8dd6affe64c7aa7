package e2e_test

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestNothingReadable looks for canaries wherever somebody else might look: the
// client's disk, the hub's disk and every log. Pixels show as the magic of a
// picture or a zip; both ends keep them encrypted.
func TestNothingReadable(t *testing.T) {
	w, server, agent := joined(t, "--log-level", "debug")
	w.must("powdo", "start", projectName, "--note", noteText)
	w.must("powdo", "capture")
	time.Sleep(1100 * time.Millisecond)
	search(t, w)
	server.kill()
	w.must("powdo", "register")
	search(t, w) // sealed, not delivered
	server = w.server("all", "--log-level", "debug")
	w.must("powdo", "drain")
	search(t, w)
	agent.kill()
	server.kill()
	search(t, w)

	// The search itself must bite.
	planted := filepath.Join(w.home, "planted")
	if err := os.WriteFile(planted, []byte("xx"+projectName), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(hits(t, w.home, canaries())) != 1 {
		t.Error("the search does not find what is there")
	}
}

func canaries() map[string][]byte {
	c := map[string][]byte{
		"png":  {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
		"jpeg": {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 'J', 'F', 'I', 'F'},
		"zip":  []byte("statement.json"),
	}
	for name, s := range map[string]string{"project": projectName, "note": noteText, "member": memberName, "pass": "correct horse battery staple"} {
		c[name] = []byte(s)
		c[name+" in hex"] = []byte(hex.EncodeToString([]byte(s)))
	}
	return c
}

func search(t *testing.T, w *world) {
	t.Helper()
	for _, dir := range []string{w.home, filepath.Join(w.data, "hub")} {
		for _, h := range hits(t, dir, canaries()) {
			t.Errorf("readable on disk: %s", h)
		}
	}
	for name, c := range canaries() {
		if bytes.Contains([]byte(w.logs.String()), c) {
			t.Errorf("readable in a log: %s", name)
		}
	}
}

func hits(t *testing.T, dir string, canaries map[string][]byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if fi, err := d.Info(); err == nil && fi.Mode().Perm()&0o077 != 0 {
			found = append(found, p+": mode "+fi.Mode().String())
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for name, c := range canaries {
			if bytes.Contains(b, c) {
				found = append(found, p+": "+name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
