package blossom_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"pow.do/services/pow"
	"pow.do/services/wire/blossom"
	"pow.do/services/wire/blossom/blossomtest"
	"pow.do/services/wire/event"
	"pow.do/services/wire/relays/relaystest"
)

// vectorKey signs with BIP-340 and 32 zero bytes as auxiliary randomness, so
// that others get the same signature.
type vectorKey struct{ secret string }

func (k vectorKey) Public() pow.Key { return pow.Key{} }

func (k vectorKey) Sign(e *event.Event) error {
	b, err := hex.DecodeString(k.secret)
	if err != nil {
		return err
	}
	secret, public := btcec.PrivKeyFromBytes(b)
	e.PubKey = hex.EncodeToString(schnorr.SerializePubKey(public))
	id := sha256.Sum256(e.Serialize())
	sig, err := schnorr.Sign(secret, id[:], schnorr.CustomNonce([32]byte{}))
	if err != nil {
		return err
	}
	e.ID, e.Sig = hex.EncodeToString(id[:]), hex.EncodeToString(sig.Serialize())
	return nil
}

// The upload token of the wire document: one string in all four base64 forms.
func TestTokenVector(t *testing.T) {
	var v struct {
		Secret, Sealed, Origin, ID, Token string
		Now                               int64
		SHA256                            string `json:"sha256"`
	}
	b, err := os.ReadFile("testdata/vectors/v1/token.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var sent string
	c := client(func(c *blossom.Config) {
		c.Key = vectorKey{v.Secret}
		c.Now = func() time.Time { return time.Unix(v.Now, 0) }
		c.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			sent = r.Header.Get("Authorization")
			return nil, errors.New("no network")
		})}
	})
	s, _ := sealed(1000)
	s.Hash = sha256.Sum256([]byte(v.Sealed))
	if _, err := c.Put(t.Context(), v.Origin, s); err == nil {
		t.Fatal("no error")
	}
	token := strings.TrimPrefix(sent, "Nostr ")
	if sum := sha256.Sum256([]byte(token)); token != v.Token || hex.EncodeToString(sum[:]) != v.SHA256 {
		t.Errorf("token is\n%s\nwant\n%s", token, v.Token)
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]*base64.Encoding{"standard, no padding": base64.RawStdEncoding, "URL": base64.URLEncoding, "URL, no padding": base64.RawURLEncoding} {
		if form.EncodeToString(raw) != token {
			t.Errorf("%s: another string", name)
		}
	}
	e, err := event.Parse(raw)
	if err != nil || event.Verify(e) != nil || e.ID != v.ID {
		t.Errorf("event %+v, %v; want id %s", e, err, v.ID)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A transfer may take as long as it moves, and ends 30 s after it stopped.
func TestIdle(t *testing.T) {
	slow := func(every time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			for range 100 {
				if _, err := w.Write([]byte{7}); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(every):
				case <-r.Context().Done():
					return
				}
			}
		}
	}
	blob := []byte(strings.Repeat("\x07", 100))
	for every, whole := range map[time.Duration]bool{20 * time.Second: true, 40 * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			c := inMemory(t, slow(every))
			began := time.Now()
			err := c.Get(t.Context(), "http://127.0.0.1", sha256.Sum256(blob), 100, discard{})
			took := time.Since(began)
			if whole && (err != nil || took < 30*time.Minute) || !whole && (err == nil || place(t, err).Code != "offline" || took != 30*time.Second) {
				t.Errorf("a byte every %v: %v after %v", every, err, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		began := time.Now()
		ok, _, err := c.Has(t.Context(), "http://127.0.0.1", pow.Hash{})
		if ok || place(t, err).State != pow.PlaceWait || time.Since(began) > time.Minute {
			t.Errorf("a server that never answers: %v after %v", err, time.Since(began))
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// inMemory makes a client of a server without sockets.
func inMemory(t *testing.T, h http.HandlerFunc) *blossom.Client {
	m := relaystest.NewMemory()
	srv := &http.Server{Handler: h}
	done := make(chan error)
	go func() { done <- srv.Serve(m) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return blossom.New(blossom.Config{Key: blossomtest.NewKey("device"), HTTP: m.Client()})
}
