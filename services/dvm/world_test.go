package dvm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/dvm"
	"pow.do/services/dvm/ledger"
	"pow.do/services/dvm/meter"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	relay  = "wss://hub.example.com"
	server = "https://hub.example.com"
)

// digest makes a hash, or a key, of a few words.
func digest(words ...any) pow.Hash { return sha256.Sum256(fmt.Append(nil, words...)) }

var (
	dvmKey = pow.Key(digest("dvm"))
	anna   = pow.Key(digest("anna"))
	bert   = pow.Key(digest("bert"))
	laptop = pow.Key(digest("laptop"))
	tablet = pow.Key(digest("tablet"))
	phone  = pow.Key(digest("phone")) // bert's
	web    = pow.ProjectID("3f6c1d2e9a0b4c5d")
	work   = pow.KimaiActivityID("7b1e0f42c3d85a96")
	policy = digest("policy")
)

func opaque(kind, native string) pow.OpaqueID {
	return pow.OpaqueID(digest(kind, ":", native).String()[:16])
}

// session makes the n-th session id: later ones sort later, as ULIDs do.
func session(n int) pow.SessionID {
	return pow.SessionID(fmt.Sprintf("01JD5V3W8Q4N2Z7K9T6M1B%04d", n))
}

// world is a DVM with a real ledger and a real disk between made-up servers.
type world struct {
	t      testing.TB
	folder string
	l      *ledger.Ledger
	w      *dvm.Worker
	c      dvm.Config

	mu      sync.Mutex
	blobs   map[pow.Hash][]byte // on the Blossom server
	spent   []pow.Hash          // deleted there
	fetched int
	said    []pow.Receipt // to devices, in order
	parts   map[pow.Key][]pow.Catalogue
	deleted map[pow.Hash]int // letters, by wrap id
	origins map[string]int   // dialled for blobs
	down    error            // of the Blossom server
	deaf    bool             // the relay takes nothing
	opening func(pow.Notice) error
	stop    func()
	heard   func(pow.Receipt)
}

// set changes what the doubles do, or looks at it, while the worker runs.
func (x *world) set(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f()
}

// catalogues returns what a device was sent.
func (x *world) catalogues(device pow.Key) (out []pow.Catalogue) {
	x.set(func() { out = slices.Clone(x.parts[device]) })
	return out
}

func newWorld(t testing.TB, change func(*dvm.Config)) *world {
	x := &world{t: t, folder: t.TempDir(), blobs: map[pow.Hash][]byte{}, parts: map[pow.Key][]pow.Catalogue{},
		deleted: map[pow.Hash]int{}, origins: map[string]int{}}
	x.c = dvm.Config{
		Key: dvmKey, Folder: filepath.Join(x.folder, "sealed"), Relays: []string{relay}, Blossom: []string{server},
		Announcement: func() pow.Announcement { return pow.Announcement{ID: digest("ann"), Revision: 1, PolicyHash: policy} },
		Opaque:       opaque, Measure: meter.Measure, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Unwrap: unwrapper(unwrap), Fetch: x, Open: x, Wrap: wrapper{}, Publish: x, Delete: x, Workers: 4,
	}
	if change != nil {
		change(&x.c)
	}
	x.open()
	t.Cleanup(x.close)
	ctx := context.Background()
	x.must(x.l.SetProject(ctx, project(), x.now()))
	for _, m := range []pow.Member{{Identity: anna, Name: "Anna"}, {Identity: bert, Name: "Bert"}} {
		m.ID, m.State, m.KimaiUser = opaque("member", m.Identity.String()), "active", int64(m.Identity[0])+1
		x.must(x.l.SetMember(ctx, m, x.now()))
	}
	for device, who := range map[pow.Key]pow.Key{laptop: anna, tablet: anna, phone: bert} {
		x.enrol(who, device)
	}
	return x
}

func project() pow.BookableProject {
	return pow.BookableProject{Project: pow.Project{ID: web, Name: "Website", Pictures: pow.Optional, Detail: pow.DetailTitle,
		KimaiActivities: []pow.KimaiActivity{{ID: work, Name: "Development"}}}, Active: true, Kimai: 3, KimaiOther: 4, KimaiWork: map[pow.KimaiActivityID]int64{work: 5}}
}

