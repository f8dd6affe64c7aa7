package queue_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

// BenchmarkAddCapture stores pictures of 150 KiB, durable each.
func BenchmarkAddCapture(b *testing.B) {
	q, _, err := queue.Open(queue.Config{Dir: b.TempDir(), Box: newBox(), Free: func(string) (int64, error) { return 1 << 50, nil }})
	check(b, err)
	defer q.Close()
	session := pow.SessionID(ulid(b, day))
	picture := make([]byte, 150<<10)
	must[int](b)(rand.Read(picture))
	thumb := bytes.Repeat(picture[:1<<10], 12)
	b.SetBytes(int64(len(picture)))
	for b.Loop() {
		check(b, q.AddCapture(pow.Capture{ID: ulid(b, day), Session: session, At: day}, picture, thumb))
	}
}

// BenchmarkTick is the heartbeat.
func BenchmarkTick(b *testing.B) {
	q, _ := open(b, b.TempDir())
	session := pow.SessionID(ulid(b, day))
	must[queue.Segment](b)(q.OpenSegment(queue.Segment{Session: session, Project: project, Interval: span(0, 0)}))
	n := 0
	for b.Loop() {
		n++
		check(b, q.Tick(after(n)))
	}
}
