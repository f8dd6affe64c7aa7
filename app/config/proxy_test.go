package config_test

import (
	"testing"

	"pow.do/app/config"
)

func TestProxy(t *testing.T) {
	for in, want := range map[string]string{"": "", "socks5://127.0.0.1:9050": "127.0.0.1:9050", "socks5://[::1]:9050": "[::1]:9050"} {
		if got, err := config.Proxy(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"socks5://", "127.0.0.1:9050", "http://127.0.0.1:9050", "socks5://host", "socks5://:9050", "socks5://host:0", "socks5://host:x", "socks5h://host:1"} {
		if got, err := config.Proxy(in); err == nil || got != "" {
			t.Errorf("%q: taken as %q", in, got)
		}
	}
}
