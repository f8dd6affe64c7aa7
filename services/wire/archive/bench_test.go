package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"testing"
	"time"

	"pow.do/services/pow"
)

// tenMinutes is a Proof of 30 pictures, 12 MB together.
func tenMinutes(b *testing.B) (p pow.Proof, bytes int64) {
	p = proof(b)
	p.Captures = nil
	for i := range 30 {
		picture := pngOf(b, i+1, 320, 320)
		p.Captures = append(p.Captures, captureOf(start.Add(time.Duration(i)*20*time.Second), picture, "png", 320, 320))
		bytes += int64(len(picture))
	}
	return p, bytes
}

// BenchmarkCopy is what any program must do with the pictures: read and hash.
func BenchmarkCopy(b *testing.B) {
	p, n := tenMinutes(b)
	b.SetBytes(n)
	for b.Loop() {
		sum := sha256.New()
		for _, c := range p.Captures {
			r, err := c.Open()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.MultiWriter(io.Discard, sum), r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	p, n := tenMinutes(b)
	for name, k := range allKeys(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := sealer().Seal(context.Background(), io.Discard, p, 1, pow.Hash{}, k.public, sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	p, n := tenMinutes(b)
	for name, k := range allKeys(b) {
		raw, want := seal(b, p, k)
		o := opener(b, k)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := o.Open(context.Background(), bytes.NewReader(raw), int64(len(raw)), want); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
