package server

import "net/http"

// HubAdmins reads the admins of a hub.
var HubAdmins = hubAdmins

// Run is Main with streams and a context of its own.
var Run = run

// ClientOf is the address that a request comes from behind the given fronts.
func ClientOf(r *http.Request, proxies []string) (string, error) {
	list, err := parseProxies(proxies)
	f := &front{}
	f.proxies.Store(&list)
	return f.client(r), err
}
