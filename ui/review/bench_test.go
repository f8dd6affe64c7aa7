package review_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pow.do/services/pow"
	"pow.do/ui/theme"
)

// longDay has 200 pictures in 24 hours.
func longDay() *agent {
	a := &agent{}
	for i := range 200 {
		p := picture(fmt.Sprintf("P%03d", i), 0, 0, website, pow.PictureHeld)
		p.At = time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local).Add(time.Duration(i) * 24 * time.Hour / 200)
		a.list = append(a.list, p)
	}
	return a
}

// What one step of the wheel costs on Fyne's goroutine, without painting: rows
// that come into sight get their objects, thumbnails are asked for.
func BenchmarkScrollDay(b *testing.B) {
	r := newRig(b, longDay(), theme.Light, "en", fyne.NewSize(784, 610))
	middle, down := fyne.NewPos(400, 300), float32(-20)
	worst := time.Duration(0)
	i := 0
	for b.Loop() {
		if i++; i%100 == 0 {
			down = -down
		}
		start := time.Now()
		test.Scroll(r.win.Canvas(), middle, 0, down)
		worst = max(worst, time.Since(start))
		b.StopTimer()
		r.later.run() // beside Fyne's goroutine in the program
		b.StartTimer()
	}
	b.ReportMetric(float64(worst.Nanoseconds()), "ns/worst-frame")
	b.ReportMetric(float64(r.Presenter.ThumbBytes()), "thumb-bytes")
}

// The same with the whole window painted by the software canvas, which knows no
// textures and paints every pixel anew.
func BenchmarkScrollDayPainted(b *testing.B) {
	r := newRig(b, longDay(), theme.Light, "en", fyne.NewSize(784, 610))
	middle, down := fyne.NewPos(400, 300), float32(-20)
	i := 0
	for b.Loop() {
		if i++; i%100 == 0 {
			down = -down
		}
		test.Scroll(r.win.Canvas(), middle, 0, down)
		r.later.run()
		r.win.Canvas().Capture()
	}
}

// The heap after looking at every thumbnail of a day and at 200 large pictures.
func BenchmarkDayMemory(b *testing.B) {
	for b.Loop() {
		r := newRig(b, longDay(), theme.Light, "en", fyne.NewSize(784, 610))
		for range 24 {
			r.key(fyne.KeyPageDown)
		}
		r.key(fyne.KeyReturn)
		for range 200 {
			r.key(fyne.KeyLeft)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc), "heap-bytes")
		b.ReportMetric(float64(r.Presenter.ThumbBytes()), "thumb-bytes")
	}
}
