package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pow.do/services/client/outbox"
	"pow.do/services/client/queue"
	"pow.do/services/pow"
)

var errKilled = errors.New("killed")

// mortal is a queue whose process dies before its n-th change: that change and
// everything after it never happen.
type mortal struct {
	*queue.Queue
	t     testing.TB
	w     *world
	mu    sync.Mutex
	lives int
	die   func()
}

func (m *mortal) dead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lives--; m.lives == 0 {
		m.die()
	}
	return m.lives <= 0
}

func (m *mortal) Update(id string, fn func(*pow.Delivery) error) (pow.Delivery, error) {
	if m.dead() {
		return pow.Delivery{}, errKilled
	}
	return m.Queue.Update(id, fn)
}

func (m *mortal) Answer(id string, evidence []byte, fn func(*pow.Delivery) error) (pow.Delivery, error) {
	if m.dead() {
		return pow.Delivery{}, errKilled
	}
	return m.Queue.Answer(id, evidence, fn)
}

func (m *mortal) TakeSeq(id string, seal func(uint64, pow.Hash, io.Writer) (pow.Statement, pow.Sealed, []byte, error)) (pow.Delivery, error) {
	if m.dead() {
		return pow.Delivery{}, errKilled
	}
	return m.Queue.TakeSeq(id, func(seq uint64, prev pow.Hash, w io.Writer) (s pow.Statement, b pow.Sealed, head []byte, err error) {
		if s, b, head, err = seal(seq, prev, w); m.dead() { // sealed, but not stored
			err = errKilled
		}
		return s, b, head, err
	})
}

func (m *mortal) Reseal(id string, seal func([]byte, io.Writer) (pow.Sealed, error)) (pow.Delivery, error) {
	if m.dead() {
		return pow.Delivery{}, errKilled
	}
	return m.Queue.Reseal(id, seal)
}

// EndLife is where local data goes: it must follow a Receipt for the same Sealed.
func (m *mortal) EndLife(id string) error {
	if m.dead() {
		return errKilled
	}
	d, err := m.Queue.Delivery(id)
	if err != nil || d.Receipt == nil || !m.w.endedBy(d) {
		m.t.Errorf("erased without a Receipt for its Sealed: %+v, %v", d.Receipt, err)
	}
	return m.Queue.EndLife(id)
}

func (w *world) endedBy(d pow.Delivery) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range d.SealedHashes {
		if h == d.Receipt.Sealed && w.ended[h] {
			return true
		}
	}
	return false
}

func (m *mortal) Tidy() error {
	if m.dead() {
		return errKilled
	}
	return m.Queue.Tidy()
}

// trouble makes every link and the DVM fail at random, until it is over.
func trouble(w *world, r *rand.Rand) {
	var mu sync.Mutex
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(n) == 0
	}
	w.put = func(url string) error {
		switch {
		case chance(4):
			return io.ErrUnexpectedEOF
		case chance(6):
			return &pow.PlaceError{State: pow.PlaceWait, Code: "offline"}
		case chance(8):
			return &pow.PlaceError{State: pow.PlaceWait, Code: "server-error", Wait: time.Minute}
		}
		return nil
	}
	w.publish = func(url string, n pow.Notice) (pow.Answer, error) {
		switch {
		case chance(4):
			return pow.Answer{}, errors.New("lost before it was sent")
		case chance(4):
			w.process(n) // it arrived, but the OK is lost
			return pow.Answer{}, errors.New("no OK")
		case chance(6):
			return pow.Answer{Prefix: "rate-limited"}, nil
		case chance(9):
			return pow.Answer{Prefix: "invalid"}, nil
		}
		return pow.Answer{OK: true}, nil
	}
	w.answer = func(n pow.Notice) (rs []pow.Receipt) {
		add := func(c pow.Code, retry bool) {
			r := receiptFor(n, c)
			if retry {
				r.Retry = time.Now().Add(time.Minute)
			}
			rs = append(rs, r)
		}
		switch {
		case chance(4): // nothing at all
		case chance(5):
			add(pow.CodeBusy, true)
		case chance(6):
			w.mu.Lock()
			clear(w.blobs[n.Servers[0]])
			w.mu.Unlock()
			add(pow.CodeBlobUnavailable, true)
		case chance(8):
			add(pow.CodeDecryptFailed, false)
		case chance(3):
			add(pow.CodeReceived, false)
		default:
			add(pow.CodeBooked, false)
			add(pow.CodeAccepted, false) // late and out of order
			rs = append(rs, rs[0])       // and twice
		}
		return rs
	}
}

func calm(w *world) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put, w.publish, w.answer = nil, nil, nil
}

// TestKills lets everything fail and the process die between random steps, over
// a real queue. In the end every proof is booked, each erasure has followed a
// Receipt, no seq carries two Statements (world.Publish) and the chain is whole.
func TestKills(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 2
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { kills(t, rand.New(rand.NewPCG(seed, 3))) })
		})
	}
}

func kills(t *testing.T, r *rand.Rand) {
	dir, w := t.TempDir(), newWorld(t)
	q := openQueue(t, dir)
	ids := register(t, q, 4)
	check(t, q.Close())
	trouble(w, r)
	for range 12 {
		life(t, w, dir, 1+r.IntN(25), time.Duration(r.IntN(300))*time.Minute)
	}
	calm(w)
	life(t, w, dir, 1<<30, 80*time.Hour)

	q = openQueue(t, dir)
	defer q.Close()
	prev, bySeq := pow.Hash{}, map[uint64]*pow.Statement{}
	for _, id := range ids {
		d, err := q.Delivery(id)
		check(t, err)
		if d.State == pow.Attention { // sealed again twice by chance: a person decides
			if d.LastError.Code != pow.CodeDecryptFailed || len(d.CaptureIDs) == 0 {
				t.Errorf("attention: %+v", d.LastError)
			}
		} else if d.State != pow.Booked || len(d.CaptureIDs) != 0 || d.SealEvent != nil {
			t.Errorf("%s: %s %+v", id, d.State, d.LastError)
		}
		bySeq[d.Statement.Seq] = d.Statement
	}
	for seq := uint64(1); seq <= uint64(len(ids)); seq++ {
		if s := bySeq[seq]; s == nil || s.Prev != prev {
			t.Fatalf("the chain breaks at %d", seq)
		}
		prev = bySeq[seq].ID
	}
}

// life is one process: it dies before its n-th change, or ends after a while.
func life(t *testing.T, w *world, dir string, n int, at time.Duration) {
	q := openQueue(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), at)
	defer cancel()
	m := &mortal{Queue: q, t: t, w: w, lives: n, die: cancel}
	o := outbox.New(w.config(m))
	w.mu.Lock()
	w.receive = func(r pow.Receipt) {
		// A Letter whose Receipt was not taken in stays on the relay; here it is lost,
		// which is worse.
		if _, err := o.Receive(context.Background(), r, []byte("seal")); err != nil && !errors.Is(err, errKilled) {
			t.Errorf("receive: %v", err)
		}
	}
	w.mu.Unlock()
	check(t, o.Run(ctx))
	check(t, q.Close())
}
