package envelope_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"testing"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/hkdf"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

// forgery builds a Letter around the Notice of the vectors and breaks it where
// it is told to. Before means: and everything after it is made to fit.
type forgery struct {
	author      identity.Secret // of rumor and seal; zero: the member
	rumor       func(*event.Event)
	rumorAfter  func(*event.Event) // the id is not made to fit
	rumorJSON   func([]byte) []byte
	seal        func(*event.Event)
	sealAfter   func(*event.Event) // neither id nor signature are made to fit
	sealJSON    func([]byte) []byte
	wrap        func(*event.Event)
	wrapAfter   func(*event.Event)
	to          pow.Key
	sealPayload func([32]byte) string // instead of the encrypted rumor
	wrapPayload func([32]byte) string // instead of the encrypted seal
}

func (f forgery) letter(t testing.TB) []byte {
	t.Helper()
	author := f.author
	if author.IsZero() {
		author = member
	}
	to := dvm.Public()
	rumor := f.plain(t, author)
	seal := &event.Event{Kind: 13, CreatedAt: 1_795_100_000, Tags: event.Tags{}, Content: f.payload(t, author, to, 1, rumor, f.sealPayload)}
	sign(t, author, seal, f.seal, f.sealAfter)
	sealed := event.Marshal(seal)
	if f.sealJSON != nil {
		sealed = f.sealJSON(sealed)
	}
	wrap := &event.Event{Kind: 1059, CreatedAt: 1_795_120_000, Tags: event.Tags{{"p", to.String()}, {"expiration", "1797830000"}},
		Content: f.payload(t, oneTime[1], to, 2, sealed, f.wrapPayload)}
	sign(t, oneTime[1], wrap, f.wrap, f.wrapAfter)
	return event.Marshal(wrap)
}

func (f forgery) plain(t testing.TB, author identity.Secret) []byte {
	t.Helper()
	_, seal, err := fixed(1, noticeTime, 1_795_100_000, 0, oneTime[1]).SealNotice(author, vectorNotice(), at(noticeTime))
	if err != nil {
		t.Fatal(err)
	}
	s, err := event.Parse(seal)
	if err != nil {
		t.Fatal(err)
	}
	k, err := envelope.Conversation(author, dvm.Public())
	if err != nil {
		t.Fatal(err)
	}
	b, err := envelope.Decrypt(k, s.Content)
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.ParseRumor(b)
	if err != nil {
		t.Fatal(err)
	}
	if f.rumor != nil {
		f.rumor(e)
		e.ID = e.GetID()
	}
	if f.rumorAfter != nil {
		f.rumorAfter(e)
	}
	b = event.Marshal(e)
	if f.rumorJSON != nil {
		b = f.rumorJSON(b)
	}
	return b
}

func (f forgery) payload(t testing.TB, from identity.Secret, to pow.Key, nonce byte, plain []byte, instead func([32]byte) string) string {
	t.Helper()
	k, err := envelope.Conversation(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if instead != nil {
		return instead(k)
	}
	s, err := envelope.Encrypt(k, [32]byte{31: nonce}, plain)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, k identity.Secret, e *event.Event, before, after func(*event.Event)) {
	t.Helper()
	if before != nil {
		before(e)
	}
	if err := signZero(k, e); err != nil {
		t.Fatal(err)
	}
	if after != nil {
		after(e)
	}
}

// padded44 encrypts bytes that are padded already, rightly or not, as NIP-44
// version 2 does.
func padded44(key [32]byte, padded []byte) string {
	nonce := [32]byte{31: 9}
	r := hkdf.Expand(sha256.New, key[:], nonce[:])
	var keys [76]byte
	if _, err := io.ReadFull(r, keys[:]); err != nil {
		panic(err)
	}
	c, err := chacha20.NewUnauthenticatedCipher(keys[:32], keys[32:44])
	if err != nil {
		panic(err)
	}
	text := make([]byte, len(padded))
	c.XORKeyStream(text, padded)
	mac := hmac.New(sha256.New, keys[44:])
	mac.Write(nonce[:])
	mac.Write(text)
	out := append([]byte{2}, nonce[:]...)
	return base64.StdEncoding.EncodeToString(mac.Sum(append(out, text...)))
}

func rejected(err error, step int, reason string) bool {
	var e *envelope.RejectError
	return errors.As(err, &e) && e.Step == step && e.Reason == reason
}
