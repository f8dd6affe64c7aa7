package identity_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

const (
	words12 = "leader monkey parrot ring guide accident before fence cannon height naive bean"
	words24 = "what bleak badge arrange retreat wolf trade produce cricket blur garlic valid proud rude strong choose busy staff weather area salt hollow arm fade"
	secret1 = "7f7ff03d123792d6ac594bfa67bf6d0c0ab55b6b1fdb6249303fe861f1ccba9a"
	public1 = "17162c921dc4d2518f9a101db33695df1afb56ab82f5ff3e5da6eec3ca5cd917"
	nsec1   = "nsec10allq0gjx7fddtzef0ax00mdps9t2kmtrldkyjfs8l5xruwvh2dq0lhhkp"
	npub1   = "npub1zutzeysacnf9rru6zqwmxd54mud0k44tst6l70ja5mhv8jjumytsd2x7nu"
	secret2 = "c15d739894c81a2fcfd3a2df85a0d2c0dbc47a280d092799f144d73d7ae78add"
	public2 = "d41b22899549e1f3d335a31002cfd382174006e166d3e658e3a5eecdb6463573"
	nsec2   = "nsec1c9wh8xy5eqdzln7n5t0ctgxjcrdug73gp5yj0x03gntn67h83twssdfhel"
	npub2   = "npub16sdj9zv4f8sl85e45vgq9n7nsgt5qphpvmf7vk8r5hhvmdjxx4es8rq74h"
)

func mustHex(t testing.TB, s string) identity.Secret {
	t.Helper()
	k, err := identity.ParseSecretHex(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The test vectors of NIP-06, and the examples of NIP-19.
func TestKnownKeys(t *testing.T) {
	for _, v := range []struct{ words, secret, public, nsec, npub string }{
		{words12, secret1, public1, nsec1, npub1}, {words24, secret2, public2, nsec2, npub2},
	} {
		s, err := identity.FromMnemonic(v.words)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", s.Bytes()); got != v.secret {
			t.Errorf("secret %s", got)
		}
		if s.Public().String() != v.public || s.Nsec() != v.nsec || identity.Npub(s.Public()) != v.npub {
			t.Errorf("public %s %s", s.Public(), identity.Npub(s.Public()))
		}
		back, err := identity.Import(v.nsec, "")
		if err != nil || back.Public() != s.Public() {
			t.Errorf("nsec: %v", err)
		}
		k, err := identity.ParseNpub(v.npub)
		if err != nil || k != s.Public() {
			t.Errorf("npub: %v", err)
		}
	}
	k, err := identity.ParseNpub("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg")
	if err != nil || k.String() != "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e" {
		t.Errorf("NIP-19 npub: %v %v", k, err)
	}
	s, err := identity.Import("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5", "")
	if err != nil || fmt.Sprintf("%x", s.Bytes()) != "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa" {
		t.Errorf("NIP-19 nsec: %v", err)
	}
}

func TestSecretRange(t *testing.T) {
	const n = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
	for s, ok := range map[string]bool{
		strings.Repeat("0", 63) + "1": true, n[:63] + "0": true,
		n: false, n[:63] + "2": false, strings.Repeat("f", 64): false, strings.Repeat("0", 64): false,
		secret1[1:]: false, secret1 + "0": false, strings.ToUpper(secret1): false, "aa": false, "": false,
	} {
		if _, err := identity.ParseSecretHex(s); (err == nil) != ok || err != nil && !errors.Is(err, identity.ErrKey) {
			t.Errorf("%.70s: %v", s, err)
		}
	}
	if _, err := identity.SecretFromBytes(make([]byte, 31)); !errors.Is(err, identity.ErrKey) {
		t.Error(err)
	}
}

func TestSign(t *testing.T) {
	s := mustHex(t, secret1)
	e := &event.Event{Kind: 13, CreatedAt: 1_795_100_000, Content: "x"}
	if err := s.Sign(e); err != nil {
		t.Fatal(err)
	}
	if err := event.Verify(e); err != nil || e.PubKey != public1 || e.Tags == nil {
		t.Fatalf("%v %+v", err, e)
	}
	first := e.Sig
	if err := s.Sign(e); err != nil || e.Sig == first {
		t.Errorf("the auxiliary randomness is not fresh: %v", err)
	}
	e.Kind = 70_000
	if err := s.Sign(e); err == nil || e.Sig != "" {
		t.Error("signed what no reader takes")
	}
	if err := (identity.Secret{}).Sign(&event.Event{}); err == nil {
		t.Error("signed without a key")
	}
}

func TestWipe(t *testing.T) {
	s := mustHex(t, secret1)
	copied := s
	b := s.Bytes()
	s.Wipe()
	if !s.IsZero() || !copied.IsZero() || !bytes.Equal(copied.Bytes(), make([]byte, 32)) || copied.Nsec() != "" {
		t.Error("the key survived")
	}
	if bytes.Equal(b, make([]byte, 32)) {
		t.Error("Bytes is not a copy")
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	s := mustHex(t, secret1)
	archive, err := identity.NewArchiveKey(pow.AgePQ)
	if err != nil {
		t.Fatal(err)
	}
	review, err := identity.NewReviewKey()
	if err != nil {
		t.Fatal(err)
	}
	type outer struct {
		Public identity.Secret
		inner  any
		s      identity.Secret
		a      identity.ArchiveKey
		r      identity.ReviewKey
	}
	o := outer{s, s, s, archive, review}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "a", archive, "r", review, "o", o)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "a", archive, "r", review, "o", o)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&log, verb, s)
		fmt.Fprintf(&log, verb, &s)
		fmt.Fprintf(&log, verb, archive)
		fmt.Fprintf(&log, verb, review)
		fmt.Fprintf(&log, verb, o)
		fmt.Fprintf(&log, verb, []any{s, archive, review, &o})
	}
	b, err := json.Marshal([]any{s, archive, review, map[string]any{"k": s}})
	if err != nil {
		t.Fatal(err)
	}
	log.Write(b)
	text := strings.ToLower(log.String())
	for _, leak := range []string{secret1, secret1[8:24], nsec1[5:20], "[127 127 240", "0x7f, 0x7f, 0xf0", "age-secret-key"} {
		if strings.Contains(text, leak) {
			at := strings.Index(text, leak)
			t.Errorf("%q is in …%s…", leak, text[max(0, at-80):at+40])
		}
	}
	if !strings.Contains(text, "[secret]") {
		t.Error("nothing was printed at all")
	}
}

