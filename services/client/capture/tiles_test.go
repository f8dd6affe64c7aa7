package capture_test

import (
	"image"
	"image/color"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pow.do/services/client/capture"
)

func TestSame(t *testing.T) {
	a := capture.Fingerprint(frame(textScreen(300, 200)))
	if !capture.Same(a, capture.Fingerprint(frame(textScreen(300, 200)))) {
		t.Error("equal pixels differ")
	}
	if capture.Same(a, capture.Fingerprint(frame(textScreen(300, 201)))) || capture.Same(a, capture.Tiles{}) ||
		capture.Same(capture.Tiles{}, capture.Tiles{}) {
		t.Error("different sizes are the same")
	}
}

func TestOnePixelDiffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 200).Draw(t, "w"), rapid.IntRange(1, 200).Draw(t, "h")
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		before := capture.Fingerprint(frame(img))
		img.SetRGBA(rapid.IntRange(0, w-1).Draw(t, "x"), rapid.IntRange(0, h-1).Draw(t, "y"), color.RGBA{0, 0, 1, 255})
		if capture.Same(before, capture.Fingerprint(frame(img))) {
			t.Fatal("a changed pixel went unseen")
		}
	})
}

// Every pixel counts, also at the edges of tiles.
func TestEveryPixelCounts(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 66, 66))
	before := capture.Fingerprint(frame(img))
	for i := range img.Pix {
		img.Pix[i] ^= 1
		if capture.Same(before, capture.Fingerprint(frame(img))) {
			t.Fatalf("byte %d went unseen", i)
		}
		img.Pix[i] ^= 1
	}
}

func TestNext(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	fixed := func(v int64) func(int64) int64 {
		return func(n int64) int64 {
			if v >= n {
				t.Errorf("asked for [0,%d)", n)
			}
			return v
		}
	}
	for _, c := range []struct {
		interval time.Duration
		rnd      int64
		want     time.Time
	}{
		{10 * time.Minute, 0, start},
		{10 * time.Minute, int64(10*time.Minute) - 1, start.Add(10*time.Minute - 1)},
		{0, 0, start},
		{-time.Second, 0, start},
	} {
		if got := capture.Next(start, c.interval, fixed(c.rnd)); !got.Equal(c.want) {
			t.Errorf("%v, %d: %v, want %v", c.interval, c.rnd, got, c.want)
		}
	}
}
