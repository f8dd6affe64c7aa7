package blossom_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pow.do/services/wire/blossom"
	"pow.do/services/wire/blossom/blossomtest"
)

// A clock that is an hour slow sees the server an hour ahead, also after it was
// corrected for tokens.
func TestClockAhead(t *testing.T) {
	d := blossomtest.NewDouble(t)
	for _, off := range []time.Duration{0, -time.Hour, 3 * time.Minute} {
		c := client(func(cfg *blossom.Config) { cfg.Now = func() time.Time { return time.Now().Add(off) } })
		for range 2 {
			ahead, ok, err := c.Clock(t.Context(), d.URL)
			if err != nil || !ok || (ahead+off).Abs() > 5*time.Second {
				t.Errorf("off by %v: ahead %v, %v, %v", off, ahead, ok, err)
			}
		}
	}
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }))
	defer silent.Close()
	if _, ok, err := client().Clock(t.Context(), silent.URL); ok || err != nil {
		t.Errorf("no Date: %v, %v", ok, err)
	}
	silent.Close()
	if _, _, err := client().Clock(t.Context(), silent.URL); err == nil {
		t.Error("nobody there, and no error")
	}
}
