package blossom

import (
	"testing"
	"time"

	"pow.do/services/wire/retry"
)

func FuzzDescriptor(f *testing.F) {
	f.Add([]byte(`{"url":"https://hub.example.com/x.bin","sha256":"x","size":184320,"type":"application/octet-stream","uploaded":1795190612}`))
	f.Add([]byte(`{"size":1,"size":2}`))
	f.Add([]byte(`<!doctype html>`))
	f.Add([]byte(`[[[[[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseDescriptor(b); err == nil && len(b) > maxDescriptor {
			t.Error("too long, and read")
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "120", "-1", "99999999999999999999", "Fri, 31 Dec 2027 23:59:59 GMT", "soon"} {
		f.Add(s)
	}
	now := time.Unix(1_795_000_000, 0)
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, now); d < 0 || d > retry.MaxWait {
			t.Errorf("%q: %v", s, d)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1_795_000_000, 0)
	for s, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": 0, " 120 ": 2 * time.Minute, "3601": time.Hour, "18446744073709551615": time.Hour, "99999999999999999999": 0,
		now.Add(90 * time.Second).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"): 90 * time.Second,
		now.Add(-time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"):       0,
		now.Add(72 * time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"):   time.Hour,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
