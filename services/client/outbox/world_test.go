package outbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pow.do/services/client/outbox"
	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const relayA, relayB, serverA, serverB = "wss://a.example", "wss://b.example", "https://c.example", "https://d.example"

var device, dvm = pow.Key{3}, pow.Key{4}

// world is everything beyond the outbox: servers, relays and a DVM that
// processes what a relay has taken. Its functions may be replaced by faults.
type world struct {
	t   testing.TB
	mu  sync.Mutex
	now func() time.Time

	team  outbox.Team
	blobs map[string]map[pow.Hash]bool // server → blobs
	seen  map[uint64]pow.Hash          // seq → Statement that a relay was given
	ended map[pow.Hash]bool            // Sealed for which an ending Receipt was given out
	asked int
	calls map[string]int

	sealSize int64
	publish  func(url string, n pow.Notice) (pow.Answer, error) // nil: OK
	put      func(url string) error                             // nil: stored
	answer   func(n pow.Notice) []pow.Receipt                   // nil: booked
	receive  func(pow.Receipt)                                  // where Receipts go

	sealing   error  // what sealing fails with
	resealing func() // called while an archive is sealed again
}

func newWorld(t testing.TB) *world {
	return &world{
		t: t, now: time.Now, sealSize: 100,
		team: outbox.Team{
			Announcement: pow.Announcement{DVM: dvm, Copies: 1, Limits: pow.Limits{Sealed: 1000}, Recipients: []pow.Recipient{{ID: "r1", Alg: pow.AgePQ}}},
			Relays:       []string{relayA, relayB}, Blossom: []string{serverA, serverB}, Ready: true,
		},
		blobs: map[string]map[pow.Hash]bool{serverA: {}, serverB: {}},
		seen:  map[uint64]pow.Hash{}, ended: map[pow.Hash]bool{}, calls: map[string]int{},
	}
}

func (w *world) Team() outbox.Team {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.team
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[what]++
}

func (w *world) called(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[what]
}

// Seal writes something that is unique to the Statement and the recipient. Its
// size grows with the number of pictures.
func (w *world) Seal(_ context.Context, out io.Writer, p pow.Proof, seq uint64, prev pow.Hash, to pow.Recipient, now time.Time) (pow.Statement, pow.Sealed, []byte, error) {
	w.count("seal")
	if err := w.sealFault(); err != nil {
		return pow.Statement{}, pow.Sealed{}, nil, err
	}
	head := fmt.Appendf(nil, "%s %v %d %v %d", p.Session, p.Interval, seq, prev, now.UnixNano())
	s := pow.Statement{
		ID: sha256.Sum256(head), Author: pow.Key{1}, Device: device, DVM: dvm, Session: p.Session, Project: p.Project,
		Seq: seq, Prev: prev, Interval: p.Interval, CreatedAt: now,
	}
	sealed, err := w.write(out, head, len(p.Captures), to)
	head, jerr := json.Marshal(s)
	return s, sealed, head, errors.Join(err, jerr)
}

func (w *world) Reseal(_ context.Context, out io.Writer, head []byte, p pow.Proof, to pow.Recipient, now time.Time) (s pow.Statement, sealed pow.Sealed, err error) {
	w.count("reseal")
	if w.resealing != nil {
		w.resealing()
	}
	if err := w.sealFault(); err != nil {
		return s, sealed, err
	}
	if err := json.Unmarshal(head, &s); err != nil {
		return s, sealed, err
	}
	sealed, err = w.write(out, fmt.Appendf(nil, "%v again %d", s.ID, now.UnixNano()), len(p.Captures), to)
	return s, sealed, err
}

func (w *world) sealFault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sealing
}

func (w *world) write(out io.Writer, body []byte, pictures int, to pow.Recipient) (pow.Sealed, error) {
	w.mu.Lock()
	pad := w.sealSize * int64(pictures)
	w.mu.Unlock()
	body = append(append(body, to.ID...), bytes.Repeat([]byte("p"), int(pad))...)
	_, err := out.Write(body)
	return pow.Sealed{Hash: sha256.Sum256(body), Size: int64(len(body)), Archive: 1, Alg: to.Alg, Recipient: to.ID}, err
}

