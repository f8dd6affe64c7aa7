package blobs_test

import (
	"crypto/sha256"
	"io"
	"net/http"
	"runtime"
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
func (w *world) upload(k key, n byte, x pow.Hash) int {
	req, err := http.NewRequest("PUT", w.server.URL+"/upload", body(n))
	if err != nil {
		w.t.Error(err)
		return 0
	}
	req.ContentLength = large
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
