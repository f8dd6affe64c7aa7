package kimai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"pow.do/services/pow"
	"pow.do/services/wire/retry"
)

const (
	minVersion = 21400 // the first with bearer tokens
	oldVersion = 22600 // the oldest that was tried
	checkEvery = time.Hour
	stopPause  = 5 * time.Minute
	maxSkew    = 30 * time.Second
)

// gate keeps writes back until the server and the account were seen to be fit.
type gate struct {
	mu      sync.Mutex
	server  server
	checked time.Time // of the last check that was passed; zero: never
	stopped error     // why nothing is written
	next    time.Time // the next check while stopped
}

// server is what the start-up check learns.
type server struct {
	version  version
	me       account
	settings settings
	skew     time.Duration     // Kimai's clock against ours
	users    map[int64]account // nil: view_user is missing
}

type version struct {
	Version   string
	VersionID int
}

type account struct {
	ID       number
	Username string
	Alias    string
	Timezone string
	Enabled  *bool
	Roles    []string
}

func (a account) enabled() bool { return a.Enabled == nil || *a.Enabled }

type settings struct {
	TrackingMode       string
	IsAllowFutureTimes *bool
	IsAllowOverlapping *bool
}

// overlapping is false unless the server says otherwise: the careful way is
// right on every server.
func (s settings) overlapping() bool { return s.IsAllowOverlapping != nil && *s.IsAllowOverlapping }

// open returns what is known of the server, after a check where one is due.
func (c *Client) open(ctx context.Context) (server, error) {
	g := &c.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := c.cfg.Now()
	switch {
	case g.stopped != nil && now.Before(g.next):
		return g.server, retry.Permanent(g.stopped)
	case g.stopped == nil && !g.checked.IsZero() && now.Sub(g.checked) < checkEvery:
		return g.server, nil
	}
	s, err := c.inspect(ctx)
	if f := (*failure)(nil); err != nil && g.stopped == nil && (!errors.As(err, &f) || f.class != stop) {
		return g.server, later(fmt.Errorf("kimai: check: %w", err))
	}
	if err != nil {
		g.stopped, g.next = fmt.Errorf("kimai: check: %w", err), now.Add(stopPause)
		return g.server, retry.Permanent(g.stopped)
	}
	if g.stopped != nil {
		c.cfg.Log.Info("kimai is fit again")
	}
	g.server, g.checked, g.stopped = s, now, nil
	return s, nil
}

// halt stops all writes until a check is passed.
func (c *Client) halt(err error) error {
	g := &c.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped == nil {
		c.cfg.Log.Error("kimai has stopped: nothing is booked until the check is passed")
		g.stopped, g.next = err, c.cfg.Now().Add(stopPause)
	}
	return retry.Permanent(err)
}

// halted tells whether writes were stopped while a request was prepared.
func (c *Client) halted() error {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	if c.gate.stopped == nil {
		return nil
	}
	return retry.Permanent(c.gate.stopped)
}

// inspect asks the server what it is and who we are there.
func (c *Client) inspect(ctx context.Context) (server, error) {
	var s server
	if err := c.askVersion(ctx, &s); err != nil {
		return s, err
	}
	if err := c.askMe(ctx, &s); err != nil {
		return s, err
	}
	if _, err := c.do(ctx, request{path: "config/timesheet"}, &s.settings); err != nil {
		return s, err
	}
	return s, c.askUsers(ctx, &s)
}

func (c *Client) askVersion(ctx context.Context, s *server) error {
	h, err := c.do(ctx, request{path: "version"}, &s.version)
	if err != nil {
		return err
	}
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		s.skew = t.Sub(c.cfg.Now()).Truncate(time.Second)
	}
	if s.skew.Abs() > maxSkew {
		c.cfg.Log.Warn("kimai's clock differs from ours", "by", s.skew)
	}
	if s.version.VersionID < minVersion {
		return &failure{class: stop, status: http.StatusOK, err: fmt.Errorf("Kimai %s is too old: 2.14 is the first that will do", pow.Clean(s.version.Version))}
	}
	return nil
}

func (c *Client) askMe(ctx context.Context, s *server) error {
	if _, err := c.do(ctx, request{path: "users/me"}, &s.me); err != nil {
		return err
	}
	if s.me.ID == 0 {
		return &failure{class: again, status: http.StatusOK, err: errShape}
	}
	admin := slices.Contains(s.me.Roles, "ROLE_ADMIN") || slices.Contains(s.me.Roles, "ROLE_SUPER_ADMIN")
	if admin && !c.cfg.AllowAdminToken {
		return &failure{class: stop, status: http.StatusOK, err: errors.New("the token belongs to an administrator, who may write into invoiced and closed periods")}
	}
	return nil
}

// askUsers learns the members' zones. Without view_user the zones stay unknown.
func (c *Client) askUsers(ctx context.Context, s *server) error {
	var all []account
	_, err := c.do(ctx, request{path: "users", query: url.Values{"visible": {"3"}}}, &all)
	if f := (*failure)(nil); errors.As(err, &f) && f.status == http.StatusForbidden {
		c.cfg.Log.Warn("kimai: the permission view_user is missing, so the members' time zones are unknown")
		return nil
	}
	if err != nil {
		return err
	}
	s.users = make(map[int64]account, len(all))
	for _, a := range all {
		s.users[int64(a.ID)] = a
	}
	return nil
}

// otherDay tells whether Kimai would file a record that begins at t, made by
// us, under another day than its owner's.
func (s server) otherDay(user int64, t time.Time) bool {
	owner, known := s.users[user]
	if !known || owner.Timezone == "" || s.me.Timezone == "" {
		return false
	}
	there, err := time.LoadLocation(owner.Timezone)
	here, err2 := time.LoadLocation(s.me.Timezone)
	if err != nil || err2 != nil {
		return false
	}
	return t.In(there).Format(time.DateOnly) != t.In(here).Format(time.DateOnly)
}

// later turns a failure that passes into the caller's error.
func later(err error) error {
	if f := (*failure)(nil); errors.As(err, &f) && f.wait > 0 {
		return retry.Later(err, f.wait)
	}
	return err
}

func number64(n int64) string { return strconv.FormatInt(n, 10) }
