package blobs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pow.do/services/hub/blobs"
	"pow.do/services/hub/store"
)

func TestUpload(t *testing.T) {
	w := newWorld(t)
	b := newBlob(200_000)
	a := w.put(alice, b)
	w.want("new", a, 201)
	var d struct {
		URL, SHA256, Type string
		Size, Uploaded    int64
	}
	if err := json.Unmarshal(a.body, &d); err != nil {
		t.Fatal(err)
	}
	if d.URL != "https://"+host+"/"+b.x.String()+".bin" || d.SHA256 != b.x.String() || d.Size != 200_000 ||
		d.Type != "application/octet-stream" || d.Uploaded != w.now.Load() {
		t.Errorf("descriptor %+v", d)
	}
	w.want("again", w.put(alice, b), 200)
	w.wantFiles("again", "blobs", 1)
	w.wantFiles("again", "tmp", 0)
	if got := w.get(alice, b.x); !bytes.Equal(got.body, b.data) {
		t.Error("other bytes came back")
	}
	info, err := os.Stat(w.files("blobs")[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestUploadHeaders(t *testing.T) {
	w := newWorld(t, func(c *blobs.Config) { c.MaxBlob = 10_000 })
	b := newBlob(1000)
	token := bearer(w.token(alice, "upload", b.x))
	head := func(length string, headers ...string) answer {
		if length != "" {
			headers = append(headers, "X-Content-Length", length)
		}
		return w.do("HEAD", "/upload", nil, append(headers, "Authorization", token)...)
	}
	x := []string{"X-SHA-256", b.x.String()}
	w.want("HEAD", head("1000", x...), 200)
	w.want("HEAD without a hash", head("1000"), 400)
	w.want("HEAD without a length", head("", x...), 411)
	w.want("HEAD too large", head("10001", x...), 413)
	w.want("HEAD 1 TiB", head("1099511627776000000000000", x...), 413)
	for _, bad := range []string{"0", "-1", "abc"} {
		w.want("HEAD "+bad, head(bad, x...), 400)
	}
	put := func(body io.Reader, headers ...string) answer {
		return w.do("PUT", "/upload", body, append(headers, "Authorization", token)...)
	}
	data := func() io.Reader { return bytes.NewReader(b.data) }
	w.want("BL-11 no X-SHA-256", put(data()), 400)
	w.want("BL-11 malformed", put(data(), "X-SHA-256", "abc"), 400)
	w.want("BL-6 X-SHA-256 of another blob", put(data(), "X-SHA-256", strings.Repeat("0", 64)), 401)
	w.want("Content-Encoding", put(data(), "X-SHA-256", b.x.String(), "Content-Encoding", "gzip"), 400)
	w.want("BL-10 empty", put(http.NoBody, x...), 400)
	w.want("BL-10 chunked", put(io.MultiReader(data()), x...), 411)
	big := newBlob(10_001)
	w.want("BL-10 too large", w.put(alice, big), 413)
	w.want("BL-9 download token", w.do("PUT", "/upload", data(), "Authorization", bearer(w.token(alice, "get", b.x)), "X-SHA-256", b.x.String()), 401)
	w.want("BL-19 stranger", w.put(nobody, b), 403)
	w.wantFiles("refused", "blobs", 0)
	w.want("BL-11 upper case", put(data(), "X-SHA-256", strings.ToUpper(b.x.String())), 201)
	w.want("BL-12 type", put(data(), "X-SHA-256", b.x.String(), "Content-Type", "text/html"), 200)
	if got := w.get(alice, b.x).Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("served as %s", got)
	}
}

func TestUploadHash(t *testing.T) { // BL-11
	w := newWorld(t)
	b, wrong := newBlob(100_000), newBlob(100_000)
	wrong.x = b.x
	w.want("other bytes", w.put(alice, wrong), 409)
	w.wantFiles("other bytes", "blobs", 0)
	w.wantFiles("other bytes", "tmp", 0)
	w.want("owner", w.put(alice, b), 201)
	w.want("claimed without having it", w.put(bob, wrong), 409)
	w.want("not an owner", w.get(bob, b.x), 404)
	w.want("proven", w.put(bob, b), 200)
	w.want("an owner", w.get(bob, b.x), 200)
}

// raw speaks HTTP by hand and returns the status line.
func (w *world) raw(header string, body []byte, then func(net.Conn)) string {
	w.t.Helper()
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, header)
	c.Write(body)
	if then != nil {
		then(c)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

func (w *world) uploadHeader(k key, b blob, length any, more ...string) string {
	return fmt.Sprintf("PUT /upload HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nX-SHA-256: %s\r\nContent-Length: %v\r\n%s\r\n",
		bearer(w.token(k, "upload", b.x)), b.x, length, strings.Join(more, ""))
}

func TestUploadLengths(t *testing.T) { // BL-10, BL-20
	w := newWorld(t)
	b := newBlob(300_000)
	for name, row := range map[string]struct {
		length any
		want   string
	}{"1 TiB": {int64(1) << 40, "413"}, "negative": {-1, "400"}, "two": {"5\r\nContent-Length: 6", "400"}} {
		if got := w.raw(w.uploadHeader(alice, b, row.length), nil, nil); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := w.raw(w.uploadHeader(alice, b, 64<<20, "Expect: 100-continue\r\n"), nil, nil); !strings.Contains(got, "100") {
		t.Errorf("Expect, accepted: %s", got)
	}
	if got := w.raw(w.uploadHeader(nobody, b, 64<<20, "Expect: 100-continue\r\n"), nil, nil); !strings.Contains(got, "403") {
		t.Errorf("Expect, refused: %s", got)
	}
	w.raw(w.uploadHeader(alice, b, len(b.data)), b.data[:297_000], func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }) // 99 %
	shorter := w.raw(w.uploadHeader(alice, b, len(b.data)-1), b.data, nil)
	if !strings.Contains(shorter, "409") {
		t.Errorf("longer than announced: %s", shorter)
	}
	w.eventually("everything is cleaned up", func() bool { return len(w.files("tmp")) == 0 })
	w.wantFiles("after all", "blobs", 0)
}

// eventually waits for something that happens after a connection has gone.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("not seen: %s", what)
		}
	}
}