// enrol gives a member a device.
func (x *world) enrol(who, device pow.Key) {
	a := pow.Account{ID: digest("enrol", device), Author: who, DVM: dvmKey, Action: "enrol", Device: device, Policy: policy, Bound: true}
	m := pow.Mail{Wrap: digest("wrap", device), Rumor: a.ID, Author: who, Account: &a}
	code, err := x.l.Enrol(context.Background(), m, pow.Enrolment{Policy: policy, Now: x.now()})
	if err != nil || code != pow.CodeEnrolled {
		x.t.Fatal(code, err)
	}
}

func (x *world) open() {
	var err error
	if x.l, err = ledger.Open(context.Background(), filepath.Join(x.folder, "dvm", "ledger.db")); err != nil {
		x.t.Fatal(err)
	}
	x.c.Ledger = x.l
	if x.w, err = dvm.New(x.c); err != nil {
		x.t.Fatal(err)
	}
}

func (x *world) close() {
	x.halt()
	if err := x.l.Close(); err != nil {
		x.t.Error(err)
	}
}

// start runs the worker; halt ends it and waits.
func (x *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.w.Run(ctx) }()
	x.stop = func() {
		cancel()
		if err := <-done; err != nil {
			x.t.Error(err)
		}
	}
}

func (x *world) halt() {
	if x.stop != nil {
		x.stop()
		x.stop = nil
	}
}

func (x *world) restart() {
	x.close()
	x.open()
	x.start()
}

func (x *world) now() time.Time { return time.Now().Truncate(time.Second).UTC() }

func (x *world) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// in runs f in a bubble of its own time, with a running worker.
func in(t *testing.T, change func(*dvm.Config), f func(x *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 24 * time.Hour) // the clock does not start at a round moment
		x := newWorld(t, change)
		x.start()
		f(x)
		x.halt()
	})
}

// settle lets the worker do all that it does within d.
func (x *world) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// proof makes a Notice with its Sealed on the server; chain, times and servers
// are as a good client makes them.
func (x *world) proof(device pow.Key, s pow.SessionID, seq uint64, i pow.Interval, change ...func(*pow.Notice, *pow.Opened)) pow.Notice {
	n := pow.Notice{Author: owner(device), CreatedAt: i.To, DVM: dvmKey, Archive: 1, Alg: pow.AgePQ, Servers: []string{server},
		Action: pow.ActionExtend, Device: device, Project: web, KimaiActivity: work, Session: s, Seq: seq, Interval: i, Catalogue: 99}
	if seq > 1 {
		n.Prev = digest("statement", device, seq-1)
	}
	n.Statement = digest("statement", device, seq)
	o := pow.Opened{App: "test"}
	o.Proof = pow.Proof{Note: "a note", Captures: []pow.Capture{{ID: "c", At: i.From, Format: "png", Hash: digest("picture", device, seq)}}}
	for _, f := range change {
		f(&n, &o)
	}
	o.Statement = pow.Statement{ID: n.Statement, Author: n.Author, Device: n.Device, DVM: n.DVM, Session: n.Session, Project: n.Project,
		KimaiActivity: n.KimaiActivity, Seq: n.Seq, Prev: n.Prev, Interval: n.Interval, Root: digest("root", n.Statement), CreatedAt: i.To}
	for _, f := range change {
		ignored := n
		f(&ignored, &o)
	}
	if n.Sealed.IsZero() {
		h, size := x.seal(o)
		n.Sealed = h
		if n.Size == 0 {
			n.Size = size
		}
	}
	if n.ID.IsZero() {
		n.ID = digest("rumor", n.Statement, n.Sealed, n.Servers)
	}
	return n
}

func owner(device pow.Key) pow.Key {
	if device == phone {
		return bert
	}
	return anna
}

// seal puts an archive on the server.
func (x *world) seal(o pow.Opened) (pow.Hash, int64) {
	for i := range o.Proof.Captures {
		o.Proof.Captures[i].Open = nil
	}
	b, err := json.Marshal(o)
	x.must(err)
	h := pow.Hash(sha256.Sum256(b))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.blobs[h] = b
	return h, int64(len(b))
}

// letter wraps a Notice for the n-th time.
func letter(n pow.Notice, wrap int) pow.Letter {
	m := pow.Mail{Wrap: digest("wrap", n.ID, wrap), Rumor: n.ID, Author: n.Author, CreatedAt: n.CreatedAt, SealEvent: []byte("seal"), Notice: &n}
	return mail(m)
}

func mail(m pow.Mail) pow.Letter {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return pow.Letter{ID: m.Wrap, JSON: b}
}

