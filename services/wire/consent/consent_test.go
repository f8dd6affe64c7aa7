package consent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/consent"
	"pow.do/services/wire/event"
)

// signer signs with a secret key in hex.
type signer string

func (s signer) Public() pow.Key {
	p, err := nostr.GetPublicKey(string(s))
	if err != nil {
		panic(err)
	}
	k, _ := pow.ParseKey(p)
	return k
}

func (s signer) Sign(e *event.Event) error { return e.Sign(string(s)) }

var (
	member = signer(strings.Repeat("11", 32))
	dvm    = signer(strings.Repeat("44", 32)).Public()
	signed = time.Unix(1_795_190_010, 0).UTC()
)

func agreement() pow.Agreement {
	return pow.Agreement{Catalogue: 7,
		Demand: pow.Demand{DVM: dvm, Project: "3f6c1d2e9a0b4c5d", Pictures: pow.Required, Interval: 600, Detail: pow.DetailApp, Retention: 30, Policy: pow.Hash{7}},
		Choice: pow.ProjectChoice{Project: "3f6c1d2e9a0b4c5d", Pictures: true, Interval: 300, Detail: pow.DetailCategory, ShowTimer: true}}
}

func sign(t testing.TB, a pow.Agreement) []byte {
	t.Helper()
	b, err := consent.Sign(member, a, signed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignAndRead(t *testing.T) {
	want := agreement()
	got, err := consent.Read(sign(t, want))
	if err != nil {
		t.Fatal(err)
	}
	want.Author, want.At, want.ID, want.Terms = member.Public(), signed, got.ID, got.Terms
	if d := cmp.Diff(want, got); d != "" || got.ID.IsZero() || got.Terms.IsZero() {
		t.Error(d)
	}
	want.Choice.SealAfter, want.Choice.Detail = 3600, pow.DetailTitle // not signed; more than the terms
	if got, err = consent.Read(sign(t, want)); err != nil || got.Choice.SealAfter != 0 || got.Choice.Detail != pow.DetailApp {
		t.Errorf("%+v %v", got.Choice, err)
	}
}

// The hash that a person agrees to changes with every part of the demand.
func TestTermsNameEverything(t *testing.T) {
	d := agreement().Demand
	seen := map[pow.Hash]string{}
	for name, change := range map[string]func(*pow.Demand){
		"nothing": func(*pow.Demand) {}, "dvm": func(d *pow.Demand) { d.DVM[0]++ }, "project": func(d *pow.Demand) { d.Project = "a90cc1e04b7d2f18" },
		"pictures": func(d *pow.Demand) { d.Pictures = pow.Optional }, "interval": func(d *pow.Demand) { d.Interval++ },
		"detail": func(d *pow.Demand) { d.Detail = pow.DetailTitle }, "retention": func(d *pow.Demand) { d.Retention++ }, "policy": func(d *pow.Demand) { d.Policy[0]++ },
	} {
		other := d
		change(&other)
		h, err := consent.Terms(other)
		if err != nil || seen[h] != "" {
			t.Errorf("%s has the hash of %s (%v)", name, seen[h], err)
		}
		seen[h] = name
	}
}

// forge signs an event whose parts were changed.
func forge(t *testing.T, change func(*event.Event)) []byte {
	t.Helper()
	e, err := event.Parse(sign(t, agreement()))
	if err != nil {
		t.Fatal(err)
	}
	change(e)
	if err := member.Sign(e); err != nil {
		t.Fatal(err)
	}
	return event.Marshal(e)
}

// unsigned changes an event after it was signed.
func unsigned(t *testing.T, change func(*event.Event)) []byte {
	t.Helper()
	e, err := event.Parse(sign(t, agreement()))
	if err != nil {
		t.Fatal(err)
	}
	change(e)
	return event.Marshal(e)
}

func TestRefused(t *testing.T) {
	good := sign(t, agreement())
	content := func(old, new string) func(*event.Event) {
		return func(e *event.Event) {
			if !strings.Contains(e.Content, old) {
				t.Fatalf("no %s", old)
			}
			e.Content = strings.Replace(e.Content, old, new, 1)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("yes"), "large": bytes.Repeat([]byte(" "), consent.MaxBytes+1), "space": append(bytes.Clone(good), ' '),
		"changed":       bytes.Replace(good, []byte(`\"retention\":30`), []byte(`\"retention\":31`), 1),
		"signature":     unsigned(t, func(e *event.Event) { e.Sig = strings.Repeat("0", 128) }),
		"id":            unsigned(t, func(e *event.Event) { e.ID = strings.Repeat("0", 64) }),
		"later":         unsigned(t, func(e *event.Event) { e.CreatedAt++ }),
		"of another":    unsigned(t, func(e *event.Event) { e.PubKey = dvm.String() }),
		"kind":          forge(t, func(e *event.Event) { e.Kind = 25942 }),
		"no tags":       forge(t, func(e *event.Event) { e.Tags = event.Tags{} }),
		"tag more":      forge(t, func(e *event.Event) { e.Tags = append(e.Tags, event.Tag{"x", "y"}) }),
		"value more":    forge(t, func(e *event.Event) { e.Tags[0] = append(e.Tags[0], "wss://") }),
		"order":         forge(t, func(e *event.Event) { e.Tags[0], e.Tags[1] = e.Tags[1], e.Tags[0] }),
		"other dvm":     forge(t, func(e *event.Event) { e.Tags[0][1] = member.Public().String() }),
		"other project": forge(t, func(e *event.Event) { e.Tags[2][1] = "a90cc1e04b7d2f18" }),
		"version 0":     forge(t, func(e *event.Event) { e.Tags[1][1] = "0" }),
		"catalogue":     forge(t, func(e *event.Event) { e.Tags[3][1] = "07" }),
		"minus":         forge(t, func(e *event.Event) { e.Tags[3][1] = "-1" }),
		"other terms":   forge(t, func(e *event.Event) { e.Tags[4][1] = strings.Repeat("0", 64) }),
		"empty":         forge(t, func(e *event.Event) { e.Content = "" }),
		"white space":   forge(t, content(`"interval":600`, `"interval": 600`)),
		"fraction":      forge(t, content(`"interval":600`, `"interval":600.0`)),
		"member":        forge(t, content(`"interval":600`, `"interval":600,"x":1`)),
		"capture":       forge(t, content(`"capture":"required"`, `"capture":"always"`)),
		"no capture":    forge(t, content(`"capture":"required"`, `"capture":""`)),
		"detail":        forge(t, content(`"detail":"app"`, `"detail":"keys"`)),
		"interval":      forge(t, content(`"interval":600`, `"interval":0`)),
		"days":          forge(t, content(`"retention":30`, `"retention":1000000`)),
		"chose more":    forge(t, content(`"detail":"category"`, `"detail":"title"`)),
		"chose less":    forge(t, content(`"pictures":true`, `"pictures":false`)),
		"chose longer":  forge(t, content(`"interval":300`, `"interval":700`)),
		"upper case":    forge(t, content(dvm.String(), strings.ToUpper(dvm.String()))),
	} {
		if got, err := consent.Read(b); !errors.Is(err, consent.ErrInvalid) || got != (pow.Agreement{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := consent.Read(forge(t, func(e *event.Event) { e.Tags[1][1] = "2" })); !errors.Is(err, consent.ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
}

func TestSignRefusesWhatNobodyCanAskFor(t *testing.T) {
	for name, change := range map[string]func(*pow.Demand){
		"project": func(d *pow.Demand) { d.Project = "Website" }, "pictures": func(d *pow.Demand) { d.Pictures = "" }, "days": func(d *pow.Demand) { d.Retention = 1 << 20 },
	} {
		a := agreement()
		change(&a.Demand)
		if _, err := consent.Sign(member, a, signed); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

var update = flag.Bool("update", false, "make the vector if it is not there yet")

// vector is a consent and what it says.
type vector struct {
	Event     string        `json:"event"`
	Agreement pow.Agreement `json:"agreement"`
}

// Every consent that a released program may have signed can be read for ever.
func TestVector(t *testing.T) {
	const file = "testdata/vectors/v1/consent.json"
	if _, err := os.Stat(file); *update && errors.Is(err, os.ErrNotExist) {
		b := sign(t, agreement())
		a, err := consent.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := json.MarshalIndent(vector{string(b), a}, "", "  ")
		if err = errors.Join(err, os.MkdirAll("testdata/vectors/v1", 0o755), os.WriteFile(file, append(doc, '\n'), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	got, err := consent.Read([]byte(v.Event))
	if err != nil || cmp.Diff(v.Agreement, got) != "" {
		t.Error(err, cmp.Diff(v.Agreement, got))
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sign(f, agreement()))
	a := agreement()
	a.Demand.Pictures, a.Choice = pow.Forbidden, pow.ProjectChoice{}
	f.Add(sign(f, a))
	f.Add([]byte(`{"kind":25943,"tags":[["v","2"]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := consent.Read(b)
		if err != nil {
			return
		}
		if a.Author.IsZero() || a.Demand.More(a.Demand) || a.Demand.Bound(a.Choice) != a.Choice {
			t.Fatalf("%+v", a)
		}
	})
}
