// Package activity reads what ActivityWatch recorded about an interval: which
// programs had the focus, and when the person was away.
//
// ActivityWatch is a service of its own on the same computer, with a REST
// interface on http://127.0.0.1:5600. The data are what any local process wrote
// there: they describe a Proof and never decide whether its time is proven. Both
// servers in the field, the Python and the Rust one, are read by the same rules.
//
// Client.Read never fails: an Activity without data carries the cause. It counts
// in whole milliseconds; Active + Away + Unknown is the interval's length, and
// any split of an interval gives the same totals. Three GET calls are used (info,
// buckets, events of at most three buckets), and nothing is ever written.
//
// What leaves this package is an allow-list per level of detail: never a URL's
// path, never a private window's title, nothing that an exclusion pattern
// matches. The window row beneath a private browser tab keeps its app only.
//
// Connections go to loopback addresses alone, past every proxy, and redirects
// are not followed. Replies are bounded in size, depth, number and time. Titles,
// URLs and keys are in no log and no error.
//
// Caveats: the last minutes are provisional, as ActivityWatch writes "away"
// backwards (see Settle). Its Python server does not find events that began more
// than 24 hours before an interval; such time is unknown.
package activity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"pow.do/services/pow"
)

// Defaults of Config.
const (
	DefaultURL = "http://127.0.0.1:5600"
	// Settle is how long after an interval its activity may still change: the
	// watcher's time-out of 180 s and a margin.
	Settle = 200 * time.Second
)

// The causes of pow.Activity.Cause.
const (
	CauseOff          = "off"          // the level of detail asks for nothing
	CauseUnavailable  = "unavailable"  // not running, or another program
	CauseUnauthorized = "unauthorized" // a key is needed
	CauseNoBucket     = "no_bucket"    // no window watcher for this computer
	CauseNoAFK        = "no_afk"       // no away watcher: all time is unknown
	CauseStale        = "stale"        // a watcher stopped before the interval's end
	CauseInconsistent = "inconsistent" // the sums do not add up; nothing is kept
)

// The answers of State, as powdo status shows them.
const (
	StateOK     = "ok"
	StateAbsent = "absent"
	StateLocked = "locked"
)

// Errors of Check.
var (
	ErrAbsent  = &pow.Error{Code: "activitywatch-absent", What: "ActivityWatch is not running", Mend: "start it to have app times in your proofs"}
	ErrForeign = &pow.Error{Code: "activitywatch-foreign", What: "another program answers at ActivityWatch's address", Mend: "correct activity.url"}
	ErrAddress = &pow.Error{Code: "activitywatch-address", What: "ActivityWatch's address is not one of this computer", Mend: "set activity.url to " + DefaultURL}
	ErrLocked  = &pow.Error{Code: "activitywatch-locked", What: "ActivityWatch asks for a key", Mend: "set activity.key to the api_key of its config file"}
)

// Category names a kind of use. Its pattern is matched against app and title.
type Category struct {
	Name    string
	Pattern *regexp.Regexp
}

// Config is what a Client is made of. Everything has a default.
type Config struct {
	URL        string   // http, 127.0.0.1 or localhost; "": DefaultURL
	Key        string   // of a server that demands one and has no readable config file
	KeyFiles   []string // config files of aw-server-rust; nil: where it puts them
	Hostname   string   // this computer's name; "": the system's
	Settle     time.Duration
	Buckets    []string         // ids to use instead of looking for them
	Exclude    []*regexp.Regexp // app, title or URL: such a row becomes "private"
	Categories []Category       // asked before the built-in ones
	Log        *slog.Logger
	Now        func() time.Time
}

// Client reads from one ActivityWatch server. It may be used from any
// goroutine; one request is on its way at a time. It starts no goroutine.
type Client struct {
	cfg   Config
	base  *url.URL // nil: the address is refused
	http  *http.Client
	pause func(context.Context, time.Duration) error
	// builtin are the category rules asked after the person's own.
	builtin []Category

	mu      sync.Mutex // guards the fields below and orders the requests
	key     string     // the one that worked last; memory only
	foreign bool       // another program owns the address: not asked again
}

