package pow

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// OriginKind says what answers at an origin.
type OriginKind int

// The two kinds of servers that a member's program talks to.
const (
	RelayOrigin   OriginKind = iota // wss, or ws
	BlossomOrigin                   // https, or http
)

// maxOrigin bounds an origin, in bytes.
const maxOrigin = 255

var errOrigin = errors.New("want scheme://host or scheme://host:port in lower case and nothing more; ws and http only for loopback and onion hosts")

// ParseOrigin reads scheme://host[:port] in the one form it may have: lower
// case, no default port, no path, no user, no query, at most 255 bytes. The
// scheme is wss for relays and https for Blossom servers; ws and http pass for
// loopback addresses, localhost and onion hosts only. Everything else is refused
// here, when it is read, and not when it is dialled. The result is s itself.
func ParseOrigin(s string, kind OriginKind) (string, error) {
	secure, plain := "wss", "ws"
	if kind == BlossomOrigin {
		secure, plain = "https", "http"
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || len(s) > maxOrigin || scheme != secure && scheme != plain {
		return "", errOrigin
	}
	host, port, ok := cutPort(rest)
	if !ok || port == defaultPort(scheme) || !validHost(host) {
		return "", errOrigin
	}
	if scheme == plain && !isLocal(host) {
		return "", errOrigin
	}
	return s, nil
}

// cutPort splits host and port; without one the port is "".
func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, "", true
	}
	host, port = s[:i], s[i+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	return host, port, err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

func defaultPort(scheme string) string {
	if scheme == "wss" || scheme == "https" {
		return "443"
	}
	return "80"
}

// validHost takes an address in its shortest form, or a DNS name of lower-case
// letters, digits and hyphens. A name that ends in a number is a disguised
// address (127.1, 0x7f.1) to some resolvers.
func validHost(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return ok && err == nil && a.Is6() && a.Zone() == "" && a.String() == inner
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Is4()
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return last[0] < '0' || last[0] > '9'
}

func isLocal(host string) bool {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".onion")
}
