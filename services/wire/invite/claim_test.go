package invite_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
	"pow.do/services/wire/invite"
)

func TestCheckHubClaimRefuses(t *testing.T) {
	dvm := key(t, dvmHex)
	forge := func(change func(*event.Event)) string {
		e := &event.Event{Kind: 25940, CreatedAt: event.Timestamp(made.Unix()), Tags: event.Tags{
			{"d", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}, {"relay", hub}, {"expiration", "1795704800"}, {"v", "1"}}}
		change(e)
		if err := dvm.Sign(e); err != nil {
			t.Fatal(err)
		}
		return encode(e)
	}
	after := func(change func(*event.Event)) string { // breaks what is signed already
		b, _ := base64.RawURLEncoding.DecodeString(vectorClaim(t))
		e, err := event.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		change(e)
		return encode(e)
	}
	if _, err := invite.CheckHubClaim(forge(func(*event.Event) {}), []pow.Key{dvm.Public()}, []string{hub}, made); err != nil {
		t.Fatal(err)
	}
	foreign, _, _ := invite.NewHubClaim(key(t, deviceHex), []string{hub}, expires, made)
	for name, c := range map[string]struct {
		claim string
		want  error
	}{
		"empty": {"", invite.ErrClaimShape}, "long": {strings.Repeat("A", 2049), invite.ErrClaimShape}, "padding": {vectorClaim(t) + "=", invite.ErrClaimShape},
		"newline": {"\n" + vectorClaim(t), invite.ErrClaimShape}, "cut": {vectorClaim(t)[:400], invite.ErrClaimShape},
		"kind": {forge(func(e *event.Event) { e.Kind = 25941 }), invite.ErrClaimShape}, "v 2": {forge(func(e *event.Event) { e.Tags[3][1] = "2" }), invite.ErrClaimShape},
		"no v": {forge(func(e *event.Event) { e.Tags = e.Tags[:3] }), invite.ErrClaimShape}, "two v": {forge(func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"v", "1"}) }), invite.ErrClaimShape},
		"d short": {forge(func(e *event.Event) { e.Tags[0][1] = "0f" }), invite.ErrClaimShape}, "d upper": {forge(func(e *event.Event) { e.Tags[0][1] = strings.ToUpper(e.Tags[0][1]) }), invite.ErrClaimShape},
		"two d":        {forge(func(e *event.Event) { e.Tags = append(e.Tags, e.Tags[0]) }), invite.ErrClaimShape},
		"expiration +": {forge(func(e *event.Event) { e.Tags[2][1] = "+1795704800" }), invite.ErrClaimShape}, "expiration big": {forge(func(e *event.Event) { e.Tags[2][1] = "99999999999999999999" }), invite.ErrClaimShape},
		"control":  {forge(func(e *event.Event) { e.Content = "\x00" }), invite.ErrClaimShape},
		"wrong id": {after(func(e *event.Event) { e.ID = strings.Repeat("ab", 32) }), invite.ErrClaimShape}, "changed": {after(func(e *event.Event) { e.Content = "x" }), invite.ErrClaimShape},
		"wrong signature": {after(func(e *event.Event) { e.Content = "x"; e.ID = e.GetID() }), invite.ErrClaimSigner}, "other signer": {foreign, invite.ErrClaimSigner},
		"expired": {forge(func(e *event.Event) { e.Tags[2][1] = "1795100000" }), invite.ErrClaimTime}, "life": {forge(func(e *event.Event) { e.Tags[2][1] = "1797778401" }), invite.ErrClaimTime},
		"future":   {forge(func(e *event.Event) { e.CreatedAt += 601 }), invite.ErrClaimTime},
		"audience": {forge(func(e *event.Event) { e.Tags[1][1] = hub + ".evil" }), invite.ErrClaimAudience}, "no audience": {forge(func(e *event.Event) { e.Tags[1] = event.Tag{"relay"} }), invite.ErrClaimAudience},
	} {
		if _, err := invite.CheckHubClaim(c.claim, []pow.Key{dvm.Public()}, []string{hub}, made); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := invite.CheckHubClaim(vectorClaim(t), nil, []string{hub}, made); !errors.Is(err, invite.ErrClaimSigner) {
		t.Errorf("no DVM configured: %v", err)
	}
}

func TestNewHubClaim(t *testing.T) {
	dvm := key(t, dvmHex)
	relays := []string{hub, "ws://127.0.0.1:7447"}
	c, id, err := invite.NewHubClaim(dvm, relays, made.Add(31*24*time.Hour), made)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range relays {
		if got, err := invite.CheckHubClaim(c, []pow.Key{dvm.Public()}, []string{r}, made); err != nil || got.ID != id {
			t.Errorf("%s: %v", r, err)
		}
	}
	if _, again, _ := invite.NewHubClaim(dvm, relays, expires, made); again == id {
		t.Error("two claims have one id")
	}
	for name, make := range map[string]func() (string, string, error){
		"too long": func() (string, string, error) {
			return invite.NewHubClaim(dvm, relays, made.Add(31*24*time.Hour+1), made)
		},
		"expired":    func() (string, string, error) { return invite.NewHubClaim(dvm, relays, made, made) },
		"no relay":   func() (string, string, error) { return invite.NewHubClaim(dvm, nil, expires, made) },
		"bad origin": func() (string, string, error) { return invite.NewHubClaim(dvm, []string{hub + "/"}, expires, made) },
		"no key":     func() (string, string, error) { return invite.NewHubClaim(vectorKey{}.Secret, relays, expires, made) },
		"five long": func() (string, string, error) {
			long := "wss://" + strings.Repeat(strings.Repeat("a", 60)+".", 4) + "a"
			return invite.NewHubClaim(dvm, []string{long, long, long, long, long}, expires, made)
		},
	} {
		if c, _, err := make(); err == nil || c != "" {
			t.Errorf("%s: made %q", name, c)
		}
	}
}

func TestNewClaim(t *testing.T) {
	a, err := invite.NewClaim()
	if err != nil || len(a) != 43 || !invite.IsClaim(a) {
		t.Fatal(a, err)
	}
	b, _ := invite.NewClaim()
	if a == b || invite.ClaimHash(a) == invite.ClaimHash(b) {
		t.Error("two claims are one")
	}
	if got := invite.ClaimHash("").String(); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error(got)
	}
}

func FuzzCheckHubClaim(f *testing.F) {
	f.Add(vectorClaim(f))
	f.Add("e30")
	dvm := key(f, dvmHex).Public()
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := invite.CheckHubClaim(s, []pow.Key{dvm}, []string{hub}, made); err == nil && (c.DVM != dvm || len(c.ID) != 32) {
			t.Fatalf("%+v", c)
		}
	})
}

func encode(e *event.Event) string { return base64.RawURLEncoding.EncodeToString(event.Marshal(e)) }
