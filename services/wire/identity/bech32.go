package identity

import (
	"strings"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/nbd-wtf/go-nostr/nip49"

	"pow.do/services/pow"
)

const (
	logN       = 18   // 256 MiB and about a second; what we write
	minLogN    = 16   // what we read
	maxLogN    = 20   // 1 GiB
	sealedKey  = 91   // bytes of an ncryptsec (NIP-49)
	ncryptsec2 = 0x02 // its only version
)

// Npub writes a public key as npub1… (NIP-19).
func Npub(k pow.Key) string { return encode("npub", k[:]) }

// ParseNpub reads npub1… without anything around it; the point must lie on the
// curve. A secret key in its place is ErrSecretKey.
func ParseNpub(s string) (pow.Key, error) {
	if lower := strings.ToLower(s); strings.HasPrefix(lower, "nsec") || strings.HasPrefix(lower, "ncryptsec") {
		return pow.Key{}, ErrSecretKey
	}
	b, err := decode("npub", s)
	if err != nil || len(b) != 32 {
		return pow.Key{}, ErrNpub
	}
	if _, err := schnorr.ParsePubKey(b); err != nil {
		return pow.Key{}, ErrNpub
	}
	return pow.Key(b), nil
}

// Nsec writes the secret key as nsec1… (NIP-19), for a person who asked for it;
// "" of the zero value.
func (s Secret) Nsec() string {
	if s.IsZero() {
		return ""
	}
	return encode("nsec", s.pair().key[:])
}

// Ncryptsec writes the secret key as ncryptsec1… (NIP-49) with log_n 18, which
// takes 256 MiB of memory for about a second.
func (s Secret) Ncryptsec(passphrase string) (string, error) {
	if s.IsZero() {
		return "", ErrKey
	}
	if err := checkPassphrase(passphrase); err != nil {
		return "", err
	}
	text, err := nip49.EncryptBytes(s.pair().key[:], passphrase, logN, nip49.ClientDoesNotTrackThisData)
	if err != nil {
		return "", ErrKey
	}
	return text, nil
}

func parseNsec(s string) (Secret, error) {
	b, err := decode("nsec", s)
	if err != nil {
		return Secret{}, err
	}
	defer clear(b)
	return SecretFromBytes(b)
}

// openNcryptsec looks at version, length and cost before any work is done: the
// library takes its cost from the input, and log_n 30 asks for a terabyte.
func openNcryptsec(s, passphrase string) (Secret, error) {
	b, err := decode("ncryptsec", s)
	if err != nil {
		return Secret{}, err
	}
	if len(b) != sealedKey || b[0] != ncryptsec2 {
		return Secret{}, ErrKey
	}
	if b[1] < minLogN || b[1] > maxLogN {
		return Secret{}, ErrCost
	}
	if err := checkPassphrase(passphrase); err != nil {
		return Secret{}, err
	}
	key, err := nip49.DecryptToBytes(s, passphrase)
	if err != nil {
		return Secret{}, ErrPassphrase
	}
	defer clear(key)
	return SecretFromBytes(key)
}

func checkPassphrase(p string) error {
	if p == "" || len(p) > maxInput {
		return ErrNoPhrase
	}
	return nil
}

// decode reads bech32 with this prefix. Only the one canonical form passes: the
// library takes Bech32m too, so the bytes are written again and compared.
func decode(prefix, s string) ([]byte, error) {
	if len(s) > maxInput {
		return nil, ErrKey
	}
	hrp, five, err := bech32.DecodeNoLimit(s)
	if err != nil {
		return nil, ErrChecksum
	}
	b, err := bech32.ConvertBits(five, 5, 8, false)
	if err != nil || hrp != prefix {
		return nil, ErrKey
	}
	if encode(prefix, b) != strings.ToLower(s) {
		return nil, ErrChecksum
	}
	return b, nil
}

func encode(prefix string, b []byte) string {
	five, err := bech32.ConvertBits(b, 8, 5, true)
	if err != nil {
		return "" // cannot happen: any bytes can be regrouped with padding
	}
	s, err := bech32.Encode(prefix, five)
	if err != nil {
		return "" // cannot happen: every group is below 32
	}
	return s
}
