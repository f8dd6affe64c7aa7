//go:build unix && !darwin

package capture_test

import (
	"image"
	"syscall"
	"testing"
	"time"

	"pow.do/services/client/capture"
)

// BenchmarkWhole is what one picture costs, from the screen to the bytes: the
// process's CPU time, which leaves out the X server's own share.
func BenchmarkWhole(b *testing.B) {
	for name, img := range map[string]*image.RGBA{"text": textScreen(1920, 1080), "photo": photoScreen(1920, 1080)} {
		b.Run(name, func(b *testing.B) {
			startX(b, "1920x1080x24")
			paint(b, img)
			c := capture.New(capture.Config{})
			before := cpu()
			for b.Loop() {
				frames, err := c.Grab(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				capture.Fingerprint(frames[0])
				p, err := capture.Encode(frames[0])
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(p.Data)), "bytes")
			}
			b.ReportMetric(float64((cpu()-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