func TestUploadsTogether(t *testing.T) { // BL-20
	w := newWorld(t)
	b := newBlob(500_000)
	keys := make([]key, 50)
	for i := range keys {
		keys[i] = newKey(fmt.Sprint("device ", i))
		if err := w.store.Allow(t.Context(), keys[i].Key, dvm.Key); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	created := make(chan int, len(keys))
	for _, k := range keys {
		all.Go(func() { created <- w.put(k, b).StatusCode })
	}
	all.Wait()
	close(created)
	count := map[int]int{}
	for status := range created {
		count[status]++
	}
	if count[201] != 1 || count[200] != 49 {
		t.Errorf("answers %v", count)
	}
	w.wantFiles("50 owners", "blobs", 1)
	w.wantFiles("50 owners", "tmp", 0)
}

// blocked starts an upload of k that hangs before its last byte.
func (w *world) blocked(k key, b blob) (finish func() string) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	before := len(w.files("tmp"))
	last := len(b.data) - 1
	fmt.Fprint(c, w.uploadHeader(k, b, len(b.data)))
	c.Write(b.data[:last])
	w.eventually("an upload began", func() bool { return len(w.files("tmp")) > before })
	return func() string {
		defer c.Close()
		c.Write(b.data[last:])
		line, _ := bufio.NewReader(c).ReadString('\n')
		return line
	}
}

