// Package relaystest says what a mailbox relay must do, as a test suite, and
// has two relays for the tests of others.
//
// Run holds any relay to the contract of pow.do's mailbox (NIP-01, 09, 11, 40,
// 42, 45, 59, 62, 70): reads of gift wraps only by their recipient, on every
// path; store and replay; back-dated wraps; deletion by the recipient;
// replaced subscriptions. It speaks frames over a socket and uses none of the
// code that it judges. What a relay announces in its NIP-11 document is tested
// only when announced; Target.Hub adds the rules that pow.do's own hub makes
// stricter than a standard relay. The suite leaves a few Letters behind in a
// relay without deletion, and may be run against one store again and again.
//
// Double is an honest relay in memory, and passes Run. Hostile is a server
// whose every byte is written by a script. Both are for tests only: they listen
// on 127.0.0.1, or in memory for testing/synctest (see Memory).
package relaystest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/event"
)

// Signer holds one secp256k1 key.
type Signer interface {
	Public() pow.Key
	Sign(*event.Event) error
}

// Target is the relay to judge. Member and Other are two devices that may use
// it, DVM is the DVM of both.
type Target struct {
	URL    string // where to dial: ws:// or wss://, no path
	Origin string // what an AUTH names as its relay; URL when empty
	Member Signer
	Other  Signer
	DVM    Signer
	HTTP   *http.Client // nil: http.DefaultClient

	// Hub asks for every rule of pow.do's hub, not only for those that any
	// mailbox relay needs.
	Hub bool
	// Spare is one more device that may use the relay. The suite makes it
	// leave and vanish, so it cannot be used twice. nil: not tested.
	Spare Signer
	// Claim makes a hub claim (kind 25940, base64url) that this relay accepts.
	// nil: joining is not tested.
	Claim func(t *testing.T) string
}

// Key is a Signer for tests: its secret is the SHA-256 of a word.
type Key struct {
	secret string
	public pow.Key
}

// NewKey returns the key of a word, the same one every time.
func NewKey(word string) Key {
	s := sha256.Sum256([]byte(word))
	k := Key{secret: hex.EncodeToString(s[:])}
	var e event.Event
	if err := e.Sign(k.secret); err != nil {
		panic("relaystest: sign with a hash as the key")
	}
	k.public = event.Author(&e)
	return k
}

// RandomKey returns a key that nobody has seen before.
func RandomKey() Key { return NewKey(rand.Text()) }

// Public returns the x-only public key.
func (k Key) Public() pow.Key { return k.public }

// Sign sets pubkey, id and sig.
func (k Key) Sign(e *event.Event) error { return e.Sign(k.secret) }

// suite is one run of Run: the target and what its NIP-11 document promises.
type suite struct {
	Target
	nips []int
}

// promises tells whether the relay lists the NIP.
func (s *suite) promises(nip int) bool { return slices.Contains(s.nips, nip) }

// Run judges a relay. Each rule is a sub-test of its own.
func Run(t *testing.T, target Target) {
	if target.Origin == "" {
		target.Origin = target.URL
	}
	if target.HTTP == nil {
		target.HTTP = http.DefaultClient
	}
	s := &suite{Target: target}
	s.information(t)
	always := func() bool { return true }
	hub := func() bool { return s.Hub }
	nip := func(n int) func() bool { return func() bool { return s.promises(n) } }
	for _, c := range []struct {
		name string
		when func() bool
		run  func(*testing.T)
	}{
		{"auth", always, s.auth},
		{"auth/two-keys", hub, s.authTwoKeys},
		{"auth/forwarded-host", always, s.authForwardedHost},
		{"auth/silent-stranger", hub, s.authLimits},
		{"read/unauthenticated", always, s.readUnauthenticated},
		{"read/foreign", always, s.readForeign},
		{"read/foreign-live", always, s.readForeignLive},
		{"read/random-filters", always, s.readRandomFilters},
		{"count", nip(45), s.count},
		{"negentropy", nip(77), s.negentropy},
		{"store", always, s.store},
		{"store/backdated", always, s.storeBackdated},
		{"store/duplicate", always, s.storeDuplicate},
		{"store/forged", always, s.storeForged},
		{"replay/reconnect", always, s.replayReconnect},
		{"replay/pages", always, s.replayPages},
		{"live", always, s.live},
		{"live/limit-0", always, s.liveLimitZero},
		{"live/repeated", always, s.liveRepeated},
		{"live/replaced", always, s.liveReplaced},
		{"live/race", always, s.liveRace},
		{"live/slow-reader", always, s.liveSlowReader},
		{"delete", nip(9), s.delete},
		{"delete/first", nip(9), s.deleteFirst},
		{"delete/foreign", nip(9), s.deleteForeign},
		{"expire", nip(40), s.expire},
		{"frames", always, s.frames},
		{"hub/kinds", hub, s.hubKinds},
		{"hub/mailboxes", hub, s.hubMailboxes},
		{"hub/shape", hub, s.hubShape},
		{"hub/filters", hub, s.hubFilters},
		{"hub/subscriptions", hub, s.hubSubscriptions},
		{"hub/announcement", hub, s.hubAnnouncement},
		{"hub/join", func() bool { return s.Hub && s.Claim != nil }, s.hubJoin},
		{"hub/vanish", func() bool { return s.Hub && s.Spare != nil }, s.hubVanish},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.when() {
				t.Skip("not promised by this relay")
			}
			c.run(t)
		})
	}
}

// information reads the NIP-11 document; a mailbox must promise NIP-42.
func (s *suite) information(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(s.URL, "ws"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // leave no idle connection behind
	req.Header.Set("Accept", "application/nostr+json")
	resp, err := s.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Nips []int `json:"supported_nips"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("NIP-11 document: %s, %v", resp.Status, err)
	}
	s.nips = doc.Nips
	for _, n := range []int{1, 11, 42} {
		if !s.promises(n) {
			t.Errorf("supported_nips %v lacks %d", s.nips, n)
		}
	}
	if got := resp.Header.Get("Access-Control-Allow-Origin"); s.Hub && got != "*" {
		t.Errorf("NIP-11 document: Access-Control-Allow-Origin is %q", got)
	}
}

// Letter makes a gift wrap as relays see them: a one-time key, one p, a
// back-dated created_at and 264 characters of base64. Nobody can open it.
func Letter(to pow.Key, change ...func(*event.Event)) *event.Event {
	now := time.Now().Unix()
	e := &event.Event{
		Kind: 1059, CreatedAt: event.Timestamp(now - random(172_800)),
		Tags:    event.Tags{{"p", to.String()}, {"expiration", decimal(now + 30*86_400)}},
		Content: ciphertext(198),
	}
	for _, f := range change {
		f(e)
	}
	mustSign(RandomKey(), e)
	return e
}

// At sets created_at to now plus so many seconds.
func At(seconds int64) func(*event.Event) {
	return func(e *event.Event) { e.CreatedAt = event.Timestamp(time.Now().Unix() + seconds) }
}

func mustSign(k Signer, e *event.Event) {
	if err := k.Sign(e); err != nil {
		panic("relaystest: a test key did not sign")
	}
}
