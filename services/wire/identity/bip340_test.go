package identity_test

import (
	"encoding/csv"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"pow.do/services/wire/identity"
)

// The test vectors of BIP-340, for the signatures that Sign makes and every
// reader checks. Messages are 32 bytes here, as event ids are.
func TestBIP340(t *testing.T) {
	f, err := os.Open("testdata/bip340.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	signed, checked := 0, 0
	for _, r := range rows[1:] {
		var b [5][]byte
		for i := range b {
			if b[i], err = hex.DecodeString(r[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		key, public, aux, message, signature := b[0], b[1], b[2], b[3], b[4]
		if len(message) != 32 {
			continue
		}
		checked++
		if got := verifies(public, message, signature); got != (r[6] == "TRUE") {
			t.Errorf("%s: verified %v", r[0], got)
		}
		if len(key) == 0 {
			continue
		}
		signed++
		s, err := identity.SecretFromBytes(key)
		if err != nil || s.Public().String() != strings.ToLower(r[2]) {
			t.Errorf("%s: public key %s, %v", r[0], s.Public(), err)
		}
		priv, _ := btcec.PrivKeyFromBytes(s.Bytes())
		sig, err := schnorr.Sign(priv, message, schnorr.CustomNonce([32]byte(aux)))
		if err != nil || hex.EncodeToString(sig.Serialize()) != strings.ToLower(r[5]) {
			t.Errorf("%s: signature: %v", r[0], err)
		}
	}
	if signed != 4 || checked != 15 {
		t.Errorf("only %d signed and %d checked", signed, checked)
	}
}

func verifies(public, message, signature []byte) bool {
	pub, err := schnorr.ParsePubKey(public)
	if err != nil {
		return false
	}
	sig, err := schnorr.ParseSignature(signature)
	return err == nil && sig.Verify(message, pub)
}
