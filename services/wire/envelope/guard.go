package envelope

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/nbd-wtf/go-nostr/nip44"

	"pow.do/services/pow"
	"pow.do/services/wire/identity"
)

// Bounds of a NIP-44 version 2 payload with the 16-bit length, in characters
// and in bytes.
const (
	minPayload, maxPayload = 132, 87_472
	minDecoded, maxDecoded = 99, 65_603
)

var (
	errPayload  = errors.New("not a NIP-44 version 2 payload")
	errVersion  = errors.New("NIP-44 version is not supported")
	errDecrypt  = errors.New("payload cannot be decrypted")
	errTooLong  = errors.New("too long for NIP-44 version 2")
	errNoSecret = errors.New("no key")
)

// conversation returns the key that two parties share. The library takes short
// and out-of-range secrets and repeats them in its errors; a Secret is neither.
func conversation(me identity.Secret, peer pow.Key) ([32]byte, error) {
	if me.IsZero() {
		return [32]byte{}, errNoSecret
	}
	b := me.Bytes()
	defer clear(b)
	k, err := nip44.GenerateConversationKey(peer.String(), hex.EncodeToString(b))
	if err != nil {
		return [32]byte{}, errors.New("peer's key is not on the curve")
	}
	return k, nil
}

// encrypt makes a payload. The nonce is used once, ever.
func encrypt(key, nonce [32]byte, plain []byte) (string, error) {
	s, err := nip44.Encrypt(string(plain), key, nip44.WithCustomNonce(nonce[:]))
	if err != nil {
		return "", errTooLong
	}
	return s, nil
}

// decrypt opens a payload of at most max bytes of plain text. Everything that
// can be checked for free comes before key is asked for.
func decrypt(payload string, max int, key func() ([32]byte, error)) (plain []byte, err error) {
	if err := check(payload); err != nil {
		return nil, err
	}
	k, err := key()
	if err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			plain, err = nil, errDecrypt
		}
	}()
	s, err := nip44.Decrypt(payload, k)
	if err != nil || !utf8.ValidString(s) || len(s) > max {
		return nil, errDecrypt
	}
	return []byte(s), nil
}

// check is what the library leaves out: it skips line breaks, so that 132 of
// them decode to nothing, whose first byte it then reads.
func check(payload string) error {
	if strings.HasPrefix(payload, "#") {
		return errVersion
	}
	if len(payload) < minPayload || len(payload) > maxPayload || len(payload)%4 != 0 {
		return errPayload
	}
	digits := strings.TrimRight(payload[len(payload)-2:], "=")
	for _, part := range [2]string{payload[:len(payload)-2], digits} {
		for i := 0; i < len(part); i++ {
			if !base64Digit(part[i]) {
				return errPayload
			}
		}
	}
	b, err := base64.StdEncoding.Strict().DecodeString(payload)
	if err != nil || len(b) < minDecoded || len(b) > maxDecoded {
		return errPayload
	}
	if b[0] != 2 {
		return errVersion
	}
	return nil
}

func base64Digit(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
