package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// dearmor returns the binary key of one armored block of the given type.
func dearmor(key, kind string) ([]byte, error) {
	if len(key) > maxKey || strings.Count(key, "-----BEGIN ") != 1 {
		return nil, errors.New("too long, or not one armored key")
	}
	block, err := armor.Decode(strings.NewReader(key))
	if err != nil || block.Type != kind {
		return nil, errors.New("not an armored key of this type")
	}
	b, err := io.ReadAll(block.Body)
	if err != nil {
		return nil, errors.New("armor is damaged")
	}
	return b, nil
}

// oneEntity reads a binary key that must be one key and nothing else.
func oneEntity(b []byte) (*openpgp.Entity, error) {
	keys, err := openpgp.ReadKeyRing(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, errors.New("more than one primary key")
	}
	return keys[0], nil
}

func pgpRecipient(key string, now time.Time) (recipient, error) {
	b, err := dearmor(key, openpgp.PublicKeyType)
	if err != nil {
		return recipient{}, err
	}
	to, err := oneEntity(b)
	if err != nil {
		return recipient{}, err
	}
	config := &packet.Config{Time: func() time.Time { return now }}
	use, err := to.EncryptionKeyWithError(now, config)
	if err != nil {
		return recipient{}, err
	}
	if use.PublicKey.KeyId == to.PrimaryKey.KeyId {
		return recipient{}, errors.New("no subkey for encryption")
	}
	v2 := use.PrimarySelfSignature.SEIPDv2
	encrypt := func(w io.Writer) (io.WriteCloser, func(int64) int64, error) {
		keys := &counter{w: w}
		plain, err := openpgp.EncryptWithParams(w, nil, []*openpgp.Entity{to}, &openpgp.EncryptParams{KeyWriter: keys, Config: config})
		return &blocks{w: plain}, func(n int64) int64 { return keys.n + pgpData(n, v2) }, err
	}
	return recipient{id: recipientID(b), encrypt: encrypt}, nil
}

// pgpSecret reads a secret key that needs no passphrase.
func pgpSecret(key string) (*openpgp.Entity, error) {
	b, err := dearmor(key, openpgp.PrivateKeyType)
	if err != nil {
		return nil, err
	}
	e, err := oneEntity(b)
	if err != nil {
		return nil, err
	}
	for _, k := range e.DecryptionKeys(0, time.Time{}, nil) {
		if k.PrivateKey != nil && !k.PrivateKey.Encrypted && !k.PrivateKey.Dummy() {
			return e, nil
		}
	}
	return nil, errors.New("no secret key to decrypt with")
}

// openPGP returns the plaintext of a whole OpenPGP message of at most size
// bytes, and nothing at all when any byte of it does not hold: the library
// hands out bytes of the older format before it has checked them.
func openPGP(r io.ReaderAt, size int64, keys openpgp.EntityList) ([]byte, error) {
	if err := checkPackets(io.NewSectionReader(r, 0, size)); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, ErrOtherKey
	}
	none := int64(0) // archives are never compressed as a whole
	config := &packet.Config{MaxDecompressedMessageSize: &none}
	m, err := openpgp.ReadMessage(io.NewSectionReader(r, 0, size), keys, nil, config)
	if err != nil {
		return nil, fmt.Errorf("open OpenPGP message: %w", err)
	}
	if m.IsSigned {
		return nil, errors.New("OpenPGP message is signed")
	}
	plain := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // the plaintext is shorter than the message
	if _, err := plain.ReadFrom(m.UnverifiedBody); err != nil {
		return nil, fmt.Errorf("open OpenPGP message: %w", err)
	}
	return plain.Bytes(), nil
}
