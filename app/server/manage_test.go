package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/app/cli"
	"pow.do/app/server"
	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/relays"
)

func TestHubAdmins(t *testing.T) {
	a, b := identity.Npub(newHubKey("a").public), identity.Npub(newHubKey("b").public)
	admins, err := server.HubAdmins([]string{"anna=" + a, "björn.2=" + b})
	if err != nil || len(admins) != 2 || admins[newHubKey("a").public] != "anna" {
		t.Errorf("%v %v", admins, err)
	}
	for name, list := range map[string][]string{
		"no name": {a}, "an empty name": {"=" + a}, "no key": {"anna="}, "hex": {"anna=" + newHubKey("a").public.String()},
		"one name twice": {"anna=" + a, "anna=" + b}, "one key twice": {"anna=" + a, "bea=" + a}, "the shell's name": {"shell=" + a}, "a DVM's name": {"dvm=" + a},
		"a line break": {"an\nna=" + a}, "a long name": {strings.Repeat("x", 41) + "=" + a},
	} {
		if _, err := server.HubAdmins(list); err == nil || !strings.Contains(err.Error(), "--hub-admin") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// hubToken signs a request to manage with a body (NIP-98).
func hubToken(t *testing.T, h *runningHub, k hubKey, body string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	e := &event.Event{Kind: 27235, CreatedAt: event.Timestamp(time.Now().Unix()),
		Tags: event.Tags{{"u", "http://" + h.Host + "/"}, {"method", "POST"}, {"payload", hex.EncodeToString(sum[:])}}}
	if err := k.Sign(e); err != nil {
		t.Fatal(err)
	}
	return "Nostr " + base64.StdEncoding.EncodeToString(event.Marshal(e))
}

// manageHub posts one call of NIP-86, signed by k.
func manageHub(t *testing.T, h *runningHub, k hubKey, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+h.Host+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/nostr+json+rpc")
	req.Header.Set("Authorization", hubToken(t, h, k, body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHubAudit: what the DVM did over the network and a person on the machine
// stands in the log that `hub audit` prints.
func TestHubAudit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	device, second := newHubKey("device"), newHubKey("second")
	h := startHub(t, filepath.Join(dir, "hub"), noClaims, device)
	if got := manageHub(t, h, h.DVM, `{"method":"allowpubkey","params":["`+second.public.String()+`"]}`); !strings.Contains(got, `"result":true`) {
		t.Fatal(got)
	}
	if got := manageHub(t, h, device, `{"method":"listallowedpubkeys","params":[]}`); !strings.Contains(got, "NIP-98") {
		t.Errorf("a device: %s", got)
	}
	var out bytes.Buffer
	code := server.Run(t.Context(), []string{"hub", "audit", "--json", "--data", dir}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: t.Output()})
	var lines []struct {
		At     time.Time
		By     string
		ByNpub string `json:"by_npub"`
		Method string
		Key    string `json:"key_npub"`
	}
	if err := json.Unmarshal(out.Bytes(), &lines); err != nil || code != 0 || len(lines) != 2 {
		t.Fatalf("%d %s %v", code, &out, err)
	}
	if l := lines[0]; l.By != "shell" || l.Method != "allowpubkey" || l.Key != identity.Npub(device.public) || time.Since(l.At) > time.Hour {
		t.Errorf("%+v", l)
	}
	if l := lines[1]; l.By != "dvm" || l.ByNpub != identity.Npub(h.DVM.public) || l.Key != identity.Npub(second.public) {
		t.Errorf("%+v", l)
	}
	out.Reset()
	code = server.Run(t.Context(), []string{"hub", "audit", "--last", "1", "--data", dir}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: t.Output()})
	if text := out.String(); code != 0 || strings.Count(text, "\n") != 1 || !strings.Contains(text, "  dvm  allowpubkey  npub1") {
		t.Errorf("%d %q", code, text)
	}
}

// TestAllowOfABannedDevice: what an admin shut out, a shell does not let in by mistake.
func TestAllowOfABannedDevice(t *testing.T) {
	device, admin := newHubKey("device"), newHubKey("admin")
	h := serveHub(t, server.HubConfig{Dir: filepath.Join(t.TempDir(), "hub"), Claims: noClaims, Admins: map[pow.Key]string{admin.public: "anna"}}, device)
	if got := manageHub(t, h, admin, `{"method":"banpubkey","params":["`+device.public.String()+`"]}`); !strings.Contains(got, `"result":true`) {
		t.Fatal(got)
	}
	if err := h.Allow(t.Context(), device.public, h.DVM.public); err == nil || !strings.Contains(err.Error(), "unbanpubkey") {
		t.Errorf("%v", err)
	}
}

// TestDismissElsewhere: the DVM takes a removed device off the whitelist of a hub
// that is another program, over the network.
func TestDismissElsewhere(t *testing.T) {
	device, second := newHubKey("device"), newHubKey("second")
	h := startHub(t, filepath.Join(t.TempDir(), "hub"), noClaims, device, second)
	pool := relays.New(relays.Config{Key: h.DVM, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Handle: func(context.Context, string, *event.Event, []byte) error { return nil }})
	reader := dialHub(t, h, device)
	for range 2 { // the second time it is not there any more
		if err := pool.Dismiss(t.Context(), "ws://"+h.Host, device.public); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := reader.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("its connection: %v", err)
	}
	if list, err := h.List(t.Context()); err != nil || len(list) != 1 || list[0].Key != second.public {
		t.Errorf("%v %v", list, err)
	}
	foreign := relays.New(relays.Config{Key: second, HTTP: http.DefaultClient,
		Handle: func(context.Context, string, *event.Event, []byte) error { return nil }})
	if err := foreign.Dismiss(t.Context(), "ws://"+h.Host, second.public); !errors.Is(err, pow.ErrNotAdmitted) {
		t.Errorf("a member dismisses: %v", err)
	}
}
