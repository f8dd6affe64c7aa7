package blobs

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

const (
	kindToken     = 24_242
	maxHeader     = 8 << 10     // bytes of Authorization
	tokenAhead    = time.Minute // how far created_at may lie in the future
	tokenLifetime = 3_600       // seconds from created_at to expiration
)

// authorize checks the token of a request (BUD-11) for a verb and a blob. It
// returns the signer and the DVM whose members' blobs it may handle. Whether the
// signer is a member is looked at last, after its signature, so that nobody can
// find out whose keys are members.
func (s *Server) authorize(r *http.Request, verb string, x pow.Hash) (signer, dvm pow.Key, err error) {
	e, err := readToken(r)
	if err != nil {
		return signer, dvm, err
	}
	if reason := s.checkToken(e, verb, x); reason != "" {
		return signer, dvm, refuse(http.StatusUnauthorized, reason)
	}
	if event.Verify(e) != nil {
		return signer, dvm, refuse(http.StatusUnauthorized, "token: wrong signature")
	}
	signer = event.Author(e)
	dvm, ok := s.admitted(signer)
	if !ok {
		return signer, dvm, refuse(http.StatusForbidden, "not a member")
	}
	if !s.rates.key(signer, s.dvms[signer]) {
		return signer, dvm, later(http.StatusTooManyRequests, "too many requests", rateWait)
	}
	return signer, dvm, nil
}

// admitted returns the DVM of a member, or the key itself if it is a DVM.
func (s *Server) admitted(key pow.Key) (dvm pow.Key, ok bool) {
	if s.dvms[key] {
		return key, true
	}
	return s.cfg.Members.DVMOf(key)
}

// readToken finds and decodes the one token of a request.
func readToken(r *http.Request) (*event.Event, error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) == 0:
		return nil, refuse(http.StatusUnauthorized, "token missing")
	case len(headers) > 1:
		return nil, refuse(http.StatusBadRequest, "more than one token")
	case len(headers[0]) > maxHeader:
		return nil, refuse(http.StatusRequestHeaderFieldsTooLarge, "token too long")
	}
	scheme, text, _ := strings.Cut(headers[0], " ")
	b, ok := decode(text)
	if !strings.EqualFold(scheme, "Nostr") || !ok {
		return nil, refuse(http.StatusUnauthorized, "token: not Nostr and base64")
	}
	e, err := event.Parse(b)
	if err != nil || event.VerifyID(e) != nil {
		return nil, refuse(http.StatusUnauthorized, "token: not an event")
	}
	return e, nil
}

// decode reads base64 in any of its four variants: BUD-11 asks for one, deployed
// clients send the others. Everything else is refused, line breaks included.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	return b, err == nil && len(b) > 0
}

// checkToken returns what is wrong with a token, or "". The signature comes after.
func (s *Server) checkToken(e *event.Event, verb string, x pow.Hash) string {
	now := s.now()
	expiration, _, err := event.Single(e, "expiration")
	expires, err2 := strconv.ParseInt(expiration, 10, 64)
	t, _, err3 := event.Single(e, "t")
	switch {
	case e.Kind != kindToken || e.Content == "":
		return "token: wrong kind, or no content"
	case e.CreatedAt.Time().After(now.Add(tokenAhead)):
		return "token: created_at in the future"
	case err != nil || err2 != nil:
		return "token: expiration missing"
	case expires <= now.Unix():
		return "token: expired"
	case expires-int64(e.CreatedAt) > tokenLifetime:
		return "token: valid for too long"
	case err3 != nil || t != verb:
		return "token: for another verb"
	case !s.servers(e, verb):
		return "token: for another server"
	case !slices.Contains(values(e, "x"), x.String()):
		return "token: for another blob"
	}
	return ""
}

// servers checks the server tags: if there are any, one must name this server;
// a token to delete must have one.
func (s *Server) servers(e *event.Event, verb string) bool {
	named := values(e, "server")
	return len(named) == 0 && verb != "delete" || slices.ContainsFunc(named, s.names)
}

func values(e *event.Event, name string) (list []string) {
	for tag := range e.Tags.FindAll(name) {
		list = append(list, tag.Value())
	}
	return list
}
