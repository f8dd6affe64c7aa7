package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

// TestStrangersClient meets our relay with a standard client (nostr-tools): it
// can authenticate, cannot read a letter that is not its own, and can open a
// letter meant for it.
func TestStrangersClient(t *testing.T) {
	if testing.Short() {
		t.Skip("runs node and npm")
	}
	dir := installed(t, "testdata/stranger")
	dvm, mine, foreign := newSecret(t), newSecret(t), newSecret(t)
	origin := startHub(t, dvm.Public(), mine.Public(), foreign.Public())
	rumor := publishReceipt(t, origin, dvm, mine.Public())
	publishReceipt(t, origin, dvm, foreign.Public())

	in, _ := json.Marshal(map[string]string{"relay": origin, "secret": bytesHex(mine.Bytes()), "foreign": foreign.Public().String()})
	node := exec.Command("node", filepath.Join(dir, "client.mjs"))
	node.Stdin = bytes.NewReader(in)
	var errs bytes.Buffer
	node.Stderr = &errs
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	var saw struct {
		BeforeAuth    int
		Authenticated bool
		Own           []struct {
			ID, PubKey string
			Kind       int
		}
		Foreign int
	}
	if err := json.Unmarshal(out, &saw); err != nil {
		t.Fatal(err)
	}
	if saw.BeforeAuth != 0 || !saw.Authenticated || saw.Foreign != 0 {
		t.Errorf("%s", out)
	}
	if len(saw.Own) != 1 || saw.Own[0].ID != rumor.String() || saw.Own[0].Kind != 7000 || saw.Own[0].PubKey != dvm.Public().String() {
		t.Errorf("its own letter: %s", out)
	}
}

func newSecret(t testing.TB) identity.Secret {
	t.Helper()
	s, err := identity.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bytesHex(b []byte) string { h := pow.Hash(b); return h.String() }

// byHandOnly is a hub's view of claims where there are none.
type byHandOnly struct{}

func (byHandOnly) Check(string, time.Time) (pow.Key, string, time.Time, error) {
	return pow.Key{}, "", time.Time{}, pow.ErrNotAdmitted
}

// startHub runs a hub of this process with two devices allowed by hand.
func startHub(t *testing.T, dvm pow.Key, devices ...pow.Key) (origin string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin = "ws://" + ln.Addr().String()
	h, err := server.OpenHub(t.Context(), server.HubConfig{Dir: filepath.Join(t.TempDir(), "hub"), Origins: []string{origin}, DVMs: []pow.Key{dvm},
		Claims: byHandOnly{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if err := h.Allow(t.Context(), d, dvm); err != nil {
			t.Fatal(err)
		}
	}
	srv := server.HTTPServer(h.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { _ = srv.Serve(ln); done <- struct{}{} }()
	go func() { _ = h.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() { cancel(); _ = srv.Close(); <-done; <-done; _ = h.Close() })
	return origin
}

func ignore(context.Context, string, *event.Event, []byte) error { return nil }

// publishReceipt sends a letter with a Receipt to a device, as the DVM does.
func publishReceipt(t *testing.T, origin string, dvm identity.Secret, to pow.Key) (rumor pow.Hash) {
	t.Helper()
	now := time.Now()
	rumor, seal, err := envelope.SealReceipt(dvm, pow.Receipt{DVM: dvm.Public(), Device: to, CreatedAt: now, Answers: pow.Hash{1}, Code: pow.CodeDone}, now)
	if err != nil {
		t.Fatal(err)
	}
	letter, err := envelope.Wrap(seal, to, now)
	if err != nil {
		t.Fatal(err)
	}
	pool := relays.New(relays.Config{Origins: []string{origin}, Key: dvm, HTTP: http.DefaultClient, Handle: ignore, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	if a, err := pool.Publish(ctx, origin, letter.JSON); err != nil || !a.OK {
		t.Fatalf("publish: %+v %v", a, err)
	}
	cancel()
	<-done
	return rumor
}
