package archive_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
)

func armored(t testing.TB, kind string, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	w := must[io.WriteCloser](t)(armor.Encode(&b, kind, nil))
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func entity(t testing.TB, c *packet.Config) *openpgp.Entity {
	t.Helper()
	if c.Time == nil {
		c.Time = func() time.Time { return start }
	}
	if c.Algorithm == 0 {
		c.Algorithm = packet.PubKeyAlgoEdDSA
		if c.V6Keys {
			c.Algorithm = packet.PubKeyAlgoEd25519
		}
	}
	return must[*openpgp.Entity](t)(openpgp.NewEntity("DVM", "", "", c))
}

func publicOf(t testing.TB, e ...*openpgp.Entity) string {
	return armored(t, openpgp.PublicKeyType, func(w io.Writer) error {
		for _, e := range e {
			if err := e.Serialize(w); err != nil {
				return err
			}
		}
		return nil
	})
}

func secretOf(t testing.TB, e *openpgp.Entity) string {
	return armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) })
}

// pgpKeys makes an OpenPGP key; v2 is one that asks for AEAD.
func pgpKeys(t testing.TB, v2 bool) keys {
	c := &packet.Config{V6Keys: v2}
	if v2 {
		c.AEADConfig = &packet.AEADConfig{DefaultMode: packet.AEADModeGCM}
	}
	e := entity(t, c)
	return keysOf(t, pow.OpenPGP, secretOf(t, e), publicOf(t, e))
}

// The sealed size is foretold exactly, for every kind of key and on both sides
// of every border, and padding makes it a Padmé size.
func TestSizeIsForetold(t *testing.T) {
	all := allKeys(t)
	rsa := entity(t, &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	all["rsa"] = keysOf(t, pow.OpenPGP, secretOf(t, rsa), publicOf(t, rsa))
	for name, k := range all {
		for _, border := range []int64{0, 191, 512, 8383, 1 << 16, 1 << 17, 1 << 18, 1<<18 + 1<<16, 1 << 20, 3 << 20} {
			for _, n := range []int64{border - 60, border - 17, border - 7, border - 1, border, border + 1, border + 30} {
				foretold, real, err := archive.SizeOf(k.public, sealed, max(0, n))
				if err != nil || foretold != real {
					t.Errorf("%s: %d bytes become %d, not %d: %v", name, n, real, foretold, err)
				}
			}
		}
	}
}

// The kind of key decides the kind of encryption, and the message does not say
// whom it is for.
func TestOpenPGPPackets(t *testing.T) {
	for version, k := range map[byte]keys{1: pgpKeys(t, false), 2: pgpKeys(t, true)} {
		b, want := seal(t, proof(t), k)
		data := 2 + int(b[1])
		if b[data] != 0xd2 || b[data+2] != version {
			t.Errorf("version %d: data packet begins %x", version, b[data:data+5])
		}
		if version == 1 && !bytes.Equal(b[2:11], []byte{3, 0, 0, 0, 0, 0, 0, 0, 0}) || version == 2 && !bytes.Equal(b[2:4], []byte{6, 0}) {
			t.Errorf("version %d: recipient is named: %x", version, b[:24])
		}
		// The older packet format, as gpg writes it, is the same message.
		old := append([]byte{0x84, b[1]}, b[2:]...)
		if _, err := asIs(opener(t, k), old, want)(); err != nil {
			t.Errorf("version %d, older packet format: %v", version, err)
		}
	}
}

// Secret keys that cannot open anything are refused at once, in silence.
func TestBadSecrets(t *testing.T) {
	public := entity(t, &packet.Config{})
	locked := entity(t, &packet.Config{})
	if err := locked.EncryptPrivateKeys([]byte("pass"), nil); err != nil {
		t.Fatal(err)
	}
	bare := entity(t, &packet.Config{})
	bare.Subkeys = nil
	pq, x := agePQ(t).secret.Secret, ageX25519(t).secret.Secret
	for id, k := range map[string]archive.Key{
		"public": {Alg: pow.OpenPGP, Secret: publicOf(t, public)}, "passphrase": {Alg: pow.OpenPGP, Secret: secretOf(t, locked)},
		"no subkey": {Alg: pow.OpenPGP, Secret: secretOf(t, bare)}, "two": {Alg: pow.OpenPGP, Secret: secretOf(t, public) + secretOf(t, public)},
		"armor": {Alg: pow.OpenPGP, Secret: secretOf(t, public)[:200]}, "empty": {}, "unknown": {Alg: "age", Secret: x},
		"classic for hybrid": {Alg: pow.AgePQ, Secret: x}, "hybrid for classic": {Alg: pow.AgeX25519, Secret: pq}, "lower": {Alg: pow.AgeX25519, Secret: x[:len(x)-1]},
	} {
		if _, err := archive.NewOpener(k); err == nil || strings.Contains(err.Error(), "KEY") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := archive.NewOpener(archive.Key{Alg: pow.AgePQ, Secret: pq + "\n"}); err != nil {
		t.Errorf("with a line feed: %v", err)
	}
}
