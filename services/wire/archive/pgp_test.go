package archive_test

import (
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
