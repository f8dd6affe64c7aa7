package dial_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"pow.do/services/wire/dial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dialer(t *testing.T, socks string) *dial.Dialer {
	t.Helper()
	d, err := dial.New(dial.Config{SOCKS5: socks})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func loopback(host string) bool { return host == "127.0.0.1" }

func client(t *testing.T, d *dial.Dialer, allow func(string) bool) *http.Client {
	c := d.HTTPClient(allow)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// Nothing here is a public address, and no name of it may be asked for.
func TestRefusesLocal(t *testing.T) {
	silent := proxy(t, func(string) string { t.Error("asked the proxy"); return "" })
	for name, d := range map[string]*dial.Dialer{"direct": dialer(t, ""), "proxy": dialer(t, silent)} {
		for _, host := range []string{
			"127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fe80::1%lo", "fd00::1",
			"224.0.0.1", "255.255.255.255", "ff02::1", "100.64.0.1", "192.0.0.8", "198.18.0.1", "240.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
			"64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "::7f00:1", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost", "LOCALHOST.", "a.localhost",
		} {
			c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "9"))
			if !errors.Is(err, dial.ErrLocal) {
				t.Errorf("%s, %s: %v", name, host, err)
			}
			if c != nil {
				c.Close()
			}
		}
	}
}

// A name is judged by what it resolves to, on the way to the socket: here the
// machine's own name, where its hosts file or DNS knows it.
func TestRefusesResolved(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	addresses, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", name)
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addresses {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsPrivate() {
			t.Skip("this machine has a public address")
		}
	}
	if _, err := dialer(t, "").DialContext(t.Context(), "tcp", net.JoinHostPort(name, "9")); !errors.Is(err, dial.ErrLocal) {
		t.Errorf("%v", err)
	}
}

func TestAllowsConfigured(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "here") }))
	defer srv.Close()
	resp, err := client(t, dialer(t, ""), loopback).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := client(t, dialer(t, ""), nil).Get("https" + strings.TrimPrefix(srv.URL, "http")); !errors.Is(err, dial.ErrLocal) {
		t.Errorf("nothing configured: %v", err)
	}
}

func TestRefusesPlain(t *testing.T) {
	c := client(t, dialer(t, ""), loopback)
	for _, url := range []string{"http://example.org/", "http://localhost/", "ws://example.org/"} {
		if _, err := c.Get(url); !errors.Is(err, dial.ErrPlain) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := c.Get("http://example.onion/"); !errors.Is(err, dial.ErrOnion) {
		t.Errorf("onion without a proxy: %v", err)
	}
}

// An unknown certificate is refused, a redirect is handed out, gzip stays gzip
// and the environment does not choose a proxy.
func TestHTTPClient(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	if _, err := client(t, dialer(t, ""), loopback).Get(secure.URL); err == nil {
		t.Error("a certificate of nobody was accepted")
	}
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("Accept-Encoding %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "\x1f\x8b raw")
	}))
	defer srv.Close()
	resp, err := client(t, dialer(t, ""), loopback).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusFound || string(b) != "\x1f\x8b raw" {
		t.Errorf("%d %q", resp.StatusCode, b)
	}
}

// proxy is a SOCKS5 server that records names and connects to what answer says.
func proxy(t *testing.T, answer func(host string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serveSOCKS(c, answer)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// serveSOCKS answers one CONNECT to a name (RFC 1928) and pipes it.
func serveSOCKS(c net.Conn, answer func(host string) string) {
	defer c.Close()
	r := bufio.NewReader(c)
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r, int64(head[1]))
	_, _ = c.Write([]byte{5, 0})
	req := make([]byte, 5)
	if _, err := io.ReadFull(r, req); err != nil {
		return
	}
	refuse := func() { _, _ = c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0}) }
	if req[3] != 3 { // an address instead of a name
		refuse()
		return
	}
	name := make([]byte, req[4])
	_, _ = io.ReadFull(r, name)
	_, _ = io.CopyN(io.Discard, r, 2)
	to := answer(string(name))
	out, err := net.Dial("tcp", to)
	if err != nil {
		refuse()
		return
	}
	defer out.Close()
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(out, r); out.Close() }()
	_, _ = io.Copy(c, out)
}

// The proxy resolves: names of this test exist nowhere else.
func TestSOCKS(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer srv.Close()
	asked := make(chan string, 1)
	d := dialer(t, proxy(t, func(host string) string { asked <- host; return strings.TrimPrefix(srv.URL, "http://") }))
	c := client(t, d, nil)
	resp, err := c.Get("http://powdo.onion/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "powdo.onion" || <-asked != "powdo.onion" {
		t.Errorf("answer %q", b)
	}
	c.CloseIdleConnections()
}

// A proxy that is down, or that refuses, is never gone around.
func TestSOCKSNoFallback(t *testing.T) {
	reached := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	named := "http://localhost" + srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	allow := func(host string) bool { return host == "localhost" || loopback(host) }
	for _, socks := range []string{l.Addr().String(), proxy(t, func(string) string { return l.Addr().String() })} {
		for _, url := range []string{srv.URL, named} {
			if _, err := client(t, dialer(t, socks), allow).Get(url); err == nil || reached {
				t.Errorf("went around the proxy: %v", err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dialer(t, l.Addr().String()).DialContext(ctx, "tcp", "example.org:443"); err == nil {
		t.Error("dialled after the end of the context")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, a := range []string{"localhost", ":9050", "127.0.0.1:", "socks5://127.0.0.1:9050"} {
		if _, err := dial.New(dial.Config{SOCKS5: a}); err == nil {
			t.Errorf("%s: accepted", a)
		}
	}
}
