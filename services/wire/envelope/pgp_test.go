package envelope_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
)

// pgpKey makes a public key and says what it is called.
func pgpKey(t testing.TB, config *packet.Config, headers map[string]string) (armored string, sum [32]byte, fingerprint string) {
	t.Helper()
	k, err := openpgp.NewEntity("Studio Nord", "", "", config)
	if err != nil {
		t.Fatal(err)
	}
	var bin, text bytes.Buffer
	if err := k.Serialize(&bin); err != nil {
		t.Fatal(err)
	}
	w, err := armor.Encode(&text, openpgp.PublicKeyType, headers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bin.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String() + "\n", sha256.Sum256(bin.Bytes()), hex.EncodeToString(k.PrimaryKey.Fingerprint)
}

func TestDearmor(t *testing.T) {
	for name, config := range map[string]*packet.Config{
		"version 4": {Algorithm: packet.PubKeyAlgoEdDSA}, "version 4 RSA": {Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048}, "version 6": {V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519},
	} {
		for _, headers := range []map[string]string{nil, {"Comment": "x=y"}} {
			text, sum, fpr := pgpKey(t, config, headers)
			for _, s := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
				gotSum, gotFPR, err := envelope.Dearmor(s)
				if err != nil || gotSum != hex.EncodeToString(sum[:]) || gotFPR != fpr {
					t.Errorf("%s: %s %s %v", name, gotSum, gotFPR, err)
				}
			}
		}
	}
	for name, s := range map[string]string{
		"empty": "", "no end": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", "no blank line": "-----BEGIN PGP PUBLIC KEY BLOCK-----\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
		"not base64": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n***\n-----END PGP PUBLIC KEY BLOCK-----", "other packet": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAAAAAAAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
		"short": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxv8E\n-----END PGP PUBLIC KEY BLOCK-----", "long": strings.Repeat("x", 20_000),
	} {
		if _, _, err := envelope.Dearmor(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAnnounceOpenPGP(t *testing.T) {
	text, sum, _ := pgpKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}, nil)
	a := vectorAnnouncement(t)
	a.Recipients = []pow.Recipient{{ID: hex.EncodeToString(sum[:8]), Alg: pow.OpenPGP, Key: text, NotBefore: at(1_793_000_000), Expires: at(1_798_000_000)}}
	b, err := envelope.Announce(dvm, a, at(1_795_000_000))
	if err != nil {
		t.Fatal(err)
	}
	got, err := envelope.ReadAnnouncement(b, dvm.Public())
	if err != nil || len(got.Recipients) != 1 || got.Recipients[0] != a.Recipients[0] {
		t.Errorf("%+v %v", got.Recipients, err)
	}
	a.Recipients[0].ID = "77b1d0c9a8e2f345"
	if _, err := envelope.Announce(dvm, a, at(1_795_000_000)); err == nil {
		t.Error("announced under another id")
	}
}

func FuzzDearmor(f *testing.F) {
	text, _, _ := pgpKey(f, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return at(1_793_000_000) }}, nil)
	f.Add(text)
	f.Fuzz(func(t *testing.T, s string) {
		if sum, fpr, err := envelope.Dearmor(s); err == nil && (len(sum) != 64 || len(fpr) != 40 && len(fpr) != 64) {
			t.Fatal(sum, fpr)
		}
	})
}
