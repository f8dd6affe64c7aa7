package blobs_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"pow.do/services/pow"
)

// large is a blob of the greatest size whose bytes are made on the way: a
// number, repeated.
const large = 64 << 20

type repeated struct{ n byte }

func (r repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.n
	}
	return len(p), nil
}

func body(n byte) io.Reader { return io.LimitReader(repeated{n}, large) }

func hashOf(n byte) pow.Hash {
	h := sha256.New()
	io.Copy(h, body(n))
	return pow.Hash(h.Sum(nil))
}

// upload sends a large blob and returns the status.
func (w *world) upload(k key, n byte, x pow.Hash) int { return w.uploadOf(k, body(n), large, x) }

func (w *world) uploadOf(k key, data io.Reader, size int64, x pow.Hash) int {
	req, err := http.NewRequest("PUT", w.server.URL+"/upload", data)
	if err != nil {
		w.t.Error(err)
		return 0
	}
	req.ContentLength = size
	req.Header.Set("Authorization", bearer(w.token(k, "upload", x)))
	req.Header.Set("X-SHA-256", x.String())
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestMemory uploads four of the largest blobs at once and looks at the heap
// meanwhile: client and server together stay far below one of them.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 256 MiB")
	}
	w := newWorld(t)
	runtime.GC()
	var most runtime.MemStats
	runtime.ReadMemStats(&most)
	start := most.HeapAlloc
	peak := start
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
	}()
	var all sync.WaitGroup
	for n := range byte(4) {
		x := hashOf(n)
		all.Go(func() {
			if status := w.upload(alice, n, x); status != 201 {
				t.Errorf("blob %d: %d", n, status)
			}
		})
	}
	all.Wait()
	close(stop)
	<-stopped
	t.Logf("peak heap: %d KiB more than before", (peak-start)>>10)
	if peak-start > 16<<20 {
		t.Errorf("the heap grew by %d MiB", (peak-start)>>20)
	}
}

func BenchmarkPut(b *testing.B) {
	w := newWorld(b)
	x := hashOf(1)
	b.SetBytes(large)
	for b.Loop() {
		if status := w.upload(alice, 1, x); status != 201 {
			b.Fatal(status)
		}
		b.StopTimer()
		w.remove(alice, x)
		b.StartTimer()
	}
}

func BenchmarkGet(b *testing.B) {
	w := newWorld(b)
	x := hashOf(1)
	if status := w.upload(alice, 1, x); status != 201 {
		b.Fatal(status)
	}
	b.SetBytes(large)
	for b.Loop() {
		req, _ := http.NewRequest("GET", w.server.URL+"/"+x.String(), nil)
		req.Header.Set("Authorization", bearer(w.token(alice, "get", x)))
		resp, err := w.client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != large || err != nil {
			b.Fatal(n, err)
		}
		resp.Body.Close()
	}
}

// BenchmarkFloor is what no server can be faster than: the same bytes hashed,
// written and flushed, and read back.
func BenchmarkFloor(b *testing.B) {
	dir := b.TempDir()
	b.Run("write", func(b *testing.B) {
		b.SetBytes(large)
		for b.Loop() {
			f, err := os.Create(filepath.Join(dir, "blob"))
			if err != nil {
				b.Fatal(err)
			}
			h := sha256.New()
			if _, err := io.CopyBuffer(both{f, h}, body(1), make([]byte, 64<<10)); err != nil {
				b.Fatal(err)
			}
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			os.Remove(f.Name())
			b.StartTimer()
		}
	})
}

// both hides other methods of the file, as the server does.
type both struct{ f, h io.Writer }

func (w both) Write(p []byte) (int, error) {
	w.h.Write(p)
	return w.f.Write(p)
}

// BenchmarkTogether uploads 50 blobs at once and reports how much memory the
// process, client and server together, takes more than before.
func BenchmarkTogether(b *testing.B) {
	for _, size := range []int64{1 << 20, large} {
		b.Run(fmt.Sprint(size>>20, " MiB"), func(b *testing.B) { benchTogether(b, size) })
	}
}

func benchTogether(b *testing.B, size int64) {
	w := newWorld(b)
	keys := make([]key, 50)
	for i := range keys {
		keys[i] = newKey(fmt.Sprint("device ", i))
		if err := w.store.Allow(b.Context(), keys[i].Key, dvm.Key); err != nil {
			b.Fatal(err)
		}
	}
	sums := make([]pow.Hash, len(keys))
	for i := range sums {
		h := sha256.New()
		io.Copy(h, io.LimitReader(repeated{byte(i)}, size))
		sums[i] = pow.Hash(h.Sum(nil))
	}
	debug.FreeOSMemory()
	before := resident(b)
	peak, stop := before, make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, resident(b))
			}
		}
	})
	b.SetBytes(size * int64(len(keys)))
	for b.Loop() {
		var all sync.WaitGroup
		for i, k := range keys {
			all.Go(func() {
				if status := w.uploadOf(k, io.LimitReader(repeated{byte(i)}, size), size, sums[i]); status != 201 {
					b.Errorf("upload %d: %d", i, status)
				}
			})
		}
		all.Wait()
		b.StopTimer()
		for i := range keys {
			w.remove(dvm, sums[i])
		}
		b.StartTimer()
	}
	close(stop)
	watch.Wait()
	b.ReportMetric(float64(peak-before)/(1<<20), "MiB-more")
}

// resident is VmRSS in bytes.
func resident(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	var all, pages int64
	fmt.Sscan(string(text), &all, &pages)
	return pages * int64(os.Getpagesize())
}
