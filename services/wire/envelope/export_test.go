package envelope

import (
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// The tests reach the parts below the exported functions through these.
var (
	Conversation = conversation
	Encrypt      = encrypt
	Check        = check
	Dearmor      = func(s string) (sum, fingerprint string, err error) {
		k, err := dearmor(s)
		return k.sha256, k.fingerprint, err
	}
)

// Decrypt opens a payload with a conversation key.
func Decrypt(key [32]byte, payload string) ([]byte, error) {
	return decrypt(payload, 65_535, func() ([32]byte, error) { return key, nil })
}

// Fixed has nothing random in it, for the test vectors.
type Fixed struct {
	Nonce       byte
	Back, Extra time.Duration
	OneTime     identity.Secret
	Sign        func(identity.Secret, *event.Event) error
}

func (f Fixed) source() source {
	return source{
		nonce:    func() ([32]byte, error) { return [32]byte{31: f.Nonce}, nil },
		oneTime:  func() (identity.Secret, error) { return identity.SecretFromBytes(f.OneTime.Bytes()) },
		backdate: func() (time.Duration, error) { return f.Back, nil },
		extra:    func() (time.Duration, error) { return f.Extra, nil },
		sign:     f.Sign,
	}
}

func (f Fixed) SealNotice(from identity.Secret, n pow.Notice, now time.Time) (pow.Hash, []byte, error) {
	return f.source().sealNotice(from, n, now)
}

func (f Fixed) SealReceipt(from identity.Secret, r pow.Receipt, now time.Time) (pow.Hash, []byte, error) {
	return f.source().sealReceipt(from, r, now)
}

func (f Fixed) SealAccount(from, device identity.Secret, a pow.Account, now time.Time) (pow.Hash, []byte, error) {
	return f.source().sealAccount(from, device, a, now)
}

func (f Fixed) SealCatalogue(from identity.Secret, device pow.Key, c pow.Catalogue, now time.Time) ([][]byte, error) {
	return f.source().sealCatalogue(from, device, c, now)
}

func (f Fixed) Announce(dvm identity.Secret, a pow.Announcement, now time.Time) ([]byte, error) {
	return f.source().announce(dvm, a, now)
}

func (f Fixed) Binding(device identity.Secret, member, dvm pow.Key, now time.Time) ([]byte, error) {
	return f.source().binding(device, member, dvm, now)
}

func (f Fixed) Wrap(seal []byte, to pow.Key, now time.Time) (pow.Letter, error) {
	return f.source().wrap(seal, to, now)
}

// Seal pads and seals any rumor.
func (f Fixed) Seal(from identity.Secret, to pow.Key, e *event.Event, now time.Time) (pow.Hash, []byte, error) {
	return f.source().seal(from, to, e, now)
}

// Layers opens wrap, seal and rumor with the checks that do not depend on what
// the rumor is about.
func (r Reader) Layers(letter []byte, now time.Time) (wrap, seal, rumor *event.Event, err error) {
	if wrap, err = r.letter(letter, now); err != nil {
		return nil, nil, nil, err
	}
	if seal, err = r.seal(wrap); err != nil {
		return nil, nil, nil, err
	}
	plain, err := r.decrypt(seal, maxRumor)
	if err != nil {
		return nil, nil, nil, err
	}
	if rumor, err = event.ParseRumor(plain); err != nil {
		return nil, nil, nil, err
	}
	return wrap, seal, rumor, event.VerifyID(rumor)
}
