package client

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"pow.do/app/config"
	"pow.do/services/client/away"
	"pow.do/services/client/control"
	"pow.do/services/client/queue"
	"pow.do/services/client/timer"
	"pow.do/services/client/vault"
	"pow.do/services/pow"
	"pow.do/services/wire/dial"
)

// Config is what an Agent needs.
type Config struct {
	Home string
	// Passphrase is asked for the keys at start; "" leaves them to the keyring, or locked.
	Passphrase func() (string, error)
	Proxy      string // socks5://…, or empty
	Displays   []int  // to take pictures of; empty: every one
	// Desktop: notice when the person is away, and show a tray icon and notifications.
	Desktop bool
	Log     *slog.Logger
}

// Agent owns the queue, the timer, the captures, the outbox and the keys of one
// home folder. It implements API.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	vault    *vault.Vault
	dialer   *dial.Dialer
	activity *apps
	pictures *pictures
	uploads  uploads

	registering sync.Mutex // held by Register
	changing    sync.Mutex // held while the team is changed and stored; taken before mu
	pausing     sync.Mutex // held while the timer starts, stops or stands still; taken before mu
	watcher     *away.Watcher
	desk        desk

	mu       sync.Mutex // guards all below
	queue    *queue.Queue
	timer    *timer.Timer
	keys     *secrets // nil while locked
	team     *team    // nil before joining, and while locked
	net      *link    // nil while nothing is delivered
	waiting  map[pow.Hash]chan pow.Receipt
	warnings map[string]pow.Fault
	aw       string // state of ActivityWatch
	watchers map[chan struct{}]bool
	absent   *absence // nil: the person is here
	windows  int      // that watch
	open     string   // the page that they are asked to show
	switched *switched
	// set are the settings; setHidden: without the exclusions that rest encrypted.
	set       pow.Settings
	setHidden bool
	renew     chan struct{} // a new key or team: build the link anew
	quit      context.CancelFunc
	// wanted: the timer that runs may go on while nobody watches, because a command
	// without an agent started it.
	wanted bool
	// erasing: Close removes everything that is kept.
	erasing bool

	ringMu sync.Mutex // guards all below; held while the keyring is asked
	// keyring is what the system's keyring answered at keyringAsked.
	keyring      bool
	keyringAsked time.Time
}

// Open takes over a home folder. It fails with pow.ErrInUse when another
// program has it. Keys that need no passphrase, or whose passphrase is given,
// are opened; otherwise the agent starts locked.
func Open(ctx context.Context, cfg Config) (*Agent, error) {
	proxy, err := config.Proxy(cfg.Proxy)
	if err != nil {
		return nil, usage(err)
	}
	d, err := dial.New(dial.Config{SOCKS5: proxy})
	if err != nil {
		return nil, usage(err)
	}
	a := &Agent{
		cfg: cfg, log: cfg.Log, dialer: d, activity: newApps(cfg.Log), pictures: newPictures(cfg), set: pow.DefaultSettings(),
		waiting: map[pow.Hash]chan pow.Receipt{}, warnings: map[string]pow.Fault{}, watchers: map[chan struct{}]bool{},
		renew: make(chan struct{}, 1), aw: "absent", uploads: uploads{sent: map[pow.Hash]int64{}},
	}
	if a.vault, err = openVault(cfg.Home); err != nil {
		return nil, err
	}
	switch state, err := a.vault.State(); {
	case err != nil:
		return nil, err
	case state == vault.Absent:
		return a, nil
	}
	if err := a.openQueue(); err != nil {
		return nil, err
	}
	if err := a.unlockAtStart(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func usage(err error) error { return &pow.Error{Code: pow.ErrUsage.Code, What: err.Error(), Err: err} }

// openQueue opens the queue and the timer; the public half of the review key is enough.
func (a *Agent) openQueue() error {
	box, err := a.box()
	if err != nil {
		return err
	}
	q, report, err := queue.Open(queue.Config{Dir: a.cfg.Home, Box: box, Log: a.log})
	if err != nil {
		return err
	}
	if report.Quarantined != "" {
		a.warn("queue", &pow.Error{Code: "queue-damaged", What: "the queue file was damaged; what could be read was saved", Mend: "the damaged file lies beside it"})
	}
	a.mu.Lock()
	a.queue, a.timer = q, timer.New(journal{q}, timer.SystemClock(), rand.Reader)
	a.mu.Unlock()
	return errors.Join(a.restoreTimer(report.Interrupted), a.loadSettings())
}

// ready tells whether there is a queue to work with.
func (a *Agent) ready() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue == nil {
		return pow.ErrNoKey
	}
	return nil
}

// Run captures and delivers until ctx ends or Quit is called, and answers on ln.
func (a *Agent) Run(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	a.quit = cancel
	a.mu.Unlock()
	if a.ready() == nil {
		if err := a.queue.PutDoc(docUnattended, ""); err != nil { // from here on somebody watches
			return err
		}
	}
	parts := []func(context.Context) error{a.runTimer, a.runPictures, a.runDoor(ln), a.runActivityState, a.runHours, a.runSealing, a.runHints, a.Deliver}
	if a.cfg.Desktop {
		a.watcher = a.newWatcher()
		a.newDesk()
		parts = append(parts, a.runAway, a.runDesk)
	}
	return together(ctx, parts...)
}

func (a *Agent) runDoor(ln net.Listener) func(context.Context) error {
	return func(ctx context.Context) error { return control.Serve(ctx, ln, newDoor(a)) }
}

// together runs parts side by side until all have ended; the first that ends, ends all.
func together(ctx context.Context, parts ...func(context.Context) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error)
	for _, part := range parts {
		go func() { done <- part(ctx) }()
	}
	for range parts {
		e := <-done
		cancel()
		if !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// Close gives the home folder back. A timer that still runs was started by a
// command without an agent, or is taken up by the next agent.
func (a *Agent) Close() error {
	a.mu.Lock()
	q := a.queue
	attended, wanted, erasing := a.quit != nil, a.wanted, a.erasing
	a.mu.Unlock()
	defer a.vault.Lock()
	if q == nil {
		return nil
	}
	var err error
	if !attended {
		err = a.leave(wanted)
	}
	err = errors.Join(err, q.Close())
	if erasing {
		err = errors.Join(err, a.eraseHome())
	}
	return err
}

// Quit implements API.
func (a *Agent) Quit(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.quit != nil {
		a.quit()
	}
	return nil
}

// warn keeps a warning for the window, by the part that has trouble; nil clears it.
func (a *Agent) warn(part string, err error) {
	a.mu.Lock()
	_, had := a.warnings[part]
	if err == nil {
		delete(a.warnings, part)
	} else {
		f := pow.Fault{Code: pow.CodeInternal, Text: "something went wrong in pow.do", At: time.Now().UTC()}
		var e *pow.Error
		if errors.As(err, &e) {
			f.Code, f.Text = e.Code, e.Error()
		}
		a.warnings[part] = f
	}
	a.mu.Unlock()
	if err != nil {
		a.log.Warn("trouble", "part", part, "error", err)
	}
	if had || err != nil {
		a.changed()
	}
}

// changed wakes whoever watches.
func (a *Agent) changed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (a *Agent) listen() (changes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchers[c] = true
	return c, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, c)
	}
}

