package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/identity"
)

// hubFor starts the public server alone, for one DVM and devices allowed by hand.
func (w *world) hubFor(dvm pow.Key, devices ...pow.Key) *process {
	w.t.Helper()
	w.must("powdo-server", "init", "--role", "hub")
	h, err := server.OpenHub(w.t.Context(), server.HubConfig{Dir: filepath.Join(w.data, "hub"), DVMs: []pow.Key{dvm}, Claims: byHandOnly{}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range devices {
		if err := h.Allow(w.t.Context(), d, dvm); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		w.t.Fatal(err)
	}
	return w.server("hub", "--dvm", identity.Npub(dvm))
}

// blossomClient talks to the hub's Blossom over connections of its own.
func blossomClient(t testing.TB, key identity.Secret) *blossom.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return blossom.New(blossom.Config{Key: key, HTTP: &http.Client{Transport: transport}})
}

// blob is a file of the greatest size that a Sealed may have.
func blob(t testing.TB) pow.Sealed {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.Reader, pow.MaxSealed); err != nil {
		t.Fatal(err)
	}
	return pow.Sealed{Hash: pow.Hash(sum.Sum(nil)), Size: pow.MaxSealed, Open: func() (io.ReadCloser, error) { return os.Open(f.Name()) }}
}

// shelve is the least that any blob server must do: hash, write, sync.
func shelve(t testing.TB, s pow.Sealed) {
	r, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(io.MultiWriter(f, sha256.New()), r); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkBlossom takes blobs of 64 MiB up and down again, one at a time and
// four at once, through a hub that is a process of its own. put/shelve compares
// with hashing the same bytes into a file, synced, without a network.
func BenchmarkBlossom(b *testing.B) {
	device, dvm := newSecret(b), newSecret(b)
	w := newWorld(b)
	hub := w.hubFor(dvm.Public(), device.Public())
	up, down := blossomClient(b, device), blossomClient(b, dvm)
	put := func(s pow.Sealed) {
		if _, err := up.Put(b.Context(), w.ready.Blossom, s); err != nil {
			b.Error(err)
		}
	}
	get := func(s pow.Sealed) {
		if err := down.Get(b.Context(), w.ready.Blossom, s.Hash, s.Size, io.Discard); err != nil {
			b.Error(err)
		}
	}
	four := func(f func(pow.Sealed), all []pow.Sealed) time.Duration {
		return taking(func() {
			var wg sync.WaitGroup
			for _, s := range all {
				wg.Go(func() { f(s) })
			}
			wg.Wait()
		})
	}
	for b.Loop() {
		var blobs []pow.Sealed
		var puts, gets, shelves []time.Duration
		for range 4 {
			s := blob(b)
			blobs = append(blobs, s)
			shelves = append(shelves, taking(func() { shelve(b, s) }))
			puts = append(puts, taking(func() { put(s) }))
			gets = append(gets, taking(func() { get(s) }))
		}
		for _, s := range blobs {
			if err := up.Delete(b.Context(), w.ready.Blossom, s.Hash); err != nil {
				b.Fatal(err)
			}
		}
		report(b, rate(pow.MaxSealed, rank(puts, 0.5)), "put-MB/s")
		report(b, rate(pow.MaxSealed, rank(gets, 0.5)), "get-MB/s")
		report(b, float64(rank(puts, 0.5))/float64(rank(shelves, 0.5)), "put/shelve")
		report(b, rate(4*pow.MaxSealed, four(put, blobs)), "4-puts-MB/s")
		report(b, rate(4*pow.MaxSealed, four(get, blobs)), "4-gets-MB/s")
	}
	reportPeak(b, held(b, hub.cmd.Process.Pid, "VmHWM"))
	hub.stop(b)
}

// errand is what a child process is asked to fetch and open.
type errand struct {
	Origin, DVM, Alg, Archive string
	Notice                    pow.Notice
}

// outcome is what it answers.
type outcome struct {
	Fetch, Open time.Duration
	Peak        int64
}

// BenchmarkOpenLargest is the DVM's side of the largest Sealed: a process of its
// own fetches it to a file and opens it.
func BenchmarkOpenLargest(b *testing.B) {
	s := newSealing(b)
	w := newWorld(b)
	hub := w.hubFor(s.dvm.Public(), s.device.Public())
	p, size := tenMinutes(b, 8, 1920, 1080)
	path := filepath.Join(b.TempDir(), "sealed")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	sealed, notice := s.seal(b, f, p)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if sealed.Size != pow.MaxSealed {
		b.Fatalf("%d bytes of pictures became a Sealed of %d; this shall be the largest", size, sealed.Size)
	}
	sealed.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	if _, err := blossomClient(b, s.device).Put(b.Context(), w.ready.Blossom, sealed); err != nil {
		b.Fatal(err)
	}
	secret := pow.Hash(s.dvm.Bytes())
	for b.Loop() {
		var fetches, opens []time.Duration
		var peak int64
		for range 3 {
			o := send(b, errand{w.ready.Blossom, secret.String(), s.key.Alg(), s.key.Secret(), notice})
			fetches, opens, peak = append(fetches, o.Fetch), append(opens, o.Open), max(peak, o.Peak)
		}
		report(b, rate(sealed.Size, rank(fetches, 0.5)), "fetch-MB/s")
		report(b, rate(sealed.Size, rank(opens, 0.5)), "open-MB/s")
		reportPeak(b, peak)
	}
	hub.stop(b)
}

// errandEnv makes this test program a child that runs one errand, its standard input.
const errandEnv = "POWDO_BENCH_ERRAND"

func send(b *testing.B, e errand) (o outcome) {
	b.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.short", "-test.run", "^TestErrand$")
	cmd.Env = append(os.Environ(), errandEnv+"=1")
	cmd.ExtraFiles = []*os.File{out}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	out.Close()
	if err := json.NewEncoder(stdin).Encode(e); err != nil {
		b.Error(err)
	}
	stdin.Close()
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		b.Error("the child did not answer: ", err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return o
}

// TestErrand is the child of BenchmarkOpenLargest: it answers on descriptor 3.
func TestErrand(t *testing.T) {
	if os.Getenv(errandEnv) == "" {
		t.Skip("only for BenchmarkOpenLargest")
	}
	var e errand
	if err := json.NewDecoder(os.Stdin).Decode(&e); err != nil {
		t.Fatal(err)
	}
	key, err := identity.ParseSecretHex(e.DVM)
	if err != nil {
		t.Fatal(err)
	}
	opener, err := archive.NewOpener(archive.Key{Alg: e.Alg, Secret: e.Archive})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "sealed"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := e.Notice
	var o outcome
	o.Fetch = taking(func() {
		if err := blossomClient(t, key).Get(context.Background(), e.Origin, n.Sealed, n.Size, f); err != nil {
			t.Fatal(err)
		}
	})
	o.Open = taking(func() {
		if opened, err := opener.Open(context.Background(), f, n.Size, n); err != nil || len(opened.Proof.Captures) == 0 {
			t.Fatal(err)
		}
	})
	o.Peak = held(t, os.Getpid(), "VmHWM")
	if err := json.NewEncoder(os.NewFile(3, "answer")).Encode(o); err != nil {
		t.Fatal(err)
	}
}
