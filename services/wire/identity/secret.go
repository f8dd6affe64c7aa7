package identity

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Secret is a secp256k1 secret key with its public half. The zero value holds
// no key: it signs nothing. Copies share the key.
type Secret struct {
	hidden
	held func() *keyPair // nil: no key
}

type keyPair struct {
	key [32]byte
	pub pow.Key
}

// NewSecret makes a key from crypto/rand.
func NewSecret() (Secret, error) {
	var b [32]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return Secret{}, fmt.Errorf("make a key: %w", err)
		}
		if s, err := SecretFromBytes(b[:]); err == nil {
			return s, nil
		}
	}
}

// SecretFromBytes copies 32 bytes that are a number in 1…n−1; anything else is ErrKey.
func SecretFromBytes(b []byte) (Secret, error) {
	if len(b) != 32 {
		return Secret{}, ErrKey
	}
	var k btcec.ModNScalar
	if overflow := k.SetByteSlice(b); overflow || k.IsZero() {
		return Secret{}, ErrKey
	}
	k.Zero()
	priv, pub := btcec.PrivKeyFromBytes(b)
	priv.Zero()
	pair := &keyPair{[32]byte(b), pow.Key(schnorr.SerializePubKey(pub))}
	// Whoever drops the last copy without Wipe leaves no key in memory either,
	// once the collector has been there.
	runtime.SetFinalizer(pair, func(p *keyPair) { *p = keyPair{} })
	return Secret{held: func() *keyPair { return pair }}, nil
}

// ParseSecretHex reads exactly 64 lower-case hex digits.
func ParseSecretHex(s string) (Secret, error) {
	h, err := pow.ParseHash(s)
	if err != nil {
		return Secret{}, ErrKey
	}
	return SecretFromBytes(h[:])
}

// Public returns the x-only public key; zero of the zero value.
func (s Secret) Public() pow.Key { return s.pair().pub }

// Bytes returns a copy of the 32 secret bytes.
func (s Secret) Bytes() []byte { b := s.pair().key; return b[:] }

// IsZero tells whether there is no key.
func (s Secret) IsZero() bool { return s.Public().IsZero() }

// Wipe overwrites the key; s and all its copies are zero afterwards. Nobody may
// be using one of them at that moment.
func (s *Secret) Wipe() { *s.pair() = keyPair{} }

func (s Secret) pair() *keyPair {
	if s.held == nil {
		return &keyPair{}
	}
	return s.held()
}

// Sign sets the event's PubKey, ID and Sig (BIP-340 with fresh auxiliary
// randomness) and checks the result as a stranger would. Tags that are nil
// become empty. On error the event has no signature.
func (s Secret) Sign(e *event.Event) error {
	if s.IsZero() {
		return errors.New("sign: no key")
	}
	var aux [32]byte
	if _, err := rand.Read(aux[:]); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if e.Tags == nil {
		e.Tags = event.Tags{}
	}
	e.PubKey, e.Sig = s.Public().String(), ""
	e.ID = e.GetID()
	if err := event.VerifyID(e); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	id := event.ID(e)
	priv, _ := btcec.PrivKeyFromBytes(s.pair().key[:])
	defer priv.Zero()
	sig, err := schnorr.Sign(priv, id[:], schnorr.CustomNonce(aux), schnorr.FastSign())
	if err != nil {
		return errors.New("sign: the signature could not be made") // the library's text is not ours to vouch for
	}
	e.Sig = hex.EncodeToString(sig.Serialize())
	if err := event.Verify(e); err != nil { // a fault while signing would leak the key
		e.Sig = ""
		return fmt.Errorf("check own signature: %w", err)
	}
	return nil
}
