package identity_test

import (
	"bytes"
	"errors"
	"testing"

	"pow.do/services/wire/identity"
)

func TestBox(t *testing.T) {
	k, err := identity.NewReviewKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err = identity.ParseReviewKey(k.Secret())
	if err != nil {
		t.Fatal(err)
	}
	box, err := identity.ParseBox(k.Box().String())
	if err != nil {
		t.Fatal(err)
	}
	for size, over := range map[int]int{0: 200, 1: 200, 65_536: 200, 65_537: 216, 300_000: 200 + 4*16} {
		plain := bytes.Repeat([]byte{7}, size)
		sealed, err := box.Seal(plain)
		if err != nil || len(sealed) != size+over {
			t.Fatalf("%d: %d, %v", size, len(sealed), err)
		}
		got, err := k.Open(sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d: %v", size, err)
		}
		for _, bad := range [][]byte{sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0), flip(sealed, 30), flip(sealed, len(sealed)-1), nil} {
			if _, err := k.Open(bad); !errors.Is(err, identity.ErrSealed) {
				t.Errorf("damaged: %v", err)
			}
		}
	}
	other, _ := identity.NewReviewKey()
	sealed, _ := box.Seal([]byte("x"))
	if _, err := other.Open(sealed); !errors.Is(err, identity.ErrSealed) {
		t.Errorf("foreign key: %v", err)
	}
}

func TestBoxZeroAndBadText(t *testing.T) {
	if _, err := (identity.Box{}).Seal(nil); err == nil {
		t.Error("sealed for nobody")
	}
	if _, err := (identity.ReviewKey{}).Open([]byte("x")); err == nil {
		t.Error("opened with nothing")
	}
	if (identity.ReviewKey{}).Box().String() != "" || (identity.ReviewKey{}).Secret() != "" {
		t.Error("zero value")
	}
	for _, s := range []string{"", "age1", "age1pq1qqq", "AGE-SECRET-KEY-1QQQ"} {
		if _, err := identity.ParseBox(s); err == nil {
			t.Errorf("%s is a box", s)
		}
		if _, err := identity.ParseReviewKey(s); err == nil {
			t.Errorf("%s is a key", s)
		}
	}
}

func TestPassphrase(t *testing.T) {
	sealed, err := identity.SealWithPassphrase([]byte("a key"), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := identity.OpenWithPassphrase(sealed, "correct horse")
	if err != nil || string(plain) != "a key" {
		t.Fatalf("%q %v", plain, err)
	}
	if _, err := identity.OpenWithPassphrase(sealed, "wrong"); !errors.Is(err, identity.ErrPassphrase) {
		t.Errorf("wrong: %v", err)
	}
	if _, err := identity.OpenWithPassphrase(flip(sealed, len(sealed)-1), "correct horse"); !errors.Is(err, identity.ErrSealed) {
		t.Errorf("damaged: %v", err)
	}
}

func TestPassphraseRefuses(t *testing.T) {
	// The cost is the sender's choice: 2²¹ has to be refused before it is paid.
	dear := []byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 21\n" +
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n0123456789abcdef0123456789abcdef")
	k, _ := identity.NewReviewKey()
	foreign, _ := k.Box().Seal([]byte("x"))
	for name, b := range map[string][]byte{"cost": dear, "other key": foreign, "empty": nil, "text": []byte("hello"), "long": make([]byte, 70_000)} {
		if _, err := identity.OpenWithPassphrase(b, "x"); !errors.Is(err, identity.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := identity.OpenWithPassphrase(dear, ""); !errors.Is(err, identity.ErrNoPhrase) {
		t.Error(err)
	}
	if _, err := identity.SealWithPassphrase(nil, ""); !errors.Is(err, identity.ErrNoPhrase) {
		t.Error(err)
	}
}

func flip(b []byte, i int) []byte {
	c := bytes.Clone(b)
	c[i] ^= 1
	return c
}

func BenchmarkBoxSeal(b *testing.B) {
	k, _ := identity.NewReviewKey()
	box := k.Box()
	for name, size := range map[string]int{"note": 64, "capture": 300_000} {
		plain := make([]byte, size)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := box.Seal(plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
