// Package dvm is the private server's worker: one letter in, one timesheet entry
// and one Receipt out.
//
//	Letter → Notice → Sealed → Proof → ledger → timesheet → Receipt
//
// [Worker.Deliver] unwraps a letter and stores the Notice in one transaction;
// after that the relays are asked to delete the letter. [Worker.Run] does the rest:
// it fetches the Sealed from a configured server, opens and checks it, records the
// proof together with the Receipt that follows from it, books the session's time
// as a state, and sends what is to be said. Every step starts from what is stored
// and stores its result, so a process that is killed anywhere goes on where it was,
// and whatever arrives a thousand times has one effect.
//
// Work goes device by device, one item of a device at a time, as many devices at
// once as there are cores. An item that fails by itself is tried five times and
// then waits in quarantine for a person; it never holds up another. A server or a
// timesheet system that is away is not the item's failure: it waits as long as it
// takes.
//
// Nobody who is not known to the DVM gets an answer, except to an enrol request.
// Nothing of a proof's content goes into a log or an error.
package dvm

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Config is everything a Worker needs. Timesheets, Hubs, Space and Consent may be nil;
// Limits, Now, Log and Workers have defaults.
type Config struct {
	Key     pow.Key  // the DVM's own
	Folder  string   // for sealed archives
	Relays  []string // origins; letters to devices go to all of them
	Blossom []string // origins; nothing else is ever asked for a blob
	Limits  pow.Limits

	// Announcement returns the current one: its id, revision and policy hash go
	// into catalogues and into the judgement of enrol requests.
	Announcement func() pow.Announcement
	Knock        bool // strangers without a claim may ask to be admitted
	Confirm      bool // an admin confirms every new member
	// Opaque names something native to this DVM for the outside (protocol §0).
	Opaque func(kind, native string) pow.OpaqueID
	// Measure is the meter.
	Measure func(pow.SessionFacts) pow.SessionTime
	// Space returns the free and the total bytes of the disk that holds Folder.
	Space func() (free, total int64, err error)

	Ledger Ledger
	Unwrap Unwrapper
	Fetch  Fetcher
	Open   Opener
	// Consent reads a member's signed consent; nil: consents are not looked at.
	Consent    func([]byte) (pow.Agreement, error)
	Timesheets Timesheets // nil: the ledger is the timesheet
	Wrap       Wrapper
	Publish    Publisher
	Delete     Deleter
	Hubs       Hubs

	Now     func() time.Time
	Log     *slog.Logger
	Workers int // devices worked for at once; default: cores
}

// config keeps the configuration out of the Worker's face to others.
type config = Config

// Worker processes letters. See the package comment.
type Worker struct {
	config
	shelf   shelf
	devices *queue         // with work to do
	wraps   chan pow.Hash  // to be deleted on the relays
	blobs   chan spentBlob // to be deleted on the Blossom servers
	booking wake
	desk    bookDesk
	posting wake
	house   wake
	lane    lane
	chores  chores // of the goroutine that keeps house
}

// New checks the configuration and makes the folder for sealed archives.
func New(c Config) (*Worker, error) {
	if c.Ledger == nil || c.Unwrap == nil || c.Fetch == nil || c.Open == nil || c.Wrap == nil || c.Publish == nil || c.Delete == nil ||
		c.Announcement == nil || c.Opaque == nil || c.Measure == nil || c.Folder == "" || c.Key.IsZero() {
		return nil, errors.New("the DVM's configuration is incomplete")
	}
	if c.Limits == (pow.Limits{}) {
		c.Limits = pow.DefaultLimits
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	c.Relays, c.Blossom = slices.Clone(c.Relays), slices.Clone(c.Blossom)
	if err := os.MkdirAll(filepath.Join(c.Folder, temporary), 0o700); err != nil {
		return nil, err
	}
	return &Worker{
		config:  c,
		shelf:   shelf{c.Folder},
		devices: newQueue(),
		wraps:   make(chan pow.Hash, backlog),
		blobs:   make(chan spentBlob, backlog),
		booking: newWake(),
		desk:    bookDesk{queue: map[string]bool{}},
		posting: newWake(),
		house:   newWake(),
	}, nil
}

// backlog bounds what waits in memory to be deleted elsewhere. What does not fit
// is left to its expiry, or comes again and is deleted then.
const backlog = 1024

// Run works until ctx ends, and then waits for what is under way.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.shelf.sweep(); err != nil {
		return err
	}
	if err := w.resume(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	var all sync.WaitGroup
	all.Go(func() { w.devices.run(ctx, w.Now, w.Workers, w.workFor) })
	all.Go(func() { w.loop(ctx, w.booking, w.bookDue) })
	all.Go(func() { w.loop(ctx, w.posting, w.postDue) })
	all.Go(func() { w.loop(ctx, w.house, w.keepHouse) })
	all.Go(func() { w.deleteLetters(ctx) })
	all.Go(func() { w.deleteBlobs(ctx) })
	all.Wait()
	w.desk.all.Wait()
	return nil
}

// Kick has the worker look at once for whatever is due, for example after a
// connection came back.
func (w *Worker) Kick() {
	w.booking.up()
	w.posting.up()
	w.house.up()
}

// resume takes up the work that was stored.
func (w *Worker) resume(ctx context.Context) error {
	devices, err := w.Ledger.DevicesAtWork(ctx)
	if err != nil {
		return err
	}
	for _, d := range devices {
		w.devices.add(d)
	}
	return nil
}

// wake is a bell that does not count.
type wake chan struct{}

func newWake() wake { return make(wake, 1) }

func (k wake) up() {
	select {
	case k <- struct{}{}:
	default:
	}
}

// pause between two looks after a failure of the ledger.
const pause = 5 * time.Second

// loop calls step whenever the bell rings or the time that step returned has
// come; the zero time waits for the bell alone.
func (w *Worker) loop(ctx context.Context, bell wake, step func(context.Context) (time.Time, error)) {
	for ctx.Err() == nil {
		next, err := step(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.Error("the DVM cannot go on, it tries again", "error", err)
			next = w.Now().Add(pause)
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(next.Sub(w.Now()))
		}
		select {
		case <-ctx.Done():
		case <-bell:
		case <-timer:
		}
	}
}
