package blobs_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/store"
	"pow.do/services/hub/store/storetest"
	"pow.do/services/pow"
)

// openAt opens a server on a folder that stays.
func openAt(dir string) (*store.Store, *blobs.Server, error) {
	quiet, dvms := slog.New(slog.DiscardHandler), []pow.Key{dvm.Key}
	room := func() (int64, int64, error) { return 1 << 40, 0, nil }
	s, err := store.Open(context.Background(), store.Config{Path: filepath.Join(dir, "hub.db"), DVMs: dvms, Log: quiet, Space: room})
	if err != nil {
		return nil, nil, err
	}
	if err := s.Allow(context.Background(), alice.Key, dvm.Key); err != nil {
		return nil, nil, err
	}
	b, err := blobs.Open(blobs.Config{Dir: dir, DVMs: dvms, Members: s, Index: s, Quota: unlimited{s}, Shelf: s, Room: s.Disk().Room, Log: quiet})
	if err == nil {
		b.SetOrigins([]string{"https://" + host})
	}
	return s, b, err
}

// unlimited is a store that counts nothing.
type unlimited struct{ *store.Store }

func (unlimited) BeginUpload(context.Context, pow.Key) error { return nil }

// uploadUntilKilled uploads blobs and prints the hash of each that was taken.
func uploadUntilKilled(dir string) {
	_, b, err := openAt(dir)
	if err != nil {
		panic(err)
	}
	w := &world{}
	for {
		w.now.Store(time.Now().Unix())
		blob := newBlob(60_000)
		r := httptest.NewRequest("PUT", "/upload", bytes.NewReader(blob.data))
		r.Header.Set("Authorization", bearer(w.token(alice, "upload", blob.x)))
		r.Header.Set("X-SHA-256", blob.x.String())
		rec := httptest.NewRecorder()
		b.Calm()
		b.ServeHTTP(deadlines{rec}, r)
		switch rec.Code {
		case 201:
			fmt.Println(blob.x)
		case 401, 403:
			panic(rec.Body.String())
		}
	}
}

// deadlines is a recorder that an upload can set deadlines of.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetReadDeadline(time.Time) error  { return nil }
func (deadlines) SetWriteDeadline(time.Time) error { return nil }

// uploads runs this program as an uploader, ends it after so many blobs, and
// returns all that were acknowledged.
func uploads(t *testing.T, dir string, after int, end func()) (acknowledged []pow.Hash) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "POWDO_TEST_UPLOAD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if x, err := pow.ParseHash(lines.Text()); err == nil { // the last line may be cut
			acknowledged = append(acknowledged, x)
		}
		if len(acknowledged) == after {
			end()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") || len(acknowledged) < after {
		t.Fatalf("the uploader ended by itself after %d: %v", len(acknowledged), err)
	}
	return acknowledged
}

// survived opens the folder as after a restart: every acknowledged blob is there,
// and whatever is there is whole.
func survived(t *testing.T, dir string, acknowledged []pow.Hash) {
	t.Helper()
	s, b, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := b.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole := map[pow.Hash]bool{}
	folder, err := blobs.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Each(t.Context(), func(x pow.Hash, name string) error {
		f, err := folder.Open(t.Context(), x, name)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		_, err = io.Copy(h, f)
		whole[x] = pow.Hash(h.Sum(nil)) == x
		if !whole[x] {
			t.Errorf("%s is half a blob", x)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range acknowledged {
		if !whole[x] {
			t.Fatalf("%s was acknowledged and is lost", x)
		}
	}
}

// TestKill kills an uploading server again and again (F1, F25).
func TestKill(t *testing.T) {
	rounds := storetest.Rounds(10)
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	var acknowledged []pow.Hash
	for round := range rounds {
		acknowledged = append(acknowledged, uploads(t, dir, 5+round*7%40, func() {})...)
		survived(t, dir, acknowledged)
	}
	t.Logf("%d kills, %d blobs acknowledged, none lost", rounds, len(acknowledged))
}
