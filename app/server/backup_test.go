package server_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pow.do/app/cli"
	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// command runs powdo-server to its end.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = server.Run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// TestBackup backs a hub up while it takes letters and blobs, and serves another
// from that: everything that was acknowledged before is there.
func TestBackup(t *testing.T) {
	data, member := filepath.Join(t.TempDir(), "data"), newHubKey("member")
	h := startHub(t, filepath.Join(data, "hub"), noClaims, member)
	c := dialHub(t, h, h.DVM)
	ids := make([]string, 60)
	put := func(from, to int) {
		for i := from; i < to; i++ {
			e := letterTo(member.public, i)
			ids[i] = e.ID
			c.send("EVENT", json.RawMessage(event.Marshal(e)))
			if ok := c.read(); ok[2] != true {
				t.Fatal(ok)
			}
			b := fmt.Appendf(nil, "blob %d", i)
			if resp := askBlob(t, h, member, "PUT", sha256.Sum256(b), b); resp.StatusCode != 201 {
				t.Fatal(resp.Status)
			}
		}
	}
	put(0, 30)
	var busy sync.WaitGroup
	busy.Go(func() { put(30, 60) })
	file := filepath.Join(t.TempDir(), "backup")
	if code, out, errs := command(t, "--data", data, "hub", "backup", file); code != 0 || !strings.Contains(out, "blobs") {
		t.Fatalf("backup: %d %s", code, errs)
	}
	busy.Wait()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	other := filepath.Join(t.TempDir(), "data")
	if code, out, errs := command(t, "--data", other, "hub", "restore", file); code != 0 || !strings.Contains(out, "0 were damaged") {
		t.Fatalf("restore: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "--data", other, "hub", "restore", file); code != 1 || !strings.Contains(errs, "move it away") {
		t.Errorf("restore over a hub: %d %s", code, errs)
	}
	second := startHub(t, filepath.Join(other, "hub"), noClaims)
	reader := dialHub(t, second, member)
	reader.send("REQ", "s", map[string]any{})
	found := map[any]bool{}
	for m := reader.read(); m[0] != "EOSE"; m = reader.read() {
		found[m[2].(map[string]any)["id"]] = true
	}
	for i := range 30 {
		if !found[ids[i]] {
			t.Errorf("letter %d is missing", i)
		}
		b := fmt.Appendf(nil, "blob %d", i)
		resp := askBlob(t, second, member, "GET", sha256.Sum256(b), nil)
		if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, b) {
			t.Errorf("blob %d: %s", i, resp.Status)
		}
	}
}

// TestRestoreRefuses what is no backup, and leaves nothing behind; a damaged blob
// is left out.
func TestRestoreRefuses(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	startHub(t, filepath.Join(data, "hub"), noClaims)
	good := filepath.Join(t.TempDir(), "backup")
	if code, _, errs := command(t, "--data", data, "hub", "backup", good); code != 0 {
		t.Fatal(errs)
	}
	database := entries(t, good)[0].data
	x := pow.Hash(sha256.Sum256([]byte("blob"))).String()
	blob := entry{name: "blobs/" + x[:2] + "/" + x, data: []byte("blob")}
	first := entry{name: "hub.db", data: database}
	for name, list := range map[string][]entry{
		"empty": nil, "no database": {blob}, "two databases": {first, first}, "outside": {first, {name: "../x"}},
		"absolute": {first, {name: "/etc/x"}}, "another folder": {first, {name: "blobs/00/" + x}}, "a link": {first, {name: blob.name, kind: tar.TypeSymlink}},
		"twice": {first, blob, blob}, "something else": {first, {name: "config.toml"}}, "no SQLite": {{name: "hub.db", data: []byte("no database at all, but long enough to be one, perhaps")}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if code, _, errs := command(t, "--data", dir, "hub", "restore", tarOf(t, list)); code != 1 || errs == "" {
				t.Errorf("restored: %d %s", code, errs)
			}
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range left {
				if e.Name() != "hub.lock" {
					t.Errorf("%s is left", e.Name())
				}
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "data")
	damaged := entry{name: blob.name, data: []byte("bl0b")}
	if code, out, errs := command(t, "--data", dir, "hub", "restore", tarOf(t, []entry{first, damaged})); code != 0 || !strings.Contains(out, "0 blobs; 1 were damaged") {
		t.Errorf("damaged: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "--data", dir, "--database", "postgres://x/y", "hub", "backup", good); code != 2 || !strings.Contains(errs, "pg_dump") {
		t.Errorf("PostgreSQL: %d %s", code, errs)
	}
}

type entry struct {
	name string
	data []byte
	kind byte
}

func tarOf(t *testing.T, list []entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range list {
		h := &tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: 0o600, Typeflag: tar.TypeReg}
		if e.kind != 0 {
			h.Typeflag, h.Size, h.Linkname = e.kind, 0, "/etc/passwd"
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write(e.data)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func entries(t *testing.T, path string) (list []entry) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry{name: h.Name, data: data})
	}
}
