package envelope_test

import (
	"encoding/json"
	"os"
	"testing"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

func loadJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The worked example of NIP-59. Its rumor is of kind 1 and addressed to nobody,
// so it opens below the list of kinds and is refused by it.
func TestNIP59Example(t *testing.T) {
	var v struct {
		Author, Recipient, OneTime string
		Rumor, Seal, Wrap          json.RawMessage
	}
	loadJSON(t, "nip59.json", &v)
	r := envelope.Reader{Me: secret(v.Recipient), Kinds: []int{1}, Allow: func(k pow.Key) bool { return k == secret(v.Author).Public() }}
	_, seal, rumor, err := r.Layers(v.Wrap, at(1_703_021_488))
	if err != nil {
		t.Fatal(err)
	}
	want, err := event.Parse(v.Seal)
	if err != nil || want.String() != seal.String() || event.Author(seal) != secret(v.Author).Public() {
		t.Errorf("seal %v", seal)
	}
	plain, err := event.ParseRumor(v.Rumor)
	if err != nil || rumor.ID != plain.ID || rumor.Content != "Are you going to the party tonight?" {
		t.Errorf("rumor %v, %v", rumor, err)
	}
	if _, err := r.Open(v.Wrap, at(1_703_021_488)); !rejected(err, 5, "recipient") {
		t.Errorf("open: %v", err)
	}
}

// The two wraps of NIP-17: one for the receiver, one for the sender.
func TestNIP17Examples(t *testing.T) {
	var v struct {
		Sender, Receiver string
		Wraps            []json.RawMessage
	}
	loadJSON(t, "nip17.json", &v)
	sender, err := identity.Import(v.Sender, "")
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := identity.Import(v.Receiver, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, me := range []identity.Secret{receiver, sender} {
		_, seal, rumor, err := envelope.Reader{Me: me}.Layers(v.Wraps[i], at(1_703_200_000))
		if err != nil {
			t.Fatal(i, err)
		}
		if rumor.Kind != 14 || rumor.Content != "Hola, que tal?" || rumor.PubKey != seal.PubKey || event.Author(rumor) != sender.Public() {
			t.Errorf("%d: %v", i, rumor)
		}
	}
}
