// Package blobstest checks where a hub keeps its blobs: one suite for a folder
// and for a bucket. It also makes throw-away buckets.
//
// The S3 server is the one that POWDO_TEST_S3_URL names, with the access key of
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which may make buckets; without
// it, tests that need it are skipped. `make test` starts one.
package blobstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"pow.do/services/hub/blobs"
	"pow.do/services/pow"
)

// BucketURL names a new empty bucket, which is deleted after the test.
func BucketURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("POWDO_TEST_S3_URL")
	if server == "" {
		t.Skip("POWDO_TEST_S3_URL names no S3 server")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	client, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewEnvAWS(), Secure: u.Scheme == "https", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	var random [8]byte
	rand.Read(random[:])
	bucket := "powdo-" + hex.EncodeToString(random[:])
	if err := client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		for o := range client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
			if err := client.RemoveObject(ctx, bucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
				t.Error(err)
			}
		}
		if err := client.RemoveBucket(ctx, bucket); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	})
	return "s3://" + bucket + "/blobs/?" + url.Values{"endpoint": {server}}.Encode()
}

// Bucket opens a new empty bucket.
func Bucket(t testing.TB) blobs.Bytes {
	t.Helper()
	b, err := blobs.OpenBucket(BucketURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Folder opens a new empty folder.
func Folder(t testing.TB) blobs.Bytes {
	t.Helper()
	f, err := blobs.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Run holds a place for bytes to what Bytes says.
func Run(t *testing.T, open func(testing.TB) blobs.Bytes) {
	for name, f := range map[string]func(*testing.T, blobs.Bytes){
		"WholeOrNothing": testWhole, "Parts": testParts, "Missing": testMissing, "Names": testNames, "Order": testOrder,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func random(n int) ([]byte, pow.Hash) {
	b := make([]byte, n)
	rand.Read(b)
	return b, sha256.Sum256(b)
}

func put(t *testing.T, b blobs.Bytes, data []byte, x pow.Hash) (name string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return b.Put(t.Context(), x, f, int64(len(data)))
}

func testWhole(t *testing.T, b blobs.Bytes) {
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 1000, 5<<20 + 1} {
		data, x := random(n)
		name, err := put(t, b, data, x)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Open(t.Context(), x, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, data); n < 2000 && err != nil {
			t.Error(err)
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes: %v", len(got), n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func testParts(t *testing.T, b blobs.Bytes) {
	data, x := random(300_000)
	name, err := put(t, b, data, x)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(t.Context(), x, name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if size, err := r.Seek(0, io.SeekEnd); size != 300_000 || err != nil {
		t.Errorf("size %d %v", size, err)
	}
	for _, at := range []int64{250_000, 0, 299_999, 1} {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		part := make([]byte, min(1000, 300_000-at))
		if _, err := io.ReadFull(r, part); err != nil || !bytes.Equal(part, data[at:at+int64(len(part))]) {
			t.Errorf("at %d: other bytes, %v", at, err)
		}
	}
}

func testMissing(t *testing.T, b blobs.Bytes) {
	data, x := random(1000)
	if _, err := b.Open(t.Context(), x, "0123456789abcdef"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open what is not there: %v", err)
	}
	if err := b.Remove(t.Context(), x, "0123456789abcdef"); err != nil {
		t.Errorf("remove what is not there: %v", err)
	}
	name, err := put(t, b, data, x)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Remove(t.Context(), x, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Open(t.Context(), x, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open what was removed: %v", err)
	}
}

// testNames: removing one upload leaves another of the same bytes alone, unless
// there is only one name.
func testNames(t *testing.T, b blobs.Bytes) {
	data, x := random(1000)
	first, err := put(t, b, data, x)
	if err != nil {
		t.Fatal(err)
	}
	second, err := put(t, b, data, x)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		if first != "" {
			t.Fatalf("two uploads are called %q", first)
		}
		return
	}
	if err := b.Remove(t.Context(), x, first); err != nil {
		t.Fatal(err)
	}
	r, err := b.Open(t.Context(), x, second)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
}

func testOrder(t *testing.T, b blobs.Bytes) {
	var all []pow.Hash
	for range 40 {
		data, x := random(10)
		if _, err := put(t, b, data, x); err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b pow.Hash) int { return bytes.Compare(a[:], b[:]) })
	for _, row := range []struct {
		before time.Time
		old    bool
	}{{time.Now().Add(-time.Hour), false}, {time.Now().Add(time.Hour), true}} {
		var got []pow.Hash
		err := b.Each(t.Context(), row.before, func(x pow.Hash, _ string, old bool) error {
			if old != row.old {
				t.Errorf("old is %v", old)
			}
			got = append(got, x)
			return nil
		})
		if err != nil || !slices.Equal(got, all) {
			t.Errorf("%d of %d, or in another order: %v", len(got), len(all), err)
		}
	}
	stop := errors.New("stop")
	if err := b.Each(t.Context(), time.Now(), func(pow.Hash, string, bool) error { return stop }); err != stop {
		t.Errorf("a caller's error became %v", err)
	}
}
