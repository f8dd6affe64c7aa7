package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
)

// front is what stands before relay and Blossom server: it refuses requests for
// other hosts, and finds out whose they are.
type front struct {
	hosts   atomic.Pointer[map[string]bool] // empty: not known yet, every host
	proxies atomic.Pointer[[]netip.Prefix]
}

// setHosts takes the hosts of http origins, with their ports.
func (f *front) setHosts(origins []string) {
	hosts := map[string]bool{}
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil {
			hosts[withPort(u.Host, u.Scheme)] = true
		}
	}
	f.hosts.Store(&hosts)
}

// withPort is the host in lower case with its port, the default one of the
// scheme when it names none.
func withPort(host, scheme string) string {
	host = strings.ToLower(host)
	if u, err := url.Parse("//" + host); err != nil || u.Port() != "" {
		return host
	}
	if scheme == "http" {
		return host + ":80"
	}
	return host + ":443"
}

// knows tells whether a Host header means this hub. A front that ends TLS for it
// need not say the port.
func (f *front) knows(host string) bool {
	hosts := *f.hosts.Load()
	return len(hosts) == 0 || hosts[withPort(host, "https")] || hosts[withPort(host, "http")]
}

// guard answers 421 to requests for a foreign host, such as those of a page that
// has its name point here.
func (f *front) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.knows(r.Host) {
			w.Header().Set("Connection", "close")
			http.Error(w, "another host was meant", http.StatusMisdirectedRequest)
			return
		}
		r.RemoteAddr = f.client(r)
		next.ServeHTTP(w, r)
	})
}

// client returns the address that a request came from. X-Forwarded-For is read
// only behind a trusted front, from the right: each trusted address vouches for
// the one before it, and the first that is not trusted is the client.
func (f *front) client(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !f.trusts(peer.Addr()) {
		return r.RemoteAddr
	}
	client := peer.Addr()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		client = hop
		if !f.trusts(hop) {
			break
		}
	}
	return net.JoinHostPort(client.String(), "0")
}

// parseHop reads an address with or without port.
func parseHop(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

func (f *front) trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range *f.proxies.Load() {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseProxies reads addresses and networks.
func parseProxies(list []string) (out []netip.Prefix, err error) {
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(s); err == nil {
				p, err = a.Prefix(a.BitLen())
			}
		}
		if err != nil {
			return nil, usage(err)
		}
		out = append(out, p)
	}
	return out, nil
}
