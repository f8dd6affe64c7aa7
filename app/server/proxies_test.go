package server_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"pow.do/app/server"
)

// TestThroughProxies runs the hub behind real fronts with the configurations that
// packaging/proxy offers: the largest blob goes through in both directions, a
// part of it too, the WebSocket works, and the hub sees the client's address.
// nginx and caddy are looked for in PATH, POWDO_TEST_NGINX and POWDO_TEST_CADDY.
func TestThroughProxies(t *testing.T) {
	for name, startFront := range map[string]func(*testing.T, string, string) string{"nginx": startNginx, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			program, err := exec.LookPath(cmp.Or(os.Getenv("POWDO_TEST_"+strings.ToUpper(name)), name))
			if err != nil {
				t.Skip(err)
			}
			member := newHubKey("member")
			h := serveHub(t, server.HubConfig{Dir: t.TempDir(), Claims: noClaims, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, member)
			front := startFront(t, program, h.Host)
			_, port, _ := net.SplitHostPort(front)
			h.SetOrigins([]string{"http://" + h.Host, "https://hub.example.com", "https://hub.example.com:" + port})
			h.Host = front
			testThroughProxy(t, h, front, member)
		})
	}
}

func testThroughProxy(t *testing.T, h *runningHub, front string, member hubKey) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "hub.example.com"}}}
	t.Cleanup(client.CloseIdleConnections)
	waitFor(t, client, front)
	data := make([]byte, 64<<20)
	rand.Read(data)
	x := sha256.Sum256(data)
	do := func(method string, part string) *http.Response {
		req := blobRequest(t, h, member, method, x, data)
		req.URL.Scheme, req.URL.Host, req.Host = "https", front, "hub.example.com"
		if part != "" {
			req.Header.Set("Range", part)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	if resp := do("PUT", ""); resp.StatusCode != 201 {
		t.Fatalf("upload: %s %s", resp.Status, resp.Header.Get("X-Reason"))
	}
	resp := do("GET", "")
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("download: %s, %d bytes, %v", resp.Status, len(got), err)
	}
	resp = do("GET", "bytes=67108860-")
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 206 || !bytes.Equal(got, data[67108860:]) {
		t.Errorf("a part: %s, %d bytes, %v", resp.Status, len(got), err)
	}
	ws, _, err := websocket.Dial(t.Context(), "wss://"+front, &websocket.DialOptions{HTTPClient: client, Host: "hub.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, b, err := ws.Read(t.Context()); err != nil || !bytes.HasPrefix(b, []byte(`["AUTH"`)) {
		t.Errorf("first message %s %v", b, err)
	}
}

func waitFor(t *testing.T, client *http.Client, front string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(t.Context(), "OPTIONS", "https://"+front+"/upload", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "hub.example.com"
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == 204 {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatal("the front does not answer: ", err)
		}
	}
}

// freePort is one that was free just now.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// example reads a configuration of packaging/proxy; every old text must be there.
func example(t *testing.T, name string, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "packaging", "proxy", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%s holds no %q", name, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return text
}

func startNginx(t *testing.T, program, hub string) (front string) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, dir, 1)
	port := freePort(t)
	site := example(t, "nginx.conf", "listen 443 ssl", "listen 127.0.0.1:"+port+" ssl", "    listen [::]:443 ssl;\n", "",
		"/etc/letsencrypt/live/hub.example.com/fullchain.pem", filepath.Join(dir, "cert.pem"),
		"/etc/letsencrypt/live/hub.example.com/privkey.pem", filepath.Join(dir, "key.pem"),
		"/var/log/nginx/powdo-hub.log", filepath.Join(dir, "log"), "127.0.0.1:7447", hub)
	main := fmt.Sprintf("daemon off;\nmaster_process off;\npid %[1]s/pid;\nerror_log %[1]s/errors;\nevents {}\nhttp {\nclient_body_temp_path %[1]s/b;\nproxy_temp_path %[1]s/p;\nfastcgi_temp_path %[1]s/f;\nuwsgi_temp_path %[1]s/u;\nscgi_temp_path %[1]s/s;\n%[2]s\n}\n", dir, site)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, program, "-c", config, "-p", dir, "-e", filepath.Join(dir, "errors"))
	return "127.0.0.1:" + port
}

func startCaddy(t *testing.T, program, hub string) (front string) {
	dir, port := t.TempDir(), freePort(t)
	site := example(t, "Caddyfile", "hub.example.com {", "hub.example.com:"+port+" {\n\ttls internal\n\tbind 127.0.0.1", "127.0.0.1:7447", hub,
		"\tlog default {", "\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tstorage file_system "+dir+"\n\tlog default {")
	config := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, program, "run", "--config", config, "--adapter", "caddyfile")
	return "127.0.0.1:" + port
}
