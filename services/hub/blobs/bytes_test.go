package blobs_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/blobs/blobstest"
	"pow.do/services/pow"
)

func TestFolder(t *testing.T) { blobstest.Run(t, blobstest.Folder) }
func TestBucket(t *testing.T) { blobstest.Run(t, blobstest.Bucket) }

// TestBucketVerifies: the S3 server itself refuses bytes that do not have the hash.
func TestBucketVerifies(t *testing.T) {
	b := blobstest.Bucket(t)
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("other bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := b.Put(t.Context(), newBlob(10).x, f, 11); err == nil {
		t.Error("taken")
	}
	objects(t, b, 0)
}

func objects(t *testing.T, b blobs.Bytes, want int) {
	t.Helper()
	n := 0
	err := b.Each(t.Context(), time.Now(), func(pow.Hash, string, bool) error { n++; return nil })
	if err != nil || n != want {
		t.Errorf("%d objects, want %d; %v", n, want, err)
	}
}

// twoHubs are two servers over one store and one bucket.
func twoHubs(t *testing.T) (first, second *world, bucket blobs.Bytes) {
	bucket = blobstest.Bucket(t)
	first = newWorld(t, func(c *blobs.Config) { c.Bytes = bucket; c.TTL = time.Hour })
	second = &world{t: t, dir: t.TempDir(), store: first.store, client: first.client}
	second.now.Store(first.now.Load())
	s, err := blobs.Open(blobs.Config{Dir: second.dir, Bytes: bucket, DVMs: []pow.Key{dvm.Key, other.Key}, Members: first.store, Index: first.store,
		Quota: first.store, Shelf: first.store, Room: first.store.Disk().Room, TTL: time.Hour,
		Now: func() time.Time { return time.Unix(first.now.Load(), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	s.SetOrigins([]string{"https://" + host})
	second.blobs, second.server = s, httptest.NewServer(s)
	t.Cleanup(second.server.Close)
	return first, second, bucket
}

func TestTwoHubsOneBucket(t *testing.T) {
	first, second, bucket := twoHubs(t)
	b := newBlob(300_000)
	first.want("upload", first.put(alice, b), 201)
	second.want("again, elsewhere", second.put(alice, b), 200)
	second.want("another owner", second.put(bob, b), 200)
	objects(t, bucket, 1)
	if got := second.get(alice, b.x); !bytes.Equal(got.body, b.data) || got.Header.Get("Content-Length") != "300000" {
		t.Error("other bytes at the other hub")
	}
	part := second.get(alice, b.x, "Range", "bytes=299000-")
	second.want("range", part, 206)
	if !bytes.Equal(part.body, b.data[299_000:]) {
		t.Error("another part")
	}
	head := second.do("HEAD", "/"+b.x.String(), nil, "Authorization", bearer(second.token(alice, "get", b.x)))
	second.want("HEAD", head, 200)
	first.want("alice leaves it", first.remove(alice, b.x), 204)
	second.want("for alice", second.get(alice, b.x), 404)
	first.want("for bob", first.get(bob, b.x), 200)
	second.want("the DVM", second.remove(dvm, b.x), 204)
	first.want("for bob", first.get(bob, b.x), 404)
	objects(t, bucket, 0)
	first.wantFiles("after all", "tmp", 0)
}

// TestUploadAndDeleteTogether: one hub uploads what another deletes, again and
// again; what exists can be read whole.
func TestUploadAndDeleteTogether(t *testing.T) {
	first, second, bucket := twoHubs(t)
	b := newBlob(50_000)
	var all sync.WaitGroup
	for i := range 8 {
		w, k := []*world{first, second}[i%2], []key{alice, bob}[i/2%2]
		all.Go(func() {
			for range 10 {
				if a := w.put(k, b); a.StatusCode != 200 && a.StatusCode != 201 && a.StatusCode != 429 {
					t.Errorf("put: %d", a.StatusCode)
				}
				if whole, cut := w.read(k, b); !whole && !cut {
					t.Error("half a blob that looks whole")
				}
				if a := w.remove(dvm, b.x); a.StatusCode != 204 && a.StatusCode != 404 {
					t.Errorf("delete: %d", a.StatusCode)
				}
			}
		})
	}
	all.Wait()
	first.put(alice, b)
	if got := second.get(alice, b.x); !bytes.Equal(got.body, b.data) {
		t.Error("what exists cannot be read")
	}
	first.now.Add(2 * 3600) // what was put twice is a stray from now on
	if err := first.blobs.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects(t, bucket, 1)
}

// read gets a blob that may be deleted meanwhile: then there is none, or the
// answer is cut.
func (w *world) read(k key, b blob) (whole, cut bool) {
	req, err := http.NewRequest("GET", w.server.URL+"/"+b.x.String(), nil)
	if err != nil {
		w.t.Error(err)
		return false, false
	}
	req.Header.Set("Authorization", bearer(w.token(k, "get", b.x)))
	resp, err := w.client.Do(req)
	if err != nil {
		return false, true
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode == 404 {
		return false, true
	}
	return bytes.Equal(got, b.data), err != nil
}

func TestTidyBucket(t *testing.T) {
	first, _, bucket := twoHubs(t)
	kept, lost, stray := newBlob(1000), newBlob(1000), newBlob(1000)
	first.want("upload", first.put(alice, kept), 201)
	first.want("upload", first.put(alice, lost), 201)
	_, name, _, err := first.store.Blob(t.Context(), lost.x, alice.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Remove(t.Context(), lost.x, name); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, stray.data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := bucket.Put(t.Context(), stray.x, f, 1000); err != nil {
		t.Fatal(err)
	}
	if err := first.blobs.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects(t, bucket, 2) // the stray may be on its way to its row
	if known, _ := first.store.Known(t.Context(), lost.x, name); known {
		t.Error("a row without bytes stayed")
	}
	first.now.Add(2 * 3600)
	if err := first.blobs.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects(t, bucket, 1)
	if err := first.blobs.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects(t, bucket, 0)
}

// TestBucketAway: without the bucket nothing is taken and nothing is answered
// wrongly (F33).
func TestBucketAway(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	b, err := blobs.OpenBucket("s3://bucket?endpoint=http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *blobs.Config) { c.Bytes = b })
	lost := newBlob(1000)
	a := w.put(alice, lost)
	w.want("put", a, 503)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.want("get", w.get(alice, lost.x), 404)
	if _, _, err := w.store.Own(t.Context(), lost.x, 1000, "name", alice.Key, dvm.Key); err != nil {
		t.Fatal(err)
	}
	w.want("get of one that is known", w.get(alice, lost.x), 503)
	w.want("delete", w.remove(alice, lost.x), 204)
	if err := w.blobs.Ready(t.Context()); err == nil || strings.Contains(err.Error(), lost.x.String()) {
		t.Errorf("ready: %v", err)
	}
	w.wantFiles("after all", "tmp", 0)
}

func TestBucketURL(t *testing.T) {
	for text, want := range map[string]string{
		"s3://bucket":                                      "endpoint",
		"s3://bucket?endpoint=example.com":                 "endpoint",
		"s3://bucket?endpoint=https://u:p@example.com":     "endpoint",
		"s3://key:secret@bucket?endpoint=https://e.com":    "AWS_ACCESS_KEY_ID",
		"s3://bucket?endpoint=https://e.com&secret=hunter": `"secret" is no parameter`,
		"https://bucket":                                   "s3://", "s3:///x?endpoint=https://e.com": "s3://",
	} {
		if _, err := blobs.OpenBucket(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(fmt.Sprint(err), "hunter") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
