package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/app/cli"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/parcel"
)

// bundle makes a folder with n proofs of one device that follow each other, as
// powdo-server export leaves them.
func bundle(t *testing.T, n int) string {
	t.Helper()
	me, err := identity.NewSecret()
	must(t, err)
	key, err := identity.NewArchiveKey(pow.AgeX25519)
	must(t, err)
	o, err := archive.NewOpener(archive.Key{Alg: key.Alg(), Secret: key.Secret()})
	must(t, err)
	session, err := pow.NewSessionID(nine, rand.Reader)
	must(t, err)
	dir, prev := t.TempDir(), pow.Hash{}
	must(t, os.WriteFile(filepath.Join(dir, "member.json"), []byte("{}"), 0o600))
	for i := range n {
		p := pow.Proof{Session: session, Project: "0000000000000001", Interval: from(10*i, 10)}
		sealer := archive.Sealer{Author: me, Device: me.Public(), DVM: me.Public(), App: appName}
		var b bytes.Buffer
		st, _, _, err := sealer.Seal(t.Context(), &b, p, uint64(i+1), prev, key.Recipient(nine.Add(-time.Hour), time.Time{}), nine)
		must(t, err)
		prev = st.ID
		folder := filepath.Join(dir, "proof-"+string(rune('1'+i)))
		must(t, os.Mkdir(folder, 0o700))
		root, err := os.OpenRoot(folder)
		must(t, err)
		_, err = o.Extract(t.Context(), bytes.NewReader(b.Bytes()), int64(b.Len()), root)
		must(t, err)
		must(t, root.Close())
	}
	return dir
}

func verify(t *testing.T, path string) (code int, v verdict) {
	t.Helper()
	code, out, errs := command(t, newHome(t), "verify", "--json", path)
	if code != cli.Usage {
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("%v: %q %q", err, out, errs)
		}
	}
	return code, v
}

func TestVerifyBundle(t *testing.T) {
	dir := bundle(t, 3)
	if code, v := verify(t, dir); code != 0 || !v.OK || len(v.Proofs) != 3 || v.Chain != chainWhole || v.Seconds != 1800 {
		t.Errorf("exit %d, %+v", code, v)
	}
	if code, v := verify(t, filepath.Join(dir, "proof-2")); code != 0 || len(v.Proofs) != 1 || v.Proofs[0].Seq != 2 || v.Seconds != 600 {
		t.Errorf("one of them: exit %d, %+v", code, v)
	}
	must(t, os.RemoveAll(filepath.Join(dir, "proof-2")))
	if code, v := verify(t, dir); code != 0 || v.Chain != chainGaps {
		t.Errorf("one is missing: exit %d, %+v", code, v)
	}
	file := filepath.Join(dir, "proof-3", "manifest.json")
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, bytes.Replace(b, []byte(`"dropped":0`), []byte(`"dropped":1`), 1), 0o600))
	if code, v := verify(t, dir); code != cli.Failed || v.OK || v.Proofs[1].OK || v.Proofs[1].Problem == "" || v.Seconds != 600 {
		t.Errorf("one was changed: exit %d, %+v", code, v)
	}
	// The proofs of another device do not break the chain.
	other := bundle(t, 1)
	must(t, os.Rename(filepath.Join(other, "proof-1"), filepath.Join(dir, "other")))
	must(t, os.RemoveAll(filepath.Join(dir, "proof-3")))
	if code, v := verify(t, dir); code != 0 || v.Chain != chainWhole {
		t.Errorf("two devices: exit %d, %+v", code, v)
	}
}

// A fork is two Statements with one seq, or one that names another before it.
func TestVerifyBrokenChain(t *testing.T) {
	a := evidence{OK: true, Statement: pow.Hash{1}, DeviceNpub: "d", Seq: 1}
	for name, b := range map[string]evidence{
		"same seq":     {OK: true, Statement: pow.Hash{2}, DeviceNpub: "d", Seq: 1},
		"another prev": {OK: true, Statement: pow.Hash{2}, DeviceNpub: "d", Seq: 2, Prev: pow.Hash{9}},
	} {
		if got := chainOf([]evidence{b, a}); got != chainBroken {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := chainOf([]evidence{a, a}); got != chainWhole {
		t.Errorf("the same proof twice: %s", got)
	}
}

func TestVerifyFiles(t *testing.T) {
	me, err := identity.NewSecret()
	must(t, err)
	_, seal, err := envelope.SealReceipt(me, pow.Receipt{Device: me.Public(), Answers: pow.Hash{1}, Code: pow.CodeDone, CreatedAt: time.Now()}, time.Now())
	must(t, err)
	l, err := envelope.Wrap(seal, me.Public(), time.Now())
	must(t, err)
	dir := t.TempDir()
	sealed := filepath.Join(dir, "proof.powdo")
	must(t, newFile(sealed, func(w io.Writer) error { return parcel.Write(w, l.JSON, strings.NewReader("sealed"), 6) }))
	if code, v := verify(t, sealed); code != 0 || v.Proofs[0].Kind != "sealed" || v.Proofs[0].Sealed.IsZero() {
		t.Errorf("an exported proof: exit %d, %+v", code, v)
	}
	text := filepath.Join(dir, "notes.txt")
	must(t, os.WriteFile(text, []byte("no evidence"), 0o600))
	if code, v := verify(t, text); code != cli.Failed || v.OK {
		t.Errorf("a text: exit %d, %+v", code, v)
	}
	if code, v := verify(t, dir); code != 0 || len(v.Proofs) != 1 {
		t.Errorf("a folder with both: exit %d, %+v", code, v)
	}
	if code, _ := verify(t, t.TempDir()); code != cli.Usage {
		t.Errorf("an empty folder: exit %d", code)
	}
	if _, err := verifyPath(context.Background(), filepath.Join(dir, "missing")); err == nil {
		t.Error("a file that is not there holds")
	}
}