// watchGap is the least time between two states that a watcher gets.
const watchGap = 100 * time.Millisecond

// Watch implements API.
func (a *Agent) Watch(ctx context.Context, fn func(pow.Status)) error {
	changes, stop := a.listen()
	defer stop()
	gap := time.NewTicker(watchGap)
	defer gap.Stop()
	for {
		s, err := a.Status(ctx)
		if err != nil {
			return err
		}
		fn(s)
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-gap.C:
		}
	}
}

// Status implements API.
func (a *Agent) Status(context.Context) (pow.Status, error) {
	s := pow.Status{Timer: pow.TimerStatus{State: pow.Stopped}, Outbox: map[pow.State]int{}, Relays: []pow.Connection{}, Version: Version, Pid: os.Getpid()}
	for _, st := range pow.States {
		s.Outbox[st] = 0
	}
	s.Setup = a.setup()
	a.mu.Lock()
	s.ActivityWatch = a.aw
	s.Warnings = slices.Collect(maps.Values(a.warnings))
	slices.SortFunc(s.Warnings, func(x, y pow.Fault) int { return x.At.Compare(y.At) })
	if a.net != nil {
		s.Relays = notNil(a.net.pool.Connections())
	}
	if a.team != nil {
		s.Team = a.team.Announcement.Name
	}
	q := a.queue
	a.mu.Unlock()
	if q == nil {
		return s, nil
	}
	return s, a.addTimes(&s)
}

// addTimes fills in what the queue knows.
func (a *Agent) addTimes(s *pow.Status) error {
	now := time.Now()
	set, _ := a.settings()
	s.Timer = a.timer.Status()
	if s.Timer.Project != nil {
		r := a.projectNames().ref(s.Timer.Project.ID)
		s.Timer.Project = &r
	}
	for st, n := range a.queue.Counts() {
		s.Outbox[st] = n
	}
	for span, sum := range map[pow.Interval]*int64{localDay(now): &s.TodaySeconds, localWeek(now, time.Weekday(set.WeekStart)): &s.WeekSeconds} {
		es, err := a.entries(span, now)
		if err != nil {
			return err
		}
		for _, e := range es {
			*sum += e.Seconds
		}
	}
	st, err := a.queue.Stats()
	if err != nil {
		return err
	}
	s.Held, s.HeldSeconds = st.Held, st.HeldTime
	s.Away = a.awayQuestions()
	s.Tray = a.desk.tray != nil && a.desk.tray.Host()
	a.pictures.mu.Lock()
	s.LastCapture = a.pictures.last
	if !a.pictures.slot.From.IsZero() && s.Timer.State == pow.Tracking {
		slot := a.pictures.slot
		s.Slot = &slot
	}
	a.pictures.mu.Unlock()
	last, err := a.lastReceipt()
	s.LastReceipt = last
	return err
}

func (a *Agent) lastReceipt() (*pow.LastReceipt, error) {
	var r pow.LastReceipt
	found, err := a.queue.Doc(docLastReceipt, &r)
	if !found || err != nil {
		return nil, err
	}
	return &r, nil
}

// awEvery is how often the agent looks whether ActivityWatch is there.
const awEvery = time.Minute

func (a *Agent) runActivityState(ctx context.Context) error {
	tick := time.NewTicker(awEvery)
	defer tick.Stop()
	for {
		state := a.activity.State(ctx)
		a.mu.Lock()
		was := a.aw
		a.aw = state
		a.mu.Unlock()
		if was != state {
			a.changed()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
