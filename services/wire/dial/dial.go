// Package dial is the one way out: every connection of the client and of the
// DVM to another machine is made here.
//
// With a SOCKS5 address set, everything goes through that proxy, names
// included (it resolves them), and nothing is ever sent directly when the proxy
// fails. Wrappers such as torsocks replace libc calls, which Go does not make,
// so only this native way keeps an address hidden.
//
// Addresses of the own machine and of the own network are refused at dial time,
// after the name was resolved, so that no link, redirect or DNS answer can point
// a program at a service behind its firewall. The same hosts are the only ones
// that may go without TLS. Exceptions are the hosts that a person configured as
// such (localhost, 192.168.1.5): see HTTPClient. Through a proxy only addresses
// given as such can be judged; names are the proxy's to resolve.
//
// TLS certificates are always verified. The environment's proxy variables are
// ignored, redirects are not followed and nothing is decompressed.
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/proxy"
)

// Time-outs. There is none for a whole transfer: who reads or writes a body
// sets one per read.
const (
	connectTimeout = 15 * time.Second
	headerTimeout  = 30 * time.Second
	expectContinue = 5 * time.Second
	idleTimeout    = 90 * time.Second
)

// Errors of dialling.
var (
	// ErrLocal means that the host is an address of this machine or network
	// and was not configured as one.
	ErrLocal = errors.New("address is local, and not configured")
	// ErrPlain means that the URL asks for a connection without TLS to a host
	// for which none is configured.
	ErrPlain = errors.New("connection without TLS to a host that is not local")
	// ErrOnion means that an onion service cannot be reached without a proxy;
	// asking DNS for it would tell strangers (RFC 7686).
	ErrOnion = errors.New("onion services need a SOCKS5 proxy")
)

// Config says which way out to take.
type Config struct {
	// SOCKS5 is host:port of a proxy; empty means direct.
	SOCKS5 string
}

// Dialer makes connections. It is safe for concurrent use.
type Dialer struct {
	direct net.Dialer
	socks  proxy.ContextDialer // nil: direct
}

// New checks the configuration and makes a Dialer.
func New(c Config) (*Dialer, error) {
	d := &Dialer{direct: net.Dialer{Timeout: connectTimeout}}
	if c.SOCKS5 == "" {
		return d, nil
	}
	if host, port, err := net.SplitHostPort(c.SOCKS5); err != nil || host == "" || port == "" {
		return nil, errors.New("SOCKS5 address: want host:port")
	}
	s, err := proxy.SOCKS5("tcp", c.SOCKS5, nil, &d.direct)
	if err != nil {
		return nil, fmt.Errorf("SOCKS5 address: %w", err)
	}
	cd, ok := s.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("SOCKS5: dialling cannot be cancelled")
	}
	d.socks = cd
	return d, nil
}

// DialContext connects to a public host:port over TCP. It fails with ErrLocal
// for every address of this machine or network.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address, nil)
}

func (d *Dialer) dial(ctx context.Context, network, address string, allow func(host string) bool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	host = canonical(host)
	local := allow != nil && allow(host)
	if !local && looksLocal(host) {
		return nil, fmt.Errorf("dial: %w", ErrLocal)
	}
	if d.socks != nil {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		c, err := d.socks.DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("dial through SOCKS5: %w", err)
		}
		return c, nil
	}
	if isOnion(host) {
		return nil, fmt.Errorf("dial: %w", ErrOnion)
	}
	direct := d.direct
	if !local {
		direct.ControlContext = refuseLocal
	}
	return direct.DialContext(ctx, network, address)
}

// HTTPClient returns a client whose connections are made by this Dialer. It
// returns redirects instead of following them, and has no total time-out.
// allow tells whether a person configured a host, in lower case and without
// port, as one that may be local and may go without TLS; nil allows none.
func (d *Dialer) HTTPClient(allow func(host string) bool) *http.Client {
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.dial(ctx, network, address, allow)
		},
		TLSHandshakeTimeout:    connectTimeout,
		DisableCompression:     true,
		ResponseHeaderTimeout:  headerTimeout,
		ExpectContinueTimeout:  expectContinue,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Transport:     &guard{t, allow},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guard refuses requests without TLS before anything is dialled.
type guard struct {
	*http.Transport
	allow func(host string) bool
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	host := canonical(r.URL.Hostname())
	if r.URL.Scheme != "https" && !isOnion(host) && (g.allow == nil || !g.allow(host)) {
		if r.Body != nil {
			_ = r.Body.Close() // as every RoundTripper must
		}
		return nil, ErrPlain
	}
	return g.Transport.RoundTrip(r)
}

func isOnion(host string) bool { return strings.HasSuffix(host, ".onion") }

func canonical(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return host
}

// looksLocal judges a host before anything is resolved, which is all that can
// be done when a proxy resolves. Names that end in a number are old spellings
// of an address (0x7f.1, 2130706433), which some resolvers still read.
func looksLocal(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return isLocal(a)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil || host == "localhost" || last == "localhost"
}

// refuseLocal runs for every address that a name resolved to, on the socket
// that is about to be connected: nothing can change in between.
func refuseLocal(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || isLocal(a.Addr()) {
		return ErrLocal
	}
	return nil
}

// Networks that are not the public internet and that netip has no word for.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carriers' own, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks, RFC 2544
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),   // IPv4 in IPv6, RFC 6052
	netip.MustParsePrefix("64:ff9b:1::/48"), // the same in local use, RFC 8215
	netip.MustParsePrefix("2002::/16"),      // 6to4, RFC 3056
	netip.MustParsePrefix("2001::/32"),      // Teredo, RFC 4380
	netip.MustParsePrefix("fec0::/10"),      // site-local, RFC 3879
	netip.MustParsePrefix("::/96"),          // IPv4-compatible, RFC 4291
}

func isLocal(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return true
	}
	return slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}
