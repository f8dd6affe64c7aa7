// Package outbox brings proofs to the DVM: seal → upload → wrap → publish → wait
// for the Receipt. The result of every step is stored before the next begins,
// so a kill between any two repeats harmlessly: the same Sealed, the same rumor,
// the same Letter.
//
// # What ends a proof
//
// Only a Receipt of the DVM does (accepted, booked or parked, for a Sealed of
// this proof). A relay's OK and a Blossom server's 200 are progress.
//
// # How it is built
//
// Pure rules say what is to be done next (plan) and what an answer makes of a
// Delivery (receiptArrived, relayAnswered, blossomAnswered). Run is the one loop
// that carries the plan out: it starts steps, each in a goroutine of its own,
// and never two at once for the same place of the same proof. Relays and
// servers are tried independently; a slow one holds up nobody. Sealing is one at
// a time, in order, and one proof that cannot be sealed does not hold up the
// next.
//
// Next attempts are stored with the Delivery, so that back-off survives a
// restart. Connection failures pace the whole endpoint, refusals the one proof;
// the first success of an endpoint frees all that wait for it.
//
// While the keys are locked nothing is sent; Receipts are still taken.
package outbox

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"pow.do/services/pow"
)

// Store keeps Deliveries. Every method is one durable change.
type Store interface {
	Pending() ([]pow.Delivery, error) // all that are not done with, in order of making
	Delivery(id string) (pow.Delivery, error)
	ByNotice(rumor pow.Hash) (id string, found bool)
	Update(id string, fn func(*pow.Delivery) error) (pow.Delivery, error)
	Answer(id string, evidence []byte, fn func(*pow.Delivery) error) (pow.Delivery, error)
	Proofs
	Lives
}

// Proofs is the Store's part that has to do with sealing.
type Proofs interface {
	ProofOf(id string) (pow.Proof, error)
	TakeSeq(id string, seal func(seq uint64, prev pow.Hash, w io.Writer) (pow.Statement, pow.Sealed, []byte, error)) (pow.Delivery, error)
	Reseal(id string, seal func(head []byte, w io.Writer) (pow.Sealed, error)) (pow.Delivery, error)
}

// Lives is the Store's part that begins and ends a proof's life.
type Lives interface {
	Rebuild(id string) (pow.Delivery, error)
	Split(id string) (later pow.Delivery, err error)
	DropCaptures(ids ...string) error
	EndLife(id string) error
	Tidy() error
}

// Sealer makes archives. It is called from one goroutine at a time. Errors:
// pow.ErrLocked, pow.ErrTooLarge; with retry.IsPermanent the proof is for a
// person to look at; all others may pass later.
type Sealer interface {
	Seal(ctx context.Context, w io.Writer, p pow.Proof, seq uint64, prev pow.Hash, to pow.Recipient, now time.Time) (pow.Statement, pow.Sealed, []byte, error)
	Reseal(ctx context.Context, w io.Writer, head []byte, p pow.Proof, to pow.Recipient, now time.Time) (pow.Statement, pow.Sealed, error)
}

// Uploader speaks to Blossom servers. Refusals are *pow.PlaceError; every other
// error means that the result is unknown.
type Uploader interface {
	Put(ctx context.Context, origin string, s pow.Sealed) error
	// Has asks whether a server holds a blob, and until when (zero: it does not say).
	Has(ctx context.Context, origin string, hash pow.Hash) (held bool, sunset time.Time, err error)
	Delete(ctx context.Context, origin string, hash pow.Hash) error
}

// Wrapper makes Letters. Seal is called once for each Notice, Wrap once for each Letter.
type Wrapper interface {
	Seal(n pow.Notice) (rumor pow.Hash, sealEvent []byte, err error)
	Wrap(sealEvent []byte, to pow.Key, now time.Time) (pow.Letter, error)
}

// Publisher hands an event to one relay. An error means that no answer came.
type Publisher interface {
	Publish(ctx context.Context, origin string, eventJSON []byte) (pow.Answer, error)
}

// Team is what the outbox must know of the team at this moment.
type Team struct {
	Announcement pow.Announcement
	Catalogue    int      // revision in use, 0: none
	Relays       []string // origins, in order of preference
	Blossom      []string
	Algs         []string // archive encryptions that may be used; nil: any
	Ready        bool     // joined, announcement known
	Locked       bool     // the keys are locked
}

// Config wires an Outbox. All but the last three are needed.
type Config struct {
	Store     Store
	Sealer    Sealer
	Uploader  Uploader
	Wrapper   Wrapper
	Publisher Publisher
	Team      func() Team
	// Ask asks the DVM to send the last Receipts of a Session again.
	Ask func(ctx context.Context, session pow.SessionID) error
	// Changed is called after every stored change of a Delivery; it may not block.
	Changed func(pow.Delivery) // nil: nobody listens
	Now     func() time.Time   // nil: time.Now
	Log     *slog.Logger       // nil: discarded
}

// Outbox delivers what is in its Store.
type Outbox struct {
	cfg    Config
	kick   chan struct{} // 1: look at the Store anew, and try every endpoint
	moved  chan struct{} // 1: look at the Store anew
	done   chan outcome  // steps that ended
	erased atomic.Bool   // something was erased that Tidy has not seen
}

// New returns an Outbox that Run will drive. It panics when a part is missing.
func New(cfg Config) *Outbox {
	if cfg.Store == nil || cfg.Sealer == nil || cfg.Uploader == nil || cfg.Wrapper == nil ||
		cfg.Publisher == nil || cfg.Team == nil || cfg.Ask == nil {
		panic("outbox: a part is missing")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func(pow.Delivery) {}
	}
	return &Outbox{cfg: cfg, kick: make(chan struct{}, 1), moved: make(chan struct{}, 1), done: make(chan outcome)}
}

// Kick makes Run look at the Store anew and try unreachable endpoints at once:
// after Enqueue, unlock, a new announcement, a network change. It never blocks.
func (o *Outbox) Kick() { signal(o.kick) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// update stores a change and tells it.
func (o *Outbox) update(id string, fn func(*pow.Delivery) error) (pow.Delivery, error) {
	d, err := o.cfg.Store.Update(id, fn)
	if err == nil {
		o.cfg.Changed(d)
	}
	return d, err
}
