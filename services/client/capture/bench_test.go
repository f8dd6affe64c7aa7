package capture_test

import (
	"image"
	"testing"

	"pow.do/services/client/capture"
)

func BenchmarkEncode(b *testing.B) {
	for name, img := range map[string]*image.RGBA{"text": textScreen(1920, 1080), "photo": photoScreen(1920, 1080)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := capture.Encode(frame(img))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(p.Data)), "bytes")
				b.ReportMetric(float64(len(p.Thumb)), "thumb-bytes")
			}
		})
	}
}

func BenchmarkFingerprint(b *testing.B) {
	f := frame(textScreen(1920, 1080))
	for b.Loop() {
		capture.Fingerprint(f)
	}
}