func TestArchiveKey(t *testing.T) {
	nbf, exp := time.Unix(1_793_000_000, 0), time.Unix(1_798_000_000, 0)
	for alg, prefix := range map[string]string{pow.AgePQ: "age1pq1", pow.AgeX25519: "age1"} {
		k, err := identity.NewArchiveKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		back, err := identity.ParseArchiveKey(k.Secret())
		if err != nil || back.Alg() != alg {
			t.Fatalf("%s: %v", back.Alg(), err)
		}
		r := back.Recipient(nbf, exp)
		if r != k.Recipient(nbf, exp) || !strings.HasPrefix(r.Key, prefix) || len(r.ID) != 16 || r.Alg != alg || r.NotBefore != nbf || r.Expires != exp {
			t.Errorf("%+v", r)
		}
	}
	r, err := identity.ParseArchiveKey("AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Recipient(nbf, exp); got.Key != "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm" || got.ID != "b9b3ae8ac0ca1317" {
		t.Errorf("%+v", got)
	}
	for _, s := range []string{"", "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm", "AGE-PLUGIN-../X-1AAAA", "AGE-SECRET-KEY-PQ-1", strings.Repeat("A", 2000)} {
		if _, err := identity.ParseArchiveKey(s); !errors.Is(err, identity.ErrArchiveKey) {
			t.Errorf("%.40s: %v", s, err)
		}
	}
	if _, err := identity.NewArchiveKey("openpgp"); err == nil {
		t.Error("made an OpenPGP key")
	}
	if (identity.ArchiveKey{}).Secret() != "" {
		t.Error("zero value")
	}
}