func (w *world) Put(_ context.Context, url string, s pow.Sealed) error {
	w.count("put " + url)
	w.mu.Lock()
	fault := w.put
	w.mu.Unlock()
	if fault != nil {
		if err := fault(url); err != nil {
			return err
		}
	}
	r, err := s.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil || pow.Hash(sha256.Sum256(b)) != s.Hash {
		return &pow.PlaceError{State: pow.PlaceRefused, Code: "conflict"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blobs[url][s.Hash] = true
	return nil
}

func (w *world) Has(_ context.Context, url string, h pow.Hash) (bool, time.Time, error) {
	w.count("has " + url)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blobs[url][h], time.Time{}, nil
}

func (w *world) Delete(_ context.Context, url string, h pow.Hash) error {
	w.count("delete " + url)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.blobs[url], h)
	return nil
}

// wrapper makes seals and Letters that say what is in them.
type wrapper struct{}

func (wrapper) Seal(n pow.Notice) (pow.Hash, []byte, error) {
	b, err := json.Marshal(n)
	return sha256.Sum256(b), b, err
}

func (wrapper) Wrap(sealEvent []byte, _ pow.Key, now time.Time) (pow.Letter, error) {
	id := pow.Hash{}
	_, err := rand.Read(id[:])
	return pow.Letter{ID: id, JSON: sealEvent, Made: now}, err
}

func (w *world) Publish(_ context.Context, url string, b []byte) (pow.Answer, error) {
	w.count("publish " + url)
	var n pow.Notice
	if err := json.Unmarshal(b, &n); err != nil {
		w.t.Error(err)
	}
	n.ID = sha256.Sum256(b)
	w.mu.Lock()
	if old, ok := w.seen[n.Seq]; ok && old != n.Statement {
		w.t.Errorf("seq %d carries two statements", n.Seq)
	}
	w.seen[n.Seq] = n.Statement
	fault := w.publish
	w.mu.Unlock()
	if fault != nil {
		if a, err := fault(url, n); err != nil || !a.OK {
			return a, err
		}
	}
	w.process(n)
	return pow.Answer{OK: true}, nil
}

// process is the DVM: its Receipts are handed over before the relay's OK.
func (w *world) process(n pow.Notice) {
	w.mu.Lock()
	answer, receive := w.answer, w.receive
	w.mu.Unlock()
	rs := []pow.Receipt{receiptFor(n, pow.CodeBooked)}
	if answer != nil {
		rs = answer(n)
	}
	for _, r := range rs {
		r.CreatedAt = w.now()
		w.mu.Lock()
		if r.Code.EndsLife() {
			w.ended[r.Sealed] = true
		}
		w.mu.Unlock()
		receive(r)
	}
}

func receiptFor(n pow.Notice, c pow.Code) pow.Receipt {
	r := pow.Receipt{DVM: dvm, Device: device, Answers: n.ID, Sealed: n.Sealed, Session: n.Session, Seq: n.Seq, Code: c}
	_, _ = rand.Read(r.ID[:])
	return r
}

func (w *world) config(store outbox.Store) outbox.Config {
	return outbox.Config{
		Store: store, Sealer: w, Uploader: w, Wrapper: wrapper{}, Publisher: w, Team: w.Team, Now: w.now,
		Ask: func(context.Context, pow.SessionID) error { w.count("ask"); return nil },
	}
}

// box does not encrypt.
type box struct{}

func (box) Seal(b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (box) Open(b []byte) ([]byte, error) { return bytes.Clone(b), nil }

func openQueue(t testing.TB, dir string) *queue.Queue {
	t.Helper()
	q, _, err := queue.Open(queue.Config{Dir: dir, Box: box{}})
	if err != nil {
		t.Fatal(err)
	}
	q.SetOpener(box{})
	return q
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ulid(t testing.TB) string {
	t.Helper()
	id, err := pow.NewULID(time.Now(), rand.Reader)
	check(t, err)
	return id
}

// register tracks and enqueues n proofs of ten minutes with two pictures each.
func register(t testing.TB, q *queue.Queue, n int) (ids []string) {
	t.Helper()
	session, from := pow.SessionID(ulid(t)), time.Now().UTC().Truncate(time.Second)
	var ds []pow.Delivery
	for i := range n {
		a := from.Add(time.Duration(i) * 10 * time.Minute)
		for _, at := range []time.Time{a, a.Add(9 * time.Minute)} {
			c := pow.Capture{ID: ulid(t), Session: session, At: at, Format: "png"}
			check(t, q.AddCapture(c, []byte("picture"), nil))
		}
		d := pow.Delivery{ID: ulid(t), Session: session, Project: "3f6c1d2e9a0b4c5d", Action: pow.ActionExtend, Interval: pow.Interval{From: a, To: a.Add(10 * time.Minute)}}
		ds, ids = append(ds, d), append(ids, d.ID)
	}
	check(t, q.Enqueue(ds))
	return ids
}

// run drives an outbox over a queue until stop is called.
func run(t testing.TB, w *world, q *queue.Queue) (o *outbox.Outbox, stop func()) {
	t.Helper()
	o = outbox.New(w.config(q))
	w.mu.Lock()
	w.receive = func(r pow.Receipt) {
		if _, err := o.Receive(context.Background(), r, []byte("seal of the Receipt")); err != nil {
			t.Errorf("receive: %v", err)
		}
	}
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	return o, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}
