package event_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"pow.do/services/wire/event"
)

// pure checks a signature with btcec alone, as the build without cgo does.
func pure(e *event.Event) bool {
	pubkey, err1 := hex.DecodeString(e.PubKey)
	sig, err2 := hex.DecodeString(e.Sig)
	if err1 != nil || err2 != nil {
		return false
	}
	k, err1 := schnorr.ParsePubKey(pubkey)
	s, err2 := schnorr.ParseSignature(sig)
	if err1 != nil || err2 != nil {
		return false
	}
	sum := sha256.Sum256(e.Serialize())
	return s.Verify(sum[:], k)
}

// The prime of the field and the order of the group (SEC 2).
const (
	fieldPrime = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
	groupOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
)

// TestBuildsAgree: whichever library checks signatures in this build, it takes
// and refuses what btcec does, at the edges of BIP-340 and for damaged events.
func TestBuildsAgree(t *testing.T) {
	agree := func(what string, e event.Event) (ok bool) {
		t.Helper()
		e.ID = e.GetID()
		ok = event.Verify(&e) == nil
		if want := pure(&e); ok != want {
			t.Errorf("%s: %v, want %v: %s", what, ok, want, e)
		}
		return ok
	}
	good := *signed(t)
	if !agree("genuine", good) {
		t.Error("a genuine event was refused")
	}
	number := func(base string, plus int64) string {
		n, _ := new(big.Int).SetString(base, 16)
		return fmt.Sprintf("%064x", n.Add(n, big.NewInt(plus)))
	}
	var edges []string
	for _, base := range []string{"0", fieldPrime, groupOrder} {
		for plus := int64(-2); plus <= 2; plus++ {
			if base != "0" || plus >= 0 {
				edges = append(edges, number(base, plus))
			}
		}
	}
	edges = append(edges, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")
	r, s := good.Sig[:64], good.Sig[64:]
	for _, x := range edges {
		e := good
		for _, e.Sig = range []string{x + s, r + x, x + x} {
			agree("signature", e)
		}
		e = good
		e.PubKey = x
		agree("key", e)
	}
	n, _ := new(big.Int).SetString(groupOrder, 16)
	negated, _ := new(big.Int).SetString(s, 16)
	e := good
	e.Sig = r + fmt.Sprintf("%064x", negated.Sub(n, negated))
	if agree("s negated", e) {
		t.Error("a signature can be changed")
	}
	random := rand.New(rand.NewPCG(3, 4))
	rounds := 2_000
	if testing.Short() {
		rounds = 300
	}
	for range rounds {
		e := good
		flip := func(s string) string {
			b, _ := hex.DecodeString(s)
			b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			return hex.EncodeToString(b)
		}
		switch random.IntN(3) {
		case 0:
			e.Sig = flip(e.Sig)
		case 1:
			e.PubKey = flip(e.PubKey)
		default:
			e.Content = fmt.Sprint(random.Int())
		}
		if agree("damaged", e) {
			t.Error("a damaged event was taken")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	e := signed(b)
	for b.Loop() {
		if err := event.Verify(e); err != nil {
			b.Fatal(err)
		}
	}
}
