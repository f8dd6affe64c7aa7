package relay

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// signed is the hash of the body that a token was made for.
type signed pow.Hash

func (s signed) is(body []byte) bool { return sha256.Sum256(body) == s }

// authorized checks the token of a request to manage (NIP-98) and that its
// signer is an admin or a DVM of this hub. What it signed for is still to be
// compared with the body.
func (r *Relay) authorized(req *http.Request) (signer pow.Key, payload signed, ok bool) {
	headers := req.Header.Values("Authorization")
	if r.cfg.Management == nil || len(headers) != 1 {
		return signer, payload, false
	}
	e, err := event.ParseToken(headers[0])
	if err != nil || !r.fits(e, req.Method) {
		return signer, payload, false
	}
	signer = event.Author(e)
	_, admin := (*r.admins.Load())[signer]
	hash, _, err1 := event.Single(e, "payload")
	body, err2 := pow.ParseHash(hash)
	if !admin && !r.dvms[signer] || err1 != nil || err2 != nil || event.Verify(e) != nil {
		return signer, payload, false
	}
	return signer, signed(body), true
}

// fits checks everything of a token but its signer, payload and signature.
func (r *Relay) fits(e *event.Event, verb string) bool {
	u, _, err1 := event.Single(e, "u")
	method, _, err2 := event.Single(e, "method")
	if rest, web := strings.CutPrefix(strings.ToLower(u), "http"); web {
		u = "ws" + rest
	}
	return e.Kind == event.KindHTTP && len(e.Tags) <= maxTags && err1 == nil && err2 == nil && method == verb && r.Own(u) &&
		r.within(e, tokenLife, tokenLife)
}

// tokenLife is how far a token's time may be off, either way.
const tokenLife = 60 * time.Second
