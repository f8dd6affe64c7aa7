package identity_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/bech32"

	"pow.do/services/wire/identity"
)

const (
	ncryptsec = "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p"
	locked    = "3501454135014541350145413501453fefb02227e449e57cf4d3a3ce05378683"
)

func TestImport(t *testing.T) {
	spaced := "  " + strings.ReplaceAll(strings.ToUpper(words12), " ", " \n\t ") + " "
	for name, input := range map[string]string{
		"words": words12, "words spaced upper": spaced, "words quoted": "“" + words12 + "”\n",
		"nsec": nsec1, "nsec upper": strings.ToUpper(nsec1), "nsec newline": nsec1 + "\r\n", "nsec quoted": `"` + nsec1 + `"`,
		"nsec zero width": "\ufeff\u200b" + nsec1 + "\u200d\u2060",
	} {
		if s, err := identity.Import(input, ""); err != nil || s.Public().String() != public1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	words := strings.Fields(words12)
	swapped := append([]string{words[1], words[0]}, words[2:]...)
	_, five, err := bech32.Decode(nsec1)
	if err != nil {
		t.Fatal(err)
	}
	bech32m, err := bech32.EncodeM("nsec", five)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		input string
		want  error
	}{
		"nsec checksum": {nsec1[:62] + "q", identity.ErrChecksum}, "nsec mixed case": {"nsec1" + strings.ToUpper(nsec1[5:]), identity.ErrChecksum},
		"nsec bech32m": {bech32m, identity.ErrChecksum}, "nsec cut": {nsec1[:40], identity.ErrChecksum}, "nsec inner zero width": {nsec1[:20] + "\u200b" + nsec1[20:], identity.ErrChecksum},
		"nsec inner space": {nsec1[:20] + " " + nsec1[20:], identity.ErrChecksum},
		"npub":             {npub1, identity.ErrPublicKey}, "npub upper": {strings.ToUpper(npub1), identity.ErrPublicKey},
		"hex": {secret1, identity.ErrHex}, "hex 63": {secret1[1:], identity.ErrHex}, "hex 65": {secret1 + "0", identity.ErrHex}, "aa": {"aa", identity.ErrKey},
		"empty": {"", identity.ErrKey}, "space": {" \n", identity.ErrKey}, "long": {strings.Repeat("a ", 600), identity.ErrKey}, "word": {"leader", identity.ErrKey},
		"11 words": {strings.Join(words[:11], " "), identity.ErrWords}, "13 words": {words12 + " bean", identity.ErrWords},
		"checksum":      {strings.Join(swapped, " "), identity.ErrWords},
		"spanish":       {"ábaco abdomen abeja abierto abogado abono aborto abrazo abrir abuelo abuso acabar", identity.ErrWords},
		"unknown":       {strings.Replace(words12, "parrot", "parrrot", 1), identity.ErrWords},
		"ncryptsec cut": {ncryptsec[:100], identity.ErrChecksum}, "ncryptsec no passphrase": {ncryptsec, identity.ErrNoPhrase},
	} {
		_, err := identity.Import(c.input, "")
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "parrrot") || strings.Contains(err.Error(), nsec1[5:20])) {
			t.Errorf("%s: the error repeats the input: %v", name, err)
		}
	}
	if _, err := identity.FromMnemonic(strings.Repeat("bean ", 1000)); !errors.Is(err, identity.ErrWords) {
		t.Error(err)
	}
}

func TestParseNpubRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		want  error
	}{
		"nsec": {nsec1, identity.ErrSecretKey}, "nsec upper": {strings.ToUpper(nsec1), identity.ErrSecretKey}, "ncryptsec": {ncryptsec, identity.ErrSecretKey},
		"cut": {npub1[:50], identity.ErrNpub}, "space": {npub1 + "\n", identity.ErrNpub}, "hex": {public1, identity.ErrNpub}, "empty": {"", identity.ErrNpub},
		"long":          {strings.Repeat("q", 5000), identity.ErrNpub},
		"off the curve": {identity.Npub([32]byte{31: 5}), identity.ErrNpub}, "zero": {identity.Npub([32]byte{}), identity.ErrNpub},
		"nprofile": {"nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7mgpz4mhxue69uhkg6nzv9ejuumpv34kytnrdaksjlyr9p", identity.ErrNpub},
	} {
		if _, err := identity.ParseNpub(c.input); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The example of NIP-49, and its cost, which has to be looked at before scrypt runs.
func TestNcryptsec(t *testing.T) {
	s, err := identity.Import("\n"+ncryptsec+" ", "nostr")
	if err != nil || s.Public() != mustHex(t, locked).Public() {
		t.Fatalf("%v", err)
	}
	if _, err := identity.Import(ncryptsec, "Nostr"); !errors.Is(err, identity.ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := identity.Import(ncryptsec, strings.Repeat("x", 1025)); !errors.Is(err, identity.ErrNoPhrase) {
		t.Errorf("long passphrase: %v", err)
	}
}

func TestNcryptsecCost(t *testing.T) {
	_, five, err := bech32.DecodeNoLimit(ncryptsec)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bech32.ConvertBits(five, 5, 8, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func([]byte) []byte
		want error
	}{
		"0": {set(1, 0), identity.ErrCost}, "15": {set(1, 15), identity.ErrCost}, "21": {set(1, 21), identity.ErrCost}, "22": {set(1, 22), identity.ErrCost},
		"30": {set(1, 30), identity.ErrCost}, "255": {set(1, 255), identity.ErrCost}, "version": {set(0, 1), identity.ErrKey},
		"cut":   {func(b []byte) []byte { return b[:90] }, identity.ErrKey},
		"empty": {func(b []byte) []byte { return nil }, identity.ErrKey},
	} {
		five, err := bech32.ConvertBits(c.edit(bytes.Clone(raw)), 8, 5, true)
		if err != nil {
			t.Fatal(err)
		}
		text, err := bech32.Encode("ncryptsec", five)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := identity.Import(text, "nostr"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func set(i int, v byte) func([]byte) []byte {
	return func(b []byte) []byte { b[i] = v; return b }
}

func TestNcryptsecRoundTrip(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 256 MiB")
	}
	s := mustHex(t, secret1)
	text, err := s.Ncryptsec("\u212b\u2126\u1e9b\u0323") // two spellings of one word: NFKC
	if err != nil {
		t.Fatal(err)
	}
	back, err := identity.Import(text, "\u00c5\u03a9\u1e69")
	if err != nil || back.Public() != s.Public() {
		t.Fatal(err)
	}
	if _, err := s.Ncryptsec(""); !errors.Is(err, identity.ErrNoPhrase) {
		t.Error(err)
	}
	if _, err := (identity.Secret{}).Ncryptsec("x"); !errors.Is(err, identity.ErrKey) {
		t.Error(err)
	}
}

func TestNewKeys(t *testing.T) {
	words, s, err := identity.NewMnemonic()
	if err != nil || len(strings.Fields(words)) != 24 {
		t.Fatal(err)
	}
	back, err := identity.Import(words, "")
	if err != nil || back.Public() != s.Public() {
		t.Fatal(err)
	}
	a, err := identity.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	b, err := identity.NewSecret()
	if err != nil || a.Public() == b.Public() {
		t.Fatal("two keys are one")
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{nsec1, npub1, words12, secret1, ncryptsec[:162], "ncryptsec1q", "nsec1", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := identity.Import(s, ""); err == nil && k.IsZero() {
			t.Fatal("no key and no error")
		}
		if k, err := identity.ParseNpub(s); err == nil && identity.Npub(k) != strings.ToLower(s) {
			t.Fatal("not the canonical form")
		}
	})
}
