package pow_test

import (
	"net/url"
	"strings"
	"testing"

	"pow.do/services/pow"
)

func TestParseOrigin(t *testing.T) {
	for _, s := range []string{
		"wss://hub.example.com", "wss://hub.example.com:8443", "wss://xn--mnchen-3ya.example", "wss://192.0.2.1", "wss://[2001:db8::1]:444",
		"ws://127.0.0.1:7447", "ws://127.8.9.1", "ws://[::1]", "ws://localhost:7447", "ws://abcdefghijklmnop.onion", "wss://a.onion", "wss://hub:80",
	} {
		if got, err := pow.ParseOrigin(s, pow.RelayOrigin); err != nil || got != s {
			t.Errorf("%s: %q %v", s, got, err)
		}
		b := "http" + strings.TrimPrefix(s, "ws")
		if _, err := pow.ParseOrigin(b, pow.BlossomOrigin); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
}

func TestParseOriginRefuses(t *testing.T) {
	for _, s := range []string{
		"", "hub.example.com", "wss://", "wss:hub", "https://hub.example.com", "file:///etc/passwd", "javascript:alert(1)",
		"ws://hub.example.com", "ws://10.0.0.1", "ws://onion", "ws://127.0.0.1.example.com", "ws://notlocalhost", "ws://[fe80::1%25eth0]",
		"WSS://hub.example.com", "wss://Hub.example.com", "wss://hub.example.com/", "wss://hub.example.com/x", "wss://hub.example.com?x", "wss://hub.example.com#x",
		"wss://u@hub.example.com", "wss://u:p@hub.example.com", "wss://hub.example.com:443", "ws://127.0.0.1:80", "wss://hub.example.com:0", "wss://hub.example.com:65536",
		"wss://hub.example.com:", "wss://hub.example.com:08443", "wss://hub.example.com:+1", "wss://hub.example.com:1:2", "wss://:8443", "wss://hub..example.com", "wss://hub.example.com.", "wss://-a.example", "wss://a-.example",
		"wss://127.1", "wss://0x7f.0.0.1", "wss://2130706433", "wss://1.2.3.4.5", "wss://2001:db8::1", "wss://[2001:DB8::1]", "wss://[2001:0db8::1]", "wss://[::1", "wss://[1.2.3.4]", "wss://[]",
		"wss://münchen.example", "wss://hub.example.com\n", " wss://hub.example.com", "wss://hub\x00.example.com", "wss://a_b.example", "wss://" + strings.Repeat("a", 64) + ".example",
		"wss://" + strings.Repeat("a.", 130) + "example",
	} {
		if got, err := pow.ParseOrigin(s, pow.RelayOrigin); err == nil || got != "" {
			t.Errorf("%.60q was accepted", s)
		}
	}
	if _, err := pow.ParseOrigin("wss://hub.example.com", pow.BlossomOrigin); err == nil {
		t.Error("a relay is no Blossom server")
	}
}

func FuzzParseOrigin(f *testing.F) {
	f.Add("wss://hub.example.com:8443")
	f.Add("ws://[::1]:7447")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := pow.ParseOrigin(s, pow.RelayOrigin)
		if err != nil {
			return
		}
		u, err := url.Parse(s)
		if got != s || err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Hostname() == "" || u.String() != s {
			t.Fatalf("%q is not an origin: %v", s, err)
		}
	})
}