// New returns a Client. It connects to nothing. An address outside this computer
// is never asked; Check and Read then say so (see CheckURL).
func New(cfg Config) *Client {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	if cfg.Settle <= 0 {
		cfg.Settle = Settle
	}
	if cfg.Hostname == "" {
		cfg.Hostname, _ = os.Hostname() // only a second choice for finding buckets
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Client{cfg: cfg, pause: sleep, builtin: builtinRules()}
	if base, err := loopback(cfg.URL); err == nil {
		c.base = base
		c.http = newHTTP(base.Port())
		if cfg.KeyFiles == nil {
			c.cfg.KeyFiles = defaultKeyFiles(base.Port())
		}
	}
	return c
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// CheckURL tells whether a Client would use the address: plain http to
// 127.0.0.1 or localhost, without path, user or query. Error: ErrAddress.
func CheckURL(address string) error {
	_, err := loopback(address)
	return err
}

// Check asks the server whether it is there and lets us read. Errors: ErrAbsent,
// ErrForeign, ErrAddress, ErrLocked.
func (c *Client) Check(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.list(ctx)
	var e *pow.Error
	if err != nil && !errors.As(err, &e) {
		return ErrAbsent.With(err)
	}
	return err
}

// State is Check in one word: StateOK, StateAbsent or StateLocked.
func (c *Client) State(ctx context.Context) string {
	switch err := c.Check(ctx); {
	case err == nil:
		return StateOK
	case errors.Is(err, ErrLocked):
		return StateLocked
	}
	return StateAbsent
}

// Read returns the activity of [in.From, in.To), in whole milliseconds, with
// rows no more detailed than detail. It reads at once, whatever the time: the
// answer is Provisional until Settle after in.To. Server faults that pass by
// themselves are tried again within a few seconds; all others become a Cause.
func (c *Client) Read(ctx context.Context, in pow.Interval, detail pow.Detail) pow.Activity {
	a, _ := c.ReadBy(ctx, in, detail, Rules{})
	return a
}

// Rules are the person's own about what leaves. Apps are named whole, in any case.
type Rules struct {
	Apps   []string // nothing of them leaves but that the time was active
	Titles []string // of these apps no titles leave
}

func (r Rules) app(f facts) bool   { return names(r.Apps, f.app) }
func (r Rules) title(f facts) bool { return names(r.Titles, f.app) }

func names(apps []string, app string) bool {
	app = clean(app, maxApp)
	return slices.ContainsFunc(apps, func(s string) bool { return strings.EqualFold(clean(s, maxApp), app) })
}

// ReadBy is Read under rules. It returns the rows that a rule left out beside
// the activity, with the same detail.
func (c *Client) ReadBy(ctx context.Context, in pow.Interval, detail pow.Detail, rules Rules) (a pow.Activity, left []pow.ActivityRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	s := span{in.From.UnixMilli(), in.To.UnixMilli()}
	a = pow.Activity{AsOf: now.UTC(), Unknown: ms(max(0, s.length()))}
	if detail != pow.DetailCategory && detail != pow.DetailApp && detail != pow.DetailTitle {
		a.Cause = CauseOff
		return a, nil
	}
	a.Provisional = now.Before(in.To.Add(c.cfg.Settle))
	if s.length() <= 0 {
		a.Cause = CauseInconsistent
		return a, nil
	}
	r, err := c.record(ctx, s, detail, now.UnixMilli())
	if err != nil {
		a.Cause = cause(err)
		c.cfg.Log.Debug("no activity was read", "cause", a.Cause, "error", err)
		return a, nil
	}
	if r.dropped > 0 {
		c.cfg.Log.Debug("activity events of a wrong shape were dropped", "events", r.dropped)
	}
	left = c.fill(&a, s, r, detail, rules)
	return a, left
}

// cause sorts an error into the words of pow.Activity.
func cause(err error) string {
	switch {
	case errors.Is(err, ErrLocked):
		return CauseUnauthorized
	case errors.Is(err, errNoBucket):
		return CauseNoBucket
	}
	return CauseUnavailable
}
