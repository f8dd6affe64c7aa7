package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"

	"pow.do/services/wire/event"
)

func TestHTTPSigner(t *testing.T) {
	const url = "http://127.0.0.1:7448/login/key"
	now := time.Now()
	secret := sha256.Sum256([]byte("an admin"))
	for name, c := range map[string]struct {
		change func(*event.Event)
		forge  func(*event.Event)
		ok     bool
	}{
		"good":           {ok: true},
		"another page":   {change: func(e *event.Event) { e.Tags[0][1] += "/else" }},
		"another method": {change: func(e *event.Event) { e.Tags[1][1] = "GET" }},
		"no method":      {change: func(e *event.Event) { e.Tags = e.Tags[:1] }},
		"another kind":   {change: func(e *event.Event) { e.Kind = 24242 }},
		"old":            {change: func(e *event.Event) { e.CreatedAt -= 120 }},
		"early":          {change: func(e *event.Event) { e.CreatedAt += 120 }},
		"forged":         {forge: func(e *event.Event) { e.Content = "changed" }},
	} {
		e := &event.Event{Kind: event.KindHTTP, CreatedAt: event.Timestamp(now.Unix()), Tags: event.Tags{{"u", url}, {"method", "POST"}}}
		if c.change != nil {
			c.change(e)
		}
		if err := e.Sign(hex.EncodeToString(secret[:])); err != nil {
			t.Fatal(err)
		}
		if c.forge != nil {
			c.forge(e)
		}
		key, err := httpSigner("Nostr "+base64.StdEncoding.EncodeToString(event.Marshal(e)), url, now)
		if (err == nil) != c.ok || c.ok && key != event.Author(e) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}