func TestFourUploadsAtOnce(t *testing.T) {
	w := newWorld(t)
	var finish []func() string
	for range 4 {
		finish = append(finish, w.blocked(alice, newBlob(100_000)))
	}
	a := w.put(alice, newBlob(1000))
	w.want("the fifth", a, 429)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.want("of another", w.put(bob, newBlob(1000)), 201)
	for _, f := range finish {
		if line := f(); !strings.Contains(line, "201") {
			t.Error(line)
		}
	}
	w.want("after them", w.put(alice, newBlob(1000)), 201)
}

func TestDeniedWhileUploading(t *testing.T) { // BL-19
	w := newWorld(t)
	finish := w.blocked(alice, newBlob(100_000))
	if err := w.store.Deny(t.Context(), alice.Key); err != nil {
		t.Fatal(err)
	}
	if line := finish(); !strings.Contains(line, "403") {
		t.Error(line)
	}
	w.wantFiles("denied", "blobs", 0)
	w.eventually("no temporary file", func() bool { return len(w.files("tmp")) == 0 })
}

func TestQuotas(t *testing.T) { // BL-21, F6
	w := newWorld(t)
	w.free.Store(1<<30 + 999)
	full := w.put(alice, newBlob(1000))
	w.want("disk full", full, 503)
	if full.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.free.Store(1 << 30)
	w.want("still full", w.put(alice, newBlob(1000)), 503)
	w.free.Store(5 << 30)
	kept := newBlob(1000)
	w.want("room again", w.put(alice, kept), 201)
	w.free.Store(0)
	w.want("reading from a full disk", w.get(alice, kept.x), 200)
	w.want("deleting from a full disk", w.remove(alice, kept.x), 204)
	w.free.Store(100 << 30)

	day := w.now.Load() / 86_400
	if err := w.store.EndUpload(t.Context(), alice.Key, store.BlobBytesPerDay-1500); err != nil {
		t.Fatal(err)
	}
	w.want("5 GiB a day", w.put(alice, newBlob(1000)), 429)
	w.want("less", w.put(alice, newBlob(400)), 201)
	w.now.Store((day + 1) * 86_400)
	w.want("the next day", w.put(alice, newBlob(1000)), 201)
	if _, _, err := w.store.Own(t.Context(), newBlob(1).x, store.BlobBytesStored-2000, "", alice.Key, dvm.Key); err != nil {
		t.Fatal(err)
	}
	w.want("2 GiB stored", w.put(alice, newBlob(1000)), 429)
	for range store.UploadsPerHour {
		if err := w.store.BeginUpload(t.Context(), bob.Key); err != nil {
			t.Fatal(err)
		}
	}
	w.want("600 an hour", w.put(bob, newBlob(1000)), 429)
	w.wantFiles("refused", "tmp", 0)
}

func TestInterruptedUpload(t *testing.T) { // F1: what a killed process leaves
	w := newWorld(t)
	kept := newBlob(1000)
	w.want("upload", w.put(alice, kept), 201)
	write := func(dir, name string, age time.Duration) {
		path := filepath.Join(w.dir, dir, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	orphan, young := newBlob(1).x.String(), newBlob(1).x.String()
	write("tmp", "upload-123", time.Minute)
	write("blobs/"+orphan[:2], orphan, 2*time.Hour) // renamed, but its row was never committed
	write("blobs/"+young[:2], young, time.Minute)   // perhaps being committed right now
	lost := newBlob(1000)
	w.want("upload", w.put(alice, lost), 201)
	if err := os.Remove(filepath.Join(w.dir, "blobs", lost.x.String()[:2], lost.x.String())); err != nil {
		t.Fatal(err)
	}
	w.want("a row without a file", w.get(alice, lost.x), 404)
	w.run(func() {
		w.eventually("tidied", func() bool { return len(w.files("tmp")) == 0 && len(w.files("blobs")) == 2 })
		w.eventually("the row is gone", func() bool { known, _ := w.store.Known(t.Context(), lost.x, ""); return !known })
	})
	w.want("the whole blob", w.get(alice, kept.x), 200)
	w.want("uploads after Run", w.put(alice, newBlob(10)), 503)
}
