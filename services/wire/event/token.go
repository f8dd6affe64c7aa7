package event

import (
	"encoding/base64"
	"errors"
	"strings"
)

// KindHTTP is that of a signed HTTP request (NIP-98).
const KindHTTP = 27_235

// maxToken bounds the Authorization header, in bytes.
const maxToken = 8_192

var errToken = errors.New(`want "Nostr" and an event in base64`)

// ParseToken reads the Authorization header of NIP-98: "Nostr", and an event in
// any of the four forms of base64. Nothing of the event is checked but its shape.
func ParseToken(header string) (*Event, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || len(header) > maxToken || !strings.EqualFold(scheme, "Nostr") {
		return nil, errToken
	}
	token = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(token, "="))
	if strings.ContainsAny(token, "\r\n") { // the decoder passes over them
		return nil, errToken
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, errToken
	}
	return Parse(b)
}
