package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pow.do/app/cli"
	"pow.do/app/server"
	"pow.do/services/wire/identity"
)

// running is a powdo-server in this process.
type running struct {
	t       *testing.T
	ready   struct{ Relay, Blossom, Admin string }
	log     *lines
	manager *net.UnixConn // what it tells systemd
}

// lines is a log that can be waited for.
type lines struct{ found chan string }

func (l *lines) Write(p []byte) (int, error) {
	select {
	case l.found <- string(p):
	default:
	}
	return len(p), nil
}

// runServer runs powdo-server hub until the test ends.
func runServer(t *testing.T, args ...string) *running {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", socket)
	r := &running{t: t, log: &lines{make(chan string, 100)}, manager: manager}
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan int, 1)
	args = append([]string{"hub", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--dvm", identity.Npub(newHubKey("dvm").public)}, args...)
	go func() {
		done <- server.Run(ctx, args, cli.Streams{In: strings.NewReader(""), Out: in, Err: r.log})
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("exit code %d", code)
		}
		if got := r.told(); got != "STOPPING=1" {
			t.Errorf("told systemd %q", got)
		}
		manager.Close()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &r.ready)
	}
	if err != nil {
		t.Fatal(err, <-r.log.found)
	}
	if got := r.told(); got != "READY=1" {
		t.Errorf("told systemd %q", got)
	}
	return r
}

func (r *running) told() string {
	b := make([]byte, 100)
	r.manager.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := r.manager.Read(b)
	if err != nil {
		r.t.Error(err)
	}
	return string(b[:n])
}

// reload sends SIGHUP and waits until the settings were read again.
func (r *running) reload() {
	r.t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	if a, b := r.told(), r.told(); a != "RELOADING=1" || b != "READY=1" {
		r.t.Fatalf("told systemd %q, %q", a, b)
	}
}

// writeCertificate makes a self-signed certificate for hub.example.com and more names.
func writeCertificate(t *testing.T, dir string, serial int64, names ...string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "hub"}, DNSNames: append(names, "hub.example.com"),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReload changes certificate, origin, admins and trusted fronts of a running
// hub: connections stay, new ones meet the new settings, and settings that
// cannot be read change nothing.
func TestReload(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	config := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeCertificate(t, dir, 1)
	config(`public-url = "https://hub.example.com"`)
	r := runServer(t, "--data", dir, "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"))
	if r.ready.Relay != "wss://hub.example.com" {
		t.Errorf("ready as %q", r.ready.Relay)
	}
	addr := listening(t, dir)
	dial := func() (*tls.Conn, int64) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	ask := func(c *tls.Conn, host string) int {
		fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	old, serial := dial()
	if status := ask(old, "hub.example.com"); status != 404 || serial != 1 {
		t.Errorf("before: %d, certificate %d", status, serial)
	}
	writeCertificate(t, dir, 2)
	config("public-url = [\"https://new.example.com\", \"https://hub.example.com\"]\nhub-admin = \"anna=" + identity.Npub(newHubKey("anna").public) + "\"\ntrusted-proxy = \"10.0.0.0/8\"")
	r.reload()
	fresh, serial := dial()
	if status := ask(fresh, "new.example.com"); status != 404 || serial != 2 {
		t.Errorf("after: %d, certificate %d", status, serial)
	}
	if status := ask(old, "new.example.com"); status != 404 {
		t.Errorf("on the old connection: %d", status)
	}
	config(`public-url = "not a URL`)
	r.reload()
	if line := <-r.log.found; !strings.Contains(line, "read again") {
		t.Error(line)
	}
	if line := <-r.log.found; !strings.Contains(line, "the old ones stay") {
		t.Error(line)
	}
	if status := ask(old, "new.example.com"); status != 404 {
		t.Errorf("after settings that cannot be read: %d", status)
	}
}

// listening is where the hub of this process listens, beside its admin address.
func listening(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "ready.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Listen string }
	if err := json.Unmarshal(b, &r); err != nil || r.Listen == "" {
		t.Fatal(err, string(b))
	}
	return r.Listen
}

// TestAdmin: what the operator can ask, and that no identity is in it.
func TestAdmin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	r := runServer(t, "--data", dir)
	get := func(path string) (int, string) {
		resp, err := http.Get(r.ready.Admin + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, b.String()
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok"} {
		if status, body := get(path); status != 200 || strings.TrimSpace(body) != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, metrics := get("/metrics")
	for _, name := range []string{"powdo_hub_connections ", "powdo_hub_stored_letters ", "powdo_hub_stored_blob_bytes ", "powdo_hub_disk_free_bytes "} {
		if !strings.Contains(metrics, "\n"+name) {
			t.Errorf("no %s in the metrics", name)
		}
	}
	if npub := identity.Npub(newHubKey("dvm").public); strings.Contains(metrics, npub) || strings.Contains(metrics, newHubKey("dvm").public.String()) {
		t.Error("the metrics name a key")
	}
	if err := os.RemoveAll(filepath.Join(dir, "hub", "blobs")); err != nil {
		t.Fatal(err)
	}
	if status, body := get("/readyz"); status != 503 || !strings.Contains(body, "blobs") || strings.Contains(body, "database") {
		t.Errorf("without its blobs: %d %s", status, body)
	}
}
