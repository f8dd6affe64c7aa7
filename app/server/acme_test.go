package server_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pow.do/app/server"
	"pow.do/services/wire/identity"
)

func TestMain(m *testing.M) {
	if os.Getenv("POWDO_TEST_SERVER") != "" {
		os.Exit(server.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// TestACME has the hub get its certificate from a real ACME server (pebble), which
// looks at the hub's own port, and keep it for the next start. The folder of
// pebble and pebble-challtestsrv is POWDO_TEST_PEERS.
func TestACME(t *testing.T) {
	peers := os.Getenv("POWDO_TEST_PEERS")
	if peers == "" {
		t.Skip("POWDO_TEST_PEERS names no folder with pebble")
	}
	dir := t.TempDir()
	writeCertificate(t, dir, 1, "localhost")
	port, names, directory := freePort(t), freePort(t), freePort(t)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": "127.0.0.1:" + directory, "managementListenAddress": "127.0.0.1:" + freePort(t),
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"), "tlsPort": json.Number(port), "httpPort": 1}})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "pebble.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	start(t, filepath.Join(peers, "pebble-challtestsrv"), "-dns01", "127.0.0.1:"+names, "-management", "127.0.0.1:"+freePort(t),
		"-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	start(t, filepath.Join(peers, "pebble"), "-config", filepath.Join(dir, "pebble.json"), "-dnsserver", "127.0.0.1:"+names)
	untilOpen(t, directory)
	data := filepath.Join(dir, "data")
	first := serial(t, data, dir, port, directory)
	if second := serial(t, data, dir, port, directory); second != first {
		t.Error("another certificate after a restart")
	}
	if info, err := os.Stat(filepath.Join(data, "hub", "acme")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of certificates: %v %v", info, err)
	}
}

// serial starts a hub and returns the serial number of its certificate.
func serial(t *testing.T, data, dir, port, directory string) string {
	cmd := exec.Command(os.Args[0], "hub", "--data", data, "--listen", "127.0.0.1:"+port, "--admin", "127.0.0.1:0",
		"--tls-domain", "hub.example.com", "--acme-url", "https://localhost:"+directory+"/dir", "--dvm", identity.Npub(newHubKey("dvm").public))
	cmd.Env = append(os.Environ(), "POWDO_TEST_SERVER=1", "SSL_CERT_FILE="+filepath.Join(dir, "cert.pem"))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	var seen *x509.Certificate
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		ServerName: "hub.example.com", InsecureSkipVerify: true, // of pebble's own root
		VerifyConnection: func(s tls.ConnectionState) error { seen = s.PeerCertificates[0]; return nil }}}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://127.0.0.1:"+port+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "hub.example.com"
	req.Header.Set("Accept", "application/nostr+json")
	resp, err := client.Do(req)
	for end := time.Now().Add(30 * time.Second); err != nil && time.Now().Before(end); resp, err = client.Do(req) {
		time.Sleep(100 * time.Millisecond) // no handshake waits as long as pebble takes at times
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || seen.VerifyHostname("hub.example.com") != nil {
		t.Errorf("%s %s %v", resp.Status, b, err)
	}
	return fmt.Sprint(seen.SerialNumber)
}

// start runs a program until the test ends.
func start(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
}

func untilOpen(t *testing.T, port string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
