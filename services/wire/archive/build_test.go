package archive_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/nbd-wtf/go-nostr"

	"pow.do/services/pow"
	"pow.do/services/wire/archive"
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
	author = signer(strings.Repeat("11", 32))
	other  = signer(strings.Repeat("22", 32))
	device = signer(strings.Repeat("33", 32)).Public()
	dvm    = signer(strings.Repeat("44", 32)).Public()
	start  = time.Unix(1_795_190_010, 0).UTC()
	sealed = start.Add(601 * time.Second)
)

func sealer() archive.Sealer {
	return archive.Sealer{Author: author, Device: device, DVM: dvm, App: "powdo test"}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// pngOf draws a small picture that depends on n.
func pngOf(t testing.TB, n, width, height int) []byte {
	m, x := image.NewRGBA(image.Rect(0, 0, width, height)), uint32(n)*2654435761+1
	for i := range m.Pix {
		x ^= x << 13 // xorshift: noise does not compress
		x ^= x >> 17
		x ^= x << 5
		m.Pix[i] = byte(x)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpgOf(t testing.TB, n, width, height int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, color.RGBA{byte(i * n), byte(i >> 3), byte(n), 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func captureOf(at time.Time, b []byte, format string, width, height int) pow.Capture {
	id, err := pow.NewULID(at, rand.Reader)
	if err != nil {
		panic(err)
	}
	return pow.Capture{ID: id, Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", At: at, Format: format, Width: width, Height: height,
		Size: int64(len(b)), Hash: sha256.Sum256(b),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// proof is a Proof with two pictures and two rows.
func proof(t testing.TB) pow.Proof {
	p := pow.Proof{
		Session: "01JD5V3W8Q4N2Z7K9T6M1B0XYA", Project: "3f6c1d2e9a0b4c5d", KimaiActivity: "7b1e0f42c3d85a96",
		Note: "fixed <the> \"parser\"\n\u2028 & Grüße", Dropped: 1,
		Interval: pow.Interval{From: start, To: start.Add(600 * time.Second)},
		Captures: []pow.Capture{
			captureOf(start.Add(30*time.Second), pngOf(t, 1, 40, 30), "png", 40, 30),
			captureOf(start.Add(330*time.Second), jpgOf(t, 2, 50, 20), "jpg", 50, 20),
		},
		Activity: pow.Activity{AsOf: sealed.Add(-500 * time.Millisecond), Provisional: true, Active: 400 * time.Second, Away: 150 * time.Second, Unknown: 50 * time.Second,
			Rows: []pow.ActivityRow{
				{From: start, To: start.Add(90 * time.Second), Kind: "window", App: "editor", Title: "main.go <\u2029>"},
				{From: start.Add(90 * time.Second), To: start.Add(600 * time.Second), Kind: "web", App: "browser", Host: "example.com", Category: "work"},
			}},
	}
	p.Captures[0].Display = 1
	p.Captures[0].Again = []time.Time{start.Add(60 * time.Second), start.Add(90 * time.Second)}
	return p
}

// keys are one archive key of each algorithm.
type keys struct {
	secret archive.Key
	public pow.Recipient
}

func agePQ(t testing.TB) keys {
	id := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
	return keysOf(t, pow.AgePQ, id.String(), id.Recipient().String())
}

func ageX25519(t testing.TB) keys {
	id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	return keysOf(t, pow.AgeX25519, id.String(), id.Recipient().String())
}

func keysOf(t testing.TB, alg, secret, public string) keys {
	t.Helper()
	id := must[string](t)(archive.ParseRecipient(alg, public, sealed))
	return keys{archive.Key{Alg: alg, Secret: secret}, pow.Recipient{ID: id, Alg: alg, Key: public}}
}

// noticeOf is the Notice that goes with a Sealed.
func noticeOf(s pow.Statement, f pow.Sealed) pow.Notice {
	return pow.Notice{Author: s.Author, DVM: s.DVM, Sealed: f.Hash, Size: f.Size, Archive: f.Archive, Alg: f.Alg, Recipient: f.Recipient,
		Statement: s.ID, Device: s.Device, Project: s.Project, KimaiActivity: s.KimaiActivity, Session: s.Session, Seq: s.Seq,
		Prev: s.Prev, Interval: s.Interval}
}

// seal makes an archive of p as the first of its chain.
func seal(t testing.TB, p pow.Proof, k keys) ([]byte, pow.Notice) {
	t.Helper()
	var b bytes.Buffer
	st, f, _, err := sealer().Seal(context.Background(), &b, p, 1, pow.Hash{}, k.public, sealed)
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	return b.Bytes(), noticeOf(st, f)
}

func opener(t testing.TB, ks ...keys) *archive.Opener {
	t.Helper()
	var all []archive.Key
	for _, k := range ks {
		all = append(all, k.secret)
	}
	return must[*archive.Opener](t)(archive.NewOpener(all...))
}

func open(o *archive.Opener, b []byte, want pow.Notice) (pow.Opened, error) {
	return o.Open(context.Background(), bytes.NewReader(b), int64(len(b)), want)
}

// parts are the pieces of an archive, to be changed and put together again.
type parts struct {
	m         *archive.Manifest
	statement pow.Statement // Root is set when they are put together
	files     [][]byte      // in the manifest's order
	by        archive.Signer
	random    io.Reader
	// override replaces a document after everything was computed.
	override map[string]func([]byte) []byte
}

func partsOf(t testing.TB, p pow.Proof) *parts {
	t.Helper()
	rows := must[[]byte](t)(archive.EncodeActivity(p.Activity.Rows))
	x := &parts{m: archive.NewManifest(p, rows, "powdo test"), by: author, random: rand.Reader,
		statement: pow.Statement{Device: device, DVM: dvm, Session: p.Session, Project: p.Project, KimaiActivity: p.KimaiActivity,
			Seq: 1, Interval: p.Interval}, override: map[string]func([]byte) []byte{}}
	for _, c := range p.Captures {
		r := must[io.ReadCloser](t)(c.Open())
		x.files = append(x.files, must[[]byte](t)(io.ReadAll(r)))
	}
	if len(rows) > 0 {
		x.files = append(x.files, rows)
	}
	if len(p.Consent) > 0 {
		x.files = append(x.files, p.Consent)
	}
	return x
}

// piece is one entry of a forged zip.
type piece struct {
	name   string
	method uint16
	body   []byte // as it lies in the zip
	size   int64
	crc    uint32
}

func storedPiece(name string, b []byte) piece {
	return piece{name, archive.Stored, b, int64(len(b)), crc32.ChecksumIEEE(b)}
}

// pieces computes leaves, root and signature.
func (x *parts) pieces(t testing.TB) ([]piece, pow.Statement) {
	t.Helper()
	root := must[pow.Hash](t)(x.m.Salting(x.random))
	x.statement.Root = root
	st, statement, err := archive.Sign(x.by, x.statement, sealed)
	if err != nil {
		t.Fatal(err)
	}
	manifest := must[[]byte](t)(archive.Encode(x.m))
	change := func(name string, b []byte) []byte {
		if f := x.override[name]; f != nil {
			return f(b)
		}
		return b
	}
	out := []piece{storedPiece("statement.json", change("statement.json", statement)), storedPiece("manifest.json", change("manifest.json", manifest))}
	for i, f := range x.m.Files {
		out = append(out, storedPiece(string(f.Name), x.files[i]))
	}
	return append(out, storedPiece("pad", nil)), st
}

// zipOf lays pieces out as an archive does.
func zipOf(pieces []piece) []byte {
	var b []byte
	var entries []archive.Entry
	for _, p := range pieces {
		e := archive.MakeEntry(p.name, p.method, p.crc, int64(len(p.body)), p.size, int64(len(b)))
		b = append(append(b, e.Local()...), p.body...)
		entries = append(entries, e)
	}
	return append(b, archive.Tail(entries)...)
}

func verify(b []byte) (pow.Opened, error) {
	return archive.Verify(context.Background(), bytes.NewReader(b), int64(len(b)))
}

// sealPlain encrypts a forged archive, whose last piece is the pad, so that its
// size is right.
func sealPlain(t testing.TB, pieces []piece, k keys) []byte {
	t.Helper()
	r := must[age.Recipient](t)(func() (age.Recipient, error) {
		if k.public.Alg == pow.AgePQ {
			return age.ParseHybridRecipient(k.public.Key)
		}
		return age.ParseX25519Recipient(k.public.Key)
	}())
	empty, _, err := archive.SizeOf(k.public, sealed, 0)
	if err != nil {
		t.Fatal(err)
	}
	pad, _, err := archive.Fit(int64(len(zipOf(pieces))), func(n int64) int64 { return empty - 16 + n + (n+65535)/65536*16 })
	if err != nil {
		t.Fatal(err)
	}
	pieces[len(pieces)-1] = storedPiece("pad", make([]byte, pad))
	var b bytes.Buffer
	w := must[io.WriteCloser](t)(age.Encrypt(&b, r))
	if _, err := w.Write(zipOf(pieces)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := int64(b.Len()); archive.Padme(n) != n {
		t.Fatalf("forged archive of %d bytes is not of a Padmé size", n)
	}
	return b.Bytes()
}

var text = archive.Text

func isCode(err error, want pow.Code) bool {
	coded := new(pow.Error)
	return errors.As(err, &coded) && coded.Code == want
}