func (x *world) deliver(l pow.Letter) {
	x.t.Helper()
	x.must(x.w.Deliver(context.Background(), relay, l))
}

type unwrapper func(letter []byte) (pow.Mail, error)

func (f unwrapper) Open(l []byte, _ time.Time) (pow.Mail, error) { return f(l) }

func unwrap(l []byte) (m pow.Mail, err error) {
	if bytes.HasPrefix(l, []byte("poison")) {
		panic("secret content")
	}
	return m, json.Unmarshal(l, &m)
}

func (x *world) Get(_ context.Context, origin string, h pow.Hash, _ int64, to io.Writer) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fetched++
	x.origins[origin]++
	if x.down != nil {
		return x.down
	}
	b, ok := x.blobs[h]
	if !ok {
		return pow.ErrBlobMissing
	}
	_, err := to.Write(b)
	return err
}

// Delete is the Blossom server's.
func (x *world) Delete(_ context.Context, _ string, h pow.Hash) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.spent = append(x.spent, h)
	delete(x.blobs, h)
	return nil
}

func (x *world) Open(_ context.Context, r io.ReaderAt, size int64, n pow.Notice) (o pow.Opened, err error) {
	if x.opening != nil {
		if err := x.opening(n); err != nil {
			return o, err
		}
	}
	err = json.NewDecoder(io.NewSectionReader(r, 0, size)).Decode(&o)
	return o, err
}

// wrapper wraps by writing JSON.
type wrapper struct{}

type sealed struct {
	Receipt   *pow.Receipt
	Catalogue *pow.Catalogue
	Device    pow.Key
}

func (wrapper) SealReceipt(r pow.Receipt) (pow.Hash, []byte, error) {
	b, err := json.Marshal(sealed{Receipt: &r, Device: r.Device})
	return sha256.Sum256(b), b, err
}

func (wrapper) SealCatalogue(device pow.Key, c pow.Catalogue) ([][]byte, error) {
	b, err := json.Marshal(sealed{Catalogue: &c, Device: device})
	return [][]byte{b}, err
}

func (wrapper) Wrap(seal []byte, _ pow.Key, now time.Time) (pow.Letter, error) {
	at := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	return pow.Letter{ID: digest(seal, at), JSON: seal, Made: now}, nil
}

func (x *world) Publish(_ context.Context, _ string, event []byte) (pow.Answer, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.deaf {
		return pow.Answer{}, errors.New("offline")
	}
	var s sealed
	if err := json.Unmarshal(event, &s); err != nil {
		return pow.Answer{}, err
	}
	if s.Receipt != nil {
		x.said = append(x.said, *s.Receipt)
		if x.heard != nil {
			x.heard(*s.Receipt)
		}
	} else {
		x.parts[s.Device] = append(x.parts[s.Device], *s.Catalogue)
	}
	return pow.Answer{OK: true}, nil
}

func (x *world) DeleteLetters(_ context.Context, wraps []pow.Hash) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, h := range wraps {
		x.deleted[h]++
	}
	return nil
}

// codes returns what was said about a rumor, in order.
func (x *world) codes(rumor pow.Hash) (out []pow.Code) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.said {
		if r.Answers == rumor {
			out = append(out, r.Code)
		}
	}
	return out
}

func (x *world) last(rumor pow.Hash) pow.Receipt {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range slices.Backward(x.said) {
		if r.Answers == rumor {
			return r
		}
	}
	return pow.Receipt{}
}

func (x *world) want(n pow.Notice, codes ...pow.Code) {
	x.t.Helper()
	if got := x.codes(n.ID); !slices.Equal(got, codes) {
		x.t.Errorf("seq %d was told %v, want %v", n.Seq, got, codes)
	}
}

func (x *world) proofs() []pow.ProofReport {
	x.t.Helper()
	out, err := x.l.Proofs(context.Background(), ledger.Filter{})
	x.must(err)
	return out
}

func (x *world) session(id pow.SessionID) pow.SessionReport {
	x.t.Helper()
	out, err := x.l.Sessions(context.Background(), ledger.Filter{Session: id})
	x.must(err)
	if len(out) != 1 {
		x.t.Fatalf("%d sessions %s", len(out), id)
	}
	return out[0]
}

// ago is an interval that ended some minutes ago.
func (x *world) ago(from, to int) pow.Interval {
	now := x.now()
	return pow.Interval{From: now.Add(-time.Duration(from) * time.Minute), To: now.Add(-time.Duration(to) * time.Minute)}
}
