package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
	"pow.do/services/wire/identity"
)

// The benchmarks of the whole: each operation is one scenario with the real
// programs, which says by itself how often it repeats what it measures; run them
// with -benchtime 1x. Times are only reported. Memory, which does not depend on
// what else the machine does, has a bar.

// memoryBar is the most memory that a server may ever have held while the
// largest archives pass through it.
const memoryBar = 100 << 20

const mib = 1 << 20

// report gives a metric, and drops the time per operation: a scenario also waits.
func report(b *testing.B, value float64, unit string) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(value, unit)
}

// reportPeak reports the most memory that a process has held, and holds it to the bar.
func reportPeak(b *testing.B, peak int64) {
	b.Helper()
	report(b, float64(peak)/mib, "peak-MiB")
	if peak > memoryBar {
		b.Errorf("held %d MiB; at most %d are allowed", peak/mib, memoryBar/mib)
	}
}

// rank is the smallest value that is not exceeded by the share p of all
// (nearest rank): of 60 values, p99 is the largest.
func rank(all []time.Duration, p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// rate is in MB/s, a million bytes each, as b.SetBytes has it.
func rate(bytes int64, d time.Duration) float64 { return float64(bytes) / 1e6 / d.Seconds() }

// taking measures one call.
func taking(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// held reads a field of /proc/PID/status, in bytes: VmRSS is what a process
// holds of the memory now, VmHWM the most that it ever did.
func held(t testing.TB, pid int, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in /proc/%d/status", field, pid)
	return 0
}

// cpuTime is the user and system time of all threads of a process, in steps of 10 ms.
func cpuTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name, in parentheses, may hold spaces; utime and stime are the 12th
	// and 13th field behind it, in hundredths of a second.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var sum int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}

// noise is a valid PNG of random pixels, four bytes each, that nothing compresses.
func noise(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	if _, err := rand.Read(m.Pix); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tenMinutes is a Proof of ten minutes with n captures of noise, and their bytes.
func tenMinutes(t testing.TB, n, width, height int) (p pow.Proof, bytesOf int64) {
	t.Helper()
	from := time.Now().Add(-time.Hour).Truncate(time.Second)
	id := func(at time.Time) string {
		s, err := pow.NewULID(at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	p = pow.Proof{Session: pow.SessionID(id(from)), Project: "3f6c1d2e9a0b4c5d", Interval: pow.Interval{From: from, To: from.Add(10 * time.Minute)},
		Activity: pow.Activity{AsOf: from.Add(10 * time.Minute), Cause: "off", Unknown: 10 * time.Minute}}
	for i := range n {
		picture, at := noise(t, width, height), from.Add(time.Duration(i)*10*time.Minute/time.Duration(n))
		bytesOf += int64(len(picture))
		p.Captures = append(p.Captures, pow.Capture{ID: id(at), Session: p.Session, At: at, Format: "png", Width: width, Height: height,
			Size: int64(len(picture)), Hash: sha256.Sum256(picture),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(picture)), nil }})
	}
	return p, bytesOf
}

// sealing is one member with one device, and one DVM, without their programs.
type sealing struct {
	member, device, dvm identity.Secret
	key                 identity.ArchiveKey
}

func newSealing(t testing.TB) sealing {
	t.Helper()
	k, err := identity.NewArchiveKey(pow.AgePQ)
	if err != nil {
		t.Fatal(err)
	}
	return sealing{newSecret(t), newSecret(t), newSecret(t), k}
}

// seal writes the Sealed of p to w and returns it with the Notice about it.
func (s sealing) seal(t testing.TB, w io.Writer, p pow.Proof) (pow.Sealed, pow.Notice) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	sealer := archive.Sealer{Author: s.member, Device: s.device.Public(), DVM: s.dvm.Public(), App: "powdo benchmark"}
	st, f, _, err := sealer.Seal(context.Background(), w, p, 1, pow.Hash{}, s.key.Recipient(now.Add(-time.Hour), time.Time{}), now)
	if err != nil {
		t.Fatal(err)
	}
	return f, pow.Notice{Author: st.Author, DVM: st.DVM, Sealed: f.Hash, Size: f.Size, Archive: f.Archive, Alg: f.Alg, Recipient: f.Recipient,
		Statement: st.ID, Device: st.Device, Project: st.Project, Session: st.Session, Seq: st.Seq, Prev: st.Prev, Interval: st.Interval}
}

// BenchmarkSeal seals 30 captures, 12 MB together, and opens them, beside the
// least that any program must do with the same bytes: copy them through SHA-256.
// The three take turns, so that what else the machine does troubles them alike.
func BenchmarkSeal(b *testing.B) {
	s := newSealing(b)
	p, size := tenMinutes(b, 30, 316, 316)
	opener, err := archive.NewOpener(archive.Key{Alg: s.key.Alg(), Secret: s.key.Secret()})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var copies, seals, opens []time.Duration
		for range 25 {
			var sealed bytes.Buffer
			sealed.Grow(int(size + size/16))
			var want pow.Notice
			copies = append(copies, taking(func() { hash(b, p) }))
			seals = append(seals, taking(func() { _, want = s.seal(b, &sealed, p) }))
			opens = append(opens, taking(func() {
				if _, err := opener.Open(context.Background(), bytes.NewReader(sealed.Bytes()), want.Size, want); err != nil {
					b.Fatal(err)
				}
			}))
		}
		floor := rank(copies, 0.5)
		report(b, rate(size, floor), "copy-MB/s")
		report(b, rate(size, rank(seals, 0.5)), "seal-MB/s")
		report(b, float64(rank(seals, 0.5))/float64(floor), "seal/copy")
		report(b, float64(rank(opens, 0.5))/float64(floor), "open/copy")
	}
}

func hash(t testing.TB, p pow.Proof) {
	sum := sha256.New()
	for _, c := range p.Captures {
		r, err := c.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.MultiWriter(io.Discard, sum), r); err != nil {
			t.Fatal(err)
		}
	}
}
