package invite_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
	"pow.do/services/wire/invite"
)

const (
	dvmHex    = "c15d739894c81a2fcfd3a2df85a0d2c0dbc47a280d092799f144d73d7ae78add" // NIP-06, second vector
	deviceHex = "e108399bd8424357a710b606ae0c13166d853d327e47a6e5e038197346bdbf45" // NIP-59, recipient
	hub       = "wss://hub.example.com"
)

var (
	made    = time.Unix(1_795_100_000, 0)
	expires = time.Unix(1_795_704_800, 0)
)

// vectorKey signs with 32 zero bytes of auxiliary randomness, as the vectors do.
type vectorKey struct{ identity.Secret }

func (k vectorKey) Sign(e *event.Event) error {
	priv, _ := btcec.PrivKeyFromBytes(k.Bytes())
	e.PubKey = k.Public().String()
	e.ID = e.GetID()
	id := event.ID(e)
	sig, err := schnorr.Sign(priv, id[:], schnorr.CustomNonce([32]byte{}))
	if err == nil {
		e.Sig = hex.EncodeToString(sig.Serialize())
	}
	return err
}

func key(t testing.TB, s string) vectorKey {
	t.Helper()
	k, err := identity.ParseSecretHex(s)
	if err != nil {
		t.Fatal(err)
	}
	return vectorKey{k}
}

