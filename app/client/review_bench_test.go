package client

import (
	"image"
	"image/color"
	"testing"

	"pow.do/services/client/capture"
	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// BenchmarkBlackOut is from the end of a drag to the picture as it will be
// sealed, at the size of a view: decode, cover, encode, encrypt, store, read
// again, scale. The bar is 150 ms for 1080p.
func BenchmarkBlackOut(b *testing.B) {
	a := alone(b)
	img := image.NewRGBA(image.Rect(0, 0, 1920, 1080))
	for y := range 1080 { // lines of text on a page with a photograph
		for x := range 1920 {
			c := color.RGBA{250, 250, 248, 255}
			switch {
			case x > 1200 && y > 600:
				c = color.RGBA{byte(x * y >> 5), byte(x ^ y), byte(x + y), 255}
			case y%20 < 11 && (x*7+y*13+x*y/7)%11 < 5:
				c = color.RGBA{20, 24, 30, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	pic, err := capture.Encode(capture.Frame{Image: img})
	must(b, err)
	at := workday()
	id, err := deliveryID(at)
	must(b, err)
	_, err = a.queue.OpenSegment(queue.Segment{Session: pow.SessionID(id), Project: optional, Interval: pow.Interval{From: at}})
	must(b, err)
	must(b, a.queue.AddCapture(pow.Capture{ID: id, Session: pow.SessionID(id), At: at, Format: pic.Format, Width: 1920, Height: 1080}, pic.Data, pic.Thumb))
	for b.Loop() {
		must(b, a.Edit(b.Context(), pow.EditRequest{IDs: []string{id}, Edits: []pow.Edit{{Kind: pow.EditRedact, Rect: pow.Rect{X: 300, Y: 200, W: 600, H: 90}}}}))
		_, err := a.Picture(b.Context(), pow.PictureRequest{ID: id, MaxWidth: 1280, MaxHeight: 720})
		must(b, err)
		b.StopTimer()
		must(b, a.Undo(b.Context(), []string{id}))
		b.StartTimer()
	}
}
