package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// hubKey signs for tests: its secret is the SHA-256 of a word.
type hubKey struct {
	secret string
	public pow.Key
}

func newHubKey(word string) hubKey {
	s := sha256.Sum256([]byte(word))
	k := hubKey{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("sign with a hash as the key")
	}
	k.public = event.Author(&e)
	return k
}

func (k hubKey) Public() pow.Key           { return k.public }
func (k hubKey) Sign(e *event.Event) error { return e.Sign(k.secret) }

// claims is a relay.Claims made of one function.
type claims func(claim string, now time.Time) (pow.Key, string, time.Time, error)

func (f claims) Check(claim string, now time.Time) (pow.Key, string, time.Time, error) {
	return f(claim, now)
}

var noClaims = claims(func(string, time.Time) (pow.Key, string, time.Time, error) {
	return pow.Key{}, "", time.Time{}, errors.New("no claims here")
})

// runningHub is a hub on a free port of 127.0.0.1.
type runningHub struct {
	*server.Hub
	Host string // host:port
	DVM  hubKey
	Dir  string
}

// startHub serves a new hub until the test ends; members are on its whitelist.
func startHub(t *testing.T, dir string, check claims, members ...hubKey) *runningHub {
	t.Helper()
	dvm := newHubKey("dvm")
	h, err := server.OpenHub(t.Context(), server.HubConfig{Dir: dir, DVMs: []pow.Key{dvm.public}, Claims: check})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &runningHub{Hub: h, Host: ln.Addr().String(), DVM: dvm, Dir: dir}
	h.SetOrigins([]string{"http://" + r.Host})
	for _, m := range members {
		if err := h.Allow(t.Context(), m.public, dvm.public); err != nil {
			t.Fatal(err)
		}
	}
	srv := server.HTTPServer(h.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan error, 1), make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	go func() { ran <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		stop, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		srv.Shutdown(stop)
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}