func vectorClaim(t testing.TB) string {
	t.Helper()
	c, err := invite.HubClaim(key(t, dvmHex), "0f1e2d3c4b5a69788796a5b4c3d2e1f0", []string{hub}, expires, made)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// golden compares with a file of testdata/vectors/v1. The files are never
// rewritten: a later version has to read them as they are.
func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile("testdata/vectors/v1/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSuffix(string(want), "\n") != got {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

func TestVectorHubClaim(t *testing.T) {
	c := vectorClaim(t)
	if len(c) != 611 || fmt.Sprintf("%x", sha256.Sum256([]byte(c))) != "5d2a0e375266263e320ae0269c9515a52fbeb3954226e20b2ef27478a2b696ce" {
		t.Errorf("%d characters: %s", len(c), c)
	}
	golden(t, "hub-claim.txt", c)
	b, _ := base64.RawURLEncoding.DecodeString(c)
	e, err := event.Parse(b)
	if err != nil || e.ID != "15f9589b22615b1d19b2ed2c6f8ffa23faac976e3eeb711191e4725ed162d499" {
		t.Errorf("%v %v", e, err)
	}
	got, err := invite.CheckHubClaim(c, []pow.Key{{1}, key(t, dvmHex).Public()}, []string{"ws://a.onion", hub}, made)
	want := invite.Claim{DVM: key(t, dvmHex).Public(), ID: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", Expires: expires}
	if err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
}

func TestVectorJoin(t *testing.T) {
	e := &event.Event{Kind: 28934, CreatedAt: 1_795_100_100, Tags: event.Tags{{"-"}, {"claim", vectorClaim(t)}}}
	if err := key(t, deviceHex).Sign(e); err != nil {
		t.Fatal(err)
	}
	if e.ID != "65a934d700ff0c3729f21ea37766ad4227a69eeefb7151c4bae5e801eaba422e" {
		t.Errorf("id %s", e.ID)
	}
	golden(t, "join.json", string(event.Marshal(e)))
}

func vectorLink(t testing.TB) invite.Link {
	return invite.Link{
		Version: 1, Name: "Studio Nord", DVM: key(t, dvmHex).Public(),
		Relays: []string{hub}, Blossom: []string{"https://hub.example.com", "https://blobs.example.org"},
		HubClaim: vectorClaim(t), Claim: strings.Repeat("Wlpa", 10) + "Wlo", Expires: expires, Identity: key(t, deviceHex).Public(),
	}
}

func TestVectorLink(t *testing.T) {
	l := vectorLink(t)
	golden(t, "invite.txt", l.String())
	got, err := invite.Parse(" "+l.String()+"\n", made)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(l, got); d != "" {
		t.Error(d)
	}
	// The way by hand: no claims at all.
	l.HubClaim, l.Claim, l.Identity = "", "", pow.Key{}
	if got, err = invite.Parse(l.String(), made); err != nil || cmp.Diff(l, got) != "" {
		t.Errorf("address link: %v %s", err, cmp.Diff(l, got))
	}
}

// edit changes the JSON object inside a link.
func edit(t *testing.T, l invite.Link, change func(map[string]any)) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(l.String(), "powdo://join#"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if b, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return "powdo://join#" + base64.RawURLEncoding.EncodeToString(b)
}

func TestParseRefuses(t *testing.T) {
	l := vectorLink(t)
	set := func(name string, v any) string { return edit(t, l, func(m map[string]any) { m[name] = v }) }
	del := func(name string) string { return edit(t, l, func(m map[string]any) { delete(m, name) }) }
	raw := func(s string) string { return "powdo://join#" + base64.RawURLEncoding.EncodeToString([]byte(s)) }
	other, _, err := invite.NewHubClaim(key(t, deviceHex), []string{hub}, expires, made)
	if err != nil {
		t.Fatal(err)
	}
	good := l.String()
	for name, c := range map[string]struct {
		link string
		want error
	}{
		"empty": {"", invite.ErrLink}, "cut": {good[:len(good)-40], invite.ErrLink}, "1 MiB": {good + strings.Repeat("A", 1<<20), invite.ErrLink},
		"scheme": {"https" + good[5:], invite.ErrLink}, "upper": {strings.ToUpper(good), invite.ErrLink}, "padding": {good + "=", invite.ErrLink},
		"newline": {good[:40] + "\n" + good[40:], invite.ErrLink}, "not JSON": {raw("x"), invite.ErrLink}, "array": {raw("[]"), invite.ErrLink}, "null": {raw("null"), invite.ErrLink},
		"twice": {raw(`{"v":1,"v":1}`), invite.ErrLink}, "no version": {del("v"), invite.ErrLink}, "version 2": {set("v", 2), pow.ErrVersion}, "version text": {set("v", "1"), pow.ErrVersion},
		"extra": {set("z", 1), invite.ErrLink}, "extra long": {set("name", "x"), invite.ErrLink},
		"case":    {edit(t, l, func(m map[string]any) { m["N"] = m["n"]; delete(m, "n") }), invite.ErrLink},
		"name 81": {set("n", strings.Repeat("ä", 81)), invite.ErrLink}, "name control": {set("n", "a\x1b[2J"), invite.ErrLink}, "name bidi": {set("n", "a\u202eb"), invite.ErrLink},
		"no d": {del("d"), invite.ErrLink}, "d hex": {set("d", l.DVM.String()), invite.ErrLink}, "d nsec": {set("d", key(t, dvmHex).Nsec()), invite.ErrLink},
		"no r": {del("r"), invite.ErrLink}, "r empty": {set("r", []string{}), invite.ErrLink}, "r 6": {set("r", []string{hub, hub, hub, hub, hub, hub}), invite.ErrLink},
		"r http": {set("r", []string{"http://hub.example.com"}), invite.ErrLink}, "r ws": {set("r", []string{"ws://hub.example.com"}), invite.ErrLink},
		"r path": {set("r", []string{hub + "/"}), invite.ErrLink}, "r user": {set("r", []string{"wss://a@hub.example.com"}), invite.ErrLink}, "r null": {set("r", []any{nil}), invite.ErrLink},
		"no b": {del("b"), invite.ErrLink}, "b relay": {set("b", []string{hub}), invite.ErrLink},
		"c short": {set("c", l.Claim[:42]), invite.ErrLink}, "c stray bits": {set("c", l.Claim[:42]+"p"), invite.ErrLink},
		"i": {set("i", "npub1"), invite.ErrLink}, "x now": {set("x", made.Unix()), invite.ErrExpired}, "x zero": {set("x", 0), invite.ErrExpired}, "x minus": {set("x", -1), invite.ErrLink}, "x float": {set("x", 1.5), invite.ErrLink},
		"h of another DVM": {set("h", other), invite.ErrForeign}, "h for fewer relays": {set("r", []string{hub, "wss://hub2.example.com"}), invite.ErrForeign}, "h junk": {set("h", "AAAA"), invite.ErrForeign},
	} {
		if got, err := invite.Parse(c.link, made); !errors.Is(err, c.want) || got.Version != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := invite.Parse(set("x", expires.Unix()+1000), expires); !errors.Is(err, invite.ErrExpired) {
		t.Errorf("expired hub claim: %v", err)
	}
}

func TestLinkIsNotLogged(t *testing.T) {
	var b bytes.Buffer
	l := vectorLink(t)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "link", l)
	if strings.Contains(b.String(), l.Claim) || strings.Contains(b.String(), "powdo://") {
		t.Error(b.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vectorLink(f).String())
	f.Add("powdo://join#e30")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := invite.Parse(s, made)
		if err != nil {
			return
		}
		again, err := invite.Parse(l.String(), made)
		if err != nil || cmp.Diff(l, again) != "" {
			t.Fatalf("%v %s", err, cmp.Diff(l, again))
		}
	})
}
