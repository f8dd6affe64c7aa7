package blobs

import "net/http"

// ReadToken reads an Authorization header.
func ReadToken(header string) error {
	_, err := readToken(&http.Request{Header: http.Header{"Authorization": {header}}})
	return err
}

// Calm forgets who asked how often.
func (s *Server) Calm() { clear(s.rates.all) }
