package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"pow.do/app/server"
)

// TestForeignHost: only requests for one of the hub's origins are answered.
func TestForeignHost(t *testing.T) {
	h := startHub(t, t.TempDir(), noClaims)
	h.SetOrigins([]string{"https://hub.example.com", "http://abc.onion:81", "https://[2001:db8::1]"})
	for host, want := range map[string]int{
		"hub.example.com": 401, "HUB.example.com": 401, "hub.example.com:443": 401, "abc.onion:81": 401, "[2001:db8::1]": 401,
		"hub.example.com:444": 421, "evil.example": 421, "abc.onion": 421, "hub.example.com.": 421, h.Host: 421, "a hub": 421, "": 421,
	} {
		r := httptest.NewRequest("GET", "/"+h.DVM.public.String(), nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "hub.example.com")
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

// TestForwardedFor: the address of a client comes from a header only behind a
// configured front, and never from what the client itself wrote into it.
func TestForwardedFor(t *testing.T) {
	proxies := []string{"127.0.0.1", "10.0.0.0/8", "fd00::/8"}
	for _, row := range []struct {
		what, remote, want string
		header             []string
	}{
		{"no front", "203.0.113.9:1", "203.0.113.9:1", []string{"1.1.1.1"}},
		{"a front", "127.0.0.1:1", "198.51.100.7:0", []string{"198.51.100.7"}},
		{"spoofed", "127.0.0.1:1", "198.51.100.7:0", []string{"1.1.1.1, 198.51.100.7"}},
		{"spoofed in a header of its own", "127.0.0.1:1", "198.51.100.7:0", []string{"1.1.1.1", "198.51.100.7"}},
		{"two fronts", "127.0.0.1:1", "198.51.100.7:0", []string{"1.1.1.1, 198.51.100.7, 10.1.2.3"}},
		{"only fronts", "127.0.0.1:1", "10.1.2.3:0", []string{"10.1.2.3, 10.1.2.4"}},
		{"silent front", "127.0.0.1:1", "127.0.0.1:0", nil},
		{"nonsense", "127.0.0.1:1", "10.9.9.9:0", []string{"1.1.1.1, unknown, 10.9.9.9"}},
		{"IPv6 with port", "[fd00::1]:1", "[2001:db8::7]:0", []string{"[2001:db8::7]:443"}},
		{"IPv6 in brackets", "[fd00::1]:1", "[2001:db8::7]:0", []string{"[2001:db8::7]"}},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:1", "198.51.100.7:0", []string{"::ffff:198.51.100.7"}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header = row.remote, http.Header{"X-Forwarded-For": row.header}
		got, err := server.ClientOf(r, proxies)
		if got != row.want || err != nil {
			t.Errorf("%s: %s %v, want %s", row.what, got, err, row.want)
		}
	}
	for _, bad := range []string{"example.com", "10.0.0.0/33", ""} {
		if _, err := server.ClientOf(httptest.NewRequest("GET", "/", nil), []string{bad}); err == nil {
			t.Errorf("%q was taken as a front", bad)
		}
	}
}
