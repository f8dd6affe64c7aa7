package envelope_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/google/go-cmp/cmp"

	"pow.do/services/pow"
	"pow.do/services/wire/envelope"
	"pow.do/services/wire/event"
	"pow.do/services/wire/identity"
)

var write = flag.Bool("write", false, "write the vectors that do not exist yet")

// golden compares with a file of testdata/vectors/v1. What exists is never
// rewritten: every later version has to read it as it is.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "vectors", "v1", name)
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && *write {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.TrimSuffix(string(want), "\n"), got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// The keys of the vectors.
var (
	member  = secret("7f7ff03d123792d6ac594bfa67bf6d0c0ab55b6b1fdb6249303fe861f1ccba9a") // NIP-06, first vector
	dvm     = secret("c15d739894c81a2fcfd3a2df85a0d2c0dbc47a280d092799f144d73d7ae78add") // NIP-06, second vector
	device  = secret("e108399bd8424357a710b606ae0c13166d853d327e47a6e5e038197346bdbf45") // NIP-59, recipient
	oneTime = [3]identity.Secret{1: secret("4f02eac59266002db5801adc5270700ca69d5b8f761d8732fab2fbf233c90cbd"), 2: secret("0beebd062ec8735f4243466049d7747ef5d6594ee838de147f8aab842b15e273")}
)

func secret(s string) identity.Secret {
	k, err := identity.ParseSecretHex(s)
	if err != nil {
		panic(err)
	}
	return k
}

// signZero signs with 32 zero bytes of auxiliary randomness.
func signZero(k identity.Secret, e *event.Event) error {
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

func at(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

func fixed(nonce byte, now, dated, expires int64, key identity.Secret) envelope.Fixed {
	f := envelope.Fixed{Nonce: nonce, Back: time.Duration(now-dated) * time.Second, OneTime: key, Sign: signZero}
	if expires != 0 {
		f.Extra = time.Duration(expires-now-30*86_400) * time.Second
	}
	return f
}

func sum(s string) pow.Hash { return sha256.Sum256([]byte(s)) }

const (
	noticeTime  = 1_795_190_625
	receiptTime = 1_795_190_700
	noticeID    = "b3c55b71eb2e40586528d41c781131ef11dd9d9d6542dac4d292937d0cf125ab"
	receiptID   = "bb16d1f7e45e81bc7665cfb3ad8a9b9ce694b4d92c40019cc11f69a4d8960312"
	ulid        = pow.SessionID("01JD5V3W8Q4N2Z7K9T6M1B0XYA")
)

func hash(s string) pow.Hash {
	h, err := pow.ParseHash(s)
	if err != nil {
		panic(err)
	}
	return h
}

func vectorNotice() pow.Notice {
	return pow.Notice{
		DVM: dvm.Public(), Sealed: sum("pow.do vector sealed 17"), Size: 184_320, Archive: 1, Alg: "age-pq", Recipient: "5f0c2a91b3d4e6f7",
		Servers: []string{"https://hub.example.com", "https://blobs.example.org"}, Statement: sum("pow.do vector statement 17"),
		Action: pow.ActionExtend, Device: device.Public(), Project: "3f6c1d2e9a0b4c5d", KimaiActivity: "7b1e0f42c3d85a96", Session: ulid,
		Seq: 17, Prev: sum("pow.do vector statement 16"), Interval: pow.Interval{From: at(1_795_190_010), To: at(1_795_190_610)}, Catalogue: 7,
	}
}

func vectorReceipt() pow.Receipt {
	return pow.Receipt{
		Device: device.Public(), Answers: hash(noticeID), Sealed: sum("pow.do vector sealed 17"), Session: ulid, Seq: 17,
		Code: pow.CodeBooked, Text: "accepted and booked", Blob: "deleted",
		Span: pow.Interval{From: at(1_795_185_210), To: at(1_795_190_610)}, Proven: 5400,
		Booking: pow.Booking{State: "booked", System: "kimai", Timesheet: 4711},
	}
}

type sealed struct {
	rumor                string
	seal, sealContent    string
	wrap, wrapJSON       string
	wrapContent          string
	from                 identity.Secret
	to                   identity.Secret
	now, dated, wrapped  int64
	expires              int64
	sealNonce, wrapNonce byte
	oneTime              identity.Secret
}

func (v sealed) check(t *testing.T, id pow.Hash, seal []byte, err error) pow.Letter {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != v.rumor {
		t.Errorf("rumor id %s", id)
	}
	e, err := event.Parse(seal)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != v.seal || digest(e.Content) != v.sealContent || len(seal) != 3163 {
		t.Errorf("seal %s, content %s, %d bytes", e.ID, digest(e.Content), len(seal))
	}
	l, err := fixed(v.wrapNonce, v.now, v.wrapped, v.expires, v.oneTime).Wrap(seal, v.to.Public(), at(v.now))
	if err != nil {
		t.Fatal(err)
	}
	e, err = event.Parse(l.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if l.ID.String() != v.wrap || digest(e.Content) != v.wrapContent || digest(string(l.JSON)) != v.wrapJSON || len(l.JSON) != 5313 || !l.Made.Equal(at(v.now)) {
		t.Errorf("wrap %s, content %s, JSON %s, %d bytes", l.ID, digest(e.Content), digest(string(l.JSON)), len(l.JSON))
	}
	return l
}

func digest(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

var noticeVector = sealed{
	rumor: noticeID, seal: "e4bc45e0ba956c2df4f72d24971a877c62a6bce850239eed938b6eda230bf6c6",
	sealContent: "32bddeaa0ef5f7a9be3047eb9b4b622d567bf310186f4da736e1037939fd2e70",
	wrap:        "c1bb7a7b852789268731ceadb0ee86f905905b8a52e4b2946b4048e2fbc223e5",
	wrapContent: "48343e2d714a5fc9b2669dd373dda2262a84bf8e4ae96f333e37d13b3abf2aea",
	wrapJSON:    "f27b880b2f24cc8d4ee9fdd29749683316fd9f314835328a60c95ddda02109da",
	from:        member, to: dvm, now: noticeTime, dated: 1_795_100_000, wrapped: 1_795_120_000, expires: 1_797_830_000,
	sealNonce: 1, wrapNonce: 2, oneTime: oneTime[1],
}

var receiptVector = sealed{
	rumor: receiptID, seal: "35f04d21a0944626c3814acdd0776f72cefca29c2f30235c847b7ac37bdbd7b7",
	sealContent: "69d4157802d7ec50d0a3c8315f2b646d49a7157d3316ec4d43279ca7ff2fa8d0",
	wrap:        "cb6a41694d12ecdc67f68224b067b0dd1aac897d8d387ba1e74a989541f08bbf",
	wrapContent: "2af871a84a078201e534b23c2505f25be58e211d605804ab690f4bd3cc26d9ec",
	wrapJSON:    "06aa002ebaf6857940934b506955786f3faba45054fe60b10d6cccefd63a02c2",
	from:        dvm, to: device, now: receiptTime, dated: 1_795_110_000, wrapped: 1_795_090_000, expires: 1_797_800_000,
	sealNonce: 3, wrapNonce: 4, oneTime: oneTime[2],
}

func TestVectorNotice(t *testing.T) {
	v := noticeVector
	id, seal, err := fixed(v.sealNonce, v.now, v.dated, 0, v.oneTime).SealNotice(v.from, vectorNotice(), at(v.now))
	l := v.check(t, id, seal, err)
	golden(t, "notice.letter.json", string(l.JSON))
	m, err := dvmReader().Open(l.JSON, at(v.now))
	if err != nil || m.Bad != "" {
		t.Fatal(m.Bad, err)
	}
	want := vectorNotice()
	want.ID, want.Author, want.CreatedAt = id, member.Public(), at(noticeTime)
	if d := cmp.Diff(&want, m.Notice); d != "" {
		t.Error(d)
	}
	if m.Wrap != l.ID || m.Rumor != id || m.Author != member.Public() || string(m.SealEvent) != string(seal) || m.Device != device.Public() || !m.WrapTime.Equal(at(v.wrapped)) {
		t.Errorf("%+v", m)
	}
}

func TestVectorReceipt(t *testing.T) {
	v := receiptVector
	id, seal, err := fixed(v.sealNonce, v.now, v.dated, 0, v.oneTime).SealReceipt(v.from, vectorReceipt(), at(v.now))
	l := v.check(t, id, seal, err)
	golden(t, "receipt.letter.json", string(l.JSON))
	m, err := clientReader().Open(l.JSON, at(v.now))
	if err != nil || m.Bad != "" {
		t.Fatal(m.Bad, err)
	}
	want := vectorReceipt()
	want.ID, want.DVM, want.CreatedAt = id, dvm.Public(), at(receiptTime)
	if d := cmp.Diff(&want, m.Receipt); d != "" {
		t.Error(d)
	}
}

func TestVectorBinding(t *testing.T) {
	b, err := fixed(0, 0, 0, 0, oneTime[1]).Binding(device, member.Public(), dvm.Public(), at(1_795_100_150))
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Parse(b)
	if err != nil || e.ID != "03c553d0b343a7156bd4373867592893998006934f7c687961537858c428b3ab" || len(b) != 508 {
		t.Errorf("%v, %d bytes: %s", err, len(b), b)
	}
	golden(t, "binding.json", string(b))
}

type signer struct{ identity.Secret }

func (s signer) Sign(e *event.Event) error { return signZero(s.Secret, e) }

func TestVectorDeletion(t *testing.T) {
	b, err := envelope.Deletion(signer{dvm}, []pow.Hash{hash(noticeVector.wrap)}, at(1_795_190_705))
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Parse(b)
	if err != nil || e.ID != "4b124e7694f5d77b13b7f44f59e63e506062682051ab9f25fb3242261c7bedf2" {
		t.Errorf("%v: %s", err, b)
	}
	golden(t, "deletion.json", string(b))
	for _, n := range []int{0, 100} {
		if _, err := envelope.Deletion(dvm, make([]pow.Hash, n), at(1)); err == nil {
			t.Errorf("a deletion of %d", n)
		}
	}
}

func dvmReader() envelope.Reader {
	return envelope.Reader{Me: dvm, Kinds: []int{envelope.KindNotice, envelope.KindAccount}, Allow: func(k pow.Key) bool { return k == member.Public() }}
}

func clientReader() envelope.Reader {
	return envelope.Reader{Me: device, Kinds: []int{envelope.KindReceipt, envelope.KindCatalogue}, Allow: func(k pow.Key) bool { return k == dvm.Public() }}
}
