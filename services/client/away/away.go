// Package away notices that the person left the computer, and that they are back.
//
// It listens to everything that tells, and needs none of it:
//
//   - input: the screen-saver extension under X11, Mutter's idle monitor on the
//     session bus (GNOME, also under Wayland), GetLastInputInfo under Windows.
//     Any input counts, keys alone too; what was typed is not known here.
//   - lock: ActiveChanged of the desktop's screen saver on the session bus, Lock,
//     Unlock and LockedHint of this user's logind sessions on the system bus, the
//     session's lock state under Windows.
//   - sleep and shutdown: PrepareForSleep and PrepareForShutdown of logind. Sleep
//     that nobody announced shows in the clocks: the one on the wall runs on, the
//     monotonic one does not.
//
// A lock and sleep begin at once; without input, away begins at the last input
// once Config.After has passed. What began stays one stretch, however many
// reasons join it, until there is input again, or the screen is unlocked.
//
// Caveats: on macOS, and under Wayland without Mutter, input is not known: away
// then begins with a lock or sleep only. A screen saver without a lock counts as
// a lock. Setting the clock forward by more than MaxSkew looks like sleep.
package away

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The reasons, as pow.AwayQuestion names them.
const (
	Idle   = "idle"
	Locked = "screen-locked"
	Asleep = "asleep"
)

// MaxSkew is how far the clocks may drift apart between two looks.
const MaxSkew = 30 * time.Second

// How often the Watcher looks for input.
const (
	lookAway    = time.Second      // while the person is away
	lookPresent = 10 * time.Second // at the least, while they are here
	// opinionEvery is the least time between two questions to Config.Active.
	opinionEvery = time.Minute
)

// Handler is told what happens, one call at a time.
type Handler interface {
	// Away begins a stretch, or gives a running one a graver reason.
	Away(since time.Time, reason string)
	// Back ends it.
	Back(at time.Time)
	// Shutdown: the computer is about to be switched off.
	Shutdown()
}

// Config is what a Watcher is made of.
type Config struct {
	// After is the time without input that makes a person away; 0: never. It is
	// asked at each look.
	After func() time.Duration
	// Active is a second opinion: whether another witness saw the person after a
	// moment. It can only speak against "idle". nil: there is none.
	Active func(ctx context.Context, since time.Time) bool
	// Since and Reason are a stretch that an earlier Watcher began and nobody has
	// ended; it is not told again, only its end. Zero: the person is here.
	Since  time.Time
	Reason string
	Now    func() time.Time     // nil: time.Now
	Mono   func() time.Duration // stands still while the computer sleeps; nil: Go's own
}

// Watcher looks out for one person. Make it with New.
type Watcher struct {
	cfg  Config
	here chan struct{}

	mu      sync.Mutex // guards all below
	sources []string
	input   time.Time // the last that was seen; zero: not known
}

// New returns a Watcher; it connects to nothing yet.
func New(cfg Config) *Watcher {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Mono == nil {
		start := time.Now()
		cfg.Mono = func() time.Duration { return time.Since(start) }
	}
	return &Watcher{cfg: cfg, here: make(chan struct{}, 1)}
}

// Here says that the person is here, whatever the sources think: they clicked, or
// gave a command from elsewhere. It counts as input.
func (w *Watcher) Here() {
	select {
	case w.here <- struct{}{}:
	default:
	}
}

// Sources names what was heard of so far: x11, mutter, windows (input);
// session-bus, logind (lock and sleep).
func (w *Watcher) Sources() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sources)
}

// LastInput returns the moment of the last input, as of the last look, which is
// some seconds old; known is false where nobody tells.
func (w *Watcher) LastInput() (at time.Time, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.input, !w.input.IsZero()
}

func (w *Watcher) noteInput(at time.Time, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.input = at; !known {
		w.input = time.Time{}
	}
}

func (w *Watcher) found(source string, there bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch i, has := slices.BinarySearch(w.sources, source); {
	case there && !has:
		w.sources = slices.Insert(w.sources, i, source)
	case !there && has:
		w.sources = slices.Delete(w.sources, i, i+1)
	}
}

// signal is what a source says.
type signal int

const (
	locked signal = iota
	unlocked
	sleeping
	woken
	shutdown
)

// Run tells h what it notices until ctx ends. All that it started has ended then.
func (w *Watcher) Run(ctx context.Context, h Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan signal)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	for _, listen := range w.listeners() {
		parts.Go(func() {
			listen(ctx, func(s signal) {
				select {
				case signals <- s:
				case <-ctx.Done():
				}
			})
		})
	}
	in := newInput()
	defer in.close()
	m := machine{handler: h}
	if !w.cfg.Since.IsZero() {
		m.away, m.since, m.last, m.reason = true, w.cfg.Since, w.cfg.Since, w.cfg.Reason
	}
	clocks := clocks{cfg: &w.cfg}
	clocks.check(&m)
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			clocks.check(&m)
			m.signal(s, w.cfg.Now())
			next.Reset(lookAway)
		case <-w.here:
			clocks.check(&m)
			m.here(w.cfg.Now())
			next.Reset(lookAway)
		case <-next.C:
			clocks.check(&m)
			next.Reset(w.look(ctx, in, &m))
		}
	}
}

// clocks remembers both clocks as they were seen last.
type clocks struct {
	cfg  *Config
	wall time.Time
	mono time.Duration
}

// check tells m of sleep that nobody announced.
func (c *clocks) check(m *machine) {
	wall, mono := c.cfg.Now().Round(0), c.cfg.Mono()
	if !c.wall.IsZero() && wall.Sub(c.wall)-(mono-c.mono) > MaxSkew {
		m.slept(c.wall, wall)
	}
	c.wall, c.mono = wall, mono
}

// look asks for the last input and returns when to look again.
func (w *Watcher) look(ctx context.Context, in input, m *machine) time.Duration {
	source, idle, known := in.idle(ctx)
	for _, s := range in.names() {
		w.found(s, known && s == source)
	}
	if ctx.Err() != nil {
		return lookPresent
	}
	m.after = 0
	if w.cfg.After != nil {
		m.after = w.cfg.After()
	}
	now := w.cfg.Now()
	w.noteInput(now.Add(-idle), known)
	if m.due(now, idle, known) && w.cfg.Active != nil {
		if now.Sub(m.seen) < opinionEvery {
			return lookAway
		}
		if w.cfg.Active(ctx, now.Add(-idle)) {
			m.seen = now
			return lookAway
		}
	}
	m.input(now, idle, known)
	if m.away {
		return lookAway
	}
	if m.after == 0 || !known {
		return lookPresent
	}
	return min(max(m.after-idle, lookAway), lookPresent)
}
